// environment -> Settings; the only reader of process.env
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { enrichmentSettings } from '../enrichment/settings.ts';
import { alertSettings } from './alerts/settings.ts';
import { analyticSettings } from './analytics/settings.ts';
import { eventSettings } from './events/settings.ts';
import { flowSettings } from './flows/settings.ts';
import { PosternError } from './model/errors.ts';
import { snapshotSettings } from './snapshots/settings.ts';
import { storeSettings } from './store/settings.ts';
import { webSettings } from './web/settings.ts';

export const ROLES = ['api', 'collect', 'syslog', 'work'] as const;

const serviceSettings = {
  POSTERN_ROLES: Type.Array(
    Type.Union([Type.Literal('api'), Type.Literal('collect'), Type.Literal('syslog'), Type.Literal('work')]),
    { minItems: 1, default: [...ROLES], description: 'What this process does' },
  ),
  POSTERN_LOG_LEVEL: Type.Union(
    [
      Type.Literal('debug'),
      Type.Literal('info'),
      Type.Literal('warn'),
      Type.Literal('error'),
      Type.Literal('silent'),
    ],
    { default: 'info', description: 'Least level of the log lines on standard error' },
  ),
};

const schema = Type.Object({
  ...serviceSettings,
  ...storeSettings,
  ...snapshotSettings,
  ...flowSettings,
  ...eventSettings,
  ...enrichmentSettings,
  ...analyticSettings,
  ...alertSettings,
  ...webSettings,
});

/** Keyed by environment name. Times, sizes and counts are numbers; lists are arrays. */
export type Settings = Readonly<Static<typeof schema>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settings from the environment, `overrides` (from the command line) first; an empty text counts as not set.
 * Throws PosternError 'bad-setting' for an unknown POSTERN_ name and for a value outside its bounds.
 */
export function loadSettings(
  environment: Environment = process.env,
  overrides: Record<string, string | undefined> = {},
): Settings {
  const given = Object.entries({ ...environment, ...defined(overrides) });
  for (const [name] of given) {
    if (name.startsWith('POSTERN_') && !(name in schema.properties) && !name.startsWith(DEVICE_SECRET))
      throw unknownSetting(name);
  }
  const texts = new Map(given);
  const settings = Object.fromEntries(
    Object.entries<TSchema>(schema.properties).flatMap(([name, property]) => {
      const text = texts.get(name)?.trim();
      const value = text ? parseSetting(name, property, text) : (property as { default?: unknown }).default;
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return Object.freeze(settings) as Settings;
}

/** Names of variables that hold secrets of devices, for credentials to refer to; they are no settings. */
const DEVICE_SECRET = 'POSTERN_DEVICE_SECRET_';

/** Undefined for every other variable, and for an empty one. */
export const deviceSecret = (name: string, environment: Environment = process.env): string | undefined =>
  name.startsWith(DEVICE_SECRET) ? environment[name] || undefined : undefined;

function defined(values: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The parts of a schema that settings use. */
interface Property {
  type?: string;
  default?: unknown;
  description?: string;
  writeOnly?: boolean;
  minimum?: number;
  maximum?: number;
  anyOf?: { const?: unknown }[];
  enum?: unknown[];
  items?: Property;
}

function parseSetting(name: string, property: TSchema, text: string): unknown {
  const value = convert(property as Property, text);
  if (Value.Check(property, value)) return value;
  const { writeOnly, description } = property as Property;
  const shown = writeOnly ? name : `${name}=${text.slice(0, 100)}`;
  throw new PosternError(
    'bad-setting',
    `${shown} is refused: ${allowed(property as Property)} (${description})`,
  );
}

function convert(property: Property, text: string): unknown {
  switch (property.type) {
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return (
        { true: true, 1: true, yes: true, false: false, 0: false, no: false }[text.toLowerCase()] ?? text
      );
    case 'array':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .map((item) => convert(property.items ?? {}, item));
    default:
      return text;
  }
}

function allowed(property: Property): string {
  const names = property.enum ?? property.anyOf?.map((item) => item.const);
  if (names) return `it must be one of ${names.join(', ')}`;
  switch (property.type) {
    case 'integer':
    case 'number': {
      const kind = property.type === 'integer' ? 'a whole number' : 'a number';
      const from = property.minimum === undefined ? '' : ` from ${property.minimum}`;
      const to = property.maximum === undefined ? '' : ` to ${property.maximum}`;
      return `it must be ${kind}${from}${to}`;
    }
    case 'boolean':
      return 'it must be true or false';
    case 'array':
      return `it must be a list with commas; of each item, ${allowed(property.items ?? {})}`;
    default:
      return 'it must have the form described';
  }
}

function unknownSetting(name: string): PosternError {
  const nearest = Object.keys(schema.properties)
    .map((known) => ({ known, distance: editDistance(name, known) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const hint = nearest.distance <= 5 ? `; did you mean ${nearest.known}?` : '';
  return new PosternError(
    'bad-setting',
    `${name.slice(0, 100)} is not a setting${hint} (postern serve --help lists them)`,
  );
}

/** Levenshtein distance, bounded by the length of names that can be near. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 5) return Number.POSITIVE_INFINITY;
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row.push(Math.min(row[j - 1] + 1, previous[j] + 1, previous[j - 1] + cost));
    }
    previous = row;
  }
  return previous[b.length];
}

/** Every setting with its default and its sentence, for --help. */
export function settingsHelp(): string {
  const lines = Object.entries(schema.properties as Record<string, Property>).map(([name, property]) => {
    const value = property.default;
    const shown =
      value === undefined || value === '' ? '' : ` [${Array.isArray(value) ? value.join(',') : value}]`;
    return `  ${name}${shown}\n      ${property.description ?? ''}\n`;
  });
  return lines.join('');
}

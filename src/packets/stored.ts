// session <-> plain JSON, so that templates and sampling rates outlive a restart of the collector
import { domainOf, RATE_BYTES } from './domain.ts';
import { hold } from './room.ts';
import type { ExporterSession } from './session.ts';
import { createTemplate, learn } from './template.ts';

/** Templates come every half hour from some exporters; without these all their data would wait that long. */
export interface StoredSession {
  readonly domains: readonly StoredDomain[];
  /** It is no passing stranger. */
  readonly isProven?: boolean;
}

interface StoredDomain {
  readonly version: number;
  readonly id: number;
  readonly systemInitMs: number;
  readonly rate: number;
  readonly samplers: readonly (readonly [id: number, rate: number])[];
  readonly interfaces: readonly (readonly [index: number, rate: number])[];
  readonly parts?: readonly (readonly [key: number, rate: number])[];
  readonly templateRates?: readonly (readonly [id: number, rate: number])[];
  readonly templates: readonly {
    readonly id: number;
    readonly scopeFields: number;
    readonly isOptions: boolean;
    /** Three numbers a field, as in Template. */
    readonly fields: readonly number[];
  }[];
}

/** v5 has nothing to keep. */
export function storeSession(session: ExporterSession): StoredSession {
  const domains = [...session.domains.values()].filter(({ version }) => version === 9 || version === 10);
  return {
    domains: domains.map(({ version, id, systemInitMs, sampling, templates }) => ({
      version,
      id,
      systemInitMs,
      rate: sampling.rate,
      samplers: [...sampling.bySampler],
      interfaces: [...sampling.byInterface],
      ...(sampling.byPart.size > 0 && { parts: [...sampling.byPart] }),
      ...(sampling.byTemplate.size > 0 && { templateRates: [...sampling.byTemplate] }),
      templates: [...templates.values()].map((template) => ({
        id: template.id,
        scopeFields: template.scopeFields,
        isOptions: template.isOptions,
        fields: [...template.fields],
      })),
    })),
  };
}

/**
 * Puts into a new session what storeSession gave, under the session's own bounds; what does not make sense is left out, so
 * a damaged file costs templates and never an exception. Returns the number of templates kept.
 */
export function restoreSession(session: ExporterSession, stored: unknown): number {
  for (const domain of arrayOf(fieldOf(stored, 'domains'))) restoreDomain(session, domain);
  const count = session.templates.size;
  session.counters.templatesLearned = 0;
  return count;
}

function restoreDomain(session: ExporterSession, stored: unknown): void {
  const version = fieldOf(stored, 'version');
  const id = fieldOf(stored, 'id');
  if ((version !== 9 && version !== 10) || !isWithin(id, 0, 2 ** 32 - 1)) return;
  const domain = domainOf(session, version, id);
  const init = fieldOf(stored, 'systemInitMs');
  if (isWithin(init, 0, Number.MAX_SAFE_INTEGER)) domain.systemInitMs = init;
  const rate = fieldOf(stored, 'rate');
  if (isRate(rate)) {
    domain.sampling.rate = rate;
    session.hasRates = true;
  }
  const most = session.limits.samplersPerDomain;
  for (const [name, rates] of [
    ['samplers', domain.sampling.bySampler],
    ['interfaces', domain.sampling.byInterface],
    ['parts', domain.sampling.byPart],
    ['templateRates', domain.sampling.byTemplate],
  ] as const)
    restoreRates(session, rates, arrayOf(fieldOf(stored, name)).slice(0, most));
  for (const item of arrayOf(fieldOf(stored, 'templates'))) {
    const templateId = fieldOf(item, 'id');
    const scopeFields = fieldOf(item, 'scopeFields');
    const fields = arrayOf(fieldOf(item, 'fields'));
    const isSound =
      isWithin(templateId, 256, 65_535) &&
      isWithin(scopeFields, 0, fields.length / 3) &&
      fields.length % 3 === 0 &&
      fields.length / 3 <= session.limits.fieldsPerTemplate &&
      fields.every((value, i) => isWithin(value, 0, i % 3 === 2 ? 2 ** 32 - 1 : 65_535));
    if (!isSound) continue;
    const isOptions = fieldOf(item, 'isOptions') === true;
    const template = createTemplate(
      domain,
      templateId,
      Uint32Array.from(fields as number[]),
      scopeFields,
      isOptions,
    );
    if (template.minimumBytes > 0) learn(session, template, () => {});
  }
}

function restoreRates(
  session: ExporterSession,
  rates: Map<number, number>,
  stored: readonly unknown[],
): void {
  for (const pair of stored) {
    const [key, rate] = arrayOf(pair);
    if (!isWithin(key, 0, Number.MAX_SAFE_INTEGER) || !isRate(rate)) continue;
    if (!rates.has(key) && !hold(session, RATE_BYTES)) return;
    session.hasRates = true;
    rates.set(key, rate);
  }
}

const isRate = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

const isWithin = (value: unknown, least: number, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const fieldOf = (value: unknown, name: string): unknown =>
  value !== null && typeof value === 'object' && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

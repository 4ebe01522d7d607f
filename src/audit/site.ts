// site.json -> the site as plain data: what the API would hold
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { definitionOf, definitions } from '../../devices/index.ts';
import { analyticOf, withOverrides } from '../analytics/index.ts';
import { addressSet } from '../model/addresses.ts';
import { CATEGORIES, type Category } from '../model/enrichment.ts';
import { PosternError } from '../model/errors.ts';
import { serviceSet } from '../model/services.ts';

const Texts = Type.Array(Type.String({ maxLength: 200 }), { maxItems: 10_000 });

const Device = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  vendor: Type.Optional(Type.String()),
  exporters: Type.Optional(Texts),
  addresses: Type.Optional(Texts),
  ticketPattern: Type.Optional(Type.String({ maxLength: 200 })),
  timeZone: Type.Optional(Type.String()),
});

const Ticket = Type.Object({
  system: Type.String(),
  number: Type.String(),
  state: Type.String(),
  type: Type.Optional(Type.String()),
  devices: Type.Optional(Texts),
  plannedStart: Type.Optional(Type.String()),
  plannedEnd: Type.Optional(Type.String()),
  implementer: Type.Optional(Type.String()),
  summary: Type.Optional(Type.String()),
});

const ApprovedForward = Type.Object({
  sources: Type.Optional(Texts),
  destinations: Texts,
  services: Type.Optional(Texts),
  reason: Type.Optional(Type.String()),
  expires: Type.Optional(Type.String()),
});

const ApprovedUse = Type.Object({
  hosts: Type.Optional(Texts),
  users: Type.Optional(Texts),
  tools: Type.Optional(Texts),
  destinations: Type.Optional(Texts),
  services: Type.Optional(Texts),
  reason: Type.Optional(Type.String()),
  expires: Type.Optional(Type.String()),
});

const SiteFile = Type.Object({
  internal: Texts,
  timeZone: Type.Optional(Type.String()),
  devices: Type.Array(Device, { maxItems: 10_000 }),
  hosts: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ minLength: 1, maxLength: 200 }),
        platform: Type.Optional(Type.Union([Type.Literal('linux'), Type.Literal('macos')])),
        addresses: Type.Optional(Texts),
        aliases: Type.Optional(Texts),
        isDeveloper: Type.Optional(Type.Boolean()),
        timeZone: Type.Optional(Type.String()),
      }),
    ),
  ),
  asn: Type.Optional(Type.String()),
  categories: Type.Optional(Type.Record(Type.String(), Type.String())),
  tickets: Type.Optional(Type.Array(Ticket, { maxItems: 100_000 })),
  approvedForwards: Type.Optional(Type.Array(ApprovedForward, { maxItems: 10_000 })),
  approvedUses: Type.Optional(Type.Array(ApprovedUse, { maxItems: 10_000 })),
  parameters: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()))),
  flowPorts: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }))),
});

/** Names that the contract does not have, at any depth: most likely misspelt. */
export function unknownNames(value: unknown, schema: TSchema = SiteFile, path = ''): string[] {
  const shape = schema as { properties?: Record<string, TSchema>; items?: TSchema };
  if (Array.isArray(value))
    return shape.items ? value.flatMap((item, i) => unknownNames(item, shape.items, `${path}[${i}]`)) : [];
  if (typeof value !== 'object' || value === null || !shape.properties) return [];
  return Object.entries(value).flatMap(([name, part]) => {
    const where = path ? `${path}.${name}` : name;
    return Object.hasOwn(shape.properties!, name)
      ? unknownNames(part, shape.properties![name], where)
      : [where];
  });
}

export type SiteFile = Static<typeof SiteFile>;
export interface AuditSite extends SiteFile {
  /** Absolute; undefined without one. */
  readonly asnFile?: string;
  /** Names in the file that mean nothing here. */
  readonly unknownNames: readonly string[];
}

const check = Compile(SiteFile);

/** Throws PosternError 'bad-site' naming the first thing that is wrong. */
export async function readSite(file: string): Promise<AuditSite> {
  let parsed: unknown;
  try {
    parsed = JSON.parse((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new PosternError('bad-site', `cannot read the site file ${file}: ${(cause as Error).message}`, {
      subject: file,
      cause,
    });
  }
  if (!check.Check(parsed)) {
    const [first] = check.Errors(parsed);
    throw new PosternError(
      'bad-site',
      `${file}: ${first?.instancePath || '/'} ${first?.message ?? 'is not as expected'}`,
      { subject: file },
    );
  }
  verifyValues(parsed, file);
  const names = unknownNames(parsed);
  return { ...parsed, unknownNames: names, asnFile: parsed.asn && resolve(dirname(file), parsed.asn) };
}

function verifyValues(site: SiteFile, file: string): void {
  const attempt: Attempt = (where, work) => {
    try {
      work();
    } catch (cause) {
      throw new PosternError('bad-site', `${file}: ${where}: ${(cause as Error).message}`, {
        subject: file,
        cause,
      });
    }
  };
  attempt('internal', () => addressSet(...site.internal));
  verifyZone(site.timeZone, attempt);
  verifyCategories(site.categories ?? {}, attempt);
  const names = site.devices.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new PosternError('bad-site', `${file}: device ${twice} is there twice`, { subject: file });
  const hostNames = (site.hosts ?? []).map(({ name }) => name);
  const hostTwice = hostNames.find((name, index) => hostNames.indexOf(name) !== index);
  if (hostTwice !== undefined)
    throw new PosternError('bad-site', `${file}: host ${hostTwice} is there twice`, { subject: file });
  for (const device of site.devices) {
    verifyZone(device.timeZone, attempt);
    if (device.vendor && !definitionOf(device.vendor)) {
      throw new PosternError(
        'bad-site',
        `${file}: device ${device.name}: no vendor ${device.vendor}; known are ${definitions.map((one) => one.vendor).join(', ')}`,
      );
    }
    attempt(`device ${device.name}`, () =>
      addressSet(...(device.exporters ?? []), ...(device.addresses ?? [])),
    );
    attempt(`device ${device.name} ticketPattern`, () => new RegExp(device.ticketPattern ?? ''));
  }
  for (const forward of site.approvedForwards ?? []) {
    attempt('approvedForwards', () => [
      addressSet(...(forward.sources ?? []), ...forward.destinations),
      serviceSet(...(forward.services ?? [])),
      timeOf(forward.expires),
    ]);
  }
  for (const host of site.hosts ?? []) {
    verifyZone(host.timeZone, attempt);
    attempt(`host ${host.name}`, () => addressSet(...(host.addresses ?? [])));
  }
  for (const use of site.approvedUses ?? [])
    attempt('approvedUses', () => [serviceSet(...(use.services ?? [])), timeOf(use.expires)]);
  for (const ticket of site.tickets ?? [])
    attempt(`ticket ${ticket.number}`, () => [timeOf(ticket.plannedStart), timeOf(ticket.plannedEnd)]);
  for (const [id, overrides] of Object.entries(site.parameters ?? {})) {
    const analytic = analyticOf(id);
    // Parameters of analytics that this version lacks are not an error: one site file serves several versions.
    if (analytic) attempt(`parameters ${id}`, () => withOverrides(analytic, overrides));
  }
}

type Attempt = (where: string, work: () => unknown) => void;

function verifyZone(timeZone: string | undefined, attempt: Attempt): void {
  if (timeZone !== undefined) attempt('timeZone', () => new Intl.DateTimeFormat('en-GB', { timeZone }));
}

/** Words in use for the same thing. */
const OTHER_WORDS: Readonly<Record<string, Category>> = {
  hosting: 'vps',
  tor: 'tor-exit',
  anonymous: 'anonymous-hosting',
  proxy: 'anonymous-hosting',
};

/** In any case, with "_" or a space for "-". */
export function categoryOf(text: string): Category | undefined {
  const word = text.toLowerCase().replace(/[_ ]/g, '-');
  return CATEGORIES.find((category) => category === word) ?? OTHER_WORDS[word];
}

/** Subjects are an AS, a prefix or an address. */
function verifyCategories(categories: Readonly<Record<string, string>>, attempt: Attempt): void {
  for (const [subject, category] of Object.entries(categories)) {
    attempt(`categories ${subject}`, () => {
      if (!categoryOf(category))
        throw new TypeError(`category ${category} is not one of ${CATEGORIES.join(', ')}`);
      return /^AS\d{1,10}$/i.test(subject) || addressSet(subject);
    });
  }
}

/** RFC 3339 -> epoch milliseconds; throws TypeError otherwise. */
export function timeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new TypeError(`not a time: ${text}`);
  return at;
}

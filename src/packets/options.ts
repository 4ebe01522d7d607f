// options data -> sampling rates and the exporter's start, remembered in the domain
import { type Domain, domainOf, PARTS, partKey, RATE_BYTES } from './domain.ts';
import type { Packet } from './packet.ts';
import { hold, release } from './room.ts';
import type { ExporterSession } from './session.ts';
import type { Template } from './template.ts';
import { type Places, readUnsigned, walkRecords } from './walk.ts';

/** RFC 3954 section 6.1: what a scope type of NetFlow v9 is in IPFIX; 1 is the whole exporter, 4 a cache, which has no element. */
const V9_SCOPES: Readonly<Record<number, number>> = { 2: 10, 3: 141, 4: -4, 5: 145 };
const CACHE = -4;
const INGRESS_INTERFACE = 10;
const EGRESS_INTERFACE = 14;
const TEMPLATE = 145;
const OBSERVATION_DOMAIN = 149;
/** Elements that name a part of the exporter (IANA IPFIX registry). */
const PART_SCOPES: readonly (readonly [id: number, part: number])[] = [
  [141, PARTS.lineCard],
  [142, PARTS.port],
  [143, PARTS.meteringProcess],
  [138, PARTS.observationPoint],
  [CACHE, PARTS.cache],
];

/** Reads an options data set; returns records as walkRecords does. */
export function readOptions(
  session: ExporterSession,
  domain: Domain,
  template: Template,
  packet: Packet,
  start: number,
  end: number,
): number {
  return walkRecords(template, packet, start, end, (places) => {
    const record = numbersOf(template, packet, places);
    const init = record.byId.get(160);
    if (init !== undefined && init > 0) domain.systemInitMs = init;
    const rate = rateOf(record.byId, packet, template, places);
    if (rate > 0) remember(session, concerned(session, domain, record), record, rate);
  });
}

interface OptionsRecord {
  /** IANA elements of 1 to 8 bytes. */
  readonly byId: Map<number, number>;
  /** The same of those that are scope. */
  readonly scope: Map<number, number>;
}

function numbersOf(template: Template, { bytes }: Packet, places: Places): OptionsRecord {
  const { fields } = template;
  const byId = new Map<number, number>();
  const scope = new Map<number, number>();
  for (let i = 0, field = 0; i < fields.length; i += 3, field++) {
    const value = readUnsigned(bytes, places[field * 2], places[field * 2 + 1]);
    if (value === undefined || fields[i + 2] !== 0 || places[field * 2 + 1] === 0) continue;
    if (field >= template.scopeFields) byId.set(fields[i], value);
    else if (template.domain.version !== 9) {
      byId.set(fields[i], value);
      scope.set(fields[i], value);
    } else if (V9_SCOPES[fields[i]] !== undefined) scope.set(V9_SCOPES[fields[i]], value);
  }
  return { byId, scope };
}

/** RFC 7011 section 3.1: domain 0 may speak of another domain by a scope of its id. */
function concerned(session: ExporterSession, domain: Domain, { scope }: OptionsRecord): Domain {
  const other = scope.get(OBSERVATION_DOMAIN);
  if (domain.id !== 0 || other === undefined || other === 0 || other >= 2 ** 32) return domain;
  return domainOf(session, domain.version, other);
}

/** One packet in how many, by whatever elements say it; 0 where none does. */
function rateOf(byId: Map<number, number>, packet: Packet, template: Template, places: Places): number {
  const number = (id: number) => byId.get(id) ?? 0;
  // RFC 5477 section 8.2: `interval` packets are taken, then `space` are not.
  if (number(305) > 0 && byId.has(306)) return (number(305) + number(306)) / number(305);
  // RFC 5477 sections 8.2.5 and 8.2.6: `size` packets of each `population`.
  if (number(309) > 0 && number(310) > 0) return number(310) / number(309);
  // RFC 5477 sections 8.2.3 and 8.2.4: what passes in `interval` microseconds is taken, in `space` it is not.
  if (number(307) > 0 && byId.has(308)) return (number(307) + number(308)) / number(307);
  const probability = probabilityOf(template, packet, places);
  if (probability > 0) return 1 / probability;
  return number(50) || number(34);
}

/** samplingProbability (311) is a float of 4 or 8 bytes. */
function probabilityOf(template: Template, { view }: Packet, places: Places): number {
  for (let i = 0, field = 0; i < template.fields.length; i += 3, field++) {
    if (template.fields[i] !== 311 || template.fields[i + 2] !== 0) continue;
    const offset = places[field * 2];
    const length = places[field * 2 + 1];
    const value = length === 8 ? view.getFloat64(offset) : length === 4 ? view.getFloat32(offset) : 0;
    return value > 0 && value <= 1 ? value : 0;
  }
  return 0;
}

/** By sampler or selector id and by interface, else by template or part of the exporter, else for the whole domain. */
function remember(session: ExporterSession, { sampling }: Domain, record: OptionsRecord, rate: number): void {
  session.hasRates = true;
  const { byId, scope } = record;
  const sampler = byId.get(302) ?? byId.get(48);
  const port = scope.get(INGRESS_INTERFACE) ?? byId.get(INGRESS_INTERFACE) ?? byId.get(EGRESS_INTERFACE);
  const template = scope.get(TEMPLATE);
  const part = PART_SCOPES.find(([id]) => scope.has(id));
  if (sampler !== undefined) keep(session, sampling.bySampler, sampler, rate);
  if (port !== undefined) keep(session, sampling.byInterface, port, rate);
  if (sampler !== undefined || port !== undefined) return;
  if (template !== undefined) keep(session, sampling.byTemplate, template, rate);
  else if (part) keep(session, sampling.byPart, partKey(part[1], scope.get(part[0]) ?? 0), rate);
  else sampling.rate = rate;
}

function keep(session: ExporterSession, rates: Map<number, number>, key: number, rate: number): void {
  if (!rates.has(key)) {
    if (rates.size >= session.limits.samplersPerDomain) forgetFirst(session, rates);
    while (!hold(session, RATE_BYTES)) if (!forgetFirst(session, rates)) return;
  }
  rates.set(key, rate);
}

function forgetFirst(session: ExporterSession, rates: Map<number, number>): boolean {
  const first = rates.keys().next().value;
  if (first === undefined) return false;
  rates.delete(first);
  release(session, RATE_BYTES);
  return true;
}

// options data -> sampling rates and the exporter's start, remembered in the domain
import { type Domain, RATE_BYTES, type Sampling } from './domain.ts';
import type { Packet } from './packet.ts';
import { hold, release } from './room.ts';
import type { ExporterSession } from './session.ts';
import type { Template } from './template.ts';
import { type Places, readUnsigned, walkRecords } from './walk.ts';

/** RFC 3954 section 6.1: scope type 2 is an interface. */
const V9_SCOPE_INTERFACE = 2;
const INGRESS_INTERFACE = 10;
const EGRESS_INTERFACE = 14;

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
    if (rate > 0) remember(session, domain.sampling, record, rate);
  });
}

interface OptionsRecord {
  /** IANA elements of 1 to 8 bytes. */
  readonly byId: Map<number, number>;
  readonly interface: number | undefined;
}

function numbersOf(template: Template, { bytes }: Packet, places: Places): OptionsRecord {
  const { fields } = template;
  const byId = new Map<number, number>();
  let scopeInterface: number | undefined;
  for (let i = 0, field = 0; i < fields.length; i += 3, field++) {
    const value = readUnsigned(bytes, places[field * 2], places[field * 2 + 1]);
    if (value === undefined || fields[i + 2] !== 0 || places[field * 2 + 1] === 0) continue;
    const isV9Scope = template.domain.version === 9 && field < template.scopeFields;
    if (!isV9Scope) byId.set(fields[i], value);
    else if (fields[i] === V9_SCOPE_INTERFACE) scopeInterface = value;
  }
  return { byId, interface: scopeInterface ?? byId.get(INGRESS_INTERFACE) ?? byId.get(EGRESS_INTERFACE) };
}

/** One packet in how many, by whatever elements say it; 0 where none does. */
function rateOf(byId: Map<number, number>, packet: Packet, template: Template, places: Places): number {
  const number = (id: number) => byId.get(id) ?? 0;
  // RFC 5477 section 8.2: `interval` packets are taken, then `space` are not.
  if (number(305) > 0 && byId.has(306)) return (number(305) + number(306)) / number(305);
  // RFC 5477 sections 8.2.5 and 8.2.6: `size` packets of each `population`.
  if (number(309) > 0 && number(310) > 0) return number(310) / number(309);
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

/** By sampler or selector id, else by interface, else for the whole domain. */
function remember(session: ExporterSession, sampling: Sampling, record: OptionsRecord, rate: number): void {
  const sampler = record.byId.get(302) ?? record.byId.get(48);
  if (sampler !== undefined) keep(session, sampling.bySampler, sampler, rate);
  else if (record.interface !== undefined) keep(session, sampling.byInterface, record.interface, rate);
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

// one observation domain of a session: its templates, sampling rates and sequence state

import type { SamplingOrigin } from './records.ts';
import { hold, release } from './room.ts';
import { createSequence, type Sequence } from './sequence.ts';
import type { ExporterSession } from './session.ts';
import type { Template } from './template.ts';

export interface Domain {
  readonly key: number;
  readonly version: number;
  readonly id: number;
  readonly templates: Map<number, Template>;
  readonly sampling: Sampling;
  readonly sequence: Sequence;
  /** Start of the exporter in epoch milliseconds (IE 160), 0 unknown. */
  systemInitMs: number;
}

/** One packet in `rate`; 0 is unknown. */
export interface Sampling {
  rate: number;
  readonly bySampler: Map<number, number>;
  readonly byInterface: Map<number, number>;
}

const DOMAIN_BYTES = 1024;
export const RATE_BYTES = 64;

const domainKey = (version: number, id: number) => version * 2 ** 32 + id;

/** The domain, made where it is new; the oldest goes where there are too many. */
export function domainOf(session: ExporterSession, version: number, id: number): Domain {
  const last = session.lastDomain;
  if (last !== undefined && last.id === id && last.version === version) return last;
  const key = domainKey(version, id);
  let domain = session.domains.get(key);
  if (!domain) {
    while (session.domains.size >= session.limits.domains) forgetOldest(session);
    // Every session has one.
    while (session.domains.size > 0 && !hold(session, DOMAIN_BYTES)) forgetOldest(session);
    domain = {
      key,
      version,
      id,
      templates: new Map(),
      sampling: { rate: 0, bySampler: new Map(), byInterface: new Map() },
      sequence: createSequence(),
      systemInitMs: 0,
    };
    session.domains.set(key, domain);
    if (id === 0) session.wholeExporter[version] = domain;
  }
  session.lastDomain = domain;
  return domain;
}

function forgetOldest(session: ExporterSession): void {
  const oldest = session.domains.values().next().value;
  if (!oldest) return;
  session.domains.delete(oldest.key);
  if (session.domains.size > 0) release(session, DOMAIN_BYTES);
  release(session, (oldest.sampling.bySampler.size + oldest.sampling.byInterface.size) * RATE_BYTES);
  if (session.lastDomain === oldest) session.lastDomain = undefined;
  if (oldest.id === 0) session.wholeExporter[oldest.version] = undefined;
  for (const template of oldest.templates.values()) {
    session.templates.delete(template);
    session.templateBytes -= template.byteCount;
    release(session, template.byteCount);
    session.counters.templatesEvicted++;
  }
}

const wholeExporter = (session: ExporterSession, domain: Domain): Domain | undefined =>
  domain.id === 0 ? undefined : session.wholeExporter[domain.version];

/** Rate of records that name no sampler and no interface with a rate of its own; 0 unknown. */
export function defaultRate(session: ExporterSession, domain: Domain): number {
  const own = plainRate(domain.sampling);
  if (own > 0) return own;
  const whole = wholeExporter(session, domain);
  return whole ? plainRate(whole.sampling) : 0;
}

function plainRate(sampling: Sampling): number {
  if (sampling.rate > 0) return sampling.rate;
  // Exporters with one sampler often leave its id out of their flow records.
  if (sampling.bySampler.size !== 1) return 0;
  return sampling.bySampler.values().next().value ?? 0;
}

/** Where defaultRate found it. */
export function defaultOrigin(session: ExporterSession, domain: Domain): SamplingOrigin {
  const { sampling } = plainRate(domain.sampling) > 0 ? domain : (wholeExporter(session, domain) ?? domain);
  if (sampling.rate > 0) return 'exporter';
  return plainRate(sampling) > 0 ? 'sampler' : 'none';
}

/** Rate of a sampler or selector id; 0 unknown. */
export function samplerRate(session: ExporterSession, domain: Domain, id: number): number {
  return domain.sampling.bySampler.get(id) ?? wholeExporter(session, domain)?.sampling.bySampler.get(id) ?? 0;
}

/** Interface rates that apply to the domain, or undefined where there are none. */
export function interfaceRates(session: ExporterSession, domain: Domain): Map<number, number> | undefined {
  if (domain.sampling.byInterface.size > 0) return domain.sampling.byInterface;
  const whole = wholeExporter(session, domain)?.sampling.byInterface;
  return whole && whole.size > 0 ? whole : undefined;
}

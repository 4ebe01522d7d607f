// one observation domain of a session: its templates, sampling rates and sequence state

import type { SamplingOrigin } from './records.ts';
import { hold, release } from './room.ts';
import { createSequence, type Sequence } from './sequence.ts';
import type { ExporterSession } from './session.ts';
import type { Template } from './template.ts';

/** Names of Domain.version. */
export const VERSIONS: Readonly<Record<number, string>> = {
  1: 'v1',
  5: 'v5',
  7: 'v7',
  9: 'v9',
  10: 'ipfix',
  11: 'sflow',
};

export interface Domain {
  readonly key: number;
  /** Of the export protocol. */
  readonly version: number;
  readonly id: number;
  readonly templates: Map<number, Template>;
  /** Of those, the one last used. */
  lastTemplate: Template | undefined;
  /** Of `templates`. */
  optionsTemplates: number;
  readonly sampling: Sampling;
  readonly sequence: Sequence;
  /** Start of the exporter in epoch milliseconds (IE 160), 0 unknown. */
  systemInitMs: number;
  /** Of sFlow: samples dropped since the agent started, by data source. */
  readonly drops: Map<number, number>;
}

/** One packet in `rate`; 0 is unknown. */
export interface Sampling {
  rate: number;
  readonly bySampler: Map<number, number>;
  readonly byInterface: Map<number, number>;
  /** Of line cards, caches and the like, by partKey: they speak for the whole domain only where they agree. */
  readonly byPart: Map<number, number>;
  readonly byTemplate: Map<number, number>;
}

/** Scopes that are a part of an exporter. Only line cards can be told from a flow record (IE 141). */
export const PARTS = { lineCard: 1, cache: 2, port: 3, meteringProcess: 4, observationPoint: 5 } as const;

export const partKey = (part: number, id: number): number => part * 2 ** 40 + (id % 2 ** 40);

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
      lastTemplate: undefined,
      optionsTemplates: 0,
      sampling: {
        rate: 0,
        bySampler: new Map(),
        byInterface: new Map(),
        byPart: new Map(),
        byTemplate: new Map(),
      },
      sequence: createSequence(),
      systemInitMs: 0,
      drops: new Map(),
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
  const { bySampler, byInterface, byPart, byTemplate } = oldest.sampling;
  const rates = bySampler.size + byInterface.size + byPart.size + byTemplate.size;
  release(session, (rates + oldest.drops.size) * RATE_BYTES);
  if (session.lastDomain === oldest) session.lastDomain = undefined;
  if (oldest.id === 0) session.wholeExporter[oldest.version] = undefined;
  for (const template of oldest.templates.values()) {
    session.templates.delete(template);
    session.templateBytes -= template.byteCount;
    release(session, template.byteCount + template.readerBytes);
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
  if (sampling.bySampler.size === 1) return sampling.bySampler.values().next().value ?? 0;
  return sampling.bySampler.size === 0 ? agreedRate(sampling.byPart) : 0;
}

/** What all parts state alike; 0 where they differ, as a record does not tell which part metered it. */
function agreedRate(byPart: Map<number, number>): number {
  let agreed = 0;
  for (const rate of byPart.values()) {
    if (agreed > 0 && rate !== agreed) return 0;
    agreed = rate;
  }
  return agreed;
}

/** Where defaultRate found it. */
export function defaultOrigin(session: ExporterSession, domain: Domain): SamplingOrigin {
  const { sampling } = plainRate(domain.sampling) > 0 ? domain : (wholeExporter(session, domain) ?? domain);
  if (plainRate(sampling) === 0) return 'none';
  return sampling.rate > 0 || sampling.bySampler.size === 0 ? 'exporter' : 'sampler';
}

/** Rate of a sampler or selector id; 0 unknown. */
export function samplerRate(session: ExporterSession, domain: Domain, id: number): number {
  return domain.sampling.bySampler.get(id) ?? wholeExporter(session, domain)?.sampling.bySampler.get(id) ?? 0;
}

/** Rate of a line card (IE 141) that options speak of; 0 unknown. */
export function lineCardRate(session: ExporterSession, domain: Domain, id: number): number {
  const key = partKey(PARTS.lineCard, id);
  return domain.sampling.byPart.get(key) ?? wholeExporter(session, domain)?.sampling.byPart.get(key) ?? 0;
}

/** Start of the exporter in epoch milliseconds (IE 160), of the domain or of the whole exporter; 0 unknown. */
export function systemInitOf(session: ExporterSession, domain: Domain): number {
  return domain.systemInitMs || (wholeExporter(session, domain)?.systemInitMs ?? 0);
}

/** Interface rates that apply to the domain, or undefined where there are none. */
export function interfaceRates(session: ExporterSession, domain: Domain): Map<number, number> | undefined {
  if (domain.sampling.byInterface.size > 0) return domain.sampling.byInterface;
  const whole = wholeExporter(session, domain)?.sampling.byInterface;
  return whole && whole.size > 0 ? whole : undefined;
}

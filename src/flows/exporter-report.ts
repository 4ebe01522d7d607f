// exporters that were heard -> what each did since it was last reported, some at a time
import { VERSIONS } from '../packets/domain.ts';
import { createSession, malformedTotal, type SessionCounters } from '../packets/session.ts';
import { enterpriseOf, settleRate, settleZone } from './exporter-signs.ts';
import type { Exporter, ExporterReport } from './exporters.ts';
import { createFoldCounters, type FoldCounters } from './fold.ts';
import type { Session } from './places.ts';

/** Totals by place in COUNTS. */
export type Totals = Float64Array;

type SessionCount = Exclude<keyof SessionCounters, 'malformed' | 'buffered' | 'clockOffsetMs'>;

/** Only what adds up over time and sessions: gauges and times are left out. */
const NO_SUMS = new Set(['malformed', 'buffered', 'clockOffsetMs']);
const SESSION_COUNTS = Object.keys(createSession('').counters).filter(
  (name) => !NO_SUMS.has(name),
) as SessionCount[];
const FOLD_COUNTS = Object.keys(createFoldCounters()) as (keyof FoldCounters)[];
const MALFORMED = SESSION_COUNTS.length;
const FIRST_FOLD = MALFORMED + 1;
const COUNTS: readonly string[] = [...SESSION_COUNTS, 'malformed', ...FOLD_COUNTS];

const DATAGRAMS = COUNTS.indexOf('datagrams');
const RECORDS = COUNTS.indexOf('records');

/** Adds what a session counted. */
export function addSession(totals: Totals, { decoder: { counters } }: Session): void {
  for (let i = 0; i < MALFORMED; i++) totals[i] += counters[SESSION_COUNTS[i]];
  totals[MALFORMED] += malformedTotal(counters);
}

export const createTotals = (): Totals => new Float64Array(COUNTS.length);

function totalsOf(exporter: Exporter): Totals {
  const totals = exporter.gone?.slice() ?? createTotals();
  for (const session of exporter.sessions.values()) addSession(totals, session);
  for (let i = 0; i < FOLD_COUNTS.length; i++) totals[FIRST_FOLD + i] += exporter.fold[FOLD_COUNTS[i]];
  return totals;
}

/** Adds what an exporter that is about to go did since its last report. */
export function addUnreported(totals: Totals, exporter: Exporter): void {
  const own = totalsOf(exporter);
  for (let i = 0; i < own.length; i++) totals[i] += own[i] - (exporter.reported?.[i] ?? 0);
}

/** Without zeros, and 0 in `totals` afterwards. */
export function takeTotals(totals: Totals): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < totals.length; i++) if (totals[i] !== 0) counts[COUNTS[i]] = totals[i];
  totals.fill(0);
  return counts;
}

/** Undefined where it did nothing. The first one names every counter, later ones those that changed. */
export function reportExporter(exporter: Exporter): ExporterReport | undefined {
  const { reported } = exporter;
  const totals = totalsOf(exporter);
  const counters: Record<string, number> = {};
  let isAny = false;
  for (let i = 0; i < totals.length; i++) {
    const count = totals[i] - (reported?.[i] ?? 0);
    if (count !== 0) isAny = true;
    if (count !== 0 || !reported) counters[COUNTS[i]] = count;
  }
  if (!isAny) return undefined;
  exporter.reported = totals;
  settleZone(exporter.signs);
  const lastSeenMs = lastSeenOf(exporter);
  settleRate(exporter.signs, lastSeenMs, totals[DATAGRAMS], totals[RECORDS]);
  return { address: exporter.address, lastSeenMs, counters, ...describe(exporter) };
}

function lastSeenOf({ sessions, goneMs }: Exporter): number {
  let lastMs = goneMs;
  for (const session of sessions.values()) lastMs = Math.max(lastMs, session.lastSeenMs);
  return lastMs;
}

function describe(exporter: Exporter): Pick<ExporterReport, 'versions' | 'isProven' | 'gauges'> {
  const versions = new Set<string>();
  let latest: Session | undefined;
  let templates = 0;
  for (const session of exporter.sessions.values()) {
    if (!latest || session.lastSeenMs > latest.lastSeenMs) latest = session;
    templates += session.decoder.templates.size;
    for (const { version } of session.decoder.domains.values()) versions.add(VERSIONS[version]);
  }
  return {
    versions: [...versions],
    isProven: exporter.isProven,
    gauges: {
      clockOffsetMs: latest?.decoder.counters.clockOffsetMs ?? 0,
      templates,
      sessions: exporter.sessions.size,
      samplingRate: exporter.samplingRate,
      samplingOrigin: exporter.samplingOrigin,
      datagramsPerSecond: exporter.signs.datagramsPerSecond,
      recordsPerSecond: exporter.signs.recordsPerSecond,
      enterprise: enterpriseOf([...exporter.sessions.values()].map(({ decoder }) => decoder)),
      recordLagMs: exporter.signs.recordLagMs,
      recordZoneMs: exporter.signs.zoneMs,
    },
  };
}

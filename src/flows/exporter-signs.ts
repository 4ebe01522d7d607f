// reports and datagrams of an exporter -> what they tell of it: its rate, its maker, and whether its flows tell another time than its headers
import { V9_BASES } from '../packets/elements/enterprise.ts';
import { HAS, type RecordColumns } from '../packets/records.ts';
import type { ExporterSession } from '../packets/session.ts';
import { REVERSE_ENTERPRISE } from '../packets/targets.ts';

export interface Signs {
  /** Of the report from which the rate counts. */
  fromMs: number;
  fromDatagrams: number;
  fromRecords: number;
  datagramsPerSecond: number;
  recordsPerSecond: number;
  /** Of the flow that ended the shortest time before its receipt since the last report; below 0: behind it. A small integer, as V8 has those in place. */
  leastLagMs: number;
  /** The same, at the last report. */
  recordLagMs: number;
  /** By how much its flow times are moved; what the last reports would make of it, and how many did. */
  zoneMs: number;
  nextZoneMs: number;
  zoneReports: number;
}

/** More than anything that is looked at. */
const NO_LAG = 2 ** 31 - 1;

export const createSigns = (): Signs => ({
  fromMs: 0,
  fromDatagrams: 0,
  fromRecords: 0,
  datagramsPerSecond: 0,
  recordsPerSecond: 0,
  leastLagMs: NO_LAG,
  recordLagMs: 0,
  zoneMs: 0,
  nextZoneMs: 0,
  zoneReports: 0,
});

const RATE_MS = 60_000;
const QUARTER_MS = 15 * 60_000;
/** Flows may end this long before they are exported; idle ones even longer, but not all of them for ten seconds. */
const LEAST_ZONE_MS = 3 * QUARTER_MS;
/** How far flows of a busy exporter end from their export, at the nearest: before it, and behind it by a clock that is not exact. */
const BEFORE_MS = 3 * 60_000;
const BEHIND_MS = 60_000;
/** Replayed flows pass through the same quarter hours, but do not stay. */
const ZONE_REPORTS = 6;

/** Looks at the last record, which ended the latest as a rule; one a datagram is enough of them. */
export function noteLag(signs: Signs, columns: RecordColumns, receivedAtMs: number): void {
  const last = columns.count - 1;
  if (last < 0 || (columns.present[last] & HAS.times) === 0) return;
  const lagMs = receivedAtMs - columns.endMs[last];
  if (Math.abs(lagMs) < Math.abs(signs.leastLagMs)) signs.leastLagMs = Math.trunc(lagMs);
}

/**
 * At a report: where the flows of some reports on end were all off by the same number of quarter hours while the headers are
 * right, the exporter writes local time into them, and they are moved by that from now on.
 */
export function settleZone(signs: Signs): void {
  if (signs.leastLagMs === NO_LAG) return;
  signs.recordLagMs = signs.leastLagMs;
  const zoneMs = zoneOf(signs.leastLagMs);
  signs.zoneReports = zoneMs === signs.nextZoneMs ? signs.zoneReports + 1 : 1;
  if (signs.zoneReports >= ZONE_REPORTS) signs.zoneMs = zoneMs;
  signs.nextZoneMs = zoneMs;
  signs.leastLagMs = NO_LAG;
}

function zoneOf(lagMs: number): number {
  if (!(Math.abs(lagMs) > LEAST_ZONE_MS && Math.abs(lagMs) < 96 * QUARTER_MS)) return 0;
  const zoneMs = Math.round((lagMs - BEHIND_MS) / QUARTER_MS) * QUARTER_MS;
  const restMs = lagMs - zoneMs;
  return restMs >= -BEHIND_MS && restMs <= BEFORE_MS ? zoneMs : 0;
}

/** At a report: a second of datagrams and records, over the last minute or what is longer. */
export function settleRate(signs: Signs, nowMs: number, datagrams: number, records: number): void {
  const passedMs = nowMs - signs.fromMs;
  if (signs.fromMs > 0 && passedMs < RATE_MS && passedMs >= 0) return;
  if (signs.fromMs > 0 && passedMs > 0) {
    signs.datagramsPerSecond = perSecond(datagrams - signs.fromDatagrams, passedMs);
    signs.recordsPerSecond = perSecond(records - signs.fromRecords, passedMs);
  }
  signs.fromMs = nowMs;
  signs.fromDatagrams = datagrams;
  signs.fromRecords = records;
}

const perSecond = (count: number, passedMs: number) => Math.round((count * 1e6) / passedMs) / 1000;

const TEMPLATES_LOOKED_AT = 32;

/** The enterprise (IANA number) whose elements most of its templates have; 0 where they have none. */
export function enterpriseOf(sessions: Iterable<ExporterSession>): number {
  const counts = new Map<number, number>();
  for (const { templates } of sessions) {
    let looked = 0;
    for (const { fields, domain } of templates) {
      if (looked++ >= TEMPLATES_LOOKED_AT) break;
      const own = new Set<number>();
      for (let i = 0; i < fields.length; i += 3) {
        const enterprise = domain.version === 9 ? v9Enterprise(fields[i]) : fields[i + 2];
        if (enterprise !== 0 && enterprise !== REVERSE_ENTERPRISE) own.add(enterprise);
      }
      for (const enterprise of own) counts.set(enterprise, (counts.get(enterprise) ?? 0) + 1);
    }
  }
  let most = 0;
  for (const [enterprise, count] of counts) if (count > (counts.get(most) ?? 0)) most = enterprise;
  return most;
}

/** Palo Alto Networks, "NetFlow Templates": App-ID and User-ID, in the middle of Cisco's range. */
const PAN_OS = new Set([56_701, 56_702]);
const PALO_ALTO_ENTERPRISE = 25_461;

function v9Enterprise(id: number): number {
  if (PAN_OS.has(id)) return PALO_ALTO_ENTERPRISE;
  return V9_BASES.find(({ base, last }) => id >= base && id <= last)?.enterprise ?? 0;
}

// the last half hour of stored conversations -> the paths that show the same packets, and which of them is elected, stored
import type { ClickHouseClient } from '@clickhouse/client';
import {
  duplicatesBetween,
  firstShown,
  putDuplicates,
  sampleOfPaths,
} from '../store/clickhouse/duplicate-paths.ts';
import { comparePaths } from './duplicates.ts';
import { beginning, type DuplicatePath, elect, nameOf, type PathName } from './duplicates-elect.ts';

const SLOT_MS = 300_000;
/** Flows come within the active timeout of exporters, which is a minute or a few where they are set up as advised. */
const LATE_MS = 180_000;
export const WINDOW_MS = 6 * SLOT_MS;
/** How long ago pairs are looked up that were one and ceased to be. */
const REMEMBERED_MS = 14 * 86_400_000;

/** Looks at the 30 minutes that ended a few minutes before `nowMs`. Resolves to what is in force then. Rejects with what the client says. */
export async function findDuplicates(client: ClickHouseClient, nowMs: number): Promise<DuplicatePath[]> {
  const untilMs = Math.floor((nowMs - LATE_MS) / SLOT_MS) * SLOT_MS;
  const fromMs = untilMs - WINDOW_MS;
  const sample = await sampleOfPaths(client, fromMs, untilMs);
  const known = await duplicatesBetween(client, untilMs - REMEMBERED_MS, untilMs);
  const stored = known.filter((one) => one.untilMs === undefined);
  if (sample.names.length < 2 && stored.length === 0) return [];
  const compared = { ...comparePaths(sample.rows), names: sample.names, fromMs, untilMs };
  const firstMs = await firstShown(client, beginning(compared, stored), untilMs);
  const ended = endsOf(known);
  const rows = elect(
    compared,
    stored,
    (path) => firstMs(path) ?? 0,
    (a, b) => ended.get(pairOf(a, b)),
  );
  await putDuplicates(client, rows, nowMs);
  return rows.filter((one) => one.untilMs === undefined);
}

const pairOf = (a: PathName, b: PathName) => [nameOf(a), nameOf(b)].sort().join('|');

function endsOf(known: readonly DuplicatePath[]): Map<string, number> {
  const ends = new Map<string, number>();
  for (const one of known) {
    if (one.untilMs === undefined) continue;
    const pair = pairOf(one, one.elected);
    ends.set(pair, Math.max(one.untilMs, ends.get(pair) ?? 0));
  }
  return ends;
}

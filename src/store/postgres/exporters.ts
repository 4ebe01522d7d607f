// exporters in PostgreSQL: which addresses send flows, what they counted, whose they are
import type { Kysely, Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database, ExporterTable } from './schema.ts';

export type Exporter = Selectable<ExporterTable>;

/** What one exporter did since its last record was written. */
export interface ExporterActivity {
  readonly address: string;
  readonly versions: readonly string[];
  /** False: it came a moment ago and may be forged. */
  readonly isProven?: boolean;
  /** 0 where nothing was received. */
  readonly lastSeenMs: number;
  /** Added to what is stored. */
  readonly counters: Readonly<Record<string, number>>;
  /** Written as they stand, as they are no sums. */
  readonly gauges: Readonly<Record<string, number>>;
}

const CHUNK = 500;
/** Exporters that no device has. Anybody can forge addresses, so those that came a moment ago are fewer. */
const MOST_UNKNOWN = 100_000;
const MOST_STRANGERS = 10_000;
/** What was never heard for longer than this, and not within a day, gives its row to others when there is no room. */
const PASSING_MS = 600_000;
const DAY_MS = 86_400_000;

/** Resolves to the number of exporters that found no room: new ones, of no device, while there are as many as may be. */
export async function recordExporters(
  postgres: Kysely<Database>,
  activities: readonly ExporterActivity[],
  most: { readonly unknown: number; readonly strangers: number } = {
    unknown: MOST_UNKNOWN,
    strangers: MOST_STRANGERS,
  },
): Promise<number> {
  let left = 0;
  for (let from = 0; from < activities.length; from += CHUNK) {
    const chunk = activities.slice(from, from + CHUNK);
    const kept = await withRoom(postgres, chunk, most);
    left += chunk.length - kept.length;
    if (kept.length > 0)
      await postgres.transaction().execute((transaction) => recordChunk(transaction, kept));
  }
  return left;
}

/** Those that are there already or belong to a device, and as many others as there is room for. */
async function withRoom(
  postgres: Kysely<Database>,
  activities: readonly ExporterActivity[],
  most: { readonly unknown: number; readonly strangers: number },
): Promise<readonly ExporterActivity[]> {
  const expected = await expectedOf(
    postgres,
    activities.map(({ address }) => address),
  );
  const isNew = ({ address }: ExporterActivity) => !expected.has(address);
  const count = activities.filter(isNew).length;
  if (count === 0) return activities;
  let unknown = await countUnknown(postgres);
  if (unknown + count > most.strangers) {
    await forgetPassing(postgres, Math.max(...activities.map(({ lastSeenMs }) => lastSeenMs)));
    unknown = await countUnknown(postgres);
  }
  return activities.filter((activity) => {
    if (!isNew(activity)) return true;
    if (unknown >= (activity.isProven === false ? most.strangers : most.unknown)) return false;
    unknown++;
    return true;
  });
}

async function expectedOf(
  postgres: Kysely<Database>,
  addresses: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{
    address: string;
  }>`SELECT address FROM unnest(${[...addresses]}::text[]) AS address
    WHERE EXISTS (SELECT FROM exporters e WHERE e.address = address.address)
    OR EXISTS (SELECT FROM devices d WHERE d.address = address.address
      OR address.address = ANY(d.addresses) OR address.address = ANY(d.exporters))`.execute(postgres);
  return new Set(rows.map(({ address }) => address));
}

async function countUnknown(postgres: Kysely<Database>): Promise<number> {
  const { count } = await postgres
    .selectFrom('exporters')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('device_id', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function forgetPassing(postgres: Kysely<Database>, nowMs: number): Promise<void> {
  await sql`DELETE FROM exporters WHERE device_id IS NULL AND last_seen_at < ${new Date(nowMs - DAY_MS)}
    AND last_seen_at - first_seen_at < ${PASSING_MS} * interval '1 millisecond'`.execute(postgres);
}

async function recordChunk(
  transaction: Transaction<Database>,
  activities: readonly ExporterActivity[],
): Promise<void> {
  const known = await transaction
    .selectFrom('exporters')
    .selectAll()
    .where(
      'address',
      'in',
      activities.map(({ address }) => address),
    )
    .orderBy('address')
    .forUpdate()
    .execute();
  const stored = new Map(known.map((row) => [row.address, row]));
  await transaction
    .insertInto('exporters')
    .values(
      activities.map((activity) => {
        const before = stored.get(activity.address);
        return {
          address: activity.address,
          device_id: sql<string | null>`(SELECT id FROM devices WHERE address = ${activity.address}
            OR ${activity.address} = ANY(addresses) OR ${activity.address} = ANY(exporters) ORDER BY name LIMIT 1)`,
          first_seen_at: before?.first_seen_at ?? new Date(activity.lastSeenMs),
          last_seen_at: new Date(activity.lastSeenMs),
          counters: JSON.stringify({ ...sum(before?.counters ?? {}, activity.counters), ...activity.gauges }),
          versions: [...new Set([...(before?.versions ?? []), ...activity.versions])].sort(),
        };
      }),
    )
    .onConflict((conflict) =>
      conflict.column('address').doUpdateSet((eb) => ({
        device_id: eb.ref('excluded.device_id'),
        last_seen_at: eb.fn<Date>('greatest', ['exporters.last_seen_at', 'excluded.last_seen_at']),
        counters: eb.ref('excluded.counters'),
        versions: eb.ref('excluded.versions'),
      })),
    )
    .execute();
}

function sum(
  stored: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>,
): Record<string, number> {
  const totals: Record<string, number> = { ...stored };
  for (const [name, count] of Object.entries(more)) totals[name] = (totals[name] ?? 0) + count;
  return totals;
}

/** In order of address, after `after`. */
export async function listExporters(
  postgres: Kysely<Database>,
  page: { readonly after?: string; readonly limit: number },
): Promise<Exporter[]> {
  return postgres
    .selectFrom('exporters')
    .selectAll()
    .$if(page.after !== undefined, (query) => query.where('address', '>', page.after!))
    .orderBy('address')
    .limit(page.limit)
    .execute();
}

/** Those of devices first, then those heard last: a flood of strangers hides none that is known. */
export async function foremostExporters(postgres: Kysely<Database>, limit: number): Promise<Exporter[]> {
  return postgres
    .selectFrom('exporters')
    .selectAll()
    .orderBy(sql`device_id IS NULL`)
    .orderBy('last_seen_at', 'desc')
    .orderBy('address')
    .limit(limit)
    .execute();
}

export async function exporterByAddress(
  postgres: Kysely<Database>,
  address: string,
): Promise<Exporter | undefined> {
  return postgres.selectFrom('exporters').selectAll().where('address', '=', address).executeTakeFirst();
}

/** When each of these addresses was last heard of; those that never were are left out. */
export async function lastSeenOf(
  postgres: Kysely<Database>,
  addresses: readonly string[],
): Promise<Map<string, Date>> {
  const rows = await postgres
    .selectFrom('exporters')
    .select(['address', 'last_seen_at'])
    .where((eb) => eb('address', '=', eb.fn.any(eb.val([...addresses]))))
    .execute();
  return new Map(rows.map((row) => [row.address, row.last_seen_at]));
}

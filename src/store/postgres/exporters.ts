// exporters in PostgreSQL: which addresses send flows, what they counted, whose they are
import type { Kysely, Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database, ExporterTable } from './schema.ts';

export type Exporter = Selectable<ExporterTable>;

/** What one exporter did since its last record was written. */
export interface ExporterActivity {
  readonly address: string;
  readonly versions: readonly string[];
  /** 0 where nothing was received. */
  readonly lastSeenMs: number;
  /** Added to what is stored. */
  readonly counters: Readonly<Record<string, number>>;
  /** Written as they stand, as they are no sums. */
  readonly gauges: Readonly<Record<string, number>>;
}

const CHUNK = 500;

export async function recordExporters(
  postgres: Kysely<Database>,
  activities: readonly ExporterActivity[],
): Promise<void> {
  for (let from = 0; from < activities.length; from += CHUNK) {
    const chunk = activities.slice(from, from + CHUNK);
    await postgres.transaction().execute((transaction) => recordChunk(transaction, chunk));
  }
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

// endpoints and the deliveries to them in PostgreSQL
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import { sql } from 'kysely';
import { olderThan, type TimePage } from './page.ts';
import type { Database, DeliveryTable, EndpointTable } from './schema.ts';

export type Endpoint = Selectable<EndpointTable>;
/** Without the body: that is the alert, which is served as such. */
export type DeliveryRow = Omit<Selectable<DeliveryTable>, 'body'>;

/** False where another endpoint has the name. */
export async function insertEndpoint(
  postgres: Kysely<Database>,
  endpoint: Insertable<EndpointTable>,
): Promise<boolean> {
  const row = await postgres
    .insertInto('endpoints')
    .values(endpoint)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export async function endpointById(postgres: Kysely<Database>, id: string): Promise<Endpoint | undefined> {
  return postgres.selectFrom('endpoints').selectAll().where('id', '=', id).executeTakeFirst();
}

/** In order of name, after `after`. */
export async function listEndpoints(
  postgres: Kysely<Database>,
  page: { readonly after?: string; readonly limit: number },
): Promise<Endpoint[]> {
  return postgres
    .selectFrom('endpoints')
    .selectAll()
    .$if(page.after !== undefined, (query) => query.where('name', '>', page.after!))
    .orderBy('name')
    .limit(page.limit)
    .execute();
}

/** Throws the driver's 23505 where another endpoint has the name. */
export async function updateEndpoint(
  postgres: Kysely<Database>,
  id: string,
  values: Updateable<EndpointTable>,
): Promise<Endpoint | undefined> {
  return postgres.updateTable('endpoints').set(values).where('id', '=', id).returningAll().executeTakeFirst();
}

/** With its deliveries. */
export async function deleteEndpoint(postgres: Kysely<Database>, id: string): Promise<boolean> {
  const { numDeletedRows } = await postgres.deleteFrom('endpoints').where('id', '=', id).executeTakeFirst();
  return numDeletedRows > 0n;
}

const DELIVERY = [
  'id',
  'endpoint_id',
  'alert_id',
  'alert_revision',
  'state',
  'attempt_count',
  'last_status',
  'last_error',
  'next_at',
  'created_at',
  'updated_at',
] as const;

export interface DeliveryFilter extends TimePage {
  readonly state?: DeliveryRow['state'];
  readonly endpoint?: string;
  readonly alert?: string;
}

/** The newest first. */
export async function listDeliveries(
  postgres: Kysely<Database>,
  filter: DeliveryFilter,
): Promise<DeliveryRow[]> {
  return postgres
    .selectFrom('deliveries')
    .select(DELIVERY)
    .$if(filter.state !== undefined, (query) => query.where('state', '=', filter.state!))
    .$if(filter.endpoint !== undefined, (query) => query.where('endpoint_id', '=', filter.endpoint!))
    .$if(filter.alert !== undefined, (query) => query.where('alert_id', '=', filter.alert!))
    .$if(filter.before !== undefined, (query) => query.where(olderThan('created_at', 'id', filter.before!)))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit)
    .execute();
}

export async function deliveryById(postgres: Kysely<Database>, id: string): Promise<DeliveryRow | undefined> {
  return postgres.selectFrom('deliveries').select(DELIVERY).where('id', '=', id).executeTakeFirst();
}

/** Makes a delivery that is done or parked pending again, from its first attempt; undefined where it is pending already. */
export async function replayDelivery(
  postgres: Kysely<Database>,
  id: string,
  at: Date,
): Promise<DeliveryRow | undefined> {
  return postgres
    .updateTable('deliveries')
    .set({ state: 'pending', attempt_count: 0, next_at: at, updated_at: at })
    .where('id', '=', id)
    .where('state', '!=', 'pending')
    .returning(DELIVERY)
    .executeTakeFirst();
}

export async function countDeliveries(
  postgres: Kysely<Database>,
): Promise<{ state: string; count: number }[]> {
  return postgres
    .selectFrom('deliveries')
    .select(['state', sql<number>`count(*)::int`.as('count')])
    .groupBy('state')
    .execute();
}

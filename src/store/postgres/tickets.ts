// tickets and approved forwards in PostgreSQL
import type { Insertable, Kysely, Selectable } from 'kysely';
import { sql } from 'kysely';
import type { ApprovedForward, Ticket } from '../../model/ticket.ts';
import { olderThan, type TimePage } from './page.ts';
import type { ApprovedForwardTable, Database, TicketTable } from './schema.ts';

export type StoredTicket = Selectable<TicketTable>;
export type StoredForward = Selectable<ApprovedForwardTable>;

/** Tickets that may concern a change at this time: those without a window, and those whose window is within 90 days of it. */
export async function ticketsAround(postgres: Kysely<Database>, atMs: number): Promise<Ticket[]> {
  const margin = 90 * 86_400_000;
  const rows = await postgres
    .selectFrom('tickets')
    .selectAll()
    .where((eb) => eb.or([eb('planned_end', 'is', null), eb('planned_end', '>', new Date(atMs - margin))]))
    .where((eb) =>
      eb.or([eb('planned_start', 'is', null), eb('planned_start', '<', new Date(atMs + margin))]),
    )
    .orderBy('updated_at', 'desc')
    .limit(10_000)
    .execute();
  return rows.map((row) => ({
    system: row.system,
    number: row.number,
    state: row.state,
    type: row.type,
    devices: row.devices,
    plannedStartMs: row.planned_start?.getTime(),
    plannedEndMs: row.planned_end?.getTime(),
    implementer: row.implementer ?? undefined,
    summary: row.summary ?? undefined,
  }));
}

export async function approvedForwards(postgres: Kysely<Database>): Promise<ApprovedForward[]> {
  const rows = await postgres.selectFrom('approved_forwards').selectAll().orderBy('created_at').execute();
  return rows.map((row) => ({
    id: row.id,
    sources: row.sources,
    destinations: row.destinations,
    services: row.services,
    reason: row.reason,
    expiresMs: row.expires_at?.getTime(),
  }));
}

/** Writes the ticket as given; true where it was not there before. */
export async function putTicket(
  postgres: Kysely<Database>,
  ticket: Insertable<TicketTable>,
): Promise<{ stored: StoredTicket; isNew: boolean }> {
  const { system: _, number: __, ...values } = ticket;
  const { is_new, ...stored } = await postgres
    .insertInto('tickets')
    .values(ticket)
    .onConflict((conflict) => conflict.columns(['system', 'number']).doUpdateSet(values))
    .returningAll()
    // PostgreSQL leaves the deleting transaction of a row that was inserted just now at 0.
    .returning(sql<boolean>`xmax = 0`.as('is_new'))
    .executeTakeFirstOrThrow();
  return { stored, isNew: is_new };
}

export async function ticketByNumber(
  postgres: Kysely<Database>,
  system: string,
  number: string,
): Promise<StoredTicket | undefined> {
  return postgres
    .selectFrom('tickets')
    .selectAll()
    .where('system', '=', system)
    .where('number', '=', number)
    .executeTakeFirst();
}

/** In order of system and number, after `after`. */
export async function listTickets(
  postgres: Kysely<Database>,
  page: {
    readonly system?: string;
    readonly state?: string;
    readonly after?: readonly [string, string];
    readonly limit: number;
  },
): Promise<StoredTicket[]> {
  return postgres
    .selectFrom('tickets')
    .selectAll()
    .$if(page.system !== undefined, (query) => query.where('system', '=', page.system!))
    .$if(page.state !== undefined, (query) => query.where('state', '=', page.state!))
    .$if(page.after !== undefined, (query) =>
      query.where((eb) => eb(eb.refTuple('system', 'number'), '>', eb.tuple(page.after![0], page.after![1]))),
    )
    .orderBy('system')
    .orderBy('number')
    .limit(page.limit)
    .execute();
}

export async function anyTicket(postgres: Kysely<Database>): Promise<boolean> {
  return (await postgres.selectFrom('tickets').select('number').limit(1).executeTakeFirst()) !== undefined;
}

export async function insertForward(
  postgres: Kysely<Database>,
  forward: Insertable<ApprovedForwardTable>,
): Promise<StoredForward> {
  return postgres.insertInto('approved_forwards').values(forward).returningAll().executeTakeFirstOrThrow();
}

export async function forwardById(
  postgres: Kysely<Database>,
  id: string,
): Promise<StoredForward | undefined> {
  return postgres.selectFrom('approved_forwards').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The newest first, those before `before`. */
export async function listForwards(postgres: Kysely<Database>, page: TimePage): Promise<StoredForward[]> {
  return postgres
    .selectFrom('approved_forwards')
    .selectAll()
    .$if(page.before !== undefined, (query) => query.where(olderThan('created_at', 'id', page.before!)))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute();
}

export async function deleteForward(postgres: Kysely<Database>, id: string): Promise<boolean> {
  const { numDeletedRows } = await postgres
    .deleteFrom('approved_forwards')
    .where('id', '=', id)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

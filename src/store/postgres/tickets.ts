// tickets and approved forwards in PostgreSQL
import type { Kysely } from 'kysely';
import type { ApprovedForward, Ticket } from '../../model/ticket.ts';
import type { Database } from './schema.ts';

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

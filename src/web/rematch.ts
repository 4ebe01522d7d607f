// a ticket that was written -> the ticket verdicts of the changes that it may concern
import type { ActorEvidence } from '../model/change.ts';
import { decodeJson } from '../model/json.ts';
import type { Ticket } from '../model/ticket.ts';
import type { TicketVerdict } from '../model/watch.ts';
import type { Services } from '../services.ts';
import { changeOf, changesBetween, setTicketVerdict } from '../store/postgres/rule-changes.ts';
import { type StoredTicket, ticketsAround } from '../store/postgres/tickets.ts';
import { matchTicket } from '../tickets/match.ts';

/** A change that names the ticket counts although it is outside of the window: that is a mismatch. */
const MARGIN_MS = 90 * 86_400_000;
const MAX_CHANGES = 2000;

/** Resolves to how many verdicts are others now. What was decided stays decided. */
export async function rematchTickets(
  ticket: Pick<StoredTicket, 'planned_start' | 'planned_end'>,
  { postgres, now }: Pick<Services, 'postgres' | 'now'>,
): Promise<number> {
  const fromMs = (ticket.planned_start?.getTime() ?? now()) - MARGIN_MS;
  const toMs = (ticket.planned_end?.getTime() ?? now()) + MARGIN_MS;
  const changes = await changesBetween(postgres, new Date(fromMs), new Date(toMs), MAX_CHANGES);
  // The changes of one pull have one time.
  let around: { atMs: number; tickets: Ticket[] } | undefined;
  let changedCount = 0;
  for (const row of changes) {
    const atMs = row.occurred_to.getTime();
    if (around?.atMs !== atMs) around = { atMs, tickets: await ticketsAround(postgres, atMs) };
    const verdict = matchTicket(
      {
        device: row.device,
        changes: [changeOf(row)],
        occurredBetween: {
          fromMs: row.occurred_from.getTime(),
          toMs: atMs,
          basis: row.occurred_basis as 'pulls',
        },
        actors: decodeJson<ActorEvidence[]>(row.actors),
        ticketPattern: row.ticket_pattern ?? undefined,
      },
      around.tickets,
    );
    if (sameVerdict(verdict, decodeJson<TicketVerdict>(row.ticket))) continue;
    await setTicketVerdict(postgres, row.id, verdict);
    changedCount++;
  }
  return changedCount;
}

const sameVerdict = (a: TicketVerdict, b: TicketVerdict) =>
  a.state === b.state && a.system === b.system && a.number === b.number && a.reason === b.reason;

// a change and the tickets -> which ticket it belongs to, and how surely
import type { ActorEvidence, OccurredBetween, RuleChange } from '../model/change.ts';
import type { Ticket } from '../model/ticket.ts';
import type { TicketVerdict } from '../model/watch.ts';

export interface TicketQuestion {
  readonly device: string;
  readonly changes: readonly RuleChange[];
  readonly occurredBetween: OccurredBetween;
  readonly actors: readonly ActorEvidence[];
  /** Regular expression of a ticket number, from the device. */
  readonly ticketPattern?: string;
}

/** States in which work may be done, in the words of ServiceNow and Jira Service Management. */
const APPROVED_STATES =
  /^(approved|scheduled|implement|implementing|in progress|review|closed|done|completed|-2|-1|0|3)$/i;

/**
 * A ticket number in a comment, command or ticket field decides; else device, window and implementer together do.
 * A window alone only proposes. With neither there is no ticket.
 */
export function matchTicket(question: TicketQuestion, tickets: readonly Ticket[]): TicketVerdict {
  const named = numbersNamed(question);
  for (const number of named) {
    const ticket = tickets.find((candidate) => normalise(candidate.number) === normalise(number));
    if (ticket) return judgeNamed(ticket, question);
  }
  const fitting = tickets.filter(
    (ticket) =>
      isApproved(ticket) &&
      isFor(ticket, question.device, false) &&
      inWindow(ticket, question.occurredBetween),
  );
  const users = question.actors.flatMap((actor) => actor.user ?? []);
  const implemented = fitting.find((ticket) => ticket.implementer && users.includes(ticket.implementer));
  if (implemented) {
    return {
      ...identity(implemented),
      state: 'approved',
      reason: `device, window and implementer match ${implemented.number}`,
    };
  }
  if (named.length > 0)
    return { state: 'mismatch', number: named[0], reason: `names ticket ${named[0]}, which is not known` };
  if (fitting.length > 0)
    return {
      ...identity(fitting[0]),
      state: 'proposed',
      reason: `only device and window match ${fitting[0].number}`,
    };
  return { state: 'none', reason: 'no matching ticket' };
}

function judgeNamed(ticket: Ticket, question: TicketQuestion): TicketVerdict {
  const mismatch = (reason: string): TicketVerdict => ({ ...identity(ticket), state: 'mismatch', reason });
  if (!isApproved(ticket)) return mismatch(`ticket ${ticket.number} is in state ${ticket.state}`);
  if (!isFor(ticket, question.device, true))
    return mismatch(`ticket ${ticket.number} is for ${ticket.devices.join(', ')}`);
  if (!inWindow(ticket, question.occurredBetween))
    return mismatch(`changed outside the window of ticket ${ticket.number}`);
  return { ...identity(ticket), state: 'approved', reason: `ticket ${ticket.number} is named and fits` };
}

function numbersNamed(question: TicketQuestion): string[] {
  let pattern: RegExp;
  try {
    pattern = new RegExp(question.ticketPattern ?? String.raw`\b(?:CHG|RITM|INC)\d{4,10}\b`, 'gi');
  } catch {
    return [];
  }
  const texts = [
    ...question.changes.flatMap((change) => [
      change.after?.comment,
      ...(change.after?.lines.map((line) => line.text) ?? []),
    ]),
    ...question.actors.flatMap((actor) => [actor.ticket, actor.command, actor.raw]),
  ];
  // The pattern is an operator's own, the texts are a device's: both bounded, so that a slow pattern stays harmless.
  return [
    ...new Set(
      texts.flatMap((text) =>
        text ? [...text.slice(0, 2000).matchAll(pattern)].map((match) => match[0]) : [],
      ),
    ),
  ].slice(0, 20);
}

const normalise = (number: string) => number.toUpperCase().replace(/[^A-Z0-9]/g, '');
const identity = (ticket: Ticket) => ({ system: ticket.system, number: ticket.number });
const isApproved = (ticket: Ticket) => APPROVED_STATES.test(ticket.state);

function isFor(ticket: Ticket, device: string, orUnstated: boolean): boolean {
  return ticket.devices.length === 0 ? orUnstated : ticket.devices.includes(device);
}

/** Whether the change can have happened inside the ticket's planned window; an open end is no limit. */
function inWindow(ticket: Ticket, occurred: OccurredBetween): boolean {
  return (
    (ticket.plannedStartMs ?? Number.NEGATIVE_INFINITY) <= occurred.toMs &&
    occurred.fromMs <= (ticket.plannedEndMs ?? Number.POSITIVE_INFINITY)
  );
}

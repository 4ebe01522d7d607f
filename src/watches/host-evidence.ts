// question about a host + what is stored -> evidence; the only place where it asks the stores
import type { HostAnalytic, Parameters } from '../analytics/definition.ts';
import type { AddressSet } from '../model/addresses.ts';
import type { Enrichment } from '../model/enrichment.ts';
import { type Event, happenedAt } from '../model/event.ts';
import type { Contact, HostEvidence, HostQuestion, RulesetState } from '../model/host.ts';
import type { ApprovedUse, Ticket } from '../model/ticket.ts';
import type { HostWindow } from '../store/clickhouse/host-events.ts';
import { matchTicket } from '../tickets/match.ts';
import { byTime, contactOf } from './contacts.ts';
import type { HostStore } from './host-store.ts';

const DAY_MS = 86_400_000;
const BASELINE_DAYS = 14;
const MAX_EVENTS = 5000;
const MAX_CONTACTS = 20_000;
const MAX_CONTACTS_OF_SOURCE = 200;
/** Who is named this near to the trigger may be its implementer. */
const TICKET_NEAR_MS = 60_000;
/** An act is logged by several, and its ruleset pulled: what led to the trigger must not pass for a habit. */
const OWN_ACT_MS = 15_000;
/** Generations of parents that are looked up. */
const MAX_ANCESTORS = 6;

/** What the site holds besides what machines report. */
export interface HostSite {
  readonly internal: AddressSet;
  readonly natAddresses: AddressSet;
  readonly approvedUses: readonly ApprovedUse[];
  readonly tickets: readonly Ticket[];
  readonly enrich: (address: string) => Enrichment;
  /** Pulled rulesets of the host up to a time, oldest first. */
  readonly rulesetsOf: (host: string, fromMs: number, untilMs: number) => Promise<readonly RulesetState[]>;
}

/** Evidence up to askedAtMs, as far as it was received by then. */
export async function gatherHostEvidence(
  store: HostStore,
  question: HostQuestion,
  askedAtMs: number,
  { analytic, parameters, site }: { analytic: HostAnalytic; parameters: Parameters; site: HostSite },
): Promise<HostEvidence> {
  const { host, trigger } = question;
  const { asks } = analytic;
  const baselineDays = Number(parameters.BaselineDays ?? BASELINE_DAYS);
  const untilMs = Math.min(question.untilMs, askedAtMs);
  const window: HostWindow = {
    origin: host.name,
    fromMs: question.fromMs,
    untilMs,
    receivedUntilMs: askedAtMs,
  };
  const before: HostWindow = {
    ...window,
    fromMs: trigger.atMs - baselineDays * DAY_MS,
    untilMs: trigger.atMs - OWN_ACT_MS,
  };
  const dataGaps: string[] = [];
  const own = await store.events(window, asks.events, trigger.atMs, MAX_EVENTS);
  if (own.isCut)
    dataGaps.push(
      `more than ${MAX_EVENTS} events of ${host.name}: those nearest to the trigger are looked at`,
    );
  const contacts = asks.contacts ? await contactsOf(store, question, window, dataGaps) : [];
  const history = asks.history ? await store.history(before, asks.history) : [];
  const firstHeardMs = await store.firstHeardMs({ ...before, untilMs });
  const rulesets = asks.rulesets ? await site.rulesetsOf(host.name, before.fromMs, untilMs) : [];
  if (asks.rulesets && rulesets.length === 0)
    dataGaps.push(`no ruleset of ${host.name} was ever pulled: its active rules cannot be counted`);
  const destinations = asks.destinations
    ? await store.destinations({
        addresses: host.addresses,
        sinceMs: trigger.atMs,
        untilMs,
        baselineDays,
        enrich: site.enrich,
      })
    : undefined;
  if (destinations && !destinations.isHeard) dataGaps.push(`no flows of ${host.name} since the trigger`);
  return {
    askedAtMs,
    events: own.events,
    processes: await processesOf(store, { ...window, fromMs: trigger.atMs - DAY_MS }, [
      ...own.events,
      ...(trigger.event ? [trigger.event] : []),
    ]),
    contacts,
    rulesets,
    destinations: destinations?.destinations ?? [],
    history,
    historyDays: firstHeardMs === undefined ? 0 : Math.max(0, (trigger.atMs - firstHeardMs) / DAY_MS),
    approvedUses: site.approvedUses,
    ticket: ticketOf(question, own.events, site.tickets),
    internal: site.internal,
    natAddresses: site.natAddresses,
    clockOffsetMs: largestOffset(own.events),
    dataGaps,
  };
}

async function contactsOf(
  store: HostStore,
  { host }: HostQuestion,
  window: HostWindow,
  dataGaps: string[],
): Promise<Contact[]> {
  const lines = await store.packets(window, host.addresses, MAX_CONTACTS_OF_SOURCE, MAX_CONTACTS);
  const flows = await store.contacts({
    addresses: host.addresses,
    fromMs: window.fromMs,
    untilMs: window.untilMs,
    receivedUntilMs: window.receivedUntilMs,
  });
  if (lines.isCut || flows.isCut) dataGaps.push(`more packets toward ${host.name} than are looked at`);
  return byTime([...lines.events.flatMap((event) => contactOf(event, host) ?? []), ...flows.contacts]);
}

/** Parents of what was seen, and theirs. */
async function processesOf(
  store: HostStore,
  window: HostWindow,
  events: readonly Event[],
): Promise<ReadonlyMap<number, Event>> {
  const found = new Map<number, Event>();
  const executions = events.filter((event) => event.executable !== undefined && event.kind !== 'connect');
  for (const event of executions) if (event.pid !== undefined) found.set(event.pid, event);
  const asked = new Set<number>();
  let wanted = parentsOf(executions);
  for (let generation = 0; generation < MAX_ANCESTORS && wanted.length > 0; generation++) {
    const missing = wanted.filter((pid) => pid > 1 && !found.has(pid) && !asked.has(pid)).slice(0, 1000);
    for (const pid of missing) asked.add(pid);
    const rows = await store.executions(window, missing);
    for (const event of rows) if (event.pid !== undefined) found.set(event.pid, event);
    wanted = parentsOf(rows);
  }
  return found;
}

const parentsOf = (events: readonly Event[]) => [
  ...new Set(events.flatMap((event) => event.parentPid ?? [])),
];

/** A change ticket may name the host as its device. */
function ticketOf({ host, trigger }: HostQuestion, events: readonly Event[], tickets: readonly Ticket[]) {
  const near = events.filter((event) => Math.abs(happenedAt(event) - trigger.atMs) < TICKET_NEAR_MS);
  return matchTicket(
    {
      device: host.name,
      changes: [],
      occurredBetween: { fromMs: trigger.atMs, toMs: trigger.atMs, basis: 'syslog' },
      actors: [...(trigger.event ? [trigger.event] : []), ...near].slice(0, 20).map((event) => ({
        source: 'syslog',
        user: event.loginUser ?? event.user,
        command: event.command,
        confidence: 0.5,
        raw: event.raw,
      })),
    },
    tickets,
  );
}

function largestOffset(events: readonly Event[]): number {
  return events.reduce(
    (largest, { clockOffsetMs = 0 }) =>
      Math.abs(clockOffsetMs) > Math.abs(largest) ? clockOffsetMs : largest,
    0,
  );
}

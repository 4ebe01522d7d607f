// the changes between two snapshots -> the watches they open: at most one for each gravest change, the rest as context

import type { AnalyticDefinition, Parameters } from '../analytics/definition.ts';
import {
  type AddressSet,
  ANY_ADDRESS,
  addressSet,
  countAddresses,
  formatAddresses,
  intersectAddresses,
  NO_ADDRESSES,
  noAddresses,
  sameAddresses,
  subtractAddresses,
  unionAddresses,
} from '../model/addresses.ts';
import {
  type ActorEvidence,
  CHANGE_CLASSES,
  type OccurredBetween,
  type Opening,
  type RuleChange,
} from '../model/change.ts';
import { formatServices, unionServices } from '../model/services.ts';
import type { ApprovedForward, Ticket } from '../model/ticket.ts';
import type { ChangeFacts, Question } from '../model/watch.ts';
import { approvalOf, outboundOf, servicesAtTarget, targetOf } from '../tickets/approved.ts';
import { matchTicket } from '../tickets/match.ts';

/** More watches than this from one pull become context of the first. */
const MAX_WATCHES = 16;

export interface ChangeSet {
  readonly device: WatchedDevice;
  readonly changes: readonly { readonly id: string; readonly change: RuleChange }[];
  readonly occurredBetween: OccurredBetween;
  readonly actors: readonly ActorEvidence[];
}

export interface WatchedDevice {
  readonly name: string;
  /** Its own addresses, as sources that inside traffic appears as after translation. */
  readonly addresses: AddressSet;
  readonly exporters: readonly string[];
  readonly timeZone: string;
  readonly ticketPattern?: string;
}

/** What is known from before, as plain data. */
export interface History {
  /** Classes of changes seen on this device before. */
  readonly classesBefore: readonly string[];
  /** Users named by evidence of earlier changes on this device. */
  readonly usersBefore: readonly string[];
  /** Hours of day 0-23 in the device's zone of earlier changes. */
  readonly hoursBefore: readonly number[];
}

export interface SiteFacts {
  readonly internal: AddressSet;
  readonly tickets: readonly Ticket[];
  readonly approvedForwards: readonly ApprovedForward[];
}

export interface WatchDraft {
  readonly analytic: string;
  readonly question: Question;
  readonly facts: ChangeFacts;
}

export function openWatches(
  set: ChangeSet,
  site: SiteFacts,
  history: History,
  analytic: AnalyticDefinition,
  parameters: Parameters,
): WatchDraft[] {
  const facts = set.changes.map(({ id, change }) => changeFacts(id, change, set, site, history));
  const triggering = facts.filter((one) => analytic.triggeredBy(one));
  const gravest = CHANGE_CLASSES.find((klass) => triggering.some((one) => one.class === klass));
  const primary = triggering.filter((one) => one.class === gravest).slice(0, MAX_WATCHES);
  return primary.map((one) => ({
    analytic: analytic.id,
    facts: {
      ...one,
      alsoChanged: set.changes
        .filter(({ id }) => !primary.some((other) => other.id === id))
        .map(({ change }) => change)
        .slice(0, 50),
    },
    question: questionOf(one, set, site.internal, analytic.id, analytic.watchMs(parameters)),
  }));
}

/** What tickets and the inventory of approved forwards say of a change. */
export function paperwork(
  facts: Pick<ChangeFacts, 'device' | 'change' | 'occurredBetween' | 'actors'>,
  site: SiteFacts,
  ticketPattern: string | undefined,
): Pick<ChangeFacts, 'ticket' | 'approvedForward'> {
  const { device, change, occurredBetween, actors } = facts;
  return {
    ticket: matchTicket({ device, changes: [change], occurredBetween, actors, ticketPattern }, site.tickets),
    approvedForward: approvalOf(change.opens, site.approvedForwards, site.internal, occurredBetween.toMs),
  };
}

export function changeFacts(
  id: string,
  change: RuleChange,
  set: ChangeSet,
  site: SiteFacts,
  history: History,
): ChangeFacts {
  const users = set.actors.flatMap((actor) => actor.user ?? []);
  const hour = hourIn(set.device.timeZone, set.occurredBetween.toMs);
  return {
    id,
    device: set.device.name,
    change,
    class: change.class,
    occurredBetween: set.occurredBetween,
    actors: set.actors,
    ...paperwork(
      { device: set.device.name, change, occurredBetween: set.occurredBetween, actors: set.actors },
      site,
      set.device.ticketPattern,
    ),
    firstOfKind: !history.classesBefore.includes(change.class),
    usualActor:
      users.length === 0 || history.usersBefore.length === 0
        ? undefined
        : users.some((user) => history.usersBefore.includes(user)),
    // Few earlier changes say nothing about usual hours.
    unusualHour:
      history.hoursBefore.length >= 10 &&
      !history.hoursBefore.some((before) => hourDistance(before, hour) <= 2),
    alsoChanged: [],
  };
}

function questionOf(
  facts: ChangeFacts,
  set: ChangeSet,
  internal: AddressSet,
  analytic: string,
  watchMs: number,
): Question {
  const opens = outboundOf(facts.change.opens, internal);
  const inside = union(opens.map((opening) => intersectAddresses(opening.traffic.sources, internal)));
  const translated = union(opens.flatMap((opening) => translatedSources(opening, set)));
  // What is approved for some sources is asked about for the others, as far as flows tell them apart.
  const approved = facts.approvedForward?.widerThanApproved
    ? addressSet(...(facts.approvedForward.sources ?? []))
    : undefined;
  const scope = approved ? subtractAddresses(inside, approved) : unionAddresses(inside, translated);
  const outside = union(opens.map((opening) => subtractAddresses(targetOf(opening), internal)));
  const isAnywhere = sameAddresses(outside, subtractAddresses(ANY_ADDRESS, internal));
  return {
    analytic,
    device: set.device.name,
    fromMs: facts.occurredBetween.fromMs,
    untilMs: facts.occurredBetween.toMs + watchMs,
    scope: formatAddresses(scope),
    destinations:
      isAnywhere || noAddresses(outside)
        ? ['any']
        : formatAddresses(unionAddresses(outside, relayAddresses(opens, internal))),
    services: formatServices(unionServices(...opens.map(servicesAtTarget))),
    exporters: set.device.exporters,
    relayTargets: relayTargets(opens, internal),
  };
}

/** The local addresses that a relay listens at: an exporter that meters before translation shows these as the destination. */
export function relayAddresses(opens: readonly Opening[], internal: AddressSet): AddressSet {
  const local = opens
    .filter((opening) => opening.class === 'egress-relay' && opening.destinationTranslation)
    .map((opening) => intersectAddresses(opening.traffic.destinations, internal))
    .filter((set) => set.v4.length <= 64 && set.v6.length <= 64 && countAddresses(set) <= 256);
  return union(local);
}

/** Sources appear as the pool of their translation, or as one of the device's own addresses. */
function translatedSources(opening: Opening, set: ChangeSet): AddressSet[] {
  if (opening.sourceTranslation?.addresses) return [opening.sourceTranslation.addresses];
  return opening.sourceTranslation || opening.class === 'egress-relay' ? [set.device.addresses] : [];
}

/** For each local address that a relay listens at, the outside address that it leads to, where that is one. */
function relayTargets(opens: readonly Opening[], internal: AddressSet): Record<string, string> {
  const targets: Record<string, string> = {};
  for (const opening of opens) {
    const locals = formatAddresses(relayAddresses([opening], internal));
    const [target] = formatAddresses(targetOf(opening));
    for (const local of locals) if (!/[/-]/.test(local) && !/[/-]/.test(target)) targets[local] = target;
  }
  return targets;
}

const union = (sets: readonly AddressSet[]) => (sets.length === 0 ? NO_ADDRESSES : unionAddresses(...sets));
const hourDistance = (a: number, b: number) => Math.min((a - b + 24) % 24, (b - a + 24) % 24);

/** Hour of day 0-23 of a time in an IANA zone; UTC where the zone is not known. */
export function hourIn(timeZone: string, atMs: number): number {
  try {
    return Number(
      new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', hourCycle: 'h23' }).format(atMs),
    );
  } catch {
    return new Date(atMs).getUTCHours();
  }
}

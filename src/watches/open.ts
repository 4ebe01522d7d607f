// the changes between two snapshots -> the watches they open: one for what each newly opens, gravest first, the rest as context

import type { ChangeAnalytic, Parameters } from '../analytics/definition.ts';
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
import { actorsOf } from '../snapshots/actors.ts';
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
  analytic: ChangeAnalytic,
  parameters: Parameters,
): WatchDraft[] {
  const facts = set.changes
    .map(({ id, change }) => changeFacts(id, change, set, site, history))
    .filter((one) => analytic.triggeredBy(one))
    .sort((a, b) => gravity(a) - gravity(b));
  const asked: Asked[] = [];
  const opened: { facts: ChangeFacts; question: Question }[] = [];
  for (const one of facts) {
    if (opened.length === MAX_WATCHES) break;
    const own = remainderOf(one, asked, site.internal);
    if (!own || !analytic.triggeredBy(own.facts)) continue;
    const question = questionOf(
      own.facts,
      own.opens,
      set,
      site.internal,
      analytic.id,
      analytic.watchMs(parameters),
    );
    opened.push({ facts: own.facts, question: withoutAsked(question, asked, site.internal) });
    asked.push(askedBy(question, own.opens, site.internal));
  }
  return opened.map(({ facts, question }) => ({
    analytic: analytic.id,
    facts: {
      ...facts,
      alsoChanged: set.changes.flatMap(({ id, change }) => (id === facts.id ? [] : [change])).slice(0, 50),
    },
    question,
  }));
}

/** What an earlier watch of the same pull asks about. */
interface Asked {
  readonly sources: AddressSet;
  /** Undefined: any. */
  readonly destinations?: AddressSet;
}

/** Gravest class first; of one class the rule that translates or redirects before the filter that lets it pass. */
function gravity({ change, class: klass }: ChangeFacts): number {
  return CHANGE_CLASSES.indexOf(klass) * 2 + Number((change.after ?? change.before)?.kind === 'filter');
}

/** The openings that no earlier watch asks about, graded by themselves; undefined where there are none. */
function remainderOf(
  facts: ChangeFacts,
  asked: readonly Asked[],
  internal: AddressSet,
): { facts: ChangeFacts; opens: Opening[] } | undefined {
  const outbound = outboundOf(facts.change.opens, internal);
  const isAsked = (opening: Opening) =>
    asked.some(
      ({ sources, destinations }) =>
        noAddresses(subtractAddresses(intersectAddresses(opening.traffic.sources, internal), sources)) &&
        (!destinations || noAddresses(subtractAddresses(outsideOf(opening, internal), destinations))),
    );
  const opens = outbound.filter((opening) => !isAsked(opening));
  if (opens.length === 0) return undefined;
  if (opens.length === outbound.length) return { facts, opens };
  const klass = CHANGE_CLASSES.find((one) => opens.some((opening) => opening.class === one));
  return klass && { facts: { ...facts, class: klass }, opens };
}

function askedBy(question: Question, opens: readonly Opening[], internal: AddressSet): Asked {
  return {
    sources: union(opens.map((opening) => intersectAddresses(opening.traffic.sources, internal))),
    destinations: question.destinations.includes('any') ? undefined : addressSet(...question.destinations),
  };
}

/** One spike is one alert: what an earlier watch asks about for the same sources is left to it. */
function withoutAsked(question: Question, asked: readonly Asked[], internal: AddressSet): Question {
  const scope = intersectAddresses(addressSet(...question.scope), internal);
  const others = asked.flatMap(({ sources, destinations }) =>
    destinations && !noAddresses(intersectAddresses(scope, sources)) ? [destinations] : [],
  );
  if (others.length === 0) return question;
  const all = question.destinations.includes('any') ? ANY_ADDRESS : addressSet(...question.destinations);
  const rest = subtractAddresses(all, unionAddresses(...others));
  return noAddresses(rest) ? question : { ...question, destinations: formatAddresses(rest) };
}

/** Where traffic of an opening is seen to go outside: its target; unless the packets only take another way, their destination too. */
function outsideOf(opening: Opening, internal: AddressSet): AddressSet {
  const isRewritten =
    !opening.destinationTranslation || opening.destinationTranslation.kind === 'destination';
  const seen = isRewritten
    ? targetOf(opening)
    : unionAddresses(targetOf(opening), opening.traffic.destinations);
  return subtractAddresses(seen, internal);
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
  const actors = actorsOf(set.actors, change, set.occurredBetween);
  const users = actors.flatMap((actor) => actor.user ?? []);
  const hour = hourIn(set.device.timeZone, set.occurredBetween.toMs);
  return {
    id,
    device: set.device.name,
    change,
    class: change.class,
    occurredBetween: set.occurredBetween,
    actors,
    ...paperwork(
      { device: set.device.name, change, occurredBetween: set.occurredBetween, actors },
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
  opens: readonly Opening[],
  set: ChangeSet,
  internal: AddressSet,
  analytic: string,
  watchMs: number,
): Question {
  const inside = union(opens.map((opening) => intersectAddresses(opening.traffic.sources, internal)));
  const translated = union(opens.flatMap((opening) => translatedSources(opening, set)));
  // What is approved for some sources is asked about for the others, as far as flows tell them apart.
  const approved = facts.approvedForward?.widerThanApproved
    ? addressSet(...(facts.approvedForward.sources ?? []))
    : undefined;
  const scope = approved ? subtractAddresses(inside, approved) : unionAddresses(inside, translated);
  const others = subtractAddresses(translated, inside);
  const outside = union(opens.map((opening) => outsideOf(opening, internal)));
  const isAnywhere = sameAddresses(outside, subtractAddresses(ANY_ADDRESS, internal));
  return {
    analytic,
    device: set.device.name,
    fromMs: facts.occurredBetween.fromMs,
    untilMs: facts.occurredBetween.toMs + watchMs,
    scope: formatAddresses(scope),
    ...(approved || noAddresses(others) ? {} : { translated: formatAddresses(others) }),
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

/** More addresses than this are no pool, but a rule that says "any". */
const MAX_POOL = 65_536;

/** The pools that sources of openings are translated to: an exporter outside of the device shows these as the source. */
export function poolAddresses(opens: readonly Opening[]): AddressSet {
  const pools = opens.flatMap(({ sourceTranslation }) => sourceTranslation?.addresses ?? []);
  return union(pools.filter((pool) => countAddresses(pool) <= MAX_POOL));
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

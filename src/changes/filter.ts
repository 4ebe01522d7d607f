// pieces of traffic, filter policies -> which pass, which pass only under unresolved conditions, which are dropped
import { type AddressSet, ANY_ADDRESS, noAddresses, subtractAddresses } from '../model/addresses.ts';
import { intersect, subtract } from '../model/ranges.ts';
import type { Policy, PolicyEntry } from '../model/rule.ts';
import { ANY_SOURCE_PORT, type Traffic } from '../model/traffic.ts';
import {
  appliesBox,
  cut,
  inOrder,
  type Means,
  openTo,
  spend,
  takeHits,
  type Undecided,
  usable,
} from './decide.ts';
import { MAX_NAMED } from './merge.ts';
import { addressesOverlap, type Decider, mayOverlap, type Piece, shiftAddresses } from './piece.ts';
import { everyItem, put } from './pool.ts';
import { runsOf } from './runs.ts';

export interface Outcome {
  readonly pieces: Piece[];
  readonly dropped: Piece[];
}

/** What a match says of packets as they are before source NAT; not `sure` where it depends on the device's choice. */
interface Sighted {
  readonly box: Traffic;
  readonly sure: boolean;
}
/** undefined: such packets are not met. */
type Sight = (match: Traffic) => Sighted | undefined;

const plainly: Sight = (box) => ({ box, sure: true });

/** Filters one after the other; all must accept. Those that see packets after source NAT judge the translated source. */
export function filterAll(pieces: readonly Piece[], policies: readonly Policy[], means: Means): Outcome {
  let open = [...pieces];
  let dropped: Piece[] = [];
  for (const policy of policies) {
    const passed: Piece[] = [];
    for (const group of policy.sees === 'translated' ? bySource(open) : [open]) {
      const sight = policy.sees === 'translated' ? sightOf(group[0]) : plainly;
      filterBy(group, policy, sight, means, passed, dropped);
    }
    open = means.merge(passed);
    dropped = means.merge(dropped);
  }
  return { pieces: open, dropped };
}

const bySource = (pieces: readonly Piece[]): Piece[][] => [
  ...Map.groupBy(pieces, (piece) => piece.source)
    .values()
    .flatMap((group) => Map.groupBy(group, (piece) => `${piece.sourceShift} ${familiesOf(piece)}`).values()),
];

const familiesOf = ({ traffic: { sources } }: Piece): string =>
  `${sources.v4.length > 0 ? 4 : ''}${sources.v6.length > 0 ? 6 : ''}`;

const decides = (entry: PolicyEntry): boolean =>
  usable(entry) && (entry.action === 'accept' || entry.action === 'drop');

/**
 * An unresolved accept may end the filter or not: the piece goes on, marked. Accepted later, it passes either way; dropped
 * later, it passes conditionally.
 */
function filterBy(
  pieces: readonly Piece[],
  policy: Policy,
  sight: Sight,
  means: Means,
  passed: Piece[],
  dropped: Piece[],
): void {
  const { hits: inside, rest: outside } = cut(pieces, appliesBox(policy));
  for (const piece of outside) passed.push(piece);
  const undecided = openTo(inside);
  if (sight !== plainly) judgeEach(undecided, policy, sight, means, passed, dropped);
  else if (inside.length > 0) judgeRuns(undecided, policy, means, passed, dropped);
  for (const piece of everyItem(undecided.pool))
    settle(piece, [policy], policy.otherwise !== 'drop', passed, dropped);
}

/** Entries that let pass or drop one after the other are judged together. */
function judgeRuns(
  undecided: Undecided,
  policy: Policy,
  { budget, entriesNear, keeps }: Means,
  passed: Piece[],
  dropped: Piece[],
): void {
  const entries = entriesNear(policy, undecided.around).filter(decides);
  spend(budget, entries.length);
  const kindOf = (entry: PolicyEntry) =>
    entry.unresolved.length > 0 || keeps(entry) ? undefined : `${entry.action}${entry.translated ?? ''}`;
  for (const { box, steps } of runsOf(entries, undecided.around, ({ match }) => match, kindOf)) {
    const [entry] = steps;
    for (const piece of takeHits(undecided, box, entry.translated, budget)) {
      if (entry.unresolved.length > 0) put(undecided.pool, withMaybe(piece, entry));
      else settle(piece, namedOf(piece, steps), entry.action === 'accept', passed, dropped);
    }
  }
}

/** Some of the entries that decide about a piece. */
function namedOf(piece: Piece, entries: readonly PolicyEntry[]): readonly PolicyEntry[] {
  if (entries.length === 1) return entries;
  const named: PolicyEntry[] = [];
  for (const entry of entries) {
    if (mayOverlap(piece.seen, entry.match)) named.push(entry);
    if (named.length === MAX_NAMED) break;
  }
  return named;
}

function judgeEach(
  undecided: Undecided,
  policy: Policy,
  sight: Sight,
  { budget }: Means,
  passed: Piece[],
  dropped: Piece[],
): void {
  for (const entry of inOrder(policy)) {
    spend(budget, 1);
    const seen = decides(entry) ? sight(entry.match) : undefined;
    if (!seen) continue;
    const isSure = seen.sure && entry.unresolved.length === 0;
    if (!isSure && entry.action === 'drop') continue;
    for (const piece of takeHits(undecided, seen.box, entry.translated, budget)) {
      if (!isSure) put(undecided.pool, withMaybe(piece, entry));
      else settle(piece, [entry], entry.action === 'accept', passed, dropped);
    }
  }
}

const withMaybe = (piece: Piece, entry: PolicyEntry): Piece => ({
  ...piece,
  maybe: [...(piece.maybe ?? []), entry],
});

function settle(
  piece: Piece,
  by: readonly Decider[],
  accepts: boolean,
  passed: Piece[],
  dropped: Piece[],
): void {
  const { maybe, ...plain } = piece;
  const deciders = [...piece.deciders, ...(accepts ? [] : (maybe ?? [])), ...by];
  if (accepts) passed.push({ ...plain, deciders });
  else if (!maybe) dropped.push({ ...plain, deciders });
  else passed.push({ ...plain, conditional: true, deciders });
}

/** How a filter after source NAT sees what became of this piece's source (and of its ports, where they are translated). */
function sightOf({ source, sourceShift: shift, traffic }: Piece): Sight {
  if (!source) return plainly;
  return (match) => {
    const port = portShareOf(source.ports, match.sourcePorts);
    if (port === 'none') return undefined;
    const sourcePorts = source.ports ? ANY_SOURCE_PORT : match.sourcePorts;
    if (shift !== undefined)
      return {
        box: { ...match, sources: shiftAddresses(match.sources, -shift), sourcePorts },
        sure: port === 'all',
      };
    const known = source.addresses && !noAddresses(source.addresses);
    // Masquerade: the address is the device's own, in the packet's family.
    const address = shareOf(
      known ? (source.addresses as AddressSet) : wholeOf(traffic.sources),
      match.sources,
    );
    if (address === 'none') return undefined;
    const box = { ...match, sources: ANY_ADDRESS, sourcePorts };
    return { box, sure: address === 'all' && port === 'all' };
  };
}

type Share = 'all' | 'some' | 'none';

function shareOf(possible: AddressSet, asked: AddressSet): Share {
  if (!addressesOverlap(possible, asked)) return 'none';
  return noAddresses(subtractAddresses(possible, asked)) ? 'all' : 'some';
}

function portShareOf(ports: readonly [number, number] | undefined, asked: readonly number[]): Share {
  if (!ports) return 'all';
  if (intersect(ports, asked).length === 0) return 'none';
  const left = subtract<number>(
    ports,
    asked,
    (value) => value + 1,
    (value) => value - 1,
  );
  return left.length === 0 ? 'all' : 'some';
}

const wholeOf = ({ v4, v6 }: AddressSet): AddressSet => ({
  v4: v4.length > 0 ? ANY_ADDRESS.v4 : [],
  v6: v6.length > 0 ? ANY_ADDRESS.v6 : [],
});

// pieces of traffic, filter policies -> which pass, which pass only under unresolved conditions, which are dropped
import { type AddressSet, ANY_ADDRESS, noAddresses, subtractAddresses } from '../model/addresses.ts';
import { intersect, subtract } from '../model/ranges.ts';
import type { Policy, PolicyEntry } from '../model/rule.ts';
import { ANY_SOURCE_PORT, ANY_TRAFFIC, type Traffic } from '../model/traffic.ts';
import { appliesBox, cut, decidedBy, type Means, openTo, spend, takeHits, usable } from './decide.ts';
import { addressesOverlap, type Piece, shiftAddresses } from './piece.ts';
import { everyItem, put } from './pool.ts';

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
  { budget, entriesNear }: Means,
  passed: Piece[],
  dropped: Piece[],
): void {
  const { hits: inside, rest: outside } = cut(pieces, appliesBox(policy));
  for (const piece of outside) passed.push(piece);
  const undecided = openTo(inside);
  const around = sight === plainly ? undecided.around : ANY_TRAFFIC;
  for (const entry of inside.length > 0 ? entriesNear(policy, around) : []) {
    spend(budget, 1);
    const seen = decides(entry) ? sight(entry.match) : undefined;
    if (!seen) continue;
    const isSure = seen.sure && entry.unresolved.length === 0;
    if (!isSure && entry.action === 'drop') continue;
    for (const piece of takeHits(undecided, seen.box, entry.translated, budget)) {
      if (!isSure) put(undecided.pool, { ...piece, maybe: [...(piece.maybe ?? []), entry] });
      else settle(piece, entry, entry.action === 'accept', passed, dropped);
    }
  }
  for (const piece of everyItem(undecided.pool))
    settle(piece, policy, policy.otherwise !== 'drop', passed, dropped);
}

function settle(
  piece: Piece,
  decider: PolicyEntry | Policy,
  accepts: boolean,
  passed: Piece[],
  dropped: Piece[],
): void {
  const { maybe, ...plain } = piece;
  if (accepts) passed.push(decidedBy(plain, decider));
  else if (!maybe) dropped.push(decidedBy(plain, decider));
  else passed.push({ ...plain, conditional: true, deciders: [...piece.deciders, ...maybe, decider] });
}

/** How a filter after source NAT sees what became of this piece's source (and of its ports, where they are translated). */
function sightOf({ source, sourceShift: shift, traffic }: Piece): Sight {
  if (!source) return plainly;
  return (match) => {
    if (shift !== undefined)
      return { box: { ...match, sources: shiftAddresses(match.sources, -shift) }, sure: true };
    const known = source.addresses && !noAddresses(source.addresses);
    // Masquerade: the address is the device's own, in the packet's family.
    const address = shareOf(
      known ? (source.addresses as AddressSet) : wholeOf(traffic.sources),
      match.sources,
    );
    const port = portShareOf(source.ports, match.sourcePorts);
    if (address === 'none' || port === 'none') return undefined;
    const sourcePorts = source.ports ? ANY_SOURCE_PORT : match.sourcePorts;
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

// boxes and pieces of traffic -> fewer that hold the same packets
import * as addresses from '../model/addresses.ts';
import { normalise } from '../model/ranges.ts';
import { unionServices } from '../model/services.ts';
import { intersectNames, type NameSet, type Traffic } from '../model/traffic.ts';
import type { Decider, Piece } from './piece.ts';
import type { Signatures } from './signature.ts';

type Dimension = keyof Traffic;
const DIMENSIONS: readonly Dimension[] = [
  'services',
  'destinations',
  'sources',
  'sourcePorts',
  'ingress',
  'egress',
];

/** How items are alike but for one dimension, and what they are together. */
interface Along<T> {
  /** undefined: this one is not united with others. */
  readonly key: (item: T) => string | undefined;
  readonly unite: (group: readonly T[]) => T;
}

/** One box of boxes that differ in one dimension only. */
export const uniteAlong = (dimension: Dimension, boxes: readonly Traffic[]): Traffic => ({
  ...boxes[0],
  [dimension]: united(dimension, boxes),
});

/** Unites boxes that differ in one dimension only, until none do. */
export const mergeBoxes = (boxes: readonly Traffic[], signatures: Signatures): Traffic[] =>
  mergeItems(
    boxes,
    (box) => box,
    (group, box) => ({ ...group[0], ...box }),
    signatures,
  );

/** The same for items that have a box; `unite` makes one of several, with the box around them. */
export function mergeItems<T>(
  items: readonly T[],
  boxOf: (item: T) => Traffic,
  unite: (group: readonly T[], box: Traffic) => T,
  signatures: Signatures,
): T[] {
  const keyOf = keyWriter(signatures);
  const ways = DIMENSIONS.map(
    (dimension): Along<T> => ({
      key: (item) => keyOf(boxOf(item), dimension),
      unite: (group) => {
        return unite(group, uniteAlong(dimension, group.map(boxOf)));
      },
    }),
  );
  return mergeAlong(items, ways);
}

function mergeAlong<T>(items: readonly T[], ways: readonly Along<T>[]): T[] {
  let current = [...items];
  for (let before = Infinity; current.length > 1 && current.length < before; ) {
    before = current.length;
    for (const { key, unite } of ways) {
      const groups = new Map<string, T[]>();
      const alone: T[] = [];
      for (const item of current) {
        const own = key(item);
        const group = own === undefined ? alone : groups.get(own);
        if (group) group.push(item);
        else groups.set(own as string, [item]);
      }
      current = [
        ...alone,
        ...[...groups.values()].map((group) => (group.length === 1 ? group[0] : unite(group))),
      ];
    }
  }
  return current;
}

/** What a box is but for one dimension. */
function keyWriter(signatures: Signatures) {
  const write = (box: Traffic, dimension: Dimension): string => {
    switch (dimension) {
      case 'services':
      case 'sourcePorts':
        return signatures.ranges(box[dimension]);
      case 'ingress':
      case 'egress':
        return signatures.names(box[dimension]);
      default:
        return signatures.addresses(box[dimension]);
    }
  };
  return (box: Traffic, but: Dimension): string =>
    DIMENSIONS.map((dimension) => (dimension === but ? '' : write(box, dimension))).join('|');
}

function united(dimension: Dimension, boxes: readonly Traffic[]): Traffic[Dimension] {
  switch (dimension) {
    case 'services':
      return unionServices(...boxes.map((box) => box.services));
    case 'sourcePorts':
      return normalise(
        boxes.flatMap(({ sourcePorts }) =>
          sourcePorts.flatMap((first, i) => (i % 2 ? [] : [[first, sourcePorts[i + 1]] as const])),
        ),
        (value) => value + 1,
      );
    case 'ingress':
    case 'egress':
      return boxes.map((box) => box[dimension]).reduce(unionNames);
    default:
      return addresses.unionAddresses(...boxes.map((box) => box[dimension]));
  }
}

const complement = (set: NameSet): NameSet => ({ except: !set.except, names: set.names });
const unionNames = (a: NameSet, b: NameSet): NameSet =>
  complement(intersectNames(complement(a), complement(b)));

/** Fewer pieces than this stay as they are. */
const FEW_PIECES = 8;
/** Of entries that decide alike, so many are named by a united piece. */
export const MAX_NAMED = 8;

/**
 * Unites pieces that fare alike, whatever unchanged entries decided so: of those a few are kept. Pieces that `keeps` deciders
 * made differ are not united.
 */
export function mergePieces(
  pieces: readonly Piece[],
  keeps: (decider: Decider) => boolean,
  signatures: Signatures,
): Piece[] {
  if (pieces.length < FEW_PIECES) return [...pieces];
  const keyOf = keyWriter(signatures);
  const ids = new Map<Decider, number>();
  const idOf = (decider: Decider) => {
    const known = ids.get(decider);
    if (known !== undefined) return known;
    ids.set(decider, ids.size);
    return ids.size - 1;
  };
  const fate = ({ deciders, maybe, ...piece }: Piece) =>
    [
      piece.shift,
      piece.keepsPorts,
      piece.unknown,
      piece.conditional,
      piece.sourceShift,
      ...[piece.destination, piece.redirect, piece.source].map(signatures.translation),
      deciders.filter(keeps).map(idOf).join(),
      // Who came last is to blame alone where it dropped them.
      deciders.length > 0 && keeps(deciders[deciders.length - 1]),
      maybe?.map(idOf).join(),
    ].join(';');
  const along = (dimension: Dimension): Along<Piece> => ({
    key: (piece) =>
      isBound(piece, dimension)
        ? `${keyOf(piece.traffic, dimension)}#${keyOf(piece.seen, dimension)}`
        : undefined,
    unite: (group) => unitePieces(group, dimension, keeps),
  });
  const ways = DIMENSIONS.map(along);
  return [...Map.groupBy(pieces, fate).values()].flatMap((group) => mergeAlong(group, ways));
}

/** Whether the arriving and the seen side go along in the dimension. */
const isBound = (piece: Piece, dimension: Dimension): boolean =>
  (dimension !== 'destinations' || piece.shift !== undefined) &&
  (dimension !== 'services' || piece.keepsPorts);

function unitePieces(
  group: readonly Piece[],
  dimension: Dimension,
  keeps: (decider: Decider) => boolean,
): Piece {
  const first = group[0];
  const side = (name: 'traffic' | 'seen'): Traffic =>
    uniteAlong(
      dimension,
      group.map((piece) => piece[name]),
    );
  const traffic = side('traffic');
  const isSame = first.traffic === first.seen || (first.shift === 0n && first.keepsPorts);
  const others = new Set<Decider>();
  for (const { deciders } of group) {
    for (const decider of deciders)
      if (!keeps(decider) && !first.deciders.includes(decider)) others.add(decider);
    if (others.size > MAX_NAMED) break;
  }
  const named = [...others].slice(0, Math.max(0, MAX_NAMED - first.deciders.length));
  return {
    ...first,
    traffic,
    seen: isSame ? traffic : side('seen'),
    deciders: [...named, ...first.deciders],
  };
}

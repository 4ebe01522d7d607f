// newly passing pieces -> openings, as few as say the same
import * as addresses from '../model/addresses.ts';
import { CHANGE_CLASSES, type Opening } from '../model/change.ts';
import { normalise } from '../model/ranges.ts';
import type { Translation } from '../model/rule.ts';
import { unionServices } from '../model/services.ts';
import type { Site } from '../model/site.ts';
import { intersectNames, type NameSet, type Traffic } from '../model/traffic.ts';
import { classify } from './classify.ts';
import type { Found } from './compare.ts';
import { destinationOf, ruleKeysOf } from './effect.ts';
import type { Piece } from './piece.ts';
import type { Signatures } from './signature.ts';

/** Gravest first, then widest. The boxes cover the pieces exactly, but for one merge of "any IPv4" with "any IPv6" to "any". */
export function toOpenings(found: readonly Found[], site: Site, signatures: Signatures): Opening[] {
  const openings = found.flatMap(({ piece, novelty }) =>
    byPortRange(piece).flatMap((part) =>
      translationsOf(part, novelty).map((destinationTranslation): Opening => {
        const opening = {
          traffic: part.traffic,
          ...(destinationTranslation ? { destinationTranslation } : {}),
          ...(part.source ? { sourceTranslation: part.source } : {}),
          ruleKeys: ruleKeysOf(part),
          ...(part.conditional ? { conditional: true as const } : {}),
        };
        return { ...opening, class: classify(opening, novelty, site) };
      }),
    ),
  );
  const alike = Map.groupBy(openings, (opening) =>
    [
      signatures.translation(opening.destinationTranslation),
      signatures.translation(opening.sourceTranslation),
      opening.ruleKeys.join(' '),
      opening.class,
      opening.conditional,
    ].join('|'),
  );
  return [...alike.values()]
    .flatMap((group) =>
      mergeBoxes(
        group.map((opening) => opening.traffic),
        signatures,
      ).map((traffic) => ({ ...group[0], traffic })),
    )
    .map((opening) => ({
      opening,
      rank: CHANGE_CLASSES.indexOf(opening.class),
      width: width(opening.traffic),
    }))
    .sort((a, b) => a.rank - b.rank || b.width - a.width)
    .map(({ opening }) => opening);
}

/** Of all packets, which share; good enough to sort by. */
function width({ sources, destinations, services }: Traffic): number {
  let count = 0;
  for (let i = 0; i < services.length; i += 2) count += services[i + 1] - services[i] + 1;
  return count * addresses.countAddresses(sources) * addresses.countAddresses(destinations);
}

/** A packet that is both translated and taken aside is two openings: each is a way out of its own. */
function translationsOf(piece: Piece, novelty: Found['novelty']): (Translation | undefined)[] {
  const destination = destinationOf(piece);
  if (!piece.redirect) return [destination];
  return destination && novelty === 'way' ? [destination, piece.redirect] : [piece.redirect];
}

/** A translation states one port range: a piece that comes out with several is as many pieces. */
function byPortRange(piece: Piece): Piece[] {
  const { services } = piece.seen;
  if (piece.keepsPorts || services.length === 2) return [piece];
  return services.flatMap((first, i) =>
    i % 2 ? [] : [{ ...piece, seen: { ...piece.seen, services: [first, services[i + 1]] } }],
  );
}

type Dimension = keyof Traffic;
const DIMENSIONS: readonly Dimension[] = [
  'services',
  'destinations',
  'sources',
  'sourcePorts',
  'ingress',
  'egress',
];

/** Unites boxes that differ in one dimension only, until none do. */
function mergeBoxes(boxes: readonly Traffic[], signatures: Signatures): Traffic[] {
  let current = [...boxes];
  for (let before = Infinity; current.length > 1 && current.length < before; ) {
    before = current.length;
    for (const dimension of DIMENSIONS) current = mergeAlong(dimension, current, signatures);
  }
  return mergeFamilies(current);
}

function mergeAlong(dimension: Dimension, boxes: readonly Traffic[], signatures: Signatures): Traffic[] {
  const others = DIMENSIONS.filter((other) => other !== dimension);
  const key = (box: Traffic) =>
    others
      .map((other) =>
        other === 'services' || other === 'sourcePorts'
          ? signatures.ranges(box[other])
          : other === 'ingress' || other === 'egress'
            ? signatures.names(box[other])
            : signatures.addresses(box[other]),
      )
      .join('|');
  return [...Map.groupBy(boxes, key).values()].map((group) =>
    group.length === 1 ? group[0] : { ...group[0], [dimension]: united(dimension, group) },
  );
}

function united(dimension: Dimension, group: readonly Traffic[]): Traffic[Dimension] {
  switch (dimension) {
    case 'services':
      return unionServices(...group.map((box) => box.services));
    case 'sourcePorts':
      return normalise(
        group.flatMap(({ sourcePorts }) =>
          sourcePorts.flatMap((first, i) => (i % 2 ? [] : [[first, sourcePorts[i + 1]] as const])),
        ),
        (value) => value + 1,
      );
    case 'ingress':
    case 'egress':
      return group.map((box) => box[dimension]).reduce(unionNames);
    default:
      return addresses.unionAddresses(...group.map((box) => box[dimension]));
  }
}

const complement = (set: NameSet): NameSet => ({ except: !set.except, names: set.names });
const unionNames = (a: NameSet, b: NameSet): NameSet =>
  complement(intersectNames(complement(a), complement(b)));

/** The two families of "anything to anything" are one box for people. */
function mergeFamilies(boxes: readonly Traffic[]): Traffic[] {
  const whole = (box: Traffic, family: addresses.AddressSet) =>
    addresses.sameAddresses(box.sources, family) && addresses.sameAddresses(box.destinations, family);
  const six = boxes.find((box) => whole(box, addresses.ANY_V6));
  const four = six && boxes.find((box) => whole(box, addresses.ANY_V4) && sameElsewhere(box, six));
  if (!six || !four) return [...boxes];
  const both = { ...four, sources: addresses.ANY_ADDRESS, destinations: addresses.ANY_ADDRESS };
  return [both, ...boxes.filter((box) => box !== six && box !== four)];
}

function sameElsewhere(a: Traffic, b: Traffic): boolean {
  const text = (box: Traffic) => JSON.stringify([box.services, box.sourcePorts, box.ingress, box.egress]);
  return text(a) === text(b);
}

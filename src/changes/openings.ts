// newly passing pieces -> openings, as few as say the same
import * as addresses from '../model/addresses.ts';
import { CHANGE_CLASSES, type Opening } from '../model/change.ts';
import type { Translation } from '../model/rule.ts';
import type { Site } from '../model/site.ts';
import type { Traffic } from '../model/traffic.ts';
import { classify } from './classify.ts';
import type { Found } from './compare.ts';
import { destinationOf } from './effect.ts';
import { mergeItems } from './merge.ts';
import type { Piece } from './piece.ts';
import type { Signatures } from './signature.ts';

/** Of rules that decide alike about one opening, so many are named. */
const MAX_KEYS = 16;

/**
 * Gravest first, then widest. The boxes cover the pieces exactly, but for one merge of "any IPv4" with "any IPv6" to "any".
 * Openings that differ only in the rules that let them through are one.
 */
export function toOpenings(found: readonly Found[], site: Site, signatures: Signatures): Opening[] {
  const openings = found.flatMap((one) =>
    byPortRange(one.piece).flatMap((part) => openingsOf(part, one.novelty, site)),
  );
  const alike = Map.groupBy(openings, (opening) =>
    [
      signatures.translation(opening.destinationTranslation),
      signatures.translation(opening.sourceTranslation),
      opening.class,
      opening.conditional,
    ].join('|'),
  );
  return [...alike.values()]
    .flatMap((group) => mergeFamilies(mergeItems(group, ({ traffic }) => traffic, unite, signatures)))
    .map((opening) => ({
      opening,
      rank: CHANGE_CLASSES.indexOf(opening.class),
      width: width(opening.traffic),
    }))
    .sort((a, b) => a.rank - b.rank || b.width - a.width)
    .map(({ opening }) => opening);
}

const openingsOf = (part: Piece, novelty: Found['novelty'], site: Site): Opening[] =>
  translationsOf(part, novelty).map((destinationTranslation): Opening => {
    const opening = {
      traffic: part.traffic,
      ...(destinationTranslation ? { destinationTranslation } : {}),
      ...(part.source ? { sourceTranslation: part.source } : {}),
      ruleKeys: keysOf(part),
      ...(part.conditional ? { conditional: true as const } : {}),
    };
    return { ...opening, class: classify(opening, novelty, site) };
  });

/** Keys of the rules among the deciders, each once. */
const keysOf = ({ deciders }: Piece): string[] => [
  ...new Set(deciders.flatMap((decider) => ('ruleKey' in decider ? [decider.ruleKey] : []))),
];

function unite(group: readonly Opening[], traffic: Traffic): Opening {
  const keys = new Set<string>();
  for (const { ruleKeys } of group) {
    for (const key of ruleKeys) keys.add(key);
    if (keys.size >= MAX_KEYS) break;
  }
  return { ...group[0], traffic, ruleKeys: [...keys].slice(0, MAX_KEYS) };
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

/** The two families of "anything to anything" are one box for people. */
function mergeFamilies(openings: readonly Opening[]): Opening[] {
  const whole = ({ traffic }: Opening, family: addresses.AddressSet) =>
    addresses.sameAddresses(traffic.sources, family) && addresses.sameAddresses(traffic.destinations, family);
  const six = openings.find((opening) => whole(opening, addresses.ANY_V6));
  const four =
    six && openings.find((opening) => whole(opening, addresses.ANY_V4) && sameElsewhere(opening, six));
  if (!six || !four) return [...openings];
  const both = { ...four.traffic, sources: addresses.ANY_ADDRESS, destinations: addresses.ANY_ADDRESS };
  return [unite([four, six], both), ...openings.filter((opening) => opening !== six && opening !== four)];
}

function sameElsewhere(a: Opening, b: Opening): boolean {
  const text = ({ traffic: box }: Opening) =>
    JSON.stringify([box.services, box.sourcePorts, box.ingress, box.egress]);
  return text(a) === text(b);
}

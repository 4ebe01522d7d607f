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
import type { Decider, Piece } from './piece.ts';
import type { Signatures } from './signature.ts';

/** Of unchanged rules that decide alike, an opening names so many. */
const MAX_UNCHANGED_KEYS = 16;

/** An opening in the making: `changed` are keys of rules that tell it from others, the rest may be united. */
interface Draft extends Opening {
  readonly changed: readonly string[];
}

/**
 * Gravest first, then widest. The boxes cover the pieces exactly, but for one merge of "any IPv4" with "any IPv6" to "any".
 * Openings that differ only in the unchanged rules that let them through are one.
 */
export function toOpenings(
  found: readonly Found[],
  site: Site,
  signatures: Signatures,
  isChanged: (decider: Decider) => boolean,
): Opening[] {
  const drafts = found.flatMap((one) =>
    byPortRange(one.piece).flatMap((part) => draftsOf(part, one.novelty, site, isChanged)),
  );
  const alike = Map.groupBy(drafts, (draft) =>
    [
      signatures.translation(draft.destinationTranslation),
      signatures.translation(draft.sourceTranslation),
      draft.changed.join(' '),
      draft.class,
      draft.conditional,
    ].join('|'),
  );
  return [...alike.values()]
    .flatMap((group) => mergeFamilies(mergeItems(group, ({ traffic }) => traffic, unite, signatures)))
    .map(({ changed, ...opening }) => ({
      opening,
      rank: CHANGE_CLASSES.indexOf(opening.class),
      width: width(opening.traffic),
    }))
    .sort((a, b) => a.rank - b.rank || b.width - a.width)
    .map(({ opening }) => opening);
}

function draftsOf(
  part: Piece,
  novelty: Found['novelty'],
  site: Site,
  isChanged: (decider: Decider) => boolean,
): Draft[] {
  return translationsOf(part, novelty).map((destinationTranslation): Draft => {
    const opening = {
      traffic: part.traffic,
      ...(destinationTranslation ? { destinationTranslation } : {}),
      ...(part.source ? { sourceTranslation: part.source } : {}),
      ruleKeys: keysOf(part.deciders),
      ...(part.conditional ? { conditional: true as const } : {}),
    };
    const changed = keysOf(part.deciders.filter(isChanged));
    return { ...opening, changed, class: classify(opening, novelty, site) };
  });
}

/** Keys of the rules among the deciders, each once. */
const keysOf = (deciders: readonly Decider[]): string[] => [
  ...new Set(deciders.flatMap((decider) => ('ruleKey' in decider ? [decider.ruleKey] : []))),
];

function unite(group: readonly Draft[], traffic: Traffic): Draft {
  const [first] = group;
  const keys = new Set(first.ruleKeys);
  const most = first.changed.length + MAX_UNCHANGED_KEYS;
  for (const { ruleKeys } of group)
    for (const key of ruleKeys) {
      if (keys.size >= most) return { ...first, traffic, ruleKeys: [...keys] };
      keys.add(key);
    }
  return { ...first, traffic, ruleKeys: [...keys] };
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
function mergeFamilies(drafts: readonly Draft[]): Draft[] {
  const whole = ({ traffic }: Draft, family: addresses.AddressSet) =>
    addresses.sameAddresses(traffic.sources, family) && addresses.sameAddresses(traffic.destinations, family);
  const six = drafts.find((draft) => whole(draft, addresses.ANY_V6));
  const four = six && drafts.find((draft) => whole(draft, addresses.ANY_V4) && sameElsewhere(draft, six));
  if (!six || !four) return [...drafts];
  const both = { ...four.traffic, sources: addresses.ANY_ADDRESS, destinations: addresses.ANY_ADDRESS };
  return [unite([four, six], both), ...drafts.filter((draft) => draft !== six && draft !== four)];
}

function sameElsewhere(a: Draft, b: Draft): boolean {
  const text = ({ traffic: box }: Draft) =>
    JSON.stringify([box.services, box.sourcePorts, box.ingress, box.egress]);
  return text(a) === text(b);
}

// rules before and after -> which list, chain or table of one side goes by another name on the other
import type { Rule } from '../model/rule.ts';
import { ANY_TRAFFIC } from '../model/traffic.ts';
import type { Signatures } from './signature.ts';

/** What a rule is written under; it says nothing about what the rule does. */
export const placeOf = ({ context: { table, chain, list, family } }: Rule): string =>
  [table, chain, list, family].map((part) => part ?? '').join('\u0000');

/** The parts of two places that differ: old name, new name. */
export function nameChanges(old: string, now: string): [string, string][] {
  const parts = now.split('\u0000');
  return old
    .split('\u0000')
    .flatMap((part, i): [string, string][] => (part !== '' && part !== parts[i] ? [[part, parts[i]]] : []));
}

/** What a rule does, wherever it is written and whatever it is called. */
export function contentOf(rule: Rule, signatures: Signatures): string {
  const { kind, enabled, action, match, translation, unresolved, context } = rule;
  return [
    kind,
    enabled,
    action,
    context.vrf,
    context.direction,
    [...(context.interfaces ?? [])].sort().join(),
    signatures.traffic(match),
    signatures.translation(translation),
    [...unresolved].sort().join('&'),
  ].join('|');
}

/** So many places are looked at for one kind of rule that many of them hold. */
const MAX_POSTINGS = 32;

/**
 * Places that are gone -> places that are new and hold at least half of the same rules. Where both names stand on both sides,
 * a rule that went from one to the other has moved, and the places are what they were.
 */
export function renamedPlaces(
  before: readonly Rule[],
  after: readonly Rule[],
  signatures: Signatures,
): ReadonlyMap<string, string> {
  const [old, now] = [before, after].map((rules) => Map.groupBy(rules, placeOf));
  const gone = [...old].filter(([place]) => !now.has(place));
  const fresh = [...now].filter(([place]) => !old.has(place));
  const renamed = new Map<string, string>();
  if (gone.length === 0 || fresh.length === 0) return renamed;
  const postings = postingsOf(fresh, signatures);
  const taken = new Set<string>();
  for (const [place, rules] of gone) {
    const common = new Map<string, number>();
    for (const rule of rules)
      for (const other of postings.get(contentOf(rule, signatures)) ?? [])
        common.set(other, (common.get(other) ?? 0) + 1);
    const [best] = [...common].filter(([other]) => !taken.has(other)).sort((a, b) => b[1] - a[1]);
    if (!best) continue;
    const [other, count] = best;
    if (count * 2 < Math.max(rules.length, now.get(other)?.length ?? 0)) continue;
    taken.add(other);
    renamed.set(place, other);
  }
  return renamed;
}

function postingsOf(places: readonly (readonly [string, readonly Rule[]])[], signatures: Signatures) {
  const postings = new Map<string, Set<string>>();
  for (const [place, rules] of places)
    for (const rule of rules) {
      const content = contentOf(rule, signatures);
      const found = postings.get(content) ?? new Set();
      if (found.size < MAX_POSTINGS) found.add(place);
      postings.set(content, found);
    }
  return postings;
}

/** Whether a match leaves everything open but what it says of `action`. */
export const isWide = ({ match, translation }: Rule, signatures: Signatures): boolean =>
  translation === undefined &&
  signatures.ranges(match.services) === signatures.ranges(ANY_TRAFFIC.services) &&
  signatures.names(match.ingress) === signatures.names(ANY_TRAFFIC.ingress) &&
  signatures.names(match.egress) === signatures.names(ANY_TRAFFIC.egress);

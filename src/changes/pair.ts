// rules before and after -> pairs: by key, by equal effect, by likeness within one list
import type { Rule } from '../model/rule.ts';
import type { Signatures } from './signature.ts';

export interface Pair {
  readonly before?: Rule;
  readonly after?: Rule;
  /** The rule's key; from the second rule of one key on with its ordinal: "key#2". */
  readonly key: string;
}

/** Every rule of both sides stands in exactly one pair. */
export function pairRules(before: readonly Rule[], after: readonly Rule[], signatures: Signatures): Pair[] {
  const names = new Map([...named(before), ...named(after)]);
  const pairs: Pair[] = [];
  let old = [...before];
  let now = [...after];
  const bind = (keyOf: (rule: Rule) => string | undefined) => {
    if (old.length === 0 || now.length === 0) return;
    const waiting = Map.groupBy(old, keyOf);
    const taken = new Set<Rule>();
    now = now.filter((rule) => {
      const key = keyOf(rule);
      const partner = key === undefined ? undefined : waiting.get(key)?.shift();
      if (!partner) return true;
      taken.add(partner);
      pairs.push({ before: partner, after: rule, key: names.get(rule) ?? rule.key });
      return false;
    });
    old = old.filter((rule) => !taken.has(rule));
  };
  bind((rule) => `${rule.key}|${effectOf(rule, signatures)}|${rule.enabled}`);
  bind((rule) => rule.key);
  bind((rule) => `${effectOf(rule, signatures)}|${rule.enabled}`);
  for (const likeness of likenesses(signatures)) bind(likeness);
  return [
    ...pairs,
    ...old.map((rule) => ({ before: rule, key: names.get(rule) ?? rule.key })),
    ...now.map((rule) => ({ after: rule, key: names.get(rule) ?? rule.key })),
  ];
}

function named(rules: readonly Rule[]): [Rule, string][] {
  const seen = new Map<string, number>();
  return rules.map((rule) => {
    const ordinal = (seen.get(rule.key) ?? 0) + 1;
    seen.set(rule.key, ordinal);
    return [rule, ordinal === 1 ? rule.key : `${rule.key}#${ordinal}`];
  });
}

const placeOf = ({ kind, context: c }: Rule) =>
  [kind, c.vrf, c.table, c.chain, c.list, c.family, c.direction, [...(c.interfaces ?? [])].sort()].join('|');

/** Equal for rules that do the same in the same place, whatever they are called; `enabled` is left to the caller. */
export function effectOf(rule: Rule, signatures: Signatures): string {
  return [
    placeOf(rule),
    rule.action,
    signatures.traffic(rule.match),
    signatures.translation(rule.translation),
    [...rule.unresolved].sort().join('&'),
  ].join('|');
}

/** What an edit leaves alone, from the smallest edit to the largest. */
function likenesses(signatures: Signatures): ((rule: Rule) => string | undefined)[] {
  const fields: ((rule: Rule) => string)[] = [
    (rule) => signatures.addresses(rule.match.sources),
    (rule) => signatures.addresses(rule.match.destinations),
    (rule) => signatures.ranges(rule.match.services),
    (rule) => `${signatures.names(rule.match.ingress)}>${signatures.names(rule.match.egress)}`,
    (rule) => rule.action,
    (rule) => signatures.translation(rule.translation),
  ];
  const all = fields.map((_, i) => i);
  const without = (...left: number[]) => all.filter((i) => !left.includes(i));
  const kept = [
    ...all.map((i) => without(i)),
    // Two fields edited at once; a translation stays with its action.
    ...[without(0, 1), without(0, 2), without(1, 2), without(4, 5), without(1, 5), without(2, 5)],
  ];
  const comment = (rule: Rule) =>
    rule.comment ? `${placeOf(rule)}|${rule.action}|${rule.comment}` : undefined;
  return [
    comment,
    ...kept.map((list) => (rule: Rule) => [placeOf(rule), ...list.map((i) => fields[i](rule))].join('|')),
  ];
}

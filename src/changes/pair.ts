// rules before and after -> pairs: by key, by equal effect, by likeness within one list
import type { Rule } from '../model/rule.ts';
import { contentOf, isWide, nameChanges, placeOf, renamedPlaces } from './places.ts';
import type { Signatures } from './signature.ts';

export interface Pair {
  readonly before?: Rule;
  readonly after?: Rule;
  /** The rule's key; from the second rule of one key on with its ordinal: "key#2". */
  readonly key: string;
}

/** Every rule of both sides stands in exactly one pair. */
export function pairRules(before: readonly Rule[], after: readonly Rule[], effects: Effects): Pair[] {
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
  bind((rule) => `${rule.key}|${effects.of(rule)}|${rule.enabled}`);
  bind((rule) => rule.key);
  bind((rule) => `${effects.of(rule)}|${rule.enabled}`);
  for (const likeness of likenesses(effects)) bind(likeness);
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

/** What rules do, as text to compare. */
export interface Effects {
  readonly signatures: Signatures;
  /** Kind, and the list in which a rule stands, under its name after. */
  readonly placeOf: (rule: Rule) => string;
  /** Equal for rules that do the same in the same place, whatever they are called; `enabled` is left to the caller. */
  readonly of: (rule: Rule) => string;
}

export function createEffects(
  before: readonly Rule[],
  after: readonly Rule[],
  signatures: Signatures,
): Effects {
  const renamed = renamedPlaces(before, after, signatures);
  const known = new Map<Rule, string>();
  const where = (rule: Rule) => {
    const place = placeOf(rule);
    return renamed.get(place) ?? place;
  };
  // A jump names the chain it goes to.
  const names = new Map([...renamed].flatMap(([old, now]) => nameChanges(old, now)));
  const actionOf = ({ action }: Rule) =>
    action
      .split(' ')
      .map((word) => names.get(word) ?? word)
      .join(' ');
  const effectOf = (rule: Rule) =>
    `${where(rule)}|${contentOf({ ...rule, action: actionOf(rule), enabled: true }, signatures)}`;
  return {
    signatures,
    placeOf: (rule) => {
      const { vrf, direction, interfaces } = rule.context;
      return [rule.kind, vrf, direction, [...(interfaces ?? [])].sort(), where(rule)].join('|');
    },
    of: (rule) => {
      const effect = known.get(rule) ?? effectOf(rule);
      known.set(rule, effect);
      return effect;
    },
  };
}

/** What an edit leaves alone, from the smallest edit to the largest. */
function likenesses({ signatures, placeOf: where }: Effects): ((rule: Rule) => string | undefined)[] {
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
  const comment = (rule: Rule) =>
    rule.comment ? `${where(rule)}|${rule.action}|${rule.comment}` : undefined;
  const like = (list: readonly number[]) => (rule: Rule) =>
    [where(rule), ...list.map((i) => fields[i](rule))].join('|');
  return [
    comment,
    ...all.map((i) => like(without(i))),
    // Both ends edited at once, with nothing else that tells the rule from others, make it another rule.
    (rule) => (isWide(rule, signatures) ? undefined : like(without(0, 1))(rule)),
    // A translation stays with its action.
    ...[without(0, 2), without(1, 2), without(4, 5), without(1, 5), without(2, 5)].map(like),
  ];
}

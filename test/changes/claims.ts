// rule sets before and after, packets -> whether the openings say of each packet just what became of it
import assert from 'node:assert/strict';
import { diffRuleSets } from '../../src/changes/diff.ts';
import { hasAddress } from '../../src/model/addresses.ts';
import type { Opening, RuleChange } from '../../src/model/change.ts';
import type { RuleSet, Translation } from '../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';
import { drawn, edited, packets, withRules } from './cases.ts';
import type { Random } from './random.ts';
import { type Fate, fatesOf, fateText, inBox, type Packet, simulated } from './simulator.ts';

export const show = (value: unknown) =>
  JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}` : item)) ?? '';

const shown = new WeakMap<Translation, string>();
function textOf(translation: Translation | undefined): string {
  if (!translation) return '';
  const text = shown.get(translation) ?? show(translation);
  shown.set(translation, text);
  return text;
}

const PORTED = [6, 17, 33, 132, 136];

/** Whether an opening that holds the packet is about this fate of it. */
export function claims(opening: Opening, p: Packet, fate: Fate): boolean {
  if ((opening.conditional === true) === fate.sure) return false;
  const { destinationTranslation: to, sourceTranslation: source } = opening;
  if (textOf(source) !== textOf(fate.source?.translation)) return false;
  const isAside = to && to.kind !== 'destination' && to.kind !== 'redirect';
  if (isAside) return textOf(to) === textOf(fate.redirect);
  return reaches(to, p, fate);
}

function reaches(to: Translation | undefined, p: Packet, fate: Fate): boolean {
  if (!to) return fate.destination === p.destination && fate.port === p.port;
  const [first, last] = to.ports && PORTED.includes(p.protocol) ? to.ports : [p.port, p.port];
  if (fate.port < first || fate.port > last) return false;
  if (!to.addresses) return fate.destination === 'self';
  return fate.destination !== 'self' && hasAddress(to.addresses, fate.destination);
}

/** As `claims`, for what is not followed exactly: a way may come without its source, and any condition. */
export function claimsCoarsely({ destinationTranslation: to }: Opening, p: Packet, fate: Fate): boolean {
  const isAside = to && to.kind !== 'destination' && to.kind !== 'redirect';
  return isAside ? textOf(to) === textOf(fate.redirect) : reaches(to, p, fate);
}

/** What passes on side `to` and not, not so or not as surely on side `from`. */
export function freshOf(from: readonly Fate[], to: readonly Fate[], p: Packet): Fate[] {
  if (to.length === 0) return [];
  return to.filter(
    (fate) => !from.some((other) => (other.sure || !fate.sure) && fateText(other, p) === fateText(fate, p)),
  );
}

export interface Seen {
  cases: number;
  packets: number;
  opened: number;
  closed: number;
  same: number;
  /** Kinds of fates among what opened. */
  readonly kinds: Map<string, number>;
}

export const nothingSeen = (): Seen => ({
  cases: 0,
  packets: 0,
  opened: 0,
  closed: 0,
  same: 0,
  kinds: new Map(),
});

/** Draws two rule sets and packets, and throws where an opening says too much or too little. */
export function checkCase(random: Random, packetCount: number, seen: Seen): void {
  const start = drawn(random);
  const before = withRules(start);
  const after = withRules(edited(random, start));
  const limits = { all: Infinity, box: Infinity };
  const changes = diffRuleSets(before, after, { internal: DEFAULT_INTERNAL }, limits);
  const sides = [simulated(before), simulated(after)] as const;
  const opens = changes.flatMap((change) => change.opens);
  const closes = changes.flatMap((change) => change.closes);
  const told = { number: seen.cases++, before, after, changes };
  assert.ok(
    changes.every((change) => !change.approximate),
    `case ${told.number}: not exact`,
  );
  for (const p of packets(random, [before, after], packetCount)) {
    const [old, now] = sides.map((side) => fatesOf(side, p));
    const opened = freshOf(old, now, p);
    const closed = freshOf(now, old, p);
    compare(opens, opened, p, 'opened', told);
    compare(closes, closed, p, 'closed', told);
    seen.packets++;
    if (opened.length > 0) seen.opened++;
    if (closed.length > 0) seen.closed++;
    if (opened.length + closed.length === 0) seen.same++;
    for (const fate of opened) for (const kind of kindsOf(fate, p)) count(seen.kinds, kind);
  }
}

interface Told {
  readonly number: number;
  readonly before: RuleSet;
  readonly after: RuleSet;
  readonly changes: readonly RuleChange[];
}

function compare(openings: readonly Opening[], fresh: readonly Fate[], p: Packet, what: string, told: Told) {
  const boxed = openings.filter((opening) => inBox(opening.traffic, p));
  const tell = (problem: string, more: unknown) =>
    `case ${told.number}: ${problem} ${what}: ${show({ p, more, fresh, boxed, before: told.before.policies, after: told.after.policies })}`;
  for (const fate of fresh)
    if (!boxed.some((opening) => claims(opening, p, fate))) assert.fail(tell('not claimed, though', fate));
  for (const opening of boxed)
    if (!fresh.some((fate) => claims(opening, p, fate))) assert.fail(tell('claimed, though not', opening));
}

const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);

function kindsOf(fate: Fate, p: Packet): string[] {
  return [
    typeof p.source === 'bigint' ? 'IPv6' : 'IPv4',
    ...(fate.sure ? [] : ['conditional']),
    ...(fate.destination === 'self' ? ['to the device'] : fate.translated ? ['destination NAT'] : []),
    ...(fate.port === p.port ? [] : ['other port']),
    ...(fate.redirect ? [fate.redirect.kind] : []),
    ...(fate.source ? [fate.source.translation?.offset ? 'source NAT one to one' : 'source NAT'] : []),
  ];
}

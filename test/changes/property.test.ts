import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffRuleSets } from '../../src/changes/diff.ts';
import { hasAddress } from '../../src/model/addresses.ts';
import { CHANGE_CLASSES, type Opening } from '../../src/model/change.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';
import { drawn, edited, packets, withRules } from './cases.ts';
import { type Fate, fatesOf, inBox, type Packet } from './interpreter.ts';
import { seeded } from './random.ts';

const CASES = 500;
const show = (value: unknown) => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v));

function claims(opening: Opening, p: Packet, fate: Fate): boolean {
  if (!inBox(opening.traffic, p) || (opening.conditional === true) === fate.sure) return false;
  const { destinationTranslation: to, sourceTranslation: source } = opening;
  const aside = to && to.kind !== 'destination' && to.kind !== 'redirect';
  if (aside) return show(to) === fate.redirect && (source === undefined ? '' : show(source)) === fate.source;
  if ((source === undefined ? '' : show(source)) !== fate.source) return false;
  if (!to) return fate.destination === p.destination && fate.port === p.port;
  const [first, last] = to.ports ?? [p.port, p.port];
  const portFits = [6, 17].includes(p.protocol)
    ? fate.port >= first && fate.port <= last
    : fate.port === p.port;
  if (!to.addresses) return fate.destination === 'self' && portFits;
  if (fate.destination === 'self' || !portFits || !hasAddress(to.addresses, fate.destination)) return false;
  return true;
}

/** Whether a packet that comes through like this comes through like `fate` too, and no less surely. */
const asFreely = (other: Fate, fate: Fate): boolean =>
  (other.sure || !fate.sure) && show({ ...other, sure: true }) === show({ ...fate, sure: true });

test('a packet passes newly, or newly so, if and only if an opening claims it', () => {
  const random = seeded(20_260_101);
  const seen = { opened: 0, closed: 0, same: 0 };
  for (let n = 0; n < CASES; n++) {
    const start = drawn(random);
    const before = withRules(start);
    const after = withRules(edited(random, start));
    const changes = diffRuleSets(before, after, { internal: DEFAULT_INTERNAL });
    const opens = changes.flatMap((change) => change.opens);
    const closes = changes.flatMap((change) => change.closes);
    for (const p of packets(random, [before, after])) {
      const old = fatesOf(before, p);
      const now = fatesOf(after, p);
      for (const [from, to, openings, what] of [
        [old, now, opens, 'opened'],
        [now, old, closes, 'closed'],
      ] as const) {
        const fresh = to.filter((fate) => !from.some((other) => asFreely(other, fate)));
        const boxed = openings.filter((opening) => inBox(opening.traffic, p));
        for (const fate of fresh)
          assert.ok(
            boxed.some((opening) => claims(opening, p, fate)),
            `case ${n}: ${what} but not claimed: ${show({ p, fate, from, to, boxed, before: before.policies, after: after.policies })}`,
          );
        for (const opening of boxed)
          assert.ok(
            fresh.some((fate) => claims(opening, p, fate)),
            `case ${n}: claimed but not ${what}: ${show({ p, opening, from, to, before: before.policies, after: after.policies })}`,
          );
        seen[fresh.length > 0 ? what : 'same']++;
      }
    }
  }
  // The draw must reach all of the cases in numbers.
  assert.ok(seen.opened > 3000 && seen.closed > 3000 && seen.same > 3000, show(seen));
});

/** As `claims`, for what is not followed exactly: a way may come without its source, and any condition. */
function claimsCoarsely(opening: Opening, p: Packet, fate: Fate): boolean {
  const { sourceTranslation, conditional, ...way } = opening;
  const to = way.destinationTranslation;
  const plain = { ...fate, redirect: '', source: '', sure: true };
  if (to && to.kind !== 'destination' && to.kind !== 'redirect')
    return claims(way, p, { ...plain, redirect: fate.redirect });
  return claims(way, p, plain);
}

test('what is not followed exactly is claimed too widely, never too narrowly, and no less gravely', () => {
  const random = seeded(20_260_102);
  const site = { internal: DEFAULT_INTERNAL };
  const seen = { opened: 0, approximate: 0 };
  for (let n = 0; n < CASES; n++) {
    const start = drawn(random);
    const before = withRules(start);
    const after = withRules(edited(random, start));
    const exact = diffRuleSets(before, after, site);
    const box = n % 2 === 0 ? 0 : 500;
    const changes = diffRuleSets(before, after, site, { all: Infinity, box });
    for (const list of ['opens', 'closes'] as const) {
      const ranks = (of: typeof changes) =>
        of.flatMap((change) => change[list].map((opening) => CHANGE_CLASSES.indexOf(opening.class)));
      assert.ok(Math.min(99, ...ranks(changes)) <= Math.min(99, ...ranks(exact)), `case ${n}: less grave`);
    }
    for (const p of packets(random, [before, after])) {
      const old = fatesOf(before, p);
      const now = fatesOf(after, p);
      for (const [from, to, list] of [
        [old, now, 'opens'],
        [now, old, 'closes'],
      ] as const) {
        const fresh = to.filter((fate) => !from.some((other) => asFreely(other, fate)));
        const boxed = changes.flatMap((change) => change[list]).filter((one) => inBox(one.traffic, p));
        for (const fate of fresh)
          assert.ok(
            boxed.some((opening) => claimsCoarsely(opening, p, fate)),
            `case ${n}: ${list} does not claim: ${show({ p, fate, from, to, boxed, before: before.policies, after: after.policies })}`,
          );
        seen.opened += fresh.length;
      }
    }
    seen.approximate += changes.filter((change) => change.approximate).length;
    assert.ok(exact.every((change) => !change.approximate));
  }
  assert.ok(seen.opened > 3000 && seen.approximate > 300, show(seen));
});

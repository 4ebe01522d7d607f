import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffRuleSets } from '../../src/changes/diff.ts';
import { CHANGE_CLASSES } from '../../src/model/change.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';
import { drawn, edited, packets, withRules } from './cases.ts';
import { checkCase, claimsCoarsely, freshOf, nothingSeen, show } from './claims.ts';
import { seeded } from './random.ts';
import { fatesOf, inBox, simulated } from './simulator.ts';

const CASES = 5_000;
const PACKETS_A_CASE = 255;
const COARSE_CASES = 500;
/** What must be among what opens, in numbers. */
const KINDS = [
  ...['IPv4', 'IPv6', 'conditional', 'to the device', 'destination NAT', 'other port'],
  ...['tunnel', 'proxy', 'policy-route', 'mirror', 'source NAT', 'source NAT one to one'],
];

test('a million packets: each passes newly, or newly so, if and only if an opening claims it', (t) => {
  const random = seeded(20_260_101);
  const seen = nothingSeen();
  for (let n = 0; n < CASES; n++) checkCase(random, PACKETS_A_CASE, seen);
  assert.ok(seen.packets > 1_000_000, `${seen.packets} packets`);
  // The draw must reach all of the cases in numbers.
  assert.ok(Math.min(seen.opened, seen.closed, seen.same) > 50_000, show(seen));
  for (const kind of KINDS)
    assert.ok((seen.kinds.get(kind) ?? 0) > 1_000, `${kind}: ${seen.kinds.get(kind)}`);
  t.diagnostic(`${seen.packets} packets, ${seen.opened} opened, ${seen.closed} closed`);
});

test('what is not followed exactly is claimed too widely, never too narrowly, and no less gravely', () => {
  const random = seeded(20_260_102);
  const site = { internal: DEFAULT_INTERNAL };
  const seen = { opened: 0, approximate: 0 };
  for (let n = 0; n < COARSE_CASES; n++) {
    const start = drawn(random);
    const before = withRules(start);
    const after = withRules(edited(random, start));
    const exact = diffRuleSets(before, after, site);
    const changes = diffRuleSets(before, after, site, { all: Infinity, box: n % 2 === 0 ? 0 : 500 });
    for (const list of ['opens', 'closes'] as const) {
      const ranks = (of: typeof changes) =>
        of.flatMap((change) => change[list].map((opening) => CHANGE_CLASSES.indexOf(opening.class)));
      assert.ok(Math.min(99, ...ranks(changes)) <= Math.min(99, ...ranks(exact)), `case ${n}: less grave`);
    }
    const sides = [simulated(before), simulated(after)];
    for (const p of packets(random, [before, after], 100)) {
      const [old, now] = sides.map((side) => fatesOf(side, p));
      for (const [from, to, list] of [
        [old, now, 'opens'],
        [now, old, 'closes'],
      ] as const) {
        const fresh = freshOf(from, to, p);
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
  }
  assert.ok(seen.opened > 3000 && seen.approximate > 300, show(seen));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffRuleSets } from '../../src/changes/diff.ts';
import { describeChange, presentChange } from '../../src/changes/present.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';
import { type Line, ruleSet } from './build.ts';

const site = { internal: DEFAULT_INTERNAL };
/** Each cuts what lies under it into more boxes. */
const many: Line[] = Array.from({ length: 3000 }, (_, n) => ({
  key: `r${n}`,
  action: n % 3 ? 'accept' : 'drop',
  from: `10.${n % 200}.${n % 251}.0/24`,
  to: `198.51.${n % 256}.${n % 97}`,
  service: `tcp/${1 + (n % 900)}`,
}));
const everything: Line = { key: 'everything', action: 'accept' };

test('what is too finely cut to follow is claimed whole, in bounded time', () => {
  const [change, ...others] = diffRuleSets(
    ruleSet({ id: 'forward', lines: many }),
    ruleSet({ id: 'forward', lines: [everything, ...many] }),
    site,
    { all: 100_000, box: 100_000 },
  );
  assert.deepEqual(others, []);
  assert.deepEqual([change.kind, change.class, change.ruleKey], ['added', 'egress-permit', 'everything']);
  assert.match(describeChange(change), /now possible: .*any/);
  assert.equal(change.approximate, true);
  assert.match(describeChange(change), /too finely cut to follow exactly/);
  assert.equal(presentChange(change).approximate, true);
});

test('a wide permit that moves to the top of them is not missed', () => {
  const changes = diffRuleSets(
    ruleSet({ id: 'forward', lines: [...many, everything] }),
    ruleSet({ id: 'forward', lines: [everything, ...many] }),
    site,
  );
  assert.ok(changes.some((change) => change.kind === 'moved' && change.class === 'egress-permit'));
});

test('narrow edits in a large rule set stay exact', () => {
  const lines = [...many];
  lines[1500] = { ...lines[1500], action: 'accept', to: '203.0.113.9', service: 'tcp/1', from: '10.1.1.1' };
  const changes = diffRuleSets(ruleSet({ id: 'f', lines: many }), ruleSet({ id: 'f', lines }), site);
  const opens = changes.flatMap((change) => change.opens);
  assert.equal(opens.length, 1);
  assert.equal(opens[0].class, 'egress-permit');
  assert.ok(changes.every((one) => !one.approximate && !presentChange(one).approximate));
});

test('text of the device cannot drive a terminal', () => {
  const evil = ruleSet({ id: 'f', lines: [{ ...everything, key: 'a\u001b[2Jb' }] });
  const [change] = diffRuleSets(ruleSet({ id: 'f', lines: [] }), evil, site);
  const text = describeChange(change);
  assert.ok(!text.includes('\u001b'));
  assert.ok(text.includes('\\u001b[2J'));
});

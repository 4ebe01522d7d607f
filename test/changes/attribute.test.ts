// which change a newly passing piece is laid to
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffRuleSets } from '../../src/changes/diff.ts';
import { describeOpening } from '../../src/changes/present.ts';
import type { RuleSet } from '../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';
import { type Chain, type Line, ruleSet } from './build.ts';

const lan = { from: '10.20.0.0/24' };
const chain = (id: string, otherwise: Chain['otherwise'], ...lines: Line[]): Chain => ({
  id,
  otherwise,
  lines,
});
const blamed = (before: RuleSet, after: RuleSet) =>
  diffRuleSets(before, after, { internal: DEFAULT_INTERNAL }).map(
    ({ kind, ruleKey, opens }) => `${kind} ${ruleKey}: ${opens.map(describeOpening).join('; ')}`,
  );

test('who dropped a packet is to blame alone for what passes when it is gone, not who let it through before', () => {
  const first = (to: string) => chain('first', 'drop', { key: 'permit', action: 'accept', ...lan, to });
  const deny: Line = { key: 'deny', action: 'drop', to: '10.1.0.0/16' };
  assert.deepEqual(
    blamed(
      ruleSet(first('10.1.0.0/16'), chain('second', 'accept', deny)),
      ruleSet(first('10.1.0.0/16 10.3.0.0/16'), chain('second', 'accept')),
    ),
    ['modified permit: 10.20.0.0/24 -> 10.3.0.0/16 any', 'removed deny: 10.20.0.0/24 -> 10.1.0.0/16 any'],
  );
});

test('a drop that is new is not to blame for what passes it under a condition', () => {
  const deny: Line = { key: 'deny', action: 'drop', ...lan };
  const maybe: Line = { key: 'maybe', action: 'accept', ...lan, unresolved: ['mark 7'] };
  const narrow: Line = { key: 'narrow', action: 'drop', ...lan, to: '10.1.0.0/16', service: 'tcp/22' };
  const changes = blamed(
    ruleSet(chain('f', 'accept', deny)),
    ruleSet(chain('f', 'accept', maybe, narrow, deny)),
  );
  assert.match(changes[0], /^added maybe: under conditions .* -> 10\.1\.0\.0\/16 tcp\/22$/);
  assert.deepEqual(changes.slice(1), ['added narrow: ']);
});

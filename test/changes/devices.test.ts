import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diffRuleSets } from '../../src/changes/diff.ts';
import { describeOpening } from '../../src/changes/present.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';
import { readRules } from '../../src/rules/read.ts';

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../devices', name, 'snapshot.cfg'), 'utf8');
const diff = (before: string, after: string) =>
  diffRuleSets(readRules(before).ruleSet, readRules(after).ruleSet, { internal: DEFAULT_INTERNAL });

test('IOS: a network more in an object group opens the relay to it', () => {
  const changes = diff(fixture('cisco-ios/isr-group_15.9-before'), fixture('cisco-ios/isr-group_15.9-after'));
  assert.deepEqual(
    changes.map((change) => [change.class, change.kind]),
    [
      ['egress-relay', 'modified'],
      ['source-nat', 'modified'],
      ['internal', 'modified'],
    ],
  );
  const [way] = changes[0].opens;
  assert.equal(
    describeOpening(way),
    '10.70.64.0/18 -> 198.51.100.44 tcp/3128 by destination NAT of 10.70.255.1 tcp/3128 (in GigabitEthernet0/1, out GigabitEthernet0/0), seen as 203.0.113.130',
  );
  assert.equal(way.class, 'egress-relay');
});

test('netfilter: what accepts only translated packets opens nothing until a translation comes', () => {
  const text = (relay: string, accept: string) =>
    [
      '*nat',
      ':PREROUTING ACCEPT [0:0]',
      ...(relay ? [relay] : []),
      'COMMIT',
      '*filter',
      ':FORWARD DROP [0:0]',
      ...(accept ? [accept] : []),
      'COMMIT',
      '',
    ].join('\n');
  const accept = '-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT';
  const relay =
    '-A PREROUTING -d 10.20.0.1/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 203.0.113.50:443';
  assert.deepEqual(diff(text('', ''), text('', accept))[0].opens, []);
  const [change] = diff(text('', accept), text(relay, accept));
  assert.deepEqual([change.class, change.opens.length, change.closes], ['egress-relay', 1, []]);
  assert.equal(
    describeOpening(change.opens[0]),
    '0.0.0.0/0 -> 203.0.113.50 tcp/443 by destination NAT of 10.20.0.1 tcp/8443',
  );
});

test('netfilter: a drop in front of destination NAT stops what arrives, not what it becomes', () => {
  const text = (drop: string) =>
    [
      '*raw',
      ':PREROUTING ACCEPT [0:0]',
      ...(drop ? [drop] : []),
      'COMMIT',
      '*nat',
      ':PREROUTING ACCEPT [0:0]',
      '-A PREROUTING -d 10.20.0.1/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 203.0.113.50:443',
      'COMMIT',
      '*filter',
      ':FORWARD DROP [0:0]',
      '-A FORWARD -d 203.0.113.50/32 -p tcp -m tcp --dport 443 -m conntrack --ctstate DNAT -j ACCEPT',
      'COMMIT',
      '',
    ].join('\n');
  const closed = (drop: string) =>
    diff(text(''), text(drop)).flatMap(({ closes }) => closes.map(describeOpening));
  assert.deepEqual(closed('-A PREROUTING -d 203.0.113.50/32 -j DROP'), []);
  assert.deepEqual(
    closed('-A PREROUTING -s 10.20.7.0/24 -d 10.20.0.1/32 -p tcp -m tcp --dport 8443 -j DROP'),
    ['10.20.7.0/24 -> 203.0.113.50 tcp/443 by destination NAT of 10.20.0.1 tcp/8443'],
  );
});

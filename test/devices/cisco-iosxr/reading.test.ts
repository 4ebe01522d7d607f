import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ciscoIosXr } from '../../../devices/cisco-iosxr.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';
import { historyEntries } from '../../../src/snapshots/history.ts';

const read = (text: string) => ciscoIosXr.read(text);
const entries = (text: string, stage: Stage): string[] =>
  describeRuleSet(read(text))
    .policies.filter((policy) => policy.stage === stage)
    .flatMap(({ ingress, egress, entries: steps }) =>
      (steps as string[]).map((step) => `${ingress} > ${egress}: ${step}`),
    );

const bound = (entry: string, group = 'ipv4 access-group A ingress') => `ipv4 access-list A
 ${entry}
!
interface GigabitEthernet0/0/0/0
 ipv4 address 10.0.0.1 255.255.255.0
 ${group}
!
`;

test('a permit that gains a next hop redirects, and without one it does not', () => {
  const plain = bound('10 permit tcp any host 10.0.3.1');
  const forwarding = bound('10 permit tcp any host 10.0.3.1 nexthop1 ipv4 203.0.113.9');
  assert.deepEqual(entries(plain, 'redirect'), []);
  assert.deepEqual(entries(forwarding, 'redirect'), [
    'GigabitEthernet0/0/0/0 > any: translate tcp from 0.0.0.0/0 to 10.0.3.1 => policy-route 203.0.113.9',
  ]);
  assert.deepEqual(entries(plain, 'filter'), entries(forwarding, 'filter'));
});

test('the next hop acts on what enters where the list is bound, and nowhere else', () => {
  const text = bound('10 permit tcp any any nexthop1 ipv4 203.0.113.9');
  assert.equal(entries(text.replace(' ipv4 access-group A ingress\n', ''), 'redirect').length, 0);
  assert.equal(entries(text.replace(' ipv4 address', ' shutdown\n ipv4 address'), 'redirect').length, 0);
});

test('next hops by VRF, with tracking, several, and only as a default', () => {
  const way = (words: string) => read(bound(`10 permit ipv4 any any ${words}`)).rules[0];
  assert.equal(way('nexthop1 vrf V ipv4 10.0.14.1').action, 'permit nexthop 10.0.14.1, vrf V');
  assert.equal(way('nexthop1 vrf V').action, 'permit vrf V');
  assert.equal(
    way('nexthop1 track T ipv4 10.0.1.1 nexthop2 vrf V ipv4 10.0.1.2 nexthop3 ipv4 10.0.1.3').action,
    'permit nexthop 10.0.1.1, nexthop 10.0.1.2, nexthop 10.0.1.3, vrf V',
  );
  assert.match(
    entries(bound('10 permit ipv4 any any default nexthop1 ipv4 10.0.1.1'), 'redirect')[0],
    /if only where no route leads there$/,
  );
  assert.equal(way('log nexthop1 ipv4 10.0.1.1').action, 'permit nexthop 10.0.1.1');
  assert.equal(read(bound('10 permit ipv4 any any nexthop1')).unread.length, 1);
});

test('a next hop inside a tunnel leads to its far end', () => {
  const tunnel = `interface tunnel-ip1
 ipv4 address 172.31.0.1 255.255.255.252
 tunnel mode gre ipv4
 tunnel source 192.0.2.1
 tunnel destination 198.51.100.7
!
`;
  assert.match(
    entries(tunnel + bound('10 permit ipv4 any any nexthop1 ipv4 172.31.0.2'), 'redirect')[0],
    /=> tunnel 198\.51\.100\.7$/,
  );
});

test('renumbered entries keep their keys', () => {
  const list = (a: number, b: number) =>
    `ipv4 access-list A\n ${a} permit tcp any any eq www\n ${b} permit tcp any any eq 443\n!\n`;
  const keys = (text: string) => read(text).rules.map(({ key }) => key);
  assert.deepEqual(keys(list(10, 20)), keys(list(100, 110)));
  assert.deepEqual(keys(list(10, 20)), keys(list(10, 20).replace('www', '80')));
});

test('a common list comes before the other, and denies nothing at its own end', () => {
  const text = `ipv4 access-list C
 10 deny tcp any any eq 23
!
${bound('10 permit tcp any any', 'ipv4 access-group common C A ingress')}`;
  assert.deepEqual(
    entries(text, 'filter').map((entry) => entry.replace(/^.*: /, '')),
    [
      'drop tcp/23 from 0.0.0.0/0 to 0.0.0.0/0',
      'accept tcp from 0.0.0.0/0 to 0.0.0.0/0',
      'drop any from 0.0.0.0/0 to 0.0.0.0/0',
    ],
  );
});

test('an edited group changes the rule that it reaches, and not its key', () => {
  const text = (host: string) =>
    `object-group network ipv4 G\n host ${host}\n!\n${bound('10 permit tcp net-group G any eq 443')}`;
  const [before, after] = [read(text('10.0.0.5')).rules[0], read(text('10.0.0.6')).rules[0]];
  assert.equal(before.key, after.key);
  assert.notDeepEqual(before.match, after.match);
});

test('a list that is not there lets all pass; a group that is not there is said', () => {
  assert.deepEqual(entries(bound('', 'ipv4 access-group B ingress'), 'filter'), []);
  const [entry] = entries(bound('10 permit tcp net-group NONE any'), 'filter');
  assert.match(entry, /accept tcp from 0\.0\.0\.0\/0 .* if object-group NONE is not defined$/);
});

test('a statement of an interface or list that is not known is unread', () => {
  const text = `${bound('10 permit tcp any any wibble')}interface GigabitEthernet0/0/0/1
 service-policy type wibble input X
 ethernet-services access-group L2 ingress
!
`;
  assert.deepEqual(
    read(text).unread.map(({ text: line }) => line.trim()),
    ['10 permit tcp any any wibble', 'service-policy type wibble input X', 'ethernet-services access-group L2 ingress'],
  );
});

test('the commit list tells who committed and when', () => {
  const list = `SNo. Label/ID              User      Line                Client      Time Stamp
~~~~ ~~~~~~~~              ~~~~      ~~~~                ~~~~~~      ~~~~~~~~~~
1    1000000093            jdoe      vty0:node0_RSP0_CP  CLI         Mon Mar  2 22:14:07 2026
2    CHG31337              netops    con0_RSP0_CPU0      Rollback    Sun Mar  1 09:00:12 2026
`;
  const found = historyEntries(list, ciscoIosXr, 'UTC').map(({ user, atMs }) => [user, atMs]);
  assert.deepEqual(found, [
    ['jdoe', Date.UTC(2026, 2, 2, 22, 14, 7)],
    ['netops', Date.UTC(2026, 2, 1, 9, 0, 12)],
  ]);
});

test('prompts of route processors are prompts, lines of a configuration are not', () => {
  const { prompt } = ciscoIosXr.session;
  for (const line of ['RP/0/RSP0/CPU0:edge1#', 'RP/0/RP0/CPU0:ios# ', 'RP/0/0/CPU0:xr-1.lab(config)#'])
    assert.match(line, prompt);
  for (const line of ['edge1#', ' description to RP/0/RSP0/CPU0:edge1#', '!#']) assert.doesNotMatch(line, prompt);
});

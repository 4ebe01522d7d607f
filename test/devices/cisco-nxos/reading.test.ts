import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ciscoNxos } from '../../../devices/cisco-nxos.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../../src/model/site.ts';
import { describeRuleSet, trafficText } from '../../../src/rules/describe.ts';
import { found } from '../../../src/snapshots/clean.ts';

const read = (text: string) => ciscoNxos.read(text);
const entries = (text: string, stage: Stage): string[] =>
  describeRuleSet(read(text))
    .policies.filter((policy) => policy.stage === stage)
    .flatMap(({ ingress, egress, entries: steps }) =>
      (steps as string[]).map((step) => `${ingress} > ${egress}: ${step}`),
    );
const diff = (before: string, after: string) =>
  diffRuleSets(read(before), read(after), { internal: DEFAULT_INTERNAL });

const SIDES = `feature nat
interface Vlan10
  ip address 10.20.0.1/16
  ip nat inside
interface Ethernet1/1
  no switchport
  ip address 203.0.113.10/29
  ip nat outside
`;
const RELAY = 'ip nat outside source static tcp 45.76.10.9 443 10.20.250.9 8443 add-route\n';

test('NAT needs the rule and both sides; the interface that gains its side opens', () => {
  const without = SIDES.replace('  ip nat inside\n', '') + RELAY;
  assert.deepEqual(read(without).policies, []);
  assert.deepEqual(diff(SIDES, without).flatMap(({ opens }) => opens), []);
  const changes = diff(without, SIDES + RELAY);
  assert.equal(changes[0].class, 'egress-relay');
  assert.ok(
    changes[0].opens.some(
      ({ traffic }) =>
        trafficText(traffic) === 'tcp/8443 from 0.0.0.0/0 to 10.20.250.9 in Vlan10 out Ethernet1/1',
    ),
    changes[0].opens.map(({ traffic }) => trafficText(traffic)).join('\n'),
  );
  assert.equal(diff(SIDES, SIDES + RELAY)[0].kind, 'added');
  assert.ok(diff(SIDES + RELAY, without).every(({ opens }) => opens.every((one) => one.class !== 'egress-relay')));
});

test('static beats dynamic and the longest prefix comes first, whatever the order of the text', () => {
  const text = `${SIDES}ip access-list A
  10 permit ip 10.20.0.0/16 any
ip nat inside source list A interface Ethernet1/1 overload
ip nat inside source static 10.20.0.5 203.0.113.11
ip nat inside source static tcp 10.20.0.5 80 203.0.113.12 80
`;
  assert.deepEqual(
    entries(text, 'source-nat').map((entry) => entry.replace(/^.*=> /, '')),
    ['source 203.0.113.12:80', 'source 203.0.113.11', 'source 203.0.113.10'],
  );
});

test('renumbered entries, members and steps are no change', () => {
  const text = (a: number) => `object-group ip address G
  ${a} host 10.20.0.5
ip access-list A
  ${a} permit tcp addrgroup G any eq 443
  ${a + 1} permit udp any any eq 53 time-range T
time-range T
  ${a} periodic daily 8:00:00 to 18:00:00
vlan access-map M ${a}
  match ip address A
  action drop
vlan filter M vlan-list 10
route-map R permit ${a}
  match ip address A
  set ip next-hop 203.0.113.9
interface Vlan10
  ip access-group A in
  ip policy route-map R
`;
  assert.deepEqual(diff(text(10), text(500)), []);
});

test('an edited group changes every rule that it reaches, and opens by policy routing', () => {
  const text = (host: string) => `object-group ip address G
  10 host ${host}
ip access-list A
  10 permit ip addrgroup G any
route-map R permit 10
  match ip address A
  set ip next-hop 203.0.113.9
interface Vlan10
  ip policy route-map R
`;
  const changes = diff(text('10.20.0.5'), text('10.20.0.6'));
  assert.equal(changes[0].class, 'egress-relay');
  assert.deepEqual(
    changes.map(({ ruleKey }) => ruleKey.replace(/:[^:]*$/, '')).sort(),
    ['acl:A', 'route-map:R'],
  );
});

test('members with wildcards, prefixes and hosts; a wildcard is no mask', () => {
  const [rule] = read(`object-group ip address G
  10 10.20.0.0 0.0.255.255
  20 10.30.0.0/24
  30 host 10.40.0.1
ip access-list A
  10 permit ip addrgroup G any
`).rules;
  assert.deepEqual(describeRuleSet({ rules: [rule], policies: [], interfaces: [], unread: [] }).rules[0].sources, [
    '10.20.0.0/16',
    '10.30.0.0/24',
    '10.40.0.1',
  ]);
});

test('a session is down until it says no shut', () => {
  const session = (last: string) =>
    `monitor session 1 type erspan-source\n  destination ip 198.51.100.9\n  source interface Vlan10 rx\n${last}`;
  assert.equal(entries(session(''), 'redirect').length, 0);
  assert.equal(read(session('')).rules[0].enabled, false);
  assert.deepEqual(entries(session('  no shut\n'), 'redirect'), [
    'Vlan10 > any: translate any from any to any => mirror 198.51.100.9',
  ]);
});

test('WCCP takes what enters an interface that redirects, and nothing without one', () => {
  const text = 'ip wccp web-cache\ninterface Vlan10\n  ip address 10.20.0.1/16\n';
  assert.deepEqual(entries(text, 'redirect'), []);
  assert.deepEqual(entries(`${text}  ip wccp web-cache redirect in\n`, 'redirect'), [
    'Vlan10 > any: translate tcp/80 from 0.0.0.0/0 to 0.0.0.0/0 => proxy',
  ]);
  assert.deepEqual(entries(`${text}  ip wccp web-cache redirect out\n`, 'redirect'), [
    'any > Vlan10: translate tcp/80 from 0.0.0.0/0 to 0.0.0.0/0 => proxy',
  ]);
});

test('routes of a VRF stand in its block; a route into a tunnel redirects inside that VRF', () => {
  const text = `vrf context BLUE
  ip route 10.66.0.0/16 Tunnel1
interface Tunnel1
  vrf member BLUE
  tunnel source loopback0
  tunnel destination 198.51.100.7
interface Vlan10
  vrf member BLUE
interface Vlan20
`;
  assert.deepEqual(entries(text, 'redirect'), [
    'Tunnel1,Vlan10 > any: translate any from 0.0.0.0/0 to 10.66.0.0/16 => tunnel 198.51.100.7',
  ]);
});

test('what opens a way and is not understood is unread', () => {
  const text = `ip nat wibble everything
itd SERVICE
  device-group SERVERS
interface Vlan10
  ip nat wibble
  ip access-group A
ip access-list A
  10 permit wibble any any
  20 frobnicate
`;
  assert.deepEqual(
    read(text).unread.map((line) => line.text.trim()),
    [
      'ip nat wibble everything',
      'itd SERVICE',
      'device-group SERVERS',
      'ip nat wibble',
      'ip access-group A',
      '10 permit wibble any any',
      '20 frobnicate',
    ],
  );
});

test('only the answer to the second command proves that the first was whole', () => {
  const [running, version] = ciscoNxos.session.commands;
  assert.ok(found(running.endMarker, 'version 9.3(8)\nline console\nline vty\n'));
  assert.ok(!found(running.endMarker, 'version 9.3(8)\ninterface Vlan10\n'));
  assert.ok(!found(version.endMarker, 'version 9.3(8)\nline console\nline vty\n'));
});

test('changes are told by syslog', () => {
  const line =
    '2026 Mar  2 22:14:07 leaf1 %$ VDC-1 %$ %VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by admin on 10.0.0.7@pts/0';
  assert.ok(ciscoNxos.changedBy.some((pattern) => pattern.test(line)));
  assert.ok(ciscoNxos.session.logLines!.some((pattern) => pattern.test(line)));
});

test('what a route-map asks of routes and sets in them is nothing to packets', () => {
  const text = `route-map R permit 10
  match ip address A
  match metric 10
  set ip next-hop 203.0.113.9
  set tag 50000
ip access-list A
  10 permit ip any 192.0.2.0/24
interface Ethernet1/1
  ip policy route-map R
`;
  assert.deepEqual(entries(text, 'redirect'), [
    'Ethernet1/1 > any: translate any from 0.0.0.0/0 to 192.0.2.0/24 => policy-route 203.0.113.9',
  ]);
});

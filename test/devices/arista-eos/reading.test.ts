import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aristaEos } from '../../../devices/arista-eos.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../../src/model/site.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';

const read = (text: string) => aristaEos.read(text);
const entries = (text: string, stage: Stage): string[] =>
  describeRuleSet(read(text))
    .policies.filter((policy) => policy.stage === stage)
    .flatMap(({ ingress, egress, entries: steps }) =>
      (steps as string[]).map((step) => `${ingress} > ${egress}: ${step}`),
    );
const diff = (before: string, after: string) =>
  diffRuleSets(read(before), read(after), { internal: DEFAULT_INTERNAL });
const face = (...lines: string[]) =>
  `interface Ethernet1\n   no switchport\n   ip address 203.0.113.10/29\n${lines.map((line) => `   ${line}\n`).join('')}`;

test('static source NAT acts on what leaves its interface, and lets connections in by the translated address', () => {
  const text = face('ip nat source static 10.0.0.5 33 203.0.113.14 44 protocol tcp');
  assert.deepEqual(entries(text, 'source-nat'), [
    'any > Ethernet1: translate tcp from 10.0.0.5 port 33 to 0.0.0.0/0 => source 203.0.113.14:44',
  ]);
  assert.deepEqual(entries(text, 'destination-nat'), [
    'Ethernet1 > any: translate tcp/44 from 0.0.0.0/0 to 203.0.113.14 => destination 10.0.0.5:33',
  ]);
});

test('static destination NAT acts on what enters its interface; without a protocol on TCP and UDP', () => {
  const text = face('ip nat destination static 10.0.250.9 5001 45.76.0.9 5002');
  assert.deepEqual(entries(text, 'destination-nat'), [
    'Ethernet1 > any: translate tcp/5001,udp/5001 from 0.0.0.0/0 to 10.0.250.9 => destination 45.76.0.9:5002',
  ]);
});

test('a relay on the interface of the clients opens; on one that is shut down it does not', () => {
  const relay = 'ip nat destination static 10.0.250.9 443 45.76.0.9 443 protocol tcp';
  const [change] = diff(face(), face(relay));
  assert.deepEqual([change.kind, change.class], ['added', 'egress-relay']);
  assert.ok(diff(face('shutdown'), face('shutdown', relay)).every(({ opens }) => opens.length === 0));
  assert.equal(diff(face('shutdown', relay), face(relay))[0].class, 'egress-relay');
});

test('a list narrows a static statement; its edit is a change of the statement', () => {
  const text = (client: string) =>
    `${face('ip nat destination static 10.0.250.9 access-list WHO 45.76.0.9')}ip access-list WHO\n   10 permit ip host ${client} any\n`;
  assert.deepEqual(entries(text('10.0.0.7'), 'destination-nat'), [
    'Ethernet1 > any: translate any from 10.0.0.7 to 10.0.250.9 => destination 45.76.0.9',
  ]);
  const changes = diff(text('10.0.0.7'), text('10.0.0.8'));
  assert.ok(changes.some(({ ruleKey, class: grade }) => ruleKey.startsWith('nat:') && grade === 'egress-relay'));
});

test('static comes before dynamic, with ports before without, whatever the order of the text', () => {
  const text = `${face(
    'ip nat source dynamic access-list A overload',
    'ip nat source static 10.0.0.5 203.0.113.11',
    'ip nat source static 10.0.0.5 80 203.0.113.12 80 protocol tcp',
  )}ip access-list A\n   10 permit ip 10.0.0.0/8 any\n`;
  assert.deepEqual(
    entries(text, 'source-nat').map((entry) => entry.replace(/^.*=> /, '')),
    ['source 203.0.113.12:80', 'source 203.0.113.11', 'source 203.0.113.10'],
  );
});

test('pools on one line and as a block; one that is missing is said', () => {
  const text = (pool: string) =>
    `${face('ip nat source dynamic access-list A pool P')}ip access-list A\n   10 permit ip any any\n${pool}`;
  const range = 'source 203.0.113.20-203.0.113.22';
  for (const pool of [
    'ip nat pool P 203.0.113.20 203.0.113.22 prefix-length 24\n',
    'ip nat pool P prefix-length 24\n   range 203.0.113.20 203.0.113.22\n',
  ])
    assert.ok(entries(text(pool), 'source-nat')[0].endsWith(range), pool);
  assert.match(entries(text(''), 'source-nat')[0], /if pool P is not defined$/);
});

test('a profile acts on each interface that names it', () => {
  const profile = 'ip nat profile SHARED\n   ip nat source static 10.0.0.5 203.0.113.45\n';
  assert.equal(read(profile).rules.length, 0);
  assert.deepEqual(entries(face('ip nat service-profile SHARED') + profile, 'destination-nat'), [
    'Ethernet1 > any: translate any from 0.0.0.0/0 to 203.0.113.45 => destination 10.0.0.5',
  ]);
});

test('a comment is no part of the key, the interface is', () => {
  const key = (line: string) => read(face(line)).rules[0].key;
  assert.equal(
    key('ip nat source static 10.0.0.5 203.0.113.5'),
    key('ip nat source static 10.0.0.5 203.0.113.5 comment CHG1'),
  );
  const moved = face('ip nat source static 10.0.0.5 203.0.113.5').replace('Ethernet1', 'Ethernet2');
  assert.notEqual(read(moved).rules[0].key, key('ip nat source static 10.0.0.5 203.0.113.5'));
});

test('renumbered entries and classes are no change', () => {
  const text = (a: number) => `ip access-list A
   ${a} permit tcp any any eq https
   ${a + 5} deny ip any any
class-map type pbr match-any C
   ${a} match ip access-group A
policy-map type pbr P
   ${a} class C
      set nexthop 203.0.113.9
${face('service-policy type pbr input P', 'ip access-group A in')}`;
  assert.deepEqual(diff(text(10), text(300)), []);
});

test('a traffic policy: the first match decides, and what it passes is routed', () => {
  const text = `traffic-policies
   field-set ipv4 prefix CLIENTS
      10.0.4.0/23
      except 10.0.4.9/32
   traffic-policy TP
      match KEEP ipv4
         destination prefix 10.9.0.0/16
         actions
            count
      match RELAY ipv4
         source prefix field-set CLIENTS
         protocol tcp destination port 443, 8000-8010
         actions
            redirect next-hop 203.0.113.66
      match REST ipv4
         actions
            drop
${face('traffic-policy input TP')}`;
  assert.deepEqual(entries(text, 'redirect'), [
    'Ethernet1 > any: translate tcp/443,tcp/8000-8010 from 10.0.4.0-10.0.4.8,10.0.4.10-10.0.5.255 to 0.0.0.0-10.8.255.255,10.10.0.0-255.255.255.255 => policy-route 203.0.113.66',
  ]);
  assert.deepEqual(
    entries(text, 'filter').map((entry) => entry.replace('Ethernet1 > any: ', '')),
    [
      'accept any from 0.0.0.0/0 to 10.9.0.0/16',
      'accept tcp/443,tcp/8000-8010 from 10.0.4.0-10.0.4.8,10.0.4.10-10.0.5.255 to 0.0.0.0/0',
      'drop any from 0.0.0.0/0 to 0.0.0.0/0',
    ],
  );
  assert.deepEqual(read(text.replace('traffic-policy input TP', '')).policies, []);
});

test('mirrors: each source has its direction, a tunnel has a far end', () => {
  const text = `monitor session M source Ethernet1-2 rx
monitor session M source Ethernet7 tx
monitor session M destination tunnel mode gre source 192.0.2.1 destination 198.51.100.9
`;
  assert.deepEqual(entries(text, 'redirect'), [
    'Ethernet1,Ethernet2 > any: translate any from any to any => mirror 198.51.100.9',
    'any > Ethernet7: translate any from any to any => mirror 198.51.100.9',
  ]);
  assert.deepEqual(entries(text.replace(/destination tunnel.*/, 'destination Ethernet9'), 'redirect'), []);
});

test('banners are not statements; statements that are not understood are unread', () => {
  const text = `banner motd
ip nat frobnicate
EOF
ip nat frobnicate
${face('ip nat source static 10.0.0.5', 'ip nat source dynamic pool P', 'tunnel mode gre', 'traffic-policy TP')}`;
  assert.deepEqual(
    read(text).unread.map((line) => line.text.trim()),
    ['ip nat frobnicate', 'ip nat source static 10.0.0.5', 'ip nat source dynamic pool P', 'traffic-policy TP'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entries, read, unread } from './entries.ts';

const bound = (lines: string) => `interface Gi1\n ip access-group A in\nip access-list extended A\n${lines}`;
const steps = (lines: string) =>
  entries(bound(lines), 'filter')
    .map((entry) => entry.replace(/^Gi1 > any: /, ''))
    .slice(0, -1);

test('ports: several, ranges, names, and their complements', () => {
  assert.deepEqual(
    steps(` permit tcp any eq 20 21 host 10.0.0.1 range 8000 8010
 permit udp any any lt 100
 permit udp any any gt 65000
 permit tcp any any neq www
 permit tcp any any eq 22 www 443`),
    [
      'accept tcp/8000-8010 from 0.0.0.0/0 port 20-21 to 10.0.0.1',
      'accept udp/0-99 from 0.0.0.0/0 to 0.0.0.0/0',
      'accept udp/65001-65535 from 0.0.0.0/0 to 0.0.0.0/0',
      'accept tcp/0-79,tcp/81-65535 from 0.0.0.0/0 to 0.0.0.0/0',
      'accept tcp/22,tcp/80,tcp/443 from 0.0.0.0/0 to 0.0.0.0/0',
    ],
  );
});

test('wildcards: scattered bits are written out while they are few', () => {
  assert.deepEqual(
    steps(` permit ip 10.0.0.1 0.0.2.0 any
 permit ip 10.1.0.0 0.0.255.0 any
 permit ip 10.0.0.1 0.255.255.0 any`).map((step) => step.slice(0, 60)),
    [
      'accept any from 10.0.0.1,10.0.2.1 to 0.0.0.0/0',
      `accept any from 10.1.0.0,10.1.1.0,10.1.2.0,10.1.3.0,10.1.4.0,10.1.5.0`.slice(0, 60),
      'accept any from 10.0.0.1-10.255.255.1 to 0.0.0.0/0 if wildcard 10.0.0.1 0.255.255.0'.slice(0, 60),
    ],
  );
});

test('what never matches a first packet has no step; conditions that are not ranges are stated', () => {
  assert.deepEqual(
    steps(` permit tcp any any established
 deny ip any any fragments
 permit tcp any any match-all +ack
 permit tcp any host 10.0.0.1 match-any +syn +ack
 permit ip any any dscp ef log
 evaluate BACK
 permit icmp any any unreachable
 permit 47 any host 10.0.0.2`),
    [
      'accept tcp from 0.0.0.0/0 to 10.0.0.1',
      'accept any from 0.0.0.0/0 to 0.0.0.0/0 if dscp ef',
      'accept icmp/768-1023 from 0.0.0.0/0 to 0.0.0.0/0',
      'accept gre from 0.0.0.0/0 to 10.0.0.2',
    ],
  );
});

test('keys survive renumbering, logging and names of ports; a list ends in an implicit deny', () => {
  const keys = (lines: string) => read(bound(lines)).rules.map((rule) => rule.key);
  assert.deepEqual(
    keys(' 10 permit tcp any any eq www\n 20 deny udp any any'),
    keys(' permit tcp any any eq 80 log\n 99 deny   udp any any'),
  );
  assert.equal(
    entries(bound(' permit ip any any'), 'filter').at(-1),
    'Gi1 > any: drop any from 0.0.0.0/0 to 0.0.0.0/0',
  );
});

test('lists that are not bound, not defined or empty filter nothing', () => {
  assert.deepEqual(read('access-list 10 permit any').policies, []);
  assert.deepEqual(read('interface Gi1\n ip access-group NOPE in').policies, []);
  assert.deepEqual(
    read('interface Gi1\n ip access-group A in\nip access-list extended A\n remark x').policies,
    [],
  );
  assert.deepEqual(
    read('interface Gi1\n ip access-group 10 in\n shutdown\naccess-list 10 permit any').policies,
    [],
  );
});

test('input lists meet packets before translation, output lists after it', () => {
  const text =
    'interface Gi1\n ip access-group 10 in\n ip access-group 10 out\naccess-list 10 permit 10.0.0.1';
  assert.deepEqual(
    read(text).policies.map(({ sees, appliesTo }) => [sees, appliesTo.ingress.names, appliesTo.egress.names]),
    [
      ['untranslated', ['Gi1'], []],
      ['translated', [], ['Gi1']],
    ],
  );
});

test('groups: nesting, ranges, subnets, cycles and groups that are missing', () => {
  const text = `object-group network INNER
 range 10.0.0.1 10.0.0.3
 10.1.0.0 255.255.0.0
object-group network OUTER
 host 10.9.9.9
 group-object INNER
 group-object OUTER
 wibble
object-group service S
 tcp source range 1000 2000 eq 22
 udp 53
 tcp-udp gt 60000
${bound(' permit object-group S object-group OUTER any\n permit tcp object-group NONE any')}`;
  assert.deepEqual(
    entries(text, 'filter').slice(0, 3),
    [
      'accept tcp/22 from 10.0.0.1-10.0.0.3,10.1.0.0/16,10.9.9.9 port 1000-2000 to 0.0.0.0/0 if object-group OUTER contains itself',
      'accept tcp/60001-65535,udp/53,udp/60001-65535 from 10.0.0.1-10.0.0.3,10.1.0.0/16,10.9.9.9 to 0.0.0.0/0 if object-group OUTER contains itself',
      'accept tcp from 0.0.0.0/0 to 0.0.0.0/0 if object-group NONE is not defined',
    ].map((step) => `Gi1 > any: ${step}`),
  );
  assert.deepEqual(unread(text), ['wibble']);
});

test('a group member is a line of every rule that it reaches', () => {
  const text = `object-group network G\n host 10.0.0.1\n${bound(' permit ip object-group G any')}`;
  assert.deepEqual(
    read(text).rules[0].lines.map((line) => line.number),
    [6, 1, 2],
  );
});

test('IPv6 lists say nothing about IPv4', () => {
  const text = `interface Gi1
 ipv6 traffic-filter SIX in
ipv6 access-list SIX
 permit tcp 2001:db8::/32 eq 1024 host 2001:db8::1 eq 443 sequence 20
 deny icmp any any nd-ns`;
  assert.deepEqual(entries(text, 'filter'), [
    'Gi1 > any: accept tcp/443 from 2001:db8::/32 port 1024 to 2001:db8::1',
    'Gi1 > any: drop icmpv6/34560-34815 from ::/0 to ::/0',
    'Gi1 > any: drop any from ::/0 to ::/0',
  ]);
});

test('entries that are not understood are unread', () => {
  const lines = [
    'permit tcp any any eq',
    'permit tcp any any range 80',
    'permit wibble any any',
    'permit ip host any',
    'permit ip 10.0.0.0 any',
    'allow ip any any',
    'permit ip any any wibble',
  ];
  assert.deepEqual(unread(bound(lines.map((line) => ` ${line}`).join('\n'))), lines);
});

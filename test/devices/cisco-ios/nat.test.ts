import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entries, read, SIDES, unread } from './entries.ts';

const both = (text: string) => ({
  destination: entries(text, 'destination-nat'),
  source: entries(text, 'source-nat'),
});

test('a static port forward acts on what arrives outside, and on answers of its own host', () => {
  assert.deepEqual(both(`${SIDES}ip nat inside source static tcp 10.0.0.5 443 203.0.113.7 8443 extendable`), {
    destination: ['Gi2 > any: translate tcp/8443 from 0.0.0.0/0 to 203.0.113.7 => destination 10.0.0.5:443'],
    source: ['Gi1 > Gi2: translate tcp from 10.0.0.5 port 443 to 0.0.0.0/0 => source 203.0.113.7:8443'],
  });
});

test('a static statement of an interface takes its address', () => {
  const text = `${SIDES}ip nat inside source static udp 10.0.0.5 53 interface Gi2 5353`;
  assert.deepEqual(entries(text, 'destination-nat'), [
    'Gi2 > any: translate udp/5353 from 0.0.0.0/0 to 203.0.113.1 => destination 10.0.0.5:53',
  ]);
});

test('an address that the configuration does not hold is a superset and says so', () => {
  const text = `${SIDES.replace('ip address 203.0.113.1 255.255.255.0', 'ip address dhcp')}ip nat inside source static tcp 10.0.0.5 22 interface Gi2 22`;
  assert.deepEqual(entries(text, 'destination-nat'), [
    'Gi2 > any: translate tcp/22 from 0.0.0.0/0 to 0.0.0.0/0 => destination 10.0.0.5:22 if address of Gi2 is not in the configuration',
  ]);
});

test('a static network keeps offsets, with either form of mask', () => {
  for (const mask of ['/28', '255.255.255.240']) {
    const text = `${SIDES}ip nat inside source static network 10.0.0.16 203.0.113.32 ${mask}`;
    assert.deepEqual(entries(text, 'destination-nat'), [
      'Gi2 > any: translate any from 0.0.0.0/0 to 203.0.113.32/28 => destination 10.0.0.16/28 with offset',
    ]);
  }
});

test('an outside static statement is a relay for inside hosts', () => {
  assert.deepEqual(both(`${SIDES}ip nat outside source static tcp 45.76.0.9 443 10.0.0.250 8443 add-route`), {
    destination: ['Gi1 > Gi2: translate tcp/8443 from 0.0.0.0/0 to 10.0.0.250 => destination 45.76.0.9:443'],
    source: ['Gi2 > Gi1: translate tcp from 45.76.0.9 port 443 to 0.0.0.0/0 => source 10.0.0.250:8443'],
  });
});

test('static beats dynamic and the longest prefix comes first, whatever the order of the text', () => {
  const text = `${SIDES}
ip nat pool P 203.0.113.100 203.0.113.110 prefix-length 24
ip nat inside source list 1 pool P
ip nat inside source static network 10.0.0.0 203.0.114.0 /24
ip nat inside source static 10.0.0.5 203.0.113.5
ip nat inside source static tcp 10.0.0.5 80 203.0.113.6 80
access-list 1 permit 10.0.0.0 0.0.0.255`;
  assert.deepEqual(
    entries(text, 'source-nat').map((entry) => entry.replace(/^.*=> /, '')),
    [
      'source 203.0.113.6:80',
      'source 203.0.113.5',
      'source 203.0.114.0/24 with offset',
      'source 203.0.113.100-203.0.113.110',
    ],
  );
});

test('dynamic forms: list, route-map, pool with ranges, interface, destination, outside', () => {
  const lists = `access-list 1 permit 10.0.0.0 0.0.0.255
access-list 2 permit 203.0.113.50
route-map RM deny 10
 match ip address 101
route-map RM permit 20
 match ip address 1
access-list 101 permit ip any 172.16.0.0 0.15.255.255
ip nat pool P prefix-length 24
 range 203.0.113.20 203.0.113.21
 address 203.0.113.30 203.0.113.30
`;
  const of = (statement: string) => both(`${SIDES}${lists}${statement}`);
  assert.deepEqual(of('ip nat inside source list 1 interface Gi2 overload').source, [
    'Gi1 > Gi2: translate any from 10.0.0.0/24 to 0.0.0.0/0 => source 203.0.113.1',
  ]);
  assert.deepEqual(of('ip nat inside source route-map RM pool P').source, [
    'Gi1 > Gi2: translate any from 10.0.0.0/24 to 0.0.0.0-172.15.255.255,172.32.0.0-255.255.255.255 => source 203.0.113.20/31,203.0.113.30',
  ]);
  assert.deepEqual(of('ip nat inside destination list 2 pool P').destination, [
    'Gi2 > any: translate any from 0.0.0.0/0 to 203.0.113.50 => destination 203.0.113.20/31,203.0.113.30',
  ]);
  assert.deepEqual(of('ip nat outside source list 2 pool P').source, [
    'Gi2 > Gi1: translate any from 203.0.113.50 to 0.0.0.0/0 => source 203.0.113.20/31,203.0.113.30',
  ]);
  assert.match(of('ip nat inside source list 1 pool NONE').source[0], /if pool NONE is not defined$/);
});

test('a statement without both sides has a rule and no policy, and gains one with the side', () => {
  const statement = 'ip nat inside source static tcp 10.0.0.5 443 203.0.113.7 443';
  const without = read(`${SIDES.replace(' ip nat inside\n', '')}${statement}`);
  const shut = read(`${SIDES.replace(' ip nat inside\n', ' ip nat inside\n shutdown\n')}${statement}`);
  const complete = read(`${SIDES}${statement}`);
  for (const { rules, policies } of [without, shut]) {
    assert.equal(policies.length, 0);
    assert.equal(rules[0].key, complete.rules[0].key);
    assert.equal(rules[0].enabled, true);
  }
  assert.equal(complete.policies.length, 2);
});

test('statements of a VRF belong to the inside interfaces of that VRF', () => {
  const text = `${SIDES}interface Gi3
 ip vrf forwarding BLUE
 ip nat inside
ip nat inside source static 10.0.0.5 203.0.113.5 vrf BLUE
ip nat inside source static 10.0.0.6 203.0.113.6`;
  assert.deepEqual(
    entries(text, 'source-nat').map((entry) => entry.replace(/ => .*/, '')),
    [
      'Gi3 > Gi2: translate any from 10.0.0.5 to 0.0.0.0/0',
      'Gi1 > Gi2: translate any from 10.0.0.6 to 0.0.0.0/0',
    ],
  );
});

test('options that change nothing do not change the key; those that are not known are stated', () => {
  const key = (tail: string) => read(`ip nat inside source static 10.0.0.5 203.0.113.5${tail}`).rules[0];
  assert.equal(key(' extendable no-alias').key, key('').key);
  assert.deepEqual(key(' wibble').unresolved, ['option wibble']);
});

test('banners are not statements, and statements that are not understood are unread', () => {
  const text = `banner motd #
ip nat inside source static 10.0.0.5 203.0.113.5
#
ip nat inside source static tcp 10.0.0.5 abc 203.0.113.5 80
ip nat translation timeout 60
interface Gi1
 ip nat sideways
 no ip nat inside
ip nat pool P 10.0.0.300 10.0.0.1 netmask 255.0.0.0`;
  assert.deepEqual(read(text).rules, []);
  assert.deepEqual(unread(text), [
    'ip nat inside source static tcp 10.0.0.5 abc 203.0.113.5 80',
    'ip nat sideways',
    'ip nat pool P 10.0.0.300 10.0.0.1 netmask 255.0.0.0',
  ]);
});

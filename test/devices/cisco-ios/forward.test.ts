import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ciscoIos } from '../../../devices/cisco-ios.ts';
import { found } from '../../../src/snapshots/clean.ts';
import { entries, read, unread } from './entries.ts';

const TUNNEL = `interface Tunnel1
 ip address 10.255.0.1 255.255.255.252
 tunnel source Gi2
 tunnel destination 198.51.100.9
`;

test('policy routing: order by sequence, deny leaves to routing, lists of one match are alternatives', () => {
  const text = `interface Gi1
 ip policy route-map RM
route-map RM permit 20
 match ip address 10 11
 set ip next-hop 198.51.100.1
route-map RM deny 10
 match ip address 12
access-list 10 permit 10.0.0.1
access-list 11 permit 10.0.0.2 0.0.0.1
access-list 12 permit 10.0.0.3`;
  assert.deepEqual(entries(text, 'redirect'), [
    'Gi1 > any: translate any from 10.0.0.1 to 0.0.0.0/0 => policy-route 198.51.100.1',
    'Gi1 > any: translate any from 10.0.0.2 to 0.0.0.0/0 => policy-route 198.51.100.1',
  ]);
});

test('policy routing: forms of next hop', () => {
  const hop = (set: string) =>
    entries(`interface Gi1\n ip policy route-map RM\nroute-map RM permit 10\n set ${set}`, 'redirect')[0];
  const any = 'Gi1 > any: translate any from 0.0.0.0/0 to 0.0.0.0/0 => policy-route';
  assert.equal(hop('ip next-hop verify-availability 192.0.2.1 10 track 1'), `${any} 192.0.2.1`);
  assert.equal(hop('ip next-hop recursive 192.0.2.1'), `${any} 192.0.2.1`);
  assert.equal(hop('ip vrf RED next-hop 192.0.2.1'), `${any} 192.0.2.1`);
  assert.equal(hop('vrf RED'), any);
  assert.equal(hop('interface Dialer1'), any);
  assert.equal(
    hop('ip default next-hop 192.0.2.1'),
    `${any} 192.0.2.1 if only where no explicit route leads there`,
  );
  assert.equal(hop('ip dscp ef'), undefined);
});

test('what policy routing leaves alone may still be routed into a tunnel', () => {
  const text = `${TUNNEL}ip route 192.0.2.0 255.255.255.0 Tunnel1
interface Gi1
 ip policy route-map RM
route-map RM deny 10
 match ip address 12
route-map RM permit 20
 match ip address 13
 set ip next-hop 198.51.100.1
access-list 12 permit 10.0.0.3
access-list 13 permit 10.0.0.0 0.0.0.3`;
  assert.deepEqual(entries(text, 'redirect'), [
    'Gi1 > any: translate any from 10.0.0.0-10.0.0.2 to 0.0.0.0/0 => policy-route 198.51.100.1',
    'any > any: translate any from 0.0.0.0/0 to 192.0.2.0/24 => tunnel 198.51.100.9',
  ]);
});

test('an unbound route-map has rules and no policy; the key does not know the sequence number', () => {
  const at = (sequence: number) => read(`route-map RM permit ${sequence}\n set ip next-hop 192.0.2.1`);
  assert.equal(at(10).policies.length, 0);
  assert.equal(at(10).rules[0].key, at(900).rules[0].key);
});

test('a tunnel redirects only what is routed into it', () => {
  assert.deepEqual(read(TUNNEL).policies, []);
  assert.equal(read(TUNNEL).rules[0].kind, 'tunnel');
  assert.deepEqual(entries(`${TUNNEL}ip route 192.0.2.0 255.255.255.0 Tunnel1`, 'redirect'), [
    'any > any: translate any from 0.0.0.0/0 to 192.0.2.0/24 => tunnel 198.51.100.9',
  ]);
  assert.deepEqual(entries(`${TUNNEL}ip route 192.0.2.0 255.255.255.0 10.255.0.2`, 'redirect'), [
    'any > any: translate any from 0.0.0.0/0 to 192.0.2.0/24 => tunnel 198.51.100.9',
  ]);
  const shut = read(`${TUNNEL} shutdown\nip route 192.0.2.0 255.255.255.0 Tunnel1`);
  assert.deepEqual([shut.policies.length, shut.rules[0].enabled], [0, false]);
});

test('a longer prefix that goes elsewhere stays out of the tunnel', () => {
  const text = `${TUNNEL}ip route 0.0.0.0 0.0.0.0 Tunnel1\nip route 10.0.0.0 255.0.0.0 10.1.1.1`;
  assert.deepEqual(entries(text, 'redirect'), [
    'any > any: exempt any from 0.0.0.0/0 to 10.0.0.0/8',
    'any > any: translate any from 0.0.0.0/0 to 0.0.0.0/0 => tunnel 198.51.100.9',
  ]);
});

test('mirrors: ERSPAN has a far end, a local session only a rule', () => {
  const erspan = `monitor session 1 type erspan-source
 source interface Gi1
 destination
  erspan-id 1
  ip address 198.51.100.7
`;
  assert.deepEqual(entries(erspan, 'redirect'), [], 'shut down unless it says otherwise');
  assert.deepEqual(entries(`${erspan} no shutdown`, 'redirect'), [
    'Gi1 > any: translate any from any to any => mirror 198.51.100.7',
    'any > Gi1: translate any from any to any => mirror 198.51.100.7',
  ]);
  const local = read(
    'monitor session 2 source interface Gi1 rx\nmonitor session 2 destination interface Gi9',
  );
  assert.deepEqual([local.rules[0].action, local.policies.length], ['mirror rx to interface Gi9', 0]);
});

test('what opens a way and is not understood is unread', () => {
  const lines = [
    'crypto map M wibble',
    'ip wccp wibble',
    'ipv6 wccp 61',
    'ip route 10.0.0.0 255.0.255.0 10.1.1.1',
    'ip route vrf',
  ];
  assert.deepEqual(unread(lines.join('\n')), lines);
  assert.deepEqual(unread('interface Gi1\n xconnect 1.1.1.1 9 encapsulation mpls'), [
    'xconnect 1.1.1.1 9 encapsulation mpls',
  ]);
});

const PROTECTED = `crypto map M 10 ipsec-isakmp
 set peer 198.51.100.7
 match address A
ip access-list extended A
 permit ip 10.0.0.0 0.0.0.255 172.16.0.0 0.15.255.255
interface Gi2
 ip address 203.0.113.1 255.255.255.0
`;

test('a crypto map acts on what leaves the interface that names it, and nowhere else', () => {
  assert.deepEqual(entries(PROTECTED, 'redirect'), []);
  assert.deepEqual(entries(`${PROTECTED} crypto map M\n`, 'redirect'), [
    'any > Gi2: translate any from 10.0.0.0/24 to 172.16.0.0/12 => tunnel 198.51.100.7',
  ]);
  assert.deepEqual(entries(`${PROTECTED} crypto map M\n shutdown\n`, 'redirect'), []);
  const moved = PROTECTED.replace('198.51.100.7', '198.51.100.66');
  assert.notEqual(read(moved).rules[0].key, read(PROTECTED).rules[0].key);
  assert.equal(read(PROTECTED.replace('M 10', 'M 900')).rules[0].key, read(PROTECTED).rules[0].key);
});

test('entries of a crypto map are tried by their numbers; peers that announce themselves have no way', () => {
  const text = `${PROTECTED} crypto map M
crypto map M 5 ipsec-isakmp
 set peer 198.51.100.5
 match address B
crypto dynamic-map D 1
crypto map M 99 ipsec-isakmp dynamic D
ip access-list extended B
 permit ip 10.0.0.0 0.0.0.127 any
`;
  assert.deepEqual(
    entries(text, 'redirect').map((entry) => entry.replace(/^.*=> /, '')),
    ['tunnel 198.51.100.5', 'tunnel 198.51.100.7'],
  );
  assert.equal(read(text).rules.filter(({ kind }) => kind === 'tunnel').length, 3);
});

test('a multipoint tunnel has the far ends that NHRP is told', () => {
  const text = `interface Tunnel0
 ip address 172.31.0.2 255.255.255.0
 ip nhrp map 172.31.0.1 198.51.100.1
 tunnel source Gi2
 tunnel mode gre multipoint
ip route 10.66.0.0 255.255.0.0 Tunnel0
`;
  assert.deepEqual(entries(text, 'redirect'), [
    'any > any: translate any from 0.0.0.0/0 to 10.66.0.0/16 => tunnel 198.51.100.1 if further far ends are learned (NHRP)',
  ]);
  assert.deepEqual(entries(text.replace(/ ip nhrp map.*\n/, ''), 'redirect'), [
    'any > any: translate any from 0.0.0.0/0 to 10.66.0.0/16 => tunnel if far end of the tunnel is not in the configuration',
  ]);
});

test('WCCP: what redirects out leaves alone what enters by an excluded interface', () => {
  const text = `ip wccp web-cache
interface Gi1
 ip wccp redirect exclude in
interface Gi2
 ip wccp web-cache redirect out
`;
  assert.deepEqual(entries(text, 'redirect'), [
    'any but Gi1 > Gi2: translate tcp/80 from 0.0.0.0/0 to 0.0.0.0/0 => proxy',
  ]);
});

test('a drop in a policy of quality of service is unread, marking is not', () => {
  const text = 'policy-map QOS\n class MARKED\n  set dscp ef\n class BAD\n  drop\n';
  assert.deepEqual(unread(text), ['drop']);
});

test('where an account saw only a part, what it was shown in full is read', () => {
  const part = 'interface Gi1\n ip access-group A in\naccess-list 1 permit any\nend\n';
  const full = `${part}! show running-config view full\nversion 17.9\naccess-list 2 permit any\nend\n`;
  assert.deepEqual(read(full).rules.map(({ context }) => context.list), ['2']);
  const [, view] = ciscoIos.session.commands;
  assert.equal(found(view.when!.lacks!, part), false);
  assert.equal(found(view.when!.lacks!, full), true);
});

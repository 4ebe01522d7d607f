import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changes, entries, read, SIDES, unread } from './entries.ts';

const both = (lines: string, head = SIDES) => ({
  destination: entries(head + lines, 'destination-nat'),
  source: entries(head + lines, 'source-nat'),
});
const out = 'in Gi2 out Gi1';
const back = 'in Gi1 out Gi2';

test('static acts both ways, unidirectional and dynamic on what leaves only', () => {
  const leaves = `translate any from 10.0.0.5 to 0.0.0.0/0 ${out} => source 203.0.113.5`;
  assert.deepEqual(both('nat (inside,outside) source static A B'), {
    destination: [`translate any from 0.0.0.0/0 to 203.0.113.5 ${back} => destination 10.0.0.5`],
    source: [leaves],
  });
  for (const line of ['source static A B unidirectional', 'source dynamic A B'])
    assert.deepEqual(both(`nat (inside,outside) ${line}`), { destination: [], source: [leaves] });
});

test('a destination that is mapped is a relay: the local name becomes the far host', () => {
  assert.deepEqual(both('nat (inside,outside) source dynamic any interface destination static LOCAL FAR'), {
    destination: [`translate any from 0.0.0.0/0 to 10.0.0.250 ${out} => destination 192.0.2.77`],
    source: [`translate any from 0.0.0.0/0 to 192.0.2.77 ${out} => source 203.0.113.1 if translated`],
  });
});

test('an object whose mapped side is inside is a relay as well', () => {
  const text = 'object network FAR\n nat (outside,inside) static 10.0.0.251\n';
  assert.deepEqual(both(text).destination, [
    `translate any from 0.0.0.0/0 to 10.0.0.251 ${out} => destination 192.0.2.77`,
  ]);
});

test('services: the first is what the sender of the real side has, the second what it becomes', () => {
  const services = `object service OUTER\n service tcp destination eq 8443
object service INNER\n service tcp destination eq 443
object service FROM\n service udp source eq 53
object service AS\n service udp source eq 5353
`;
  const forwarded = both(
    `${services}nat (outside,inside) source static any any destination static interface A service OUTER INNER`,
  );
  assert.equal(
    forwarded.destination[0],
    `translate tcp/8443 from 0.0.0.0/0 to 203.0.113.1 ${back} => destination 10.0.0.5:443`,
  );
  const published = both(`${services}nat (inside,outside) source static A interface service FROM AS`);
  assert.deepEqual(published, {
    destination: [`translate udp/5353 from 0.0.0.0/0 to 203.0.113.1 ${back} => destination 10.0.0.5:53`],
    source: [`translate udp from 10.0.0.5 port 53 to 0.0.0.0/0 ${out} => source 203.0.113.1:5353`],
  });
});

test('an object with a service translates that port only', () => {
  const text = 'object network A\n nat (inside,outside) static interface service tcp 8080 80\n';
  assert.deepEqual(both(text).destination, [
    `translate tcp/80 from 0.0.0.0/0 to 203.0.113.1 ${back} => destination 10.0.0.5:8080`,
  ]);
});

const ORDER = `object network wide\n subnet 10.1.0.0 255.255.255.0
object network zulu\n host 10.0.0.20
object network alfa\n host 10.0.0.20
object network early\n host 10.0.0.10
object network hidden\n host 10.0.0.9
nat (inside,outside) after-auto source dynamic any interface
nat (inside,outside) source static A B
object network hidden\n nat (inside,outside) dynamic 203.0.113.60
object network wide\n nat (inside,outside) static 203.0.114.0
object network zulu\n nat (inside,outside) static 203.0.113.62
object network alfa\n nat (inside,outside) static 203.0.113.63
object network early\n nat (inside,outside) static 203.0.113.64
`;

test('order: twice, then static objects by size, address and name, then dynamic ones, then after-auto', () => {
  assert.deepEqual(
    read(SIDES + ORDER)
      .rules.filter(({ kind }) => kind === 'nat')
      .map(({ key, context }) => `${context.list}: ${key.replace(/^nat:(?!object)\w+$/, 'nat')}`),
    [
      'section 1: nat',
      'section 2: nat:object:early',
      'section 2: nat:object:alfa',
      'section 2: nat:object:zulu',
      'section 2: nat:object:wide',
      'section 2: nat:object:hidden',
      'section 3: nat',
    ],
  );
});

test('after-auto and its place do not change the key, a description neither', () => {
  const key = (line: string) => read(SIDES + line).rules.find(({ kind }) => kind === 'nat')!.key;
  const plain = key('nat (inside,outside) source static A B');
  assert.equal(key('nat (inside,outside) after-auto source static A B'), plain);
  assert.equal(key('nat (inside,outside) 3 source static A B inactive'), plain);
  assert.equal(key('nat (inside,outside) source static A B description mail'), plain);
  assert.notEqual(key('nat (inside,outside) source static A FAR'), plain);
});

test('a description with the words of NAT is text', () => {
  const text = `${SIDES}nat (inside,outside) source static A B description inactive nat (outside,inside) source static FAR LOCAL
object network A
 description nat (inside,outside) static 203.0.113.99`;
  const [rule, ...others] = read(text).rules.filter(({ kind }) => kind === 'nat');
  assert.deepEqual(others, []);
  assert.equal(rule.enabled, true);
  assert.equal(rule.comment, 'inactive nat (outside,inside) source static FAR LOCAL');
  assert.deepEqual(unread(text), []);
});

test('inactive statements are rules without an entry', () => {
  const text = `${SIDES}nat (inside,outside) source static A B inactive`;
  assert.deepEqual(both('nat (inside,outside) source static A B inactive'), { destination: [], source: [] });
  assert.equal(read(text).rules.find(({ kind }) => kind === 'nat')!.enabled, false);
});

test('identity keeps packets from later statements', () => {
  const lines = `nat (inside,outside) source static A A destination static FAR FAR no-proxy-arp route-lookup
nat (inside,outside) source dynamic any interface`;
  assert.equal(both(lines).source[0], `exempt any from 10.0.0.5 to 192.0.2.77 ${out}`);
});

test('pools: round robin, with the interface behind it', () => {
  const pool = 'object network P\n range 203.0.113.8 203.0.113.9\n';
  const source = (line: string) => both(`${pool}nat (inside,outside) source dynamic any ${line}`).source[0];
  assert.match(source('pat-pool P round-robin extended flat include-reserve'), /=> source 203.0.113.8\/31$/);
  assert.match(source('pat-pool P interface'), /=> source 203.0.113.1,203.0.113.8\/31$/);
  assert.match(source('P interface'), /=> source 203.0.113.1,203.0.113.8\/31$/);
});

test('an interface that is down translates nothing', () => {
  const down = SIDES.replace(' nameif outside', ' shutdown\n nameif outside');
  assert.deepEqual(both('nat (inside,outside) source static A B', down), { destination: [], source: [] });
});

test('words that are not known make a statement unread', () => {
  assert.deepEqual(unread(`${SIDES}nat (inside,outside) source static A B sideways`), [
    'nat (inside,outside) source static A B sideways',
  ]);
});

const OLD = SIDES.replace(/ASA Version.*\n/, 'ASA Version 8.2(5)\n').replace(/^object[\s\S]*/m, '');

test('8.2: exemption, static, dynamic by list, dynamic by the narrowest network', () => {
  const lines = `access-list POL extended permit ip 10.0.0.0 255.255.255.0 192.0.2.0 255.255.255.0
access-list EX extended permit ip any 10.9.0.0 255.255.0.0
global (outside) 1 interface
global (outside) 2 203.0.113.7
nat (inside) 1 0 0
nat (inside) 2 10.0.0.64 255.255.255.192
nat (inside) 2 access-list POL
nat (inside) 0 access-list EX
static (inside,outside) 203.0.113.5 10.0.0.5 netmask 255.255.255.255
`;
  assert.deepEqual(entries(OLD + lines, 'source-nat'), [
    'exempt any from 0.0.0.0/0 to 10.9.0.0/16 in Gi2',
    `translate any from 10.0.0.5 to 0.0.0.0/0 ${out} => source 203.0.113.5`,
    `translate any from 10.0.0.0/24 to 192.0.2.0/24 ${out} => source 203.0.113.7`,
    `translate any from 10.0.0.64/26 to 0.0.0.0/0 ${out} => source 203.0.113.7`,
    `translate any from 0.0.0.0/0 to 0.0.0.0/0 ${out} => source 203.0.113.1`,
  ]);
  assert.deepEqual(unread(OLD + lines), []);
});

test('8.2: lists see addresses on the wire, later versions real ones', () => {
  const lines =
    'access-list L extended permit tcp any host 203.0.113.5 eq 443\naccess-group L in interface outside\n';
  const sees = (text: string) => read(text).policies.find(({ id }) => id === 'access:outside:in')!.sees;
  assert.equal(sees(OLD + lines), 'untranslated');
  assert.equal(sees(SIDES + lines), undefined);
});

test('effect: an object that is edited alone turns a forward into a relay', () => {
  const nat = 'nat (inside,outside) source dynamic any interface destination static LOCAL FAR\n';
  const before = SIDES.replace('192.0.2.77', '10.7.0.7') + nat;
  assert.ok(changes(before, SIDES + nat).includes('modified egress-relay'));
  assert.deepEqual(changes(SIDES + nat, SIDES + nat), []);
});

test('effect: a statement that comes to stand in front of another', () => {
  const near = 'object network NEAR\n host 10.0.0.6\n';
  const first = 'nat (inside,outside) source dynamic any interface destination static LOCAL FAR\n';
  const second = 'nat (inside,outside) source dynamic any interface destination static LOCAL NEAR\n';
  assert.ok(
    changes(SIDES + near + second + first, SIDES + near + first + second).some((text) =>
      text.startsWith('moved egress-relay'),
    ),
  );
  const apart = first.replace('LOCAL', 'B');
  assert.deepEqual(changes(SIDES + near + second + apart, SIDES + near + apart + second), []);
});

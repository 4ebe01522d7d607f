import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diff, entries, read, ZONES } from './entries.ts';

const rule = (name: string, text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => `set rulebase nat rules ${name} ${line.trim()}`)
    .join('\n');
const SNAT = rule(
  'SNAT',
  `from in
   to out
   source any
   destination any
   source-translation dynamic-ip-and-port interface-address interface ethernet1/1`,
);
const NOOP = rule('NOOP', 'from in\n to out\n source 10.1.0.9\n destination any');
const DNAT = rule(
  'DNAT',
  `from in
   to in
   source any
   destination 10.1.250.1
   service service-https
   destination-translation translated-address 203.0.113.9`,
);

test('the first NAT rule that matches ends the list, even one without translation', () => {
  assert.deepEqual(entries(`${NOOP}\n${SNAT}`, 'source-nat'), [
    'exempt any from 10.1.0.9 to 0.0.0.0/0 in ethernet1/2 out ethernet1/1',
    'translate any from 0.0.0.0/0 to 0.0.0.0/0 in ethernet1/2 out ethernet1/1 => source 198.51.100.2',
  ]);
  assert.deepEqual(entries(`${SNAT}\n${NOOP}`, 'source-nat'), [
    'translate any from 0.0.0.0/0 to 0.0.0.0/0 in ethernet1/2 out ethernet1/1 => source 198.51.100.2',
  ]);
  const change = diff(`${ZONES}\n${NOOP}\n${SNAT}\n${ALLOW}`, `${ZONES}\n${SNAT}\n${NOOP}\n${ALLOW}`);
  assert.deepEqual(
    change.map(({ class: kind }) => kind),
    ['source-nat'],
  );
});

const ALLOW = 'set rulebase security rules a from any\nset rulebase security rules a to any\nset rulebase security rules a action allow';

test('the zone of a translated destination is not the one by which the packet leaves', () => {
  assert.deepEqual(entries(DNAT, 'destination-nat'), [
    'translate tcp/443 from 0.0.0.0/0 to 10.1.250.1 in ethernet1/2 => destination 203.0.113.9',
  ]);
  // Without a translation of the destination it is.
  assert.deepEqual(entries(`${NOOP}\n${DNAT}`, 'destination-nat')[0], 'exempt any from 10.1.0.9 to 0.0.0.0/0 in ethernet1/2 out ethernet1/1');
  // A security rule names the address as it arrives and the zone by which the packet leaves.
  const [opened] = diff(`${ZONES}${DNAT}`, `${ZONES}${DNAT}\n${PERMIT}`);
  assert.equal(opened.class, 'egress-relay');
  const [after] = diff(`${ZONES}${DNAT}`, `${ZONES}${DNAT}\n${PERMIT.replace('10.1.250.1', '203.0.113.9')}`);
  assert.notEqual(after.class, 'egress-relay');
});

const PERMIT = [
  'from in',
  'to out',
  'source any',
  'destination 10.1.250.1',
  'application any',
  'service service-https',
  'action allow',
]
  .map((line) => `set rulebase security rules p ${line}`)
  .join('\n');

test('a service that is set again takes the place of the other, sources and destinations add up', () => {
  const [nat] = read(
    `${ZONES}${SNAT}
set service one protocol tcp port 1
set service two protocol tcp port 2
set rulebase nat rules SNAT service one
set rulebase nat rules SNAT service two
set rulebase nat rules SNAT service one
set rulebase nat rules SNAT source 10.1.0.1
delete rulebase nat rules SNAT source any
set rulebase nat rules SNAT source [ 10.1.0.3 10.1.0.4 ]`,
  ).rules;
  assert.deepEqual(nat.match.services, [6 * 65_536 + 1, 6 * 65_536 + 1]);
  assert.equal(nat.match.sources.v4.length, 4);
  const [moved] = read(
    `${ZONES}${DNAT}\nset rulebase nat rules DNAT destination-translation translated-address 203.0.113.10`,
  ).rules;
  assert.deepEqual(moved.translation?.addresses?.v4, [0xcb00_710a, 0xcb00_710a]);
});

test('lines that move, rename and delete rules are obeyed', () => {
  const order = (more: string) => read(`${SNAT}\n${NOOP}\n${DNAT}\n${more}`).rules.flatMap(({ kind, key }) => (kind === 'nat' ? [key.split(' ').at(-1)] : []));
  assert.deepEqual(order(''), ['SNAT', 'NOOP', 'DNAT']);
  assert.deepEqual(order('move rulebase nat rules DNAT top'), ['DNAT', 'SNAT', 'NOOP']);
  assert.deepEqual(order('move rulebase nat rules SNAT bottom'), ['NOOP', 'DNAT', 'SNAT']);
  assert.deepEqual(order('move rulebase nat rules DNAT before NOOP'), ['SNAT', 'DNAT', 'NOOP']);
  assert.deepEqual(order('move rulebase nat rules SNAT after NOOP'), ['NOOP', 'SNAT', 'DNAT']);
  assert.deepEqual(order('rename rulebase nat rules NOOP to KEEP'), ['SNAT', 'KEEP', 'DNAT']);
  assert.deepEqual(order('delete rulebase nat rules SNAT'), ['NOOP', 'DNAT']);
});

test('a rule that is bound to one device of an active-active pair counts there alone', () => {
  const bound = (id: string) =>
    entries(
      `set deviceconfig high-availability group mode active-active device-id 1\n${SNAT}\nset rulebase nat rules SNAT active-active-device-binding ${id}`,
      'source-nat',
    );
  assert.equal(bound('0').length, 0);
  assert.equal(bound('1').length, 1);
  assert.equal(bound('both').length, 1);
  assert.match(bound('primary')[0], / if on the active-primary device$/);
});

test('a static source both ways lets connections in to the translated address', () => {
  const both = rule(
    'S',
    `from in
     to out
     source 10.1.0.20-10.1.0.23
     destination any
     source-translation static-ip translated-address 198.51.100.20-198.51.100.23`,
  );
  assert.deepEqual(entries(both, 'destination-nat'), []);
  assert.deepEqual(
    entries(`${both}\nset rulebase nat rules S source-translation static-ip bi-directional yes`, 'destination-nat'),
    [
      'exempt any from 10.1.0.20/30 to 0.0.0.0/0 in ethernet1/2 out ethernet1/1',
      'translate any from 0.0.0.0/0 to 198.51.100.20/30 => destination 10.1.0.20/30 with offset',
    ],
  );
});

test('a disabled rule is kept and enters nothing; enabling it shows', () => {
  const off = `${ZONES}${PERMIT}\n${DNAT}\nset rulebase nat rules DNAT disabled yes`;
  assert.deepEqual(entries(`${DNAT}\nset rulebase nat rules DNAT disabled yes`, 'destination-nat'), []);
  const [change] = diff(off, off.replace('disabled yes', 'disabled no'));
  assert.deepEqual([change.kind, change.class, change.ruleKey], ['enabled', 'egress-relay', 'nat vsys1 DNAT']);
});

test('a translated name that only DNS knows leaves the address open', () => {
  const text = DNAT.replace('translated-address 203.0.113.9', 'translated-address exit\nset address exit fqdn exit.example.net');
  assert.deepEqual(entries(text, 'destination-nat'), [
    'translate tcp/443 from 0.0.0.0/0 to 10.1.250.1 in ethernet1/2 => destination',
  ]);
});

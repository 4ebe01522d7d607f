import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRuleSet } from '../../../src/rules/describe.ts';
import { diff, entries, fixture, kinds, read, ZONES } from './entries.ts';

const context = (from: string, name: string, pool: string) => `
set security nat destination rule-set ${name} from ${from}
set security nat destination rule-set ${name} rule r match destination-address 10.1.0.254/32
set security nat destination rule-set ${name} rule r then destination-nat ${pool}
`;
const POOLS = `
set security nat destination pool a address 203.0.113.1/32
set security nat destination pool b address 203.0.113.2/32
set security nat destination pool c address 203.0.113.3/32
set routing-instances vr instance-type virtual-router
set routing-instances vr interface ge-0/0/1.0
`;

test('rule sets are asked by their context: interface, zone, routing instance, wherever they stand', () => {
  const sets = [
    context('routing-instance vr', 'vr', 'pool a'),
    context('zone in', 'zone', 'pool b'),
    context('interface ge-0/0/1.0', 'unit', 'pool c'),
  ];
  const targets = (text: string) =>
    entries(POOLS + text, 'destination-nat').map((entry) => entry.replace(/^.* destination /, ''));
  const expected = ['203.0.113.3', '203.0.113.2', '203.0.113.1'];
  assert.deepEqual(targets(sets.join('')), expected);
  assert.deepEqual(targets(sets.toReversed().join('')), expected);
  // The same context twice: the order of the text counts.
  const twice = [context('zone in', 'one', 'pool a'), context('zone in', 'two', 'pool b')];
  assert.deepEqual(targets(twice.join('')), ['203.0.113.1', '203.0.113.2']);
  assert.deepEqual(targets(twice.toReversed().join('')), ['203.0.113.2', '203.0.113.1']);
});

test('static NAT is asked before destination NAT; its reverse before source NAT', () => {
  const text = `${POOLS}${context('interface ge-0/0/0.0', 'unit', 'pool a').replace('10.1.0.254', '198.51.100.9')}
set security nat source rule-set s from zone in
set security nat source rule-set s to interface ge-0/0/0.0
set security nat source rule-set s rule r match source-address 0.0.0.0/0
set security nat source rule-set s rule r then source-nat interface
set security nat static rule-set f from zone out
set security nat static rule-set f rule r match destination-address 198.51.100.9/32
set security nat static rule-set f rule r then static-nat prefix 10.1.0.9/32
`;
  assert.deepEqual(entries(text, 'destination-nat'), [
    'translate any from 0.0.0.0/0 to 198.51.100.9 in ge-0/0/0.0 => destination 10.1.0.9',
    'translate any from 0.0.0.0/0 to 198.51.100.9 in ge-0/0/0.0 => destination 203.0.113.1',
  ]);
  assert.deepEqual(entries(text, 'source-nat'), [
    'translate any from 10.1.0.9 to 0.0.0.0/0 out ge-0/0/0.0 => source 198.51.100.9',
    'translate any from 0.0.0.0/0 to 0.0.0.0/0 in ge-0/0/1.0 out ge-0/0/0.0 => source 198.51.100.2',
  ]);
});

const PERMIT = (to: string) => `
set security address-book global address far ${to}
set security policies from-zone in to-zone out policy p match source-address any
set security policies from-zone in to-zone out policy p match destination-address far
set security policies from-zone in to-zone out policy p match application any
set security policies from-zone in to-zone out policy p then permit
`;

test('policies see addresses after destination NAT: a relay opens where its outside address is permitted', () => {
  const relay = context('zone in', 'zone', 'pool b');
  const opened = (to: string) => {
    const before = ZONES + POOLS + PERMIT(to);
    return diff(before, before + relay).map((change) => [change.class, change.opens.length > 0]);
  };
  assert.deepEqual(opened('203.0.113.2/32'), [['egress-relay', true]]);
  // Permitted under the address that clients use: that is not what the policy sees.
  assert.ok(opened('10.1.0.254/32').every(([, opens]) => !opens));
});

test('an edited pool, address, application and zone is a change of every rule that it reaches', () => {
  const text = ZONES + POOLS + PERMIT('203.0.113.2/32') + context('zone in', 'zone', 'pool b');
  assert.deepEqual(kinds(text, text.replace('pool b address 203.0.113.2/32', 'pool b address 203.0.113.77/32')), [
    'modified destination nat zone r',
  ]);
  assert.deepEqual(kinds(text, text.replace('address far 203.0.113.2/32', 'address far 203.0.113.0/24')), [
    'modified policy in to out p',
  ]);
  const moved = text.replace('zone in interfaces ge-0/0/1.0', 'zone in interfaces ge-0/0/9.0');
  assert.deepEqual(kinds(text, moved).sort(), ['modified destination nat zone r', 'modified policy in to out p']);
  assert.deepEqual(kinds(text, text.replace('203.0.113.2/32', '203.0.113.2')), []);
});

test('inactive rules stay with enabled false, in braces and by deactivate; inactive conditions do not count', () => {
  const text = fixture('srx4100-logical_19.4');
  const active = text.replace('inactive: rule second', 'rule second');
  assert.deepEqual(kinds(text, active), ['enabled LS1:destination nat inner second']);
  assert.deepEqual(kinds(active, text), ['disabled LS1:destination nat inner second']);
  const set = text.replace('inactive: rule-set parked', 'rule-set parked');
  assert.deepEqual(kinds(text, set), ['enabled LS1:destination nat parked third']);
  const both = text.replace('protect: policy out', 'protect: inactive: policy out');
  assert.deepEqual(kinds(text, both), ['disabled LS1:policy a to b out']);
  const member = text.replace('inactive: xe-1/0/1.0', 'xe-1/0/1.0').replace('inactive: policy all', 'policy all');
  assert.deepEqual(
    kinds(text.replace('inactive: policy all', 'policy all'), member),
    [],
    'a global policy without zones meets every zone',
  );
});

test('groups are inherited through wildcards, nearest first, and kept out by apply-groups-except', () => {
  const group = `
set groups g security policies from-zone <*> to-zone <o*> policy last match source-address any
set groups g security policies from-zone <*> to-zone <o*> policy last match destination-address any
set groups g security policies from-zone <*> to-zone <o*> policy last match application any
set groups g security policies from-zone <*> to-zone <o*> policy last then deny
`;
  const own = PERMIT('0.0.0.0/0');
  const applied = `${group}${own}set apply-groups g\n`;
  assert.deepEqual(entries(group + own, 'filter').length, 1, 'a group that nothing applies does nothing');
  assert.deepEqual(entries(applied, 'filter'), [
    'accept any from 0.0.0.0/0 to 0.0.0.0/0 in ge-0/0/1.0 out ge-0/0/0.0',
    'drop any from any to any in ge-0/0/1.0 out ge-0/0/0.0',
  ]);
  const except = `${applied}set security policies from-zone in to-zone out apply-groups-except g\n`;
  assert.deepEqual(entries(except, 'filter').length, 1);
  assert.deepEqual(entries(applied.replaceAll('<o*>', '<x*>'), 'filter').length, 1);
  assert.deepEqual(entries(`${applied}deactivate apply-groups g\n`, 'filter').length, 1);
  // What is written in the place itself counts before the group.
  const over = `${applied}set security policies from-zone in to-zone out policy last then permit\n`;
  assert.match(entries(over, 'filter')[1], /^accept any from any to any/);
  // Global policies take no part, and no zone pair comes to be by a wildcard.
  assert.deepEqual(entries(`${group}set apply-groups g\n`, 'filter'), []);
});

test('an edited group is a change of the rule that inherits', () => {
  const text = fixture('srx345-groups_21.4');
  const edited = text.replace('address relay-host 203.0.113.50/32', 'address relay-host 203.0.113.0/24');
  assert.deepEqual(kinds(text, edited), ['modified policy trust to untrust to-relay']);
  assert.deepEqual(kinds(text, text.replace('session-close', 'session-init')), []);
});

const FILTER = (terms: string, unit = 'ge-0/0/1') => `
${terms}
set interfaces ${unit} unit 0 family inet filter input f
`;
const term = (name: string, ...said: string[]) =>
  said.map((words) => `set firewall family inet filter f term ${name} ${words}\n`).join('');

test('a filter ends by discarding its own family; one on the loopback interface forwards nothing', () => {
  const text = term('a', 'from source-address 10.1.5.0/24', 'then accept');
  assert.deepEqual(entries(FILTER(text), 'filter'), [
    'accept any from 10.1.5.0/24 to 0.0.0.0/0 in ge-0/0/1.0',
    'drop any from 0.0.0.0/0 to 0.0.0.0/0 in ge-0/0/1.0',
  ]);
  assert.deepEqual(entries(FILTER(text, 'lo0'), 'filter'), []);
  assert.deepEqual(entries(text, 'filter'), []);
});

test('terms about established connections meet no new one; a plain SYN is new', () => {
  const of = (...said: string[]) => entries(FILTER(term('a', ...said, 'then accept')), 'filter').length;
  assert.equal(of('from tcp-established'), 1);
  assert.equal(of('from tcp-flags "(ack | rst)"'), 1);
  assert.equal(of('from tcp-flags "syn & !ack"'), 2);
  assert.equal(of('from tcp-initial'), 2);
  assert.match(entries(FILTER(term('a', 'from tcp-flags urgent', 'then accept')), 'filter')[0], /if TCP flags urgent$/);
});

test('the longest prefix of a filter term decides, in whatever order', () => {
  const of = (...said: string[]) => entries(FILTER(term('a', ...said, 'then accept')), 'filter')[0];
  const nested = ['from source-address 10.0.0.0/8', 'from source-address 10.1.0.0/16 except', 'from source-address 10.1.2.0/24'];
  assert.match(of(...nested), /from 10\.0\.0\.0\/16,10\.1\.2\.0\/24,10\.2\.0\.0-10\.255\.255\.255 /);
  assert.equal(of(...nested), of(...nested.toReversed()));
  assert.match(of('from protocol-except tcp'), /^accept 0,icmp,2,3,4,5,7,/);
});

test('filter-based forwarding follows the routes of its instance; what an earlier term accepts is routed', () => {
  const text = FILTER(
    term('keep', 'from destination-address 192.0.2.0/25', 'then accept') + term('rest', 'then routing-instance away'),
  );
  const routes = 'set routing-instances away routing-options static route 0.0.0.0/0 next-hop 203.0.113.9\n';
  const all = ZONES + text + routes;
  assert.deepEqual(entries(text + routes, 'redirect'), [
    'translate any from 0.0.0.0/0 to 0.0.0.0-192.0.1.255,192.0.2.128-255.255.255.255 in ge-0/0/1.0 => policy-route 203.0.113.9',
  ]);
  const edited = kinds(all, all.replaceAll('203.0.113.9', '203.0.113.19'));
  assert.ok(edited.includes('modified filter inet f rest'), edited.join());
  assert.match(entries(text, 'redirect')[0], /=> policy-route$/);
});

test('source-address-excluded is everything else; what is not known excludes nothing for sure', () => {
  const excluded = `${PERMIT('203.0.113.0/24')}set security policies from-zone in to-zone out policy p match destination-address-excluded\n`;
  assert.deepEqual(entries(excluded, 'filter'), [
    'accept any from any to 0.0.0.0-203.0.112.255,203.0.114.0-255.255.255.255,::/0 in ge-0/0/1.0 out ge-0/0/0.0',
  ]);
  const named = excluded.replace('far 203.0.113.0/24', 'far dns-name relay.example.net');
  assert.match(entries(named, 'filter')[0], /to any .* if address far is relay\.example\.net$/);
});

test('zone pairs are asked before global policies, wherever they stand; permit-all is the end', () => {
  const global = PERMIT('203.0.113.0/24').replaceAll('from-zone in to-zone out', 'global').replace('then permit', 'then deny');
  const order = (text: string) => entries(text, 'filter').map((entry) => entry.split(' ')[0]);
  assert.deepEqual(order(global + PERMIT('203.0.113.0/24')), ['accept', 'drop']);
  assert.deepEqual(order(PERMIT('203.0.113.0/24') + global), ['accept', 'drop']);
  const end = (text: string) => describeRuleSet(read(ZONES + text)).policies.at(-1)!.otherwise;
  assert.equal(end(PERMIT('any')), 'drop');
  assert.equal(end(`${PERMIT('any')}set security policies default-policy permit-all\n`), 'accept');
});

test('large and nested groups stay bounded', () => {
  const lines = ['set apply-groups g0'];
  for (let i = 0; i < 40; i++) lines.push(`set groups g${i} apply-groups g${(i + 1) % 40}`);
  for (let i = 0; i < 2_000; i++) lines.push(`set groups g${i % 40} interfaces <ge-*> unit <*> description d${i}`);
  for (let i = 0; i < 2_000; i++) lines.push(`set interfaces ge-0/0/${i} unit 0 family inet address 10.0.0.1/8`);
  const began = performance.now();
  read(lines.join('\n'));
  assert.ok(performance.now() - began < 10_000);
});

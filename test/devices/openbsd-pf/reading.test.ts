import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openbsdPf } from '../../../devices/openbsd-pf.ts';
import { freebsdPf } from '../../../devices/freebsd-pf.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import { entryText } from '../../../src/rules/describe.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '..', name, 'snapshot.cfg'), 'utf8');
const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
const read = (...lines: string[]) => openbsdPf.read(`${lines.join('\n')}\n`);
const entries = (set: ReturnType<typeof read>, id = 'filter in') =>
  set.policies.find((policy) => policy.id === id)?.entries.map(entryText) ?? [];
const diff = (before: string, after: string) => diffRuleSets(freebsdPf.read(before), freebsdPf.read(after), site);

test('the last match wins, unless a rule is quick', () => {
  const [block, pass] = ['block in proto tcp to port 22', 'pass in proto tcp from 10.0.0.0/8'];
  assert.deepEqual(entries(read(block, pass)), ['accept tcp from 10.0.0.0/8 to any', 'drop tcp/22 from any to any'].map((t) => t.replace('10.0.0.0/8 to any', '10.0.0.0/8 to 0.0.0.0/0')));
  assert.deepEqual(entries(read(pass, block)), ['drop tcp/22 from any to any', 'accept tcp from 10.0.0.0/8 to 0.0.0.0/0']);
  assert.deepEqual(entries(read('block in quick proto tcp to port 22', pass)), [
    'drop tcp/22 from any to any',
    'accept tcp from 10.0.0.0/8 to 0.0.0.0/0',
  ]);
});

test('macros, lists in lists, macros with a suffix, and lines that go on', () => {
  const set = read(
    'a = "10.0.0.1"',
    'b = "{" $a "10.0.0.2" "}"',
    'if = em1',
    'pass in on $if proto { tcp, udp } \\',
    '  from $b to { $if:network, !$a } port { 53 ntp }',
  );
  assert.deepEqual(set.unread, []);
  const [rule] = set.rules;
  assert.deepEqual(rule.lines.map(({ number }) => number), [4, 5]);
  assert.deepEqual(rule.unresolved, ['to the address of em1:network']);
  assert.deepEqual(entries(set), [
    'accept tcp/53,tcp/123,udp/53,udp/123 from 10.0.0.1-10.0.0.2 to 0.0.0.0/0 in em1 if to the address of em1:network',
  ]);
});

test('port operators', () => {
  const ports = (text: string) => entries(read(`pass in proto tcp to port ${text}`)).map((entry) => entry.split(' ')[1]);
  assert.deepEqual(ports('1000:1002'), ['tcp/1000-1002']);
  assert.deepEqual(ports('1000 >< 1003'), ['tcp/1001-1002']);
  assert.deepEqual(ports('1000 <> 1003'), ['tcp/0-999,tcp/1004-65535']);
  assert.deepEqual(ports('!= 22'), ['tcp/0-21,tcp/23-65535']);
  assert.deepEqual(ports('> 1023'), ['tcp/1024-65535']);
  assert.deepEqual(ports('<= 10'), ['tcp/0-10']);
});

test('tables take out what is negated; one that a file fills is a condition', () => {
  const known = read('table <a> { 10.0.0.0/8 !10.1.0.0/16 10.1.2.3 }', 'pass in from <a>');
  assert.deepEqual(entries(known), ['accept any from 10.0.0.0/16,10.1.2.3,10.2.0.0-10.255.255.255 to 0.0.0.0/0']);
  const open = read('table <a> persist file "/etc/a"', 'pass in from <a>', 'block in quick from <a>');
  assert.deepEqual(entries(open), ['drop any from any to any if from table <a>', 'accept any from any to any if from table <a>']);
});

test('rules of an anchor count where they stand, and one without its rules is a condition', () => {
  const inline = ['anchor in on em1 {', '  pass quick proto udp', '  block', '}'];
  assert.deepEqual(entries(read('pass in', ...inline)), [
    'accept udp from any to any in em1',
    'drop any from any to any in em1',
    'accept any from any to any',
  ]);
  assert.deepEqual(entries(read(...inline, 'pass in')), [
    'accept udp from any to any in em1',
    'accept any from any to any',
    'drop any from any to any in em1',
  ]);
  const loaded = read('block in', 'anchor spam in', 'load anchor spam from "/etc/spam"');
  assert.deepEqual(entries(loaded), ['accept any from any to any if rules of anchor spam (/etc/spam)', 'drop any from any to any']);
  assert.deepEqual(entries(read('block in', 'anchor empty in {', '}')), ['drop any from any to any']);
});

test('an anchor that is quick ends the evaluation where one of its rules matched', () => {
  const anchor = (quick: string) => [`anchor ${quick} {`, '  block in proto udp', '}', 'pass in'];
  assert.deepEqual(entries(read(...anchor('quick'))), ['drop udp from any to any', 'accept any from any to any']);
  assert.deepEqual(entries(read(...anchor(''))), ['accept any from any to any', 'drop udp from any to any']);
});

test('a translation of a pass rule counts only where that rule decides, one of a match rule always', () => {
  const to = 'on em0 inet proto tcp to 203.0.113.2 port 80 rdr-to 10.0.0.10';
  const decided = read(`pass in ${to}`, 'pass in quick on em0 from 192.0.2.0/24');
  assert.deepEqual(entries(decided, 'rdr-to in'), [
    'exempt any from 192.0.2.0/24 to 0.0.0.0/0 in em0',
    'translate tcp/80 from 0.0.0.0/0 to 203.0.113.2 in em0 => destination 10.0.0.10',
  ]);
  const matched = read(`match in ${to}`, 'pass in quick on em0 from 192.0.2.0/24');
  assert.deepEqual(entries(matched, 'rdr-to in'), [
    'translate tcp/80 from 0.0.0.0/0 to 203.0.113.2 in em0 => destination 10.0.0.10',
  ]);
});

test('rdr pass needs no filter rule, rdr does, and no rdr comes first', () => {
  const rdr = 'rdr MODE on em0 inet proto tcp from any to 203.0.113.2 port 80 -> 10.0.0.10 port 8080';
  const passing = read(rdr.replace('MODE ', 'pass '), 'block all');
  assert.deepEqual(entries(passing), ['accept tcp/8080 from 0.0.0.0/0 to 10.0.0.10 in em0 if translated', 'drop any from any to any']);
  assert.deepEqual(entries(read(rdr.replace('MODE ', ''), 'block all')), ['drop any from any to any']);
  const spared = read('no rdr on em0 proto tcp from 192.0.2.0/24 to any', rdr.replace('MODE ', ''));
  assert.deepEqual(entries(spared, 'rdr')[0], 'exempt tcp from 192.0.2.0/24 to 0.0.0.0/0 in em0');
});

test('an interface group is its members where ifconfig names them, else itself', () => {
  const lines = ['pass in on egress'];
  assert.deepEqual(entries(read(...lines)), ['accept any from any to any in egress']);
  const faces = ['# pf interfaces', 'vio0: flags=8843<UP> mtu 1500', '\tgroups: egress', 'vio1: flags=8843<UP> mtu 1500'];
  assert.deepEqual(entries(read(...lines, ...faces)), ['accept any from any to any in vio0']);
  assert.deepEqual(entries(read('pass in on ! egress', ...faces)), ['accept any from any to any in any but vio0']);
});

test('a relay is seen when it appears, not when it is only in the file and not loaded', () => {
  const border = fixture('freebsd-pf/border_14.1');
  const relay = /^rdr on \$int_if inet proto tcp .*\n/m;
  assert.match(border, relay);
  const [appeared] = diff(border.replace(relay, ''), border);
  assert.equal(appeared.class, 'egress-relay');
  const gateway = fixture('openbsd-pf/gateway_7.4');
  const line = /^pass in on egress .* rdr-to 203\.0\.113\.99 .*\n/m;
  assert.match(gateway, line);
  const found = diff(gateway.replace(line, ''), gateway);
  assert.deepEqual(found.map(({ class: one, kind }) => [one, kind]), [['internal', 'added']]);
});

test('a disabled pf passes everything, and says so of every rule', () => {
  const on = fixture('openbsd-pf/gateway_7.4');
  const off = openbsdPf.read(on.replace('Status: Enabled', 'Status: Disabled'));
  assert.ok(off.rules.every(({ enabled }) => !enabled));
  assert.deepEqual(off.policies, []);
  assert.ok(openbsdPf.read(on).policies.length > 0);
});

test('a label is a comment, and a key where no other rule has it', () => {
  const keys = (...lines: string[]) => read(...lines).rules.map(({ key }) => key);
  assert.deepEqual(keys('pass in proto tcp label "a"', 'pass in proto udp label "b"'), ['pf:a', 'pf:b']);
  const twice = keys('pass in proto tcp label "a"', 'pass in proto udp label "a"');
  assert.ok(twice.every((key) => /^pf:[0-9a-f]{16}$/.test(key)));
  assert.deepEqual(keys('pass in log (all) proto tcp'), keys('pass in proto tcp'));
});

test('statements that are not known are unread; deep and broken braces are no harm', () => {
  const set = read('include "/etc/pf.local"', 'pass in bewitched', 'pass in { { {', '! { ! {'.repeat(20_000));
  assert.deepEqual(set.unread.map(({ number }) => number).slice(0, 2), [1, 2]);
  assert.match(set.rules[0].unresolved.join(), /bewitched/);
});

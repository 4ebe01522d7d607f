import assert from 'node:assert/strict';
import { test } from 'node:test';
import { junos } from '../../../devices/junos.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';
import { redact } from '../../../src/snapshots/redact.ts';
import { diff, displaySet, fixture, kinds, read, unread, ZONES } from './entries.ts';

const CURLY = ['srx345-groups_21.4', 'mx204-filters_22.2', 'srx4100-logical_19.4'];

for (const name of CURLY)
  test(`${name} has the same effect in braces and as set lines`, () => {
    const braces = fixture(name);
    const set = displaySet(braces);
    assert.deepEqual(diff(braces, set), []);
    assert.deepEqual(diff(set, braces), []);
    const bare = (text: string) =>
      describeRuleSet(read(text)).rules.map(({ lines, ...rule }) => JSON.stringify(rule));
    assert.deepEqual(bare(set), bare(braces));
    assert.deepEqual(unread(set), []);
  });

test('forms of configurations that differ do differ', () => {
  const set = displaySet(fixture('srx345-groups_21.4')).replace('203.0.113.50/32 port 443', '203.0.113.51/32 port 443');
  assert.deepEqual(kinds(fixture('srx345-groups_21.4'), set), ['modified destination nat from-lan to-relay']);
});

test('terms of an application in one line and in several are the same', () => {
  const one = 'set applications application a term t protocol tcp destination-port 8443\n';
  const two =
    'set applications application a term t protocol tcp\nset applications application a term t destination-port 8443\n';
  const policy = `${ZONES}set security policies from-zone in to-zone out policy p match source-address any
set security policies from-zone in to-zone out policy p match destination-address any
set security policies from-zone in to-zone out policy p match application a
set security policies from-zone in to-zone out policy p then permit
`;
  assert.deepEqual(diff(policy + one, policy + two), []);
  assert.equal(describeRuleSet(read(policy + one)).rules[0].services?.toString(), 'tcp/8443');
});

test('what is redacted still reads the same, and a mark of secrecy hides its value in every form', () => {
  for (const name of [...CURLY, 'srx1500-nat_20.2']) {
    const text = fixture(name);
    const redacted = redact(text, junos, () => 'aGFzaA');
    assert.notEqual(redacted, text);
    assert.deepEqual(diff(text, redacted), []);
  }
  const marked = 'something-new here-it-is; ## SECRET-DATA';
  assert.equal(redact(marked, junos, () => 'x'), 'something-new <removed:x>; ## SECRET-DATA');
  assert.equal(redact('something-new here-it-is;', junos, () => 'x'), 'something-new here-it-is;');
});

test('prompts and marks of chassis members around a capture are no configuration', () => {
  const text = `{primary:node0}[edit]\nops@srx-b# show | display set\n${fixture('srx1500-nat_20.2')}`;
  assert.deepEqual(diff(fixture('srx1500-nat_20.2'), text), []);
  assert.equal(unread(text).length, 1);
});

test('lines that edit are obeyed in their order; what cannot be is listed', () => {
  const rule = (name: string, to: string) =>
    `set security policies global policy ${name} match source-address any\nset security policies global policy ${name} match destination-address any\nset security policies global policy ${name} match application any\nset security policies global policy ${name} then ${to}\n`;
  const two = ZONES + rule('first', 'deny') + rule('second', 'permit');
  assert.deepEqual(kinds(two, `${two}insert security policies global policy second before policy first\n`), [
    'moved global policy second',
  ]);
  assert.deepEqual(kinds(two, `${two}insert security policies global policy first after policy second\n`).length, 1);
  assert.ok(kinds(two, `${two}delete security policies global policy first\n`).includes('removed global policy first'));
  const disabled = kinds(two, `${two}deactivate security policies global policy first\n`);
  assert.ok(disabled.includes('disabled global policy first'), disabled.join());
  const back = `${two}deactivate security policies global policy first\nactivate security policies global policy first\n`;
  assert.deepEqual(kinds(two, back), []);
  assert.deepEqual(unread(`${two}rename security policies global policy first to policy third\n`).length, 1);
  assert.deepEqual(unread(`${two}deactivate security policies global policy nobody\n`).length, 1);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { firewalld } from '../../../devices/firewalld.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import { entryText } from '../../../src/rules/describe.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, name, 'snapshot.cfg'), 'utf8');
const gateway = fixture('gateway_1.3.3');
const relay = fixture('relay_1.3.3');
const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
const diff = (before: string, after: string) => diffRuleSets(firewalld.read(before), firewalld.read(after), site);
const entries = (text: string, id: string) =>
  firewalld.read(text).policies.find((policy) => policy.id === id)?.entries.map(entryText) ?? [];
/** The first place only: the runtime's. */
const without = (text: string, line: string) => {
  assert.ok(text.includes(line));
  return text.replace(`${line}\n`, '');
};

test('a relay of the runtime acts; one that is only permanent is listed and does not', () => {
  const line = '\tport=8022:proto=tcp:toport=22:toaddr=198.51.100.22';
  assert.equal(gateway.split(line).length, 2, 'it stands in the runtime only');
  const [appeared] = diff(without(gateway, line), gateway);
  assert.equal(appeared.class, 'egress-relay');
  const [before, after] = gateway.split('# firewalld permanent zones');
  const later = `${before}# firewalld permanent zones${after.replace('\tport=9443', `${line}\n\tport=9443`)}`;
  const found = diff(gateway, later);
  assert.deepEqual(
    found.map(({ kind, class: one, opens, after: rule }) => [kind, one, opens.length, rule?.context.list]),
    [['added', 'internal', 0, 'permanent']],
  );
});

test('what was translated passes whatever the zone forwards', () => {
  assert.equal(entries(gateway, 'firewalld forward')[0], 'accept any from any to any if translated');
});

test('sources come before interfaces, and the default zone has what no zone names', () => {
  const [, ...rest] = entries(gateway, 'firewalld forward');
  const first = (part: string) => rest.findIndex((text) => text.includes(part));
  assert.ok(first('from 198.18.0.0/24,198.18.4.7 to any') < first('drop any from any to any in dmz0'));
  assert.equal(rest.at(-1), 'drop any from any to any in any but dmz0,lan0,wan0');
});

test('an interface that moves to another zone changes what reaches it', () => {
  const moved = gateway
    .replace('  interfaces: dmz0', '  interfaces: ')
    .replace('  interfaces: lan0', '  interfaces: lan0 dmz0');
  const found = diff(gateway, moved);
  assert.ok(found.some(({ ruleKey, opens }) => ruleKey.startsWith('policy lan-to-wan') && opens.length > 0));
});

test('an ipset that is edited changes the zone that it makes', () => {
  const edited = gateway.replace('  entries: 198.18.0.0/24 198.18.4.7', '  entries: 198.18.0.0/24');
  assert.ok(diff(gateway, edited).some(({ ruleKey }) => ruleKey === 'zone drop target'));
});

test('rich rules: negation, families, ipsets, limits; a limit of the log is no condition', () => {
  const rules = firewalld.read(gateway).rules.filter(({ key }) => /^zone \S+ rich rule/.test(key));
  assert.deepEqual(
    rules.map(({ action, unresolved }) => [action, unresolved]),
    [['drop', []], ['accept', []], ['forward-port', []], ['masquerade', []], ['drop', []]],
  );
  const limited = firewalld.read(relay).rules.find(({ key }) => /^zone public rich rule/.test(key));
  assert.deepEqual(limited?.unresolved, ['limit 5/m']);
});

test('the text of a log does not make another rule', () => {
  const keys = (text: string) => firewalld.read(text).rules.map(({ key }) => key);
  assert.deepEqual(keys(gateway.replaceAll('level="info"', 'level="debug"')), keys(gateway));
});

test('a service that is not known is a condition', () => {
  const text = gateway.replace('  services: dns https', '  services: dns house-app');
  assert.ok(
    entries(text, 'firewalld forward').includes('accept any from any to any in lan0 out wan0 if service house-app'),
  );
});

test('without firewalld nothing acts, and what is permanent is listed', () => {
  const text = `# firewalld zones\nFirewallD is not running\n# firewalld permanent zones\n${relay.split('# firewalld permanent zones\n')[1]}`;
  const { rules, policies } = firewalld.read(text);
  assert.deepEqual(policies, []);
  assert.ok(rules.length > 0 && rules.every(({ context }) => context.list === 'permanent'));
});

test('lines that are not understood are unread', () => {
  const text = `${gateway.replace('\tport=9443', '\tport=many')}what is this?\n`;
  const unread = firewalld.read(text).unread.map((line) => line.text.trim());
  assert.equal(unread.length, 2);
  assert.match(unread[0], /^port=many/);
  assert.equal(unread[1], 'what is this?');
});

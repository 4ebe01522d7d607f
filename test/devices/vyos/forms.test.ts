import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { vyos } from '../../../devices/vyos.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import { describeRuleSet, entryText } from '../../../src/rules/describe.ts';
import { comparable } from '../../../src/snapshots/compare.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, name, 'snapshot.cfg'), 'utf8');
const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
const diff = (before: string, after: string) => diffRuleSets(vyos.read(before), vyos.read(after), site);
const edge = fixture('edge_1.4');
const branch = fixture('branch_1.3');
const migrated = fixture('branch-migrated_1.4');
const entries = (text: string, id: string) =>
  vyos.read(text).policies.find((policy) => policy.id === id)?.entries.map(entryText) ?? [];

/** Set lines as config.boot writes them. */
function inBraces(text: string): string {
  type Tree = Map<string, Tree>;
  const root: Tree = new Map();
  for (const line of text.split('\n').filter((one) => one.startsWith('set '))) {
    let node = root;
    for (const [, quoted, plain] of line.slice(4).matchAll(/'([^']*)'|(\S+)/g)) {
      const word = quoted === undefined ? plain : /^[\w.:/+-]+$/.test(quoted) ? quoted : `"${quoted}"`;
      if (!node.has(word)) node.set(word, new Map());
      node = node.get(word)!;
    }
  }
  const print = (tree: Tree, depth: number): string[] =>
    [...tree].flatMap(([word, under]) => {
      const indent = '    '.repeat(depth);
      return under.size === 0 ? [`${indent}${word}`] : [`${indent}${word} {`, ...print(under, depth + 1), `${indent}}`];
    });
  return `${print(root, 0).join('\n')}\n\n// Release version: 1.4.0\n`;
}

test('braces and set lines of one configuration have the same effect', () => {
  const braces = inBraces(edge);
  assert.match(braces, /\{/);
  const [a, b] = [edge, braces].map((text) => describeRuleSet(vyos.read(text)));
  assert.deepEqual(b.policies, a.policies);
  assert.equal(b.rules.length, a.rules.length);
  assert.deepEqual(b.unread, []);
  assert.deepEqual(diff(edge, braces), []);
  assert.deepEqual(diff(braces, edge), []);
});

test('the configuration that the upgrade from 1.3 to 1.4 writes has the same effect', () => {
  assert.deepEqual(diff(branch, migrated), []);
  assert.deepEqual(diff(migrated, branch), []);
});

test('and an edit that comes with the upgrade is seen', () => {
  const edited = migrated.replace("rule 10 source address '192.0.2.0/24'", "rule 10 source address '0.0.0.0/0'");
  assert.notEqual(edited, migrated);
  const found = diff(branch, edited);
  assert.deepEqual(
    found.map(({ ruleKey, kind }) => [ruleKey, kind]),
    [['firewall ip name WAN-IN:remote desktop', 'modified']],
  );
});

test('other numbers in the same order are no change', () => {
  const renumbered = edge
    .replaceAll('nat destination rule 10 ', 'nat destination rule 11 ')
    .replaceAll('ipv4 forward filter rule 20 ', 'ipv4 forward filter rule 25 ')
    .replaceAll('name OUTBOUND rule 10 ', 'name OUTBOUND rule 1 ');
  assert.notEqual(renumbered, edge);
  assert.deepEqual(diff(edge, renumbered), []);
});

test('an order by number, not by text', () => {
  const text = [
    "set nat destination rule 20 translation address '10.0.0.2'",
    "set nat destination rule 20 protocol 'tcp'",
    "set nat destination rule 3 translation address '10.0.0.3'",
  ].join('\n');
  assert.deepEqual(entries(text, 'nat destination'), [
    'translate any from 0.0.0.0/0 to 0.0.0.0/0 => destination 10.0.0.3',
    'translate tcp from 0.0.0.0/0 to 0.0.0.0/0 => destination 10.0.0.2',
  ]);
});

test('version and release lines are volatile', () => {
  const later = branch.replace('Release version: 1.3.8', 'Release version: 1.3.9').replace('firewall@5', 'firewall@6');
  assert.notEqual(later, branch);
  assert.equal(comparable(later, vyos), comparable(branch, vyos));
});

test('an edited group is a change of every rule that it reaches', () => {
  const edited = edge.replace("WEB-SERVERS address '10.20.0.20'", "WEB-SERVERS address '10.20.0.21'");
  assert.notEqual(edited, edge);
  assert.deepEqual(
    diff(edge, edited).map(({ ruleKey }) => ruleKey),
    ['firewall ip name OUTBOUND:no mail from clients'],
  );
});

test('a relay is seen when it appears, and not when it is excluded or disabled', () => {
  const lines = edge.split('\n');
  const without = lines.filter((line) => !line.startsWith('set nat destination rule 20 ')).join('\n');
  const [appeared] = diff(without, edge);
  assert.equal(appeared.class, 'egress-relay');
  assert.equal(appeared.ruleKey, 'nat destination:resolver relay');
  for (const word of ['disable', 'exclude']) {
    const off = edge.replace(
      'set nat destination rule 20 protocol',
      `set nat destination rule 20 ${word}\nset nat destination rule 20 protocol`,
    );
    assert.ok(diff(without, off).every((change) => change.class !== 'egress-relay'), word);
  }
});

test('an interface with the word name, without it, and in a group', () => {
  const rule = (...lines: string[]) => lines.map((line) => `set nat destination rule 1 ${line}`).join('\n');
  const to = "translation address '10.0.0.1'";
  const plain = rule("inbound-interface 'eth0'", to);
  const named = rule("inbound-interface name 'eth0'", to);
  const grouped = `${rule("inbound-interface group 'WAN'", to)}\nset firewall group interface-group WAN interface 'eth0'`;
  const expected = ['translate any from 0.0.0.0/0 to 0.0.0.0/0 in eth0 => destination 10.0.0.1'];
  for (const text of [plain, named, grouped]) assert.deepEqual(entries(text, 'nat destination'), expected);
  assert.deepEqual(entries(rule("inbound-interface name '!eth0'", to), 'nat destination'), [
    'translate any from 0.0.0.0/0 to 0.0.0.0/0 in any but eth0 => destination 10.0.0.1',
  ]);
});

test('a group that is not defined is a condition, never a match of nothing', () => {
  const text = [
    "set nat destination rule 1 source group address-group 'GONE'",
    "set nat destination rule 1 translation address '10.0.0.1'",
  ].join('\n');
  assert.deepEqual(entries(text, 'nat destination'), [
    'translate any from 0.0.0.0/0 to 0.0.0.0/0 => destination 10.0.0.1 if source address-group GONE is not defined',
  ]);
});

test('lists that nothing binds have no entry', () => {
  const unbound = branch.replace(/\n {12}in \{\n {16}name LAN-OUT\n {12}\}/, '').replace('name LAN-OUT\n            }', 'name LAN-DMZ\n            }');
  assert.notEqual(unbound, branch);
  const { rules, policies } = vyos.read(unbound);
  const own = rules.filter(({ context }) => context.chain === 'LAN-OUT').map(({ key }) => key);
  assert.equal(own.length, 3);
  assert.ok(policies.every((policy) => policy.entries.every((entry) => !own.includes(entry.ruleKey))));
});

test('a statement in a section of rules that is not known is unread, with its number', () => {
  const text = `${edge}set nat destination rule 10 bewitch 'now'\nset nat64 source rule 1 source prefix '64:ff9b::/96'\n`;
  const count = edge.split('\n').length;
  assert.deepEqual(
    vyos.read(text).unread.map(({ number }) => number),
    [count, count + 1],
  );
});

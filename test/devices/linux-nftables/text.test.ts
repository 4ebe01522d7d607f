import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { recognise } from '../../../devices/index.ts';
import { linuxNftables } from '../../../devices/linux-nftables.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import { entryText } from '../../../src/rules/describe.ts';
import { comparable } from '../../../src/snapshots/compare.ts';

const text = readFileSync(join(import.meta.dirname, 'router-text_debian12', 'snapshot.cfg'), 'utf8');
const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
const diff = (before: string, after: string) => diffRuleSets(linuxNftables.read(before), linuxNftables.read(after), site);
const chain = (head: string, ...rules: string[]) => `table ip t {\n\tchain c {\n\t\t${head}\n${rules.map((rule) => `\t\t${rule}\n`).join('')}\t}\n}\n`;
const entries = (of: string) => linuxNftables.read(of).policies.flatMap((policy) => policy.entries.map(entryText));
const NAT = 'type nat hook prerouting priority dstnat; policy accept;';
const FORWARD = 'type filter hook forward priority filter; policy drop;';
const EARLY = 'type filter hook prerouting priority raw; policy accept;';

test('a map element is a port forward: one that is added is a change with a line of its own', () => {
  const element = '10.90.0.1 . 3128 : 203.0.113.80 . 8080';
  assert.ok(text.includes(element));
  const [found] = diff(text.replace(element, '10.90.0.1 . 3128 : 10.90.0.80 . 8080'), text);
  assert.equal(found.class, 'egress-relay');
  assert.ok(found.after?.lines.some((line) => line.text.includes(element)));
});

test('targets: addresses, ranges, ports, IPv6, old versions without "to", redirect, tproxy and dup', () => {
  const to = (statement: string, head = NAT) => entries(chain(head, statement)).map((entry) => entry.split(' => ')[1]);
  assert.deepEqual(to('dnat to 192.0.2.1'), ['destination 192.0.2.1']);
  assert.deepEqual(to('dnat 192.0.2.1'), ['destination 192.0.2.1']);
  assert.deepEqual(to('tcp dport 1 dnat to 192.0.2.1-192.0.2.4:80-81'), ['destination 192.0.2.1-192.0.2.4:80-81']);
  assert.deepEqual(to('tcp dport 1 dnat to :8080'), ['destination :8080']);
  assert.deepEqual(to('tcp dport 22 redirect to :2222'), ['redirect :2222']);
  assert.deepEqual(to('tcp dport 80 tproxy to 192.0.2.1:50080', EARLY), ['proxy 192.0.2.1:50080']);
  assert.deepEqual(to('dup to 192.0.2.9', EARLY), ['mirror 192.0.2.9']);
  const six = chain(NAT, 'tcp dport 1 dnat to [2001:db8::1]:443').replace('table ip ', 'table ip6 ');
  assert.deepEqual(entries(six).map((entry) => entry.split(' => ')[1]), ['destination 2001:db8::1:443']);
});

test('sets, ranges, names of services, comparisons, negation', () => {
  const read = (rule: string) => entries(chain(FORWARD, `${rule} accept`))[0];
  assert.equal(read('tcp dport { ssh, 80-90 }'), 'accept tcp/22,tcp/80-90 from 0.0.0.0/0 to 0.0.0.0/0');
  assert.equal(read('tcp dport != 22'), 'accept tcp/0-21,tcp/23-65535 from 0.0.0.0/0 to 0.0.0.0/0');
  assert.equal(read('udp dport >= 5000'), 'accept udp/5000-65535 from 0.0.0.0/0 to 0.0.0.0/0');
  assert.equal(read('ip saddr . tcp dport { 10.0.0.1 . 22 }'), 'accept tcp/22 from 10.0.0.1 to 0.0.0.0/0');
  assert.equal(read('iifname != "lan0"'), 'accept any from 0.0.0.0/0 to 0.0.0.0/0 in any but lan0');
  assert.equal(read('ct state established,related'), 'drop any from 0.0.0.0/0 to 0.0.0.0/0');
});

test('counters, expiry and handles are volatile', () => {
  const later = text.replace('packets 3 bytes 180', 'packets 9 bytes 999').replace(/expires \w+/, 'expires 1s');
  assert.notEqual(later, text);
  assert.equal(comparable(later, linuxNftables), comparable(text, linuxNftables));
  assert.equal(comparable(text.replace('masquerade random,persistent', 'masquerade random,persistent # handle 7'), linuxNftables), comparable(text, linuxNftables));
});

test('the text form is known, and what is not understood is unread and a condition', () => {
  assert.equal(recognise(text)?.vendor, 'linux-nftables');
  const { rules, unread } = linuxNftables.read(`define x = 1\n${chain(FORWARD, 'bewitched accept', 'tcp dport 1 accept')}`);
  assert.deepEqual(unread.map(({ number }) => number), [1, 5]);
  assert.match(rules.find(({ lines }) => lines[0].number === 5)?.unresolved.join() ?? '', /bewitched/);
});

test('braces without end and long nonsense are no harm', () => {
  for (const broken of ['table ip t {\n chain c {\n { { {', `table ip t { chain c { ${'{ '.repeat(50_000)}`, `table ip t {\nchain c {\n${'! '.repeat(50_000)}\n}\n}`])
    assert.ok(Array.isArray(linuxNftables.read(broken).rules));
});

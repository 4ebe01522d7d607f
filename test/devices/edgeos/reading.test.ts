import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { edgeos } from '../../../devices/edgeos.ts';
import { recognise } from '../../../devices/index.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import { entryText } from '../../../src/rules/describe.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, name, 'snapshot.cfg'), 'utf8');
const erx = fixture('er-x_2.0.9');
const er4 = fixture('er-4_2.0.9');
const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
const diff = (before: string, after: string) => diffRuleSets(edgeos.read(before), edgeos.read(after), site);
const entries = (text: string, id: string) =>
  edgeos.read(text).policies.find((policy) => policy.id === id)?.entries.map(entryText) ?? [];

test('the footer, or sections that only EdgeOS has, tell it from VyOS', () => {
  assert.equal(recognise(erx)?.vendor, 'edgeos');
  const bare = erx.split('\n').filter((line) => !line.startsWith('/*')).join('\n');
  assert.equal(recognise(bare)?.vendor, 'edgeos');
  assert.equal(recognise(er4)?.vendor, 'edgeos');
});

test('auto-firewall lets a port forward pass the list that would drop it, and without it the list decides', () => {
  const id = 'ip forward filter to ip name WAN_IN (eth0>!)';
  assert.ok(entries(erx, id).includes('accept tcp/8443 from 0.0.0.0/0 to 192.168.1.10 in eth0'));
  const closed = erx.replace('auto-firewall enable', 'auto-firewall disable');
  assert.ok(!entries(closed, id).some((text) => text.includes('8443')));
  const [opened] = diff(closed, erx);
  assert.equal(opened.class, 'inbound-forward');
  assert.match(opened.ruleKey, /^port-forward:/);
});

test('hairpin NAT serves the LAN too', () => {
  const plain = erx.replace('hairpin-nat enable', 'hairpin-nat disable');
  const [first] = entries(plain, 'service nat destination');
  assert.equal(first, 'translate tcp/443 from 0.0.0.0/0 to 198.51.100.10 in eth0 => destination 192.168.1.10:8443');
  assert.ok(!entries(plain, 'service nat source').some((text) => text.includes('out switch0')));
  assert.ok(entries(erx, 'service nat source').some((text) => text.includes('in switch0 out switch0')));
});

test('a relay by service nat is one, unless it is disabled or of another type', () => {
  const without = erx.replace('address 203.0.113.50', 'address 192.168.1.50');
  const [relay] = diff(without, erx);
  assert.equal(relay.class, 'egress-relay');
  assert.equal(relay.ruleKey, 'service nat:relay for phones');
  const disabled = erx.replace('description "relay for phones"', 'description "relay for phones"\n            disable');
  assert.ok(diff(without, disabled).every((change) => change.class !== 'egress-relay'));
});

test('an address group that the device keeps is known where the address is written, and a condition where it is not', () => {
  const rule = (name: string) => erx.replace('ADDRv4_pppoe0', `ADDRv4_${name}`);
  const last = (text: string) => entries(text, 'service nat destination').at(-1);
  assert.equal(
    last(rule('eth0')),
    'translate tcp/2222 from 0.0.0.0/0 to 198.51.100.10 in pppoe0 => destination 192.168.1.10:22',
  );
  assert.match(last(erx) ?? '', / to 0\.0\.0\.0\/0 .* if the address of pppoe0$/);
});

test('modify lists act where an interface is bound to them', () => {
  const id = 'ip policy route (redirect)';
  assert.equal(entries(erx, id).length, 5);
  const unbound = erx.replace('modify SELECT {\n', 'modify OTHER {\n');
  assert.notEqual(unbound, erx);
  assert.deepEqual(entries(unbound, id), []);
});

test('a rule without a type is unread, not guessed', () => {
  const text = er4.replace('set service nat rule 1 type destination\n', '');
  const unread = edgeos.read(text).unread.map((line) => line.text);
  assert.ok(unread.some((line) => line.includes('rule 1 inside-address')));
  assert.deepEqual(edgeos.read(er4).unread, []);
});

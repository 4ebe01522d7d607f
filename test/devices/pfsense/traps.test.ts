import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { opnsense } from '../../../devices/opnsense.ts';
import { pfsense } from '../../../devices/pfsense.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { entryText } from '../../../src/rules/describe.ts';
import { redact } from '../../../src/snapshots/redact.ts';
import { comparable } from '../../../src/snapshots/compare.ts';

const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
const diff = (before: string, after: string) => diffRuleSets(pfsense.read(before), pfsense.read(after), site);
const fixture = (name: string) => readFileSync(join(import.meta.dirname, '..', name, 'snapshot.cfg'), 'utf8');

const INTERFACES = `<interfaces><wan><if>em0</if><ipaddr>203.0.113.2</ipaddr><subnet>24</subnet><gateway>GW</gateway></wan>
<lan><if>em1</if><ipaddr>10.1.0.1</ipaddr><subnet>24</subnet></lan></interfaces>
<system><disablenatreflection>yes</disablenatreflection><ipv6allow/></system>`;
const config = (...parts: string[]) => `<pfsense>\n${INTERFACES}\n${parts.join('\n')}\n</pfsense>\n`;
const PASS =
  '<rule><type>pass</type><interface>lan</interface><source><any/></source><destination><any/></destination></rule>';
const filter = (...rules: string[]) => `<filter>\n${rules.join('\n')}\n</filter>`;
const forward = (more: string) =>
  `<nat><rule><interface>lan</interface><protocol>tcp</protocol><source><any/></source><destination><network>lanip</network><port>8443</port></destination><target>192.0.2.80</target><local-port>443</local-port>${more}</rule></nat>`;

function entries(text: string, stage: Stage): string[] {
  return pfsense
    .read(text)
    .policies.filter((policy) => policy.stage === stage)
    .flatMap((policy) => policy.entries.map((entry) => `${policy.id}: ${entryText(entry)}`));
}

test('a forward lets through by itself only with "pass"; else a filter rule has to', () => {
  const change = (id: string) =>
    diff(config(), config(forward(`<associated-rule-id>${id}</associated-rule-id>`))).map((one) => one.class);
  assert.deepEqual(change('pass'), ['egress-relay']);
  assert.deepEqual(change(''), ['internal']);
  assert.deepEqual(
    diff(config(filter(PASS)), config(forward('<associated-rule-id/>'), filter(PASS))).map((one) => one.class),
    ['egress-relay'],
  );
});

test('a disabled forward translates nothing, enabling it shows; nordr keeps packets as they are', () => {
  assert.deepEqual(entries(config(forward('<disabled/>')), 'destination-nat'), []);
  assert.match(entries(config(forward('<nordr/>')), 'destination-nat')[0], /^rdr: exempt tcp\/8443 /);
  const off = config(forward('<disabled/>'), filter(PASS));
  const [change] = diff(off, off.replace('<disabled/>', ''));
  assert.deepEqual([change.kind, change.class], ['enabled', 'egress-relay']);
});

test('floating rules: with quick the first decides, without it what stands later does', () => {
  const floating = (quick: string) =>
    `<rule><type>block</type><floating>yes</floating><direction>in</direction>${quick}<source><any/></source><destination><any/></destination></rule>`;
  const order = (quick: string) =>
    entries(config(filter(PASS, floating(quick))), 'filter').map((line) => line.split(' ')[1]);
  assert.deepEqual(order('<quick>yes</quick>'), ['drop', 'accept']);
  assert.deepEqual(order(''), ['accept', 'drop']);
});

test('outbound NAT: rules by hand count in hybrid and advanced mode, automatic ones in automatic and hybrid', () => {
  const nat = (mode: string) =>
    entries(
      config(
        `<nat><outbound><mode>${mode}</mode><rule><interface>wan</interface><source><network>10.1.0.0/25</network></source><destination><any/></destination><target>203.0.113.9</target></rule></outbound></nat>`,
      ),
      'source-nat',
    ).map((line) => line.split('=> source ')[1]);
  assert.deepEqual(nat('automatic'), ['203.0.113.2']);
  assert.deepEqual(nat('hybrid'), ['203.0.113.9', '203.0.113.2']);
  assert.deepEqual(nat('advanced'), ['203.0.113.9']);
  assert.deepEqual(nat('disabled'), []);
});

test('an alias that is edited changes the rules that name it, one that is renamed does not; so with groups of interfaces', () => {
  const alias = '<aliases><alias><name>few</name><type>host</type><address>192.0.2.5</address></alias></aliases>';
  const rule = PASS.replace('<destination><any/>', '<destination><address>few</address>');
  const text = config(alias, filter(rule));
  const changes = diff(text, text.replace('192.0.2.5<', '192.0.2.5 198.51.100.0/24<'));
  assert.deepEqual(
    changes.map(({ kind, class: found }) => [kind, found]),
    [['modified', 'egress-permit']],
  );
  const group = (members: string) =>
    config(
      `<ifgroups><ifgroupentry><ifname>Inside</ifname><members>${members}</members></ifgroupentry></ifgroups>`,
      filter(PASS.replace('>lan<', '>Inside<')),
    );
  assert.ok(diff(group('lan'), group('lan wan')).some(({ opens }) => opens.length > 0));
  assert.deepEqual(diff(text, text.replaceAll('few', 'some')), []);
});

test('a gateway in a rule is policy routing', () => {
  const gateways =
    '<gateways><gateway_item><name>OUT</name><interface>wan</interface><gateway>203.0.113.77</gateway></gateway_item></gateways>';
  const rule = PASS.replace('<source>', '<gateway>OUT</gateway><source>');
  const [change] = diff(config(gateways, filter(PASS)), config(gateways, filter(rule)));
  assert.equal(change.class, 'egress-relay');
});

test('who saved a rule, and when', () => {
  const [rule, shop] = pfsense.read(fixture('pfsense/pf-edge_23.09')).rules;
  assert.deepEqual(rule.lastChange, {
    user: 'jdoe',
    atMs: 1_763_630_000_000,
    raw: 'updated 1763630000 by jdoe@10.1.0.9 (Local Database)',
  });
  assert.equal(shop.lastChange?.atMs, 1_763_620_000_000);
  const [own, without] = opnsense.read(fixture('opnsense/opn-core_24.7')).rules;
  assert.deepEqual([own.lastChange?.user, own.lastChange?.atMs], ['root', 1_763_630_000_250]);
  assert.equal(without.lastChange, undefined);
});

test('a new revision alone is no change of the text, and redacted texts read the same', () => {
  for (const [definition, name] of [
    [pfsense, 'pfsense/pf-edge_23.09'],
    [opnsense, 'opnsense/opn-core_24.7'],
  ] as const) {
    const text = fixture(name);
    const again = text.replace(/<time>(\d+)/g, '<time>9$1');
    assert.notEqual(again, text);
    assert.equal(comparable(again, definition), comparable(text, definition));
    const redacted = redact(text, definition, () => 'aGFzaA');
    assert.deepEqual(diffRuleSets(definition.read(text), definition.read(redacted), site), []);
    assert.deepEqual(
      definition.read(redacted).unread.map(({ number }) => number),
      definition.read(text).unread.map(({ number }) => number),
    );
  }
});

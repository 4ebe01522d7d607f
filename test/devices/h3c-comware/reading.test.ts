import assert from 'node:assert/strict';
import { test } from 'node:test';
import { h3cComware } from '../../../devices/h3c-comware.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../../src/model/site.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';

const read = (text: string) => h3cComware.read(text);
const entries = (text: string, stage: Stage): string[] =>
  describeRuleSet(read(text))
    .policies.filter((policy) => policy.stage === stage)
    .flatMap(({ ingress, egress, entries: steps }) =>
      (steps as string[]).map((step) => `${ingress} > ${egress}: ${step}`),
    );
const diff = (before: string, after: string) =>
  diffRuleSets(read(before), read(after), { internal: DEFAULT_INTERNAL });

const WAN = '#\ninterface GigabitEthernet0/0\n ip address 203.0.113.10 255.255.255.248\n nat static enable\n';

test('static outbound is for hosts inside, static inbound lets them reach an outside host by a local address', () => {
  const out = `${WAN}#\n nat static outbound 10.0.0.5 203.0.113.11\n`;
  assert.deepEqual(entries(out, 'source-nat'), [
    'any > GigabitEthernet0/0: translate any from 10.0.0.5 to 0.0.0.0/0 => source 203.0.113.11',
  ]);
  assert.deepEqual(entries(out, 'destination-nat'), [
    'GigabitEthernet0/0 > any: translate any from 0.0.0.0/0 to 203.0.113.11 => destination 10.0.0.5',
  ]);
  const relay = `${WAN}#\n nat static inbound 45.76.0.9 10.0.250.9\n`;
  assert.deepEqual(entries(relay, 'destination-nat'), [
    'any > GigabitEthernet0/0: translate any from 0.0.0.0/0 to 10.0.250.9 => destination 45.76.0.9',
  ]);
  assert.equal(diff(WAN, relay)[0].class, 'egress-relay');
  // Without `nat static enable` there is a rule and no way.
  const disabled = relay.replace(' nat static enable\n', '');
  assert.deepEqual([read(disabled).policies.length, read(disabled).rules.length], [0, 1]);
  assert.ok(diff(disabled, relay).some(({ class: grade }) => grade === 'egress-relay'));
});

test('a statement that is disabled keeps its key', () => {
  const text = (tail: string) =>
    `#\ninterface GigabitEthernet0/0\n nat server protocol tcp global 10.0.250.9 443 inside 45.76.0.9 443${tail}\n`;
  const [on, off] = [read(text('')).rules[0], read(text(' disable')).rules[0]];
  assert.deepEqual([on.key === off.key, on.enabled, off.enabled], [true, true, false]);
  assert.deepEqual(read(text(' disable')).policies, []);
  assert.equal(diff(text(' disable'), text(''))[0].kind, 'enabled');
});

test('a packet filter lets pass what it does not name, unless the default denies', () => {
  const text = (global: string) =>
    `#\n${global}#\nacl advanced 3000\n rule 0 deny tcp destination-port eq 25\n#\ninterface GigabitEthernet0/1\n packet-filter 3000 inbound\n`;
  assert.deepEqual(entries(text(''), 'filter'), [
    'GigabitEthernet0/1 > any: drop tcp/25 from 0.0.0.0/0 to 0.0.0.0/0',
  ]);
  assert.equal(describeRuleSet(read(text(''))).policies[0].otherwise, 'accept');
  assert.match(entries(text(' packet-filter default deny\n'), 'filter').at(-1)!, /drop any from 0\.0\.0\.0\/0 to 0\.0\.0\.0\/0$/);
});

const ZONES = `#
interface GigabitEthernet1/0/1
#
interface GigabitEthernet1/0/2
#
security-zone name Trust
 import interface GigabitEthernet1/0/1
#
security-zone name Untrust
 import interface GigabitEthernet1/0/2
`;
const PAIR = `#
zone-pair security source Trust destination Untrust
 object-policy apply ip OUT
#
object-policy ip OUT
 rule 0 pass service http
 rule 5 drop
`;

test('zone pairs act where there is no security policy, and not beside one', () => {
  assert.deepEqual(entries(ZONES + PAIR, 'filter'), [
    'GigabitEthernet1/0/1 > GigabitEthernet1/0/2: accept tcp/80 from 0.0.0.0/0 to 0.0.0.0/0',
    'GigabitEthernet1/0/1 > GigabitEthernet1/0/2: drop any from 0.0.0.0/0 to 0.0.0.0/0',
  ]);
  const both = `${ZONES}${PAIR}#\nsecurity-policy ip\n rule 0 name one\n  action pass\n  source-zone Trust\n  destination-zone Untrust\n`;
  assert.deepEqual(entries(both, 'filter').map((entry) => entry.replace(/^.*?: /, '')), [
    'accept any from 0.0.0.0/0 to 0.0.0.0/0 in GigabitEthernet1/0/1 out GigabitEthernet1/0/2',
    'drop any from any to any',
  ]);
});

test('renumbered rules and members are no change', () => {
  const text = (a: number) => `${ZONES}#
object-group ip address A
 ${a} network host address 10.0.0.5
#
object-policy ip OUT
 rule ${a} pass source-ip A service http
#
zone-pair security source Trust destination Untrust
 object-policy apply ip OUT
#
acl advanced 3000
 rule ${a} permit tcp source object-group A
#
interface GigabitEthernet1/0/1
 packet-filter 3000 inbound
`;
  assert.deepEqual(diff(text(0), text(400)), []);
});

test('what opens a way and is not understood is unread', () => {
  const text = `#
interface GigabitEthernet0/0
 nat server wibble
 nat outbound frobnicate
 ip address wibble
#
 nat static outbound 10.0.0.5
#
acl advanced 3000
 rule 0 permit tcp wibble
#
zone-pair security source A destination B
 wibble
`;
  assert.deepEqual(
    read(text).unread.map((line) => line.text.trim()),
    ['nat server wibble', 'nat outbound frobnicate', 'ip address wibble', 'nat static outbound 10.0.0.5', 'rule 0 permit tcp wibble', 'wibble'],
  );
});

test('changes are told by syslog, looking is none', () => {
  const isChange = (line: string) => h3cComware.changedBy.some((pattern) => pattern.test(line));
  const command = (text: string) =>
    `%Mar  2 22:14:07:123 2026 H3C SHELL/6/SHELL_CMD: -Line=vty0-IPAddr=10.0.0.7-User=jdoe; Command is ${text}`;
  assert.ok(isChange(command('nat static inbound 45.76.0.9 10.0.250.9')));
  assert.ok(!isChange(command('display current-configuration')));
  assert.ok(h3cComware.session.logLines![0].test(command('x')));
});

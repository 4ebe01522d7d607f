import assert from 'node:assert/strict';
import { test } from 'node:test';
import { huaweiVrp } from '../../../devices/huawei-vrp.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../../src/model/site.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';
import { changeHeaders } from '../../../src/snapshots/headers.ts';

const read = (text: string) => huaweiVrp.read(text);
const entries = (text: string, stage: Stage): string[] =>
  describeRuleSet(read(text))
    .policies.filter((policy) => policy.stage === stage)
    .flatMap(({ ingress, egress, entries: steps }) =>
      (steps as string[]).map((step) => `${ingress} > ${egress}: ${step}`),
    );
const diff = (before: string, after: string) =>
  diffRuleSets(read(before), read(after), { internal: DEFAULT_INTERNAL });
const section = (...lines: string[]) => `#\n${lines.join('\n')}\n`;
const lan = (...lines: string[]) =>
  section('interface GigabitEthernet0/0/1', ' ip address 10.0.0.1 255.255.255.0', ...lines.map((line) => ` ${line}`));

test('nat server inside an interface translates what enters it, and is a relay toward an outside host', () => {
  const relay = 'nat server protocol tcp global 10.0.250.9 8443 inside 45.76.0.9 443';
  assert.deepEqual(entries(lan(relay), 'destination-nat'), [
    'GigabitEthernet0/0/1 > any: translate tcp/8443 from 0.0.0.0/0 to 10.0.250.9 => destination 45.76.0.9:443',
  ]);
  assert.deepEqual([diff(lan(), lan(relay))[0].kind, diff(lan(), lan(relay))[0].class], ['added', 'egress-relay']);
  assert.deepEqual(read(lan('shutdown', relay)).policies, []);
});

test('forms of nat server: own address, another interface, ports by name, all ports, ranges', () => {
  const one = (words: string) =>
    entries(lan(`nat server ${words}`), 'destination-nat').map((entry) => entry.replace(/^.*?: translate /, ''))[0];
  assert.equal(
    one('protocol tcp global current-interface 9000 inside 10.0.0.9 www'),
    'tcp/9000 from 0.0.0.0/0 to 10.0.0.1 => destination 10.0.0.9:80',
  );
  assert.equal(
    one('protocol tcp global interface Dialer0 www inside 10.0.0.9'),
    'tcp/80 from 0.0.0.0/0 to 0.0.0.0/0 => destination 10.0.0.9:80 if address of Dialer0 is not in the configuration',
  );
  assert.equal(one('global 203.0.113.5 inside 10.0.0.5'), 'any from 0.0.0.0/0 to 203.0.113.5 => destination 10.0.0.5');
  assert.equal(
    one('global 203.0.113.16 203.0.113.19 inside 10.0.0.16 10.0.0.19'),
    'any from 0.0.0.0/0 to 203.0.113.16/30 => destination 10.0.0.16/30 with offset',
  );
});

test('static statements come before nat outbound, those with ports first', () => {
  const text =
    section('acl number 2000', ' rule 5 permit source 10.0.0.0 0.0.0.255') +
    lan(
      'nat outbound 2000',
      'nat static global 203.0.113.6 inside 10.0.0.6',
      'nat server protocol tcp global 203.0.113.7 80 inside 10.0.0.7 80',
    );
  assert.deepEqual(
    entries(text, 'source-nat').map((entry) => entry.replace(/^.*=> /, '')),
    ['source 203.0.113.7:80', 'source 203.0.113.6', 'source 10.0.0.1'],
  );
});

test('a static statement of the device acts where an interface enables it', () => {
  const text = section('nat static global 203.0.113.6 inside 10.0.0.6');
  assert.deepEqual(read(text + lan()).policies, []);
  assert.deepEqual(entries(text + lan('nat static enable'), 'destination-nat'), [
    'GigabitEthernet0/0/1 > any: translate any from 0.0.0.0/0 to 203.0.113.6 => destination 10.0.0.6',
  ]);
});

test('renumbered entries, nodes and members are no change; an entry that is put before a denial is one', () => {
  const text = (a: number) =>
    section(
      'acl number 3000',
      ` rule ${a} deny tcp destination-port eq 25`,
      ` rule ${a + 5} permit tcp source 10.0.0.0 0.0.0.255`,
    ) +
    section(`policy-based-route P permit node ${a}`, ' if-match acl 3000', ' apply ip-address next-hop 203.0.113.9') +
    lan('traffic-filter inbound acl 3000', 'ip policy-based-route P');
  assert.deepEqual(diff(text(5), text(500)), []);
  const moved = text(5).replace(/( rule 5 .*\n)( rule 10 .*\n)/, '$2$1');
  assert.ok(diff(text(5), moved).length > 0);
});

const ZONES = `${section('interface GigabitEthernet1/0/1', ' ip address 10.0.0.1 24')}${section('interface GigabitEthernet1/0/2')}${section('interface GigabitEthernet1/0/3')}#
firewall zone trust
 add interface GigabitEthernet1/0/1
#
firewall zone untrust
 add interface GigabitEthernet1/0/2
#
`;
const POLICY = `security-policy
 rule name out
  source-zone trust
  destination-zone untrust
  destination-address 198.51.100.0 mask 24
  action permit
#
`;

test('between zones what no rule permits is dropped, within a zone it passes; the default may permit', () => {
  assert.deepEqual(
    entries(ZONES + POLICY, 'filter').map((entry) => entry.replace(/^.*?: /, '')),
    [
      'accept any from 0.0.0.0/0 to 198.51.100.0/24 in GigabitEthernet1/0/1 out GigabitEthernet1/0/2',
      'accept any from any to any in GigabitEthernet1/0/1 out GigabitEthernet1/0/1',
      'accept any from any to any in GigabitEthernet1/0/2 out GigabitEthernet1/0/2',
      'drop any from any to any',
    ],
  );
  const open = POLICY.replace('security-policy\n', 'security-policy\n default action permit\n');
  assert.match(entries(ZONES + open, 'filter').at(-1)!, /accept any from any to any$/);
  assert.ok(diff(ZONES + POLICY, ZONES + open)[0].opens.length > 0);
});

test('an interface that joins a zone changes the rules that reach it', () => {
  const joined = ZONES.replace(
    ' add interface GigabitEthernet1/0/1\n',
    ' add interface GigabitEthernet1/0/1\n add interface GigabitEthernet1/0/3\n',
  );
  const changes = diff(ZONES + POLICY, joined + POLICY);
  assert.ok(changes.some(({ ruleKey }) => ruleKey === 'security-policy:out'), JSON.stringify(changes.map((c) => c.ruleKey)));
});

test('a rule that is disabled is kept and acts no more', () => {
  const off = POLICY.replace('  source-zone', '  disable\n  source-zone');
  const [rule] = read(ZONES + off).rules;
  assert.deepEqual([rule.key, rule.enabled], ['security-policy:out', false]);
  const [change] = diff(ZONES + off, ZONES + POLICY).filter(({ ruleKey }) => ruleKey === 'security-policy:out');
  assert.deepEqual([change.kind, change.class], ['enabled', 'egress-permit']);
});

test('an edited address set changes every rule that it reaches; one that is missing may be anything', () => {
  const text = (mask: number) =>
    `${section('ip address-set A type object', ` address 0 198.51.100.0 mask ${mask}`)}${ZONES}${POLICY.replace('198.51.100.0 mask 24', 'address-set A')}`;
  const changes = diff(text(25), text(24));
  assert.deepEqual(changes.map(({ ruleKey }) => ruleKey), ['security-policy:out']);
  const missing = ZONES + POLICY.replace('198.51.100.0 mask 24', 'address-set NONE');
  assert.match(entries(missing, 'filter')[0], /accept any from 0\.0\.0\.0\/0 to 0\.0\.0\.0\/0 .* if address NONE is not defined$/);
});

test('sets that contain each other, and are too deep, are said', () => {
  const text = `${section('ip address-set A type group', ' address 0 address-set B')}${section('ip address-set B type group', ' address 0 address-set A')}${ZONES}${POLICY.replace('198.51.100.0 mask 24', 'address-set A')}`;
  assert.ok(read(text).rules[0].unresolved.length > 0);
});

test('statements of Comware stand behind a blank, sections are parted by #', () => {
  const text = '#\n sysname x\n#\n ip route-static 10.66.0.0 16 Tunnel1\n#\ninterface Tunnel1 mode gre\n destination 198.51.100.7\n#\nreturn\n#\nacl number 3000\n rule 0 frobnicate\n';
  assert.deepEqual(entries(text, 'redirect'), [
    'any > any: translate any from 0.0.0.0/0 to 10.66.0.0/16 => tunnel 198.51.100.7',
  ]);
  assert.deepEqual(read(text).unread, []);
});

test('the header line tells who changed it, weakly', () => {
  const text = '!Software Version V500R005C20SPC500\n!Last configuration was updated at 2026-03-02 22:14:07 UTC by jdoe\n#\n';
  const [header] = changeHeaders(text, huaweiVrp);
  assert.deepEqual([header.user, header.atMs], ['jdoe', Date.UTC(2026, 2, 2, 22, 14, 7)]);
});

test('prompts, pager and syslog', () => {
  const { prompt, pagers } = huaweiVrp.session;
  for (const line of ['<HUAWEI>', '[HUAWEI]', '[~fw-1]', 'HRP_M<FW1>']) assert.match(line, prompt);
  for (const line of ['[V300R019C10SPC300]', ' description <x>', '#']) assert.doesNotMatch(line, prompt);
  assert.match('  ---- More ----', pagers[0].pattern);
  const recorded = (command: string) =>
    `Mar  2 2026 22:14:07 FW1 %%01SHELL/5/CMDRECORD(s)[12]:Recorded command information. (Task=VT0, Ip=10.0.0.7, VpnName=, User=jdoe, AuthenticationMethod="Local-user", Command="${command}")`;
  const isChange = (line: string) => huaweiVrp.changedBy.some((pattern) => pattern.test(line));
  assert.ok(isChange(recorded('nat server protocol tcp global 10.0.250.9 443 inside 45.76.0.9 443')));
  assert.ok(!isChange(recorded('display current-configuration')));
});

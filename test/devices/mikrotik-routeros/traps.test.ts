import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinedExport } from '../../../devices/syntax/routeros-text.ts';
import { mikrotikRouteros } from '../../../devices/mikrotik-routeros.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { DEFAULT_INTERNAL } from '../../../src/model/site.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';
import { comparable } from '../../../src/snapshots/compare.ts';
import { redact } from '../../../src/snapshots/redact.ts';
import { take } from '../../../src/snapshots/take.ts';
import { entries, filter, menu, nat, read, unread } from './entries.ts';

const SITE = { internal: DEFAULT_INTERNAL };
const changesOf = (before: string, after: string) =>
  diffRuleSets(read(before), read(after), SITE).map(({ kind, class: of }) => [kind, of]);

test('a line that is broken within words, quotes and values reads as the whole line', () => {
  const whole =
    '/ip firewall nat\nadd action=dst-nat chain=dstnat comment="a \\"long\\" comment" dst-port=3389 protocol=tcp to-addresses=192.168.115.10\n';
  const broken =
    '/ip firewall nat\nadd action=dst-nat chain=dstnat comment=\\\n    "a \\"long\\" com\\\n    ment" dst-port=33\\\r\n    89 protocol=tcp \\\n    to-addresses=192.168.115.10\n';
  assert.equal(joinedExport(broken), whole);
  assert.equal(joinedExport(whole), whole);
  const [rule, joined] = [read(broken).rules[0], read(whole).rules[0]];
  assert.equal(rule.key, joined.key);
  assert.equal(rule.comment, 'a "long" comment');
  assert.deepEqual(
    rule.lines.map(({ number }) => number),
    [2, 3, 4, 5, 6],
  );
  // An escaped backslash at the end of a line breaks nothing.
  const escaped =
    '/system note\nset note="ends with \\\\"\n/ip firewall filter\nadd action=drop chain=forward\n';
  assert.equal(joinedExport(escaped), escaped);
  assert.equal(read(escaped).rules.length, 1);
});

test('the terse form, slashes in paths and the plain form mean the same', () => {
  const plain = filter('action=accept chain=forward dst-port=443 protocol=tcp', 'action=drop chain=forward');
  const terse =
    '/ip firewall filter add action=accept chain=forward dst-port=443 protocol=tcp\n/ip/firewall/filter add action=drop chain=forward\n';
  assert.deepEqual(entries(terse, 'filter'), entries(plain, 'filter'));
  assert.deepEqual(changesOf(plain, terse), []);
});

test('no rule, no filter; what no rule decides about is accepted', () => {
  assert.deepEqual(read(menu('ip address', 'add address=10.0.0.1/24 interface=ether1')).policies, []);
  const [policy] = describeRuleSet(read(filter('action=drop chain=forward src-address=10.0.0.9'))).policies;
  assert.equal(policy.otherwise, 'accept');
});

test('a rule that is switched off is kept without effect, and switching it on is a change', () => {
  const text = (disabled: string) =>
    nat(`action=dst-nat chain=dstnat disabled=${disabled} dst-address=10.0.0.250 to-addresses=198.51.100.7`);
  const [rule] = read(text('yes')).rules;
  assert.equal(rule.enabled, false);
  assert.equal(rule.key, read(text('no')).rules[0].key);
  assert.deepEqual(entries(text('yes'), 'destination-nat'), []);
  assert.deepEqual(changesOf(text('yes'), text('no')), [['enabled', 'egress-relay']]);
});

test('a key is what the rule says: neither its place nor its comment', () => {
  const [a, b] = ['action=accept chain=forward dst-port=80 protocol=tcp', 'action=drop chain=forward'];
  const keys = (text: string) => read(text).rules.map(({ key }) => key);
  assert.deepEqual(keys(filter(a, b)), keys(filter(b, a)).reverse());
  assert.deepEqual(keys(filter(a)), keys(filter(`${a} comment="changed by me" log=yes`)));
  assert.deepEqual(keys(filter(a)), keys(filter('chain=forward protocol=tcp dst-port=80 action=accept')));
  assert.notDeepEqual(keys(filter(a)), keys(filter(a.replace('80', '81'))));
  assert.deepEqual(changesOf(filter(b, a), filter(a, b)).length > 0, true);
});

test('remarks of the device on a rule are no change', () => {
  const text = (remark: string) =>
    `# 2026-11-21 0${remark.length % 10}:00:00 by RouterOS 7.16\n/ip firewall filter\n${remark}add action=accept chain=forward time=8h-18h,mon\n`;
  const shown = (raw: string) => comparable(raw, mikrotikRouteros);
  assert.equal(shown(text('# inactive time\n')), shown(text('')));
  assert.notEqual(shown(text('').replace('7.16', '7.17')), shown(text('')));
  assert.notEqual(shown(text('').replace('accept', 'drop')), shown(text('')));
});

test('a relay by editing an address list alone', () => {
  const text = (address: string) =>
    menu('ip firewall address-list', `add address=${address} list=targets`) +
    filter('action=accept chain=forward dst-address-list=targets', 'action=drop chain=forward');
  assert.deepEqual(changesOf(text('10.9.9.9'), text('198.51.100.9')), [['modified', 'egress-permit']]);
  assert.deepEqual(changesOf(text('10.9.9.9'), text('10.9.9.9/32')), []);
});

test('a member that enters an interface list changes the rules that name it', () => {
  const text = (...members: string[]) =>
    menu('interface list', 'add name=LAN', 'add include=LAN name=ALL-IN') +
    menu('interface list member', ...members.map((name) => `add interface=${name} list=LAN`)) +
    filter('action=accept chain=forward in-interface-list=ALL-IN', 'action=drop chain=forward');
  assert.deepEqual(changesOf(text('ether2'), text('ether2', 'ether3')), [['modified', 'egress-permit']]);
  assert.match(entries(text('ether2'), 'filter')[0], / in ether2$/);
  // A list without members stands for itself.
  assert.match(entries(text(), 'filter')[0], / in ALL-IN$/);
});

test('lists that the device fills are conditions, known addresses stay exact', () => {
  const rules = filter('action=accept chain=forward src-address-list=friends', 'action=drop chain=forward');
  const list = (...items: string[]) =>
    menu('ip firewall address-list', ...items.map((item) => `add address=${item} list=friends`));
  assert.deepEqual(entries(list('10.0.0.1', 'host.example.org') + rules, 'filter').slice(0, 2), [
    'accept any from 10.0.0.1 to 0.0.0.0/0',
    'accept any from 0.0.0.0/0 to 0.0.0.0/0 if address list friends has host.example.org',
  ]);
  assert.match(entries(rules, 'filter')[0], /if address list friends has no entries here$/);
  const knock = filter(
    'action=add-src-to-address-list address-list=friends chain=input dst-port=7000 protocol=tcp',
  );
  assert.match(entries(knock + rules, 'filter')[0], /if rules add to address list friends$/);
  assert.deepEqual(entries(list('10.0.0.1') + rules, 'filter'), [
    'accept any from 10.0.0.1 to 0.0.0.0/0',
    'drop any from 0.0.0.0/0 to 0.0.0.0/0',
  ]);
});

test('matchers', () => {
  const one = (matchers: string, ...before: string[]) =>
    entries(before.join('') + filter(`action=accept chain=forward ${matchers}`), 'filter');
  assert.match(one('protocol=!tcp')[0], /^accept 0,icmp,2,3,4,5,7,8/);
  assert.deepEqual(one('port=53 protocol=udp'), [
    'accept udp/53 from 0.0.0.0/0 to 0.0.0.0/0',
    'accept udp from 0.0.0.0/0 port 53 to 0.0.0.0/0',
  ]);
  assert.match(one('dst-port=!25 protocol=tcp')[0], /^accept tcp\/0-24,tcp\/26-65535 /);
  assert.match(one('src-address=!10.0.0.0/8')[0], /from 0\.0\.0\.0-9\.255\.255\.255,11\.0\.0\.0-255/);
  assert.match(one('src-address=10.0.0.5-10.0.0.7')[0], /from 10\.0\.0\.5-10\.0\.0\.7 /);
  assert.match(one('in-interface=!ether1')[0], /in any but ether1$/);
  assert.match(one('dst-address-type=multicast')[0], /to 224\.0\.0\.0\/4$/);
  assert.match(one('icmp-options=3:4 protocol=icmp')[0], /^accept icmp\/772 /);
  assert.match(one('connection-nat-state=dstnat')[0], / if translated$/);
  assert.match(one('connection-nat-state=!dstnat')[0], / unless translated$/);
  assert.match(one('layer7-protocol=games')[0], / if layer7-protocol=games$/);
  assert.match(one('limit=5,5:packet')[0], / if limit=5,5:packet$/);
  for (const never of [
    'connection-state=established',
    'connection-state=!new',
    'tcp-flags=ack protocol=tcp',
    'ipsec-policy=in,ipsec',
  ])
    assert.deepEqual(one(never), [], never);
  for (const always of [
    'connection-state=established,new',
    'connection-state=!invalid',
    'ipsec-policy=out,none',
  ])
    assert.deepEqual(one(always), ['accept any from 0.0.0.0/0 to 0.0.0.0/0'], always);
  assert.deepEqual(one('protocol=tcp tcp-flags=syn,!ack'), ['accept tcp from 0.0.0.0/0 to 0.0.0.0/0']);
});

test('chains are jumped into and returned from; fasttrack and passthrough decide nothing', () => {
  const text = filter(
    'action=fasttrack-connection chain=forward',
    'action=passthrough chain=forward',
    'action=jump chain=forward jump-target=web',
    'action=drop chain=forward',
    'action=return chain=web src-address=10.0.0.66',
    'action=accept chain=web dst-port=443 protocol=tcp',
  );
  assert.deepEqual(entries(text, 'filter'), [
    'accept tcp/443 from 0.0.0.0-10.0.0.65,10.0.0.67-255.255.255.255 to 0.0.0.0/0',
    'drop any from 0.0.0.0/0 to 0.0.0.0/0',
  ]);
});

test('mark-routing leads where the routes of its table lead, in both versions', () => {
  const mangle = menu(
    'ip firewall mangle',
    'add action=mark-routing chain=prerouting new-routing-mark=out passthrough=no src-address=10.0.0.9',
  );
  const routes = (field: string, gateway: string) => menu('ip route', `add gateway=${gateway} ${field}=out`);
  for (const field of ['routing-mark', 'routing-table'])
    assert.deepEqual(entries(mangle + routes(field, '198.51.100.1'), 'redirect'), [
      'translate any from 10.0.0.9 to 0.0.0.0/0 => policy-route 198.51.100.1',
    ]);
  assert.deepEqual(entries(mangle, 'redirect'), []);
  const tunnel = menu('interface gre', 'add name=gre1 remote-address=192.0.2.7');
  assert.deepEqual(entries(tunnel + mangle + routes('routing-mark', 'gre1'), 'redirect'), [
    'translate any from 10.0.0.9 to 0.0.0.0/0 => tunnel 192.0.2.7',
  ]);
  assert.deepEqual(
    changesOf(mangle, mangle + routes('routing-mark', '198.51.100.1'))
      .flat()
      .includes('egress-relay'),
    true,
  );
});

test('proxies of the device are relays once they are on, whatever the forward chain says', () => {
  const text = (socks: string) =>
    menu('ip address', 'add address=10.0.0.1/24 interface=bridge') +
    menu('ip socks', `set enabled=${socks} port=1080`) +
    filter('action=drop chain=forward');
  assert.deepEqual(changesOf(text('no'), text('yes')), [['enabled', 'egress-relay']]);
  const ssh = (way: string) => menu('ip ssh', `set forwarding-enabled=${way}`);
  assert.deepEqual(
    ['no', 'local', 'remote', 'both'].map((way) => read(ssh(way)).rules[0].enabled),
    [false, true, true, true],
  );
});

test('copies to the outside: TZSP and the streaming sniffer', () => {
  const sniffer = (enabled: string) =>
    menu('tool sniffer', `set streaming-enabled=${enabled} streaming-server=198.51.100.9`);
  assert.deepEqual(changesOf(sniffer('no'), sniffer('yes')), [['enabled', 'egress-relay']]);
  const tzsp = menu('ip firewall mangle', 'add action=sniff-tzsp chain=prerouting sniff-target=198.51.100.9');
  assert.deepEqual(entries(tzsp, 'redirect'), [
    'translate any from 0.0.0.0/0 to 0.0.0.0/0 => mirror 198.51.100.9',
  ]);
});

test('secrets on broken lines are hidden, and a text without the last line is not complete', () => {
  const text = '/interface gre\nadd ipsec-secret=\\\n    "top \\\n    secret" name=gre1\n# end of export\n';
  const { text: stored, complete } = take(text, mikrotikRouteros, () => 'h');
  assert.equal(complete, true);
  assert.equal(stored.includes('secret"'), false);
  assert.equal(stored.includes('top'), false);
  assert.match(stored, /ipsec-secret=<removed:h> name=gre1/);
  assert.equal(take(text.replace(/# end.*\n/, ''), mikrotikRouteros, () => 'h').complete, false);
  assert.equal(
    redact('/ip dns\nset servers=1.1.1.1 use-doh-server=no', mikrotikRouteros, () => 'h').includes('removed'),
    false,
  );
});

test('what is not known is told, and only where rules are', () => {
  assert.deepEqual(unread(filter('action=fly chain=forward')), ['add action=fly chain=forward']);
  assert.deepEqual(unread(filter('action=drop chain=forward wings=2')), [
    'add action=drop chain=forward wings=2',
  ]);
  assert.deepEqual(unread(menu('ip firewall filter', 'what is "this"')), ['what is "this"']);
  assert.deepEqual(unread(menu('system note', 'what is "this"')), []);
  assert.deepEqual(unread(menu('ip route', 'add dst-address=nowhere gateway=1.2.3.4')), [
    'add dst-address=nowhere gateway=1.2.3.4',
  ]);
  assert.deepEqual(unread(filter('action=drop chain=forward', 'action=accept chain=input')), []);
});

test('lines of change are told from lines of every day', () => {
  const isChange = (line: string) => mikrotikRouteros.changedBy.some((pattern) => pattern.test(line));
  for (const line of [
    'jan/01/1970 20:19:28 system,info nat rule added by admin',
    'system,info address list entry changed by ops',
    'system,info filter rule moved by winbox-3.41/tcp-msg(winbox):ops@10.0.0.7/action:12 (*4)',
  ])
    assert.ok(isChange(line), line);
  for (const line of [
    'system,info,account user ops logged in from 10.0.0.7 via ssh',
    'system,error,critical login failure for user admin from 65.160.140.13 via ssh',
    'dhcp,info dhcp1 assigned 10.0.0.5 to 02:00:00:00:00:05',
  ])
    assert.ok(!isChange(line), line);
});

test('the history names who changed what', () => {
  const [entry] = mikrotikRouteros.history!;
  const found = entry.exec('U nat rule added        ops   write   2026-11-21 01:59:10');
  assert.deepEqual(
    { ...found?.groups },
    { command: 'nat rule added', user: 'ops', time: '2026-11-21 01:59:10' },
  );
  assert.equal(entry.test('U address list entry added     write   2026-11-21 01:10:00'), false);
});

test('hostile texts are read in time that grows with them', () => {
  const texts = [
    'a\\\n'.repeat(200_000),
    '\\'.repeat(400_000),
    '"'.repeat(300_000),
    '/a '.repeat(100_000),
    '/ip firewall filter\n' + 'add action=jump chain=forward jump-target=forward\n'.repeat(5_000),
    filter(
      ...Array.from({ length: 400 }, (_, i) => `action=jump chain=c${i} jump-target=c${i + 1}`),
      'action=jump chain=forward jump-target=c0',
    ),
    '/ip address\n' + 'set [ find default-name=x ] a=b\n'.repeat(20_000),
    `/interface ethernet\n${Array.from({ length: 20_000 }, (_, i) => `set [ find default-name=e${i} ] name=x${i}`).join('\n')}\n`,
    `password="${'\\"'.repeat(200_000)}`,
  ];
  for (const text of texts) {
    const begun = performance.now();
    read(joinedExport(text));
    redact(text, mikrotikRouteros, () => 'h');
    assert.ok(performance.now() - begun < 4_000, `${text.slice(0, 40)} ${performance.now() - begun}`);
  }
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fortios } from '../../../devices/fortios.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { DEFAULT_INTERNAL } from '../../../src/model/site.ts';
import { comparable } from '../../../src/snapshots/compare.ts';
import { redact } from '../../../src/snapshots/redact.ts';
import { take } from '../../../src/snapshots/take.ts';
import { ADDRESSES, entries, policy, read, section, unread } from './entries.ts';

const SITE = { internal: DEFAULT_INTERNAL };

test('policies are met in the order of the text, not of their ids, and move shows where it matters', () => {
  const deny = 'srcintf lan\ndstintf wan\nsrcaddr all\ndstaddr all\nservice SSH\nschedule always';
  const list = (...order: [number, string][]) =>
    ADDRESSES +
    `config firewall policy\n${order
      .map(
        ([id, text]) =>
          `edit ${id}\n${text
            .split('\n')
            .map((line) => `set ${line}`)
            .join('\n')}\nnext`,
      )
      .join('\n')}\nend\n`.replaceAll('set \n', '');
  const allow = policy('lan', 'wan', 'lan', 'all').trim();
  const before = read(list([9, deny], [2, allow]));
  const after = read(list([2, allow], [9, deny]));
  assert.deepEqual(
    before.rules.map(({ key, position }) => [key, position]),
    [
      ['policy 9', 0],
      ['policy 2', 1],
    ],
  );
  const changes = diffRuleSets(before, after, SITE);
  assert.equal(changes.length > 0, true);
  assert.equal(changes[0].class, 'egress-permit');
  assert.deepEqual(diffRuleSets(before, read(list([9, deny], [2, allow])), SITE), []);
});

test('negated ends are everything else, and an unknown one is everything', () => {
  const negated = section('firewall policy', {
    1: policy('lan', 'wan', 'lan', 'server', 'srcaddr-negate enable\ndstaddr-negate enable'),
    2: policy('lan', 'wan', 'lan', 'site', 'dstaddr-negate enable'),
    3: policy('lan', 'wan', 'lan', 'all', '').replace(
      'service ALL',
      'service ALL_TCP\nservice-negate enable',
    ),
  });
  const site = section('firewall address', { site: 'type fqdn\nfqdn www.example.org' });
  const [first, second, third] = entries(
    ADDRESSES.replace(/end\n$/, '') + site.replace(/^.*\n/, '') + negated,
    'filter',
  );
  assert.equal(
    first,
    'accept any from 0.0.0.0-10.0.255.255,10.1.1.0-255.255.255.255 to 0.0.0.0-10.2.0.79,10.2.0.81-255.255.255.255 in lan out wan unless translated',
  );
  assert.equal(
    second,
    'accept any from 10.1.0.0/24 to 0.0.0.0/0 in lan out wan unless translated if not address site is fqdn www.example.org',
  );
  assert.match(third, /^accept 0,icmp,2,3,4,5,tcp\/0,7,/);
});

test('a group of known and unknown addresses is exact for the known ones', () => {
  const objects = (extra: string) =>
    section('firewall address', {
      lan: 'subnet 10.1.0.0 255.255.255.0',
      a: 'subnet 198.51.100.1 255.255.255.255',
      b: 'subnet 198.51.100.2 255.255.255.255',
      cdn: 'type fqdn\nfqdn cdn.example.org',
    }) + section('firewall addrgrp', { out: `member a cdn${extra}` });
  const rules = section('firewall policy', { 1: policy('lan', 'wan', 'lan', 'out') });
  assert.deepEqual(entries(objects('') + rules, 'filter'), [
    'accept any from 10.1.0.0/24 to 198.51.100.1 in lan out wan unless translated',
    'accept any from 10.1.0.0/24 to 0.0.0.0/0 in lan out wan unless translated if address cdn is fqdn cdn.example.org',
  ]);
  const [change] = diffRuleSets(read(objects('') + rules), read(objects(' b') + rules), SITE);
  assert.equal(change.ruleKey, 'policy 1');
  assert.equal(change.class, 'egress-permit');
});

test('the same text with other secrets, versions and times is the same configuration', () => {
  const text = (secret: string, time: string, version: string) =>
    `#config-version=FGT60F-7.2.5-FW-build1517-230606:opmode=0:vdom=0:user=${version}\n#conf_file_ver=${time.length}${secret}\nconfig user local\n    edit "ann"\n        set passwd ENC ${secret}\n    next\nend\nconfig router multicast\nend\nSystem time: ${time}\n`;
  const shown = (raw: string) =>
    comparable(
      redact(raw, fortios, (one) => one.length + one[0]),
      fortios,
    );
  assert.equal(
    shown(text('AAAAbbbb1111', 'Sat Nov 21 01:00:00 2026', 'ann')),
    shown(text('CCCCdddd2222', 'Sat Nov 21 02:00:00 2026', 'bob')),
  );
  assert.notEqual(shown(text('A', 't', 'u').replace('ann', 'eve')), shown(text('A', 't', 'u')));
});

test('a text is complete by what the device said after it, or by the section that stands last in a backup', () => {
  const config = 'config system global\n    set hostname "x"\nend\n';
  const isComplete = (text: string) => take(text, fortios, () => 'h').complete;
  assert.equal(isComplete(`${config}System time: Sat Nov 21 01:00:00 2026\n`), true);
  assert.equal(isComplete(`${config}config router multicast\nend\n`), true);
  assert.equal(
    isComplete(`${config}config router multicast\n    set multicast-routing enable\nend\nend\n`),
    true,
  );
  assert.equal(isComplete(config), false);
  assert.equal(isComplete(`${config}config router multicast\n`), false);
  assert.equal(isComplete('config system global\nSystem time: Sat Nov 21 01:00:00 2026\n'), false);
});

test('only what is known to have no bearing is passed over', () => {
  const text = (line: string) => section('firewall policy', { 1: policy('lan', 'wan', 'all', 'all', line) });
  assert.deepEqual(unread(text('logtraffic all')), []);
  assert.deepEqual(unread(text('teleport enable')), ['set teleport enable']);
  assert.deepEqual(unread(section('firewall policy64', { 1: 'srcintf a' })), ['edit 1', 'set srcintf a']);
  assert.deepEqual(unread('config firewall policy\n    edit 1\n        fly me\n    next\nend\n'), ['fly me']);
});

test('a lost quote or `end` loses no more than its line', () => {
  const rules = section('firewall policy', { 1: policy('"lan"', '"wan"', '"all"', '"all"') });
  const quote = `config system interface\n    edit "port1"\n        set alias "up link\n    next\nend\n${rules}`;
  assert.equal(read(quote).rules.length, 1);
  assert.deepEqual(unread(quote), ['set alias "up link']);
  const lost = `config firewall address\n    edit "a"\n        set subnet 10.0.0.0 255.0.0.0\n    next\n${rules}`;
  assert.equal(read(lost).rules.length, 1);
  assert.deepEqual(unread(lost), ['config firewall policy']);
});

test('an interface that is down carries nothing, and bringing it up is a change of the policy', () => {
  const text = (status: string) =>
    section('system interface', { spare: `vdom root\nip 10.5.0.1/24\nstatus ${status}` }) +
    section('firewall policy', { 1: policy('spare', 'wan', 'all', 'all') });
  assert.deepEqual(entries(text('down'), 'filter'), []);
  const [change] = diffRuleSets(read(text('down')), read(text('up')), SITE);
  assert.deepEqual([change.ruleKey, change.kind, change.class], ['policy 1', 'modified', 'egress-permit']);
});

test('an interface that moves to another zone changes the rules of both', () => {
  const text = (trusted: string, guests: string) =>
    ADDRESSES +
    section('system zone', { trusted: `interface ${trusted}`, guests: `interface ${guests}` }) +
    section('firewall policy', {
      1: policy('trusted', 'wan', 'all', 'all'),
      2: policy('guests', 'wan', 'all', 'all').replace('service ALL', 'service HTTPS'),
    });
  const changes = diffRuleSets(read(text('a b', 'c')), read(text('a b c', 'd')), SITE);
  assert.deepEqual(changes.map(({ ruleKey }) => ruleKey).sort(), ['policy 1', 'policy 2']);
});

test('every device has the usual services, and a text may redefine them', () => {
  const by = (name: string, more = '') =>
    entries(
      more +
        section('firewall policy', {
          1: policy('a', 'b', 'all', 'all').replace('service ALL', `service ${name}`),
        }),
      'filter',
    ).map((entry) => entry.split(' ')[1]);
  assert.deepEqual(by('"Web Access"'), ['tcp/53,tcp/80,tcp/443,udp/53']);
  assert.deepEqual(by('PING'), ['icmp/2048-2303']);
  assert.deepEqual(by('HTTP', section('firewall service custom', { HTTP: 'tcp-portrange 8080' })), [
    'tcp/8080',
  ]);
  assert.deepEqual(by('no-such'), ['any']);
});

const corpus = new URL('../../../../shared/corpora/configs/fortinet_fortios/', import.meta.url);
const skip = existsSync(corpus) ? false : 'the corpora are not beside this checkout';
const corpusText = (name: string) => readFileSync(new URL(name, corpus), 'utf8');

test('what tests of others state of these configurations holds', { skip }, () => {
  const { rules, unread: left } = read(corpusText('firewall_policy'));
  assert.deepEqual(
    rules.map(({ enabled, action }) => `${enabled} ${action}`),
    ['false deny', 'true deny', 'true accept', 'true accept', 'true accept'],
  );
  assert.deepEqual(left, []);
  // Deleted and made again, a policy stands last.
  assert.deepEqual(
    read(corpusText('policy_delete')).rules.map(({ key }) => key),
    ['policy 2', 'policy 1'],
  );
  const using = (name: string) =>
    entries(
      corpusText('service_custom') +
        section('firewall policy', {
          1: policy('a', 'b', 'all', 'all').replace('service ALL', `service ${name}`),
        }),
      'filter',
    ).map((entry) =>
      /accept (.*) from 0.0.0.0\/0(?: port (\S+))?/.exec(entry)!.slice(1).filter(Boolean).join(' port '),
    );
  assert.deepEqual(using('explicit_tcp'), [
    'tcp/10-11,udp/100,sctp/200',
    'tcp/1-2 port 3-4',
    'tcp/13 port 6-7',
    'sctp/201 port 300',
  ]);
  assert.deepEqual(using('change_protocol'), ['any']);
  assert.deepEqual(using('unset_icmp_1'), ['icmp/1280-1535']);
  assert.deepEqual(using('unset_icmp_2'), ['icmp/768-1023']);
  assert.deepEqual(using('unset_icmp_3'), ['icmp']);
  assert.deepEqual(using('custom_ip'), ['254']);
});

test('hostile texts are read in time that grows with them', () => {
  const texts = [
    '"'.repeat(400_000),
    'set a "x\n'.repeat(60_000),
    'config a\n'.repeat(150_000),
    'config firewall policy\n'.repeat(60_000),
    `config firewall policy\n${'edit 1\n'.repeat(120_000)}`,
    'end\n\n\n'.repeat(100_000),
    'config router multicast\n    x\n'.repeat(40_000),
    `config firewall addrgrp\n${Array.from({ length: 3_000 }, (_, i) => `edit g${i}\nset member g${i + 1} g${(i * 7) % 3000}\nnext`).join('\n')}\nend\n${section('firewall policy', { 1: policy('a', 'b', 'g0', 'all') })}`,
  ];
  for (const text of texts) {
    const begun = performance.now();
    read(text);
    for (const { endMarker } of fortios.session.commands) endMarker.test(text);
    assert.ok(performance.now() - begun < 4_000, text.slice(0, 40));
  }
});

test('lines of change are told from lines of every day', () => {
  const isChange = (line: string) => fortios.changedBy.some((pattern) => pattern.test(line));
  const line = (id: string) =>
    `date=2026-11-21 time=01:00:00 logid="${id}" type="event" subtype="system" user="ops"`;
  for (const id of ['0100044545', '0100044546', '0100044547', '0100032102', '0100032104'])
    assert.ok(isChange(line(id)));
  for (const id of ['0100032001', '0100032002', '0100032003', '0000000013', '0100026001'])
    assert.ok(!isChange(line(id)));
});

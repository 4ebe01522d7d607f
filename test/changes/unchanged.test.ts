// edits of a configuration's text that change no traffic: one test each
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf, comparison, edited, fixture } from './configurations.ts';

const ios = fixture('cisco-ios/isr-relay_15.9');
const lab = fixture('cisco-ios/isr-group_15.9-before');
const zones = fixture('cisco-ios/isr-zones_16.12');
const nft = fixture('linux-nftables/router_debian12');
const iptables = fixture('linux-iptables/router-nft_debian12');
const fortios = fixture('fortios/fgt60f-vips_6.4.9');

const same = (before: string, after: string) => {
  assert.notEqual(after, before);
  assert.deepEqual(changesOf(before, after), []);
  assert.deepEqual(changesOf(after, before), []);
};

test('reordered members of a group', () => {
  same(
    ios,
    edited(ios, [
      ' host 10.20.1.15\n 10.20.4.0 255.255.254.0\n',
      ' 10.20.4.0 255.255.254.0\n host 10.20.1.15\n',
    ]),
  );
  same(fortios, edited(fortios, ['"published" "mail" "servers"', '"servers" "published" "mail"']));
});

test('reordered objects', () => {
  const servers = 'object-group network SERVERS\n range 10.70.9.1 10.70.9.4\n!\n';
  same(
    lab,
    edited(
      lab,
      [servers, ''],
      ['object-group network PROXY-USERS', `${servers}object-group network PROXY-USERS`],
    ),
  );
  const lines = nft.split('\n');
  const sets = lines.findIndex((line) => line.includes('"set":{"family":"inet","name":"services"'));
  assert.ok(sets > 0);
  const set = lines.slice(sets, sets + 5);
  const others = [...lines.slice(0, sets), ...lines.slice(sets + 5)];
  const blocked = others.findIndex((line) => line.includes('"name":"blocked"'));
  same(nft, others.toSpliced(blocked, 0, ...set).join('\n'));
});

test('reordered rules that share no packet', () => {
  same(
    iptables,
    edited(iptables, [
      '-A INBOUND -p tcp -m tcp --dport 443 -j ACCEPT\n-A INBOUND -p tcp -m tcp --dport 22 -g ADMIN\n',
      '-A INBOUND -p tcp -m tcp --dport 22 -g ADMIN\n-A INBOUND -p tcp -m tcp --dport 443 -j ACCEPT\n',
    ]),
  );
});

test('a renamed group with the same members', () => {
  same(ios, ios.replaceAll('RELAY-CLIENTS', 'OLD-RELAY-CLIENTS'));
  same(lab, lab.replaceAll('SERVERS', 'FARM'));
  same(nft, nft.replaceAll('"published"', '"forwards"').replaceAll('@published', '@forwards'));
  same(fortios, fortios.replaceAll('"both"', '"everyone"'));
});

test('a renamed access list, chain or zone', () => {
  same(ios, ios.replaceAll('LAN-IN', 'FROM-LAN'));
  same(iptables, iptables.replaceAll('OUTBOUND', 'FROM_LAN'));
  same(nft, nft.replaceAll('"outbound"', '"from-lan"'));
  same(zones, zones.replaceAll(/\bDMZ\b/g, 'SHOP'));
});

test('renumbered sequences', () => {
  const renumbered = ios.replace(/^ (\d0) (permit|deny) /gm, (_, number, word) => ` ${number}5 ${word} `);
  same(ios, renumbered);
  same(ios, ios.replace(/^ \d0 (permit|deny) /gm, ' $1 '));
  same(
    nft,
    nft.replace(/"handle":(\d+)/g, (_, handle) => `"handle":${Number(handle) + 100}`),
  );
});

test('a renamed interface that keeps its addresses', () => {
  const renamed = ios.replaceAll('GigabitEthernet0/1', 'TenGigabitEthernet0/1/0');
  same(ios, renamed);
  assert.deepEqual(comparison(ios, renamed).renamedInterfaces, [
    { before: 'GigabitEthernet0/1', after: 'TenGigabitEthernet0/1/0' },
  ]);
});

test('comments, which are told apart', () => {
  const remark = edited(fortios, ['set comments "web and mail"', 'set comments "see CHG0042"']);
  same(fortios, remark);
  const [comment, ...others] = comparison(fortios, remark).comments;
  assert.deepEqual(
    [comment.before.comment, comment.after.comment],
    ['publish: web and mail', 'publish: see CHG0042'],
  );
  assert.deepEqual(others, []);
  const relay = edited(nft, ['"comment":"resolver relay"', '"comment":"gone tomorrow"']);
  same(nft, relay);
  assert.deepEqual(
    comparison(nft, relay).comments.map(({ before, after }) => [before.comment, after.comment]),
    [['resolver relay', 'gone tomorrow']],
  );
  assert.deepEqual(comparison(nft, nft).comments, []);
});

test('counters', () => {
  same(iptables, iptables.replaceAll('[0:0]', '[81:4242]'));
  same(nft, edited(nft, ['"counter":{"packets":0,"bytes":0}', '"counter":{"packets":7,"bytes":4242}']));
});

test('timestamps and who saved it', () => {
  same(iptables, iptables.replaceAll('Sat Nov 21 01:38:16 2026', 'Sun Nov 22 09:00:00 2026'));
  same(
    ios,
    edited(ios, [
      'change at 22:14:07 UTC Mon Mar 2 2026 by jdoe',
      'change at 08:00:00 UTC Tue Mar 3 2026 by root',
    ]),
  );
});

test('re-encrypted secrets', () => {
  same(ios, edited(ios, ['$9$Qx81EnableSecret', '$9$Other'], ['7 0855BgpPass', '7 1466Other']));
  same(fortios, edited(fortios, ['ENC SH2Zq7yWvXx0examplehashA9', 'ENC SH2other']));
});

test('what another version writes: defaults, order of sections, older words', () => {
  const lines = iptables.split('*filter');
  assert.ok(lines.length >= 3);
  // The same through iptables-legacy, which prints its tables in another order.
  const [mangle, filter, ...rest] = iptables.split(/(?=^# Generated by)/m);
  same(iptables, [filter, mangle, ...rest].join(''));
  same(
    nft,
    edited(
      nft,
      ['"version":"1.0.6"', '"version":"1.1.1"'],
      ['"json_schema_version":1', '"json_schema_version":2'],
    ),
  );
});

test('another form of the same configuration: curly braces, set lines, XML', () => {
  const [curly, set, xml] = ['curly', 'set', 'xml'].map((form) => fixture(`panos/pa-850-${form}_10.2`));
  same(curly, set);
  same(set, xml);
});

// edits of a configuration that change traffic, with every rule that they reach: one test each
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf, comparison, edited, fixture, openingsOf } from './configurations.ts';

const ios = fixture('cisco-ios/isr-relay_15.9');
const lab = fixture('cisco-ios/isr-group_15.9-before');
const zones = fixture('cisco-ios/isr-zones_16.12');
const nft = fixture('linux-nftables/router_debian12');
const fortios = fixture('fortios/fgt60f-vips_6.4.9');

test('an edited object: policies, the multicast policy and the proxy policy that name it, also through groups', () => {
  const wider = edited(fortios, ['set subnet 10.20.0.0 255.255.255.0', 'set subnet 10.20.0.0 255.255.254.0']);
  assert.deepEqual(changesOf(fortios, wider), [
    'modified egress-relay 8a000000-0000-51e0-0000-000000000104',
    'modified egress-relay 8a000000-0000-51e0-0000-000000000101',
    'modified egress-relay 8a000000-0000-51e0-0000-000000000201',
    'modified internal multicast-policy 1',
  ]);
  // Only the half of the network that is new opens anything.
  for (const { opens, closes } of comparison(fortios, wider).changes) {
    assert.ok(opens.length > 0);
    for (const { traffic } of opens)
      assert.deepEqual(traffic.sources, { v4: [0x0a140100, 0x0a1401ff], v6: [] });
    assert.deepEqual(closes, []);
  }
});

test('an edited group inside of a group: the filter, and the NAT and list that it decides about', () => {
  const more = edited(lab, [' range 10.70.9.1 10.70.9.4', ' range 10.70.9.1 10.70.9.5']);
  assert.deepEqual(changesOf(lab, more), [
    'modified egress-relay acl:USERS:293539fd5f423b0f',
    'modified source-nat nat:ae2c011de08e45fd',
    'modified internal acl:RELAYED:236174f2427671bc',
  ]);
  assert.equal(
    openingsOf(lab, more)[0],
    'range 10.70.9.1 10.70.9.5: 10.70.9.5 -> 198.51.100.44 tcp/3128 by destination NAT of 10.70.255.1 tcp/3128 (in GigabitEthernet0/1, out GigabitEthernet0/0), seen as 203.0.113.130',
  );
});

test('an edited address pool', () => {
  const larger = edited(ios, ['WANPOOL 203.0.113.11 203.0.113.12', 'WANPOOL 203.0.113.11 203.0.113.13']);
  assert.deepEqual(changesOf(ios, larger), ['modified source-nat nat:ff156bf64c34ca37']);
  assert.match(openingsOf(ios, larger)[0], /seen as 203\.0\.113\.11-203\.0\.113\.13$/);
});

test('a map element more is a forward more', () => {
  const element = '[8443,{"concat":["10.20.0.10",443]}]';
  const [before, after] = [nft, edited(nft, [element, `${element},\n[2223,{"concat":["198.51.100.9",22]}]`])];
  assert.deepEqual(
    comparison(before, after).changes.map(({ kind, class: its, after: rule }) => [
      kind,
      its,
      rule?.lines.at(-1)?.text,
    ]),
    [['added', 'egress-relay', '[2223,{"concat":["198.51.100.9",22]}]']],
  );
  const [gone, ...others] = comparison(after, before).changes;
  assert.deepEqual([gone.kind, gone.closes[0].class, others], ['removed', 'egress-relay', []]);
});

test('an edited address list and an edited table of services', () => {
  const shorter = edited(nft, [
    '{"range":["203.0.113.7","203.0.113.9"]}',
    '{"range":["203.0.113.7","203.0.113.8"]}',
  ]);
  const { changes } = comparison(nft, shorter);
  assert.deepEqual(
    changes.map(({ kind, class: its }) => [kind, its]),
    [['modified', 'inbound-forward']],
  );
  for (const { traffic } of changes[0].opens) assert.deepEqual(traffic.sources.v4, [0xcb007109, 0xcb007109]);
  const mail = edited(nft, ['{"concat":["tcp",80]},', '{"concat":["tcp",80]},{"concat":["tcp",25]},']);
  const [change, ...others] = comparison(nft, mail).changes;
  assert.deepEqual([change.kind, change.class, others], ['modified', 'egress-permit', []]);
  for (const { traffic } of change.opens)
    assert.deepEqual(traffic.services, [6 * 65_536 + 25, 6 * 65_536 + 25]);
});

test('an interface moved to another zone: every rule of both zones', () => {
  const address = ' ip address 10.80.1.1 255.255.255.0\n zone-member security';
  const moved = edited(zones, [`${address} LAN`, `${address} DMZ`]);
  const changes = changesOf(zones, moved);
  for (const rule of [
    'inspect:LAN-TO-NET:b99a2182ac880771',
    'inspect:NET-TO-DMZ:28c15f732e077851',
    'policy:zone:LAN',
  ])
    assert.ok(
      changes.some((change) => change.endsWith(rule)),
      rule,
    );
  const ways = openingsOf(zones, moved).map((way) => way.replace(/^.*?: /, ''));
  assert.ok(ways.includes('any -> any any (in GigabitEthernet0/0/2, out GigabitEthernet0/0/3)'));
  assert.ok(
    ways.includes(
      'any -> any tcp/53, tcp/80, tcp/443, udp/53 (in GigabitEthernet0/0/0, out GigabitEthernet0/0/2)',
    ),
  );
});

test('a member taken out of a zone closes what its policies allowed', () => {
  const alone = edited(fortios, ['set interface "lan" "lab"', 'set interface "lan"']);
  const { changes } = comparison(fortios, alone);
  assert.ok(changes.some(({ ruleKey }) => ruleKey === '8a000000-0000-51e0-0000-000000000101'));
  assert.ok(
    changes.every(({ opens }) => opens.length === 0) && changes.some(({ closes }) => closes.length > 0),
  );
});

test('an interface that gains ip nat inside: every NAT rule that then acts there', () => {
  const on = ' ip access-group USERS in\n ip nat inside';
  const without = edited(lab, [on, ' ip access-group USERS in']);
  assert.deepEqual(changesOf(without, lab), [
    'modified egress-relay nat:5cc500730d937d40',
    'modified source-nat nat:ae2c011de08e45fd',
  ]);
  assert.ok(
    openingsOf(without, lab).some((way) => way.includes('198.51.100.44 tcp/3128 by destination NAT')),
  );
});

test('enabled and disabled', () => {
  const off = '        set status disable\n        set srcintf "any"';
  const on = edited(fortios, [off, '        set srcintf "any"']);
  const [change, ...others] = comparison(fortios, on).changes;
  assert.deepEqual([change.kind, change.class, others], ['enabled', 'egress-relay', []]);
  assert.equal(change.ruleKey, '8a000000-0000-51e0-0000-000000000108');
  const [back] = comparison(on, fortios).changes;
  assert.equal(back.kind, 'disabled');
  assert.equal(back.closes.length, change.opens.length);
});

test('a permit moved above a deny', () => {
  const [deny, permit] = [' deny ip any host 10.70.255.1\n', ' permit ip any 10.0.0.0 0.255.255.255\n'];
  const moved = edited(lab, [deny + permit, permit + deny]);
  assert.deepEqual(changesOf(lab, moved), ['moved egress-relay acl:USERS:257d2e839944b884']);
  const [change] = comparison(lab, moved).changes;
  // The lines of an access list without numbers changed places.
  assert.deepEqual([change.before?.lines.at(-1)?.number, change.after?.lines.at(-1)?.number], [34, 33]);
});

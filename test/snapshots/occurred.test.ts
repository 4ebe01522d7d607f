import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Event } from '../../src/model/event.ts';
import { parseHeaderTime } from '../../src/snapshots/headers.ts';
import { occurredBetween } from '../../src/snapshots/occurred.ts';
import { shellVendor } from './vendors.ts';

const HOUR = 3_600_000;
const AT = Date.UTC(2026, 10, 2, 3, 0, 0);

const event = (more: Partial<Event>): Event => ({
  kind: 'other',
  receivedAtMs: AT + HOUR / 2,
  observedAtMs: AT + HOUR / 2,
  sender: '192.0.2.2',
  message: '',
  raw: '',
  ...more,
});

const occurred = (events: Event[], text = '', timeZone?: string) =>
  occurredBetween({
    previousTakenAtMs: AT,
    nextTakenAtMs: AT + HOUR,
    events,
    definition: shellVendor,
    text,
    timeZone,
  });
const at = (minutes: number) => ({
  receivedAtMs: AT + minutes * 60_000,
  observedAtMs: AT + minutes * 60_000,
});
const minutes = ({ fromMs, toMs, basis }: ReturnType<typeof occurred>) => [
  Math.round((fromMs - AT) / 60_000),
  Math.round((toMs - AT) / 60_000),
  basis,
];

describe('occurredBetween', () => {
  test('is the time between the pulls where nothing says more', () => {
    assert.deepEqual(minutes(occurred([])), [0, 60, 'pulls']);
    assert.deepEqual(minutes(occurred([event({ kind: 'login-accepted', user: 'a' })])), [0, 60, 'pulls']);
  });

  test('begins with the session that a "configured" line ends', () => {
    const changed = event({ kind: 'config-changed', user: 'bob', ...at(30) });
    assert.deepEqual(minutes(occurred([changed])), [15, 30, 'syslog']);
    const logins = [
      event({ kind: 'login-accepted', user: 'bob', ...at(22) }),
      event({ kind: 'login-accepted', user: 'eve', ...at(28) }),
    ];
    assert.deepEqual(minutes(occurred([changed, ...logins])), [22, 30, 'syslog']);
  });

  test('is the very time of a logged command', () => {
    const command = '/usr/sbin/nft -f /etc/relay.nft';
    const { fromMs, toMs, basis } = occurred([event({ kind: 'command', user: 'alice', command, ...at(40) })]);
    assert.equal(basis, 'syslog');
    assert.ok(fromMs <= AT + 40 * 60_000 && toMs >= AT + 40 * 60_000 && toMs - fromMs <= 10_000);
  });

  test('a command that only looks is no change', () => {
    for (const command of [
      '/usr/sbin/nft -j list ruleset',
      'nft list ruleset',
      '/usr/sbin/iptables-save',
      '/usr/sbin/ip6tables-save',
      '/usr/sbin/ipset save',
      'iptables -t nat -L -n',
      'ip route show',
      '!exec: show running-config',
    ])
      assert.equal(occurred([event({ kind: 'command', user: 'a', command })]).basis, 'pulls', command);
  });

  test('a command that looks and does more is a change', () => {
    for (const command of [
      'nft list ruleset; nft -f /tmp/x',
      'nft add rule ip nat prerouting comment list',
      'nft -f /tmp/list list',
      'iptables -t nat -A PREROUTING -j DNAT --to-destination 198.51.100.7',
      'iptables-save | iptables-restore',
      'ip route add 198.51.100.0/24 via 10.0.0.1',
      'sysctl -w net.ipv4.ip_forward=1',
      'bash -c "nft add rule ip nat prerouting"',
    ])
      assert.equal(occurred([event({ kind: 'command', user: 'a', command })]).basis, 'syslog', command);
    const unknown = event({ kind: 'command', user: 'a', command: '/bin/bash' });
    assert.equal(occurred([unknown]).basis, 'pulls', 'a shell may change things at any later time');
  });

  test('several changes give the time from the first to the last; others do not count', () => {
    const events = [
      event({ kind: 'firewall-changed', ...at(50) }),
      event({ kind: 'firewall-changed', ...at(10) }),
      event({ kind: 'firewall-changed', ...at(-30) }),
      event({ kind: 'firewall-changed', ...at(90) }),
    ];
    assert.deepEqual(minutes(occurred(events)), [10, 50, 'syslog']);
  });

  test('never leaves the time between the pulls', () => {
    const { fromMs, toMs } = occurred([
      event({ kind: 'config-changed', ...at(0) }),
      event({ kind: 'config-changed', ...at(60) }),
    ]);
    assert.deepEqual([fromMs, toMs], [AT, AT + HOUR]);
  });

  test('takes the time of arrival where the clock of the line is wrong', () => {
    const wrong = event({ kind: 'firewall-changed', receivedAtMs: AT + HOUR / 3, observedAtMs: 0 });
    assert.deepEqual(minutes(occurred([wrong])), [20, 20, 'syslog']);
  });

  test("knows the vendor's own messages where the event does not", () => {
    const message = '%SYS-5-CONFIG_I: Configured from console by bob on vty0 (192.0.2.5)';
    assert.equal(occurred([event({ message })]).basis, 'syslog');
  });

  test('a header bounds the end', () => {
    const header = '!\n! Last configuration change at 03:20:00 UTC Mon Nov 2 2026 by bob\n!\n';
    assert.deepEqual(minutes(occurred([], header)), [0, 20, 'config-header']);
    assert.deepEqual(minutes(occurred([], header.replace('03:20', '02:20'))), [0, 60, 'pulls']);
    const local = header.replace('03:20:00 UTC', '04:20:00 CET');
    assert.deepEqual(minutes(occurred([], local)), [0, 20, 'config-header']);
    assert.deepEqual(minutes(occurred([], local.replace('CET', 'XYZ'))), [0, 60, 'pulls']);
    assert.deepEqual(minutes(occurred([], local.replace('CET', 'XYZ'), 'Europe/Zurich')), [
      0,
      20,
      'config-header',
    ]);
  });
});

describe('parseHeaderTime', () => {
  for (const [text, zone, iso] of [
    ['09:37:40 CEST Tue Aug 20 2024', undefined, '2024-08-20T07:37:40.000Z'],
    ['00:00:00.250 GMT Thu Aug 01 2017', undefined, '2017-08-01T00:00:00.250Z'],
    ['2017-08-01 00:00:00 UTC', undefined, '2017-08-01T00:00:00.000Z'],
    ['Tue Jun  7 14:42:19 2016', 'UTC', '2016-06-07T14:42:19.000Z'],
    ['14:42:19 EDT Tue Jun 7 2016', 'America/New_York', '2016-06-07T18:42:19.000Z'],
    ['02:30:00 X Sun Oct 27 2024', 'Europe/Zurich', '2024-10-27T01:30:00.000Z'],
  ] as const)
    test(text, () => assert.equal(new Date(parseHeaderTime(text, zone) ?? 0).toISOString(), iso));

  for (const text of ['', 'yesterday', '25 o clock', 'Tue Jun  7 14:42:19 2016', '2017-08-01'])
    test(`no time: ${JSON.stringify(text)}`, () => assert.equal(parseHeaderTime(text), undefined));

  test('a zone that does not exist is no time', () =>
    assert.equal(parseHeaderTime('14:42:19 EDT Tue Jun 7 2016', 'Nowhere/Town'), undefined));
});

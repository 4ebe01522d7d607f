import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { recordedEvents } from '../../src/audit/lines.ts';
import { temporaryFolder } from '../store/temporary.ts';

const file = (t: TestContext, lines: readonly string[]) => {
  const path = join(temporaryFolder(t), 'syslog');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
};
const at = (second: number) => `2026-11-02T02:11:${String(second).padStart(2, '0')}Z`;
const record = (type: string, fields: string) =>
  `<182>Nov  2 02:11:05 web1 audispd: type=${type} msg=audit(1793585465.250:9): ${fields}`;

test('records of one audit event are joined as they would be on arrival, also between other lines', async (t) => {
  const lines = [
    `${at(5)} 192.0.2.1 ${record('NETFILTER_CFG', 'table=filter:4 family=2 entries=9 op=nft_unregister_rule pid=12 comm="nft"')}`,
    `${at(5)} 192.0.2.2 <86>Nov  2 02:11:05 web2 sshd[5]: Accepted password for alice from 192.0.2.9 port 4444 ssh2`,
    `${at(5)} 192.0.2.1 ${record('SYSCALL', 'arch=c000003e syscall=46 success=yes exit=0 ppid=11 pid=12 auid=1000 euid=0 exe="/usr/sbin/nft"')}`,
    `${at(6)} 192.0.2.1 ${record('PROCTITLE', 'proctitle=6E667400666C757368')}`,
    `${at(6)} 192.0.2.1 ${record('EOE', '')}`,
  ];
  const { events, lineCount, malformedCount, leftOutCount } = await recordedEvents([file(t, lines)]);
  assert.deepEqual([lineCount, malformedCount, leftOutCount], [5, 0, 0]);
  assert.deepEqual(
    events.map(({ kind, sender, command, loginUser, receivedAtMs }) => [
      kind,
      sender,
      command,
      loginUser,
      receivedAtMs,
    ]),
    [
      ['login-accepted', '192.0.2.2', undefined, undefined, Date.parse(at(5))],
      ['firewall-changed', '192.0.2.1', 'nft flush', '1000', Date.parse(at(5))],
    ],
  );
});

test('a record that comes more than two seconds later is another event', async (t) => {
  const lines = [
    `${at(5)} 192.0.2.1 ${record('SYSCALL', 'arch=c000003e syscall=59 success=yes exit=0 pid=12 exe="/usr/bin/id"')}`,
    `${at(9)} 192.0.2.1 ${record('EXECVE', 'argc=1 a0="id"')}`,
  ];
  const { events } = await recordedEvents([file(t, lines)]);
  assert.equal(events.length, 2);
});

test('JSON lines are read, with a header and without, rows apart', async (t) => {
  const zeek = {
    ts: 1_793_585_465,
    'id.orig_h': '192.0.2.9',
    'id.orig_p': 1,
    'id.resp_h': '198.51.100.1',
    'id.resp_p': 7000,
    proto: 'tcp',
    conn_state: 'REJ',
  };
  const ports = {
    name: 'p',
    hostIdentifier: 'web1',
    unixTime: 1_793_585_465,
    action: 'snapshot',
    snapshot: ['22', '80'].map((port) => ({ pid: '1', port, address: '0.0.0.0', protocol: '6' })),
  };
  const { events } = await recordedEvents([
    file(t, [
      `${at(5)} 192.0.2.1 ${JSON.stringify(zeek)}`,
      `${at(5)} 192.0.2.1 <14>Nov  2 02:11:05 s1 zeek: ${JSON.stringify(zeek)}`,
      `${at(5)} 192.0.2.1 ${JSON.stringify(ports)}`,
    ]),
  ]);
  assert.deepEqual(
    events.map(({ kind, action, destinationPort }) => [kind, action, destinationPort]),
    [
      ['connect', 'REJ', 7000],
      ['connect', 'REJ', 7000],
      ['listen', 'snapshot', 22],
      ['listen', 'snapshot', 80],
    ],
  );
});

test('what goes beyond the bound is counted; events that say something stay longer', async (t) => {
  const other = `${at(5)} 192.0.2.1 <14>Nov  2 02:11:05 h1 app: it rains`;
  const login = `${at(5)} 192.0.2.1 <86>Nov  2 02:11:05 h1 sshd[5]: Accepted password for alice from 192.0.2.9 port 4444 ssh2`;
  const path = file(t, [
    ...Array<string>(5).fill(other),
    ...Array<string>(9).fill(login),
    'no time and sender',
  ]);
  const { events, malformedCount, leftOutCount } = await recordedEvents([path], 3);
  assert.deepEqual(
    [events.filter(({ kind }) => kind === 'other').length, events.length, leftOutCount, malformedCount],
    [3, 9, 5, 1],
  );
});

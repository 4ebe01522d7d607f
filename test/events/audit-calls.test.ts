import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuditJoiner } from '../../src/events/audit-join.ts';
import { parseEvent } from '../../src/events/parse.ts';
import type { Event } from '../../src/model/event.ts';

const NOW = Date.parse('2026-11-21T04:30:00Z');

function eventsOf(...records: readonly string[]): Event[] {
  const events: Event[] = [];
  const joiner = createAuditJoiner((event) => events.push(event));
  for (const record of records) joiner.push(parseEvent(record, '10.0.0.1', NOW), NOW);
  joiner.end();
  return events;
}

const stamp = 'msg=audit(1795234836.341:8):';
const call = (number: number, success: 'yes' | 'no', rest: string) =>
  `type=SYSCALL ${stamp} arch=c000003e syscall=${number} success=${success} exit=0 a0=3 items=0 ppid=1 pid=15641 auid=1000 uid=0 euid=0 tty=pts0 ${rest}`;
const title = (text: string) =>
  `type=PROCTITLE ${stamp} proctitle=${Buffer.from(text.replaceAll(' ', '\0')).toString('hex').toUpperCase()}`;

test('a program that could not be started is no command: the title is its caller', () => {
  const failed = eventsOf(call(59, 'no', 'comm="sudo" exe="/usr/bin/sudo"'), title('sudo iptables -F'));
  assert.deepEqual(
    failed.map(({ kind }) => kind),
    ['other'],
  );
  const ran = eventsOf(
    call(59, 'yes', 'comm="iptables" exe="/usr/sbin/xtables-nft-multi"'),
    `type=EXECVE ${stamp} argc=2 a0="iptables" a1="-F"`,
    title('iptables -F'),
  );
  assert.deepEqual(
    ran.map(({ kind }) => kind),
    ['firewall-changed'],
  );
});

test('the socket through which a tool speaks to the kernel is no change of the firewall', () => {
  const [event] = eventsOf(
    call(49, 'yes', 'comm="iptables" exe="/usr/sbin/xtables-nft-multi"'),
    `type=SOCKADDR ${stamp} saddr=100000000000000000000000`,
    title('iptables -A INPUT'),
  );
  assert.equal(event.kind, 'other');
});

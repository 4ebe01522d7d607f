import assert from 'node:assert/strict';
import test from 'node:test';
import { parseEvent } from '../../src/events/parse.ts';
import type { Event } from '../../src/model/event.ts';
import { insertEvents } from '../../src/store/clickhouse/event-insert.ts';
import { eventsBetween } from '../../src/store/clickhouse/events.ts';
import { insertTsv } from '../../src/store/clickhouse/insert.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { temporaryFolder } from '../store/temporary.ts';

const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7, 123);
const HOUR_MS = 3_600_000;

const sudo = (second: number, command: string) =>
  `<86>2026-11-02T02:10:${String(second).padStart(2, '0')}.500Z edge1 sudo: alice : PWD=/ ; USER=root ; COMMAND=${command}`;

test('events come back as they went in, by sender, time and kind', async (t) => {
  const client = await openClickHouse({ path: temporaryFolder(t) });
  t.after(() => client.close());
  const hostile = parseEvent("<34>a\tb'; DROP TABLE events; -- \\N \u001b[0m", '192.0.2.1', NOW_MS);
  const events: Event[] = [
    parseEvent(sudo(30, '/usr/sbin/nft flush ruleset'), '192.0.2.1', NOW_MS),
    parseEvent(sudo(20, '/bin/ls'), '192.0.2.1', NOW_MS),
    parseEvent(sudo(10, '/bin/ls'), '2001:db8::1', NOW_MS),
    parseEvent(
      '<189>9: %SYS-5-CONFIG_I: Configured from console by bob on vty0 (10.0.0.9)',
      '192.0.2.2',
      NOW_MS,
    ),
    hostile,
  ];
  await insertEvents(client, events);
  await insertEvents(client, []);
  const ask = (question: Partial<Parameters<typeof eventsBetween>[1]>) =>
    eventsBetween(client, {
      senders: ['192.0.2.1'],
      fromMs: NOW_MS - HOUR_MS,
      untilMs: NOW_MS + HOUR_MS,
      limit: 100,
      ...question,
    });
  assert.deepEqual(await ask({}), [events[1], events[0], hostile]);
  assert.deepEqual(await ask({ senders: ['2001:db8::1', 'router.example.net', '192.0.2.2'] }), [
    events[2],
    events[3],
  ]);
  assert.deepEqual(await ask({ kinds: ['firewall-changed'] }), [events[0]]);
  assert.deepEqual(await ask({ limit: 2 }), [events[1], events[0]], 'what means something is kept');
  assert.deepEqual(await ask({ senders: [] }), []);
  assert.deepEqual(await ask({ senders: ["x') OR 1=1 --"] }), []);
  assert.deepEqual(await ask({ untilMs: events[1].observedAtMs }), [], 'the end is outside');
  assert.deepEqual(await ask({ fromMs: events[1].observedAtMs, untilMs: events[1].observedAtMs + 1 }), [
    events[1],
  ]);
  assert.equal((await ask({ fromMs: NOW_MS, untilMs: NOW_MS + 1 })).length, 3, 'the receipt counts too');
});

test('what a packet or a process is comes back too, whatever its arguments hold', async (t) => {
  const client = await openClickHouse({ path: temporaryFolder(t) });
  t.after(() => client.close());
  const packet = parseEvent(
    'kernel: [UFW BLOCK] IN=eth0 OUT= SRC=198.51.100.7 DST=192.0.2.1 PROTO=TCP SPT=0 DPT=22',
    '192.0.2.1',
    NOW_MS,
  );
  const process: Event = {
    ...parseEvent('audispd: x', '192.0.2.1', NOW_MS + 1),
    kind: 'listen',
    executable: '/bin/a b',
    arguments: ["it's", 'a\\b', 'c\td', 'e,f', ''],
    pid: 4_194_304,
    parentPid: 0,
    effectiveUser: '0',
    loginUser: 'alice',
    tty: 'pts0',
    unit: 'x',
    entryCount: 0,
    node: "b'1",
    identity: 'CN=edge1, O=Example',
    origin: 'edge 1',
    originBasis: 'certificate',
    clockOffsetMs: -7_200_000,
    parentExecutable: '/usr/bin/bash',
    raw: 'one\ntwo',
  };
  await insertEvents(client, [packet, process]);
  const question = { senders: ['192.0.2.1'], fromMs: NOW_MS - HOUR_MS, untilMs: NOW_MS + HOUR_MS, limit: 10 };
  assert.deepEqual(await eventsBetween(client, question), [packet, process]);
});

test('a message is kept once, and read whether it is the end of its line, another text, or of a row of before', async (t) => {
  const client = await openClickHouse({ path: temporaryFolder(t) });
  t.after(() => client.close());
  const line = (raw: string, message: string, second: number): Event => ({
    ...parseEvent('x', '192.0.2.1', NOW_MS + second),
    raw,
    message,
  });
  const events = [
    line('caf\u00e9 \u{1f6aa} host: the end \u00fc', 'the end \u00fc', 0),
    line('all of it', 'all of it', 1),
    line('nothing of it', '', 2),
    line('one\ntwo', 'neither', 3),
    line('a door \u{1f6aa}', '\udeaa', 4),
  ];
  await insertEvents(client, events);
  // What does not know the engine's folder writes text, as to a server.
  const asServer = Object.create(client) as typeof client;
  await insertEvents(
    asServer,
    events.map((event) => ({ ...event, receivedAtMs: event.receivedAtMs + 10 })),
  );
  const at = '2026-11-02 02:11:07.150';
  await insertTsv(
    client,
    'events',
    ['received_at', 'observed_at', 'kind', 'sender', 'message', 'raw'],
    `${at}\t${at}\tother\t192.0.2.1\tend\tbefore the end\n`,
  );
  const question = { senders: ['192.0.2.1'], fromMs: NOW_MS - HOUR_MS, untilMs: NOW_MS + HOUR_MS, limit: 20 };
  const found = await eventsBetween(client, question);
  const messages = found.sort((a, b) => a.receivedAtMs - b.receivedAtMs).map(({ message }) => message);
  // Half a pair is no text that UTF-8 can hold.
  const kept = ['the end \u00fc', 'all of it', '', 'neither', '\ufffd'];
  assert.deepEqual(messages, [...kept, ...kept, 'end']);
  const stored = await client.query({
    query: "SELECT toUInt32(countIf(message != '')) AS n FROM events",
    format: 'JSONEachRow',
  });
  assert.deepEqual(await stored.json(), [{ n: 5 }]);
});

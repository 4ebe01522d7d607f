import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { parseEvent } from '../../src/events/parse.ts';
import type { Event } from '../../src/model/event.ts';
import { insertEvents } from '../../src/store/clickhouse/event-insert.ts';
import { addSenders } from '../../src/store/clickhouse/senders.ts';
import { buildTextIndex } from '../../src/store/clickhouse/text-index.ts';
import { insertHost } from '../../src/store/postgres/hosts.ts';
import { startWeb } from './service.ts';

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

const port = await freePort();
const { app, ask, services } = await startWeb({
  POSTERN_ROLES: 'api,syslog',
  POSTERN_SYSLOG_HOST: '127.0.0.1',
  POSTERN_SYSLOG_PORT: port,
  POSTERN_SYSLOG_RELAYS: '127.0.0.3',
  POSTERN_METRICS_OPEN: 'on',
});
const DAY_MS = 86_400_000;
const nowMs = Date.now();

const search = async (query: Record<string, string>) => {
  const { status, body } = await ask('soc', 'GET', `/v1/events?${new URLSearchParams(query)}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body as { items: Record<string, unknown>[]; next?: string };
};
const raws = async (query: Record<string, string>) => (await search(query)).items.map(({ raw }) => raw);

const send = async (address: string, lines: readonly string[]) => {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  for (const line of lines) await new Promise((sent) => socket.send(line, Number(port), '127.0.0.1', sent));
  socket.close();
};

test('lines received are found by origin, sender, kind, program and text, and their senders are listed', async () => {
  await insertHost(services.postgres, {
    id: '00000000-0000-4000-8000-000000000001',
    name: 'web1',
    platform: 'linux',
    addresses: ['127.0.0.2'],
    aliases: [],
    is_developer: false,
    created_at: new Date(nowMs),
    created_by: 'test',
    time_zone: 'UTC',
  });
  await app.events.flush();
  await send('127.0.0.2', [
    '<86>sshd[1]: Accepted password for alice from 10.0.0.5 port 4242 ssh2',
    '<86>sshd[1]: a line that 17 nobody reads',
    '<34>app: \u001b[31mred <script>alert(1)</script>',
  ]);
  await send('127.0.0.3', [
    '<34>1 - WEB1.example.net app - - - by a relay',
    '<34>1 - other app - - - 100%_sure\\',
  ]);
  for (let i = 0; i < 200 && app.events.counters()!.storedEvents < 5; i++) {
    await app.events.flush();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await app.events.flush();
  const all = await search({});
  assert.equal(all.items.length, 5);
  assert.equal((await search({ origin: 'web1' })).items.length, 4);
  assert.equal((await search({ sender: '::ffff:127.0.0.3' })).items.length, 2);
  const [login] = (await search({ kind: 'login-accepted' })).items;
  assert.deepEqual([login.user, login.origin, login.originBasis], ['alice', 'web1', 'address']);
  assert.equal((await search({ program: 'app' })).items.length, 3);
  assert.match(String((await raws({ text: 'PASSWORD FOR Alice' }))[0]), /Accepted password for alice/);
  assert.equal((await raws({ text: '100%_SURE\\' })).length, 1);
  assert.deepEqual(await raws({ text: '100%sure' }), [], 'no wildcard');
  assert.deepEqual(await raws({ text: "x' OR 1=1" }), []);
  const [red] = (await search({ text: 'script' })).items;
  assert.equal(red.raw, '<34>app: \ufffd[31mred <script>alert(1)</script>');
  const [relayed] = (await search({ text: 'by a relay' })).items;
  assert.deepEqual(
    [relayed.origin, relayed.originBasis, relayed.host],
    ['web1', 'host-name', 'WEB1.example.net'],
  );

  const { items } = (await ask('network', 'GET', '/v1/senders')).body;
  const shown = items.map((one: Record<string, unknown>) => [
    one.sender,
    one.host,
    one.origin,
    one.status,
    one.lines,
    one.unread,
  ]);
  assert.deepEqual(shown, [
    ['127.0.0.2', null, 'web1', 'known', 3, 1],
    ['127.0.0.3', 'WEB1.example.net', 'web1', 'known', 1, 0],
    ['127.0.0.3', 'other', null, 'unknown', 1, 0],
  ]);
  const page = (await ask('network', 'GET', '/v1/senders?limit=2')).body;
  const rest = (await ask('network', 'GET', `/v1/senders?limit=2&cursor=${page.next}`)).body;
  assert.deepEqual([...page.items, ...rest.items], items);
  assert.deepEqual((await ask('soc', 'GET', '/v1/events/unread')).body.items, [
    { program: 'sshd', shape: 'a line that * nobody reads', count: 1 },
  ]);
});

test('sums of senders add up, and the offset of a clock is shown and measured', async () => {
  const row = {
    sender: '192.0.2.9',
    host: '',
    identity: 'db1.example.net',
    origin: '',
    originBasis: '',
    lines: 10,
    unread: 0,
    dropped: 2,
    refused: 0,
    lastAtMs: nowMs - 1000,
    zonedOffsetMs: 90_000,
    zonelessOffsetMs: 3_600_000,
    zoneMinutes: 60,
  };
  await addSenders(services.clickhouse, [row]);
  await addSenders(services.clickhouse, [{ ...row, lines: 5, lastAtMs: nowMs, zonedOffsetMs: 91_000 }]);
  const { items } = (await ask('soc', 'GET', '/v1/senders')).body;
  const found = items.find(({ sender }: { sender: string }) => sender === '192.0.2.9');
  assert.deepEqual(
    [found.lines, found.dropped, found.clockOffsetMs, found.localOffsetMs, found.zoneMinutes, found.identity],
    [15, 4, 91_000, 3_600_000, 60, 'db1.example.net'],
  );
  const { text } = await ask(null, 'GET', '/metrics');
  assert.match(text, /^postern_sender_clock_offset_seconds\{sender="192\.0\.2\.9",host=""\} 91$/m);
  assert.match(text, /^postern_syslog_unread_shapes 1$/m);
  assert.match(text, /^postern_syslog_kernel_drops_total 0$/m);
});

test('pages go back through days, lines of one millisecond included, and past days are indexed', async () => {
  const events: Event[] = Array.from({ length: 25 }, (_, i) => ({
    ...parseEvent(`<34>app: page ${i % 5}`, '192.0.2.50', nowMs - Math.floor(i / 10) * 3 * DAY_MS - 5000),
    clockOffsetMs: 90_000,
  }));
  await insertEvents(services.clickhouse, events);
  const query = { sender: '192.0.2.50', from: new Date(nowMs - 30 * DAY_MS).toISOString(), limit: '4' };
  const seen: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await search({ ...query, ...(cursor && { cursor }) });
    seen.push(...page.items.map(({ receivedAt, raw }) => `${receivedAt} ${raw}`));
    cursor = page.next;
  } while (cursor);
  const expected = events.map(({ receivedAtMs, raw }) => `${new Date(receivedAtMs).toISOString()} ${raw}`);
  assert.deepEqual(
    seen,
    expected.sort(
      (a, b) =>
        Number(b.slice(0, 24) > a.slice(0, 24)) - Number(b.slice(0, 24) < a.slice(0, 24)) ||
        Number(a > b) - Number(a < b),
    ),
  );
  const [first] = (await search(query)).items;
  assert.equal(Date.parse(String(first.happenedAt)), nowMs - 5000 - 90_000);
  assert.equal(first.clockOffsetMs, 90_000);
  assert.equal((await search({ sender: '192.0.2.50' })).items.length, 10, 'a day, where nothing is said');

  assert.equal(await buildTextIndex(services.clickhouse, nowMs), 2);
  for (let i = 0; i < 200; i++) {
    if ((await buildTextIndex(services.clickhouse, nowMs)) === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const plan = await services.clickhouse.query({
    query: `EXPLAIN indexes = 1 SELECT count() FROM events
      WHERE received_at < now() - INTERVAL 1 DAY AND lower(raw) LIKE '%nowhere%'`,
    format: 'TabSeparated',
  });
  assert.match(await plan.text(), /raw_index[\s\S]*?Granules: 0\/2/);
  assert.equal((await search({ ...query, text: 'PAGE 3', limit: '50' })).items.length, 5);
});

test('what a search cannot be is told by its field', async () => {
  const cases: [string, string][] = [
    ['kind=king', 'kind'],
    ['sender=nowhere', 'sender'],
    ['from=2030-01-01T00:00:00Z', 'from'],
    ['cursor=x', 'cursor'],
    [`cursor=${Buffer.from('["1e9","0"]').toString('base64url')}`, 'cursor'],
    ['text=', 'text'],
    ['limit=1000', 'limit'],
  ];
  for (const [query, field] of cases) {
    const { status, body } = await ask('auditor', 'GET', `/v1/events?${query}`);
    assert.deepEqual([status, body.field], [400, field], query);
  }
  const cursor = Buffer.from('["nowhere","",""]').toString('base64url');
  assert.equal((await ask('soc', 'GET', `/v1/senders?cursor=${cursor}`)).body.field, 'cursor');
});

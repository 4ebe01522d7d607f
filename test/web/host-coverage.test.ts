import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAnalytics } from '../../src/analytics/index.ts';
import { createFolder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import type { Event } from '../../src/model/event.ts';
import { insertAttempts } from '../../src/store/clickhouse/attempts.ts';
import { insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { insertEvents } from '../../src/store/clickhouse/event-insert.ts';
import { addSenders } from '../../src/store/clickhouse/senders.ts';
import { recordPullFailure, recordPullSuccess } from '../../src/store/postgres/devices.ts';
import { insertHostWatch } from '../../src/store/postgres/host-watches.ts';
import { recordColumns } from '../flows/records.ts';
import { startWeb } from './service.ts';

const { ask, services } = await startWeb({ POSTERN_METRICS_OPEN: 'on' });
const nowMs = Date.now();
const MINUTE = 60_000;
const DAY = 86_400_000;

const register = async (name: string, addresses: string[], platform = 'linux'): Promise<string> =>
  (await ask('network', 'POST', '/v1/hosts', { name, platform, addresses })).body.id;
const fullId = await register('full', ['10.1.0.7', '2001:db8::7']);
await register('stale', ['10.1.0.8']);
await register('knocked', ['10.1.0.9', '2001:db8::9']);
await register('lonely', []);
await register('mac', ['10.1.0.11'], 'macos');

const event = (origin: string, kind: Event['kind'], more: Partial<Event> = {}): Event => ({
  kind,
  receivedAtMs: nowMs - MINUTE,
  observedAtMs: nowMs - MINUTE,
  sender: '10.1.0.7',
  origin,
  originBasis: 'address',
  message: 'x',
  raw: 'x',
  ...more,
});
await insertEvents(services.clickhouse, [
  event('full', 'command', { executable: '/usr/bin/id', pid: 1 }),
  event('full', 'firewall-drop'),
  event('full', 'login-failed'),
  // What was run is not told by a line without an executable, nor what packets met by a changed filter.
  event('stale', 'command'),
  event('stale', 'firewall-changed'),
  event('stale', 'login-accepted', { receivedAtMs: nowMs - 8 * DAY, observedAtMs: nowMs - 8 * DAY }),
  event('elsewhere', 'listen', { executable: '/usr/bin/nc' }),
]);
const sender = {
  host: '',
  identity: '',
  originBasis: 'address',
  lines: 3,
  unread: 0,
  dropped: 0,
  refused: 0,
};
const offsets = { zonedOffsetMs: 0, zonelessOffsetMs: 0, zoneMinutes: 0 };
await addSenders(services.clickhouse, [
  { ...sender, ...offsets, sender: '10.1.0.8', origin: 'stale', lastAtMs: nowMs - DAY },
]);

const folder = createFolder({ internal: addressSet('10.0.0.0/8', '2001:db8::/64') });
folder.setHosts(addressSet('2001:db8::9'));
const flow = { startMs: nowMs - 5 * MINUTE, endMs: nowMs - 5 * MINUTE, protocol: 6, packets: 1, bytes: 60 };
folder.fold(
  '192.0.2.1',
  recordColumns([
    { ...flow, source: '10.1.0.7', destination: '203.0.113.50', sourcePort: 40000, destinationPort: 443 },
    { ...flow, source: '2001:db8::1', destination: '2001:db8::9', destinationPort: 7000, tcpFlags: 2 },
  ]),
  nowMs,
);
await insertConversations(services.clickhouse, folder.drain());
await insertAttempts(services.clickhouse, folder.takeAttempts()!);

const device = async (name: string, address: string): Promise<string> => {
  const body = { name, vendor: 'linux-nftables', address, username: 'postern', pullIntervalSeconds: 60 };
  return (await ask('admin', 'POST', '/v1/devices', body)).body.id;
};
const byAddress = await device('the-router', '10.1.0.7');
const byName = await device('stale', '192.0.2.8');
await recordPullSuccess(services.postgres, byAddress, new Date(nowMs));
await recordPullFailure(services.postgres, byName, new Date(nowMs), 'login-refused', 'the login was refused');

type Stream = { telemetry: string; arrives: boolean; reason: string; required: boolean };
type Item = {
  host: { name: string; platform: string };
  analytics: { analytic: string; sight: string; streams: Stream[] }[];
};
const read = async (query = ''): Promise<{ items: Item[]; next?: string }> => {
  const { status, body, text } = await ask('soc', 'GET', `/v1/coverage/hosts${query}`);
  assert.equal(status, 200, text);
  return body;
};
const { items } = await read();
const of = (name: string) => items.find(({ host }) => host.name === name)!;
/** Over all analytics of the host. */
const streamsOf = (name: string) =>
  new Map(of(name).analytics.flatMap(({ streams }) => streams.map((one) => [one.telemetry, one] as const)));
const arriving = (name: string) =>
  [...streamsOf(name).values()]
    .filter(({ arrives }) => arrives)
    .map(({ telemetry }) => telemetry)
    .sort();

test('each host has the analytics of its platform, and no device has them', async () => {
  for (const { host, analytics } of items)
    assert.deepEqual(
      analytics.map(({ analytic }) => analytic),
      hostAnalytics
        .filter(({ platforms }) => (platforms as readonly string[]).includes(host.platform))
        .map(({ id }) => id),
    );
  assert.ok(of('mac').analytics.length > 0);
  const devices = (await ask('soc', 'GET', '/v1/coverage')).body.items;
  assert.deepEqual(
    devices.map((one: Item) => one.analytics.map(({ analytic }) => analytic)),
    [['AN0926'], ['AN0926']],
  );
});

test('what arrives of a host is told by what came, whoever reported it', () => {
  assert.deepEqual(arriving('full'), [
    'firewall-log',
    'flow-export',
    'host-ruleset',
    'login-log',
    'process-log',
    'syslog',
  ]);
  // Lines came, by the counts of senders, but none that says what was run; its name is that of a device that cannot be pulled.
  assert.deepEqual(arriving('stale'), ['syslog']);
  assert.match(streamsOf('stale').get('host-ruleset')!.reason, /never pulled: the login was refused/);
  assert.match(streamsOf('stale').get('syslog')!.reason, new RegExp(new Date(nowMs - DAY).toISOString()));
  // Only an attempt toward it was seen, over IPv6.
  assert.deepEqual(arriving('knocked'), ['flow-export']);
  assert.deepEqual(arriving('lonely'), []);
  assert.match(streamsOf('lonely').get('process-log')!.reason, /^no lines that say what was run$/);
  assert.match(streamsOf('lonely').get('host-ruleset')!.reason, /no device/);
});

test('without what it cannot do without an analytic is blind, and without the rest it sees in part', () => {
  for (const [name, expected] of [
    ['full', ['partly', 'sees']],
    ['stale', ['blind']],
    ['knocked', ['blind']],
  ] as const)
    for (const { sight, streams, analytic } of of(name).analytics) {
      assert.ok((expected as readonly string[]).includes(sight), `${name} ${analytic} ${sight}`);
      assert.equal(
        sight === 'sees',
        streams.every(({ arrives }) => arrives),
      );
    }
  const sights = Object.fromEntries(of('full').analytics.map(({ analytic, sight }) => [analytic, sight]));
  // No ticket was ever sent, so AN0407 misses them; AN0843 has all that it asks for.
  assert.deepEqual([sights.AN0407, sights.AN0843], ['partly', 'sees']);
});

test('the list of hosts goes on where a page ended', async () => {
  const first = await read('?limit=3');
  const second = await read(`?limit=3&cursor=${first.next}`);
  assert.deepEqual(
    [...first.items, ...second.items].map(({ host }) => host.name),
    ['full', 'knocked', 'lonely', 'mac', 'stale'],
  );
  assert.equal(second.next, undefined);
  assert.equal((await ask('soc', 'GET', '/v1/coverage/hosts?cursor=x')).body.code, 'bad-cursor');
});

test('more addresses than one question takes are asked for', async () => {
  for (let host = 0; host < 11; host++)
    await register(
      `many-${host}`,
      Array.from({ length: 100 }, (_, i) => `10.2.${host}.${i + 1}`),
    );
  await register('zz-last', ['10.1.0.7']);
  const { items: all } = await read('?limit=200');
  const last = all.find(({ host }) => host.name === 'zz-last')!;
  const flows = last.analytics
    .flatMap(({ streams }) => streams)
    .find((one) => one.telemetry === 'flow-export');
  assert.equal(flows?.arrives, true);
});

test('metrics count hosts by platform and open questions by analytic', async () => {
  const host = {
    name: 'full',
    platform: 'linux',
    addresses: [],
    aliases: [],
    isDeveloper: false,
    timeZone: 'UTC',
  };
  const question = (key: string) => ({
    analytic: 'AN0407',
    host: { ...host, platform: 'linux' as const },
    key,
    trigger: { kind: 'firewall-change' as const, atMs: nowMs, detail: 'x' },
    fromMs: nowMs - DAY,
    untilMs: nowMs + DAY,
  });
  await insertHostWatch(services.postgres, fullId, question('a'), nowMs, nowMs);
  const closed = await insertHostWatch(services.postgres, fullId, question('b'), nowMs, nowMs);
  const value = async (sample: string) =>
    (await ask(null, 'GET', '/metrics')).text
      .split('\n')
      .find((line) => line.startsWith(`${sample} `))
      ?.slice(sample.length + 1);
  assert.equal(await value('postern_host_watches_open{analytic="AN0407"}'), '2');
  await services.postgres
    .updateTable('host_watches')
    .set({ state: 'closed' })
    .where('id', '=', closed!)
    .execute();
  assert.equal(await value('postern_host_watches_open{analytic="AN0407"}'), '1');
  assert.equal(await value('postern_host_watches_open{analytic="AN1230"}'), '0');
  assert.equal(await value('postern_hosts{platform="macos"}'), '1');
});

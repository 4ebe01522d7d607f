import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fastify, { type FastifyInstance } from 'fastify';
import enrichmentPlugin from '../../enrichment/plugin.ts';
import flows from '../../src/flows/plugin.ts';
import { addressSet } from '../../src/model/addresses.ts';
import type { Services } from '../../src/services.ts';
import { loadSettings } from '../../src/settings.ts';
import { contactsToward } from '../../src/store/clickhouse/attempts.ts';
import { conversationSummary } from '../../src/store/clickhouse/conversations.ts';
import { locateFolder } from '../../src/store/folder.ts';
import store from '../../src/store/plugin.ts';
import { listExporters } from '../../src/store/postgres/exporters.ts';
import { postgresOwner } from '../../src/store/postgres/user.ts';
import { type V9Record, v9Datagram } from './v9.ts';

const folder = await mkdtemp(join(tmpdir(), 'postern-flows-'));
// As root, PostgreSQL runs as another user, who must be able to get there.
await chmod(folder, 0o755);
after(() => rm(folder, { recursive: true, force: true }));

async function service(overrides: Record<string, string>): Promise<FastifyInstance> {
  const settings = loadSettings(
    {},
    {
      POSTERN_DATA: join(folder, 'data'),
      POSTERN_LOG_LEVEL: 'silent',
      POSTERN_FLOW_HOST: '127.0.0.1',
      POSTERN_NETFLOW_PORT: String(await freePort()),
      POSTERN_IPFIX_PORT: '0',
      POSTERN_SFLOW_PORT: '0',
      POSTERN_IPFIX_TCP_PORT: '0',
      POSTERN_ENRICHMENT_FETCH: 'off',
      ...overrides,
    },
  );
  const owner = postgresOwner(settings.POSTERN_DATA);
  const place = locateFolder(settings.POSTERN_DATA, owner);
  const app = fastify({ logger: { level: 'silent' }, pluginTimeout: 60_000 });
  const started: Partial<Services> = { settings, log: app.log, dataFolder: place.path, now: Date.now };
  app.decorate('services', started as Services);
  await app.register(store, { place });
  await app.register(enrichmentPlugin);
  await app.register(flows);
  return app;
}

/** A TCP port that the system gives is free for UDP too, but for a race that has not been seen. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function send(port: number, datagram: Buffer, fromPort = 0): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(fromPort, '127.0.0.1');
  await once(socket, 'listening');
  await new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve));
  socket.close();
}

test('exports end in ClickHouse and their exporter in PostgreSQL, with its device, and a stop loses nothing', async () => {
  const exportMs = Date.now();
  const base = { source: '10.1.1.1', destination: '198.51.100.9', destinationPort: 443 };
  const records: V9Record[] = Array.from({ length: 20 }, (_, i) => ({
    ...base,
    source: `10.1.1.${i}`,
    packets: 2,
    bytes: 100,
  }));
  const first = await service({});
  await first.ready();
  first.flows.setHosts(addressSet('10.1.1.200'));
  await first.services.postgres
    .insertInto('devices')
    .values({
      id: 'd1',
      name: 'edge1',
      vendor: 'linux-nftables',
      address: '192.0.2.1',
      port: 22,
      username: 'x',
      credential: null,
      host_key: null,
      pull_interval_seconds: 3600,
      addresses: [],
      exporters: ['127.0.0.1'],
      ticket_pattern: null,
      time_zone: 'UTC',
      owner_group: null,
      configuration_item: null,
      created_at: new Date(),
      created_by: 'test',
    })
    .execute();
  // Between two internal addresses, so no conversation with the outside.
  const knock = { source: '10.2.2.2', destination: '10.1.1.200', sourcePort: 50_000, destinationPort: 7000 };
  records.push({ ...knock, tcpFlags: 2, packets: 1, bytes: 60 });
  await send(first.flows.ports()[0], v9Datagram(records, { exportMs, sequence: 1 }));
  await first.close();

  const second = await service({ POSTERN_ROLES: 'api' });
  await second.ready();
  assert.deepEqual(second.flows.ports(), []);
  const summary = await conversationSummary(second.services.clickhouse, {
    scope: ['10.1.1.0/29'],
    fromMs: exportMs - 3_600_000,
    untilMs: exportMs + 3_600_000,
    groupBy: 'hour',
  });
  assert.deepEqual(
    summary.externals.map(({ address, internals, outPackets, category }) => [
      address,
      internals,
      outPackets,
      category,
    ]),
    [['198.51.100.9', 8, 16, 'unknown']],
  );
  const { contacts } = await contactsToward(second.services.clickhouse, {
    addresses: ['10.1.1.200'],
    fromMs: exportMs - 3_600_000,
    untilMs: exportMs + 3_600_000,
    receivedUntilMs: exportMs + 3_600_000,
  });
  assert.deepEqual(
    contacts.map(({ source, port, outcome }) => [source, port, outcome]),
    [['10.2.2.2', 7000, 'unanswered']],
  );
  const [exporter] = await listExporters(second.services.postgres, { limit: 10 });
  assert.equal(exporter.address, '127.0.0.1');
  assert.equal(exporter.device_id, 'd1');
  assert.deepEqual(exporter.versions, ['v9']);
  assert.equal(exporter.counters.records, 21);
  assert.equal(exporter.counters.attempts, 1);
  assert.equal(exporter.counters.folded, 20);
  await second.close();
});

test('templates outlive a restart, also one in which their exporter was silent', async () => {
  const exporterPort = await freePort();
  const exportMs = Date.now();
  const record = { source: '10.1.1.1', destination: '198.51.100.9', destinationPort: 443, packets: 1 };
  const first = await service({});
  await first.ready();
  await send(first.flows.ports()[0], v9Datagram([], { exportMs }), exporterPort);
  await first.close();
  const silent = await service({});
  await silent.ready();
  await silent.close();
  const third = await service({});
  await third.ready();
  const bare = v9Datagram([record, record], { exportMs, sequence: 1, withTemplate: false });
  await send(third.flows.ports()[0], bare, exporterPort);
  await third.close();
  const { counters } = await third.flows.counters();
  assert.deepEqual([counters.folded, counters.missedTemplates], [2, 0]);
});

test('settings that name no addresses are refused before anything starts', async () => {
  await assert.rejects(
    service({ POSTERN_INTERNAL: '10.0.0.0/8,office' }),
    /POSTERN_INTERNAL is refused.*office/,
  );
});

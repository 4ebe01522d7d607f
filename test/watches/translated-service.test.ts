// the whole service: events of a registered exporter make an address internal, and a watch finds the host behind it; one restart
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createApp } from '../../src/app.ts';
import { loadSettings } from '../../src/settings.ts';
import { gatherEvidence } from '../../src/watches/evidence.ts';
import { question } from '../analytics/fixtures.ts';
import { v9Datagram } from '../flows/v9.ts';
import { buildIpfix, dataSet, type Field, ipfixTemplate } from '../packets/generate.ts';

const SESSION: readonly Field[] = [
  [323, 8],
  [8, 4],
  [225, 4],
  [230, 1],
  [4, 1],
  [7, 2],
  [227, 2],
  [12, 4],
  [11, 2],
];
const [HOST, NAT, FORGED, TARGET] = ['10.1.1.5', '198.51.100.7', '198.51.100.66', '203.0.113.9'];
const REGISTERED = '127.0.0.1';
const STRANGER = '127.0.0.2';

const folder = mkdtempSync(join(tmpdir(), 'postern-behind-'));
// As root, PostgreSQL runs as another user, who must be able to get there.
chmodSync(folder, 0o755);
const apps: FastifyInstance[] = [];
after(async () => {
  for (const app of apps) await app.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

async function start(): Promise<FastifyInstance> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  const app = await createApp({
    settings: loadSettings(
      {},
      {
        POSTERN_DATA: join(folder, 'data'),
        POSTERN_LOG_LEVEL: 'error',
        POSTERN_ROLES: 'api,collect',
        POSTERN_FLOW_HOST: '127.0.0.1',
        POSTERN_NETFLOW_PORT: String(port),
        POSTERN_IPFIX_PORT: '0',
        POSTERN_SFLOW_PORT: '0',
        POSTERN_IPFIX_TCP_PORT: '0',
        POSTERN_SYSLOG_PORT: '0',
        POSTERN_ENRICHMENT_FETCH: 'off',
      },
    ),
  });
  apps.push(app);
  await app.ready();
  return app;
}

async function send(app: FastifyInstance, from: string, datagram: Uint8Array): Promise<void> {
  const socket = createSocket('udp4').bind(0, from);
  await once(socket, 'listening');
  await new Promise((resolve) => socket.send(datagram, app.flows.ports()[0], '127.0.0.1', resolve));
  socket.close();
}

function begun(nat: string, atMs: number): Uint8Array {
  const row = [atMs, HOST, nat, 4, 6, 40_000, 2048, TARGET, 443];
  return buildIpfix(
    { seconds: Math.floor(atMs / 1000) },
    ipfixTemplate(300, SESSION),
    dataSet(300, SESSION, [row]),
  );
}

test('a watch finds a host behind an address that a registered exporter named, and nobody else can name one', async () => {
  const nowMs = Date.now();
  const first = await start();
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
      exporters: [REGISTERED],
      ticket_pattern: null,
      time_zone: 'UTC',
      owner_group: null,
      configuration_item: null,
      created_at: new Date(),
      created_by: 'test',
    })
    .execute();
  await send(first, REGISTERED, begun(NAT, nowMs));
  await send(first, STRANGER, begun(FORGED, nowMs));
  await first.close();

  const second = await start();
  const flow = (source: string) => ({
    source,
    destination: TARGET,
    destinationPort: 443,
    packets: 7,
    bytes: 700,
  });
  await send(second, STRANGER, v9Datagram([flow(NAT), flow(FORGED)], { exportMs: Date.now() }));
  const { clickhouse } = second.services;
  const stored = async () => {
    await second.flows.flush();
    const result = await clickhouse.query({
      query: 'SELECT toString(internal) AS internal FROM conversations',
      format: 'JSONEachRow',
    });
    return result.json();
  };
  const deadline = Date.now() + 15_000;
  while ((await stored()).length === 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(await stored(), [{ internal: `::ffff:${NAT}` }]);
  const found = await gatherEvidence(
    clickhouse,
    {
      ...question,
      scope: [HOST],
      destinations: ['any'],
      exporters: [],
      fromMs: nowMs - 600_000,
      untilMs: nowMs + 600_000,
    },
    Date.now(),
    {
      baselineDays: 14,
      enrich: () => ({ asn: 0, name: '', country: '', category: 'unknown', categorySource: '' }),
    },
  );
  const group = found.groups.find(({ key }) => key === TARGET);
  assert.equal(
    group?.observed.reduce((sum, minute) => sum + minute.outPackets, 0),
    7,
  );
});

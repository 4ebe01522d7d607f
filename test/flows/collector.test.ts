import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { LookupTables } from '../../enrichment/pack.ts';
import type { AttemptBatch } from '../../src/flows/attempt-batch.ts';
import { type ConversationBatch, conversations } from '../../src/flows/batch.ts';
import { type Collector, type CollectorOptions, startCollector } from '../../src/flows/collector.ts';
import type { FolderReport } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { PosternError } from '../../src/model/errors.ts';
import { v9Datagram } from './v9.ts';

const INTERNAL = addressSet('10.0.0.0/8');

interface Heard {
  readonly collector: Collector;
  readonly batches: ConversationBatch[];
  readonly reports: FolderReport[];
  readonly rows: () => ReturnType<typeof allRows>;
}

const allRows = (batches: ConversationBatch[]) => batches.flatMap((batch) => [...conversations(batch)]);

async function start(options: Partial<CollectorOptions> = {}): Promise<Heard> {
  const batches: ConversationBatch[] = [];
  const reports: FolderReport[] = [];
  const collector = await startCollector({
    host: '127.0.0.1',
    ports: [0, 0],
    threads: 1,
    receiveBufferBytes: 1_048_576,
    flushMs: 60_000,
    maxConversations: 100_000,
    maxSessions: 1000,
    internal: INTERNAL,
    onBatch: (batch) => batches.push(batch),
    onReport: (report) => reports.push(report),
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
  return { collector, batches, reports, rows: () => allRows(batches) };
}

async function send(port: number, datagrams: readonly Buffer[], address = '127.0.0.1'): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  for (const datagram of datagrams)
    await new Promise((resolve, reject) =>
      socket.send(datagram, port, '127.0.0.1', (error) => (error ? reject(error) : resolve(undefined))),
    );
  socket.close();
}

/** `records` records, 20 a datagram, each of another internal address. */
function exports(records: number, network = 1): Buffer[] {
  const exportMs = Date.now();
  const list = Array.from({ length: records }, (_, i) => ({
    source: `10.${network}.${i >> 8}.${i & 255}`,
    destination: '198.51.100.9',
    destinationPort: 443,
    packets: 1,
    bytes: 100,
  }));
  return Array.from({ length: Math.ceil(records / 20) }, (_, i) =>
    v9Datagram(list.slice(i * 20, i * 20 + 20), { exportMs, sequence: i }),
  );
}

const total = (reports: FolderReport[], name: string) =>
  reports.flatMap((report) => report.exporters).reduce((sum, one) => sum + (one.counters[name] ?? 0), 0);

async function until(isDone: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await isDone())) {
    assert.ok(Date.now() < deadline, 'nothing came in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('what comes on either port leaves as batches, and a stop delivers all of it', async () => {
  const { collector, rows, reports } = await start();
  await send(collector.ports[0], exports(500, 1));
  await send(collector.ports[1], exports(300, 2));
  await collector.stop();
  assert.equal(rows().length, 800);
  assert.equal(
    rows().every((row) => row.exporter === '127.0.0.1' && row.outPackets === 1),
    true,
  );
  assert.equal(total(reports, 'records'), 800);
  assert.equal(total(reports, 'folded'), 800);
  assert.equal(total(reports, 'sequenceGaps'), 0);
});

test('threads share a port: nothing is lost and more than one works', async () => {
  const { collector, rows, reports } = await start({ threads: 2, ports: [0] });
  for (let i = 0; i < 24; i++) await send(collector.ports[0], exports(20, i));
  await until(async () => {
    await collector.flush();
    return total(reports, 'records') === 480;
  });
  assert.ok(reports.filter((report) => report.sessions > 0).length > 1);
  assert.equal(
    new Set(reports.filter(({ sessions }) => sessions > 0).map(({ sessions }) => sessions)).has(24),
    false,
  );
  await collector.stop();
  assert.equal(rows().length, 480);
});

test('batches leave on their own at the interval', async () => {
  const { collector, rows } = await start({ flushMs: 100 });
  await send(collector.ports[0], exports(40));
  await until(() => rows().length === 40);
  await collector.stop();
});

test('the internal set and the allow-list can change while it runs', async () => {
  const { collector, rows, reports } = await start({ ports: [0], allowed: addressSet('192.0.2.0/24') });
  await send(collector.ports[0], exports(20));
  await until(async () => {
    await collector.flush();
    return reports.some((report) => report.refused['127.0.0.1'] === 1);
  });
  assert.equal(rows().length, 0);
  collector.setAllowed(addressSet('127.0.0.2', '192.0.2.0/24'));
  collector.setInternal(addressSet('198.51.100.0/24'));
  await send(collector.ports[0], exports(20), '127.0.0.2');
  await until(async () => {
    await collector.flush();
    return rows().length === 1 || rows().length === 20;
  });
  await collector.stop();
  assert.deepEqual(
    [...new Set(rows().map((row) => [row.exporter, row.internal, row.inFlows > 0].join()))],
    ['127.0.0.2,198.51.100.9,true'],
  );
});

test('a port that is taken is named in the error, also where another collector has it', async () => {
  const { collector } = await start({ ports: [0] });
  const [port] = collector.ports;
  await assert.rejects(
    start({ ports: [0, port] }),
    (error) =>
      error instanceof PosternError && error.code === 'port-in-use' && error.subject === String(port),
  );
  await collector.stop();
  const again = await start({ ports: [port] });
  await again.collector.stop();
});

test('on :: senders of IPv4 are known by their IPv4 address', async (t) => {
  if (!Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6')))
    return t.skip('no IPv6 here');
  const { collector, rows } = await start({ host: '::', ports: [0] });
  await send(collector.ports[0], exports(20));
  await collector.stop();
  assert.deepEqual([...new Set(rows().map((row) => row.exporter))], ['127.0.0.1']);
});

test('an address that is not ours cannot be bound', async () => {
  await assert.rejects(
    start({ host: '192.0.2.1', ports: [20_551] }),
    (error) => error instanceof PosternError && error.code === 'cannot-bind',
  );
});

test('datagrams of nonsense are counted and the next one is read', async () => {
  const { collector, rows, reports } = await start({ ports: [0] });
  const nonsense = [0, 1, 4, 20, 1400].map((length) => Buffer.alloc(length, 0xa5));
  await send(collector.ports[0], [...nonsense, ...exports(20)]);
  await collector.stop();
  assert.equal(rows().length, 20);
  assert.equal(total(reports, 'malformed'), 5);
});

test('attempts toward known hosts leave at each flush, and a thread that is started anew still knows the hosts', async () => {
  const attempts: AttemptBatch[] = [];
  const failures: Error[] = [];
  const { collector } = await start({
    ports: [0],
    onAttempts: (batch) => attempts.push(batch),
    onFailure: (error) => failures.push(error),
  });
  const knock = {
    source: '203.0.113.7',
    destination: '10.9.0.1',
    sourcePort: 50_000,
    tcpFlags: 2,
    packets: 1,
  };
  const knockAt = (destinationPort: number) =>
    send(collector.ports[0], [v9Datagram([{ ...knock, destinationPort }], { exportMs: Date.now() })]);
  const ports = () => attempts.flatMap((batch) => [...batch.port]);
  const arrived = (port: number) =>
    until(async () => {
      await collector.flush();
      return ports().includes(port);
    });
  collector.setHosts(addressSet('10.9.0.1'));
  await collector.flush();
  await knockAt(7000);
  await arrived(7000);
  // Tables of nonsense kill the thread, as a defect would.
  collector.setTables({} as LookupTables);
  await until(() => failures.length > 0);
  collector.setTables(undefined);
  const sending = setInterval(() => knockAt(8000), 100);
  await arrived(8000);
  clearInterval(sending);
  await knockAt(9000);
  await collector.stop();
  assert.equal(new Set(ports()).size, 3, ports().join());
});

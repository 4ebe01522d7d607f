// the real collector, queue, spool and engine, while the engine is slow and then refuses
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConversationBatch } from '../../src/flows/batch.ts';
import { startCollector } from '../../src/flows/collector.ts';
import { openSpool } from '../../src/flows/spool.ts';
import { createStoreQueue, type Part } from '../../src/flows/store-queue.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { temporaryFolder } from '../store/temporary.ts';
import { v9Datagram } from './v9.ts';

const ROUNDS = 12;
const DATAGRAMS = 200;
const HOSTS = 40;
/** What tells the rounds apart. */
const FIRST_PORT = 1000;

test('while the store is slow or down the sockets lose nothing, and all is stored in order when it is back', async (t) => {
  const folder = temporaryFolder(t);
  const client = await openClickHouse({ path: join(folder, 'engine') });
  t.after(() => client.close());
  const spool = await openSpool<Part<ConversationBatch>>({
    folder: join(folder, 'spool'),
    maxBytes: 1 << 28,
    onLost: (error) => assert.fail(String(error)),
  });
  const inserted: number[] = [];
  const errors: unknown[] = [];
  const queue = createStoreQueue<ConversationBatch>({
    maxRows: 3 * HOSTS,
    spool,
    insert: async (batches, id) => {
      await insertConversations(client, batches, id);
      inserted.push(...batches.flatMap((batch) => [...new Set(batch.externalPort)]));
    },
    onDropped: () => assert.fail('nothing is dropped'),
    onError: (error) => errors.push(error),
  });
  const counted = { folded: 0, datagrams: 0 };
  const collector = await startCollector({
    host: '127.0.0.1',
    ports: [0],
    threads: 1,
    receiveBufferBytes: 4_194_304,
    flushMs: 60_000,
    maxConversations: 100_000,
    maxSessions: 10,
    internal: addressSet('10.0.0.0/8'),
    onBatch: (batch) => queue.push(batch),
    onReport: ({ exporters }) => {
      for (const { counters } of exporters) {
        counted.folded += counters.folded ?? 0;
        counted.datagrams += counters.datagrams ?? 0;
      }
    },
    onFailure: (error) => assert.fail(error),
  });
  t.after(() => collector.stop());
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.connect(collector.ports[0], '127.0.0.1');
  await once(socket, 'connect');
  const exportMs = Date.now();
  let sequence = 0;
  const sendRound = async (round: number) => {
    for (let i = 0; i < DATAGRAMS; i++) {
      const source = `10.0.0.${i % HOSTS}`;
      const record = { source, destination: '198.51.100.9', destinationPort: FIRST_PORT + round };
      socket.send(
        v9Datagram([{ ...record, startMs: exportMs, endMs: exportMs, packets: 1, bytes: 100 }], {
          exportMs,
          sequence: sequence++,
        }),
      );
      if (i % 50 === 0) await new Promise(setImmediate);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    // Answered by the thread of the sockets, whatever the store does.
    const began = performance.now();
    await collector.flush();
    return performance.now() - began;
  };

  await client.command({
    query:
      'CREATE MATERIALIZED VIEW slow ENGINE = Null AS SELECT minute FROM conversations WHERE sleep(2) = 0',
  });
  const waits = [await sendRound(0), await sendRound(1)];
  assert.deepEqual(inserted, []);
  assert.ok(Math.max(...waits) < 1500, `the collector waited ${Math.max(...waits)} ms`);
  // The insert whose table goes away under it may be stored and refused: it comes again, and is stored once.
  await client.command({ query: 'DETACH TABLE conversations' });
  for (let round = 2; round < ROUNDS; round++) await sendRound(round);
  assert.ok(queue.waitingRows() > 0 && queue.spooledRows() > 0);
  while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(
    [(errors[0] as { type: string }).type, await collector.kernelDrops()],
    ['UNKNOWN_TABLE', 0],
  );
  await client.command({ query: 'ATTACH TABLE conversations' });
  await client.command({ query: 'DROP VIEW slow' });
  const deadline = performance.now() + 20_000;
  while (queue.waitingRows() + queue.spooledRows() > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  await queue.close(5000);
  assert.deepEqual(counted, { folded: ROUNDS * DATAGRAMS, datagrams: ROUNDS * DATAGRAMS });
  assert.deepEqual(
    inserted,
    Array.from({ length: ROUNDS }, (_, round) => FIRST_PORT + round),
  );
  const result = await client.query({
    query: 'SELECT toUInt32(count()) AS count, toUInt32(sum(out_packets)) AS packets FROM conversations',
    format: 'JSONEachRow',
  });
  assert.deepEqual(await result.json(), [{ count: ROUNDS * HOSTS, packets: ROUNDS * DATAGRAMS }]);
});

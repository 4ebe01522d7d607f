// the collector as a process of its own: arguments are the receive buffer, a folder to store in, or '', and threads
import { buildTables } from '../../enrichment/tables.ts';
import { startCollector } from '../../src/flows/collector.ts';
import { createStoreQueue } from '../../src/flows/store-queue.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';

/** A made-up network for each /22 of a good part of IPv4, about what an ASN table holds. */
function tables() {
  const networks = Array.from({ length: 400_000 }, (_, i) => ({
    first: 0x0100_0000 + i * 1024,
    last: 0x0100_0000 + i * 1024 + 1023,
    value: { asn: 64_512 + (i % 1000), name: `Network ${i % 1000}`, country: 'ZZ' },
  }));
  return buildTables({ networks });
}

const [, , receiveBufferBytes, folder, threads] = process.argv;
const client = folder ? await openClickHouse({ path: folder }) : undefined;
const queue = createStoreQueue({
  maxRows: 10_000_000,
  insert: async (batches) => {
    if (client) await insertConversations(client, batches);
  },
  onDropped: () => {
    throw new Error('a batch was dropped');
  },
  onError: (error) => {
    throw error;
  },
});
const totals: Record<string, number> = { records: 0, folded: 0, overflow: 0, badTimes: 0, spread: 0 };
const collector = await startCollector({
  host: '127.0.0.1',
  ports: [0],
  threads: Number(threads),
  receiveBufferBytes: Number(receiveBufferBytes),
  flushMs: 10_000,
  maxConversations: 500_000,
  maxSessions: 1000,
  internal: addressSet('10.0.0.0/8'),
  tables: tables(),
  onBatch: (batch) => queue.push(batch),
  onReport: (report) => {
    for (const { counters } of report.exporters)
      for (const name of Object.keys(totals)) totals[name] += counters[name] ?? 0;
  },
  onFailure: (error) => {
    throw error;
  },
});

process.on('message', async (question) => {
  if (question === 'flush') {
    await collector.flush();
    process.send?.({});
    return;
  }
  const drops = await collector.kernelDrops();
  await collector.stop();
  await queue.close(60_000);
  await client?.close();
  const { records, folded, overflow } = totals;
  const note = `kernel drops ${drops}, folded ${folded}, overflow ${overflow}, rows ${queue.storedRows()}`;
  process.send?.({ records, note });
  process.disconnect?.();
});
process.send?.({ port: collector.ports[0] });

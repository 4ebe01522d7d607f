// the syslog receiver with its store as a process of its own, for events.ts: the argument is a folder to store in
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { startReceiver } from '../../src/events/receive.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { insertEvents } from '../../src/store/clickhouse/event-insert.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';

const [, , folder, profile] = process.argv;
const client = await openClickHouse({ path: folder });
let profiler: Session | undefined;
const receiver = await startReceiver({
  host: '127.0.0.1',
  port: 0,
  senders: addressSet('127.0.0.0/8'),
  maxConnections: 100,
  idleTimeoutMs: 60_000,
  maxQueuedEvents: 100_000,
  now: Date.now,
  store: (batch) => insertEvents(client, batch),
  onEvents: () => undefined,
  onError: (error) => {
    throw error;
  },
});

/** Lines, not rows: the records of an audit event are one row. */
async function storedLines(): Promise<number> {
  await receiver.flush();
  const result = await client.query({
    query: "SELECT toUInt32(sum(1 + countSubstrings(raw, '\\n'))) AS lines FROM events",
    format: 'JSONEachRow',
  });
  return (await result.json<{ lines: number }>())[0].lines;
}

process.on('message', async (question) => {
  if (question === 'profile' && profile) {
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.start');
  }
  if (question === 'stored') {
    // Received is the lower bound of what waits; the table is asked at the end only, because that costs too.
    const { tcpMessages, storedEvents } = receiver.counters;
    process.send?.({ lines: tcpMessages, events: storedEvents });
  }
  if (question !== 'stop') return;
  if (profiler) writeFileSync(profile, JSON.stringify((await profiler.post('Profiler.stop')).profile));
  await receiver.stop();
  const lines = await storedLines();
  await client.close();
  process.send?.({ lines });
  process.disconnect?.();
});
process.send?.({ port: receiver.port });

// the collector with IPFIX over TCP, in a namespace; prints what it counted, every second
import { startCollector } from '../../src/flows/collector.ts';
import { addressSet } from '../../src/model/addresses.ts';

const total = { flows: 0, packets: 0, octets: 0 };
const collector = await startCollector({
  host: '127.0.0.1',
  ports: [0],
  threads: 1,
  receiveBufferBytes: 1_048_576,
  flushMs: 500,
  maxConversations: 100_000,
  maxSessions: 100,
  // One end of each conversation, so that each has an inside and an outside.
  internal: addressSet('10.9.0.1'),
  streams: { tcpPort: 0, maxConnections: 10, idleTimeoutMs: 60_000 },
  onBatch: (batch) => {
    for (let row = 0; row < batch.count; row++) {
      total.packets += batch.outPackets[row] + batch.inPackets[row];
      total.octets += batch.outBytes[row] + batch.inBytes[row];
    }
  },
  onReport: ({ exporters }) => {
    for (const { counters } of exporters) total.flows += counters.records ?? 0;
  },
  onFailure: (error) => {
    throw error;
  },
});
process.stdout.write(`tcp ${collector.streamPorts[0]}\n`);
setInterval(() => process.stdout.write(`total ${JSON.stringify(total)}\n`), 500);

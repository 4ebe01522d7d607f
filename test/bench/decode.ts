// decode alone, one thread: NetFlow v9, 26 records a datagram, 54-byte records; ours and node-netflowv9 in the same run
import { createRequire } from 'node:module';
import { decodeDatagram } from '../../src/packets/decode.ts';
import { createRecordColumns } from '../../src/packets/records.ts';
import { createSession } from '../../src/packets/session.ts';
import { buildV9, dataSet, USUAL_FIELDS, usualValues, v9Template } from '../packets/generate.ts';

const RECORDS_PER_DATAGRAM = 26;
const DATAGRAMS = 1_000;
const RECEIVED_AT_MS = 1_700_000_000_000;

export interface DecodeFigures {
  readonly recordsPerSecond: number;
  readonly peerRecordsPerSecond: number;
  readonly ratio: number;
}

const datagrams = (): Buffer[] =>
  Array.from({ length: DATAGRAMS }, (_, d) => {
    const rows = Array.from({ length: RECORDS_PER_DATAGRAM }, (_, i) =>
      usualValues(d * RECORDS_PER_DATAGRAM + i),
    );
    return Buffer.from(buildV9({ sequence: d + 1 }, dataSet(260, USUAL_FIELDS, rows)));
  });

/** The best of `rounds` rounds of about `roundMs`, in records a second; `run` decodes all datagrams once. */
function measure(run: () => void, rounds: number, roundMs: number): number {
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    let runs = 0;
    do {
      run();
      runs++;
    } while (performance.now() - start < roundMs);
    const records = runs * DATAGRAMS * RECORDS_PER_DATAGRAM;
    best = Math.max(best, (records / (performance.now() - start)) * 1000);
  }
  return best;
}

function ours(inputs: readonly Buffer[]): () => void {
  const session = createSession('192.0.2.1');
  const columns = createRecordColumns(4_096);
  let sum = 0;
  const onFull = () => {
    sum += columns.bytes[0];
    columns.count = 0;
  };
  decodeDatagram(session, buildV9({}, v9Template(260, USUAL_FIELDS)), RECEIVED_AT_MS, columns, onFull);
  const expected = inputs.length * RECORDS_PER_DATAGRAM;
  return () => {
    const before = session.counters.records;
    for (const input of inputs) decodeDatagram(session, input, RECEIVED_AT_MS, columns, onFull);
    if (session.counters.records - before !== expected || Number.isNaN(sum))
      throw new Error('records missing');
  };
}

interface Peer {
  nfPktDecode(datagram: Buffer, sender: object): { flows: unknown[] } | undefined;
  server: { close(): void };
}

function peers(inputs: readonly Buffer[]): { run: () => void; close: () => void } {
  const Decoder = createRequire(import.meta.url)('node-netflowv9') as new (callback: () => void) => Peer;
  const peer = new Decoder(() => {});
  const sender = { address: '192.0.2.1', port: 2055, size: 0 };
  peer.nfPktDecode(Buffer.from(buildV9({}, v9Template(260, USUAL_FIELDS))), sender);
  const run = () => {
    let records = 0;
    for (const input of inputs) records += peer.nfPktDecode(input, sender)?.flows.length ?? 0;
    if (records !== inputs.length * RECORDS_PER_DATAGRAM) throw new Error('peer lost records');
  };
  return { run, close: () => peer.server.close() };
}

/** About 4 seconds of one core. */
export function benchDecode(): DecodeFigures {
  const inputs = datagrams();
  const recordsPerSecond = measure(ours(inputs), 5, 400);
  const peer = peers(inputs);
  const peerRecordsPerSecond = measure(peer.run, 4, 500);
  peer.close();
  return { recordsPerSecond, peerRecordsPerSecond, ratio: recordsPerSecond / peerRecordsPerSecond };
}

if (import.meta.main) {
  const { recordsPerSecond, peerRecordsPerSecond, ratio } = benchDecode();
  const millions = (value: number) => (value / 1e6).toFixed(2).padStart(8);
  console.log('decode alone, v9, 26 records a datagram, 54 bytes a record   million records/s');
  console.log(`postern                                                      ${millions(recordsPerSecond)}`);
  console.log(
    `node-netflowv9                                               ${millions(peerRecordsPerSecond)}`,
  );
  console.log(`ratio (target: at least 30)                                  ${ratio.toFixed(1).padStart(8)}`);
}

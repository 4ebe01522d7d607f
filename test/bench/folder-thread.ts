// a collector thread without sockets, for limits.ts: asked for so many seconds it answers the records folded in them
import { parentPort } from 'node:worker_threads';
import { createFolder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { makeStream, RECORDS_PER_DATAGRAM } from './exports.ts';

const DATAGRAMS_A_LOOK = 500;
const RECORDS_A_DRAIN = 4_000_000;

const stream = makeStream(Date.now());
const nowMs = stream.exportMs;
const folder = createFolder({ internal: addressSet('10.0.0.0/8'), onFull: () => void folder.drain() });
folder.receive('192.0.2.1', 2055, stream.template, nowMs);

/** About `seconds` of work; the conversations go where a store would take them from. */
function work(seconds: number): number {
  const until = performance.now() + seconds * 1000;
  let at = 0;
  let records = 0;
  while (performance.now() < until) {
    for (let i = 0; i < DATAGRAMS_A_LOOK; i++) {
      folder.receive('192.0.2.1', 2055, stream.datagrams[at], nowMs);
      at = (at + 1) % stream.datagrams.length;
    }
    records += DATAGRAMS_A_LOOK * RECORDS_PER_DATAGRAM;
    if (records % RECORDS_A_DRAIN < DATAGRAMS_A_LOOK * RECORDS_PER_DATAGRAM) folder.drain();
  }
  return records;
}

work(1);
parentPort?.on('message', (seconds: number) => parentPort?.postMessage(work(seconds)));
parentPort?.postMessage('ready');

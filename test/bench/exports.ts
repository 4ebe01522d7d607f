// a paced stream of NetFlow v9 over UDP: 26 records of 54 bytes a datagram, of many hosts and unevenly popular destinations
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAddress } from '../../src/model/addresses.ts';
import { v9Datagram } from '../flows/v9.ts';

export const RECORDS_PER_DATAGRAM = 26;
const DATAGRAMS = 6000;
const HOSTS = 4000;
const NETWORKS = 30_000;
/** As real exporters do, the template comes again every so often, for collectors that start later. */
const TEMPLATE_EVERY = 2000;

export interface Stream {
  /** Of all datagrams until they are sent. */
  readonly exportMs: number;
  readonly template: Buffer;
  readonly datagrams: readonly Buffer[];
}

/** The same records every time; one in ten covers two minutes. */
export function makeStream(nowMs: number): Stream {
  // The middle of the minute, so that it does not matter when in a minute the benchmark is run.
  const exportMs = Math.floor(nowMs / 60_000) * 60_000 + 30_000;
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  // The cube of an even distribution: an eighth of the destinations takes half of the records.
  const skewed = (count: number) => Math.floor(random() ** 3 * count);
  const record = () => {
    const inside = formatAddress(0x0a00_0000 + skewed(HOSTS));
    const outside = formatAddress(0x2d00_0000 + skewed(NETWORKS) * 389);
    const isOut = random() < 0.5;
    const [near, far] = [1024 + Math.floor(random() * 60_000), random() < 0.8 ? 443 : 53];
    return {
      source: isOut ? inside : outside,
      destination: isOut ? outside : inside,
      sourcePort: isOut ? near : far,
      destinationPort: isOut ? far : near,
      input: isOut ? 1 : 2,
      output: isOut ? 2 : 1,
      bytes: Math.floor(random() * 100_000),
      packets: 1 + Math.floor(random() * 100),
      tcpFlags: 27,
      startMs: exportMs - Math.floor(random() < 0.1 ? 40_000 : random() * 5000),
      endMs: exportMs,
    };
  };
  return {
    exportMs,
    template: v9Datagram([], { exportMs }),
    datagrams: Array.from({ length: DATAGRAMS }, () =>
      v9Datagram(Array.from({ length: RECORDS_PER_DATAGRAM }, record), { exportMs, withTemplate: false }),
    ),
  };
}

/**
 * Sends for `seconds` at `packetsPerSecond`; resolves to the datagrams of records sent. Where it got no processor for longer
 * than `maxBehindMs` it leaves out what is overdue, which no exporter would send as one burst.
 */
export async function sendStream(
  stream: Stream,
  port: number,
  packetsPerSecond: number,
  seconds: number,
  maxBehindMs = Number.POSITIVE_INFINITY,
): Promise<number> {
  const socket = createSocket({ type: 'udp4', sendBufferSize: 4_194_304 });
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let sequence = 0;
  const send = (datagram: Buffer) => {
    // Its clock goes on: one that stands still is a fault that a collector has to work on.
    datagram.writeUInt32BE(nowS, 8);
    datagram.writeUInt32BE(sequence++, 12);
    socket.send(datagram);
  };
  const total = packetsPerSecond * seconds;
  const began = performance.now();
  let leftOut = 0;
  let nowS = 0;
  for (let sent = 0; sent + leftOut < total; ) {
    nowS = Math.floor(Date.now() / 1000);
    const planned = Math.floor(((performance.now() - began) / 1000) * packetsPerSecond);
    const behind = Math.floor(planned - leftOut - sent - (maxBehindMs / 1000) * packetsPerSecond);
    if (behind > 0) leftOut += behind;
    const due = Math.min(total, planned) - leftOut;
    while (sent < due) {
      if (sent % TEMPLATE_EVERY === 0) send(stream.template);
      send(stream.datagrams[sent++ % DATAGRAMS]);
    }
    // One that must not keep the processor from others waits by the clock, others by looking at it.
    await (Number.isFinite(maxBehindMs) ? sleep(1) : new Promise(setImmediate));
  }
  socket.close();
  return total - leftOut;
}

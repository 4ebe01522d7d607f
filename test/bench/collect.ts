// receive + decode + orient + aggregate + enrich over UDP, ours and nfcapd in the same run: CPU and loss
//
//   node test/bench/collect.ts [--seconds 5] [--rates 30000,60000] [--store]
//
// Both run as a process of their own and are measured the same way, from /proc. --store writes our conversations to the
// engine in process besides (nfcapd always writes its files).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Collector,
  cpuSeconds,
  pause,
  receiveBufferNote,
  startNfcapd,
  startOurs,
} from './collectors.ts';
import { makeStream, RECORDS_PER_DATAGRAM, type Stream, sendStream } from './exports.ts';

export interface CollectFigures {
  readonly name: string;
  readonly packetsPerSecond: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly cpuSecondsPerMillionRecords: number;
  readonly note: string;
}

/** What a sender that got no processor for longer would send at once is left out: no exporter sends such bursts. */
const MAX_BEHIND_MS = 20;

async function measure(
  subject: Collector,
  stream: Stream,
  packetsPerSecond: number,
  seconds: number,
): Promise<CollectFigures> {
  // A second of the same first: templates, and code that is compiled once and for all.
  const warm = await sendStream(stream, subject.port, packetsPerSecond / 4, 1, MAX_BEHIND_MS);
  await pause(500);
  await subject.settle();
  const before = cpuSeconds(subject.pid);
  const sent = await sendStream(stream, subject.port, packetsPerSecond, seconds, MAX_BEHIND_MS);
  await pause(500);
  await subject.settle();
  const cpu = cpuSeconds(subject.pid) - before;
  const { records, note } = await subject.stop();
  const packetsLost = sent + warm - Math.round(records / RECORDS_PER_DATAGRAM);
  const received = Math.max(1, (sent - packetsLost) * RECORDS_PER_DATAGRAM);
  return {
    name: subject.name,
    packetsPerSecond,
    packetsSent: sent,
    packetsLost,
    cpuSecondsPerMillionRecords: (cpu / received) * 1e6,
    note,
  };
}

/** One after the other; nfcapd is left out where it is not installed. */
export async function benchCollect(options: {
  readonly rates: readonly number[];
  readonly seconds: number;
  readonly stores: boolean;
}): Promise<CollectFigures[]> {
  const stream = makeStream(Date.now());
  const figures: CollectFigures[] = [];
  for (const rate of options.rates) {
    for (const start of [(folder: string) => startOurs(folder, options.stores), startNfcapd]) {
      const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'));
      try {
        const subject = await start(folder);
        if (subject) figures.push(await measure(subject, stream, rate, options.seconds));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
  return figures;
}

export function formatFigures(figures: readonly CollectFigures[]): string {
  const lines = figures.map((figure) => {
    const peer = figures.find(
      (other) => other.name === 'nfcapd' && other.packetsPerSecond === figure.packetsPerSecond,
    );
    const ratio = peer ? figure.cpuSecondsPerMillionRecords / peer.cpuSecondsPerMillionRecords : undefined;
    return [
      figure.name.padEnd(18),
      String(figure.packetsPerSecond).padStart(10),
      String(figure.packetsSent).padStart(10),
      String(figure.packetsLost).padStart(8),
      figure.cpuSecondsPerMillionRecords.toFixed(3).padStart(14),
      (ratio?.toFixed(2) ?? '-').padStart(10),
      `  ${figure.note}`,
    ].join('');
  });
  return [
    `${'collector'.padEnd(18)}${'packets/s'.padStart(10)}${'sent'.padStart(10)}${'lost'.padStart(8)}${'CPU s/M rec'.padStart(14)}${'to nfcapd'.padStart(10)}`,
    ...lines,
  ].join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '5' },
      rates: { type: 'string', default: '30000,60000' },
      store: { type: 'boolean', default: false },
    },
  });
  const rates = values.rates.split(',').map(Number);
  const figures = await benchCollect({ rates, seconds: Number(values.seconds), stores: values.store });
  console.log(formatFigures(figures));
  if (!figures.some(({ name }) => name === 'nfcapd'))
    console.log('nfcapd left out: not installed (Debian package nfdump)');
  console.log(receiveBufferNote());
}

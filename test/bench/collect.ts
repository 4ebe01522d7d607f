// receive + decode + orient + aggregate + enrich over UDP, ours and nfcapd in the same run: CPU and loss
//
//   node test/bench/collect.ts [--seconds 5] [--rates 30000,60000] [--store]
//
// Both run as a process of their own and are measured the same way, from /proc. --store writes our conversations to the
// engine in process besides (nfcapd always writes its files).
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeStream, RECORDS_PER_DATAGRAM, type Stream, sendStream } from './exports.ts';

export interface CollectFigures {
  readonly name: string;
  readonly packetsPerSecond: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly cpuSecondsPerMillionRecords: number;
  readonly note: string;
}

/** Larger than net.core.rmem_max of most systems, which then caps it, for both alike. */
export const RECEIVE_BUFFER_BYTES = 33_554_432;
const CLOCK_TICKS_PER_SECOND = 100;

/** User and system time of a process and all of its threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

const pause = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Everything received is where it belongs. */
  readonly settle: () => Promise<void>;
  readonly stop: () => Promise<{ readonly records: number; readonly note: string }>;
}

async function measure(
  subject: Subject,
  stream: Stream,
  packetsPerSecond: number,
  seconds: number,
): Promise<CollectFigures> {
  // A second of the same first: templates, and code that is compiled once and for all.
  const warm = await sendStream(stream, subject.port, packetsPerSecond / 4, 1);
  await pause(500);
  await subject.settle();
  const before = cpuSeconds(subject.pid);
  const sent = await sendStream(stream, subject.port, packetsPerSecond, seconds);
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

async function startOurs(folder: string, stores: boolean): Promise<Subject> {
  const child = fork(fileURLToPath(new URL('./collector-process.ts', import.meta.url)), [
    String(RECEIVE_BUFFER_BYTES),
    stores ? folder : '',
  ]);
  const answer = async (question: string) => {
    const heard = once(child, 'message');
    child.send(question);
    return (await heard)[0] as { records: number; note: string };
  };
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    name: stores ? 'postern, storing' : 'postern',
    pid: child.pid!,
    port,
    settle: async () => void (await answer('flush')),
    stop: async () => {
      const result = await answer('stop');
      await exited(child);
      return result;
    },
  };
}

/** Undefined where nfcapd is not installed. */
async function startNfcapd(folder: string): Promise<Subject | undefined> {
  const port = await freePort();
  const child = spawn(
    'nfcapd',
    ['-b', '127.0.0.1', '-p', String(port), '-w', folder, '-B', String(RECEIVE_BUFFER_BYTES), '-t', '3600'],
    { stdio: 'ignore' },
  );
  const isRunning = await Promise.race([
    once(child, 'error').then(() => false),
    pause(1000).then(() => true),
  ]);
  if (!isRunning || child.exitCode !== null) return undefined;
  return {
    name: 'nfcapd',
    pid: child.pid!,
    port,
    settle: async () => {},
    stop: async () => {
      child.kill('SIGTERM');
      await exited(child);
      const text = execFileSync('nfdump', ['-R', folder, '-I'], { encoding: 'latin1' });
      return { records: Number(/^Flows:\s*(\d+)/m.exec(text)?.[1] ?? 0), note: '' };
    },
  };
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
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

/** What the system grants both of them. */
export function receiveBufferNote(): string {
  const path = '/proc/sys/net/core/rmem_max';
  const granted = Number(readFileSync(path, 'latin1'));
  if (granted >= RECEIVE_BUFFER_BYTES) return `receive buffer ${RECEIVE_BUFFER_BYTES} bytes`;
  return `receive buffer capped at ${granted} bytes; for bursts: sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}`;
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

// where a collector ends: the highest rate without loss, memory at a million conversations a minute, and what a second core adds;
// ours, nfcapd and nfacctd in the same run, the sender on the same two cores
//
//   node test/bench/limits.ts [--parts rate,memory,cores] [--seconds 3]
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { readKernelDrops } from '../../src/flows/kernel-drops.ts';
import { formatAddress } from '../../src/model/addresses.ts';
import { v9Datagram } from '../flows/v9.ts';
import {
  type Collector,
  pause,
  receiveBufferNote,
  startNfacctd,
  startNfcapd,
  startOurs,
} from './collectors.ts';
import { makeStream, RECORDS_PER_DATAGRAM, type Stream, sendStream } from './exports.ts';

type Start = (folder: string) => Promise<Collector | undefined>;

const LOWEST_RATE = 5_000;
const HIGHEST_RATE = 240_000;
const RATE_STEP = 5_000;
/** A machine that does something else for a moment is no limit of a collector: the same again decides. */
const TRIALS = 3;
/** What a sender that got no processor for a while would send at once is left out: no exporter does that. */
const MAX_BEHIND_MS = 20;
const CONVERSATIONS_A_MINUTE = 1_000_000;
const MINUTE_S = 60;

async function dropsOf({ port }: Collector): Promise<number> {
  return (await readKernelDrops([port])).get(port) ?? 0;
}

/** The datagrams really sent in a second, where none was dropped; undefined where some were in each of the trials. */
async function holds(
  subject: Collector,
  stream: Stream,
  rate: number,
  seconds: number,
): Promise<number | undefined> {
  for (let trial = 0; trial < TRIALS; trial++) {
    const before = await dropsOf(subject);
    const sent = await sendStream(stream, subject.port, rate, seconds, MAX_BEHIND_MS);
    await pause(500);
    if ((await dropsOf(subject)) === before) return sent / seconds;
    await subject.settle();
  }
  return undefined;
}

/** Halves the span between a rate that holds and one that does not until they are a step apart. */
async function highestRate(subject: Collector, stream: Stream, seconds: number): Promise<number> {
  await sendStream(stream, subject.port, LOWEST_RATE, 1, MAX_BEHIND_MS);
  let held = 0;
  let low = LOWEST_RATE - RATE_STEP;
  let high = HIGHEST_RATE + RATE_STEP;
  while (high - low > RATE_STEP) {
    const rate = Math.round((low + high) / 2 / RATE_STEP) * RATE_STEP;
    const sent = await holds(subject, stream, rate, seconds);
    if (sent === undefined) high = rate;
    else [low, held] = [rate, Math.max(held, sent)];
    // The sender gives no more than this, whatever it is asked for.
    if (sent !== undefined && sent < rate * 0.9) break;
  }
  return held;
}

async function withCollector<T>(
  start: Start,
  use: (subject: Collector) => Promise<T>,
): Promise<T | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'));
  try {
    const subject = await start(folder);
    if (!subject) return undefined;
    const result = await use(subject);
    const { note } = await subject.stop();
    if (/missed/.test(note)) console.log(`  ${subject.name}: ${note}`);
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const ratio = (ours: number | undefined, theirs: number | undefined) =>
  ours && theirs ? (ours / theirs).toFixed(2) : '-';

async function benchRates(seconds: number): Promise<void> {
  const stream = makeStream(Date.now());
  const found: [string, number | undefined][] = [];
  const subjects: [string, Start][] = [
    ['postern', (folder) => startOurs(folder, false)],
    ['nfcapd', startNfcapd],
    ['nfacctd', startNfacctd],
  ];
  for (const [name, start] of subjects)
    found.push([name, await withCollector(start, (subject) => highestRate(subject, stream, seconds))]);
  console.log('highest rate without loss, one source         packets/s    postern to it');
  for (const [name, rate] of found)
    console.log(
      `${name.padEnd(44)}${String(Math.round(rate ?? 0)).padStart(11)}${ratio(found[0][1], rate).padStart(17)}`,
    );
}

/** Each record is a conversation of its own. */
function distinctStream(nowMs: number): Stream {
  const exportMs = Math.floor(nowMs / 60_000) * 60_000 + 30_000;
  const record = (i: number) => ({
    source: formatAddress(0x0a00_0000 + (i % 50_000)),
    destination: formatAddress(0x2d00_0000 + i * 61),
    sourcePort: 1024 + (i % 60_000),
    destinationPort: 443,
    input: 1,
    output: 2,
    bytes: 1500,
    packets: 3,
    tcpFlags: 27,
    startMs: exportMs - 1000,
    endMs: exportMs,
  });
  const count = Math.ceil(CONVERSATIONS_A_MINUTE / RECORDS_PER_DATAGRAM);
  return {
    exportMs,
    template: v9Datagram([], { exportMs }),
    datagrams: Array.from({ length: count }, (_, d) =>
      v9Datagram(
        Array.from({ length: RECORDS_PER_DATAGRAM }, (_, i) => record(d * RECORDS_PER_DATAGRAM + i)),
        { exportMs, withTemplate: false },
      ),
    ),
  };
}

/** The most that the process and its children held, in MiB. */
function peakMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
  const own = Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  return own + children.reduce((sum, child) => sum + peakMiB(Number(child)), 0);
}

async function benchMemory(): Promise<void> {
  const stream = distinctStream(Date.now());
  const measure = async (subject: Collector) => {
    const idle = peakMiB(subject.pid);
    const perSecond = Math.ceil(stream.datagrams.length / MINUTE_S);
    await sendStream(stream, subject.port, perSecond, MINUTE_S, Number.POSITIVE_INFINITY);
    await pause(1000);
    return { idle, peak: peakMiB(subject.pid), drops: await dropsOf(subject) };
  };
  const subjects: [string, Start][] = [
    ['postern', (folder) => startOurs(folder, false)],
    ['nfacctd', (folder) => startNfacctd(folder, CONVERSATIONS_A_MINUTE + 9)],
  ];
  console.log('a million conversations a minute         MiB idle   MiB at most   datagrams lost');
  const peaks: (number | undefined)[] = [];
  for (const [name, start] of subjects) {
    const figures = await withCollector(start, measure);
    peaks.push(figures?.peak);
    if (!figures) continue;
    const { idle, peak, drops } = figures;
    console.log(
      `${name.padEnd(40)}${idle.toFixed(0).padStart(9)}${peak.toFixed(0).padStart(14)}${String(drops).padStart(17)}`,
    );
  }
  console.log(`ratio                                            ${ratio(peaks[0], peaks[1]).padStart(14)}`);
}

/** Records a second of so many threads that each decode, orient, fold and enrich from memory, without sockets. */
async function recordsPerSecond(threads: number, seconds: number): Promise<number> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./folder-thread.ts', import.meta.url)),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  for (const worker of workers) worker.postMessage(seconds);
  const counts = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  await Promise.all(workers.map((worker) => worker.terminate()));
  return counts.reduce((sum: number, count: number) => sum + count, 0) / seconds;
}

async function benchCores(seconds: number): Promise<void> {
  console.log(
    `decode, orient, aggregate and enrich without sockets, ${cpus().length} cores   million records/s`,
  );
  const [one, two] = [await recordsPerSecond(1, seconds), await recordsPerSecond(2, seconds)];
  for (const [name, rate] of [
    ['one collector thread', one],
    ['two collector threads', two],
  ] as const)
    console.log(`${name.padEnd(64)}${(rate / 1e6).toFixed(2).padStart(19)}`);
  console.log(`ratio${ratio(two, one).padStart(78)}`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      parts: { type: 'string', default: 'rate,memory,cores' },
      seconds: { type: 'string', default: '3' },
    },
  });
  const parts = values.parts.split(',');
  const seconds = Number(values.seconds);
  if (parts.includes('cores')) await benchCores(seconds);
  if (parts.includes('memory')) await benchMemory();
  if (parts.includes('rate')) await benchRates(seconds);
  console.log(receiveBufferNote());
}

// recorded hours at 1,000 records/s -> how long `postern audit` takes over them; arguments: hours (default 2, a day is 24) and `any` for pairs at random
import { spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { frame, pcapHeader, T0, writeScenario } from '../audit/scenario.ts';
import { buildV9, dataSet, type Field, v9Template } from '../packets/generate.ts';

const hours = Number(process.argv[2] ?? 2);
const RECORDS_PER_SECOND = 1000;
const RECORDS_PER_DATAGRAM = 25;
const HOSTS = 2000;
const EXTERNALS = 5000;
const FAVOURITES = 20;
const isAny = process.argv.includes('any');
const FIELDS: readonly Field[] = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [1, 4],
  [2, 4],
  [10, 4],
  [14, 4],
  [21, 4],
  [22, 4],
];

/** A linear congruential generator: the same traffic in every run. */
let state = 1;
const random = (below: number) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

async function writeCapture(file: string): Promise<number> {
  const out = createWriteStream(file);
  out.write(pcapHeader());
  const template = v9Template(300, FIELDS);
  const rows = Array.from(
    { length: RECORDS_PER_DATAGRAM },
    () => ['10.20.0.1', '198.51.100.1', 40_000, 443, 6, 60_000, 60, 1, 2, 0, 0] as const,
  );
  const fromMs = T0 - (hours - 0.5) * 3_600_000;
  const datagrams = (hours * 3600 * RECORDS_PER_SECOND) / RECORDS_PER_DATAGRAM;
  for (let i = 0; i < datagrams; i++) {
    const atMs = Math.floor(fromMs + (i * 1000 * RECORDS_PER_DATAGRAM) / RECORDS_PER_SECOND);
    const data = Buffer.from(dataSet(300, FIELDS, rows));
    for (let r = 0; r < RECORDS_PER_DATAGRAM; r++) varyRecord(data, 4 + r * 37);
    const datagram = buildV9(
      { uptimeMs: 100_000, seconds: Math.floor(atMs / 1000), sequence: i },
      ...(i % 1000 === 0 ? [template] : []),
      data,
    );
    if (!out.write(frame(atMs, datagram))) await new Promise((resume) => out.once('drain', resume));
  }
  await new Promise((done) => out.end(done));
  return (await stat(file)).size;
}

/** Half of the records are answers. Ends of the flow lie within the last minute of the exporter's uptime. */
function varyRecord(data: Buffer, at: number): void {
  const inside = 0x0a140000 + random(HOSTS);
  // Hosts talk to few others most of the time; `any` takes a new pair for nearly every record, the worst for aggregation.
  const outside =
    0xc6336400 + (isAny ? random(EXTERNALS) : (inside * 7919 + random(FAVOURITES) * 131) % EXTERNALS);
  const isOut = random(2) === 0;
  data.writeUInt32BE(isOut ? inside : outside, at);
  data.writeUInt32BE(isOut ? outside : inside, at + 4);
  data.writeUInt16BE(isOut ? 40_000 : 443, at + 8);
  data.writeUInt16BE(isOut ? 443 : 40_000, at + 10);
  data.writeUInt32BE(100_000 - 20_000, at + 29);
  data.writeUInt32BE(100_000 - random(10_000), at + 33);
}

const folder = await mkdtemp(join(tmpdir(), 'postern-bench-audit-'));
try {
  const args = await writeScenario(folder, { returnRatio: 0.004 });
  const byteCount = await writeCapture(join(folder, 'flows.pcap'));
  const main = resolve(import.meta.dirname, '../../src/postern.mjs');
  const started = performance.now();
  const { stderr } = spawnSync(process.execPath, [main, 'audit', ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const seconds = (performance.now() - started) / 1000;
  const records = hours * 3600 * RECORDS_PER_SECOND;
  console.table([
    {
      traffic: isAny ? 'any' : 'usual',
      hours,
      records,
      'capture MiB': Math.round(byteCount / 2 ** 20),
      seconds: Number(seconds.toFixed(1)),
      'records/s': Math.round(records / seconds),
      'a day takes, s': Math.round((seconds / hours) * 24),
    },
  ]);
  process.stdout.write(`${stderr.trim().split('\n').at(-1)}\n`);
} finally {
  await rm(folder, { recursive: true });
}

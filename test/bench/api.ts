// the API beside a collector at its limit: per route p50 and p99 in milliseconds, idle and loaded, and what the collector lost
//
//   node test/bench/api.ts [--rows 12000000] [--rate 0] [--seconds 45] [--idle 15] [--requests 50] [--undisturbed]
//
// The whole service on its embedded stores, with an hour of conversations in them. --rate 0 looks for the limit first: the
// highest of a few rates at which nothing is lost while nobody asks. Sender, service and client share the processors;
// with --undisturbed, it takes three times as long, and the third counts in which other programs took least of them.
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Running, startService, temporaryFolder } from '../store/temporary.ts';
import { fill, register } from './api-data.ts';
import { RECORDS_PER_DATAGRAM } from './exports.ts';
import type { Stretch } from './sender-process.ts';

const TARGET_MS = 50;
const LIMITS = [30_000, 40_000, 50_000, 60_000, 70_000, 80_000];
/** Longer than it takes until the table of a thread goes to the store once. */
const PROBE_SECONDS = 12;
/** Of the senders' templates and of code that is compiled once. */
const WARM_SECONDS = 2;
const WINDOW_SECONDS = 5;
/** Windows looked at for each that counts. */
const MAX_TRIES = 3;

const ROUTES = [
  '/healthz',
  '/readyz',
  '/metrics',
  '/v1/flows/summary',
  '/v1/flows/summary?scope=10.20.7.9',
  '/v1/flows/summary?scope=10.20.7.0/24',
  '/v1/flows/counters',
  '/v1/exporters',
  '/v1/exporters/127.0.0.1',
  '/v1/coverage',
  '/v1/devices',
  '/v1/rule-changes',
  '/v1/alerts',
] as const;

const agent = new Agent({ keepAlive: true });

interface Answer {
  readonly ms: number;
  readonly status: number;
  readonly body: string;
}

function ask(running: Running, path: string, key: string, method = 'GET', body?: unknown): Promise<Answer> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const sent = request(`${running.url}${path}`, { agent, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const ms = performance.now() - began;
        resolve({ ms, status: response.statusCode!, body: Buffer.concat(parts).toString() });
      });
    });
    sent.on('error', reject);
    sent.end(body ? JSON.stringify(body) : undefined);
  });
}

/** Asks each route in turn, `perSecond` in all; one that has not answered yet is passed over, as a person would wait. */
async function askAll(
  running: Running,
  key: string,
  perSecond: number,
  seconds: number,
): Promise<number[][]> {
  const times: number[][] = ROUTES.map(() => []);
  const pending: (Promise<void> | undefined)[] = ROUTES.map(() => undefined);
  let failure: Error | undefined;
  const began = performance.now();
  for (let i = 0; i < perSecond * seconds; i++) {
    const dueMs = (i / perSecond) * 1000 - (performance.now() - began);
    if (dueMs > 1) await sleep(dueMs);
    const route = i % ROUTES.length;
    pending[route] ??= ask(running, ROUTES[route], key)
      .then(({ ms, status, body }) => {
        if (status !== 200) throw new Error(`${ROUTES[route]}: ${status} ${body.slice(0, 200)}`);
        times[route].push(ms);
      })
      .catch((error) => {
        failure = error;
      })
      .finally(() => {
        pending[route] = undefined;
      });
    if (failure) throw failure;
  }
  await Promise.all(pending);
  return times;
}

interface Sender {
  readonly send: (packetsPerSecond: number, seconds: number) => Promise<number>;
  readonly stop: () => void;
}

async function startSender(port: number): Promise<Sender> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./sender-process.ts', import.meta.url)), [
    String(port),
  ]);
  await once(child, 'message');
  return {
    send: async (packetsPerSecond, seconds) => {
      const answered = once(child, 'message');
      child.send({ packetsPerSecond, seconds } satisfies Stretch);
      return ((await answered)[0] as { sent: number }).sent;
    },
    stop: () => child.kill(),
  };
}

async function countersOf(running: Running, key: string) {
  const { body } = await ask(running, '/v1/flows/counters', key);
  return JSON.parse(body) as {
    readonly kernelDrops: number;
    readonly storedRows: number;
    readonly counters: Readonly<Record<string, number>>;
  };
}

/** Datagrams sent and lost in a stretch; by the kernel's count, which is there at once. */
async function stretch(running: Running, key: string, send: () => Promise<number>) {
  const before = await countersOf(running, key);
  const cpu = cpuByThread(running.child.pid!);
  const sent = await send();
  await sleep(300);
  const after = await countersOf(running, key);
  return {
    sent,
    lost: after.kernelDrops - before.kernelDrops,
    rows: after.storedRows - before.storedRows,
    cpu: difference(cpu, cpuByThread(running.child.pid!)),
  };
}

/** CPU seconds by name of thread. */
function cpuByThread(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      const name = /\((.*)\)/.exec(text)![1];
      const fields = text.replace(/^.*\) /, '').split(' ');
      seconds.set(name, (seconds.get(name) ?? 0) + (Number(fields[11]) + Number(fields[12])) / 100);
    } catch {
      // It ended meanwhile.
    }
  }
  return seconds;
}

const difference = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string =>
  [...after]
    .map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)] as const)
    .filter(([, seconds]) => seconds >= 0.1)
    .sort((a, b) => b[1] - a[1])
    .map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`)
    .join(', ');

/** CPU seconds of this machine until now, and of those the ones of this process and all below it. */
function cpuOfMachine(): { readonly all: number; readonly own: number } {
  const [, ...ticks] = readFileSync('/proc/stat', 'latin1').split('\n')[0].split(/ +/).map(Number);
  const [user, nice, system, , , irq, softirq, steal] = ticks;
  const ownOf = (pid: number): number => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ');
      const below = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
        readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
      );
      // With what its children took that ended.
      const own = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100;
      return below.reduce((sum, child) => sum + ownOf(child), own);
    } catch {
      return 0;
    }
  };
  return { all: (user + nice + system + irq + softirq + steal) / 100, own: ownOf(process.pid) };
}

interface Window {
  readonly times: readonly number[][];
  readonly sent: number;
  readonly lost: number;
  readonly rows: number;
  readonly cpu: string;
  /** Share of the processors that went into programs that have no part in it. */
  readonly others: number;
}

/** Asks for `seconds` beside `send`; with `undisturbed` for longer, and the stretches count in which other programs took least. */
async function inWindows(
  running: Running,
  key: string,
  perSecond: number,
  seconds: number,
  undisturbed: boolean,
  send: (seconds: number) => Promise<number>,
): Promise<Window[]> {
  const wanted = Math.ceil(seconds / WINDOW_SECONDS);
  const all: Window[] = [];
  for (let i = 0; i < wanted * (undisturbed ? MAX_TRIES : 1); i++) {
    const before = cpuOfMachine();
    let times: number[][] = [];
    const window = await stretch(running, key, async () => {
      const sending = send(WINDOW_SECONDS);
      times = await askAll(running, key, perSecond, WINDOW_SECONDS);
      return sending;
    });
    const after = cpuOfMachine();
    const others =
      (after.all - before.all - (after.own - before.own)) / (WINDOW_SECONDS * availableParallelism());
    all.push({ ...window, times, others });
  }
  return all.sort((a, b) => a.others - b.others).slice(0, wanted);
}

const timesOf = (windows: readonly Window[]) =>
  ROUTES.map((_, i) => windows.flatMap(({ times }) => times[i]));

function summary(windows: readonly Window[]): string {
  const sum = (pick: (window: Window) => number) => windows.reduce((all, window) => all + pick(window), 0);
  const [sent, lost] = [sum((one) => one.sent), sum((one) => one.lost)];
  const share = ((100 * lost) / sent).toFixed(2);
  const others = ((100 * sum((one) => one.others)) / windows.length).toFixed(0);
  return [
    `${lost} of ${sent} lost (${share}%), ${sum((one) => one.rows)} rows stored in ${windows.length} windows of ${WINDOW_SECONDS} s`,
    `others took ${others}% of the processors; CPU s in the last window: ${windows.at(-1)?.cpu}`,
  ].join('\n');
}

async function findLimit(running: Running, key: string, sender: Sender): Promise<number> {
  let limit = LIMITS[0];
  for (const rate of LIMITS) {
    const { sent, lost, cpu } = await stretch(running, key, () => sender.send(rate, PROBE_SECONDS));
    process.stdout.write(`${rate} packets/s, nobody asks: ${lost} of ${sent} lost; CPU s: ${cpu}\n`);
    if (lost > 0) break;
    limit = rate;
  }
  return limit;
}

const percentile = (times: readonly number[], share: number): number => {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

function report(idle: readonly number[][], loaded: readonly number[][]): string {
  const figure = (value: number) => value.toFixed(1).padStart(9);
  const line = (name: string, quiet: readonly number[], busy: readonly number[]) =>
    [
      name.padEnd(40),
      figure(percentile(quiet, 0.5)),
      figure(percentile(quiet, 0.99)),
      figure(percentile(busy, 0.5)),
      figure(percentile(busy, 0.99)),
      (percentile(busy, 0.99) / TARGET_MS).toFixed(2).padStart(10),
    ].join('');
  const head = ['idle p50', 'p99', 'load p50', 'p99'].map((text) => text.padStart(9)).join('');
  return [
    `${'ms'.padEnd(40)}${head}${'p99/50 ms'.padStart(10)}`,
    ...ROUTES.map((route, i) => line(route, idle[i], loaded[i])),
    line('all', idle.flat(), loaded.flat()),
  ].join('\n');
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '12000000' },
      rate: { type: 'string', default: '0' },
      seconds: { type: 'string', default: '45' },
      idle: { type: 'string', default: '15' },
      requests: { type: 'string', default: '50' },
      undisturbed: { type: 'boolean', default: false },
    },
  });
  const cleanups: (() => unknown)[] = [];
  const scope = { after: (run: () => unknown) => cleanups.unshift(run) };
  // The service would outlive what started it.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, async () => {
      for (const cleanup of cleanups) await cleanup();
      process.exit(1);
    });
  try {
    const data = join(temporaryFolder(scope), 'data');
    const began = performance.now();
    await fill(join(data, 'clickhouse'), Number(values.rows), Date.now());
    process.stdout.write(`${values.rows} rows in ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
    const port = await freePort();
    const running = await startService(scope, {
      POSTERN_DATA: data,
      POSTERN_FLOW_HOST: '127.0.0.1',
      POSTERN_NETFLOW_PORT: String(port),
      POSTERN_LOG_LEVEL: 'warn',
    });
    const key = /Admin key.*: (\S+)/.exec(running.greeting)![1];
    const sender = await startSender(port);
    cleanups.unshift(sender.stop);
    await register((path, method, body) => ask(running, path, key, method, body));
    await sender.send(LIMITS[0] / 4, WARM_SECONDS);
    while ((await ask(running, '/v1/exporters/127.0.0.1', key)).status !== 200) await sleep(500);
    await askAll(running, key, Number(values.requests), WARM_SECONDS);
    const rate = Number(values.rate) || (await findLimit(running, key, sender));
    // What the probes left is stored, and the stores have rested.
    await sleep(PROBE_SECONDS * 1000);
    const watch = (seconds: string, send: (seconds: number) => Promise<number>) =>
      inWindows(running, key, Number(values.requests), Number(seconds), values.undisturbed, send);
    const idle = await watch(values.idle, async () => 0);
    const loaded = await watch(values.seconds, (seconds) => sender.send(rate, seconds));
    process.stdout.write(`${report(timesOf(idle), timesOf(loaded))}\n`);
    const records = rate * RECORDS_PER_DATAGRAM;
    process.stdout.write(
      `${rate} packets/s (${records} records/s) with ${values.requests} requests/s: ${summary(loaded)}\n`,
    );
    running.child.kill('SIGTERM');
    const { code, stderr } = await running.finished;
    if (code !== 0) process.stdout.write(`${stderr.slice(-2000)}\n`);
  } finally {
    agent.destroy();
    for (const cleanup of cleanups) await cleanup();
  }
}

await main();

// the API beside a collector at its limit: per route p50 and p99 in milliseconds, idle and loaded, and what the collector lost
//
//   node test/bench/api.ts [--rows 12000000] [--rate 0] [--seconds 45] [--idle 15] [--requests 50]
//
// The whole service on its embedded stores, with an hour of conversations in them. --rate 0 looks for the limit first: the
// highest of a few rates at which nothing is lost while nobody asks. Sender, service and client share the processors.
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { type Running, startService, temporaryFolder } from '../store/temporary.ts';
import { RECORDS_PER_DATAGRAM } from './exports.ts';
import type { Stretch } from './sender-process.ts';

const TARGET_MS = 50;
const HOUR_MS = 3_600_000;
const DEVICES = 20;
const HOSTS = 20_000;
const PART_ROWS = 1_000_000;
const LIMITS = [30_000, 40_000, 50_000, 60_000, 70_000, 80_000];
/** Longer than it takes until the table of a thread goes to the store once. */
const PROBE_SECONDS = 12;
/** Of the senders' templates and of code that is compiled once. */
const WARM_SECONDS = 2;

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

/** An hour until `endMs`, so many rows in it: 20,000 hosts, each with destinations of its own and some of 500,000. */
const FILL = `
  INSERT INTO conversations (minute, exporter, interface, internal, external, external_port, protocol, out_bytes, out_packets,
    out_flows, in_bytes, in_packets, in_flows, sampling_rate, tcp_flags, translated, asn, category)
  SELECT toStartOfMinute(fromUnixTimestamp(toUInt32({start:UInt32} + intDiv(number * 3600, {rows:UInt64})))),
    toIPv6('::ffff:192.0.2.1'), 1 + host % 3,
    toIPv6(concat('::ffff:10.20.', toString(intDiv(host, 256) % 256), '.', toString(host % 256))),
    toIPv6(concat('::ffff:', toString(100 + destination % 80), '.', toString(intDiv(destination, 80) % 250), '.',
      toString(intDiv(destination, 20000) % 250), '.', toString(1 + destination % 250))),
    443, 6, 40 + h % 20000, 1 + h % 40, 1, 60 + intDiv(h, 7) % 400000, 1 + intDiv(h, 11) % 300, 1, 1, 27, toIPv6('::'),
    64500 + destination % 900, ['unknown', 'cdn', 'vps', 'hosting'][1 + destination % 4]
  FROM (
    SELECT number, cityHash64(number) AS h, toUInt32(h % ${HOSTS}) AS host,
      toUInt32(if(intDiv(h, 1000000) % 10 < 9, cityHash64(host, intDiv(h, 65536) % 40) % 500000, intDiv(h, 4096) % 500000)) AS destination
    FROM numbers({from:UInt64}, {count:UInt64})
  ) AS row`;

async function fill(path: string, rows: number, endMs: number): Promise<void> {
  const client = await openClickHouse({ path });
  try {
    const start = Math.floor((endMs - HOUR_MS) / 1000);
    for (let from = 0; from < rows; from += PART_ROWS) {
      const count = Math.min(PART_ROWS, rows - from);
      await client.command({ query: FILL, query_params: { start, rows, from, count } });
    }
  } finally {
    await client.close();
  }
}

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

const CONFIGURATION = (
  i: number,
  relay: string,
) => `# Generated by iptables-save v1.8.9 on Mon Jun  1 12:00:00 2026
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -i lan0 -m conntrack --ctstate DNAT -j ACCEPT
COMMIT
# Completed on Mon Jun  1 12:00:00 2026
# Generated by iptables-save v1.8.9 on Mon Jun  1 12:00:00 2026
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
${relay && `-A PREROUTING -i lan0 -d 10.20.${i}.1/32 -p udp -m udp --dport 8443 -j DNAT --to-destination ${relay}\n`}COMMIT
# Completed on Mon Jun  1 12:00:00 2026
`;

/** Devices, each with a rule change that opens a watch and makes an alert. */
async function register(running: Running, key: string): Promise<void> {
  for (let i = 0; i < DEVICES; i++) {
    const device = {
      name: `gate${i}`,
      vendor: 'linux-iptables',
      address: `10.20.${i}.1`,
      username: 'postern',
    };
    const exporters = i === 0 ? ['127.0.0.1', '192.0.2.1'] : [];
    const added = await ask(running, '/v1/devices', key, 'POST', { ...device, exporters });
    const { id } = JSON.parse(added.body);
    for (const relay of ['', '203.0.113.50:443']) {
      const text = CONFIGURATION(i, relay);
      const pushed = await ask(running, `/v1/devices/${id}/snapshots`, key, 'PUT', { text });
      if (pushed.status !== 200) throw new Error(pushed.body);
    }
  }
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
    await register(running, key);
    await sender.send(LIMITS[0] / 4, WARM_SECONDS);
    while ((await ask(running, '/v1/exporters/127.0.0.1', key)).status !== 200) await sleep(500);
    await askAll(running, key, Number(values.requests), WARM_SECONDS);
    const rate = Number(values.rate) || (await findLimit(running, key, sender));
    // What the probes left is stored, and the stores have rested.
    await sleep(PROBE_SECONDS * 1000);
    const idle = await askAll(running, key, Number(values.requests), Number(values.idle));
    const seconds = Number(values.seconds);
    let loaded: number[][] = [];
    const machine = cpuOfMachine();
    const { sent, lost, rows, cpu } = await stretch(running, key, async () => {
      const sending = sender.send(rate, seconds);
      loaded = await askAll(running, key, Number(values.requests), seconds);
      return sending;
    });
    const { all, own } = cpuOfMachine();
    const others = all - machine.all - (own - machine.own);
    process.stdout.write(`${report(idle, loaded)}\n`);
    const share = ((100 * lost) / sent).toFixed(2);
    const records = rate * RECORDS_PER_DATAGRAM;
    process.stdout.write(
      `${rate} packets/s (${records} records/s) with ${values.requests} requests/s: ${lost} of ${sent} lost (${share}%), ${rows} rows stored\nCPU s: ${cpu}; programs that have no part in it ${others.toFixed(1)}\n`,
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

// the collectors that the benchmarks run side by side, each as a process of its own: ours, nfcapd (nfdump) and nfacctd (pmacct)
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Larger than net.core.rmem_max of most systems, which then caps it, for both alike. */
export const RECEIVE_BUFFER_BYTES = 33_554_432;
const CLOCK_TICKS_PER_SECOND = 100;

/** User and system time of a process and all of its threads. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

export const pause = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

export interface Collector {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Everything received is where it belongs. */
  readonly settle: () => Promise<void>;
  readonly stop: () => Promise<{ readonly records: number; readonly note: string }>;
}

/** `threads` share the port. */
export async function startOurs(folder: string, stores: boolean, threads = 1): Promise<Collector> {
  const child = fork(fileURLToPath(new URL('./collector-process.ts', import.meta.url)), [
    String(RECEIVE_BUFFER_BYTES),
    stores ? folder : '',
    String(threads),
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
export async function startNfcapd(folder: string): Promise<Collector | undefined> {
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

/** What the system grants both of them. */
export function receiveBufferNote(): string {
  const path = '/proc/sys/net/core/rmem_max';
  const granted = Number(readFileSync(path, 'latin1'));
  if (granted >= RECEIVE_BUFFER_BYTES) return `receive buffer ${RECEIVE_BUFFER_BYTES} bytes`;
  return `receive buffer capped at ${granted} bytes; for bursts: sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}`;
}

/**
 * Undefined where nfacctd is not installed. It keeps as many conversations as we do by the same key, and writes them once a
 * minute; its own counts of records are not to be had, so `records` is 0: look at what the kernel dropped.
 */
export async function startNfacctd(folder: string, cacheEntries = 500_009): Promise<Collector | undefined> {
  const port = await freePort();
  const file = join(folder, 'nfacctd.conf');
  const log = join(folder, 'nfacctd.log');
  await writeFile(
    file,
    [
      'daemonize: false',
      'nfacctd_ip: 127.0.0.1',
      `nfacctd_port: ${port}`,
      `nfacctd_pipe_size: ${RECEIVE_BUFFER_BYTES}`,
      `logfile: ${log}`,
      'plugins: print',
      'aggregate: src_host, dst_host, dst_port, proto, in_iface, out_iface, tcpflags',
      `print_output_file: ${join(folder, 'conversations.csv')}`,
      'print_output: csv',
      'print_refresh_time: 60',
      'print_history: 1m',
      `print_cache_entries: ${cacheEntries}`,
      'plugin_pipe_size: 104857600',
      'plugin_buffer_size: 102400',
      '',
    ].join('\n'),
  );
  const child = spawn('nfacctd', ['-f', file], { stdio: 'ignore' });
  const isRunning = await Promise.race([
    once(child, 'error').then(() => false),
    pause(1500).then(() => true),
  ]);
  if (!isRunning || child.exitCode !== null) return undefined;
  return {
    name: 'nfacctd',
    pid: child.pid!,
    port,
    settle: async () => {},
    stop: async () => {
      child.kill('SIGINT');
      await Promise.race([exited(child), pause(20_000)]);
      child.kill('SIGKILL');
      const lost = readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => /missing data/i.test(line)).length;
      return { records: 0, note: lost > 0 ? `${lost} times its plugin missed data` : '' };
    },
  };
}

// receive + parse + store of syslog over TCP, ours and rsyslog writing a file in the same run: lines/s on one core, CPU, loss
//
//   node test/bench/events.ts [--lines 600000] [--profile FILE]
//
// Each is a process of its own on the first processor; what sends is on the second. CPU is from /proc, with all threads.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeLines } from './log-lines.ts';

const DISTINCT_LINES = 100_000;
const CHUNK_LINES = 500;
const CLOCK_TICKS_PER_SECOND = 100;
const SETTLE_MS = 120_000;

type Framing = 'newline' | 'octet';

interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Lines that are where they belong. */
  readonly stored: () => Promise<number>;
  /** Before what is measured. */
  readonly warm?: () => void;
  readonly stop: () => Promise<number>;
}

export interface EventFigures {
  readonly name: string;
  readonly framing: Framing;
  readonly sent: number;
  readonly stored: number;
  readonly linesPerSecond: number;
  readonly cpuMicrosecondsPerLine: number;
}

const pause = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

/** User and system time of a process and all of its threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** RFC 6587: section 3.4.1 octet counting, 3.4.2 line feeds. */
function chunksOf(lines: readonly string[], framing: Framing): Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < lines.length; from += CHUNK_LINES) {
    const some = lines.slice(from, from + CHUNK_LINES);
    const framed = some.map((line) =>
      framing === 'newline' ? `${line}\n` : `${Buffer.byteLength(line)} ${line}`,
    );
    chunks.push(Buffer.from(framed.join('')));
  }
  return chunks;
}

async function send(chunks: readonly Buffer[], times: number, port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  for (let round = 0; round < times; round++)
    for (const chunk of chunks) if (!socket.write(chunk)) await once(socket, 'drain');
  socket.end();
  await once(socket, 'close');
}

async function settled(subject: Subject, lines: number): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  while ((await subject.stored()) < lines && Date.now() < deadline) await pause(50);
}

/** The first round is not measured: code is compiled in it, files are created. */
async function measure(subject: Subject, framing: Framing, lines: readonly string[], times: number) {
  const chunks = chunksOf(lines, framing);
  await send(chunks, 1, subject.port);
  await settled(subject, lines.length);
  subject.warm?.();
  const cpuBefore = cpuSeconds(subject.pid);
  const began = performance.now();
  await send(chunks, times, subject.port);
  await settled(subject, lines.length * (times + 1));
  const seconds = (performance.now() - began) / 1000;
  const cpu = cpuSeconds(subject.pid) - cpuBefore;
  const stored = (await subject.stop()) - lines.length;
  const sent = lines.length * times;
  return {
    name: subject.name,
    framing,
    sent,
    stored,
    linesPerSecond: sent / seconds,
    cpuMicrosecondsPerLine: (cpu / sent) * 1e6,
  } satisfies EventFigures;
}

const isInstalled = (program: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const canPin = availableParallelism() > 1 && isInstalled('taskset');

/** On the first processor alone, where it can be told so. */
function start(program: string, words: readonly string[], ipc: boolean): ChildProcess {
  const stdio = ipc ? (['ignore', 'inherit', 'inherit', 'ipc'] as const) : ('ignore' as const);
  const all = canPin ? ['taskset', '-c', '0', program, ...words] : [program, ...words];
  return spawn(all[0], all.slice(1), { stdio: stdio as never });
}

async function startOurs(folder: string, profile: string): Promise<Subject> {
  const path = fileURLToPath(new URL('./receiver-process.ts', import.meta.url));
  const child = start(process.execPath, [path, folder, profile], true);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const answer = async (question: string) => {
    const heard = once(child, 'message');
    child.send(question);
    return ((await heard)[0] as { lines: number }).lines;
  };
  return {
    name: 'postern',
    pid: child.pid!,
    port,
    stored: () => answer('stored'),
    warm: () => child.send('profile'),
    stop: async () => {
      const lines = await answer('stop');
      await exited(child);
      return lines;
    },
  };
}

async function startRsyslog(folder: string): Promise<Subject> {
  const port = await freePort();
  const [file, settings] = [join(folder, 'all.log'), join(folder, 'rsyslog.conf')];
  writeFileSync(
    settings,
    `global(workDirectory="${folder}" maxMessageSize="64k")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="${port}")
*.* action(type="omfile" file="${file}" template="RSYSLOG_FileFormat")
`,
  );
  const child = start('rsyslogd', ['-n', '-f', settings, '-i', join(folder, 'pid')], false);
  let counted = { bytes: 0, lines: 0 };
  const stored = async () => {
    if (!existsSync(file) || statSync(file).size === counted.bytes) return counted.lines;
    for await (const chunk of createReadStream(file, { start: counted.bytes })) {
      const bytes = chunk as Buffer;
      let lines = 0;
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
      counted = { bytes: counted.bytes + bytes.length, lines: counted.lines + lines };
    }
    return counted.lines;
  };
  await pause(1000);
  if (child.exitCode !== null) throw new Error('rsyslogd did not start');
  return {
    name: 'rsyslog',
    pid: child.pid!,
    port,
    stored,
    stop: async () => {
      child.kill('SIGTERM');
      await exited(child);
      return stored();
    },
  };
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** One after the other; rsyslog is left out where it is not installed. */
export async function benchEvents(lineCount: number, profile = ''): Promise<EventFigures[]> {
  const lines = makeLines(DISTINCT_LINES, Date.now() - DISTINCT_LINES);
  const times = Math.max(1, Math.round(lineCount / lines.length));
  const figures: EventFigures[] = [];
  const starts = [
    (folder: string) => startOurs(folder, profile),
    ...(isInstalled('rsyslogd') ? [startRsyslog] : []),
  ];
  for (const framing of ['newline', 'octet'] as const) {
    for (const startOne of starts) {
      const folder = await mkdtemp(join(tmpdir(), 'postern-bench-'));
      try {
        figures.push(await measure(await startOne(folder), framing, lines, times));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
  return figures;
}

export function formatFigures(figures: readonly EventFigures[]): string {
  const rows = figures.map((figure) => {
    const peer = figures.find(({ name, framing }) => name === 'rsyslog' && framing === figure.framing);
    const ratio = peer && figure.cpuMicrosecondsPerLine / peer.cpuMicrosecondsPerLine;
    return [
      figure.name.padEnd(10),
      figure.framing.padEnd(10),
      String(figure.sent).padStart(10),
      String(figure.sent - figure.stored).padStart(8),
      String(Math.round(figure.linesPerSecond)).padStart(10),
      figure.cpuMicrosecondsPerLine.toFixed(2).padStart(14),
      (ratio?.toFixed(2) ?? '-').padStart(12),
    ].join('');
  });
  const head = `${'receiver'.padEnd(10)}${'framing'.padEnd(10)}${'lines'.padStart(10)}${'lost'.padStart(8)}${'lines/s'.padStart(10)}${'CPU us/line'.padStart(14)}${'to rsyslog'.padStart(12)}`;
  return [head, ...rows].join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { lines: { type: 'string', default: '600000' }, profile: { type: 'string', default: '' } },
  });
  const figures = await benchEvents(Number(values.lines), values.profile);
  console.log(formatFigures(figures));
  if (!canPin) console.log('not on one processor: no second one, or no taskset');
  if (!isInstalled('rsyslogd')) console.log('rsyslog left out: not installed (Debian package rsyslog)');
  if (figures.some(({ sent, stored }) => sent !== stored)) process.exitCode = 1;
}

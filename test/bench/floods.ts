// hostile floods beside an exporter that does nothing wrong -> what it lost, what was counted, memory and time
//
//   node test/bench/floods.ts [--part process|udp|tcp|all] [--seconds 8] [--rate 10000] [--sources 1000000]
//
// `process`: a folder in this process and as many source addresses as asked for. `udp`: a real collector, sockets of
// 127.0.0.0/8 (each bound, used once, closed), a sender in a process of its own. `tcp`: connections that say nothing.
import { fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Socket as Connection, connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ConversationBatch } from '../../src/flows/batch.ts';
import { type Collector, startCollector } from '../../src/flows/collector.ts';
import { createFolder, type Folder, type FolderReport } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { FLOODS, type Flood, floodDatagrams, GOOD_RECORDS, goodDatagrams } from './flood-datagrams.ts';

const GOOD = '127.0.0.1';
const GOOD_PER_SECOND = 1000;

const mib = (bytes: number) => Math.round(bytes / 1_048_576);

interface Seen {
  /** Of the good exporter. */
  counters: Record<string, number>;
  keptPackets: number;
  totals: Record<string, number>;
}

function createSeen(): Seen & { report(report: FolderReport): void; batch(batch: ConversationBatch): void } {
  const add = (to: Record<string, number>, more: Readonly<Record<string, number>>) => {
    for (const [name, count] of Object.entries(more)) to[name] = (to[name] ?? 0) + count;
  };
  const seen: Seen = { counters: {}, keptPackets: 0, totals: {} };
  return Object.assign(seen, {
    report: (report: FolderReport) => {
      for (const { address, counters } of report.exporters) {
        add(seen.totals, counters);
        if (address === GOOD) add(seen.counters, counters);
      }
      add(seen.totals, report.gone);
      add(seen.totals, {
        refused: Object.values(report.refused).reduce((sum, count) => sum + count, 0),
        refusedNamed: Object.keys(report.refused).length,
        sessionsEvicted: report.sessionsEvicted,
        exportersReported: report.exporters.length,
        ...report.streams,
      });
    },
    batch: (batch: ConversationBatch) => {
      const good = batch.exporters.indexOf(GOOD);
      for (let row = 0; good >= 0 && row < batch.count; row++)
        if (batch.exporter[row] === good) seen.keptPackets += batch.outPackets[row] + batch.inPackets[row];
    },
  });
}

export interface FloodFigures {
  readonly flood: string;
  readonly datagrams: number;
  readonly goodRecordsSent: number;
  readonly goodRecordsDecoded: number;
  readonly goodRecordsKept: number;
  readonly note: string;
}

const SHOWN = [
  'refused',
  'sessionsEvicted',
  'templatesEvicted',
  'overflow',
  'dropped',
  'missedTemplates',
  'malformed',
] as const;
const shown = (totals: Readonly<Record<string, number>>) =>
  SHOWN.filter((name) => totals[name] > 0)
    .map((name) => `${name} ${totals[name]}`)
    .join(', ');

/** In process: the flood at `rate` of a made-up clock. `drains`: whether a full table may be emptied early. */
export function floodFolder(
  flood: Flood,
  options: {
    readonly datagrams: number;
    readonly sources: number;
    readonly rate: number;
    readonly drains: boolean;
  },
): FloodFigures {
  let nowMs = Date.UTC(2026, 10, 2, 12);
  const seen = createSeen();
  const drain = () => {
    for (const batch of folder.drain()) seen.batch(batch);
  };
  const folder: Folder = createFolder({
    internal: addressSet('10.0.0.0/8'),
    ...(options.drains && { onFull: drain }),
  });
  const good = goodDatagrams(nowMs);
  let goodSent = 0;
  const sendGood = () => {
    if (goodSent % (30 * GOOD_PER_SECOND) === 0) folder.receive(GOOD, 4000, good.template, nowMs);
    folder.receive(GOOD, 4000, good.next(goodSent++), nowMs);
  };
  const tick = () => {
    drain();
    seen.report(folder.report());
  };
  // It was there before.
  for (let i = 0; i < 62; i++, nowMs += 1000) sendGood();
  tick();
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const make = floodDatagrams(flood, nowMs);
  const beganMs = nowMs;
  let [floodMs, slowestMs, mostRss] = [0, 0, before];
  let nextTickMs = nowMs + 10_000;
  const goodBefore = goodSent;
  for (let i = 0; i < options.datagrams; i++) {
    nowMs = beganMs + (i / options.rate) * 1000;
    const source = i % options.sources;
    const datagram = make(i);
    const address = `100.${64 + (source >> 16)}.${(source >> 8) & 255}.${source & 255}`;
    const began = performance.now();
    folder.receive(address, 4000, datagram, nowMs);
    const ms = performance.now() - began;
    floodMs += ms;
    if (ms > slowestMs) slowestMs = ms;
    while ((goodSent - goodBefore) * options.rate < (i + 1) * GOOD_PER_SECOND) sendGood();
    if (i % 100_000 === 0) mostRss = Math.max(mostRss, process.memoryUsage.rss());
    if (nowMs < nextTickMs) continue;
    nextTickMs += 10_000;
    tick();
  }
  tick();
  mostRss = Math.max(mostRss, process.memoryUsage.rss());
  return {
    flood: `${flood}, ${options.sources} sources${options.drains ? '' : ', store that takes nothing'}`,
    datagrams: options.datagrams,
    goodRecordsSent: goodSent * GOOD_RECORDS,
    goodRecordsDecoded: seen.counters.records ?? 0,
    goodRecordsKept: seen.keptPackets,
    note:
      `${((floodMs / options.datagrams) * 1000).toFixed(1)} us a datagram, slowest ${slowestMs.toFixed(1)} ms, ` +
      `RSS ${mib(before)} -> ${mib(mostRss)} MiB; ${shown(seen.totals)}; good overflow ${seen.counters.overflow ?? 0}`,
  };
}

/** Runs in the sender's process. */
async function send(flood: Flood | 'none', port: number, rate: number, seconds: number): Promise<void> {
  const nowMs = Date.now();
  const good = goodDatagrams(nowMs);
  const socket = await bound(GOOD, 40_404);
  const flooder = await bound('127.0.0.2', 0);
  const make = flood === 'none' ? undefined : floodDatagrams(flood, nowMs);
  const began = performance.now();
  let [goodSent, floodSent] = [0, 0];
  const give = (from: Socket, bytes: Uint8Array) => from.send(bytes, port, '127.0.0.1');
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - began) / 1000) {
    while (goodSent < Math.floor(elapsed * GOOD_PER_SECOND)) {
      if (goodSent % (30 * GOOD_PER_SECOND) === 0) give(socket, good.template);
      give(socket, Buffer.from(good.next(goodSent++)));
    }
    for (let turn = 0; make && turn < 50 && floodSent < elapsed * rate; turn++, floodSent++) {
      // Each send copies first, as the memory is used again.
      const bytes = Buffer.from(make(floodSent));
      if (flood === 'sources' || flood === 'junk') await sendFrom(floodSent, bytes, port);
      else give(flooder, bytes);
    }
    await new Promise(setImmediate);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.close();
  flooder.close();
  process.send?.({ goodSent, floodSent });
}

async function bound(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', sendBufferSize: 1_048_576 });
  socket.bind({ address, port, exclusive: true });
  await once(socket, 'listening');
  return socket;
}

async function sendFrom(i: number, bytes: Buffer, port: number): Promise<void> {
  const socket = await bound(`127.${1 + ((i >> 16) & 127)}.${(i >> 8) & 255}.${i & 255}`, 0);
  await new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve));
  socket.close();
}

interface Running {
  readonly collector: Collector;
  readonly seen: ReturnType<typeof createSeen>;
}

async function start(): Promise<Running> {
  const seen = createSeen();
  const collector = await startCollector({
    host: '127.0.0.1',
    ports: [0],
    threads: 1,
    receiveBufferBytes: 33_554_432,
    flushMs: 2000,
    maxConversations: 500_000,
    maxSessions: 20_000,
    internal: addressSet('10.0.0.0/8'),
    streams: { tcpPort: 0, maxConnections: 1000, idleTimeoutMs: 7_200_000 },
    onBatch: seen.batch,
    onReport: seen.report,
    onFailure: (error) => {
      throw error;
    },
  });
  return { collector, seen };
}

async function floodCollector(
  { collector, seen }: Running,
  flood: Flood | 'none',
  rate: number,
  seconds: number,
): Promise<FloodFigures> {
  Object.assign(seen, { counters: {}, keptPackets: 0, totals: {} });
  const before = process.memoryUsage.rss();
  const dropsBefore = await collector.kernelDrops();
  const child = fork(fileURLToPath(import.meta.url), [
    '--part',
    'send',
    '--flood',
    flood,
    '--port',
    String(collector.ports[0]),
    '--rate',
    String(rate),
    '--seconds',
    String(seconds),
  ]);
  const [{ goodSent, floodSent }] = (await once(child, 'message')) as [
    { goodSent: number; floodSent: number },
  ];
  child.disconnect();
  await collector.flush();
  const drops = (await collector.kernelDrops()) - dropsBefore;
  return {
    flood: `${flood} over UDP`,
    datagrams: floodSent,
    goodRecordsSent: goodSent * GOOD_RECORDS,
    goodRecordsDecoded: seen.counters.records ?? 0,
    goodRecordsKept: seen.keptPackets,
    note: `${Math.round(floodSent / seconds)}/s, kernel drops ${drops}, RSS ${mib(before)} -> ${mib(process.memoryUsage.rss())} MiB; ${shown(seen.totals)}`,
  };
}

/** Connections of strangers that send three bytes and wait, then one exporter that has something to say. */
async function floodConnections({ collector, seen }: Running, connections: number): Promise<string> {
  const open: Connection[] = [];
  const [port] = collector.streamPorts;
  let refused = 0;
  for (let i = 0; i < connections; i++) {
    const socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: `127.3.${(i >> 6) & 255}.${1 + (i & 63)}`,
    });
    socket.on('error', () => undefined);
    socket.on('close', () => refused++);
    await once(socket, 'connect').catch(() => undefined);
    socket.write(Buffer.from([0, 10, 1]));
    open.push(socket);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  let exporter: Connection | undefined;
  let attempts = 0;
  // As exporters do, it comes again a second later.
  for (let isHeard = false; !isHeard && attempts < 10; attempts++) {
    exporter = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
    isHeard = true;
    exporter.on('close', () => {
      isHeard = false;
    });
    exporter.on('error', () => undefined);
    await once(exporter, 'connect').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  const result = `${connections} connections that say nothing: ${refused} closed, an exporter is served at attempt ${attempts}`;
  await collector.flush();
  for (const socket of open) socket.destroy();
  exporter?.destroy();
  return `${result}; connectionsRefused ${seen.totals.connectionsRefused ?? 0}, connectionsEvicted ${seen.totals.connectionsEvicted ?? 0}`;
}

function print(figures: FloodFigures): boolean {
  const { goodRecordsSent, goodRecordsDecoded, goodRecordsKept } = figures;
  const isWhole = goodRecordsDecoded === goodRecordsSent && goodRecordsKept === goodRecordsSent;
  console.log(
    `${isWhole ? 'held' : 'LOST'}  ${figures.flood}: ${figures.datagrams} datagrams; good ${goodRecordsSent} sent, ` +
      `${goodRecordsDecoded} decoded, ${goodRecordsKept} kept; ${figures.note}`,
  );
  return isWhole;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      part: { type: 'string', default: 'all' },
      seconds: { type: 'string', default: '8' },
      rate: { type: 'string', default: '10000' },
      sources: { type: 'string', default: '1000000' },
      flood: { type: 'string', default: 'none' },
      port: { type: 'string', default: '0' },
    },
  });
  const [rate, seconds, sources] = [Number(values.rate), Number(values.seconds), Number(values.sources)];
  const has = (part: string) => values.part === part || values.part === 'all';
  if (values.part === 'send') await send(values.flood as Flood | 'none', Number(values.port), rate, seconds);
  if (has('process')) {
    const common = { rate: 20_000, drains: true };
    print(floodFolder('sources', { ...common, datagrams: sources, sources }));
    print(floodFolder('junk', { ...common, datagrams: sources, sources }));
    print(floodFolder('templates', { ...common, datagrams: 100_000, sources: 1 }));
    print(floodFolder('templates', { ...common, datagrams: 100_000, sources: 50_000 }));
    print(floodFolder('conversations', { ...common, datagrams: 100_000, sources: 1 }));
    print(floodFolder('conversations', { ...common, datagrams: 100_000, sources: 1, drains: false }));
  }
  if (has('udp')) {
    const running = await start();
    // It is known when the floods come: a minute of its own.
    print(await floodCollector(running, 'none', 0, 65));
    for (const flood of FLOODS) print(await floodCollector(running, flood, rate, seconds));
    await running.collector.stop();
  }
  if (has('tcp')) {
    const running = await start();
    console.log(await floodConnections(running, 1200));
    await running.collector.stop();
  }
}

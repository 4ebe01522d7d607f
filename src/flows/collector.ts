// UDP ports -> batches of conversations and reports, from threads that share the ports
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { LookupTables } from '../../enrichment/pack.ts';
import type { TlsMaterial } from '../events/tls.ts';
import { type AddressSet, NO_ADDRESSES } from '../model/addresses.ts';
import { PosternError } from '../model/errors.ts';
import type { StoredSession } from '../packets/stored.ts';
import type { AttemptBatch } from './attempt-batch.ts';
import type { ConversationBatch } from './batch.ts';
import type { FolderReport } from './folder.ts';
import { readKernelDrops } from './kernel-drops.ts';
import type { FromThread, ThreadOptions, ToThread } from './messages.ts';
import type { SamplingRates } from './sampling-rates.ts';
import type { StoredSessions } from './stored-sessions.ts';
import type { StreamOptions } from './streams.ts';
import type { TranslationBatch } from './translation-batch.ts';

export interface CollectorOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly ports: readonly number[];
  readonly threads: number;
  readonly receiveBufferBytes: number;
  readonly flushMs: number;
  readonly maxConversations: number;
  readonly maxSessions: number;
  readonly internal: AddressSet;
  readonly tables?: LookupTables;
  /** Missing or empty: all exporters. */
  readonly allowed?: AddressSet;
  /** Addresses of known hosts. */
  readonly hosts?: AddressSet;
  /** Instead of what these exporters say of their sampling. */
  readonly rates?: SamplingRates;
  /** IPFIX over TCP and TLS, on the same host; undefined: UDP only. */
  readonly streams?: Omit<StreamOptions, 'host'>;
  readonly onBatch: (batch: ConversationBatch) => void;
  /** Attempts toward known hosts. */
  readonly onAttempts?: (batch: AttemptBatch) => void;
  /** Translations of addresses that exporters told of. */
  readonly onTranslations?: (batch: TranslationBatch) => void;
  /** What sessions knew before a restart, as onSessions gave it. */
  readonly sessions?: StoredSessions;
  /** Templates of all sessions, where some changed: every minute at the most, and before stop resolves. */
  readonly onSessions?: (sessions: ReadonlyMap<string, StoredSession>) => void;
  readonly onReport: (report: FolderReport) => void;
  /** A thread died of a defect. Its unsent conversations are lost; another takes its place. */
  readonly onFailure: (error: Error) => void;
}

export interface Collector {
  /** In the order of the options. */
  readonly ports: readonly number[];
  /** TCP and TLS of IPFIX; 0 where it is off. */
  readonly streamPorts: readonly [number, number];
  /** As the kernel counts: twice what was asked for, or twice net.core.rmem_max where that is less. */
  readonly receiveBufferBytes: number;
  setInternal(internal: AddressSet): void;
  setTables(tables: LookupTables | undefined): void;
  setAllowed(allowed: AddressSet | undefined): void;
  setHosts(hosts: AddressSet): void;
  /** A new certificate, for connections from now on. */
  setMaterial(material: TlsMaterial): void;
  /** Resolves when onBatch and onReport have seen all that was received until now. */
  flush(): Promise<void>;
  /** Datagrams dropped by the kernel on our ports since the start. */
  kernelDrops(): Promise<number>;
  /** Closes the ports, then delivers what is left to onBatch and onReport before it resolves. */
  stop(): Promise<void>;
}

interface Running {
  readonly options: CollectorOptions;
  /** What a thread that starts now is given. */
  current: ThreadOptions;
  readonly workers: Set<Worker>;
  readonly flushes: Map<number, () => void>;
  /** By the thread that has them: a source port always reaches the same one. */
  readonly sessions: Map<Worker, [string, StoredSession][]>;
  /** Parts of what comes to take the place of those. */
  readonly parts: Map<Worker, [string, StoredSession][]>;
  nextFlush: number;
  isStopping: boolean;
}

const RESTART_MS = 1000;
/** Each datagram is some objects of Node's that die at once: with the default of 2 MiB they are collected 30 times a second. */
const YOUNG_GENERATION_MIB = 32;

/** Throws PosternError 'port-in-use' or 'cannot-bind' with the port as subject. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  for (const port of options.ports) await probe(options.host, port);
  const streams = options.streams && { ...options.streams, host: options.host };
  for (const port of [streams?.tcpPort, streams?.tls?.port])
    if (port !== undefined) await probeTcp(options.host, port);
  const { host, ports, receiveBufferBytes, flushMs, maxConversations, maxSessions, internal } = options;
  const running: Running = {
    options,
    current: {
      host,
      ports,
      receiveBufferBytes,
      flushMs,
      maxConversations,
      maxSessions,
      internal,
      tables: options.tables,
      allowed: options.allowed,
      hosts: options.hosts ?? NO_ADDRESSES,
      sessions: options.sessions ?? new Map(),
      rates: options.rates ?? [],
      streams,
    },
    workers: new Set(),
    flushes: new Map(),
    sessions: new Map(),
    parts: new Map(),
    nextFlush: 1,
    isStopping: false,
  };
  try {
    const bound = await startThread(running);
    // Port 0 became a real one, which the other threads share.
    const [tcpPort, tlsPort] = bound.streamPorts;
    running.current = {
      ...running.current,
      ports: bound.ports,
      ...(streams && {
        streams: {
          ...streams,
          ...(tcpPort > 0 && { tcpPort }),
          ...(streams.tls && { tls: { ...streams.tls, port: tlsPort } }),
        },
      }),
    };
    for (let i = 1; i < options.threads; i++) await startThread(running);
    return controls(running, bound);
  } catch (error) {
    await stop(running);
    throw error;
  }
}

/** With reusePort a second instance would silently take half of the datagrams; a socket without it says that the port is taken. */
async function probe(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  try {
    socket.bind({ port, address: host, exclusive: true });
    await once(socket, 'listening');
  } catch (error) {
    throw bindError(port, host, error as NodeJS.ErrnoException);
  } finally {
    socket.close();
  }
}

async function probeTcp(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    throw bindError(port, host, error as NodeJS.ErrnoException, 'TCP');
  } finally {
    server.close();
  }
}

function bindError(
  port: number,
  host: string,
  cause: NodeJS.ErrnoException,
  transport: 'UDP' | 'TCP' = 'UDP',
): PosternError {
  const where = `${transport} ${host} port ${port}`;
  if (cause.code === 'EADDRINUSE')
    return new PosternError('port-in-use', `${where} is in use; stop what holds it or choose another port`, {
      subject: String(port),
      cause,
    });
  return new PosternError('cannot-bind', `cannot receive flows on ${where}: ${cause.message}`, {
    subject: String(port),
    cause,
  });
}

type Bound = Extract<FromThread, { kind: 'bound' }>;

function startThread(running: Running): Promise<Bound> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: running.current,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    running.workers.add(worker);
    let isBound = false;
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'bound') {
        isBound = true;
        resolve(message);
      } else if (message.kind === 'bind-failed')
        reject(
          bindError(
            message.port,
            running.current.host,
            Object.assign(new Error(message.message), { code: message.code }),
          ),
        );
      else hear(running, worker, message);
    });
    worker.on('error', (error) => {
      if (isBound) running.options.onFailure(error as Error);
      else reject(error);
    });
    worker.on('exit', (code) => {
      running.workers.delete(worker);
      running.parts.delete(worker);
      if (!running.isStopping) running.sessions.delete(worker);
      if (code !== 0 && isBound && !running.isStopping) restart(running);
      else settleFlushes(running);
    });
  });
}

function restart(running: Running): void {
  settleFlushes(running);
  setTimeout(() => {
    if (running.isStopping) return;
    startThread(running).catch((error: Error) => {
      running.options.onFailure(error);
      restart(running);
    });
  }, RESTART_MS).unref();
}

function hear(running: Running, worker: Worker, message: FromThread): void {
  switch (message.kind) {
    case 'batch':
      running.options.onBatch(message.batch);
      tell(worker, { kind: 'taken' });
      break;
    case 'attempts':
      running.options.onAttempts?.(message.batch);
      tell(worker, { kind: 'taken' });
      break;
    case 'translations':
      running.options.onTranslations?.(message.batch);
      tell(worker, { kind: 'taken' });
      break;
    case 'sessions':
      hearSessions(running, worker, message.sessions, message.isLast);
      break;
    case 'report':
      running.options.onReport(message.report);
      break;
    case 'flushed':
      running.flushes.get(message.id)?.();
      running.flushes.delete(message.id);
      break;
    case 'bound':
    case 'bind-failed':
    case 'stopped':
      break;
  }
}

function hearSessions(
  running: Running,
  worker: Worker,
  part: [string, StoredSession][],
  isLast: boolean,
): void {
  const sessions = running.parts.get(worker) ?? [];
  for (const session of part) sessions.push(session);
  running.parts.set(worker, sessions);
  if (!isLast) return;
  running.parts.delete(worker);
  rememberSessions(running, worker, sessions);
}

function rememberSessions(running: Running, worker: Worker, sessions: [string, StoredSession][]): void {
  running.sessions.set(worker, sessions);
  const all = new Map([...running.sessions.values()].flat());
  // A thread that starts now takes over from one that died.
  running.current = { ...running.current, sessions: all };
  running.options.onSessions?.(all);
}

/** A thread that is gone answers no flush. */
function settleFlushes(running: Running): void {
  for (const settle of running.flushes.values()) settle();
  running.flushes.clear();
}

function tell(worker: Worker, message: ToThread): void {
  worker.postMessage(message);
}

function controls(running: Running, bound: Bound): Collector {
  const tellAll = (message: ToThread) => {
    for (const worker of running.workers) tell(worker, message);
  };
  return {
    ports: bound.ports,
    streamPorts: bound.streamPorts,
    receiveBufferBytes: bound.receiveBufferBytes,
    setInternal: (internal) => {
      running.current = { ...running.current, internal };
      tellAll({ kind: 'internal', internal });
    },
    setTables: (tables) => {
      running.current = { ...running.current, tables };
      tellAll({ kind: 'tables', tables });
    },
    setAllowed: (allowed) => {
      running.current = { ...running.current, allowed };
      tellAll({ kind: 'allowed', allowed });
    },
    setHosts: (hosts) => {
      running.current = { ...running.current, hosts };
      tellAll({ kind: 'hosts', hosts });
    },
    setMaterial: (material) => {
      const { streams: current } = running.current;
      if (!current?.tls) return;
      running.current = {
        ...running.current,
        streams: { ...current, tls: { ...current.tls, material } },
      };
      tellAll({ kind: 'material', material });
    },
    flush: async () => {
      await Promise.all([...running.workers].map((worker) => flushThread(running, worker)));
    },
    kernelDrops: async () =>
      [...(await readKernelDrops(bound.ports)).values()].reduce((sum, count) => sum + count, 0),
    stop: () => stop(running),
  };
}

function flushThread(running: Running, worker: Worker): Promise<void> {
  const id = running.nextFlush++;
  return new Promise((resolve) => {
    running.flushes.set(id, resolve);
    tell(worker, { kind: 'flush', id });
  });
}

async function stop(running: Running): Promise<void> {
  running.isStopping = true;
  await Promise.all(
    [...running.workers].map(async (worker) => {
      // A thread that dies while it stops is gone all the same.
      const gone = once(worker, 'exit').catch(() => undefined);
      tell(worker, { kind: 'stop' });
      await gone;
    }),
  );
}

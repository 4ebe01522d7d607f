// a collector thread: UDP sockets -> folder -> batches and reports to the main thread
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { setThreadPriority } from '../model/thread-priority.ts';
import type { StoredSession } from '../packets/stored.ts';
import { batchBuffers } from './batch.ts';
import { createFolder, type Folder } from './folder.ts';
import type { FromThread, ThreadOptions, ToThread } from './messages.ts';
import { openStreams, plainAddress, type Streams } from './streams.ts';

/** Small enough that sockets are served between two batches, large enough for an efficient insert. */
const BATCH_ROWS = 16_384;
/** Batches that the main thread has not taken yet; beyond it they wait here, in the bounded table. */
const MAX_OUTSTANDING = 32;
/** A stop waits for a quiet moment, but not for ever: exporters do not stop sending. */
const STOP_ROUND_MS = 20;
const STOP_ROUNDS = 20;
/** Templates that changed are stored this often, and sooner where it is little to store: a kill -9 costs what came since. */
const STORE_SESSIONS_MS = 60_000;
const STORE_FEW_MS = 10_000;
const FEW_SESSIONS = 500;
/** Templates that stay the same are stored this often, so that what is stored is known to be recent. */
const ALL_SESSIONS_MS = 15 * STORE_SESSIONS_MS;

/** Exporters of one report, and sessions of one message: what takes a millisecond or two, and then the sockets are served. */
const REPORT_EXPORTERS = 200;
const STORE_SESSIONS = 100;

/** libuv reads this many from a socket before it goes on. */
const DATAGRAMS_A_TURN = 32;
const NAP_MS = 2;
/** What the sockets do not take at once is lost; all else can wait. */
const AHEAD = -10;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

interface Thread {
  readonly folder: Folder;
  readonly sockets: Socket[];
  streams: Streams | undefined;
  outstanding: number;
  datagrams: number;
  /** Datagrams of this turn of the event loop; 0 where no end of turn is awaited. */
  turnDatagrams: number;
  isPumping: boolean;
  isReporting: boolean;
  /** What is left of the sessions that are being sent. */
  storing: Iterator<[string, StoredSession]> | undefined;
  /** How many were sent last, and when that began. */
  storedSessions: number;
  storedAtMs: number;
  /** A flush asked for the attempts, and for the translations. */
  areAttemptsDue: boolean;
  areTranslationsDue: boolean;
}

// Nothing starts on import from the main thread or a test.
if (parentPort) await run(workerData as ThreadOptions);

async function run(options: ThreadOptions): Promise<void> {
  setThreadPriority(AHEAD);
  const thread: Thread = {
    folder: createFolder({
      ...options,
      onFull: () => drain(thread),
      // What the main thread has no time for is dropped, and counted.
      onTranslationsFull: () => {
        if (thread.outstanding < MAX_OUTSTANDING) sendTranslations(thread);
      },
    }),
    sockets: [],
    streams: undefined,
    outstanding: 0,
    datagrams: 0,
    turnDatagrams: 0,
    isPumping: false,
    isReporting: false,
    storing: undefined,
    storedSessions: 0,
    storedAtMs: 0,
    areAttemptsDue: false,
    areTranslationsDue: false,
  };
  for (const port of options.ports) {
    try {
      thread.sockets.push(await bind(thread, options, port));
    } catch (error) {
      const { code = 'unknown', message } = error as NodeJS.ErrnoException;
      for (const socket of thread.sockets) socket.close();
      send({ kind: 'bind-failed', code, port, message });
      return;
    }
  }
  if (options.streams && !(await bindStreams(thread, options.streams))) return;
  const timer = setInterval(() => {
    drain(thread);
    sendReports(thread);
  }, options.flushMs);
  const storing = [
    setInterval(() => sendSessions(thread, false), STORE_FEW_MS),
    setInterval(() => sendSessions(thread, true), ALL_SESSIONS_MS),
  ];
  parentPort?.on('message', (message: ToThread) => {
    if (message.kind === 'stop') storing.forEach(clearInterval);
    obey(thread, timer, message);
  });
  send({
    kind: 'bound',
    ports: thread.sockets.map((socket) => socket.address().port),
    streamPorts: [thread.streams?.tcpPort ?? 0, thread.streams?.tlsPort ?? 0],
    receiveBufferBytes: thread.sockets[0]?.getRecvBufferSize() ?? 0,
  });
}

/** False where a port is not to be had; the main thread is told. */
async function bindStreams(thread: Thread, options: NonNullable<ThreadOptions['streams']>): Promise<boolean> {
  const { folder } = thread;
  try {
    thread.streams = await openStreams(options, {
      isAllowed: folder.isAllowed,
      isKnown: folder.isKnown,
      message: (source, port, bytes) => folder.receive(source, port, bytes, Date.now()),
      ended: folder.endSession,
      broken: (source, port) => folder.countBroken(source, port, Date.now()),
    });
    return true;
  } catch (error) {
    const { code = 'unknown', message, port = 0 } = error as NodeJS.ErrnoException & { port?: number };
    for (const socket of thread.sockets) socket.close();
    send({ kind: 'bind-failed', code, port, message });
    return false;
  }
}

async function bind(thread: Thread, options: ThreadOptions, port: number): Promise<Socket> {
  const type = isIPv6(options.host) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, reusePort: true });
  const { folder } = thread;
  socket.on('message', (datagram: Uint8Array, sender: RemoteInfo) => {
    thread.datagrams++;
    napAfterTurn(thread);
    folder.receive(plainAddress(sender.address), sender.port, datagram, Date.now());
  });
  socket.bind(port, options.host);
  await once(socket, 'listening');
  // Later errors (ICMP and the like) concern one datagram, not the socket.
  socket.on('error', () => undefined);
  setReceiveBuffer(socket, options.receiveBufferBytes);
  return socket;
}

function setReceiveBuffer(socket: Socket, byteCount: number): void {
  try {
    socket.setRecvBufferSize(byteCount);
  } catch {
    // Where the system refuses instead of capping, its default stays; what was granted is reported.
  }
}

/**
 * Sleeps at the end of a turn that emptied the sockets. Without it every datagram wakes the thread on its own, which costs
 * more than to decode it; after a nap of 2 ms they come together, and the socket's buffer holds many times as much.
 */
function napAfterTurn(thread: Thread): void {
  if (thread.turnDatagrams++ > 0) return;
  setImmediate(() => {
    const isEmpty = thread.turnDatagrams < DATAGRAMS_A_TURN;
    thread.turnDatagrams = 0;
    if (isEmpty) Atomics.wait(NEVER, 0, 0, NAP_MS);
  });
}

function obey(thread: Thread, timer: NodeJS.Timeout, message: ToThread): void {
  const { folder } = thread;
  switch (message.kind) {
    case 'internal':
      folder.setInternal(message.internal);
      break;
    case 'tables':
      folder.setTables(message.tables);
      break;
    case 'allowed':
      folder.setAllowed(message.allowed);
      break;
    case 'hosts':
      folder.setHosts(message.hosts);
      break;
    case 'material':
      thread.streams?.renew(message.material);
      break;
    case 'taken':
      thread.outstanding--;
      pump(thread);
      break;
    case 'flush':
      drainNow(thread);
      send({ kind: 'flushed', id: message.id });
      break;
    case 'stop':
      clearInterval(timer);
      void stop(thread);
      break;
  }
}

/** Sets aside what is held and sends it piece by piece, with the sockets served in between. */
function drain(thread: Thread): void {
  thread.folder.beginDrain();
  thread.areAttemptsDue = true;
  thread.areTranslationsDue = true;
  pump(thread);
}

function pump(thread: Thread): void {
  if (thread.isPumping || thread.outstanding >= MAX_OUTSTANDING) return;
  thread.isPumping = true;
  setImmediate(() => {
    thread.isPumping = false;
    if (sendBatch(thread)) pump(thread);
  });
}

function sendBatch(thread: Thread): boolean {
  if (thread.areAttemptsDue && sendAttempts(thread)) return true;
  if (thread.areTranslationsDue && sendTranslations(thread)) return true;
  const batch = thread.folder.nextBatch(BATCH_ROWS);
  if (!batch) return false;
  thread.outstanding++;
  send({ kind: 'batch', batch }, batchBuffers(batch));
  return true;
}

function sendAttempts(thread: Thread): boolean {
  thread.areAttemptsDue = false;
  const batch = thread.folder.takeAttempts();
  if (!batch) return false;
  thread.outstanding++;
  send({ kind: 'attempts', batch }, batchBuffers(batch));
  return true;
}

function sendTranslations(thread: Thread): boolean {
  thread.areTranslationsDue = false;
  const batch = thread.folder.takeTranslations();
  if (!batch) return false;
  thread.outstanding++;
  send({ kind: 'translations', batch }, batchBuffers(batch));
  return true;
}

function drainNow(thread: Thread): void {
  for (const batch of thread.folder.drain()) {
    thread.outstanding++;
    send({ kind: 'batch', batch }, batchBuffers(batch));
  }
  sendAttempts(thread);
  sendTranslations(thread);
  sendReport(thread, Number.POSITIVE_INFINITY);
}

function sendSessions(thread: Thread, isDue: boolean): void {
  // Those before are still on their way; what changed meanwhile is seen the next time.
  if (thread.storing) return;
  const nowMs = Date.now();
  const areFew = thread.storedSessions <= FEW_SESSIONS;
  if (!isDue && !areFew && nowMs - thread.storedAtMs < STORE_SESSIONS_MS) return;
  thread.storing = thread.folder.storeSessions(isDue);
  if (!thread.storing) return;
  thread.storedAtMs = nowMs;
  thread.storedSessions = 0;
  sendSomeSessions(thread, STORE_SESSIONS);
}

function sendSomeSessions(thread: Thread, most: number): void {
  const { storing } = thread;
  if (!storing) return;
  const sessions: [string, StoredSession][] = [];
  for (let next = storing.next(); ; next = storing.next()) {
    if (next.done) {
      thread.storing = undefined;
      break;
    }
    sessions.push(next.value);
    if (sessions.length >= most) break;
  }
  thread.storedSessions += sessions.length;
  send({ kind: 'sessions', sessions, isLast: !thread.storing });
  if (thread.storing) setImmediate(() => sendSomeSessions(thread, STORE_SESSIONS));
}

function sendAllSessions(thread: Thread): void {
  sendSomeSessions(thread, Number.POSITIVE_INFINITY);
  thread.storing = thread.folder.storeSessions(true);
  sendSomeSessions(thread, Number.POSITIVE_INFINITY);
}

function sendReports(thread: Thread): void {
  if (thread.isReporting) return;
  thread.isReporting = sendReport(thread, REPORT_EXPORTERS);
  if (thread.isReporting)
    setImmediate(() => {
      thread.isReporting = false;
      sendReports(thread);
    });
}

/** True where more exporters wait to be reported. */
function sendReport(thread: Thread, mostExporters: number): boolean {
  const { streams } = thread;
  const counted = { ...streams?.counters };
  if (streams)
    Object.assign(streams.counters, { connectionsRefused: 0, connectionsEvicted: 0, handshakesFailed: 0 });
  const report = thread.folder.report(mostExporters);
  send({ kind: 'report', report: { ...report, streams: counted } });
  return report.isMore;
}

/** Datagrams that the kernel holds for us already are read first: they were received. */
async function stop(thread: Thread): Promise<void> {
  for (let round = 0; round < STOP_ROUNDS; round++) {
    const before = thread.datagrams;
    await new Promise((resolve) => setTimeout(resolve, STOP_ROUND_MS));
    if (thread.datagrams === before) break;
  }
  for (const socket of thread.sockets) socket.close();
  thread.streams?.close();
  drainNow(thread);
  sendAllSessions(thread);
  send({ kind: 'stopped' });
  parentPort?.close();
}

function send(message: FromThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

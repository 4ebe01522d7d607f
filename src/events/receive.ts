// syslog over UDP (RFC 5426) and TCP (RFC 6587) -> batches of events
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { type AddressSet, formatAddress, hasAddress, noAddresses, parseAddress } from '../model/addresses.ts';
import { PosternError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { type AuditJoiner, createAuditJoiner } from './audit-join.ts';
import { MAX_LINE_BYTES } from './clean.ts';
import { createFrameReader } from './framing.ts';
import { parseEvent } from './parse.ts';
import { createEventQueue, type EventQueue } from './queue.ts';
import { createShapeTable } from './shapes.ts';

export interface ReceiverOptions {
  readonly host: string;
  /** For both UDP and TCP; 0 takes one that is free for both. */
  readonly port: number;
  /** Empty allows all. */
  readonly senders: AddressSet;
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly maxQueuedEvents: number;
  /** How often events are handed to `store`; default a second. */
  readonly flushEveryMs?: number;
  readonly now: () => number;
  readonly store: (batch: readonly Event[]) => Promise<void>;
  /** Called once with every event, before it is stored; must not throw. */
  readonly onEvents: (batch: readonly Event[]) => void;
  readonly onError: (error: unknown) => void;
}

/** Totals since the start. */
export interface ReceiverCounters {
  udpDatagrams: number;
  tcpMessages: number;
  tcpBytes: number;
  tcpConnections: number;
  /** Now open. */
  openConnections: number;
  refusedConnections: number;
  idleConnections: number;
  truncatedLines: number;
  /** UDP only: TCP waits. */
  droppedEvents: number;
  storedEvents: number;
  storeErrors: number;
  unknownSenderLines: number;
  /** Of known programs, that no reader understood. */
  unreadLines: number;
}

export interface Receiver {
  readonly port: number;
  readonly counters: Readonly<ReceiverCounters>;
  /** Lines by sender that the allow-list leaves out; the first thousand senders. */
  readonly unknownSenders: ReadonlyMap<string, number>;
  /** Unread lines of known programs by shape; the first 500 shapes. */
  readonly unreadShapes: ReadonlyMap<string, number>;
  /** Stores what waits, audit events that wait for their other records left out. */
  flush(): Promise<void>;
  /** Closes the port, then stores what waits. */
  stop(): Promise<void>;
}

const RECEIVE_BUFFER_BYTES = 8 << 20;
const MAX_QUEUED_BYTES = 256 << 20;
const MAX_UNKNOWN_SENDERS = 1000;
/** What senders already sent is still read for this long at the stop. */
const LAST_WORDS_MS = 300;
const ANY_PORT_ATTEMPTS = 10;

/** Throws PosternError 'port-in-use' where either of the two ports is taken. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const intake = createIntake(options);
  const { queue, sockets } = intake;
  const { udp, tcp, port } = await bind(
    options,
    (bytes, remote) => takeDatagram(intake, bytes, remote),
    (socket) => takeConnection(intake, socket, options),
  );
  udp.on('error', options.onError);
  tcp.on('error', options.onError);
  const timer = setInterval(() => {
    intake.joiner.expire(options.now());
    void queue.flush();
  }, options.flushEveryMs ?? 1000);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await Promise.all([closed(udp), closed(tcp, sockets)]);
    intake.joiner.end();
    // A flush under way may have begun before the last line came.
    await queue.flush();
    await queue.flush();
  };
  return {
    port,
    counters: intake.counters,
    unknownSenders: intake.unknownSenders,
    unreadShapes: intake.unreadShapes,
    flush: queue.flush,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** What both transports share. */
interface Intake {
  readonly counters: ReceiverCounters;
  readonly unknownSenders: Map<string, number>;
  readonly unreadShapes: ReadonlyMap<string, number>;
  readonly joiner: AuditJoiner;
  readonly sockets: Set<Socket>;
  readonly queue: EventQueue;
  readonly isAllowed: (sender: string) => boolean;
  /** `isHeld`: the sender can be made to wait, so that nothing is dropped. */
  readonly take: (bytes: Uint8Array, sender: string, isTruncated: boolean, isHeld: boolean) => void;
}

function createIntake(options: ReceiverOptions): Intake {
  const counters = newCounters();
  const unknownSenders = new Map<string, number>();
  const sockets = new Set<Socket>();
  const queue = createEventQueue({
    maxEvents: options.maxQueuedEvents,
    maxBytes: MAX_QUEUED_BYTES,
    store: async (batch) => {
      await options.store(batch);
      counters.storedEvents += batch.length;
    },
    onEvents: options.onEvents,
    onError: (error) => {
      counters.storeErrors++;
      options.onError(error);
    },
    onRoom: () => {
      for (const socket of sockets) socket.resume();
    },
  });
  const isAllowed = (sender: string): boolean => {
    if (sender === '') return false;
    if (noAddresses(options.senders) || hasAddress(options.senders, parseAddress(sender))) return true;
    counters.unknownSenderLines++;
    const count = unknownSenders.get(sender);
    if (count !== undefined || unknownSenders.size < MAX_UNKNOWN_SENDERS)
      unknownSenders.set(sender, (count ?? 0) + 1);
    return false;
  };
  const shapes = createShapeTable();
  const onUnread = (program: string, message: string) => {
    counters.unreadLines++;
    shapes.add(program, message);
  };
  const joiner = createAuditJoiner((event, isHeld) => {
    if (!queue.add(event, isHeld)) counters.droppedEvents++;
  });
  const take: Intake['take'] = (bytes, sender, isTruncated, isHeld) => {
    if (isTruncated || bytes.length > MAX_LINE_BYTES) counters.truncatedLines++;
    const nowMs = options.now();
    joiner.push(parseEvent(bytes, sender, nowMs, { onUnread }), nowMs, isHeld);
  };
  return { counters, unknownSenders, unreadShapes: shapes.counts, joiner, sockets, queue, isAllowed, take };
}

function takeDatagram({ counters, queue, isAllowed, take }: Intake, bytes: Buffer, remote: RemoteInfo): void {
  counters.udpDatagrams++;
  const sender = senderText(remote.address);
  if (bytes.length === 0 || !isAllowed(sender)) return;
  // Not even parsed: that is what a flood would cost most.
  if (queue.isFull) counters.droppedEvents++;
  else take(bytes, sender, false, false);
}

function takeConnection(intake: Intake, socket: Socket, options: ReceiverOptions): void {
  const { counters, sockets, queue, take } = intake;
  const sender = senderText(socket.remoteAddress ?? '');
  if (sockets.size >= options.maxConnections || !intake.isAllowed(sender)) {
    counters.refusedConnections++;
    socket.destroy();
    return;
  }
  counters.tcpConnections++;
  sockets.add(socket);
  counters.openConnections = sockets.size;
  const frames = createFrameReader(MAX_LINE_BYTES, (message, isTruncated) => {
    counters.tcpMessages++;
    take(message, sender, isTruncated, true);
  });
  socket.setTimeout(options.idleTimeoutMs, () => {
    counters.idleConnections++;
    socket.destroy();
  });
  socket.on('data', (chunk: Buffer) => {
    counters.tcpBytes += chunk.length;
    frames.push(chunk);
    // The sender waits until there is room.
    if (queue.isFull) socket.pause();
  });
  // A connection that breaks is the sender's business; what it sent counts.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    frames.end();
    sockets.delete(socket);
    counters.openConnections = sockets.size;
  });
}

function newCounters(): ReceiverCounters {
  return {
    udpDatagrams: 0,
    tcpMessages: 0,
    tcpBytes: 0,
    tcpConnections: 0,
    openConnections: 0,
    refusedConnections: 0,
    idleConnections: 0,
    truncatedLines: 0,
    droppedEvents: 0,
    storedEvents: 0,
    storeErrors: 0,
    unknownSenderLines: 0,
    unreadLines: 0,
  };
}

/** An IPv4 sender on an IPv6 socket is its IPv4 address; a zone (fe80::1%eth0) is left out. '' for none. */
function senderText(address: string): string {
  try {
    return formatAddress(parseAddress(address.replace(/%.*$/, '')));
  } catch {
    return '';
  }
}

interface Bound {
  readonly udp: UdpSocket;
  readonly tcp: Server;
  readonly port: number;
}

async function bind(
  { host, port }: ReceiverOptions,
  onDatagram: (bytes: Buffer, remote: RemoteInfo) => void,
  onConnection: (socket: Socket) => void,
): Promise<Bound> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bindBoth(host, port, onDatagram, onConnection);
    } catch (cause) {
      // A port that is free for TCP may be taken for UDP: another one then, where any will do.
      if (port !== 0 || attempt === ANY_PORT_ATTEMPTS)
        throw bindError(host, port, cause as NodeJS.ErrnoException);
    }
  }
}

async function bindBoth(
  host: string,
  port: number,
  onDatagram: (bytes: Buffer, remote: RemoteInfo) => void,
  onConnection: (socket: Socket) => void,
): Promise<Bound> {
  const tcp = createServer(onConnection);
  const type = host.includes(':') ? 'udp6' : 'udp4';
  const udp = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES }, onDatagram);
  try {
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject).listen({ host, port }, resolve);
    });
    const bound = (tcp.address() as { port: number }).port;
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject).bind({ address: host, port: bound }, resolve);
    });
    return { udp, tcp, port: bound };
  } catch (cause) {
    tcp.close();
    udp.close();
    throw cause;
  }
}

const BIND_FAULTS: Record<string, string> = {
  EADDRINUSE: 'another program has it; stop that or set POSTERN_SYSLOG_PORT',
  EACCES: 'this user may not; set POSTERN_SYSLOG_PORT to 1024 or above',
  EADDRNOTAVAIL: 'this machine does not have the address; set POSTERN_SYSLOG_HOST',
};

function bindError(host: string, port: number, cause: NodeJS.ErrnoException): PosternError {
  const isTaken = cause.code === 'EADDRINUSE';
  const reason = BIND_FAULTS[cause.code ?? ''] ?? cause.message;
  return new PosternError(
    isTaken ? 'port-in-use' : 'port-not-free',
    `syslog cannot be received on ${host} port ${port} (UDP and TCP): ${reason}`,
    { cause },
  );
}

/** Resolves after the last socket told of its end: what it sent without a line end counts too. */
async function closed(server: UdpSocket | Server, sockets: ReadonlySet<Socket> = new Set()): Promise<void> {
  const ends = [...sockets].map((socket) => {
    socket.end();
    setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
    return new Promise((resolve) => socket.once('close', resolve));
  });
  await Promise.all([new Promise<void>((resolve) => server.close(() => resolve())), ...ends]);
}

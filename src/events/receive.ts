// syslog over UDP (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425) -> batches of events
import type { RemoteInfo } from 'node:dgram';
import type { Server } from 'node:net';
import { type AddressSet, formatAddress, hasAddress, noAddresses, parseAddress } from '../model/addresses.ts';
import type { Event } from '../model/event.ts';
import { createAuditJoiner } from './audit-join.ts';
import { bindAll } from './bind.ts';
import { MAX_LINE_BYTES } from './clean.ts';
import { type Connection, createConnections } from './connections.ts';
import { compileOrigins, identityOf, type OriginRegistry } from './origin.ts';
import { parseEvent } from './parse.ts';
import { createEventQueue } from './queue.ts';
import { createShapeTable } from './shapes.ts';
import { createSources, type KnownClock, type Sources } from './sources.ts';
import { clientNames, renewTls, type TlsMaterial, type TlsOptions } from './tls.ts';
import { createTurns } from './turns.ts';

export interface ReceiverOptions {
  readonly host: string;
  /** For both UDP and TCP; 0 takes one that is free for both. Undefined: TLS only. */
  readonly port: number | undefined;
  readonly tls?: TlsOptions & { readonly port: number };
  /** Empty allows all. */
  readonly senders: AddressSet;
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly maxQueuedEvents: number;
  /** How often events are handed to `store`; default a second. */
  readonly flushEveryMs?: number;
  readonly registry?: OriginRegistry;
  readonly knownClocks?: readonly KnownClock[];
  readonly now: () => number;
  readonly store: (batch: readonly Event[]) => Promise<void>;
  /** Called once with every event, before it is stored; must not throw. */
  readonly onEvents: (batch: readonly Event[]) => void;
  readonly onError: (error: unknown) => void;
}

/** Totals since the start. */
export interface ReceiverCounters {
  udpDatagrams: number;
  /** Over TCP and TLS. */
  tcpMessages: number;
  tcpBytes: number;
  tcpConnections: number;
  tlsConnections: number;
  /** TLS, with a client certificate that was verified. */
  certifiedConnections: number;
  failedHandshakes: number;
  /** Now open. */
  openConnections: number;
  refusedConnections: number;
  idleConnections: number;
  truncatedLines: number;
  /** UDP only, over a sender's share: TCP waits. */
  droppedEvents: number;
  storedEvents: number;
  storeErrors: number;
  unknownSenderLines: number;
  /** Of known programs, that no reader understood. */
  unreadLines: number;
}

export interface Receiver {
  readonly port: number;
  readonly tlsPort: number;
  readonly counters: Readonly<ReceiverCounters>;
  /** Lines by sender that the allow-list leaves out; the first thousand senders. */
  readonly unknownSenders: ReadonlyMap<string, number>;
  /** Unread lines of known programs by shape; the first 500 shapes. */
  readonly unreadShapes: ReadonlyMap<string, number>;
  readonly sources: Pick<Sources, 'report' | 'putBack' | 'setRegistry' | 'crowdedLines'>;
  setRegistry(registry: OriginRegistry): void;
  /** For connections from now on. */
  renewTls(material: TlsMaterial): void;
  /** Stores what waits, audit events that wait for their other records left out. */
  flush(): Promise<void>;
  /** Closes the ports, then stores what waits. */
  stop(): Promise<void>;
}

const MAX_QUEUED_BYTES = 256 << 20;
/** Received and not yet parsed. */
const MAX_WAITING_BYTES = 32 << 20;
const MAX_UNKNOWN_SENDERS = 1000;
const MAX_KNOWN_ADDRESSES = 10_000;

/** Throws PosternError 'port-in-use' where a port is taken. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const intake = createIntake(options);
  const { queue, turns, joiner, connections, counters, sources } = intake;
  const bound = await bindAll(options, {
    datagram: intake.takeDatagram,
    connection: (socket) => {
      const sender = intake.admitted(socket.remoteAddress);
      if (sender === undefined || !connections.admit(socket, sender, false)) {
        counters.refusedConnections++;
        socket.destroy();
        return;
      }
      counters.tcpConnections++;
      connections.open(socket, sender, []);
    },
    mayShakeHands: (socket) => {
      const sender = intake.admitted(socket.remoteAddress);
      const isWelcome = sender !== undefined && connections.admit(socket, sender, true);
      if (!isWelcome) counters.refusedConnections++;
      // A handshake that is broken off is told by tlsClientError.
      socket.on('error', () => undefined);
      return isWelcome;
    },
    secureConnection: (socket) => {
      const names = clientNames(socket);
      counters.tlsConnections++;
      if (names.length > 0) counters.certifiedConnections++;
      connections.open(socket, senderText(socket.remoteAddress ?? ''), names);
    },
    handshakeFailed: () => {
      counters.failedHandshakes++;
    },
  });
  for (const socket of [...bound.udp, bound.tcp, bound.tls]) socket?.on('error', options.onError);
  const timer = setInterval(() => {
    joiner.expire(options.now());
    void queue.flush();
  }, options.flushEveryMs ?? 1000);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    const servers = [bound.tcp, bound.tls].flatMap((server) => (server ? [closed(server)] : []));
    for (const socket of bound.udp) socket.close();
    await connections.end();
    await Promise.all(servers);
    turns.end();
    joiner.end();
    // A flush under way may have begun before the last line came.
    await queue.flush();
    await queue.flush();
  };
  return {
    port: bound.port,
    tlsPort: bound.tlsPort,
    counters: intake.counters,
    unknownSenders: intake.unknownSenders,
    unreadShapes: intake.unreadShapes,
    sources,
    setRegistry: intake.setRegistry,
    renewTls: (material) => bound.tls && renewTls(bound.tls, material),
    flush: queue.flush,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** A datagram, or bytes of a connection; a connection without bytes has ended. */
interface Piece {
  readonly bytes: Buffer | undefined;
  readonly connection: Connection | undefined;
}

/** What all transports share. */
function createIntake(options: ReceiverOptions) {
  const counters = newCounters();
  const unknownSenders = new Map<string, number>();
  let registry = options.registry ?? compileOrigins([], []);
  const sources = createSources(registry, options.knownClocks);
  const shapes = createShapeTable();
  let isUnread = false;
  const onUnread = (program: string, message: string) => {
    isUnread = true;
    counters.unreadLines++;
    shapes.add(program, message);
  };
  const drop = (sender: string) => {
    counters.droppedEvents++;
    sources.dropped(sender, options.now());
  };
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
    onRoom: () => turns.wake(),
  });
  const joiner = createAuditJoiner((event, isHeld) => {
    if (!queue.add(event, isHeld)) drop(event.sender);
  });
  const take = (
    bytes: Uint8Array,
    connection: Connection | undefined,
    sender: string,
    isTruncated: boolean,
  ) => {
    if (isTruncated || bytes.length > MAX_LINE_BYTES) counters.truncatedLines++;
    const nowMs = options.now();
    isUnread = false;
    // Nobody else has it yet: a copy of every line would cost as much as all else here.
    const event: Received = parseEvent(bytes, sender, nowMs, { onUnread });
    if (connection) event.identity = identityOf(connection.identities, registry);
    event.node ??= nodeOf(event.message);
    const told = sources.line(event, isUnread);
    event.origin = told.origin;
    event.originBasis = told.originBasis;
    event.clockOffsetMs = told.clockOffsetMs;
    joiner.push(event, nowMs, connection !== undefined);
  };
  const connections = createConnections({
    maxConnections: options.maxConnections,
    idleTimeoutMs: options.idleTimeoutMs,
    maxLineBytes: MAX_LINE_BYTES,
    onMessage: (connection, message, isTruncated) => {
      counters.tcpMessages++;
      take(message, connection, connection.sender, isTruncated);
    },
    // Apart from the sender's datagrams, which do not wait for the store.
    onBytes: (connection, bytes) =>
      turns.push(`tcp ${connection.sender}`, { bytes, connection }, bytes?.length ?? 0, true),
    onIdle: () => {
      counters.idleConnections++;
    },
  });
  const turns = createTurns<Piece>({
    maxBytes: MAX_WAITING_BYTES,
    mayWork: (_key, { connection }) => connection === undefined || queue.hasRoomFor(connection.sender),
    work: (sender, { bytes, connection }) => {
      if (!connection) {
        // Not even parsed: that is what a flood would cost most.
        if (queue.hasRoomFor(sender)) take(bytes!, undefined, sender, false);
        else drop(sender);
      } else if (bytes) {
        counters.tcpBytes += bytes.length;
        connection.frames.push(bytes);
        connections.worked(connection, bytes.length);
      } else connection.frames.end();
    },
  });
  const admit = createAdmission(options.senders);
  /** The sender as text; undefined, and counted, where it is not let in. */
  const admitted = (address = ''): string | undefined => {
    const { sender, isAllowed } = admit(address);
    if (isAllowed || sender === '') return isAllowed ? sender : undefined;
    counters.unknownSenderLines++;
    sources.refused(sender, options.now());
    const count = unknownSenders.get(sender);
    if (count !== undefined || unknownSenders.size < MAX_UNKNOWN_SENDERS)
      unknownSenders.set(sender, (count ?? 0) + 1);
    return undefined;
  };
  const takeDatagram = (bytes: Buffer, remote: RemoteInfo): void => {
    counters.udpDatagrams++;
    const sender = admitted(remote.address);
    if (bytes.length === 0 || sender === undefined) return;
    if (!turns.push(sender, { bytes, connection: undefined }, bytes.length, false)) drop(sender);
  };
  const setRegistry = (next: OriginRegistry) => {
    registry = next;
    sources.setRegistry(next);
  };
  return {
    counters: Object.defineProperty(counters, 'openConnections', {
      enumerable: true,
      get: () => connections.openCount,
    }) as Readonly<ReceiverCounters> & ReceiverCounters,
    unknownSenders,
    unreadShapes: shapes.counts,
    sources,
    joiner,
    queue,
    turns,
    connections,
    admitted,
    takeDatagram,
    setRegistry,
  };
}

const NODE = /^(?:audit: )?node=([^\s=]{1,255}) /;

/** An audit record names its node; it counts before the records are joined. */
const nodeOf = (message: string) =>
  message.startsWith('node=') || message.startsWith('audit: node=') ? NODE.exec(message)?.[1] : undefined;

/** What the receipt adds to a line. */
type Added = 'identity' | 'node' | 'origin' | 'originBasis' | 'clockOffsetMs';
type Received = Omit<Event, Added> & { -readonly [K in Added]?: Event[K] };

interface Admission {
  readonly sender: string;
  readonly isAllowed: boolean;
}

/** Addresses come again and again. */
function createAdmission(senders: AddressSet): (address: string) => Admission {
  const known = new Map<string, Admission>();
  return (address) => {
    let admission = known.get(address);
    if (admission) return admission;
    const sender = senderText(address);
    const isAllowed = sender !== '' && (noAddresses(senders) || hasAddress(senders, parseAddress(sender)));
    admission = { sender, isAllowed };
    if (known.size >= MAX_KNOWN_ADDRESSES) known.clear();
    known.set(address, admission);
    return admission;
  };
}

const newCounters = (): ReceiverCounters => ({
  udpDatagrams: 0,
  tcpMessages: 0,
  tcpBytes: 0,
  tcpConnections: 0,
  tlsConnections: 0,
  certifiedConnections: 0,
  failedHandshakes: 0,
  openConnections: 0,
  refusedConnections: 0,
  idleConnections: 0,
  truncatedLines: 0,
  droppedEvents: 0,
  storedEvents: 0,
  storeErrors: 0,
  unknownSenderLines: 0,
  unreadLines: 0,
});

/** An IPv4 sender on an IPv6 socket is its IPv4 address; a zone (fe80::1%eth0) is left out. '' for none. */
function senderText(address: string): string {
  try {
    return formatAddress(parseAddress(address.replace(/%.*$/, '')));
  } catch {
    return '';
  }
}

const closed = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

// IPFIX over TCP and TLS (RFC 7011 section 10.4): connections of exporters -> whole messages, each connection a session
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { createTlsServer, renewTls, type TlsMaterial, type TlsOptions } from '../events/tls.ts';
import { createConnectionPlaces } from './connection-places.ts';

export interface StreamOptions {
  readonly host: string;
  /** 0 takes any free port; undefined: no TCP without TLS. */
  readonly tcpPort?: number;
  readonly tls?: TlsOptions & { readonly port: number };
  /** Over all exporters, in each thread. */
  readonly maxConnections: number;
  /** An exporter that sends nothing for this long is gone; templates go with its connection. */
  readonly idleTimeoutMs: number;
}

export interface StreamTakers {
  /** Whether the sender may export; asked before TLS costs anything. */
  readonly isAllowed: (source: string) => boolean;
  /** Whether it proved itself, so that its connections make no room for others. */
  readonly isKnown: (source: string) => boolean;
  /** One whole message. `port` is 65,536 and more above the source port, so that UDP sessions stay apart. */
  readonly message: (source: string, port: number, bytes: Uint8Array) => void;
  /** RFC 7011 section 8.4: templates end with the session. */
  readonly ended: (source: string, port: number) => void;
  /** What came is no IPFIX: the connection is reset (RFC 7011 section 10.4.2.1). */
  readonly broken: (source: string, port: number) => void;
}

export interface StreamCounters {
  /** Over the bounds, or of senders that are not allowed. */
  connectionsRefused: number;
  /** Said nothing, or nothing more, and made room for others. */
  connectionsEvicted: number;
  handshakesFailed: number;
}

export interface Streams {
  readonly tcpPort: number;
  readonly tlsPort: number;
  readonly counters: StreamCounters;
  renew(material: TlsMaterial): void;
  close(): void;
}

const HEADER_BYTES = 16;
const IPFIX = 10;
const TCP_SESSION = 65_536;
const TLS_SESSION = 131_072;
const KEEP_ALIVE_MS = 60_000;

/** Rejects with the system's error, and with `port` on it, where a port cannot be bound; nothing stays open then. */
export async function openStreams(options: StreamOptions, takers: StreamTakers): Promise<Streams> {
  const counters: StreamCounters = { connectionsRefused: 0, connectionsEvicted: 0, handshakesFailed: 0 };
  const places = createConnectionPlaces(options.maxConnections, takers.isKnown, () => {
    counters.connectionsEvicted++;
  });
  const admit = (socket: Socket): boolean => {
    const source = plainAddress(socket.remoteAddress ?? '');
    const isAdmitted = source !== '' && takers.isAllowed(source) && places.take(source, socket);
    if (!isAdmitted) {
      counters.connectionsRefused++;
      socket.destroy();
    }
    return isAdmitted;
  };
  const receive = (socket: Socket, offset: number) =>
    readMessages(socket, offset, options, {
      ...takers,
      message: (source, port, bytes) => {
        places.heard(socket);
        takers.message(source, port, bytes);
      },
    });
  const servers: Server[] = [];
  let tlsServer: ReturnType<typeof createTlsServer> | undefined;
  try {
    if (options.tcpPort !== undefined) {
      const server = createServer((socket) => {
        if (admit(socket)) receive(socket, TCP_SESSION);
      });
      servers.push(server);
      await listen(server, options.host, options.tcpPort);
    }
    if (options.tls) {
      tlsServer = createTlsServer(options.tls, (socket) => receive(socket, TLS_SESSION));
      tlsServer.on('tlsClientError', (_error, socket) => {
        counters.handshakesFailed++;
        socket.destroy();
      });
      tlsServer.prependListener('connection', admit);
      servers.push(tlsServer);
      await listen(tlsServer, options.host, options.tls.port);
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    tcpPort: options.tcpPort === undefined ? 0 : portOf(servers[0]),
    tlsPort: tlsServer ? portOf(tlsServer) : 0,
    counters,
    renew: (material) => {
      if (tlsServer) renewTls(tlsServer, material);
    },
    close: () => {
      for (const server of servers) server.close();
      places.close();
    },
  };
}

function readMessages(
  socket: Socket,
  offset: number,
  { idleTimeoutMs }: StreamOptions,
  takers: StreamTakers,
): void {
  const source = plainAddress(socket.remoteAddress ?? '');
  const port = (socket.remotePort ?? 0) + offset;
  const take = createMessageReader((bytes) => takers.message(source, port, bytes));
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (take(chunk)) return;
    takers.broken(source, port);
    socket.resetAndDestroy();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => takers.ended(source, port));
}

/**
 * Cuts a stream into messages by the length in their headers (RFC 7011 section 3.1). False where what comes is no IPFIX
 * message: there is no way back into step then.
 */
export function createMessageReader(onMessage: (bytes: Uint8Array) => void): (chunk: Uint8Array) => boolean {
  // A message that began, of which `length` bytes came; it grows with them, not by what its header promises.
  let held = new Uint8Array(0);
  let length = 0;
  const keep = (bytes: Uint8Array) => {
    if (length + bytes.length > held.length) {
      const larger = new Uint8Array(Math.max(512, 2 * (length + bytes.length)));
      larger.set(held.subarray(0, length));
      held = larger;
    }
    held.set(bytes, length);
    length += bytes.length;
  };
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      const isNew = length === 0;
      const head = isNew ? chunk.subarray(at) : held.subarray(0, length);
      const wanted = head.length < 4 ? 4 : messageBytes(head);
      if (wanted < HEADER_BYTES && head.length >= 4) return false;
      const end = Math.min(chunk.length, at + wanted - length);
      const isWhole = end - at + length === wanted && head.length >= 4;
      if (isNew && isWhole) onMessage(chunk.subarray(at, end));
      else {
        keep(chunk.subarray(at, end));
        if (isWhole) {
          onMessage(held.subarray(0, length));
          length = 0;
        }
      }
      at = end;
    }
    return length < 4 || messageBytes(held) >= HEADER_BYTES;
  };
}

/** By its header; 0 where it is no IPFIX. */
const messageBytes = (head: Uint8Array): number =>
  head[0] * 256 + head[1] === IPFIX ? head[2] * 256 + head[3] : 0;

const portOf = (server: Server): number => (server.address() as { port: number }).port;

/** Threads share the port. */
const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(Object.assign(error, { port })));
    server.listen({ port, host, reusePort: true, ipv6Only: isIPv6(host) && host !== '::' }, resolve);
  });

/** A dual-stack socket writes IPv4 senders as ::ffff:192.0.2.1, and link-local ones with their zone. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}

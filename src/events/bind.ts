// a host and two ports -> the sockets that syslog is received on
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { PosternError } from '../model/errors.ts';
import { createTlsServer, type TlsOptions } from './tls.ts';

export interface BindOptions {
  readonly host: string;
  /** For both UDP and TCP; 0 takes one that is free for both. Undefined binds neither. */
  readonly port: number | undefined;
  readonly tls?: TlsOptions & { readonly port: number };
}

export interface Takers {
  readonly datagram: (bytes: Buffer, remote: RemoteInfo) => void;
  readonly connection: (socket: Socket) => void;
  /** Before the handshake; false closes the connection. */
  readonly mayShakeHands: (socket: Socket) => boolean;
  readonly secureConnection: (socket: TLSSocket) => void;
  readonly handshakeFailed: () => void;
}

export interface Bound {
  readonly udp: readonly UdpSocket[];
  readonly tcp?: Server;
  readonly tls?: ReturnType<typeof createTlsServer>;
  readonly port: number;
  readonly tlsPort: number;
}

/**
 * The kernel keeps each address and port to one of these by a hash: a flood fills the buffer of one, and the others go on. Where
 * the system cannot share a port so, there is one.
 */
const UDP_SOCKETS = process.platform === 'linux' ? 64 : 1;
const RECEIVE_BUFFER_BYTES = 4 << 20;
const ANY_PORT_ATTEMPTS = 10;

/** Throws PosternError 'port-in-use' or 'port-not-free' with what to do about it; nothing stays open then. */
export async function bindAll(options: BindOptions, takers: Takers): Promise<Bound> {
  const plain = options.port === undefined ? undefined : await bindPlain(options.host, options.port, takers);
  try {
    const tls = options.tls && (await bindTls(options.host, options.tls, takers));
    return {
      udp: plain?.udp ?? [],
      tcp: plain?.tcp,
      tls,
      port: plain?.port ?? 0,
      tlsPort: tls ? portOf(tls) : 0,
    };
  } catch (error) {
    plain?.tcp.close();
    for (const socket of plain?.udp ?? []) socket.close();
    throw error;
  }
}

interface Plain {
  readonly udp: readonly UdpSocket[];
  readonly tcp: Server;
  readonly port: number;
}

async function bindPlain(host: string, port: number, takers: Takers): Promise<Plain> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bindBoth(host, port, takers);
    } catch (cause) {
      // A port that is free for TCP may be taken for UDP: another one then, where any will do.
      if (port !== 0 || attempt === ANY_PORT_ATTEMPTS)
        throw bindError(host, port, 'POSTERN_SYSLOG_PORT', cause as NodeJS.ErrnoException);
    }
  }
}

/** TCP first: with reusePort a second instance would silently take half of the datagrams, and TCP tells that the port is taken. */
async function bindBoth(host: string, port: number, takers: Takers): Promise<Plain> {
  const tcp = createServer(takers.connection);
  const udp: UdpSocket[] = [];
  try {
    await listen(tcp, host, port);
    const bound = portOf(tcp);
    const type = host.includes(':') ? 'udp6' : 'udp4';
    for (let i = 0; i < UDP_SOCKETS; i++) {
      const socket = createSocket(
        { type, recvBufferSize: RECEIVE_BUFFER_BYTES, reusePort: UDP_SOCKETS > 1 },
        takers.datagram,
      );
      udp.push(socket);
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject).bind({ address: host, port: bound }, resolve);
      });
    }
    return { udp, tcp, port: bound };
  } catch (cause) {
    tcp.close();
    for (const socket of udp) socket.close();
    throw cause;
  }
}

async function bindTls(host: string, tls: NonNullable<BindOptions['tls']>, takers: Takers) {
  const server = createTlsServer(tls, takers.secureConnection);
  server.on('tlsClientError', (_error, socket) => {
    takers.handshakeFailed();
    // One that only ran out of time is left open otherwise.
    socket.destroy();
  });
  // Before TLS gets at it: what is refused costs no handshake.
  server.prependListener('connection', (socket: Socket) => {
    if (!takers.mayShakeHands(socket)) socket.destroy();
  });
  try {
    await listen(server, host, tls.port);
    return server;
  } catch (cause) {
    server.close();
    throw bindError(host, tls.port, 'POSTERN_SYSLOG_TLS_PORT', cause as NodeJS.ErrnoException);
  }
}

const portOf = (server: Server) => (server.address() as { port: number }).port;

const listen = (server: Server, host: string, port: number) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, resolve);
  });

function bindError(host: string, port: number, setting: string, cause: NodeJS.ErrnoException): PosternError {
  const faults: Record<string, string> = {
    EADDRINUSE: `another program has it; stop that or set ${setting}`,
    EACCES: `this user may not; set ${setting} to 1024 or above`,
    EADDRNOTAVAIL: 'this machine does not have the address; set POSTERN_SYSLOG_HOST',
  };
  const isTls = setting === 'POSTERN_SYSLOG_TLS_PORT';
  return new PosternError(
    cause.code === 'EADDRINUSE' ? 'port-in-use' : 'port-not-free',
    `syslog cannot be received on ${host} port ${port} (${isTls ? 'TLS' : 'UDP and TCP'}): ${faults[cause.code ?? ''] ?? cause.message}`,
    { cause },
  );
}

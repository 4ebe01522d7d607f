// open connections of senders -> their bytes in turn, at most so many of a sender
import type { Socket } from 'node:net';
import { createFrameReader, type FrameReader } from './framing.ts';

/** One connection, and its messages as they are framed. */
export interface Connection {
  readonly socket: Socket;
  readonly sender: string;
  readonly identities: readonly string[];
  readonly frames: FrameReader;
  /** Read and not yet worked. */
  waitingBytes: number;
  isPaused: boolean;
}

export interface ConnectionOptions {
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly maxLineBytes: number;
  readonly onMessage: (connection: Connection, message: Buffer, isTruncated: boolean) => void;
  /** Bytes to be worked in turn; undefined for the end. */
  readonly onBytes: (connection: Connection, bytes: Buffer | undefined) => void;
  readonly onIdle: () => void;
}

export interface Connections {
  /** Counts a socket until it closes; false where there are too many, or too many of the sender or of its handshakes. */
  admit(socket: Socket, sender: string, isHandshake: boolean): boolean;
  /** After the handshake, where there is one. */
  open(socket: Socket, sender: string, identities: readonly string[]): void;
  /** Bytes of a connection were worked: it is read on where it waited for that. */
  worked(connection: Connection, byteCount: number): void;
  readonly openCount: number;
  /** Ends all; resolves after the last one told of its end: what it sent without a line end counts too. */
  end(): Promise<void>;
}

/** A sender that is worked slower than it sends is not read further. */
const MAX_WAITING_BYTES = 131_072;
const PIECE_BYTES = 8192;
const MAX_HANDSHAKES = 256;
/** What senders already sent is still read for this long at the stop. */
const LAST_WORDS_MS = 300;

export function createConnections(options: ConnectionOptions): Connections {
  const sockets = createTally(options.maxConnections);
  const handshakes = createTally(MAX_HANDSHAKES);
  /** The sockets below TLS, until TLS has its own. */
  const shaking = new Map<string, Socket>();
  const connections = new Map<Socket, Connection>();

  const read = (connection: Connection, chunk: Buffer) => {
    connection.waitingBytes += chunk.length;
    // Small pieces, so that other senders have their turn between them.
    for (let at = 0; at < chunk.length; at += PIECE_BYTES)
      options.onBytes(connection, chunk.subarray(at, at + PIECE_BYTES));
    if (connection.waitingBytes > MAX_WAITING_BYTES) pause(connection);
  };
  const pause = (connection: Connection) => {
    connection.isPaused = true;
    connection.socket.pause();
  };
  return {
    admit: (socket, sender, isHandshake) => {
      const key = keyOf(socket);
      if (!sockets.add(key, sender)) return false;
      if (isHandshake && !handshakes.add(key, sender)) {
        sockets.remove(key);
        return false;
      }
      if (isHandshake) shaking.set(key, socket);
      socket.once('close', () => {
        sockets.remove(key);
        handshakes.remove(key);
        shaking.delete(key);
      });
      return true;
    },
    open: (socket, sender, identities) => {
      handshakes.remove(keyOf(socket));
      shaking.delete(keyOf(socket));
      const connection: Connection = {
        socket,
        sender,
        identities,
        frames: createFrameReader(options.maxLineBytes, (message, isTruncated) =>
          options.onMessage(connection, message, isTruncated),
        ),
        waitingBytes: 0,
        isPaused: false,
      };
      connections.set(socket, connection);
      socket.setTimeout(options.idleTimeoutMs, () => {
        // Nothing is heard of it because nothing is read of it.
        if (connection.isPaused) return;
        options.onIdle();
        socket.destroy();
      });
      socket.on('data', (chunk: Buffer) => read(connection, chunk));
      // A connection that breaks is the sender's business; what it sent counts.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        connections.delete(socket);
        options.onBytes(connection, undefined);
      });
    },
    worked: (connection, byteCount) => {
      connection.waitingBytes -= byteCount;
      if (!connection.isPaused || connection.waitingBytes > MAX_WAITING_BYTES / 2) return;
      connection.isPaused = false;
      connection.socket.resume();
    },
    get openCount() {
      return sockets.size;
    },
    // Handshakes under way are not waited for.
    end: async () => {
      const ends = [...connections.keys()].map((socket) => {
        socket.resume();
        socket.end();
        setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
        return new Promise((resolve) => socket.once('close', resolve));
      });
      for (const socket of shaking.values()) socket.destroy();
      await Promise.all(ends);
    },
  };
}

/** The same below TLS and above it. */
const keyOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;

interface Tally {
  /** False where all places are taken, or the sender has as many as are left. */
  add(key: string, sender: string): boolean;
  remove(key: string): void;
  readonly size: number;
}

function createTally(max: number): Tally {
  const senders = new Map<string, string>();
  const counts = new Map<string, number>();
  return {
    add: (key, sender) => {
      const own = counts.get(sender) ?? 0;
      // Half of the places are for one sender, the rest for whoever comes.
      if (senders.size >= max || (own > 0 && own >= max - senders.size)) return false;
      senders.set(key, sender);
      counts.set(sender, own + 1);
      return true;
    },
    remove: (key) => {
      const sender = senders.get(key);
      if (sender === undefined) return;
      senders.delete(key);
      const left = (counts.get(sender) ?? 1) - 1;
      if (left > 0) counts.set(sender, left);
      else counts.delete(sender);
    },
    get size() {
      return senders.size;
    },
  };
}

// connections of exporters -> which may stay: bounded over all and by address, and what says nothing makes room for others
import type { Socket } from 'node:net';

/** Of one address: a router has a few processes that export. */
const MOST_OF_ONE = 64;
/** Where all places are taken: without a message since it came, and without another since the last. */
const SILENT_MS = 2000;
const IDLE_MS = 60_000;

interface Place {
  readonly socket: Socket;
  readonly source: string;
  heardMs: number;
  hasSpoken: boolean;
}

export interface ConnectionPlaces {
  /** False where there is none. The place is given up when the connection closes. */
  take(source: string, socket: Socket): boolean;
  /** A whole message came, over the connection or what TLS made of it. */
  heard(socket: Socket): void;
  /** Ends all. */
  close(): void;
}

/** `isKnown`: an exporter that proved itself keeps its connections. `onEvicted` is called for each that had to go. */
export function createConnectionPlaces(
  most: number,
  isKnown: (source: string) => boolean,
  onEvicted: () => void,
): ConnectionPlaces {
  const bySource = new Map<string, number>();
  // By both ends, as the socket of TLS is another than the one below it; the longest here first.
  const places = new Map<string, Place>();
  const leave = (key: string, { source }: Place) => {
    if (!places.delete(key)) return;
    const own = (bySource.get(source) ?? 1) - 1;
    if (own === 0) bySource.delete(source);
    else bySource.set(source, own);
  };
  const makeRoom = () => {
    const nowMs = performance.now();
    for (const [key, place] of places) {
      const { socket, source, heardMs, hasSpoken } = place;
      if (nowMs - heardMs < (hasSpoken ? IDLE_MS : SILENT_MS) || isKnown(source)) continue;
      onEvicted();
      socket.destroy();
      leave(key, place);
      return;
    }
  };
  return {
    take: (source, socket) => {
      const own = bySource.get(source) ?? 0;
      if (own >= MOST_OF_ONE) return false;
      if (places.size >= most) makeRoom();
      if (places.size >= most) return false;
      const place = { socket, source, heardMs: performance.now(), hasSpoken: false };
      const key = keyOf(socket);
      bySource.set(source, (bySource.get(source) ?? 0) + 1);
      places.set(key, place);
      socket.once('close', () => {
        if (places.get(key) === place) leave(key, place);
      });
      return true;
    },
    heard: (socket) => {
      const place = places.get(keyOf(socket));
      if (!place) return;
      place.heardMs = performance.now();
      place.hasSpoken = true;
    },
    close: () => {
      for (const { socket } of places.values()) socket.destroy();
    },
  };
}

const keyOf = ({ remoteAddress, remotePort, localPort }: Socket) =>
  `${remoteAddress} ${remotePort} ${localPort}`;

// traffic -> NetFlow v9 over UDP, the past at once and then as time goes by
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeDatagram, MAX_RECORDS } from './datagram.ts';
import { browsing, streaming, type TrafficRecord } from './traffic.ts';

export interface Exporter {
  /** Sends what the past hours would have brought, up to now. */
  readonly sendPast: (hours: number, signal: AbortSignal) => Promise<void>;
  /** From now on browsing is exported every few seconds. */
  readonly play: () => void;
  /** From now on the stream is exported too. */
  readonly startStream: () => void;
  readonly datagramCount: () => number;
  readonly stop: () => Promise<void>;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** The router is up for long enough to have seen the past, and its uptime still fits 32 bits. */
const UPTIME_MS = 72 * HOUR_MS;
const EVERY_MS = 5000;
/** Templates are repeated as exporters do, by number of datagrams. */
const TEMPLATE_EVERY = 4;
/** A pause between datagrams of the past, so that no receive buffer overflows. */
const SPACING_MS = 2;

export function startExporter(port: number, now: () => number): Exporter {
  const socket = createSocket('udp4');
  // A collector that is gone already answers with ICMP; there is nobody left to tell.
  socket.on('error', () => {});
  const bootMs = now() - UPTIME_MS;
  let sequence = 0;
  let sentUntilMs = now();
  let streamsFromMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const send = async (records: readonly TrafficRecord[], spacingMs = 0) => {
    for (let i = 0; i < records.length; i += MAX_RECORDS) {
      const withTemplate = sequence % TEMPLATE_EVERY === 0;
      const heading = { exportMs: now(), bootMs, sequence: sequence++, withTemplate };
      await sendTo(socket, port, encodeDatagram(records.slice(i, i + MAX_RECORDS), heading));
      if (spacingMs > 0) await pause(spacingMs);
    }
  };
  const sendRecent = () => {
    const toMs = now();
    const records = browsing(sentUntilMs, toMs);
    if (streamsFromMs !== undefined) records.push(...streaming(Math.max(streamsFromMs, sentUntilMs), toMs));
    sentUntilMs = toMs;
    void send(records);
  };
  return {
    sendPast: async (hours, signal) => {
      const untilMs = now();
      for (let atMs = untilMs - hours * HOUR_MS; atMs < untilMs; atMs += 10 * MINUTE_MS) {
        signal.throwIfAborted();
        const minutes = Array.from({ length: 10 }, (_, i) => atMs + i * MINUTE_MS);
        const records = minutes.flatMap((fromMs) => browsing(fromMs, fromMs + MINUTE_MS - 1));
        await send(records, SPACING_MS);
      }
      sentUntilMs = untilMs;
    },
    play: () => {
      timer = setInterval(sendRecent, EVERY_MS);
    },
    startStream: () => {
      streamsFromMs = now();
    },
    datagramCount: () => sequence,
    stop: async () => {
      clearInterval(timer);
      await new Promise<void>((closed) => socket.close(closed));
    },
  };
}

const sendTo = (socket: Socket, port: number, bytes: Buffer) =>
  new Promise<void>((sent) => socket.send(bytes, port, '127.0.0.1', () => sent()));

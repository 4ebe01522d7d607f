// settings -> the syslog receiver in processes with the role "syslog", and who is told of events
import fp from 'fastify-plugin';
import { readKernelDrops } from '../flows/kernel-drops.ts';
import { type AddressSet, addressSet } from '../model/addresses.ts';
import { PosternError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import type { Services } from '../services.ts';
import type { Settings } from '../settings.ts';
import { insertEvents } from '../store/clickhouse/event-insert.ts';
import { addSenders, sendersSince } from '../store/clickhouse/senders.ts';
import { buildTextIndex } from '../store/clickhouse/text-index.ts';
import { allDevices } from '../store/postgres/devices.ts';
import { allHosts } from '../store/postgres/hosts.ts';
import { compileOrigins, type OriginRegistry, type Relays, relaysOf } from './origin.ts';
import { type Receiver, type ReceiverCounters, startReceiver } from './receive.ts';
import type { KnownClock } from './sources.ts';
import { type ClientCertificates, readTlsFiles, type TlsFiles, tlsFilesMark } from './tls.ts';

export interface EventService {
  /** Told of every batch before it is stored; returns how to stop that. A callback that throws is logged. */
  onEvents(callback: (batch: readonly Event[]) => void): () => void;
  /** undefined where this process receives none. */
  counters(): Readonly<ReceiverCounters> | undefined;
  /** Ports that are open; 0 for none. */
  ports(): { readonly plain: number; readonly tls: number };
  /** Lines by sender that the allow-list leaves out. */
  unknownSenders(): ReadonlyMap<string, number>;
  /** Unread lines of known programs by shape. */
  unreadShapes(): ReadonlyMap<string, number>;
  /** Datagrams that the kernel dropped on our port. */
  kernelDrops(): Promise<number>;
  /** Reads hosts and devices again, stores what waits, and what was counted of each sender. */
  flush(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly events: EventService;
  }
}

/** A store that is down is reported this often. */
const REPORT_EVERY_MS = 10_000;
/** Hosts and devices are read again, certificate files looked at, and the counts of senders stored. */
const TEND_EVERY_MS = 10_000;
const INDEX_EVERY_MS = 3_600_000;
/** What was measured this long ago says nothing of a clock. */
const KNOWN_CLOCKS_MS = 86_400_000;
const MAX_KNOWN_CLOCKS = 20_000;
const SYSLOG_TLS_PORT = 6514;

export default fp(
  async (app) => {
    const { services } = app;
    const { settings, now, log } = services;
    const callbacks = new Set<(batch: readonly Event[]) => void>();
    const senders = allowList(settings.POSTERN_SYSLOG_SENDERS);
    const relays = relayList(settings.POSTERN_SYSLOG_RELAYS);
    const tls = tlsSettings(settings);
    let receiver: Receiver | undefined;
    let tend = async () => {};
    const timers: NodeJS.Timeout[] = [];
    app.decorate('events', {
      onEvents: (callback) => {
        callbacks.add(callback);
        return () => callbacks.delete(callback);
      },
      counters: () => receiver?.counters,
      ports: () => ({ plain: receiver?.port ?? 0, tls: receiver?.tlsPort ?? 0 }),
      unknownSenders: () => receiver?.unknownSenders ?? new Map(),
      unreadShapes: () => receiver?.unreadShapes ?? new Map(),
      kernelDrops: async () => {
        const port = receiver?.port ?? 0;
        return port === 0 ? 0 : ((await readKernelDrops([port])).get(port) ?? 0);
      },
      flush: async () => {
        await tend();
        await receiver?.flush();
      },
    } satisfies EventService);

    app.addHook('onReady', async () => {
      if (!settings.POSTERN_ROLES.includes('syslog')) return;
      const port = settings.POSTERN_SYSLOG_PORT || undefined;
      if (port === undefined && !tls) return;
      const material = tls && (await readTlsFiles(tls.files));
      receiver = await startReceiver({
        host: settings.POSTERN_SYSLOG_HOST,
        port,
        ...(tls && material && { tls: { port: tls.port, clients: tls.clients, material } }),
        senders,
        maxConnections: settings.POSTERN_SYSLOG_MAX_CONNECTIONS,
        idleTimeoutMs: settings.POSTERN_SYSLOG_IDLE_SECONDS * 1000,
        maxQueuedEvents: settings.POSTERN_SYSLOG_QUEUE_EVENTS,
        registry: await readRegistry(services, relays),
        knownClocks: await readClocks(services),
        now,
        store: (batch) => insertEvents(services.clickhouse, batch),
        onEvents: (batch) => {
          for (const callback of callbacks) {
            try {
              callback(batch);
            } catch (error) {
              log.error({ err: error }, 'events were not acted upon');
            }
          }
        },
        onError: rarely(now, (error) => log.error({ err: error }, 'events cannot be stored; they wait')),
      });
      tend = await tending(services, receiver, relays, tls?.files);
      timers.push(setInterval(tend, TEND_EVERY_MS).unref());
      timers.push(setInterval(() => indexDays(services), INDEX_EVERY_MS).unref());
      void indexDays(services);
    });
    app.addHook('onClose', async () => {
      for (const timer of timers) clearInterval(timer);
      await receiver?.stop();
      await tend();
    });
  },
  { name: 'events', dependencies: ['store'] },
);

/** One round at a time; a part that fails is told and does not keep the others from their turn. */
async function tending(
  services: Services,
  receiver: Receiver,
  relays: Relays,
  files: TlsFiles | undefined,
): Promise<() => Promise<void>> {
  const { clickhouse, log, now } = services;
  let mark = files && (await tlsFilesMark(files));
  const renew = async () => {
    if (!files) return;
    const current = await tlsFilesMark(files);
    if (current === mark) return;
    receiver.renewTls(await readTlsFiles(files));
    // Files that do not fit are read again: the other one may be on its way.
    mark = current;
    log.info({}, 'the certificate for syslog over TLS was read again');
  };
  const report = async () => {
    const reports = receiver.sources.report(now());
    await addSenders(clickhouse, reports).catch((error) => {
      receiver.sources.putBack(reports);
      throw error;
    });
  };
  const parts = [
    [
      async () => receiver.setRegistry(await readRegistry(services, relays)),
      'hosts and devices were not read',
    ],
    [renew, 'the certificate for syslog over TLS is not renewed'],
    [report, 'the counts of syslog senders are not stored yet'],
  ] as const;
  const complain = parts.map(([, text]) =>
    rarely(now, (error) => log.error({ err: error }, text), 6 * REPORT_EVERY_MS),
  );
  const round = async () => {
    for (const [index, [run]] of parts.entries()) await run().catch(complain[index]);
  };
  let running: Promise<void> | undefined;
  return () => {
    running ??= round().finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function readRegistry({ postgres }: Services, relays: Relays): Promise<OriginRegistry> {
  return compileOrigins(await allHosts(postgres), await allDevices(postgres), relays);
}

/** What was measured before a restart. */
async function readClocks({ clickhouse, now }: Services): Promise<KnownClock[]> {
  const sinceMs = now() - KNOWN_CLOCKS_MS;
  const rows = await sendersSince(clickhouse, { sinceMs, limit: MAX_KNOWN_CLOCKS });
  return rows.filter(
    (row) => row.lastAtMs >= sinceMs && (row.zonedOffsetMs !== 0 || row.zonelessOffsetMs !== 0),
  );
}

async function indexDays({ clickhouse, log, now }: Services): Promise<void> {
  await buildTextIndex(clickhouse, now()).catch((error) =>
    log.warn({ err: error }, 'the text of past days is not indexed yet; searches there take longer'),
  );
}

function rarely(now: () => number, tell: (error: unknown) => void, everyMs = REPORT_EVERY_MS) {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (error: unknown): void => {
    if (now() - toldAtMs < everyMs) return;
    toldAtMs = now();
    tell(error);
  };
}

interface TlsSettings {
  readonly port: number;
  readonly clients: ClientCertificates;
  readonly files: TlsFiles;
}

/** Undefined where it is off. Throws PosternError 'bad-setting' where something is missing. */
function tlsSettings(settings: Settings): TlsSettings | undefined {
  const {
    POSTERN_SYSLOG_TLS_PORT: port,
    POSTERN_SYSLOG_TLS_CERT: certificate,
    POSTERN_SYSLOG_TLS_KEY: key,
    POSTERN_SYSLOG_TLS_CA: authorities,
    POSTERN_SYSLOG_TLS_CLIENTS: clients,
  } = settings;
  const isWanted = [port, certificate, key, authorities].some((value) => value !== undefined);
  if (port === 0 || (!isWanted && clients === 'optional')) return undefined;
  if (certificate === undefined || key === undefined)
    throw new PosternError(
      'bad-setting',
      'syslog over TLS needs both POSTERN_SYSLOG_TLS_CERT and POSTERN_SYSLOG_TLS_KEY',
    );
  if (clients === 'required' && authorities === undefined)
    throw new PosternError('bad-setting', 'POSTERN_SYSLOG_TLS_CLIENTS=required needs POSTERN_SYSLOG_TLS_CA');
  return {
    port: port ?? SYSLOG_TLS_PORT,
    // Without an authority nothing could be verified.
    clients: authorities === undefined ? 'none' : clients,
    files: { certificate, key, authorities },
  };
}

function relayList(texts: readonly string[]): Relays {
  return refused('POSTERN_SYSLOG_RELAYS', () => relaysOf(texts));
}

function allowList(text: string): AddressSet {
  const items = text.split(',').flatMap((item) => item.trim() || []);
  return refused('POSTERN_SYSLOG_SENDERS', () => addressSet(...items));
}

function refused<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new PosternError('bad-setting', `${name}: ${(cause as Error).message}`, { cause });
  }
}

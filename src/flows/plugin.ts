// settings -> collector threads whose conversations and attempts go to ClickHouse and whose exporters go to PostgreSQL
import { join } from 'node:path';
import fastifyPlugin from 'fastify-plugin';
import type { LookupTables } from '../../enrichment/pack.ts';
import type {} from '../../enrichment/plugin.ts';
import { type AddressSet, addressSet, NO_ADDRESSES, unionAddresses } from '../model/addresses.ts';
import { PosternError } from '../model/errors.ts';
import type { Logger } from '../model/logger.ts';
import { PRIVATE_ADDRESSES } from '../model/site.ts';
import type {} from '../provide.ts';
import type { Services } from '../services.ts';
import type { Settings } from '../settings.ts';
import { insertAttempts } from '../store/clickhouse/attempts.ts';
import { insertConversations } from '../store/clickhouse/conversations.ts';
import { insertTranslations } from '../store/clickhouse/translations.ts';
import { recordExporters } from '../store/postgres/exporters.ts';
import { createActivity, type FlowActivity } from './activity.ts';
import type { AttemptBatch } from './attempt-batch.ts';
import type { ConversationBatch } from './batch.ts';
import { type Collector, startCollector } from './collector.ts';
import { type SamplingRates, samplingRates } from './sampling-rates.ts';
import { openSpool, type Spool } from './spool.ts';
import { createStoreQueue, type Part, type StoreQueue } from './store-queue.ts';
import { readSessions, withUnheard, writeSessions } from './stored-sessions.ts';
import { renewed, streamSettings, tlsFilesOf } from './stream-settings.ts';
import { thinBatch } from './thin.ts';
import type { TranslationBatch } from './translation-batch.ts';

export interface FlowCounters extends FlowActivity {
  readonly waitingRows: number;
  /** On disk, since the store had no time for them. */
  readonly spooledRows: number;
  readonly spooledBytes: number;
  readonly storedRows: number;
  readonly kernelDrops: number;
}

export interface Flows {
  /** Since the start of this process; all zero where it does not collect. */
  counters(): Promise<FlowCounters>;
  /** UDP ports bound, NetFlow, IPFIX, sFlow, without those that are off. */
  ports(): readonly number[];
  /** TCP ports of IPFIX, plain and over TLS; 0 where it is off. */
  streamPorts(): readonly [number, number];
  /** Resolves when all that was received until now is handed to the store's queue. */
  flush(): Promise<void>;
  setInternal(internal: AddressSet): void;
  setTables(tables: LookupTables): void;
  /** An empty set allows all. */
  setAllowed(allowed: AddressSet): void;
  /** Addresses of known hosts, toward which each attempt is kept; an empty set keeps none. */
  setHosts(hosts: AddressSet): void;
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly flows: Flows;
  }
}

/** Within the 10 s that a stop may take. */
const STORE_CLOSE_MS = 4000;
const LOOK_AT_FILES_MS = 10_000;
/** In the data folder. */
const SESSIONS_FILE = 'flow-templates.json';
/** Attempts (about 90 bytes each) that wait in memory while the store is down. */
const ATTEMPT_QUEUE_ROWS = 500_000;
/** The same for translations of addresses (about 95 bytes each). */
const TRANSLATION_QUEUE_ROWS = 500_000;

export default fastifyPlugin(
  async (app) => {
    const { services } = app;
    const { settings, log } = services;
    const collects = settings.POSTERN_ROLES.includes('collect');
    let internal = siteInternal(settings);
    let allowed = setOf('POSTERN_FLOW_EXPORTERS', settings.POSTERN_FLOW_EXPORTERS);
    const activity = createActivity();
    let collector: Collector | undefined;
    let queue: StoreQueue | undefined;
    let attempts: StoreQueue<AttemptBatch> | undefined;
    let translations: StoreQueue<TranslationBatch> | undefined;
    let hosts = NO_ADDRESSES;
    let stopTables = () => {};
    let timer: NodeJS.Timeout | undefined;
    let renewal: NodeJS.Timeout | undefined;
    let writing: Promise<void> = Promise.resolve();
    let storing: Promise<void> = Promise.resolve();

    const writeExporters = () => {
      writing = writing.then(async () => {
        const pending = activity.takePending();
        if (pending.length === 0) return;
        try {
          activity.notRecorded(await recordExporters(services.postgres, pending));
        } catch (error) {
          activity.putBack(pending);
          log.warn({ err: error, exporters: pending.length }, 'exporters are not recorded yet');
        }
      });
      return writing;
    };

    app.decorate('flows', {
      counters: async () => ({
        ...activity.totals(),
        waitingRows: queue?.waitingRows() ?? 0,
        spooledRows: queue?.spooledRows() ?? 0,
        spooledBytes: queue?.spooledBytes() ?? 0,
        storedRows: queue?.storedRows() ?? 0,
        kernelDrops: (await collector?.kernelDrops()) ?? 0,
      }),
      ports: () => collector?.ports ?? [],
      streamPorts: () => collector?.streamPorts ?? [0, 0],
      flush: async () => collector?.flush(),
      setInternal: (set) => {
        internal = set;
        collector?.setInternal(set);
      },
      setTables: (tables) => collector?.setTables(tables),
      setAllowed: (set) => {
        allowed = set;
        collector?.setAllowed(set);
      },
      setHosts: (set) => {
        hosts = set;
        collector?.setHosts(set);
      },
    } satisfies Flows);

    app.addHook('onReady', async () => {
      const threads = collectorSettings(settings);
      if (!collects) return;
      const streams = await streamSettings(settings);
      if (threads.ports.length === 0 && !streams) return;
      queue = await openQueue(services, activity.dropped);
      attempts = createStoreQueue<AttemptBatch>({
        maxRows: ATTEMPT_QUEUE_ROWS,
        spool: await spoolFor('attempts', services, activity.attemptsDropped),
        insert: (batches, id) => insertAttempts(services.clickhouse, batches, id),
        onDropped: activity.attemptsDropped,
        onError: (error, waitingRows) =>
          log.error({ err: error, waitingRows }, 'attempts cannot be stored; trying again'),
      });
      translations = createStoreQueue<TranslationBatch>({
        maxRows: TRANSLATION_QUEUE_ROWS,
        spool: await spoolFor('translations', services, activity.translationsDropped),
        insert: (batches, id) => insertTranslations(services.clickhouse, batches, id),
        onDropped: activity.translationsDropped,
        onError: (error, waitingRows) =>
          log.error({ err: error, waitingRows }, 'translations of addresses cannot be stored; trying again'),
      });
      const [into, attemptsInto, translationsInto] = [queue, attempts, translations];
      const sessionsFile = join(services.dataFolder, SESSIONS_FILE);
      const startedAtMs = services.now();
      const known = await readSessions(sessionsFile, startedAtMs);
      collector = await startCollector({
        ...threads,
        rates: ratesOf(settings.POSTERN_FLOW_SAMPLING),
        streams,
        internal,
        allowed,
        hosts,
        tables: app.enrichment.tables(),
        onBatch: (batch) => into.push(batch),
        onAttempts: (batch) => attemptsInto.push(batch),
        onTranslations: (batch) => translationsInto.push(batch),
        onReport: activity.add,
        sessions: known,
        onSessions: (sessions) => {
          const nowMs = services.now();
          storing = storing
            .then(() => writeSessions(sessionsFile, withUnheard(sessions, known, nowMs - startedAtMs), nowMs))
            .catch((error) => log.warn({ err: error }, 'templates of exporters are not stored'));
        },
        onFailure: (error) => log.error({ err: error }, 'a collector thread ended and is started again'),
      });
      // They may have changed while the threads started.
      collector.setHosts(hosts);
      warnOfSmallBuffer(collector, settings, log);
      stopTables = app.enrichment.onTables((tables) => collector?.setTables(tables));
      timer = setInterval(writeExporters, settings.POSTERN_FLOW_FLUSH_SECONDS * 1000).unref();
      renewal = renewCertificate(collector, settings, log);
    });

    app.addHook('onClose', async () => {
      clearInterval(timer);
      clearInterval(renewal);
      stopTables();
      await collector?.stop();
      await storing;
      await Promise.all([queue, attempts, translations].map((one) => one?.close(STORE_CLOSE_MS)));
      await writeExporters();
    });
  },
  { name: 'flows', dependencies: ['store', 'enrichment'] },
);

/** Throws PosternError 'bad-setting'. */
function siteInternal(settings: Pick<Settings, 'POSTERN_INTERNAL'>): AddressSet {
  return unionAddresses(PRIVATE_ADDRESSES, setOf('POSTERN_INTERNAL', settings.POSTERN_INTERNAL));
}

function setOf(name: string, texts: readonly string[]): AddressSet {
  try {
    return addressSet(...texts);
  } catch (cause) {
    throw new PosternError(
      'bad-setting',
      `${name} is refused: ${(cause as Error).message} (a list of addresses and prefixes with commas)`,
      { cause },
    );
  }
}

function collectorSettings(settings: Settings) {
  const { POSTERN_NETFLOW_PORT, POSTERN_IPFIX_PORT, POSTERN_SFLOW_PORT } = settings;
  const ports = [POSTERN_NETFLOW_PORT, POSTERN_IPFIX_PORT, POSTERN_SFLOW_PORT].filter((port) => port !== 0);
  return {
    host: settings.POSTERN_FLOW_HOST,
    ports: [...new Set(ports)],
    threads: settings.POSTERN_COLLECTOR_THREADS,
    receiveBufferBytes: settings.POSTERN_FLOW_RECEIVE_BUFFER_BYTES,
    flushMs: settings.POSTERN_FLOW_FLUSH_SECONDS * 1000,
    maxConversations: settings.POSTERN_FLOW_MAX_CONVERSATIONS,
    maxSessions: settings.POSTERN_FLOW_MAX_SESSIONS,
  };
}

/** Files that do not fit are looked at again: the other one may be on its way. */
function renewCertificate(collector: Collector, settings: Settings, log: Logger): NodeJS.Timeout | undefined {
  const files = tlsFilesOf(settings);
  if (!files) return undefined;
  let mark: string | undefined;
  const look = async () => {
    try {
      const { material, mark: current } = await renewed(files, mark);
      mark = current;
      if (!material) return;
      collector.setMaterial(material);
      log.info({}, 'the certificate for IPFIX over TLS was read again');
    } catch (error) {
      log.warn({ err: error }, 'the certificate for IPFIX over TLS is not renewed');
    }
  };
  void look();
  return setInterval(look, LOOK_AT_FILES_MS).unref();
}

/** Throws PosternError 'bad-setting'. */
function ratesOf(texts: readonly string[]): SamplingRates {
  try {
    return samplingRates(texts);
  } catch (cause) {
    throw new PosternError('bad-setting', `POSTERN_FLOW_SAMPLING is refused: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Below the data folder; undefined where the settings leave no room for one. */
async function spoolFor<Batch extends { readonly count: number }>(
  name: string,
  { dataFolder, settings, log }: Services,
  dropped: (batch: Batch) => void,
): Promise<Spool<Part<Batch>> | undefined> {
  const maxBytes = settings.POSTERN_FLOW_SPOOL_BYTES;
  if (maxBytes === 0) return undefined;
  return openSpool<Part<Batch>>({
    folder: join(dataFolder, 'spool', name),
    maxBytes,
    onLost: (error, part) => {
      log.error({ err: error, rows: part?.count }, `${name} that waited on disk are lost`);
      for (const batch of part?.batches ?? []) dropped(batch);
    },
  });
}

async function openQueue(
  services: Services,
  dropped: (batch: ConversationBatch) => void,
): Promise<StoreQueue> {
  const { settings, clickhouse, log } = services;
  return createStoreQueue({
    maxRows: settings.POSTERN_FLOW_QUEUE_ROWS,
    spool: await spoolFor('conversations', services, dropped),
    thin: thinBatch,
    insert: (batches, id) => insertConversations(clickhouse, batches, id),
    onDropped: dropped,
    onError: (error, waitingRows) =>
      log.error({ err: error, waitingRows }, 'conversations cannot be stored; trying again'),
  });
}

function warnOfSmallBuffer(collector: Collector, settings: Settings, log: Logger): void {
  const wanted = settings.POSTERN_FLOW_RECEIVE_BUFFER_BYTES;
  // Linux reports twice what can be used.
  const granted = collector.receiveBufferBytes / 2;
  if (collector.ports.length === 0 || granted >= wanted) return;
  log.warn(
    { wantedBytes: wanted, grantedBytes: granted },
    `bursts of flow exports may be lost: raise net.core.rmem_max to ${wanted} (sysctl), or lower POSTERN_FLOW_RECEIVE_BUFFER_BYTES`,
  );
}

// settings -> the syslog receiver in processes with the role "syslog", and who is told of events
import fp from 'fastify-plugin';
import { addressSet } from '../model/addresses.ts';
import { PosternError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { insertEvents } from '../store/clickhouse/events.ts';
import { type Receiver, type ReceiverCounters, startReceiver } from './receive.ts';

export interface EventService {
  /** Told of every batch before it is stored, at most once a second; returns how to stop that. A callback that throws is logged. */
  onEvents(callback: (batch: readonly Event[]) => void): () => void;
  /** undefined where this process receives none. */
  counters(): Readonly<ReceiverCounters> | undefined;
  /** Lines by sender that the allow-list leaves out. */
  unknownSenders(): ReadonlyMap<string, number>;
  /** Unread lines of known programs by shape. */
  unreadShapes(): ReadonlyMap<string, number>;
  /** Stores what waits. */
  flush(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly events: EventService;
  }
}

/** A store that is down is reported this often. */
const REPORT_EVERY_MS = 10_000;

export default fp(
  async (app) => {
    const { settings, now, log } = app.services;
    const callbacks = new Set<(batch: readonly Event[]) => void>();
    const senders = allowList(settings.POSTERN_SYSLOG_SENDERS);
    let receiver: Receiver | undefined;
    let reportedAtMs = Number.NEGATIVE_INFINITY;
    app.decorate('events', {
      onEvents: (callback) => {
        callbacks.add(callback);
        return () => callbacks.delete(callback);
      },
      counters: () => receiver?.counters,
      unknownSenders: () => receiver?.unknownSenders ?? new Map(),
      unreadShapes: () => receiver?.unreadShapes ?? new Map(),
      flush: async () => receiver?.flush(),
    } satisfies EventService);

    app.addHook('onReady', async () => {
      if (!settings.POSTERN_ROLES.includes('syslog') || settings.POSTERN_SYSLOG_PORT === 0) return;
      receiver = await startReceiver({
        host: settings.POSTERN_SYSLOG_HOST,
        port: settings.POSTERN_SYSLOG_PORT,
        senders,
        maxConnections: settings.POSTERN_SYSLOG_MAX_CONNECTIONS,
        idleTimeoutMs: settings.POSTERN_SYSLOG_IDLE_SECONDS * 1000,
        maxQueuedEvents: settings.POSTERN_SYSLOG_QUEUE_EVENTS,
        now,
        store: (batch) => insertEvents(app.services.clickhouse, batch),
        onEvents: (batch) => {
          for (const callback of callbacks) {
            try {
              callback(batch);
            } catch (error) {
              log.error({ err: error }, 'events were not acted upon');
            }
          }
        },
        onError: (error) => {
          if (now() - reportedAtMs < REPORT_EVERY_MS) return;
          reportedAtMs = now();
          log.error({ err: error }, 'events cannot be stored; they wait');
        },
      });
    });
    app.addHook('onClose', async () => {
      await receiver?.stop();
    });
  },
  { name: 'events', dependencies: ['store'] },
);

function allowList(text: string) {
  try {
    return addressSet(
      ...text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    );
  } catch (cause) {
    throw new PosternError('bad-setting', `POSTERN_SYSLOG_SENDERS: ${(cause as Error).message}`, { cause });
  }
}

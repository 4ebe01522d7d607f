// /metrics for Prometheus: read when asked, from the stores and the counters of this process
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Type } from 'typebox';
import { hostAnalytics } from '../analytics/index.ts';
import type {} from '../events/plugin.ts';
import type {} from '../flows/plugin.ts';
import { PLATFORMS } from '../model/host.ts';
import { duplicatesBetween } from '../store/clickhouse/duplicate-paths.ts';
import { sendersSince } from '../store/clickhouse/senders.ts';
import { countAlerts } from '../store/postgres/alerts.ts';
import { allDevices, deviceHealth } from '../store/postgres/devices.ts';
import { countDeliveries } from '../store/postgres/endpoints.ts';
import { foremostExporters } from '../store/postgres/exporters.ts';
import { countHosts, countOpenHostWatches } from '../store/postgres/hosts.ts';
import { figuresOf } from './exporter-figures.ts';
import type { Web } from './schema.ts';

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];
type Read = () => Promise<readonly Sample[]>;

/** Exporters and devices with samples of their own. */
const MAX_LABELS = 1000;
const seconds = (time: Date | null | undefined) => (time ? time.getTime() / 1000 : 0);

export function metricRoutes(app: Web): void {
  const registry = new Registry();
  app.addHook('onReady', async () => {
    collectDefaultMetrics({ register: registry });
    serviceMetrics(app, registry);
  });
  app.addHook('onClose', async () => registry.clear());
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['health'],
        summary: 'Metrics in the text format of Prometheus',
        produces: ['text/plain'],
        response: { 200: Type.String() },
      },
      config: { right: app.services.settings.POSTERN_METRICS_OPEN === 'on' ? 'open' : 'metrics:read' },
    },
    async (_request, reply) => {
      const text = await registry.metrics();
      return reply.type(registry.contentType).serializer(String).send(text);
    },
  );
}

function serviceMetrics(app: Web, registry: Registry): void {
  const { services } = app;
  const { postgres } = services;
  const gauge = (name: string, help: string, labelNames: string[], read: Read) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const samples = await read();
        this.reset();
        for (const [labels, value] of samples) this.set(labels, value);
      },
    });
  const counter = (name: string, help: string, labelNames: string[], read: Read) =>
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const samples = await read();
        this.reset();
        for (const [labels, value] of samples) this.inc(labels, Math.max(0, value));
      },
    });

  gauge('postern_jobs', 'Jobs by queue and state', ['queue', 'state'], async () =>
    Object.entries(await services.jobs.counts()).flatMap(([queue, states]) =>
      Object.entries(states).map(([state, count]): Sample => [{ queue, state }, count]),
    ),
  );
  gauge('postern_alerts', 'Alerts by severity and status', ['severity', 'status'], async () =>
    (await countAlerts(postgres)).map(({ count, ...labels }): Sample => [labels, count]),
  );
  gauge('postern_deliveries', 'Deliveries by state', ['state'], async () =>
    (await countDeliveries(postgres)).map(({ count, ...labels }): Sample => [labels, count]),
  );
  gauge(
    'postern_enrichment_last_refresh_timestamp_seconds',
    'When the publisher of a list last gave or confirmed what is used of it; 0 for never',
    ['source'],
    async () =>
      services.enrichment
        .status()
        .map(({ name, asOfMs = 0 }): Sample => [{ source: name }, Math.floor(asOfMs / 1000)]),
  );
  deviceMetrics(app, gauge);
  hostMetrics(app, gauge);
  flowMetrics(app, gauge, counter);
  counter(
    'postern_syslog_total',
    'What the syslog receiver of this process counted',
    ['counter'],
    async () => {
      const { openConnections: _, ...counters } = app.events.counters() ?? { openConnections: 0 };
      return named(counters);
    },
  );
  counter(
    'postern_syslog_kernel_drops_total',
    'Syslog datagrams that the kernel dropped because we were too slow',
    [],
    async () => [[{}, await app.events.kernelDrops()]],
  );
  gauge(
    'postern_syslog_unread_shapes',
    'Shapes of lines of known programs that no reader understood; /v1/events/unread lists them',
    [],
    async () => [[{}, app.events.unreadShapes().size]],
  );
  senderMetrics(app, gauge);
  gauge('postern_syslog_open_connections', 'Open syslog connections', [], async () => [
    [{}, app.events.counters()?.openConnections ?? 0],
  ]);
}

const named = (counters: Readonly<Record<string, number>>) =>
  Object.entries(counters).map(([counter, count]): Sample => [{ counter }, count]);

function senderMetrics(app: Web, gauge: Define): void {
  gauge(
    'postern_sender_clock_offset_seconds',
    "The sender's clock minus ours, where they differ by more than whole seconds can tell",
    ['sender', 'host'],
    async () => {
      const sinceMs = app.services.now() - 86_400_000;
      const rows = await sendersSince(app.services.clickhouse, { sinceMs, limit: 10 * MAX_LABELS });
      return rows
        .flatMap(({ sender, host, zonedOffsetMs, zonelessOffsetMs }): Sample[] => {
          const offsetMs = zonedOffsetMs || zonelessOffsetMs;
          return offsetMs === 0 ? [] : [[{ sender, host }, offsetMs / 1000]];
        })
        .slice(0, MAX_LABELS);
    },
  );
}

type Define = (name: string, help: string, labelNames: string[], read: Read) => unknown;

function deviceMetrics({ services: { postgres } }: Web, gauge: Define): void {
  const read = async (pick: (health: { last: Date | null; failures: number }) => number) => {
    const devices = (await allDevices(postgres)).slice(0, MAX_LABELS);
    const health = await deviceHealth(
      postgres,
      devices.map(({ id }) => id),
    );
    return devices.map(({ id, name }): Sample => {
      const one = health.get(id);
      const last = one?.last_success_at ?? null;
      return [{ device: name }, pick({ last, failures: one?.consecutive_failures ?? 0 })];
    });
  };
  gauge(
    'postern_device_last_pull_timestamp_seconds',
    'Begin of the last pull that succeeded; 0 for none',
    ['device'],
    () => read(({ last }) => seconds(last)),
  );
  gauge('postern_device_pull_failures', 'Pulls that failed since the last success', ['device'], () =>
    read(({ failures }) => failures),
  );
}

/** Zeros are told, so that a rule can ask for them. */
function hostMetrics({ services: { postgres } }: Web, gauge: Define): void {
  gauge('postern_hosts', 'Hosts that are registered, by platform', ['platform'], async () => {
    const counts = new Map((await countHosts(postgres)).map((row) => [row.platform, row.count]));
    return PLATFORMS.map((platform): Sample => [{ platform }, counts.get(platform) ?? 0]);
  });
  gauge('postern_host_watches_open', 'Open questions about hosts, by analytic', ['analytic'], async () => {
    const counts = new Map((await countOpenHostWatches(postgres)).map((row) => [row.analytic, row.count]));
    return hostAnalytics.map(({ id }): Sample => [{ analytic: id }, counts.get(id) ?? 0]);
  });
}

function flowMetrics(app: Web, gauge: Define, counter: Define): void {
  const { postgres } = app.services;
  counter(
    'postern_flow_total',
    'What decoding and folding in this process counted, over all exporters',
    ['counter'],
    async () => {
      const { counters, refused, sessionsEvicted, droppedRows, storedRows, kernelDrops } =
        await app.flows.counters();
      const refusedDatagrams = Object.values(refused).reduce((sum, count) => sum + count, 0);
      return named({ ...counters, refusedDatagrams, sessionsEvicted, droppedRows, storedRows, kernelDrops });
    },
  );
  gauge('postern_flow_spool_bytes', 'Conversations that wait on disk for ClickHouse', [], async () => [
    [{}, (await app.flows.counters()).spooledBytes],
  ]);
  gauge('postern_flow_waiting_rows', 'Conversations that wait in memory for ClickHouse', [], async () => [
    [{}, (await app.flows.counters()).waitingRows],
  ]);
  gauge(
    'postern_flow_duplicate_paths',
    'Interfaces whose packets an elected exporter shows, too: they count only where that one does not show them',
    [],
    async () => {
      const { clickhouse, now } = app.services;
      const open = await duplicatesBetween(clickhouse, now(), now());
      return [[{}, new Set(open.map((one) => `${one.exporter} ${one.interface}`)).size]];
    },
  );
  counter(
    'postern_flow_kernel_drops_total',
    'Datagrams that the kernel dropped because the sockets for flows were full: we were too slow',
    [],
    async () => [[{}, (await app.flows.counters()).kernelDrops]],
  );
  exporterMetrics(app, gauge, counter);
  gauge(
    'postern_exporter_last_seen_timestamp_seconds',
    'When an exporter was last heard of; known: a device has its address',
    ['exporter', 'known'],
    async () =>
      (await foremostExporters(postgres, MAX_LABELS)).map(
        ({ address, device_id, last_seen_at }): Sample => [
          { exporter: address, known: String(device_id !== null) },
          seconds(last_seen_at),
        ],
      ),
  );
}

/** By exporter, of the first thousand: what tells whether its export can be relied on. */
function exporterMetrics({ services: { postgres, now } }: Web, gauge: Define, counter: Define): void {
  // All are asked at once; one query does for them.
  let reading: ReturnType<typeof foremostExporters> | undefined;
  const rows = () => {
    reading ??= foremostExporters(postgres, MAX_LABELS).finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const read = (pick: (figures: ReturnType<typeof figuresOf>, counters: Counts) => number) => async () =>
    (await rows()).map(
      (row): Sample => [{ exporter: row.address }, pick(figuresOf(row, now()), row.counters)],
    );
  const labels = ['exporter'];
  counter(
    'postern_exporter_datagrams_total',
    'Datagrams of an exporter',
    labels,
    read((_, { datagrams = 0 }) => datagrams),
  );
  counter(
    'postern_exporter_records_total',
    'Flow records of an exporter',
    labels,
    read((_, { records = 0 }) => records),
  );
  counter(
    'postern_exporter_lost_total',
    'Missing by the sequence numbers of an exporter: records in NetFlow v5 and IPFIX, else datagrams',
    labels,
    read(({ loss }) => loss.lost),
  );
  counter(
    'postern_exporter_reordered_total',
    'Datagrams of an exporter that came late, and are not lost',
    labels,
    read(({ loss }) => loss.reordered),
  );
  counter(
    'postern_exporter_restarts_total',
    'Times that an exporter began to count anew',
    labels,
    read(({ loss }) => loss.restarts),
  );
  gauge(
    'postern_exporter_sampling_rate',
    'One packet in so many, of the last record of an exporter',
    labels,
    read(({ sampling }) => sampling.rate),
  );
  gauge(
    'postern_exporter_clock_offset_seconds',
    'Our clock minus that of an exporter, by the header of its last datagram',
    labels,
    read(({ clock }) => clock.offsetSeconds),
  );
}

type Counts = Readonly<Record<string, number>>;

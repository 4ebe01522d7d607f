// /v1/exporters: who sends flows, for which device
import { type Static, Type } from 'typebox';
import { lacksOf } from '../flows/lacks.ts';
import { interfacesOf } from '../store/clickhouse/telemetry.ts';
import { deviceById, deviceNames } from '../store/postgres/devices.ts';
import { type Exporter, exporterByAddress, listExporters } from '../store/postgres/exporters.ts';
import { found } from './problem.ts';
import { cursorKey, Nullable, Page, PageQuery, pageOf, Strict, Time, type Web } from './schema.ts';

const HOUR_MS = 3_600_000;
const ExporterView = Type.Object({
  address: Type.String(),
  device: Nullable(Type.Object({ id: Type.String(), name: Type.String() })),
  unknown: Type.Boolean({ description: 'No device has this address' }),
  versions: Type.Array(Type.String()),
  firstSeenAt: Time,
  lastSeenAt: Time,
  counters: Type.Record(Type.String(), Type.Number()),
});

function present(row: Exporter, names: ReadonlyMap<string, string>): Static<typeof ExporterView> {
  const name = row.device_id === null ? undefined : names.get(row.device_id);
  return {
    address: row.address,
    device: name === undefined ? null : { id: row.device_id!, name },
    unknown: name === undefined,
    versions: row.versions,
    firstSeenAt: row.first_seen_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    counters: row.counters,
  };
}

const InterfaceView = Type.Object({
  index: Type.Integer({ description: 'As in the flow records (ifIndex)' }),
  outPackets: Type.Number({ description: 'From inside to outside in the last hour, as sampled' }),
  inPackets: Type.Number(),
  showsBothDirections: Type.Boolean(),
});
const ExporterDetail = Type.Object({
  ...ExporterView.properties,
  interfaces: Type.Array(InterfaceView),
  lacks: Type.Array(
    Type.Object({
      lack: Type.String(),
      reason: Type.String(),
      analytics: Type.Array(Type.String(), { description: 'That judge worse for it, or not at all' }),
      lines: Type.Record(Type.String(), Type.Array(Type.String()), {
        description: 'Of its configuration, by vendor; COLLECTOR, INTERFACE and TIMESERVER stand for yours',
      }),
    }),
  ),
});

export function exporterRoutes(app: Web): void {
  list(app);
  read(app);
}

function read(app: Web): void {
  app.get(
    '/v1/exporters/:address',
    {
      schema: {
        tags: ['flows'],
        summary:
          'What an exporter shows, what it lacks for the analytics, and the configuration that would change it',
        params: Strict({ address: Type.String({ minLength: 2, maxLength: 45 }) }),
        response: { 200: ExporterDetail },
      },
      config: { right: 'exporters:read' },
    },
    async ({ params }) => {
      const { postgres, clickhouse, now } = app.services;
      const row = found(await exporterByAddress(postgres, params.address), 'exporter');
      const device = row.device_id === null ? undefined : await deviceById(postgres, row.device_id);
      const interfaces = await interfacesOf(clickhouse, row.address, now() - HOUR_MS);
      const lacks = lacksOf(
        {
          versions: row.versions,
          counters: row.counters,
          lastSeenMs: row.last_seen_at.getTime(),
          nowMs: now(),
          interfaces,
        },
        device?.vendor,
      );
      return {
        ...present(row, new Map(device ? [[device.id, device.name]] : [])),
        interfaces: interfaces.map((one) => ({
          ...one,
          showsBothDirections: one.outPackets > 0 && one.inPackets > 0,
        })),
        lacks: lacks.map(({ lack, reason, analytics, lines }) => ({
          lack,
          reason,
          analytics: [...analytics],
          lines: Object.fromEntries(Object.entries(lines).map(([vendor, some]) => [vendor, [...some]])),
        })),
      };
    },
  );
}

function list(app: Web): void {
  app.get(
    '/v1/exporters',
    {
      schema: {
        tags: ['flows'],
        summary: 'List exporters in order of address; a device is found when its next flows come',
        querystring: Strict(PageQuery),
        response: { 200: Page(ExporterView) },
      },
      config: { right: 'exporters:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const { postgres } = app.services;
      const after = cursorKey(cursor, 1)?.[0];
      const rows = await listExporters(postgres, { after, limit: limit + 1 });
      const names = await deviceNames(
        postgres,
        rows.flatMap((row) => row.device_id ?? []),
      );
      return pageOf(
        rows,
        limit,
        (row) => [row.address],
        (row) => present(row, names),
      );
    },
  );
}

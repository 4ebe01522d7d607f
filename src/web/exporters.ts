// /v1/exporters: who sends flows, for which device
import { type Static, Type } from 'typebox';
import { type DuplicatePath, showsBoth } from '../flows/duplicates-elect.ts';
import { lacksOf } from '../flows/lacks.ts';
import { duplicatesBetween } from '../store/clickhouse/duplicate-paths.ts';
import { interfacesOf } from '../store/clickhouse/telemetry.ts';
import { deviceById, deviceNames } from '../store/postgres/devices.ts';
import { type Exporter, exporterByAddress, listExporters } from '../store/postgres/exporters.ts';
import { ExporterFigures, figuresOf } from './exporter-figures.ts';
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
  ...ExporterFigures,
  counters: Type.Record(Type.String(), Type.Number(), { description: 'All that was counted, by name' }),
  shownTwice: Type.Object(
    {
      elected: Type.Integer({ description: 'Of its interfaces: elected, while others show the same' }),
      leftOut: Type.Integer({
        description: 'Of its interfaces: counted only where the elected one shows less',
      }),
    },
    { description: 'Interfaces that show packets which another exporter or interface shows, too' },
  ),
});

function present(
  row: Exporter,
  names: ReadonlyMap<string, string>,
  duplicates: readonly DuplicatePath[],
  nowMs: number,
): Static<typeof ExporterView> {
  const name = row.device_id === null ? undefined : names.get(row.device_id);
  return {
    address: row.address,
    device: name === undefined ? null : { id: row.device_id!, name },
    unknown: name === undefined,
    versions: row.versions,
    firstSeenAt: row.first_seen_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    ...figuresOf(row, nowMs),
    counters: row.counters,
    shownTwice: shownTwice(row.address, duplicates),
  };
}

function shownTwice(address: string, duplicates: readonly DuplicatePath[]) {
  const own = (paths: readonly { exporter: string; interface: number }[]) =>
    new Set(paths.flatMap((path) => (path.exporter === address ? path.interface : [])));
  const leftOut = own(duplicates);
  const elected = own(duplicates.map((one) => one.elected));
  return { elected: [...elected].filter((index) => !leftOut.has(index)).length, leftOut: leftOut.size };
}

const Path = Type.Object({ exporter: Type.String(), interface: Type.Integer() });

const InterfaceView = Type.Object({
  index: Type.Integer({ description: 'As in the flow records (ifIndex)' }),
  outPackets: Type.Number({ description: 'From inside to outside in the last hour, as sampled' }),
  inPackets: Type.Number(),
  outPacketsPerSecond: Type.Number({
    description: 'In the last hour, scaled by the sampling rate that it states last',
  }),
  inPacketsPerSecond: Type.Number(),
  showsBothDirections: Type.Boolean({
    description: 'Of the packets of each direction at least one for a hundred of the other',
  }),
  elected: Type.Boolean({ description: 'Counts whatever it shows' }),
  duplicateOf: Type.Array(Path, { description: 'Counts only where none of these shows the same' }),
});
const DuplicateView = Type.Object({
  interface: Type.Integer({ description: 'Of this exporter' }),
  other: Path,
  elected: Type.Boolean({ description: 'Of the two, this one counts' }),
  shareOut: Nullable(
    Type.Number({
      description:
        'From 0 to 1: how much of what the smaller one shows the other shows, too; null where that direction is not the same',
    }),
  ),
  shareIn: Nullable(Type.Number()),
  since: Time,
  lastFoundAt: Time,
});
const ExporterDetail = Type.Object({
  ...ExporterView.properties,
  vendor: Nullable(Type.String({ description: 'Of its device' })),
  interfaces: Type.Array(InterfaceView),
  duplicates: Type.Array(DuplicateView, {
    description: 'Other exporters and interfaces that show the same packets',
  }),
  lacks: Type.Array(
    Type.Object({
      lack: Type.String(),
      reason: Type.String(),
      analytics: Type.Array(Type.String(), { description: 'That judge worse for it, or not at all' }),
      lines: Type.Record(Type.String(), Type.Array(Type.String()), {
        description:
          'Of its configuration, by vendor; COLLECTOR, SOURCE, INTERFACE and TIMESERVER stand for yours',
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
      const [device, interfaces, duplicates] = await Promise.all([
        row.device_id === null ? undefined : deviceById(postgres, row.device_id),
        interfacesOf(clickhouse, row.address, now() - HOUR_MS),
        duplicatesBetween(clickhouse, now(), now(), row.address),
      ]);
      const leftOut = duplicates.filter(({ exporter }) => exporter === row.address);
      const lacks = lacksOf(
        {
          duplicates: leftOut,
          versions: row.versions,
          counters: row.counters,
          lastSeenMs: row.last_seen_at.getTime(),
          nowMs: now(),
          interfaces,
        },
        device?.vendor,
      );
      return {
        ...present(row, new Map(device ? [[device.id, device.name]] : []), duplicates, now()),
        vendor: device?.vendor ?? null,
        interfaces: interfaces.map((one) => presentInterface(one, row, leftOut)),
        duplicates: duplicates.map((one) => presentDuplicate(one, row.address)),
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

function presentInterface(
  one: { index: number; outPackets: number; inPackets: number },
  { counters }: Exporter,
  leftOut: readonly DuplicatePath[],
): Static<typeof InterfaceView> {
  const perSecond = (packets: number) =>
    Math.round(((packets * Math.max(1, counters.samplingRate ?? 1)) / (HOUR_MS / 1000)) * 1000) / 1000;
  const duplicateOf = leftOut
    .filter((path) => path.interface === one.index)
    .map(({ elected }) => ({ ...elected }));
  return {
    ...one,
    outPacketsPerSecond: perSecond(one.outPackets),
    inPacketsPerSecond: perSecond(one.inPackets),
    showsBothDirections: showsBoth(one),
    elected: duplicateOf.length === 0,
    duplicateOf,
  };
}

/** A pair seen from the exporter's side; where both paths are its own, from the one that is left out. */
function presentDuplicate(one: DuplicatePath, address: string): Static<typeof DuplicateView> {
  const isLeftOut = one.exporter === address;
  const path = { exporter: one.exporter, interface: one.interface };
  const share = (value: number) => (value > 0 ? Math.round(value * 1000) / 1000 : null);
  return {
    interface: isLeftOut ? one.interface : one.elected.interface,
    other: isLeftOut ? { ...one.elected } : path,
    elected: !isLeftOut,
    shareOut: share(one.shareOut),
    shareIn: share(one.shareIn),
    since: new Date(one.sinceMs).toISOString(),
    lastFoundAt: new Date(one.foundAtMs).toISOString(),
  };
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
      const { postgres, clickhouse, now } = app.services;
      const after = cursorKey(cursor, 1)?.[0];
      const [rows, duplicates] = await Promise.all([
        listExporters(postgres, { after, limit: limit + 1 }),
        duplicatesBetween(clickhouse, now(), now()),
      ]);
      const names = await deviceNames(
        postgres,
        rows.flatMap((row) => row.device_id ?? []),
      );
      return pageOf(
        rows,
        limit,
        (row) => [row.address],
        (row) => present(row, names, duplicates, now()),
      );
    },
  );
}

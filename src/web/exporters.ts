// /v1/exporters: who sends flows, for which device
import { type Static, Type } from 'typebox';
import { deviceNames } from '../store/postgres/devices.ts';
import { type Exporter, listExporters } from '../store/postgres/exporters.ts';
import { cursorKey, Nullable, Page, PageQuery, pageOf, Strict, Time, type Web } from './schema.ts';

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

export function exporterRoutes(app: Web): void {
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

// /v1/coverage: which analytics can see which devices, by what really arrives
import { type Static, Type } from 'typebox';
import { changeAnalytics } from '../analytics/index.ts';
import type { Services } from '../services.ts';
import { lastEventBySender, returnsByExporter } from '../store/clickhouse/telemetry.ts';
import { type Device, deviceHealth, listDevices } from '../store/postgres/devices.ts';
import { lastSeenOf } from '../store/postgres/exporters.ts';
import { anyTicket } from '../store/postgres/tickets.ts';
import { cursorKey, oneOf, Page, PageQuery, pageOf, Strict, type Web } from './schema.ts';
import { type Arrivals, RETURN_WINDOW_MS, SYSLOG_SILENCE_MS, sightOf } from './telemetry.ts';

export const SightView = Type.Object({
  analytic: Type.String(),
  title: Type.String(),
  sight: oneOf(['sees', 'partly', 'blind'], {
    description: 'blind: something is missing that it cannot do without',
  }),
  streams: Type.Array(
    Type.Object({
      telemetry: Type.String(),
      required: Type.Boolean(),
      why: Type.String(),
      arrives: Type.Boolean(),
      reason: Type.String(),
    }),
  ),
});
const CoverageView = Type.Object({
  device: Type.Object({ id: Type.String(), name: Type.String() }),
  analytics: Type.Array(SightView),
});
/** The sources that know networks; the others know categories. */
const NETWORK_SOURCES = ['mmdb', 'iptoasn'];

export function coverageRoutes(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/coverage',
    {
      schema: {
        tags: ['coverage'],
        summary: 'For each device which analytics can see it, and what is missing',
        querystring: Strict(PageQuery),
        response: { 200: Page(CoverageView) },
      },
      config: { right: 'coverage:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const after = cursorKey(cursor, 1)?.[0];
      const devices = await listDevices(services.postgres, { after, limit: limit + 1 });
      const arrivalsOf = await observe(devices, services);
      return pageOf(
        devices,
        limit,
        (device) => [device.name],
        (device) => present(device, arrivalsOf(device)),
      );
    },
  );
}

function present(device: Device, arrivals: Arrivals): Static<typeof CoverageView> {
  const sights = changeAnalytics.map((analytic) => sightOf(analytic, arrivals));
  return {
    device: { id: device.id, name: device.name },
    analytics: sights.map((sight) => ({ ...sight, streams: [...sight.streams] })),
  };
}

const sendersOf = (device: Device) => [...new Set([device.address, ...device.addresses])];
const exportersOf = (device: Device) => [...new Set([...sendersOf(device), ...device.exporters])];
export const latest = (times: readonly (number | undefined)[]) => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

export const networkEntriesOf = (enrichment: Services['enrichment']): number =>
  enrichment
    .status()
    .filter(({ name }) => NETWORK_SOURCES.includes(name))
    .reduce((sum, { entries }) => sum + entries, 0);

/** One question to each store for all devices. */
async function observe(
  devices: readonly Device[],
  { postgres, clickhouse, enrichment, now }: Services,
): Promise<(device: Device) => Arrivals> {
  const nowMs = now();
  const [health, flows, returns, events, ticketed] = await Promise.all([
    deviceHealth(
      postgres,
      devices.map(({ id }) => id),
    ),
    lastSeenOf(postgres, devices.flatMap(exportersOf)),
    returnsByExporter(clickhouse, nowMs - RETURN_WINDOW_MS),
    lastEventBySender(clickhouse, nowMs - SYSLOG_SILENCE_MS),
    anyTicket(postgres),
  ]);
  const networkEntries = networkEntriesOf(enrichment);
  return (device) => {
    const exporters = exportersOf(device);
    const returned = exporters.flatMap((address) => returns.get(address) ?? []);
    const pulls = health.get(device.id);
    return {
      nowMs,
      pullIntervalMs: device.pull_interval_seconds * 1000,
      lastPullMs: pulls?.last_success_at?.getTime(),
      lastPullError: pulls?.last_error ?? undefined,
      lastFlowMs: latest(exporters.map((address) => flows.get(address)?.getTime())),
      returnsSeen: returned.length === 0 ? undefined : returned.includes(true),
      lastEventMs: latest(sendersOf(device).map((address) => events.get(address))),
      networkEntries,
      anyTicket: ticketed,
    };
  };
}

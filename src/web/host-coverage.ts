// /v1/coverage/hosts: which analytics can see which hosts, by what really arrives
import { type Static, Type } from 'typebox';
import { hostAnalytics } from '../analytics/index.ts';
import type { Services } from '../services.ts';
import { lastFlowsOfAddresses, lastLinesOfHosts } from '../store/clickhouse/host-telemetry.ts';
import { allDevices, deviceHealth } from '../store/postgres/devices.ts';
import { asHost, type HostRow, listHosts, type StoredHost } from '../store/postgres/hosts.ts';
import { anyTicket } from '../store/postgres/tickets.ts';
import { isSameMachine } from '../watches/host-site.ts';
import { latest, networkEntriesOf, SightView } from './coverage.ts';
import { cursorKey, oneOf, Page, PageQuery, pageOf, Strict, type Web } from './schema.ts';
import { HOST_FLOW_SILENCE_MS, type HostArrivals, hostSightOf, SYSLOG_SILENCE_MS } from './telemetry.ts';

const HostCoverageView = Type.Object({
  host: Type.Object({ id: Type.String(), name: Type.String(), platform: oneOf(['linux', 'macos']) }),
  analytics: Type.Array(SightView),
});

export function hostCoverageRoutes(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/coverage/hosts',
    {
      schema: {
        tags: ['coverage'],
        summary: 'For each host which analytics of its platform can see it, and what is missing',
        querystring: Strict(PageQuery),
        response: { 200: Page(HostCoverageView) },
      },
      config: { right: 'coverage:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const after = cursorKey(cursor, 1)?.[0];
      const rows = await listHosts(services.postgres, { after, limit: limit + 1 });
      const arrivalsOf = await observe(rows.slice(0, limit).map(asHost), services);
      return pageOf(
        rows,
        limit,
        (row) => [row.name],
        (row) => present(row, arrivalsOf(asHost(row))),
      );
    },
  );
}

function present({ id, name, platform }: HostRow, arrivals: HostArrivals): Static<typeof HostCoverageView> {
  const sights = hostAnalytics
    .filter(({ platforms }) => platforms.includes(platform))
    .map((analytic) => hostSightOf(analytic, arrivals));
  return {
    host: { id, name, platform },
    analytics: sights.map((sight) => ({ ...sight, streams: [...sight.streams] })),
  };
}

/** One question to each store for all hosts. */
async function observe(
  hosts: readonly StoredHost[],
  { postgres, clickhouse, enrichment, now }: Services,
): Promise<(host: StoredHost) => HostArrivals> {
  const nowMs = now();
  const names = hosts.map(({ name }) => name);
  const addresses = hosts.flatMap((host) => host.addresses);
  const [lines, flows, devices, ticketed] = await Promise.all([
    lastLinesOfHosts(clickhouse, names, nowMs - SYSLOG_SILENCE_MS),
    lastFlowsOfAddresses(clickhouse, addresses, nowMs - HOST_FLOW_SILENCE_MS),
    allDevices(postgres),
    anyTicket(postgres),
  ]);
  const ownDevices = new Map(
    hosts.map((host) => [host.id, devices.filter((one) => isSameMachine(host, one))]),
  );
  const ids = [...ownDevices.values()].flat().map(({ id }) => id);
  const health = await deviceHealth(postgres, [...new Set(ids)]);
  const networkEntries = networkEntriesOf(enrichment);
  return (host) => {
    const heard = lines.get(host.name) ?? {};
    return {
      nowMs,
      lastProcessMs: heard['process-log'],
      lastFirewallMs: heard['firewall-log'],
      lastLoginMs: heard['login-log'],
      // Counts of senders are stored a little later than their lines.
      lastEventMs: latest(Object.values(heard)),
      lastFlowMs: latest(host.addresses.map((address) => flows.get(address))),
      pulls: (ownDevices.get(host.id) ?? []).map((device) => ({
        pullIntervalMs: device.pull_interval_seconds * 1000,
        lastPullMs: health.get(device.id)?.last_success_at?.getTime(),
        lastPullError: health.get(device.id)?.last_error ?? undefined,
      })),
      networkEntries,
      anyTicket: ticketed,
    };
  };
}

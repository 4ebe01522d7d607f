// a router of the lab -> baseline, alice's change, a stream, and what became of it
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DeviceAlert } from '../../src/model/alert.ts';
import { SEVERITIES } from '../../src/model/watch.ts';
import type { Network } from './network.ts';
import type { Postern } from './postern.ts';
import { waitFor } from './processes.ts';
import type { Received, Receiver } from './receiver.ts';
import { RELAY_PORT } from './rulesets.ts';
import { CDN, type Lab, type Router } from './site.ts';
import type { TrafficTask } from './traffic.ts';

const TRAFFIC = fileURLToPath(new URL('./traffic.ts', import.meta.url));

export interface Stage {
  readonly network: Network;
  readonly lab: Lab;
  readonly postern: Postern;
  readonly receiver: Receiver;
  /** Ids by device name. */
  readonly deviceIds: ReadonlyMap<string, string>;
}

export function startTraffic(
  network: Network,
  name: string,
  netns: string,
  tasks: readonly TrafficTask[],
): ChildProcess {
  return network.daemons.start(`traffic-${name}`, [process.execPath, TRAFFIC, JSON.stringify(tasks)], {
    netns,
  });
}

/** Both ways, from both hosts, to a CDN; enough for softflowd, which reads in blocks of several hundred packets. */
export const baseline = ({ hosts }: Router): TrafficTask[] =>
  hosts.flatMap((from) => [
    { task: 'stream', from, to: CDN, port: 443, packetsPerSecond: 25, answeredShare: 1, answers: 1 },
    { task: 'fetch', from, to: CDN, byteCount: 20_000, everyMs: 2000 },
  ]);

/** 1000 bytes a packet, 200 packets a second from two hosts together. `answeredShare` 0.005: one in 200. */
export const streams = (
  router: Router,
  to: string,
  port: number,
  answeredShare: number,
  answers = 1,
): TrafficTask[] =>
  router.hosts.map((from) => ({
    task: 'stream',
    from,
    to,
    port,
    packetsPerSecond: 100,
    answeredShare,
    answers,
  }));

export const throughRelay = (router: Router, answeredShare = 0.005, answers = 1): TrafficTask[] =>
  streams(router, router.gateway, RELAY_PORT, answeredShare, answers);

export async function registerDevice(postern: Postern, router: Router): Promise<string> {
  const { id } = await postern.api<{ id: string }>('POST', '/v1/devices', {
    name: router.plan.name,
    vendor: 'linux-nftables',
    address: router.management,
    username: 'postern',
    credential: router.credential,
    pullIntervalSeconds: 10,
    addresses: [router.management, router.wan, router.gateway],
    exporters: [router.management],
  });
  return id;
}

interface Health {
  readonly lastAttemptAt: string | null;
  readonly lastSuccessAt: string | null;
  readonly lastError: string | null;
}

/** Resolves when a pull that began after `sinceMs` went well; times of the API are those of the machine. */
export async function pulledSince(
  { postern, deviceIds }: Stage,
  device: string,
  sinceMs: number,
): Promise<void> {
  await waitFor(
    `a pull of ${device}`,
    async () => {
      const health = await postern.api<Health>('GET', `/v1/devices/${deviceIds.get(device)}/health`);
      if (health.lastError) throw new Error(health.lastError);
      return health.lastSuccessAt !== null && Date.parse(health.lastSuccessAt) > sinceMs;
    },
    40_000,
    500,
  );
}

export interface RelayRun {
  readonly changedAtMs: number;
  readonly pulledAtMs: number;
  readonly streamAtMs: number;
}

/** alice runs the script, the traffic begins at once, and a pull saw what she did. */
export async function changeAndStream(
  stage: Stage,
  router: Router,
  { script, tasks = [] }: { script?: string; tasks?: readonly TrafficTask[] },
): Promise<RelayRun> {
  const { name } = router.plan;
  // The next pull is then a whole interval away, as it mostly is.
  await pulledSince(stage, name, Date.now());
  if (script !== undefined) await router.asAlice(script);
  const changedAtMs = Date.now();
  startTraffic(stage.network, `stream-${name}`, router.inside, tasks);
  const streamAtMs = Date.now();
  await pulledSince(stage, name, changedAtMs);
  return { changedAtMs, pulledAtMs: Date.now(), streamAtMs };
}

export const alertsOf = ({ receiver }: Stage, device: string): Received[] =>
  receiver.received.filter(({ alert }) => alert.device === device);

export async function storedAlerts({ postern }: Stage, device: string): Promise<DeviceAlert[]> {
  const { items } = await postern.api<{ items: DeviceAlert[] }>(
    'GET',
    `/v1/alerts?device=${device}&limit=200`,
  );
  return items;
}

export const isAboveLow = (alert: Pick<DeviceAlert, 'severity'>): boolean =>
  SEVERITIES.indexOf(alert.severity) > SEVERITIES.indexOf('low');

export const seconds = (fromMs: number, toMs: number): string => `${((toMs - fromMs) / 1000).toFixed(1)} s`;
export const describeAlert = ({ severity, score, title, revision }: DeviceAlert): string =>
  `${severity} ${score} (revision ${revision}): ${title}`;

export interface ChangeSeen {
  readonly class: string;
  readonly ticket: { readonly state: string };
  readonly approvedForward: unknown;
}

export async function ruleChanges({ postern }: Stage, device: string): Promise<ChangeSeen[]> {
  const path = `/v1/rule-changes?device=${device}&limit=200`;
  return (await postern.api<{ items: ChangeSeen[] }>('GET', path)).items;
}

/** How many different configurations were stored. */
export async function snapshotCount({ postern, deviceIds }: Stage, device: string): Promise<number> {
  const path = `/v1/devices/${deviceIds.get(device)}/snapshots?limit=200`;
  return (await postern.api<{ items: unknown[] }>('GET', path)).items.length;
}

/** Packets each way between a router's inside, or the router itself, and an address of the Internet. */
export async function packetsTo(
  { postern }: Stage,
  { hosts, wan }: Router,
  address: string,
  sinceMs: number,
): Promise<{ out: number; back: number }> {
  const from = new Date(Math.floor(sinceMs / 60_000) * 60_000).toISOString();
  const path = `/v1/flows/summary?scope=${[...hosts, wan].join()}&from=${from}`;
  const { externals } = await postern.api<{ externals: Record<string, unknown>[] }>('GET', path);
  const found = externals.find((one) => one.address === address);
  return { out: Number(found?.outPackets ?? 0), back: Number(found?.inPackets ?? 0) };
}

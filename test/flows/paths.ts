// makes flows between inside and outside and stores them as routers on their way would have shown them
import type { ClickHouseClient } from '@clickhouse/client';
import { createFolder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { recordColumns, type TestRecord } from './records.ts';

export interface Flow {
  /** From 0. */
  readonly minute: number;
  readonly internal: string;
  readonly internalPort: number;
  readonly external: string;
  readonly externalPort: number;
  readonly outPackets: number;
  readonly inPackets: number;
}

/** How a router shows flows: its interface to the outside, and what of them passes it. */
export interface Router {
  readonly exporter: string;
  readonly interface: number;
  readonly samplingRate?: number;
  readonly passes?: (flow: Flow, way: 'out' | 'in') => boolean;
  /** Its flows stand in another minute than others have them. */
  readonly lateMinutes?: (flow: Flow) => number;
}

const MINUTE_MS = 60_000;
export const PACKET_BYTES = 500;

/** Numbers from 0 to 1, the same in every run. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** `perMinute` flows of some hosts with some servers; every tenth goes on for as long as there is traffic, in equal parts. */
export function someFlows(minutes: number, perMinute: number, seed = 1): Flow[] {
  const next = random(seed);
  const pick = (count: number) => Math.floor(next() * count);
  const flow = (minute: number): Flow => ({
    minute,
    internal: `10.1.0.${1 + pick(30)}`,
    internalPort: 32_768 + pick(28_000),
    external: `198.51.100.${1 + pick(40)}`,
    externalPort: 443,
    outPackets: 1 + pick(next() < 0.2 ? 400 : 20),
    inPackets: 1 + pick(next() < 0.2 ? 800 : 20),
  });
  const lasting = Array.from({ length: Math.ceil(perMinute / 10) }, () => flow(0));
  const flows: Flow[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    flows.push(...lasting.map((one) => ({ ...one, minute })));
    for (let i = 0; i < perMinute; i++) flows.push(flow(minute));
  }
  return flows;
}

export async function show(
  client: ClickHouseClient,
  router: Router,
  flows: readonly Flow[],
  startMs: number,
): Promise<void> {
  const folder = createFolder({ internal: addressSet('10.0.0.0/8') });
  const next = random(
    router.interface * 7919 + router.exporter.length + Number(router.exporter.split('.').pop()),
  );
  const { samplingRate: rate = 1, passes = () => true, lateMinutes = () => 0 } = router;
  const seen = (packets: number) => {
    if (rate === 1) return packets;
    let count = 0;
    for (let i = 0; i < packets; i++) if (next() < 1 / rate) count++;
    return count;
  };
  const records: TestRecord[] = [];
  for (const flow of flows) {
    const atMs = startMs + (flow.minute + lateMinutes(flow)) * MINUTE_MS + 1000;
    const common = {
      startMs: atMs,
      endMs: atMs + 1000,
      protocol: 6,
      ...(rate > 1 ? { samplingRate: rate } : {}),
    };
    const out = passes(flow, 'out') ? seen(flow.outPackets) : 0;
    const back = passes(flow, 'in') ? seen(flow.inPackets) : 0;
    const { internal, internalPort, external, externalPort } = flow;
    if (out > 0)
      records.push({
        ...common,
        source: internal,
        sourcePort: internalPort,
        destination: external,
        destinationPort: externalPort,
        output: router.interface,
        packets: out,
        bytes: out * PACKET_BYTES,
      });
    if (back > 0)
      records.push({
        ...common,
        source: external,
        sourcePort: externalPort,
        destination: internal,
        destinationPort: internalPort,
        input: router.interface,
        packets: back,
        bytes: back * PACKET_BYTES,
      });
  }
  for (let from = 0; from < records.length; from += 5000)
    folder.fold(router.exporter, recordColumns(records.slice(from, from + 5000)), startMs + 3_600_000);
  await insertConversations(client, folder.drain());
}

export const totalOf = (flows: readonly Flow[]) => ({
  out: flows.reduce((sum, flow) => sum + flow.outPackets, 0),
  in: flows.reduce((sum, flow) => sum + flow.inPackets, 0),
});

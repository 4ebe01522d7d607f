import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { recordedHostEvents } from '../../src/audit/host-store.ts';
import type { Event, EventKind } from '../../src/model/event.ts';
import type { Host } from '../../src/model/host.ts';
import { insertEvents } from '../../src/store/clickhouse/event-insert.ts';
import type { HostWindow } from '../../src/store/clickhouse/host-events.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { clickHouseHostStore, type HostEvents } from '../../src/watches/host-store.ts';

const T0 = Date.UTC(2026, 10, 2, 3);
const KINDS: readonly EventKind[] = [
  'command',
  'firewall-changed',
  'firewall-drop',
  'listen',
  'connect',
  'other',
];

/** A small generator of numbers (mulberry32), so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const host = (name: string, address: string): Host => ({
  name,
  platform: 'linux',
  addresses: [address],
  aliases: [],
  isDeveloper: false,
  timeZone: 'UTC',
});
const HOSTS = [host('a', '10.0.0.1'), host('b', '10.0.0.2')];

function eventsOf(next: () => number): Event[] {
  const of = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)];
  return Array.from({ length: 600 }, (_, index) => {
    const kind = of(KINDS);
    const observedAtMs = T0 + Math.floor(next() * 3 * 86_400_000) + index;
    const isPacket = kind === 'firewall-drop' || kind === 'connect';
    return {
      kind,
      observedAtMs,
      receivedAtMs: observedAtMs + Math.floor(next() * 5000),
      sender: '10.0.0.9',
      origin: of(['a', 'b', 'gateway']),
      clockOffsetMs: of([undefined, 2000]),
      program: of(['zeek', 'audit']),
      message: `line ${index}`,
      raw: `line ${index}`,
      ...(isPacket
        ? {
            sourceAddress: of(['203.0.113.1', '203.0.113.2']),
            destinationAddress: of(['10.0.0.1', '10.0.0.2']),
          }
        : {
            executable: of(['/usr/sbin/nft', '/bin/sh']),
            command: of(['nft -f x', 'sh']),
            pid: of([10, 11, 12]),
          }),
    };
  });
}

const lines = (events: readonly Event[]) => events.map(({ raw }) => raw);

async function answers(store: HostEvents, window: HostWindow) {
  const own = await store.events(window, ['command', 'listen'], T0 + 86_400_000, 40);
  const packets = await store.packets(window, window.origin === 'a' ? ['10.0.0.1'] : ['10.0.0.2'], 9, 15);
  return {
    events: lines(own.events),
    isCut: own.isCut,
    packets: lines(packets.events),
    packetsCut: packets.isCut,
    executions: lines(await store.executions(window, [10, 12, 99])).sort(),
    history: await store.history(window, ['command', 'firewall-changed']),
    firstHeardMs: await store.firstHeardMs(window),
  };
}

test('recorded events answer what the store would answer about them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-host-store-'));
  const client = await openClickHouse({ path: join(folder, 'clickhouse') });
  try {
    const next = random(7);
    const events = eventsOf(next);
    await insertEvents(client, events);
    const stored = clickHouseHostStore(client);
    const recorded = recordedHostEvents(events, HOSTS);
    for (let i = 0; i < 20; i++) {
      const fromMs = T0 + Math.floor(next() * 2 * 86_400_000);
      const untilMs = fromMs + Math.floor(next() * 2 * 86_400_000);
      const window = {
        origin: i % 2 ? 'a' : 'b',
        fromMs,
        untilMs,
        receivedUntilMs: untilMs - Math.floor(next() * 4000),
      };
      assert.deepEqual(await answers(recorded, window), await answers(stored, window), `window ${i}`);
    }
    const nothing = { origin: 'nobody', fromMs: T0, untilMs: T0 + 1000, receivedUntilMs: T0 + 1000 };
    assert.deepEqual(await answers(recorded, nothing), await answers(stored, nothing));
  } finally {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  }
});

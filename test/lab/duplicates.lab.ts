// softflowd at both ends of a link: two exporters that show the same packets, as they really tell them
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { findDuplicates } from '../../src/flows/find-duplicates.ts';
import { createFolder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { createCaptureStatistics } from '../../src/packets/capture.ts';
import { readCapture } from '../../src/packets/pcap.ts';
import { conversationSummary, insertConversations } from '../../src/store/clickhouse/conversations.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { createNetwork, type Network } from './network.ts';
import { run, waitFor } from './processes.ts';
import { lacking } from './requirements.ts';
import { startTraffic } from './scenario.ts';

const skip = lacking('ip', 'softflowd', 'softflowctl', 'tcpdump', 'nsenter');
const INSIDE = ['10.9.0.1', '10.9.0.11', '10.9.0.12', '10.9.0.13'];
const OUTSIDE = ['10.9.0.2', '10.9.0.3'];
const PORT = 9909;
/** As a collector would see them come: each end exports to its own loopback. */
const EXPORTERS = { near: '192.0.2.1', far: '192.0.2.2' } as const;
type Place = keyof typeof EXPORTERS;
const PLACES = Object.keys(EXPORTERS) as Place[];
const ROUND_MS = 5000;
const ROUNDS = 4;
/** Rounds follow one another within seconds; they are told as if this long after one another. */
const APART_MS = 300_000;

describe('two real exporters of one link', { skip }, () => {
  let network: Network;
  let client: ClickHouseClient;
  const netns = {} as Record<Place, string>;
  const capture = (place: Place) => join(network.folder, `${place}.pcap`);
  const socket = (place: Place) => join(network.folder, `${place}.ctl`);

  before(async () => {
    network = await createNetwork();
    for (const place of PLACES) netns[place] = await network.namespace(place);
    const end = (place: Place, addresses: readonly string[]) => ({
      netns: netns[place],
      name: 'eth0',
      addresses: addresses.map((address) => `${address}/24`),
    });
    await network.join(end('near', INSIDE), end('far', OUTSIDE));
    for (const place of PLACES) {
      const dump = [
        'tcpdump',
        '--immediate-mode',
        '-U',
        '-i',
        'lo',
        '-w',
        capture(place),
        `udp port ${PORT}`,
      ];
      network.daemons.start(`tcpdump-${place}`, dump, { netns: netns[place] });
      await waitFor('tcpdump', () => network.daemons.log(`tcpdump-${place}`).includes('listening on'), 5000);
      network.daemons.start(
        `softflowd-${place}`,
        [
          ...['softflowd', '-d', '-i', 'eth0', '-n', `127.0.0.1:${PORT}`, '-v', '9', '-t', 'expint=1'],
          ...['-c', socket(place), '-p', join(network.folder, `${place}.pid`), 'ip'],
        ],
        { netns: netns[place] },
      );
    }
    startTraffic(
      network,
      'far',
      netns.far,
      OUTSIDE.map((address) => ({ task: 'answer', address })),
    );
    for (let round = 0; round < ROUNDS; round++) {
      const rate = { port: 443, packetsPerSecond: 100, answeredShare: 0.5, answers: 1 };
      const traffic = startTraffic(
        network,
        `near-${round}`,
        netns.near,
        INSIDE.flatMap((from) =>
          OUTSIDE.flatMap((to) => [
            { task: 'stream' as const, from, to, ...rate },
            { task: 'fetch' as const, from, to, byteCount: 20_000, everyMs: 1500 },
          ]),
        ),
      );
      await sleep(ROUND_MS);
      traffic.kill();
      // softflowd reads in blocks: what it still holds comes a moment later.
      await sleep(1500);
      for (const place of PLACES) await run(['softflowctl', '-c', socket(place), 'expire-all']);
      await sleep(500);
    }
    client = await openClickHouse({ path: join(network.folder, 'clickhouse') });
  });
  after(async () => {
    await client?.close();
    await network?.remove();
  });

  test('their conversations are recognised as the same, and count once', async (t) => {
    const stored = { near: 0, far: 0 };
    let lastMs = 0;
    for (const place of PLACES) {
      const folder = createFolder({ internal: addressSet(...INSIDE) });
      const datagrams = [...readCapture(capture(place), createCaptureStatistics())];
      const firstMs = datagrams[0].atMs;
      for (const { payload, sourcePort, atMs } of datagrams) {
        const round = Math.floor((atMs - firstMs) / (ROUND_MS + 2000));
        const moved = Buffer.from(payload);
        // RFC 3954 section 5.1: the header's time, to which those of the records are relative.
        moved.writeUInt32BE(moved.readUInt32BE(8) + (round * APART_MS) / 1000, 8);
        folder.receive(EXPORTERS[place], sourcePort, moved, atMs + round * APART_MS);
        lastMs = Math.max(lastMs, atMs + round * APART_MS);
      }
      const batches = folder.drain();
      for (const batch of batches)
        for (let row = 0; row < batch.count; row++)
          stored[place] += batch.outPackets[row] + batch.inPackets[row];
      await insertConversations(client, batches);
    }
    const count = async () => {
      const summary = await conversationSummary(client, {
        scope: INSIDE,
        fromMs: lastMs - 3_600_000,
        untilMs: lastMs + 600_000,
        groupBy: 'minute',
      });
      return summary.series.reduce((sum, one) => sum + one.outPackets + one.inPackets, 0);
    };
    const twice = await count();
    const found = await findDuplicates(client, lastMs + 8 * 60_000);
    const once = await count();
    t.diagnostic(JSON.stringify({ stored, twice, once, found }));
    assert.ok(stored.near > 2000, 'there was traffic');
    assert.equal(twice, stored.near + stored.far);
    assert.equal(found.length, 1);
    assert.ok(found[0].shareOut > 0.9 && found[0].shareIn > 0.9);
    assert.ok(Math.abs(once - stored.near) < 0.02 * stored.near, `${once} of ${stored.near}`);
  });
});

// a network that loses and reorders export datagrams -> what Postern says of it, and what it still knows after kill -9
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createNetwork, type Network } from './network.ts';
import { createPostern, type Postern } from './postern.ts';
import { run, waitFor } from './processes.ts';
import { lacking } from './requirements.ts';

const skip = lacking('ip', 'nft', 'socat', 'nsenter');
const SENDER = fileURLToPath(new URL('./loss-sender.ts', import.meta.url));
const SENT = 2000;
const EXPORTERS = { v9: '10.9.0.2', ipfix: '10.9.0.3' } as const;
type Version = keyof typeof EXPORTERS;
const PORT = 40_000;
const RECORDS = 5;

interface Exporter {
  readonly counters: Readonly<Record<string, number>>;
  readonly loss: {
    readonly unit: string;
    readonly lost: number;
    readonly share: number;
    readonly reordered: number;
    readonly repeated: number;
    readonly restarts: number;
  };
}

describe('loss on the way', { skip }, () => {
  let network: Network;
  let exporting: string;
  let postern: Postern;
  const startedAtMs = Date.now() - 100_000_000;

  before(async () => {
    network = await createNetwork();
    const netns = await network.namespace('c');
    exporting = await network.namespace('e');
    await network.join(
      { netns, name: 'eth0', addresses: ['10.9.0.1/24'] },
      {
        netns: exporting,
        name: 'eth0',
        addresses: Object.values(EXPORTERS).map((address) => `${address}/24`),
      },
    );
    postern = createPostern(network, netns, {
      POSTERN_FLOW_FLUSH_SECONDS: '1',
    });
    await postern.start();
  });

  after(() => network?.remove());

  const send = (version: Version, from: number, count: number, how: 'plain' | 'late' | 'bare' = 'plain') =>
    run(
      [process.execPath, SENDER, version, EXPORTERS[version], String(PORT), String(from), String(count), how],
      { netns: exporting, env: { ...process.env, STARTED_AT_MS: String(startedAtMs) } },
    );
  const nft = (command: string) => run(['nft', ...command.split(' ')], { netns: exporting });
  const dropped = async () => Number(/packets (\d+)/.exec(await nft('list chain ip loss out'))?.[1]);
  const exporter = (version: Version) =>
    postern.api<Exporter>('GET', `/v1/exporters/${EXPORTERS[version]}`).catch(() => undefined);
  const having = (version: Version, datagrams: number) =>
    waitFor(
      `${datagrams} datagrams of ${version}`,
      async () => {
        const one = await exporter(version);
        return one && one.counters.datagrams >= datagrams ? one : undefined;
      },
      15_000,
      500,
    );

  for (const version of ['v9', 'ipfix'] as const)
    test(`${version}: 2% lost and 10% out of order are told apart, and are what the network did`, async (t) => {
      await send(version, 0, 1);
      await nft('add table ip loss');
      await nft('add chain ip loss out { type filter hook postrouting priority 0; }');
      await nft('add rule ip loss out udp dport 2055 numgen random mod 50 0 counter drop');
      await send(version, 1, SENT, 'late');
      const lost = await dropped();
      await nft('delete table ip loss');
      // What is lost at the end shows when something follows.
      await send(version, SENT + 1, 1);
      const { loss, counters } = await having(version, SENT + 2 - lost);
      t.diagnostic(`the network dropped ${lost}; ${JSON.stringify(loss)}`);
      assert.ok(lost > 5, 'something was lost');
      const unit = version === 'v9' ? 1 : RECORDS;
      assert.equal(loss.lost, lost * unit);
      assert.equal(loss.unit, version === 'v9' ? 'datagrams' : 'records');
      assert.ok(Math.abs(loss.share - lost / (SENT + 2)) < 0.001, String(loss.share));
      // Of 200 that the sender held back some were lost.
      assert.ok(loss.reordered > 150 && loss.reordered <= 200, String(loss.reordered));
      assert.deepEqual([loss.repeated, loss.restarts], [0, 0]);
      assert.equal(counters.records, (SENT + 2 - lost) * RECORDS);
    });

  test('templates outlive kill -9: data without them is read at once', async () => {
    const before = await having('v9', 1);
    // Templates are stored some seconds after they came.
    await sleep(15_000);
    await postern.kill();
    await postern.start();
    await send('v9', SENT + 2, 10, 'bare');
    const { counters } = await having('v9', before.counters.datagrams + 10);
    assert.equal(counters.records, before.counters.records + 10 * RECORDS);
    assert.equal(counters.missedTemplates, before.counters.missedTemplates);
  });
});

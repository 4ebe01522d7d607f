// evidence about hosts behind two routers that show the same packets, or each a part of them
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { findDuplicates } from '../../src/flows/find-duplicates.ts';
import type { Question } from '../../src/model/watch.ts';
import { duplicatesBetween, putDuplicates } from '../../src/store/clickhouse/duplicate-paths.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { gatherEvidence } from '../../src/watches/evidence.ts';
import { destinationsOf } from '../../src/watches/host-destinations.ts';
import { question } from '../analytics/fixtures.ts';
import { type Flow, PACKET_BYTES, type Router, show, someFlows, totalOf } from '../flows/paths.ts';

const START = Date.UTC(2026, 10, 2, 12);
const MINUTE = 60_000;
const MINUTES = 45;
const T0 = START + 40 * MINUTE;
const END = START + MINUTES * MINUTE;
const EDGE: Router = { exporter: '192.0.2.1', interface: 7 };
const CORE: Router = { exporter: '192.0.2.2', interface: 3 };
const flows = someFlows(MINUTES, 20);
const options = {
  baselineDays: 14,
  enrich: () => ({ asn: 0, name: '', country: '', category: 'unknown' as const, categorySource: '' }),
};
const asked: Question = {
  ...question,
  scope: ['10.1.0.0/24'],
  destinations: ['any'],
  exporters: [EDGE.exporter, CORE.exporter],
  fromMs: T0,
  untilMs: T0 + 3_600_000,
};
let folder: string;
let client: ClickHouseClient;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-evidence-duplicates-'));
  client = await openClickHouse({ path: folder });
});
beforeEach(async () => {
  for (const table of ['conversations', 'exporter_minutes', 'duplicate_paths'])
    await client.command({ query: `TRUNCATE TABLE ${table}` });
});
after(async () => {
  await client?.close();
  await rm(folder, { recursive: true, force: true });
});

async function seenBy(...routers: readonly Router[]): Promise<void> {
  for (const router of routers) await show(client, router, flows, START);
  await findDuplicates(client, START + 38 * MINUTE);
}

async function evidence(of: Question = asked) {
  const found = await gatherEvidence(client, of, END - 1, options);
  const all = found.groups.find(({ level }) => level === 'question')!;
  const sum = (minutes: typeof all.observed, pick: (one: (typeof all.observed)[number]) => number) =>
    minutes.reduce((total, one) => total + pick(one), 0);
  return {
    found,
    before: {
      out: sum(all.baseline, (one) => one.outPackets),
      in: sum(all.baseline, (one) => one.inPackets),
    },
    since: { out: sum(all.observed, (one) => one.outPackets), in: sum(all.observed, (one) => one.inPackets) },
    outBytes: sum(all.observed, (one) => one.outBytes),
    outFlows: sum(all.observed, (one) => one.outFlows),
  };
}

const isBefore = (flow: Flow) => flow.minute < 40;
const before40 = totalOf(flows.filter(isBefore));
const since40 = totalOf(flows.filter((flow) => !isBefore(flow)));

test('what two routers show counts once, before and after the change, and the answer says what is left out', async () => {
  await seenBy(EDGE, CORE);
  const { found, before, since, outBytes, outFlows } = await evidence();
  assert.deepEqual([before, since], [before40, since40]);
  assert.equal(outBytes, since40.out * PACKET_BYTES);
  assert.equal(outFlows, flows.filter((flow) => !isBefore(flow)).length);
  assert.deepEqual(found.shownTwice, [
    { exporter: '192.0.2.2', interface: 3, elected: { exporter: '192.0.2.1', interface: 7 } },
  ]);
  // 20 addresses are shown one by one: their packets, of which the ratio of returns is judged, count once as well.
  const [group] = found.groups.filter(({ level }) => level === 'address');
  const own = totalOf(flows.filter((flow) => !isBefore(flow) && flow.external === group.key));
  assert.deepEqual([group.sampledOutPackets, group.sampledInPackets], [own.out, own.in]);
  assert.equal(group.returnVisible, true);
});

test('a question about one of the two exporters has all that it shows', async () => {
  await seenBy(EDGE, CORE);
  for (const exporter of [EDGE.exporter, CORE.exporter]) {
    const { found, since } = await evidence({ ...asked, exporters: [exporter] });
    assert.deepEqual(since, since40);
    assert.equal(found.shownTwice, undefined);
  }
});

test('routers that share the load are summed', async () => {
  await seenBy(
    { ...EDGE, passes: (flow) => flow.internalPort % 3 === 0 },
    { ...CORE, passes: (flow) => flow.internalPort % 3 !== 0 },
  );
  const { found, before, since } = await evidence();
  assert.deepEqual([before, since, found.shownTwice], [before40, since40, undefined]);
});

test('out by one router and in by the other are one exchange', async () => {
  await seenBy(
    { ...EDGE, passes: (_flow, way) => way === 'out' },
    { ...CORE, passes: (_flow, way) => way === 'in' },
  );
  assert.deepEqual((await evidence()).since, since40);
});

test('returns are judged by the one that shows both ways, where another shows what is sent only', async () => {
  await seenBy({ ...EDGE, passes: (_flow, way) => way === 'out' }, CORE);
  const { found, since } = await evidence();
  assert.deepEqual(since, since40);
  assert.ok(Math.abs(found.usualReturnRatio.any - before40.in / before40.out) < 1e-9);
});

test('a past time is answered by what was elected then', async () => {
  await seenBy(EDGE, CORE);
  const [open] = await duplicatesBetween(client, END, END);
  // It ended with the change: from then on the two were other traffic, as far as is known.
  await putDuplicates(client, [{ ...open, untilMs: T0 }], END);
  const { before, since } = await evidence();
  assert.deepEqual([before, since], [before40, { out: 2 * since40.out, in: 2 * since40.in }]);
  await putDuplicates(
    client,
    [
      { ...open, sinceMs: T0 },
      { ...open, untilMs: open.sinceMs },
    ],
    END + 1000,
  );
  const later = await evidence();
  assert.deepEqual([later.before, later.since], [{ out: 2 * before40.out, in: 2 * before40.in }, since40]);
});

test("a host's destinations count once, or are summed", async () => {
  const address = '10.1.0.7';
  const own = totalOf(flows.filter((flow) => flow.internal === address && !isBefore(flow)));
  const ask = async () => {
    const asked = {
      addresses: [address],
      sinceMs: T0,
      untilMs: END,
      baselineDays: 14,
      enrich: options.enrich,
    };
    const { destinations } = await destinationsOf(client, asked);
    return {
      out: destinations.reduce((sum, one) => sum + one.outPackets, 0),
      in: destinations.reduce((sum, one) => sum + one.inPackets, 0),
    };
  };
  await seenBy(EDGE, CORE);
  assert.deepEqual(await ask(), own);
  await client.command({ query: 'TRUNCATE TABLE duplicate_paths' });
  assert.deepEqual(await ask(), { out: 2 * own.out, in: 2 * own.in });
});

// a watch finds its hosts behind the translated address: real engine, events as exporters send them, flows of an exporter outside
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { createFolder } from '../../src/flows/folder.ts';
import type { TranslationBatch } from '../../src/flows/translation-batch.ts';
import { addressSet } from '../../src/model/addresses.ts';
import type { Evidence, Question } from '../../src/model/watch.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { insertTranslations } from '../../src/store/clickhouse/translations.ts';
import { gatherEvidence } from '../../src/watches/evidence.ts';
import { MINUTE, question, T0 } from '../analytics/fixtures.ts';
import { buildIpfix, dataSet, type Field, ipfixTemplate, type Value } from '../packets/generate.ts';

const ADDRESSES = [
  [323, 8],
  [8, 4],
  [225, 4],
  [230, 1],
] as const;
const SESSION: readonly Field[] = [...ADDRESSES, [4, 1], [7, 2], [227, 2], [12, 4], [11, 2]];
const BLOCK: readonly Field[] = [...ADDRESSES, [361, 2], [362, 2]];
const OUTSIDE = '192.0.2.2';
const INSIDE = '192.0.2.3';

let client: ClickHouseClient;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-translated-'));
  client = await openClickHouse({ path: folder });
});
after(async () => {
  await client.close();
  await rm(folder, { recursive: true });
});

/** Each test has a public address and destinations of its own, so that one store serves them all. */
let tests = 0;
const places = () => {
  const n = ++tests;
  return {
    nat: `198.51.100.${n}`,
    target: `203.0.113.${n}`,
    other: `203.0.113.${n + 100}`,
    mine: `10.20.${n}.5`,
    mates: `10.20.${n}.6`,
    stranger: `10.99.${n}.5`,
    scope: [`10.20.${n}.0/24`],
  };
};

async function tell(fields: readonly Field[], rows: readonly (readonly Value[])[]): Promise<void> {
  const one = createFolder({ internal: addressSet('10.0.0.0/8') });
  const batches: TranslationBatch[] = [];
  for (const row of rows) {
    const seconds = Math.floor(Number(row[0]) / 1000);
    const datagram = buildIpfix({ seconds }, ipfixTemplate(300, fields), dataSet(300, fields, [row]));
    one.receive('192.0.2.1', 4000, datagram, Number(row[0]));
    const batch = one.takeTranslations();
    assert.ok(batch, 'an event that is not kept');
    batches.push(batch);
  }
  await insertTranslations(client, batches);
}

const at = (minute: number) => T0 + Math.round(minute * MINUTE);
const [CREATE, DELETE, ALLOCATE, FREE] = [4, 5, 16, 17];

function session(host: string, nat: string, external: string, port: number, from: number, until?: number) {
  const row = (event: number, minute: number) => [
    at(minute),
    host,
    nat,
    event,
    6,
    40_000,
    2048,
    external,
    port,
  ];
  return [row(CREATE, from), ...(until === undefined ? [] : [row(DELETE, until)])];
}

function block(host: string, nat: string, from: number, until?: number) {
  const row = (event: number, minute: number) => [at(minute), host, nat, event, 1024, 1535];
  return [row(ALLOCATE, from), ...(until === undefined ? [] : [row(FREE, until)])];
}

interface Flow {
  readonly minute: number;
  readonly internal: string;
  readonly external: string;
  readonly packets: number;
  readonly port?: number;
  readonly exporter?: string;
  readonly protocol?: number;
}

async function flows(list: readonly Flow[]): Promise<void> {
  const rows = list.map(
    ({ minute, internal, external, packets, port = 443, exporter = OUTSIDE, protocol = 6 }) =>
      [
        ...[
          Math.floor(at(minute) / 60_000) * 60,
          `::ffff:${exporter}`,
          7,
          `::ffff:${internal}`,
          `::ffff:${external}`,
        ],
        ...[port, protocol, packets * 100, packets, 1, packets * 100, packets, 1, 1, 0, '::', 64_500, 'vps'],
      ].join('\t'),
  );
  await client.command({
    query: `INSERT INTO conversations (minute, exporter, interface, internal, external, external_port, protocol, out_bytes, out_packets, out_flows,
      in_bytes, in_packets, in_flows, sampling_rate, tcp_flags, translated, asn, category) FORMAT TSV\n${rows.join('\n')}\n`,
  });
}

const ask = (scope: readonly string[], more: Partial<Question> = {}, minute = 60): Promise<Evidence> =>
  gatherEvidence(client, { ...question, scope, destinations: ['any'], exporters: [], ...more }, at(minute), {
    baselineDays: 14,
    enrich: () => ({ asn: 64_500, name: '', country: '', category: 'vps', categorySource: 'operator' }),
  });

/** Packets sent since T0, by destination. */
const sent = ({ groups }: Evidence) =>
  Object.fromEntries(
    groups
      .filter(({ level }) => level === 'address')
      .map(({ key, observed }) => [key, observed.reduce((sum, minute) => sum + minute.outPackets, 0)]),
  );

test('without events nobody is behind a public address', async () => {
  const { nat, target, scope } = places();
  await flows([{ minute: 1, internal: nat, external: target, packets: 50 }]);
  const found = await ask(scope);
  assert.deepEqual(sent(found), {});
  assert.ok(!found.dataGaps.some((gap) => gap.includes('appear')));
});

test('the host is found behind its address while its session lasts, and no longer', async () => {
  const { nat, target, mine, stranger, scope } = places();
  await tell(SESSION, [
    ...session(mine, nat, target, 443, 10, 15),
    ...session(stranger, nat, target, 443, 30, 35),
  ]);
  await flows([
    { minute: 5, internal: nat, external: target, packets: 1 },
    { minute: 10, internal: nat, external: target, packets: 20 },
    { minute: 15, internal: nat, external: target, packets: 300 },
    { minute: 20, internal: nat, external: target, packets: 4000 },
    { minute: 32, internal: nat, external: target, packets: 50_000 },
  ]);
  const found = await ask(scope);
  assert.deepEqual(sent(found), { [target]: 320 });
  assert.deepEqual(
    found.dataGaps.filter((gap) => gap.includes('appear')),
    [],
  );
  assert.deepEqual(sent(await ask([stranger])), { [target]: 50_000 });
});

test('port and protocol are part of who it was', async () => {
  const { nat, target, mine, stranger, scope } = places();
  await tell(SESSION, [
    ...session(mine, nat, target, 443, 10, 15),
    ...session(stranger, nat, target, 8443, 10, 15),
  ]);
  await flows([
    { minute: 12, internal: nat, external: target, packets: 20 },
    { minute: 12, internal: nat, external: target, packets: 300, port: 8443 },
    { minute: 12, internal: nat, external: target, packets: 4000, protocol: 17 },
  ]);
  assert.deepEqual(sent(await ask(scope)), { [target]: 20 });
});

test('the baseline is joined as well', async () => {
  const { nat, target, mine, stranger, scope } = places();
  await tell(SESSION, [
    ...session(mine, nat, target, 443, -120, -110),
    ...session(stranger, nat, target, 443, -60, -50),
    ...session(mine, nat, target, 443, 1, 3),
  ]);
  await flows([-115, -55, 2].map((minute) => ({ minute, internal: nat, external: target, packets: 7 })));
  const group = (await ask(scope)).groups.find(({ key }) => key === target);
  assert.deepEqual(
    group?.baseline.map(({ minuteMs }) => (minuteMs - T0) / MINUTE),
    [-115],
  );
});

test('a session without an end lasts for a day, and one whose begin was lost ends at its end', async () => {
  const { nat, target, other, mine, mates, scope } = places();
  await tell(SESSION, [...session(mine, nat, target, 443, 10), session(mates, nat, other, 443, 10, 20)[1]]);
  await flows([
    { minute: 200, internal: nat, external: target, packets: 20 },
    { minute: 10 + 1440 + 5, internal: nat, external: target, packets: 300 },
    { minute: 12, internal: nat, external: other, packets: 4000 },
    { minute: 40, internal: nat, external: other, packets: 50_000 },
  ]);
  const found = await ask(scope, { untilMs: at(2000) }, 2000);
  assert.deepEqual(sent(found), { [target]: 20, [other]: 4000 });
});

test('a begin that comes again proves nothing of the days between', async () => {
  const { nat, target, mine, scope } = places();
  await tell(SESSION, [
    ...session(mine, nat, target, 443, 0),
    ...session(mine, nat, target, 443, 3000, 3010),
  ]);
  await flows([
    { minute: 1000, internal: nat, external: target, packets: 20 },
    { minute: 2000, internal: nat, external: target, packets: 300 },
    { minute: 3005, internal: nat, external: target, packets: 4000 },
  ]);
  assert.deepEqual(sent(await ask(scope, { untilMs: at(4000) }, 4000)), { [target]: 4020 });
});

test('what several hosts did at once with one destination is not laid to one of them, and said', async () => {
  const { nat, target, other, mine, stranger, scope } = places();
  await tell(SESSION, [
    ...session(mine, nat, target, 443, 10, 15),
    ...session(stranger, nat, target, 443, 12, 14),
    ...session(mine, nat, other, 443, 10, 15),
  ]);
  await flows([
    { minute: 13, internal: nat, external: target, packets: 20 },
    { minute: 13, internal: nat, external: other, packets: 300 },
  ]);
  const found = await ask(scope);
  assert.deepEqual(sent(found), { [other]: 300 });
  assert.deepEqual(
    found.dataGaps.filter((gap) => gap.includes('appear')),
    [
      `what ${nat} did with ${target} port 443 cannot be told apart from other hosts that appear as it, and is not counted`,
    ],
  );
  assert.deepEqual(
    sent(await ask([mine, stranger])),
    { [target]: 20, [other]: 300 },
    'of both it can be told',
  );
});

test('a block of ports: the address is the host while nobody else has it', async () => {
  const { nat, target, mine, stranger, scope } = places();
  await tell(BLOCK, [...block(mine, nat, 10, 25), ...block(stranger, nat, 40)]);
  await flows([
    { minute: 12, internal: nat, external: target, packets: 20 },
    { minute: 45, internal: nat, external: target, packets: 300 },
  ]);
  const found = await ask(scope);
  assert.deepEqual(sent(found), { [target]: 20 });
  assert.deepEqual(
    found.dataGaps.filter((gap) => gap.includes('appear')),
    [],
  );
});

test('a block of ports of a shared address: not counted, and said', async () => {
  const { nat, target, mine, stranger, scope } = places();
  await tell(BLOCK, [...block(mine, nat, -600), ...block(stranger, nat, -700)]);
  await flows([{ minute: 12, internal: nat, external: target, packets: 20 }]);
  const found = await ask(scope);
  assert.deepEqual(sent(found), {});
  assert.equal(
    found.dataGaps.filter((gap) => gap.startsWith(`what ${nat} did with ${target} port 443`)).length,
    1,
  );
});

test('what an exporter inside shows already counts once', async () => {
  const { nat, target, other, mine, mates, scope } = places();
  await tell(SESSION, [
    ...session(mine, nat, target, 443, 10, 15),
    ...session(mates, nat, other, 443, 10, 15),
  ]);
  await flows([
    { minute: 12, internal: mine, external: target, packets: 20, exporter: INSIDE },
    // The clock of the other differs by a minute.
    { minute: 13, internal: nat, external: target, packets: 20 },
    { minute: 12, internal: nat, external: other, packets: 300 },
  ]);
  assert.deepEqual(sent(await ask(scope)), { [target]: 20, [other]: 300 });
});

test('an address that rules name: what events lay to others only is taken out, the rest stays', async () => {
  const { nat, target, other, mine, stranger, scope } = places();
  await tell(SESSION, [
    ...session(mine, nat, target, 443, 10, 15),
    ...session(stranger, nat, target, 443, 30, 35),
  ]);
  await flows([
    { minute: 12, internal: nat, external: target, packets: 20 },
    { minute: 32, internal: nat, external: target, packets: 300 },
    // Of the device itself, which no event tells of.
    { minute: 12, internal: nat, external: other, packets: 4000 },
  ]);
  assert.deepEqual(sent(await ask([...scope, nat])), { [target]: 20, [other]: 4000 });
});

test('an address that rules name and an exporter inside: once, also without events', async () => {
  const { nat, target, other, mine, scope } = places();
  await flows([
    { minute: 12, internal: mine, external: target, packets: 20, exporter: INSIDE },
    { minute: 12, internal: nat, external: target, packets: 20 },
    { minute: 40, internal: nat, external: target, packets: 300 },
    { minute: 12, internal: nat, external: other, packets: 4000 },
  ]);
  assert.deepEqual(sent(await ask([...scope, nat], { translated: [nat] })), { [target]: 320, [other]: 4000 });
});

test('the destinations of the question hold behind the address, too', async () => {
  const { nat, target, other, mine, scope } = places();
  await tell(SESSION, [
    ...session(mine, nat, target, 443, 10, 15),
    ...session(mine, nat, other, 443, 10, 15),
  ]);
  await flows([
    { minute: 12, internal: nat, external: target, packets: 20 },
    { minute: 12, internal: nat, external: other, packets: 300 },
  ]);
  assert.deepEqual(sent(await ask(scope, { destinations: [target] })), { [target]: 20 });
});

test('exporters that look at the same path outside, and one of them elected: still once', async () => {
  const { nat, target, mine, scope } = places();
  await tell(SESSION, session(mine, nat, target, 443, 10, 15));
  await flows(
    [OUTSIDE, '192.0.2.4'].map((exporter) => ({
      minute: 12,
      internal: nat,
      external: target,
      packets: 20,
      exporter,
    })),
  );
  await client.command({
    query: `INSERT INTO duplicate_paths (exporter, interface, elected_exporter, elected_interface, since, until, found_at, share_out, share_in,
        sampling_rate, is_whole, missed, challenged, updated_at)
      VALUES ('::ffff:192.0.2.4', 7, '::ffff:${OUTSIDE}', 7, toDateTime(${at(-600) / 1000}), toDateTime(4294967295), toDateTime(${at(-600) / 1000}), 1, 1, 1, 1, 0, 0, now64(3))`,
  });
  assert.deepEqual(sent(await ask(scope)), { [target]: 20 });
});

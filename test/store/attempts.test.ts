import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ClickHouseClient } from '@clickhouse/client';
import { createFolder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';
import type { Contact } from '../../src/model/host.ts';
import { contactsToward, insertAttempts } from '../../src/store/clickhouse/attempts.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { recordColumns, type TestRecord } from '../flows/records.ts';
import {
  buildIpfix,
  buildV5,
  buildV9,
  dataSet,
  type Field,
  ipfixTemplate,
  type PlainFlow,
  v9Template,
} from '../packets/generate.ts';

const NOON = Date.UTC(2026, 10, 2, 12);
const SECONDS = NOON / 1000;
const UPTIME_MS = 1_000_000;
/** Each test watches a host of its own, so that one table serves them all. */
let hostCount = 0;
const nextHost = () => `10.9.0.${++hostCount}`;
const SYN = 2;
const RST_ACK = 20;
const DATA = 27;

let folder: string;
let client: ClickHouseClient;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-attempts-'));
  client = await openClickHouse({ path: folder });
});
after(async () => {
  await client?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Window {
  readonly fromMs?: number;
  readonly untilMs?: number;
  readonly receivedUntilMs?: number;
}

const contactsOf = (addresses: readonly string[], window: Window = {}) =>
  contactsToward(client, {
    addresses,
    fromMs: NOON - 3_600_000,
    untilMs: NOON + 3_600_000,
    receivedUntilMs: NOON + 3_600_000,
    ...window,
  });

/** Stores what a collector would make of these datagrams. */
async function receive(
  hosts: readonly string[],
  datagrams: readonly Uint8Array[],
  atMs = NOON,
): Promise<void> {
  const one = createFolder({ internal: addressSet('10.0.0.0/8'), hosts: addressSet(...hosts) });
  for (const datagram of datagrams) one.receive('192.0.2.1', 4000, datagram, atMs);
  const batch = one.takeAttempts();
  assert.ok(batch);
  await insertAttempts(client, batch);
}

async function store(host: string, records: readonly TestRecord[], exporter = '192.0.2.1'): Promise<void> {
  const one = createFolder({ internal: addressSet('10.0.0.0/8'), hosts: addressSet(host) });
  one.fold(exporter, recordColumns(records), NOON);
  const batch = one.takeAttempts();
  if (batch) await insertAttempts(client, batch);
}

const brief = (contacts: readonly Contact[]) =>
  contacts.map(({ atMs, source, port, protocol, outcome }) => [
    (atMs - NOON) / 1000,
    source,
    port,
    protocol,
    outcome,
  ]);

/** The reply, as an exporter of one record a direction tells it. */
const back = (flow: PlainFlow, more: Partial<PlainFlow>): PlainFlow => ({
  ...flow,
  source: flow.destination,
  destination: flow.source,
  sourcePort: flow.destinationPort,
  destinationPort: flow.sourcePort,
  ...more,
});

/** Three ports that refuse, a fourth tried before and after it opens. */
function knocks(host: string): PlainFlow[] {
  const base = {
    source: '203.0.113.7',
    destination: host,
    protocol: 6,
    bytes: 60,
    packets: 1,
    tcpFlags: SYN,
  };
  const at = (seconds: number, sourcePort: number, destinationPort: number): PlainFlow => ({
    ...base,
    sourcePort,
    destinationPort,
    startUptimeMs: UPTIME_MS - 60_000 + seconds * 1000,
    endUptimeMs: UPTIME_MS - 60_000 + seconds * 1000,
  });
  const closed = [at(0, 41_000, 22), at(1, 41_001, 7000), at(2, 41_002, 8000), at(3, 41_003, 9000)];
  const open = { ...at(8, 41_004, 22), packets: 12, bytes: 2400, tcpFlags: DATA };
  return [
    closed[0],
    ...closed.slice(1).flatMap((flow) => [flow, back(flow, { tcpFlags: RST_ACK, bytes: 40 })]),
    open,
    back(open, { packets: 14, bytes: 4800 }),
  ];
}

const KNOCKED = [
  [-60, '203.0.113.7', 22, 'tcp', 'unanswered'],
  [-59, '203.0.113.7', 7000, 'tcp', 'refused'],
  [-58, '203.0.113.7', 8000, 'tcp', 'refused'],
  [-57, '203.0.113.7', 9000, 'tcp', 'refused'],
  [-52, '203.0.113.7', 22, 'tcp', 'established'],
];

test('v5, one record a direction: closed ports, then the one that opened, in either order of the records', async () => {
  for (const order of ['as sent', 'reversed']) {
    const host = nextHost();
    const flows = order === 'reversed' ? knocks(host).reverse() : knocks(host);
    await receive([host], [buildV5({ uptimeMs: UPTIME_MS, seconds: SECONDS }, flows)]);
    const { contacts, isCut } = await contactsOf([host]);
    assert.deepEqual(brief(contacts), KNOCKED, order);
    assert.equal(isCut, false);
    assert.equal(
      contacts[1].raw,
      `192.0.2.1 exported tcp 203.0.113.7:41001 > ${host}:7000: 1 packet, 60 bytes, flags S; back 1 packet, 40 bytes, flags RA`,
    );
    assert.deepEqual(
      [contacts[1].sourcePort, contacts[1].destination, contacts[1].seenBy, contacts[4].packets],
      [41_001, host, 'flow', 12],
    );
  }
});

test('an exporter whose clock is wrong by an hour and a half: times are by ours', async () => {
  const host = nextHost();
  await receive([host], [buildV5({ uptimeMs: UPTIME_MS, seconds: SECONDS + 5400 }, knocks(host))]);
  assert.deepEqual(brief((await contactsOf([host])).contacts), KNOCKED);
});

test('only one of the two directions is exported', async () => {
  const toward = nextHost();
  const flows = knocks(toward).filter(({ destination }) => destination === toward);
  await receive([toward], [buildV5({ uptimeMs: UPTIME_MS, seconds: SECONDS }, flows)]);
  assert.deepEqual(
    brief((await contactsOf([toward])).contacts).map((row) => row[4]),
    ['unanswered', 'unanswered', 'unanswered', 'unanswered', 'established'],
  );
  const from = nextHost();
  const answers = knocks(from).filter(({ source }) => source === from);
  await receive([from], [buildV5({ uptimeMs: UPTIME_MS, seconds: SECONDS }, answers)]);
  assert.deepEqual(brief((await contactsOf([from])).contacts), KNOCKED.slice(1));
});

const BIFLOW: readonly Field[] = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [152, 8],
  [153, 8],
  [1, 4],
  [2, 4],
  [231, 4],
  [232, 4],
  [298, 4],
  [299, 4],
];

test('v9 whose records carry both directions', async () => {
  const host = nextHost();
  const row = (atMs: number, port: number, flags: number, counts: number[]) => [
    '203.0.113.7',
    host,
    41_000 + port,
    port,
    6,
    flags,
    BigInt(atMs),
    BigInt(atMs),
    counts[0],
    counts[2],
    ...counts,
  ];
  const order = (bytes: number, packets: number, backBytes: number, backPackets: number) => [
    bytes,
    backBytes,
    packets,
    backPackets,
  ];
  const rows = [
    row(NOON - 5000, 7000, SYN, order(60, 1, 0, 0)),
    row(NOON - 4000, 8000, SYN, order(60, 1, 40, 1)),
    // Exporters that give the flags of both directions as one.
    row(NOON - 3000, 9000, SYN | RST_ACK, order(60, 1, 40, 1)),
    row(NOON - 1000, 22, DATA, order(2400, 12, 4800, 14)),
  ];
  await receive([host], [buildV9({ seconds: SECONDS }, v9Template(256, BIFLOW), dataSet(256, BIFLOW, rows))]);
  assert.deepEqual(brief((await contactsOf([host])).contacts), [
    [-5, '203.0.113.7', 7000, 'tcp', 'unanswered'],
    [-4, '203.0.113.7', 8000, 'tcp', 'refused'],
    [-3, '203.0.113.7', 9000, 'tcp', 'refused'],
    [-1, '203.0.113.7', 22, 'tcp', 'established'],
  ]);
});

const NAT: readonly Field[] = [
  [8, 4],
  [12, 4],
  [225, 4],
  [226, 4],
  [7, 2],
  [11, 2],
  [227, 2],
  [228, 2],
  [4, 1],
  [6, 1],
  [152, 8],
  [153, 8],
  [1, 4],
  [2, 4],
];

test('IPFIX with translations: the host under its own address, the client as the host and as the exporter saw it', async () => {
  const host = nextHost();
  const natRow = (
    ends: readonly [string, string, string, string],
    ports: readonly [number, number, number, number],
    flags: number,
    packets: number,
  ) => [...ends, ...ports, 6, flags, BigInt(NOON - 9000), BigInt(NOON - 9000), packets * 60, packets];
  const there = ['203.0.113.7', '192.0.2.80', '10.9.255.1', host] as const;
  const rows = [
    natRow(there, [41_000, 7022, 62_000, 22], SYN, 1),
    natRow([host, '10.9.255.1', '192.0.2.80', '203.0.113.7'], [22, 62_000, 7022, 41_000], RST_ACK, 1),
    // Of another client, whose address stays.
    natRow(['203.0.113.9', '192.0.2.80', '203.0.113.9', host], [41_000, 7022, 41_000, 22], SYN, 1),
  ];
  await receive([host], [buildIpfix({ seconds: SECONDS }, ipfixTemplate(256, NAT), dataSet(256, NAT, rows))]);
  const { contacts } = await contactsOf([host]);
  assert.deepEqual(
    contacts.map((one) => [one.source, one.sourcePort, one.destination, one.port, one.outcome]).sort(),
    [
      ['10.9.255.1', 62_000, host, 22, 'refused'],
      ['203.0.113.7', 41_000, host, 22, 'refused'],
      ['203.0.113.9', 41_000, host, 22, 'unanswered'],
    ],
  );
  // A router outside of the translation knows the host by its outside address only.
  const outside = `192.0.2.${100 + hostCount}`;
  await store(outside, [
    {
      source: '203.0.113.7',
      destination: outside,
      sourcePort: 41_000,
      destinationPort: 22,
      tcpFlags: SYN,
      packets: 1,
    },
  ]);
  assert.deepEqual(
    (await contactsOf([host, outside])).contacts.map(({ destination }) => destination).sort(),
    [host, host, host, outside],
  );
});

test('a knock from behind the NAT of its own side is the translated address wherever the host is seen', async () => {
  const host = nextHost();
  await store(host, [
    {
      source: '10.20.0.5',
      destination: host,
      postNatSource: '198.51.100.4',
      sourcePort: 50_000,
      destinationPort: 7000,
      tcpFlags: SYN,
      packets: 1,
    },
  ]);
  assert.deepEqual((await contactsOf([host])).contacts.map(({ source }) => source).sort(), [
    '10.20.0.5',
    '198.51.100.4',
  ]);
});

test('UDP: a knock, one that an ICMP error refuses, an answered question, and what is none of them', async () => {
  const host = nextHost();
  const knock = { source: '203.0.113.7', destination: host, protocol: 17, packets: 1, bytes: 32 };
  await store(host, [
    { ...knock, sourcePort: 50_000, destinationPort: 62_201, startMs: NOON - 9000, endMs: NOON - 9000 },
    { ...knock, source: '203.0.113.8', sourcePort: 50_000, destinationPort: 7000, startMs: NOON - 8000 },
    {
      source: host,
      destination: '203.0.113.8',
      protocol: 1,
      destinationPort: 0x0303,
      packets: 1,
      bytes: 60,
      startMs: NOON - 7990,
    },
    { ...knock, source: '203.0.113.9', sourcePort: 50_000, destinationPort: 53, startMs: NOON - 7000 },
    {
      source: host,
      destination: '203.0.113.9',
      protocol: 17,
      sourcePort: 53,
      destinationPort: 50_000,
      packets: 1,
      bytes: 120,
      startMs: NOON - 6999,
    },
    // The error is about the port tried nearest to it.
    {
      ...knock,
      source: '203.0.113.8',
      sourcePort: 50_000,
      destinationPort: 62_201,
      startMs: NOON - 7700,
    },
    // A stream, the answer to a question of the host's, and a question of the host's.
    {
      ...knock,
      source: '203.0.113.10',
      sourcePort: 50_000,
      destinationPort: 514,
      packets: 900,
      startMs: NOON,
    },
    { ...knock, source: '203.0.113.11', sourcePort: 53, destinationPort: 50_000, startMs: NOON - 10 },
    {
      source: host,
      destination: '203.0.113.11',
      protocol: 17,
      sourcePort: 50_000,
      destinationPort: 53,
      packets: 1,
    },
  ]);
  assert.deepEqual(brief((await contactsOf([host])).contacts), [
    [-9, '203.0.113.7', 62_201, 'udp', 'unanswered'],
    [-8, '203.0.113.8', 7000, 'udp', 'refused'],
    [-7.7, '203.0.113.8', 62_201, 'udp', 'unanswered'],
    [-7, '203.0.113.9', 53, 'udp', 'established'],
  ]);
});

test('ICMP: echo without and with an answer, and an error about something that was not exported', async () => {
  const host = nextHost();
  const echo = { source: '203.0.113.7', destination: host, protocol: 1, destinationPort: 0x0800, packets: 1 };
  await store(host, [
    { ...echo, startMs: NOON - 9000 },
    { ...echo, source: '203.0.113.8', startMs: NOON - 8000 },
    { source: host, destination: '203.0.113.8', protocol: 1, packets: 1, startMs: NOON - 7999 },
    {
      source: host,
      destination: '203.0.113.9',
      protocol: 1,
      destinationPort: 0x030a,
      packets: 1,
      startMs: NOON - 7000,
    },
    // The host pings somebody.
    {
      source: host,
      destination: '203.0.113.10',
      protocol: 1,
      destinationPort: 0x0800,
      packets: 1,
      startMs: NOON,
    },
    { source: '203.0.113.10', destination: host, protocol: 1, packets: 1, startMs: NOON },
  ]);
  const six = '2001:db8:9::22';
  await store(six, [
    {
      source: '2001:db8::7',
      destination: six,
      protocol: 58,
      destinationPort: 0x8000,
      packets: 1,
      startMs: NOON - 9000,
    },
    {
      source: six,
      destination: '2001:db8::8',
      protocol: 58,
      destinationPort: 0x0104,
      packets: 1,
      startMs: NOON - 8000,
    },
  ]);
  assert.deepEqual(brief((await contactsOf([host])).contacts), [
    [-9, '203.0.113.7', undefined, 'icmp', 'unanswered'],
    [-8, '203.0.113.8', undefined, 'icmp', 'established'],
    [-7, '203.0.113.9', undefined, 'icmp', 'refused'],
  ]);
  assert.deepEqual(brief((await contactsOf([six])).contacts), [
    [-9, '2001:db8::7', undefined, 'icmpv6', 'unanswered'],
    [-8, '2001:db8::8', undefined, 'icmpv6', 'refused'],
  ]);
});

test('two internal addresses are no conversation with the outside, but an attempt', async () => {
  const host = nextHost();
  const flow = {
    source: '10.20.0.5',
    destination: host,
    sourcePort: 50_000,
    destinationPort: 23,
    tcpFlags: SYN,
    packets: 3,
  };
  await store(host, [{ ...flow, startMs: NOON - 1000, endMs: NOON }]);
  const { contacts } = await contactsOf([host]);
  assert.deepEqual(
    contacts.map(({ source, packets, outcome }) => [source, packets, outcome]),
    [['10.20.0.5', 3, 'unanswered']],
  );
});

test('what a host begins itself is no contact, whatever its server says or how it ends', async () => {
  const host = nextHost();
  const far = '198.51.100.9';
  const out = {
    source: host,
    destination: far,
    sourcePort: 50_000,
    destinationPort: 443,
    packets: 9,
    tcpFlags: DATA,
  };
  const reply = {
    source: far,
    destination: host,
    sourcePort: 443,
    destinationPort: 50_000,
    packets: 9,
    tcpFlags: DATA,
  };
  await store(host, [
    { ...out, startMs: NOON - 9000 },
    { ...reply, startMs: NOON - 8990 },
    // Its last RST, exported on its own.
    { ...out, tcpFlags: 4, packets: 1, startMs: NOON - 8000 },
    // Ports that tell nothing: who came first does.
    { ...out, sourcePort: 5000, destinationPort: 7000, startMs: NOON - 7000 },
    { ...reply, sourcePort: 7000, destinationPort: 5000, startMs: NOON - 6990 },
  ]);
  assert.deepEqual((await contactsOf([host])).contacts, []);
  // The same ports, but the other side comes first.
  await store(host, [
    { ...reply, sourcePort: 7001, destinationPort: 5001, startMs: NOON - 5000 },
    { ...out, sourcePort: 5001, destinationPort: 7001, startMs: NOON - 4990 },
  ]);
  assert.deepEqual(brief((await contactsOf([host])).contacts), [[-5, far, 5001, 'tcp', 'established']]);
});

test('a long connection that an exporter cuts into records is one contact', async () => {
  const host = nextHost();
  const flow = {
    source: '203.0.113.7',
    destination: host,
    sourcePort: 50_000,
    destinationPort: 22,
    packets: 50,
  };
  await store(host, [
    { ...flow, tcpFlags: DATA, startMs: NOON - 600_000 },
    { ...flow, tcpFlags: 24, startMs: NOON - 300_000 },
    { ...flow, tcpFlags: 16, packets: 1, startMs: NOON - 100_000 },
    {
      ...flow,
      source: host,
      destination: '203.0.113.7',
      sourcePort: 22,
      destinationPort: 50_000,
      tcpFlags: 4,
      packets: 1,
      startMs: NOON,
    },
  ]);
  assert.deepEqual(brief((await contactsOf([host])).contacts), [
    [-600, '203.0.113.7', 22, 'tcp', 'established'],
  ]);
});

test('sampled attempts are kept and say so', async () => {
  const host = nextHost();
  const flow = {
    source: '203.0.113.7',
    destination: host,
    sourcePort: 50_000,
    destinationPort: 7000,
    tcpFlags: SYN,
  };
  await store(host, [{ ...flow, packets: 1, bytes: 60, samplingRate: 100 }]);
  const [{ raw, outcome }] = (await contactsOf([host])).contacts;
  assert.equal(outcome, 'unanswered');
  assert.match(raw, /; 1 of 100 packets sampled$/);
});

test('only what had arrived by then, and what began within the window', async () => {
  const host = nextHost();
  const flows = knocks(host);
  await receive([host], [buildV5({ uptimeMs: UPTIME_MS, seconds: SECONDS }, flows)]);
  assert.deepEqual((await contactsOf([host], { receivedUntilMs: NOON - 1 })).contacts, []);
  const { contacts } = await contactsOf([host], { fromMs: NOON - 59_000, untilMs: NOON - 58_000 });
  assert.deepEqual(brief(contacts), KNOCKED.slice(1, 3));
});

test('a scan of all ports crowds out neither another source nor its own success, and the cut is told', async () => {
  const host = nextHost();
  const one = createFolder({ internal: addressSet('10.0.0.0/8'), hosts: addressSet(host) });
  const syn = (source: string, port: number, atMs: number): TestRecord => ({
    source,
    destination: host,
    sourcePort: 60_000,
    destinationPort: port,
    tcpFlags: SYN,
    packets: 1,
    startMs: atMs,
    endMs: atMs,
  });
  // At a pace that leaves the scanner its share of each ten seconds.
  for (let second = 0; second < 60; second++) {
    const atMs = NOON + second * 1000;
    const ports = Array.from({ length: 1000 }, (_, i) => 1 + second * 1000 + i);
    one.fold('192.0.2.1', recordColumns(ports.map((port) => syn('203.0.113.66', port, atMs))), atMs);
  }
  const lateMs = NOON + 60_000;
  const knock = [7000, 8000, 9000].map((port, i) => syn('203.0.113.7', port, lateMs + i * 1000));
  const login = { ...syn('203.0.113.66', 22, lateMs), tcpFlags: DATA, packets: 12 };
  one.fold('192.0.2.1', recordColumns([...knock, login]), lateMs + 2000);
  const batch = one.takeAttempts();
  assert.ok(batch);
  const [{ counters }] = one.report().exporters;
  assert.equal(counters.attempts, batch.count);
  assert.equal(counters.attempts + counters.attemptsDropped, 60_004);
  assert.ok(batch.count < 2500, String(batch.count));
  await insertAttempts(client, batch);
  const { contacts, isCut } = await contactsOf([host]);
  assert.equal(isCut, true);
  assert.deepEqual(
    contacts.filter(({ source }) => source === '203.0.113.7').map(({ port }) => port),
    [7000, 8000, 9000],
  );
  const scanner = contacts.filter(({ source }) => source === '203.0.113.66');
  assert.equal(scanner.filter(({ outcome }) => outcome === 'unanswered').length, 200);
  assert.equal(scanner.filter(({ outcome }) => outcome === 'established').length, 1);
});

test('a server gets the same rows as text', async () => {
  const host = nextHost();
  const one = createFolder({ internal: addressSet('10.0.0.0/8'), hosts: addressSet(host) });
  one.receive('192.0.2.1', 4000, buildV5({ uptimeMs: UPTIME_MS, seconds: SECONDS }, knocks(host)), NOON);
  const batch = one.takeAttempts();
  assert.ok(batch);
  // The client of the engine in this process, without what tells that it is one.
  const asServer = new Proxy(client, {});
  await insertAttempts(asServer, batch);
  assert.deepEqual(brief((await contactsOf([host])).contacts), KNOCKED);
});

test('addresses that are none are refused, and no address is no contact', async () => {
  await assert.rejects(contactsOf(["10.0.0.1') OR 1 --"]), TypeError);
  assert.deepEqual(await contactsOf([]), { contacts: [], isCut: false });
});

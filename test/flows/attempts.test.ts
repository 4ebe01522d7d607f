import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptBatch } from '../../src/flows/attempt-batch.ts';
import { OUTCOMES } from '../../src/flows/attempt-outcome.ts';
import { addressText } from '../../src/flows/batch.ts';
import { createFolder, type FolderOptions } from '../../src/flows/folder.ts';
import { compileHostFilter, isHost } from '../../src/flows/host-filter.ts';
import { addressWords } from '../../src/flows/words.ts';
import { addressSet, hasAddress, NO_ADDRESSES, parseAddress } from '../../src/model/addresses.ts';
import { seededRandom } from '../packets/generate.ts';
import { recordColumns, type TestRecord } from './records.ts';

const NOON = Date.UTC(2026, 10, 2, 12);
const HOST = '10.9.0.1';
const KNOCK: TestRecord = {
  source: '203.0.113.7',
  destination: HOST,
  sourcePort: 50_000,
  destinationPort: 7000,
  tcpFlags: 2,
  packets: 1,
  bytes: 60,
};

const folder = (options: Partial<FolderOptions> = {}) =>
  createFolder({ internal: addressSet('10.0.0.0/8'), hosts: addressSet(HOST), ...options });

const rowsOf = (batch: AttemptBatch | undefined) =>
  Array.from({ length: batch?.count ?? 0 }, (_, row) => [
    addressText(batch!.source, row),
    addressText(batch!.destination, row),
    batch!.port[row],
    OUTCOMES[batch!.outcome[row]],
  ]);

/** What a lone record amounts to; undefined where it is kept out. */
function judged(record: TestRecord): string | undefined {
  const one = folder();
  one.fold('192.0.2.1', recordColumns([record]), NOON);
  const rows = rowsOf(one.takeAttempts());
  assert.ok(rows.length <= 1);
  return rows[0]?.[3] as string | undefined;
}

test('the filter says of every address what the set says', () => {
  const random = seededRandom(1);
  const v4 = () =>
    `10.${Math.floor(random() * 4)}.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`;
  const v6 = () => `2001:db8::${Math.floor(random() * 9000).toString(16)}`;
  const texts = [...Array.from({ length: 3000 }, v4), ...Array.from({ length: 300 }, v6), '10.3.0.0/25'];
  for (const wide of [[], ['172.16.0.0/12'], ['2001:db8:5::/48']]) {
    const set = addressSet(...texts, ...wide);
    const filter = compileHostFilter(set);
    assert.ok(filter);
    let found = 0;
    for (let i = 0; i < 20_000; i++) {
      const text = i % 3 === 0 ? v6() : i % 7 === 0 ? `172.16.${i & 255}.9` : v4();
      const address = parseAddress(text);
      const isKnown = hasAddress(set, address);
      if (isKnown) found++;
      assert.equal(isHost(filter, addressWords(address), 0), isKnown, text);
    }
    assert.ok(found > 300, String(found));
  }
  assert.equal(compileHostFilter(NO_ADDRESSES), undefined);
});

test('TCP toward the host: flags, packets and sizes tell what became of it', () => {
  const cases: [Partial<TestRecord>, string | undefined][] = [
    [{}, 'unanswered'],
    [{ packets: 6, bytes: 360 }, 'unanswered'],
    [{ tcpFlags: 6, packets: 2, bytes: 100 }, 'unanswered'],
    [{ tcpFlags: 27, packets: 4 }, 'established'],
    [{ tcpFlags: 18, packets: 2 }, 'established'],
    [{ tcpFlags: 22, packets: 3 }, 'unanswered'],
    [{ tcpFlags: 31, packets: 9 }, 'established'],
    // Crafted: a lone SYN and ACK, FIN, XMAS, nothing; a lone ACK.
    [{ tcpFlags: 18 }, 'unanswered'],
    [{ tcpFlags: 1 }, 'unanswered'],
    [{ tcpFlags: 41 }, 'unanswered'],
    [{ tcpFlags: 0, bytes: 40 }, 'unanswered'],
    [{ tcpFlags: 16 }, 'unanswered'],
    [{ tcpFlags: 24, packets: 40 }, 'established'],
    // The client's own last RST is no attempt.
    [{ tcpFlags: 4, destinationPort: 22 }, undefined],
    // Exporters without flags.
    [{ tcpFlags: 0, packets: 20, bytes: 9000 }, 'established'],
    // Both directions in one record.
    [{ reversePackets: 0, reverseBytes: 0 }, 'unanswered'],
    [{ reversePackets: 1, reverseBytes: 40 }, 'refused'],
    [{ reversePackets: 1, reverseBytes: 60 }, 'established'],
    [{ tcpFlags: 22, reversePackets: 1, reverseBytes: 40 }, 'refused'],
    [{ tcpFlags: 27, packets: 9, reversePackets: 7, reverseBytes: 5000 }, 'established'],
    // A server's answer to what the host began.
    [{ sourcePort: 443, destinationPort: 50_000, tcpFlags: 27, packets: 9 }, undefined],
    // SYN tells who began, whatever the ports.
    [{ sourcePort: 443, destinationPort: 50_000 }, 'unanswered'],
    [{ protocol: 132, tcpFlags: 0 }, undefined],
  ];
  for (const [more, expected] of cases)
    assert.equal(judged({ ...KNOCK, ...more }), expected, JSON.stringify(more));
});

test('TCP from the host', () => {
  const reply = {
    ...KNOCK,
    source: HOST,
    destination: '203.0.113.7',
    sourcePort: 7000,
    destinationPort: 50_000,
  };
  const cases: [Partial<TestRecord>, string | undefined][] = [
    [{ tcpFlags: 20, bytes: 40 }, 'refused'],
    [{ tcpFlags: 4, bytes: 40 }, 'refused'],
    [{ tcpFlags: 18 }, 'answered'],
    [{ tcpFlags: 22, packets: 3 }, 'answered'],
    [{ tcpFlags: 0, bytes: 40 }, 'refused'],
    [{ tcpFlags: 0, bytes: 44 }, 'answered'],
    // The knock came from a low port.
    [{ tcpFlags: 20, bytes: 40, destinationPort: 53 }, 'refused'],
    // What the host began.
    [{ tcpFlags: 2 }, undefined],
    [{ tcpFlags: 4, sourcePort: 50_000, destinationPort: 443 }, undefined],
  ];
  for (const [more, expected] of cases)
    assert.equal(judged({ ...reply, ...more }), expected, JSON.stringify(more));
});

test('a biflow that begins with the host, because its exporter takes the lower address first', () => {
  const flow = {
    ...KNOCK,
    source: HOST,
    destination: '203.0.113.7',
    sourcePort: 7000,
    destinationPort: 50_000,
    reversePackets: 1,
    reverseBytes: 60,
  };
  const cases: [Partial<TestRecord>, string | undefined][] = [
    [{ packets: 0, bytes: 0, tcpFlags: 0 }, 'unanswered'],
    [{ packets: 1, bytes: 40, tcpFlags: 20 }, 'refused'],
    [{ packets: 1, bytes: 40, tcpFlags: 22 }, 'refused'],
    [{ packets: 6, bytes: 336, tcpFlags: 27, reversePackets: 6, reverseBytes: 324 }, 'established'],
    [{ packets: 0, bytes: 0, tcpFlags: 0, protocol: 17 }, 'unanswered'],
    [{ packets: 1, bytes: 40, tcpFlags: 0, protocol: 17 }, 'established'],
    [{ packets: 0, bytes: 0, tcpFlags: 0, protocol: 1, destinationPort: 0 }, undefined],
    // The host began.
    [{ tcpFlags: 2, sourcePort: 50_000, destinationPort: 443 }, undefined],
    [{ tcpFlags: 27, packets: 9, sourcePort: 50_000, destinationPort: 443 }, undefined],
  ];
  for (const [more, expected] of cases)
    assert.equal(judged({ ...flow, ...more }), expected, JSON.stringify(more));
  const far = { ...flow, source: '10.1.1.1', destination: HOST, sourcePort: 443, destinationPort: 50_000 };
  assert.equal(judged({ ...far, tcpFlags: 27, packets: 9 }), undefined);
  assert.equal(judged({ ...far, tcpFlags: 0, packets: 0 }), undefined);
});

test('what may be held is bounded and the rest is counted; what is full asks to be taken', () => {
  const records = Array.from({ length: 300 }, (_, i) => ({
    ...KNOCK,
    source: `203.0.113.${i % 250}`,
    destinationPort: 1 + i,
  }));
  const small = folder({ maxAttempts: 100 });
  small.fold('192.0.2.1', recordColumns(records), NOON);
  small.fold('192.0.2.1', recordColumns([{ ...KNOCK, tcpFlags: 27, packets: 9 }]), NOON);
  const [{ counters }] = small.report().exporters;
  assert.deepEqual([counters.attempts, counters.attemptsDropped], [101, 200]);
  // What was answered has room of its own.
  assert.equal(rowsOf(small.takeAttempts()).filter(([, , , outcome]) => outcome === 'established').length, 1);
  assert.equal(small.takeAttempts(), undefined);

  let taken = 0;
  const asking = folder({
    maxAttempts: 100,
    onAttemptsFull: () => {
      taken += asking.takeAttempts()?.count ?? 0;
    },
  });
  asking.fold('192.0.2.1', recordColumns(records), NOON);
  assert.equal(taken + (asking.takeAttempts()?.count ?? 0), 300);
});

test('a scanner has a share of every ten seconds, and leaves room for others', () => {
  const one = folder({ maxAttempts: 1000 });
  const scan = Array.from({ length: 60_000 }, (_, i) => ({ ...KNOCK, destinationPort: 1 + i }));
  one.fold('192.0.2.1', recordColumns(scan), NOON);
  one.fold('192.0.2.1', recordColumns([{ ...KNOCK, source: '203.0.113.8' }]), NOON);
  const counts = Map.groupBy(rowsOf(one.takeAttempts()), ([source]) => source);
  assert.deepEqual(
    [...counts].map(([source, rows]) => [source, rows.length]),
    [
      ['203.0.113.7', 256],
      ['203.0.113.8', 1],
    ],
  );
  one.fold('192.0.2.1', recordColumns(scan), NOON + 9000);
  assert.equal(one.takeAttempts(), undefined);
  one.fold('192.0.2.1', recordColumns(scan), NOON + 10_000);
  assert.equal(one.takeAttempts()?.count, 256);
});

test('hosts can come, be replaced and go', () => {
  const one = createFolder({ internal: addressSet('10.0.0.0/8') });
  const seen = () => {
    one.fold('192.0.2.1', recordColumns([KNOCK]), NOON);
    return one.takeAttempts()?.count ?? 0;
  };
  assert.equal(seen(), 0);
  one.setHosts(addressSet('10.9.0.0/24', '2001:db8::1'));
  assert.equal(seen(), 1);
  one.setHosts(addressSet('10.9.1.0/24'));
  assert.equal(seen(), 0);
  one.setHosts(addressSet(HOST));
  assert.equal(seen(), 1);
  one.setHosts(NO_ADDRESSES);
  assert.equal(seen(), 0);
});

test('records of any content neither throw nor leave times and counts that cannot be', () => {
  const random = seededRandom(2);
  const one = folder();
  for (let round = 0; round < 200; round++) {
    const columns = recordColumns(Array.from({ length: 50 }, () => KNOCK));
    for (const column of Object.values(columns))
      if (ArrayBuffer.isView(column))
        for (const i of Array.from({ length: 40 }, () => Math.floor((random() * column.byteLength) / 2)))
          new Uint8Array(column.buffer)[i] = random() * 256;
    one.fold('192.0.2.1', columns, NOON);
    const batch = one.takeAttempts();
    for (const atMs of batch?.atMs ?? []) assert.ok(Math.abs(atMs - NOON) <= 25 * 3_600_000, String(atMs));
    assert.ok(batch?.outcome.every((outcome) => outcome >= 1 && outcome <= 4) ?? true);
  }
});

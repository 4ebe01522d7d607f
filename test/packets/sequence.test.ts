import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from './decode-all.ts';
import {
  buildIpfix,
  buildV5,
  buildV9,
  dataSet,
  type Field,
  ipfixOptionsTemplate,
  ipfixTemplate,
  type PlainFlow,
  v9Template,
} from './generate.ts';

const FLOW: PlainFlow = {
  source: '10.0.0.1',
  destination: '198.18.0.1',
  sourcePort: 1,
  destinationPort: 2,
  protocol: 17,
  bytes: 100,
  packets: 1,
};
const FIELDS: readonly Field[] = [
  [8, 4],
  [12, 4],
];
const ROW = ['10.0.0.1', '198.18.0.1'];

test('v5 counts lost flows, an engine at a time', () => {
  const { decode, session } = createDecoder();
  decode(
    buildV5({ sequence: 100 }, [FLOW, FLOW]),
    buildV5({ sequence: 102 }, [FLOW]),
    buildV5({ sequence: 5, engine: 1 }, [FLOW]),
    buildV5({ sequence: 110 }, [FLOW]),
    buildV5({ sequence: 6, engine: 1 }, [FLOW]),
    buildV5({ sequence: 113 }, [FLOW, FLOW, FLOW]),
  );
  assert.deepEqual([session.counters.sequenceGaps, session.counters.restarts], [9, 0]);
});

test('v9 counts lost packets', () => {
  const { decode, session } = createDecoder();
  const packet = (sequence: number) =>
    buildV9({ sequence }, v9Template(256, FIELDS), dataSet(256, FIELDS, [ROW, ROW, ROW]));
  decode(packet(1), packet(2), packet(6));
  assert.equal(session.counters.sequenceGaps, 3);
});

test('IPFIX counts lost data records; a message with unknown data starts the count again', () => {
  const { decode, session } = createDecoder();
  const message = (sequence: number, records: number) =>
    buildIpfix(
      { sequence },
      ipfixTemplate(256, FIELDS),
      dataSet(
        256,
        FIELDS,
        Array.from({ length: records }, () => ROW),
      ),
    );
  decode(message(10, 3), message(13, 2), message(20, 1));
  assert.equal(session.counters.sequenceGaps, 5);
  decode(buildIpfix({ sequence: 21 }, dataSet(999, FIELDS, [ROW, ROW])), message(23, 1), message(24, 1));
  assert.equal(session.counters.sequenceGaps, 5);
});

test('IPFIX exporters that count the message itself in, or leave options records out, lose nothing by that', () => {
  const options: readonly Field[] = [
    [149, 4],
    [41, 4],
  ];
  const message = (sequence: number, records: number, optionsRecords: number) =>
    buildIpfix(
      { sequence },
      ipfixTemplate(256, FIELDS),
      ipfixOptionsTemplate(257, options.slice(0, 1), options.slice(1)),
      dataSet(257, options, new Array(optionsRecords).fill([1, 2])),
      dataSet(256, FIELDS, new Array(records).fill(ROW)),
    );
  const including = createDecoder();
  including.decode(message(24, 24, 1), message(41, 17, 0), message(71, 30, 1), message(73, 2, 0));
  const { sequenceGaps, reordered, restarts } = including.session.counters;
  assert.deepEqual([sequenceGaps, reordered, restarts], [0, 0, 0]);
  const without = createDecoder();
  without.decode(message(0, 10, 1), message(10, 5, 1), message(15, 7, 0), message(32, 1, 0));
  assert.equal(without.session.counters.sequenceGaps, 10);
});

test('the sequence number wraps without loss', () => {
  const { decode, session } = createDecoder();
  decode(buildV5({ sequence: 0xffff_ffff }, [FLOW, FLOW]), buildV5({ sequence: 1 }, [FLOW]));
  assert.deepEqual([session.counters.sequenceGaps, session.counters.restarts], [0, 0]);
});

test('a late packet is reordering, not loss and not a restart', () => {
  const { decode, session } = createDecoder();
  for (const sequence of [1, 2, 4, 3, 5]) decode(buildV9({ sequence }, v9Template(256, FIELDS)));
  const { sequenceGaps, reordered, restarts } = session.counters;
  assert.deepEqual([sequenceGaps, reordered, restarts], [0, 1, 0]);
});

test('an exporter that starts again is a restart, not four billion lost packets', () => {
  const { decode, session } = createDecoder();
  decode(
    buildV9({ sequence: 4_000_000_000, uptimeMs: 900_000_000 }),
    buildV9({ sequence: 0, uptimeMs: 5_000 }),
    buildV9({ sequence: 1, uptimeMs: 6_000 }),
  );
  assert.deepEqual([session.counters.sequenceGaps, session.counters.restarts], [0, 1]);
});

test('the wrap of the uptime is not a restart', () => {
  const { decode, session } = createDecoder();
  decode(buildV9({ sequence: 1, uptimeMs: 0xffff_fff0 }), buildV9({ sequence: 2, uptimeMs: 900 }));
  assert.equal(session.counters.restarts, 0);
});

const numbered = (sequence: number, uptimeMs?: number) =>
  buildV9({ sequence, ...(uptimeMs !== undefined && { uptimeMs }) }, v9Template(256, FIELDS));

/** Template 256 with so many records. */
const message = (sequence: number, records: number) =>
  buildIpfix({ sequence }, ipfixTemplate(256, FIELDS), dataSet(256, FIELDS, new Array(records).fill(ROW)));

const countersOf = ({ session }: ReturnType<typeof createDecoder>) => {
  const { sequenceGaps, reordered, repeatedDatagrams, restarts } = session.counters;
  return { sequenceGaps, reordered, repeatedDatagrams, restarts };
};

test('loss and reordering together: what never comes is lost, what comes late is not', () => {
  const decoder = createDecoder();
  // 3, 7 and 12 never come.
  for (const sequence of [1, 2, 5, 4, 6, 10, 9, 8, 11, 13, 14]) decoder.decode(numbered(sequence));
  assert.deepEqual(countersOf(decoder), {
    sequenceGaps: 3,
    reordered: 3,
    repeatedDatagrams: 0,
    restarts: 0,
  });
});

test('late IPFIX messages and v5 datagrams take back their own records only', () => {
  const ipfix = createDecoder();
  // Records 13 to 17 come late, 20 to 22 never.
  ipfix.decode(message(10, 3), message(18, 2), message(13, 5), message(23, 1));
  assert.deepEqual([ipfix.session.counters.sequenceGaps, ipfix.session.counters.reordered], [3, 1]);
  const v5 = createDecoder();
  v5.decode(
    buildV5({ sequence: 100 }, [FLOW, FLOW]),
    buildV5({ sequence: 107 }, [FLOW]),
    buildV5({ sequence: 104 }, [FLOW]),
    buildV5({ sequence: 105 }, [FLOW, FLOW]),
  );
  assert.deepEqual([v5.session.counters.sequenceGaps, v5.session.counters.reordered], [2, 2]);
});

test('a datagram that the network doubled is neither late nor does it hide a loss', () => {
  const decoder = createDecoder();
  for (const sequence of [1, 1, 2, 4, 4, 2, 5, 5]) decoder.decode(numbered(sequence));
  assert.deepEqual(countersOf(decoder), {
    sequenceGaps: 1,
    reordered: 0,
    repeatedDatagrams: 4,
    restarts: 0,
  });
});

test('IPFIX has no uptime: an exporter that starts again is known by numbers that go on from a small one', () => {
  const decoder = createDecoder();
  decoder.decode(message(200, 10), message(210, 10), message(0, 10), message(10, 10), message(20, 10));
  decoder.decode(message(30, 10), message(45, 5));
  assert.deepEqual(countersOf(decoder), {
    sequenceGaps: 5,
    reordered: 0,
    repeatedDatagrams: 0,
    restarts: 1,
  });
});

test('a restart soon after the start, by its sequence and by its uptime', () => {
  const soon = createDecoder();
  for (const [sequence, uptimeMs] of [
    [40, 30_000],
    [41, 31_000],
    [0, 100],
    [1, 1100],
    [2, 2100],
    [3, 3100],
  ])
    soon.decode(numbered(sequence, uptimeMs));
  assert.deepEqual(countersOf(soon), { sequenceGaps: 0, reordered: 0, repeatedDatagrams: 0, restarts: 1 });
  const rebooted = createDecoder();
  rebooted.decode(numbered(40, 90_000_000), numbered(0, 5000), numbered(1, 6000));
  assert.deepEqual(countersOf(rebooted).restarts, 1);
});

test('loss is counted right in each way of counting IPFIX records, and across the wrap', () => {
  const inclusive = createDecoder();
  // 24, 17, 30, 2 and 9 records; the third message is lost.
  inclusive.decode(message(24, 24), message(41, 17), message(73, 2), message(82, 9));
  assert.equal(inclusive.session.counters.sequenceGaps, 30);
  const wrapping = createDecoder();
  wrapping.decode(message(0xffff_fff0, 10), message(4, 10), message(0xffff_fffa, 10), message(14, 1));
  assert.deepEqual(countersOf(wrapping), {
    sequenceGaps: 0,
    reordered: 1,
    repeatedDatagrams: 0,
    restarts: 0,
  });
});

test('a late message that holds more than was missing takes back no more than that', () => {
  const decoder = createDecoder();
  decoder.decode(message(10, 3), message(15, 1), message(13, 5));
  assert.equal(decoder.session.counters.sequenceGaps, 0);
});

test('what is missing is remembered for a bounded time', () => {
  const decoder = createDecoder();
  for (let sequence = 0; sequence < 2000; sequence += 2) decoder.decode(numbered(sequence));
  const [domain] = decoder.session.domains.values();
  assert.ok(domain.sequence.missing.length <= 64);
  assert.equal(decoder.session.counters.sequenceGaps, 999);
});

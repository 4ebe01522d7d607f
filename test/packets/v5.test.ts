import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder, RECEIVED_AT_MS } from './decode-all.ts';
import { buildV5, type PlainFlow } from './generate.ts';

const FLOW: PlainFlow = {
  source: '10.1.2.3',
  destination: '198.18.200.201',
  sourcePort: 51_000,
  destinationPort: 443,
  protocol: 6,
  bytes: 4_000_000_000,
  packets: 3_000_000_000,
  startUptimeMs: 990_000,
  endUptimeMs: 999_000,
  input: 65_535,
  output: 2,
  tcpFlags: 0x1b,
};

test('a v5 record comes out with all its fields', () => {
  const { decode, session } = createDecoder();
  const [record] = decode(
    buildV5({ uptimeMs: 1_000_000, seconds: 1_700_000_000, nanoseconds: 250_000_000 }, [FLOW]),
  );
  assert.deepEqual(record, {
    source: '10.1.2.3',
    destination: '198.18.200.201',
    sourcePort: 51_000,
    destinationPort: 443,
    protocol: 6,
    tcpFlags: 0x1b,
    input: 65_535,
    output: 2,
    bytes: 4_000_000_000,
    packets: 3_000_000_000,
    startMs: 1_700_000_000_250 - 10_000,
    endMs: 1_700_000_000_250 - 1_000,
    hasTimes: true,
    samplingRate: 1,
    samplingOrigin: 'none',
  });
  assert.equal(session.counters.clockOffsetMs, RECEIVED_AT_MS - 1_700_000_000_250);
});

test('30 records cross batches in order and are all counted', () => {
  const { decode, session } = createDecoder({}, 7);
  const flows = Array.from({ length: 30 }, (_, i) => ({ ...FLOW, bytes: i }));
  assert.deepEqual(
    decode(buildV5({}, flows)).map((record) => record.bytes),
    flows.map((flow) => flow.bytes),
  );
  assert.equal(session.counters.records, 30);
});

test('the sampling rate is the low 14 bits of the header field, 0 says nothing', () => {
  const { decode } = createDecoder();
  const rates = [0, 1, 0x4000 | 1000, 100].map((sampling) => {
    const [record] = decode(buildV5({ sampling }, [FLOW]));
    return [record.samplingRate, record.samplingOrigin];
  });
  assert.deepEqual(rates, [
    [1, 'none'],
    [1, 'header'],
    [1000, 'header'],
    [100, 'header'],
  ]);
});

test('a flow that began before the 49.7-day wrap of sysUptime is placed right', () => {
  const { decode } = createDecoder();
  const [record] = decode(
    buildV5({ uptimeMs: 2_000 }, [{ ...FLOW, startUptimeMs: 0xffff_ffff - 2_999, endUptimeMs: 1_000 }]),
  );
  assert.deepEqual([record.startMs, record.endMs], [1_700_000_000_000 - 5_000, 1_700_000_000_000 - 1_000]);
});

test('a flow a few milliseconds ahead of the header is not taken for a wrap', () => {
  const { decode } = createDecoder();
  const [record] = decode(
    buildV5({ uptimeMs: 1_000_000 }, [{ ...FLOW, startUptimeMs: 999_000, endUptimeMs: 1_000_004 }]),
  );
  assert.equal(record.endMs, 1_700_000_000_004);
});

test('a count beyond the datagram is malformed, bytes behind the last record are ignored', () => {
  const { decode, session } = createDecoder();
  assert.deepEqual(decode(buildV5({ count: 163 }, [FLOW])), []);
  assert.deepEqual(decode(buildV5({ count: 0 }, [FLOW])), []);
  assert.equal(session.counters.malformed['record-count'], 2);
  assert.equal(decode(buildV5({ count: 1 }, [FLOW, FLOW])).length, 1);
});

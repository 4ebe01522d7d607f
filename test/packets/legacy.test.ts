import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { VERSIONS } from '../../src/packets/domain.ts';
import { createDecoder } from './decode-all.ts';
import { buildV1, buildV7, type PlainFlow } from './generate.ts';

const isInstalled = (() => {
  try {
    createRequire(import.meta.url).resolve('node-netflowv9');
    return true;
  } catch {
    return false;
  }
})();
const options = { skip: isInstalled ? false : 'node-netflowv9 is not installed' };

const FLOWS: PlainFlow[] = [1, 2, 3].map((i) => ({
  source: `10.0.0.${i}`,
  destination: `198.18.0.${i}`,
  sourcePort: 50_000 + i,
  destinationPort: 443,
  protocol: 6,
  bytes: 1_000 * i,
  packets: i,
  startUptimeMs: 990_000,
  endUptimeMs: 999_000,
  input: i,
  output: 9,
  tcpFlags: 0x12,
}));

for (const [version, build, headerBytes] of [
  ['v1', buildV1, 16],
  ['v7', buildV7, 24],
] as const) {
  test(`${version} records of 52 bytes come out whole`, options, () => {
    const { decode, session } = createDecoder();
    const records = decode(build({ uptimeMs: 1_000_000 }, FLOWS));
    assert.deepEqual(
      records.map(({ source, destination, bytes, packets, input }) => [
        source,
        destination,
        bytes,
        packets,
        input,
      ]),
      FLOWS.map(({ source, destination, bytes, packets, input }) => [
        source,
        destination,
        bytes,
        packets,
        input,
      ]),
    );
    const [first] = records;
    assert.deepEqual(
      [first.sourcePort, first.destinationPort, first.protocol, first.tcpFlags, first.output],
      [50_001, 443, 6, 0x12, 9],
    );
    assert.deepEqual([first.startMs, first.endMs], [1_699_999_990_000, 1_699_999_999_000]);
    assert.deepEqual(
      [...session.domains.values()].map((one) => VERSIONS[one.version]),
      [version],
    );
  });

  test(`${version}: as many records as softflowd sends`, options, () => {
    const { decode } = createDecoder();
    const many = Array.from({ length: 29 }, (_, i) => FLOWS[i % FLOWS.length]);
    assert.equal(decode(build({}, many)).length, 29);
  });

  test(`${version}: a count that does not fit the length never reaches the decoder`, () => {
    const { decode, session } = createDecoder();
    const whole = build({}, FLOWS);
    const broken = [
      whole.slice(0, headerBytes),
      whole.slice(0, -1),
      build({ count: 0 }, FLOWS),
      build({ count: 4 }, FLOWS),
      build({ count: 65_535 }, FLOWS),
      Uint8Array.from([...whole, 0]),
    ];
    assert.deepEqual(decode(...broken), []);
    assert.equal(session.counters.malformed['record-count'], broken.length);
  });
}

test('v1 records of 48 bytes, as other exporters send them', options, () => {
  const long = buildV1({}, FLOWS.slice(0, 2));
  const short = Uint8Array.from([...long.slice(0, 16 + 48), ...long.slice(16 + 52, 16 + 52 + 48)]);
  const records = createDecoder().decode(short);
  assert.deepEqual(
    records.map((record) => record.source),
    ['10.0.0.1', '10.0.0.2'],
  );
});

test('v7 counts lost flows by its sequence number', options, () => {
  const { decode, session } = createDecoder();
  decode(buildV7({ sequence: 10 }, FLOWS), buildV7({ sequence: 20 }, FLOWS));
  assert.equal(session.counters.sequenceGaps, 7);
});

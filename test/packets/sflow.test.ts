// sFlow version 5: samples with raw headers, expanded samples, counter samples
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDatagram } from '../../src/packets/datagram.ts';
import { readFlows } from '../../src/packets/decode.ts';
import { looksLikeExport } from '../../src/packets/detect.ts';
import { type NamedRecord, readNamedRecords } from '../../src/packets/fields.ts';
import { createRecordColumns } from '../../src/packets/records.ts';
import { createSession } from '../../src/packets/session.ts';

const AT = Date.UTC(2026, 10, 2, 3, 0, 0);
const words = (...numbers: number[]) => {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number >>> 0, i * 4);
  return bytes;
};
const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

/** Ethernet with a tag, IPv4, TCP with SYN; 1,400 bytes of which the first 62 are sampled. */
const FRAME = Buffer.from(
  '02000000000902000000000181000064' +
    '0800' +
    '4500057800014000400600000a140016cb007132' +
    'c35001bb0000000100000000500220000000' +
    '0000',
  'hex',
);
const FRAME6 = Buffer.from(
  [
    '02000000000902000000000186dd',
    '6000000000081140',
    'fd000000000000000000000000000016',
    '20010db8000000000000000000000050',
    'c350003500080000',
  ].join(''),
  'hex',
);
const record = (type: number, body: Buffer) => Buffer.concat([words(type, body.length), body]);
const rawHeader = (frame: Buffer, protocol = 1) =>
  record(1, Buffer.concat([words(protocol, 1418, 4, frame.length), padded(frame)]));
const flowSample = (records: Buffer[], { rate = 1000, input = 3, output = 4 } = {}) =>
  record(1, Buffer.concat([words(1, 3, rate, 5000, 0, input, output, records.length), ...records]));
const datagram = (samples: Buffer[], sequence = 1) =>
  Buffer.concat([words(5, 1, 0xc000_0201, 0, sequence, 60_000, samples.length), ...samples]);

function decode(...datagrams: Buffer[]) {
  const session = createSession('192.0.2.1');
  const records: NamedRecord[] = [];
  for (const bytes of datagrams) readNamedRecords(session, bytes, AT, (one) => records.push(one));
  return { records, counters: session.counters };
}

describe('sFlow 5', () => {
  test('a raw header is a flow of one packet with its rate, interfaces and VLAN', () => {
    const { records, counters } = decode(datagram([flowSample([rawHeader(FRAME)])]));
    const [first] = records;
    const { units: _, ...fields } = first;
    assert.deepEqual(
      {
        version: fields.version,
        sampling: fields.sampling,
        from: fields.sourceIPv4Address,
        to: fields.destinationIPv4Address,
        ports: [fields.sourceTransportPort, fields.destinationTransportPort],
        protocol: fields.protocolIdentifier,
        flags: fields.tcpControlBits,
        interfaces: [fields.ingressInterface, fields.egressInterface],
        octets: fields.octetDeltaCount,
        packets: fields.packetDeltaCount,
        vlan: fields.vlanId,
      },
      {
        version: 'sflow5',
        sampling: 1000,
        from: '10.20.0.22',
        to: '203.0.113.50',
        ports: [50_000, 443],
        protocol: 6,
        flags: 2,
        interfaces: [3, 4],
        octets: 1400,
        packets: 1,
        vlan: 100,
      },
    );
    assert.equal(counters.records, 1);
  });

  test('expanded samples, sampled IPv4, translation and a discarded packet', () => {
    const sampled = record(
      3,
      Buffer.concat([words(60, 17), Buffer.from('0a140016cb007132', 'hex'), words(5000, 53, 0, 0)]),
    );
    const nat = record(1007, Buffer.concat([words(1, 0xc633_6407), words(1, 0xcb00_7132)]));
    const ports = record(1020, words(61_000, 5353));
    const expanded = record(
      3,
      Buffer.concat([words(1, 0, 3, 50, 9, 0, 0, 70_000, 1, 2, 3), sampled, nat, ports]),
    );
    const [one] = decode(datagram([expanded])).records;
    assert.deepEqual(
      [one.sourceIPv4Address, one.ingressInterface, one.egressInterface, one.forwardingStatus, one.sampling],
      ['10.20.0.22', 70_000, 0, 128, 50],
    );
    assert.deepEqual(
      [one.postNATSourceIPv4Address, one.postNAPTSourceTransportPort, one.postNAPTDestinationTransportPort],
      ['198.51.100.7', 61_000, 5353],
    );
  });

  test('IPv6 frames; counter samples and frames without IP are counted apart', () => {
    const arp = Buffer.concat([FRAME.subarray(0, 12), Buffer.from('0806', 'hex'), Buffer.alloc(28)]);
    const { records, counters } = decode(
      datagram([
        flowSample([rawHeader(FRAME6)]),
        record(2, words(1, 3, 0)),
        flowSample([rawHeader(arp)]),
        record((4413 << 12) | 1, words(1)),
      ]),
    );
    assert.equal(records.length, 1);
    assert.deepEqual(
      [records[0].sourceIPv6Address, records[0].destinationTransportPort, records[0].octetDeltaCount],
      ['fd00::16', 53, 48],
    );
    assert.deepEqual([counters.counterSamples, counters.otherSamples], [1, 2]);
  });

  test('what the agent had no resources to sample is counted from its own count, by data source', () => {
    const sample = (source: number, drops: number) =>
      record(1, Buffer.concat([words(1, source, 1000, 5000, drops, 3, 4, 1), rawHeader(FRAME)]));
    const expanded = (drops: number) =>
      record(3, Buffer.concat([words(1, 0, 9, 50, 9, drops, 0, 7, 0, 8, 1), rawHeader(FRAME)]));
    const droppedBy = (...samples: Buffer[]) =>
      decode(...samples.map((one, i) => datagram([one], i + 1))).counters.droppedSamples;
    // What it dropped before it was first heard is not known to be of now.
    assert.equal(droppedBy(sample(3, 70)), 0);
    assert.equal(droppedBy(sample(3, 70), sample(4, 10), sample(3, 75), sample(4, 10)), 5);
    assert.equal(droppedBy(expanded(1), sample(3, 400), expanded(4)), 3);
    assert.equal(droppedBy(expanded(1), sample(9, 4)), 3, 'the same source, in either way of writing it');
    assert.equal(droppedBy(sample(3, 70), sample(3, 2)), 2, 'it was started again');
  });

  test('loss is told by the number of the datagram', () => {
    const { counters } = decode(
      datagram([flowSample([rawHeader(FRAME)])], 1),
      datagram([flowSample([rawHeader(FRAME)])], 4),
    );
    assert.equal(counters.sequenceGaps, 2);
  });

  test('cut anywhere: nothing is thrown, and samples before the cut are kept', () => {
    const whole = datagram([flowSample([rawHeader(FRAME)]), flowSample([rawHeader(FRAME)])]);
    for (let length = 0; length < whole.length; length++) {
      const session = createSession('192.0.2.1');
      let seen = 0;
      readDatagram(session, whole.subarray(0, length), AT, {
        flows: (...args) => {
          seen += 1;
          return readFlows(args[0], args[1], args[2], args[3], args[4], createRecordColumns(16), () => {});
        },
      });
      assert.ok(seen <= 1);
      if (length >= 28)
        assert.equal(session.counters.records, length >= 28 + (whole.length - 28) / 2 ? 1 : 0);
    }
    assert.equal(looksLikeExport(whole), true);
  });
});

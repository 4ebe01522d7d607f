import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCaptureStatistics } from '../../src/packets/capture.ts';
import { readCapture } from '../../src/packets/pcap.ts';
import { EXPORTER, EXPORTER_V6, frameOf, ipv4, ipv6, pcap, tcp } from './capture-files.ts';
import { buildIpfix, dataSet, type Field, ipfixTemplate, seededRandom } from './generate.ts';

const FIELDS: readonly Field[] = [[8, 4]];
const ENDS = { ...EXPORTER, destinationPort: 4739 };
const messages = [
  buildIpfix({}, ipfixTemplate(256, FIELDS)),
  ...Array.from({ length: 20 }, (_, i) =>
    buildIpfix({ sequence: i }, dataSet(256, FIELDS, [['10.0.0.1'], ['10.0.0.2']])),
  ),
];
const stream = new Uint8Array(Buffer.concat(messages));
const SYN = 0x02;
const FIN = 0x11;

interface Piece {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly flags?: number;
}

function read(pieces: readonly Piece[], ends = ENDS) {
  const statistics = createCaptureStatistics();
  const frames = pieces.map(({ sequence, bytes, flags }) =>
    frameOf(ipv4(ends, tcp(ends, sequence, bytes, flags), 0, 1, 6)),
  );
  const found = [...readCapture(pcap(frames, { linkType: 101 }), statistics)];
  return { found, payloads: found.map(({ payload }) => Buffer.from(payload)), statistics };
}

const expected = messages.map((message) => Buffer.from(message));
const syn = (sequence: number): Piece => ({ sequence, bytes: new Uint8Array(0), flags: SYN });

/** The stream in pieces of these sizes, from a sequence number on. */
function cut(start: number, size: (i: number) => number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const bytes = stream.slice(at, at + size(i));
    pieces.push({ sequence: (start + at) >>> 0, bytes });
    at += bytes.length;
  }
  return pieces;
}

test('messages are cut out of segments of any size, over the end of the sequence numbers too', () => {
  for (const size of [1, 3, 15, 16, 17, 100, 5_000])
    for (const start of [1, 0xffff_fff0]) {
      const { payloads, statistics } = read([syn(start - 1), ...cut(start, () => size)]);
      assert.deepEqual(payloads, expected, `${size} ${start}`);
      assert.equal(statistics.streamGaps, 0);
    }
});

test('segments out of order, sent again and overlapping', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 50; round++) {
    const pieces = cut(1_000, () => 5 + Math.floor(random() * 60));
    // Each again, some bytes longer at the front; then neighbours swapped.
    const again = pieces.flatMap((piece) => {
      const back = Math.min(piece.sequence - 1_000, Math.floor(random() * 20));
      const at = piece.sequence - 1_000 - back;
      const bytes = stream.slice(at, piece.sequence - 1_000 + piece.bytes.length);
      return random() < 0.5 ? [piece] : [piece, { sequence: 1_000 + at, bytes }];
    });
    for (let i = 1; i < again.length; i++)
      if (random() < 0.3) [again[i - 1], again[i]] = [again[i], again[i - 1]];
    const { payloads } = read([syn(999), ...again]);
    assert.deepEqual(payloads, expected);
  }
});

test('a capture that begins within a connection starts at the first message that a segment begins with', () => {
  const first = messages[0].length + messages[1].length;
  const pieces = [
    { sequence: 500 + messages[0].length + 5, bytes: stream.slice(messages[0].length + 5, first) },
    { sequence: 500 + first, bytes: stream.slice(first) },
  ];
  assert.deepEqual(read(pieces).payloads, expected.slice(2));
});

test('bytes that are missing for good are told, and the stream goes on behind them', () => {
  const lost = messages[0].length;
  // The second message never comes; enough follows that waiting is given up.
  const rest = messages.slice(2);
  const pieces: Piece[] = [syn(0), { sequence: 1, bytes: messages[0] }];
  let at = 1 + lost + messages[1].length;
  for (let i = 0; i < 400; i++) {
    const bytes = rest[i % rest.length];
    pieces.push({ sequence: at, bytes });
    at += bytes.length;
  }
  const { payloads, statistics } = read(pieces);
  assert.equal(statistics.streamGaps, 1);
  assert.ok(payloads.length > 100 && payloads.length < 400, `${payloads.length}`);
  for (const payload of payloads.slice(1)) assert.equal(payload.readUInt16BE(0), 10);
});

test('each connection is one of its own; FIN inside a message is told', () => {
  const one = [syn(0), { sequence: 1, bytes: stream, flags: FIN }];
  const { found } = read([...one, ...one]);
  assert.equal(found.length, 2 * messages.length);
  assert.equal(new Set(found.map(({ connection }) => connection)).size, 2);
  const short = read([syn(0), { sequence: 1, bytes: stream.slice(0, -3), flags: FIN }]);
  assert.deepEqual([short.payloads.length, short.statistics.streamGaps], [messages.length - 1, 1]);
});

test('other streams are counted as other frames, and hold nothing', () => {
  const http = Buffer.from('GET / HTTP/1.1\r\n\r\n');
  const pieces = [syn(0), { sequence: 1, bytes: http }, { sequence: 1 + http.length, bytes: http }];
  const { payloads, statistics } = read(pieces, { ...ENDS, destinationPort: 80 });
  assert.deepEqual([payloads.length, statistics.other, statistics.streamGaps], [0, 3, 0]);
});

test('IPFIX over TLS is told from other streams', () => {
  const hello = Uint8Array.of(22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3);
  const { payloads, statistics } = read([syn(0), { sequence: 1, bytes: hello }], {
    ...ENDS,
    destinationPort: 4740,
  });
  assert.deepEqual([payloads.length, statistics.encrypted, statistics.other], [0, 1, 2]);
  assert.equal(
    read([{ sequence: 1, bytes: hello }], { ...ENDS, destinationPort: 443 }).statistics.encrypted,
    0,
  );
});

test('IPv6; a header that lies about its length', () => {
  const ends = { ...EXPORTER_V6, destinationPort: 4739 };
  const frames = [frameOf(ipv6(ends, tcp(ends, 1, stream), 6))];
  assert.equal([...readCapture(pcap(frames, { linkType: 101 }))].length, messages.length);
  const liar = tcp(ENDS, 1, stream.slice(0, 20));
  liar[12] = 0xf0;
  assert.equal(read([]).payloads.length, 0);
  assert.deepEqual([...readCapture(pcap([frameOf(ipv4(ENDS, liar, 0, 1, 6))], { linkType: 101 }))], []);
});

test('mutated streams: no exception, bounded work', () => {
  const random = seededRandom(11);
  for (let i = 0; i < 500; i++) {
    const pieces = cut(0, () => 1 + Math.floor(random() * 200)).map((piece) => {
      if (random() > 0.2) return piece;
      const bytes = piece.bytes.slice();
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      const sequence = random() < 0.5 ? piece.sequence : Math.floor(random() * 2 ** 32);
      return { sequence, bytes, flags: Math.floor(random() * 256) };
    });
    for (const { payload } of read(pieces).found) assert.ok(payload.length >= 16);
  }
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { createFrameReader } from '../../src/events/framing.ts';

function read(
  chunks: readonly Uint8Array[],
  maxBytes = 65_536,
): { messages: string[]; truncated: boolean[] } {
  const messages: string[] = [];
  const truncated: boolean[] = [];
  const reader = createFrameReader(maxBytes, (message, isTruncated) => {
    messages.push(message.toString('utf8'));
    truncated.push(isTruncated);
  });
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { messages, truncated };
}

const counted = (text: string) => `${Buffer.byteLength(text)} ${text}`;
const STREAM = Buffer.from(
  [
    counted('<34>1 - - - - - - first\nwith a line end in it'),
    counted('<34>second é'),
    '<34>third\r\n',
    '<34>fourth\n\n',
    '2026-11-02T02:11:04Z host a: fifth, which starts with digits\n',
    '12 sixth is no count\n',
    `${counted('<34>seventh')}\n`,
    '<34>eighth\0\n',
    '<34>last, without a line end',
  ].join(''),
);
const MESSAGES = [
  '<34>1 - - - - - - first\nwith a line end in it',
  '<34>second é',
  '<34>third',
  '<34>fourth',
  '2026-11-02T02:11:04Z host a: fifth, which starts with digits',
  '12 sixth is no count',
  '<34>seventh',
  '<34>eighth',
  '<34>last, without a line end',
];

test('both framings are told apart message by message', () => {
  assert.deepEqual(read([STREAM]).messages, MESSAGES);
});

test('split at every byte the messages are the same', () => {
  for (let at = 0; at <= STREAM.length; at++)
    assert.deepEqual(
      read([STREAM.subarray(0, at), STREAM.subarray(at)]).messages,
      MESSAGES,
      `split at ${at}`,
    );
});

test('byte by byte the messages are the same', () => {
  assert.deepEqual(read(Array.from(STREAM, (byte) => Uint8Array.of(byte))).messages, MESSAGES);
});

test('a line of 1 MiB is cut and the next one is whole', () => {
  for (const text of [
    `<34>${'x'.repeat(1 << 20)}\n<34>next\n`,
    `${counted(`<34>${'x'.repeat(1 << 20)}`)}${counted('<34>next')}`,
  ]) {
    const bytes = Buffer.from(text);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, i) =>
      bytes.subarray(i * 1000, (i + 1) * 1000),
    );
    const { messages, truncated } = read(chunks);
    assert.deepEqual(
      messages.map((message) => message.length),
      [65_536, 8],
    );
    assert.deepEqual(truncated, [true, false]);
  }
});

test('a counted message that the connection breaks off is told as truncated', () => {
  assert.deepEqual(read([Buffer.from('100 <34>short')]), { messages: ['<34>short'], truncated: [true] });
  assert.deepEqual(read([Buffer.from('100 ')]).messages, ['100 ']);
});

test('a count without end is no count', () => {
  const { messages } = read([Buffer.from(`${'9'.repeat(200)} <34>x\n<34>next\n`)]);
  assert.deepEqual(messages, [`${'9'.repeat(200)} <34>x`, '<34>next']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ElementType } from '../../src/packets/elements.ts';
import { readValue } from '../../src/packets/values.ts';

/** Between other bytes, so that a reading past either end shows. */
function read(type: ElementType | undefined, hex: string) {
  const bytes = Buffer.from(`ff${hex}ff`, 'hex');
  return readValue({ name: 'x', ...(type && { type }) }, new Uint8Array(bytes), 1, bytes.length - 2);
}

function assertValues(cases: readonly (readonly [ElementType | undefined, string, unknown])[]) {
  for (const [type, hex, value] of cases) assert.deepEqual(read(type, hex), value, `${type} ${hex}`);
}

test('unsigned integers, in full and reduced size (RFC 7011 sections 6.1.1 and 6.2)', () => {
  assertValues([
    ['u8', 'fe', 254],
    ['u16', '0102', 258],
    ['u32', '01', 1],
    ['u32', '010203', 66_051],
    ['u32', 'ffffffff', 4_294_967_295],
    ['u64', '80', 128],
    ['u64', '0102030405', 4_328_719_365],
    ['u64', '01020304050607', 283_686_952_306_183],
    ['u64', '001fffffffffffff', Number.MAX_SAFE_INTEGER],
    // Beyond what JSON numbers hold exactly.
    ['u64', 'ffffffffffffffff', '18446744073709551615'],
    ['u256', '07', 7],
    ['u256', `80${'00'.repeat(31)}`, (2n ** 255n).toString()],
    ['u256', '01'.repeat(33), '01'.repeat(33)],
    ['u8', '01'.repeat(9), '01'.repeat(9)],
  ]);
});

test('signed integers: the sign of the size they came in (RFC 7011 section 6.2)', () => {
  assertValues([
    ['i32', 'ffffffff', -1],
    ['i32', 'fe', -2],
    ['i32', 'fffe', -2],
    ['i32', '7f', 127],
    ['i32', 'ff0000', -65_536],
    ['i8', '80', -128],
    ['i16', '8000', -32_768],
    ['i64', '8000000000000000', '-9223372036854775808'],
    ['i64', 'fffffffffe', -2],
  ]);
});

test('floats, float64 as float32 too; JSON has no infinities', () => {
  assertValues([
    ['float', '3ff8000000000000', 1.5],
    ['float', '3fc00000', 1.5],
    ['float', 'c0490fdb', Math.fround(-Math.PI)],
    ['float', '7ff0000000000000', 'Infinity'],
    ['float', 'ff800000', '-Infinity'],
    ['float', '7fc00000', 'NaN'],
    ['float', '3ff800', '3ff800'],
  ]);
});

test('booleans are 1 and 2 (RFC 7011 section 6.1.5); anything else is shown as it came', () => {
  assertValues([
    ['bool', '01', true],
    ['bool', '02', false],
    ['bool', '00', '00'],
    ['bool', '0001', '0001'],
  ]);
});

test('addresses, MAC addresses, octet arrays; sizes that are none of theirs as hex', () => {
  assertValues([
    ['ip4', 'c0000201', '192.0.2.1'],
    ['ip4', 'c00002', 'c00002'],
    ['ip6', '20010db8000000000000000000000001', '2001:db8::1'],
    ['ip6', '00000000000000000000ffffc0000201', '::ffff:192.0.2.1'],
    ['ip6', 'c0000201', 'c0000201'],
    ['mac', '00010a0bfeff', '00:01:0a:0b:fe:ff'],
    ['mac', '00010a0bfe', '00010a0bfe'],
    ['bytes', '', ''],
    ['bytes', 'deadbeef', 'deadbeef'],
    [undefined, '0102', '0102'],
  ]);
});

test('text: zeros that fill it are no part of it; bytes that a terminal might obey are hex', () => {
  const hex = (text: string) => Buffer.from(text).toString('hex');
  assertValues([
    ['text', hex('eth0'), 'eth0'],
    ['text', `${hex('eth0')}000000`, 'eth0'],
    ['text', '000000', ''],
    ['text', hex('Zürich 東京\tx'), 'Zürich 東京\tx'],
    ['text', '03000050', '03000050'],
    ['text', hex('\u001b[2Jx'), hex('\u001b[2Jx')],
    // C1: one character is CSI to some terminals.
    ['text', hex('\u009b2J'), hex('\u009b2J')],
  ]);
});

test('absolute times (RFC 7011 sections 6.1.7 to 6.1.10), as finely as they were stated', () => {
  const ntp = (seconds: number, fraction: number) =>
    (seconds + 2_208_988_800).toString(16) + fraction.toString(16).padStart(8, '0');
  assertValues([
    ['seconds', '6553f100', '2023-11-14T22:13:20.000Z'],
    ['milliseconds', '0000018bcfe568fa', '2023-11-14T22:13:20.250Z'],
    ['microseconds', ntp(1_700_000_000, 2 ** 30), '2023-11-14T22:13:20.250000Z'],
    // The lowest 11 bits are not to be relied on; exporters round down.
    [
      'microseconds',
      ntp(1_700_000_000, Math.floor(0.123456 * 2 ** 32) & ~0x7ff),
      '2023-11-14T22:13:20.123456Z',
    ],
    ['nanoseconds', ntp(1_700_000_000, 2 ** 31 + 43), '2023-11-14T22:13:20.500000010Z'],
    ['nanoseconds', ntp(1_700_000_000, 2 ** 32 - 1), '2023-11-14T22:13:20.999999999Z'],
    // Plain microseconds since 1970, as some exporters send.
    ['microseconds', 1_700_000_000_123_456n.toString(16).padStart(16, '0'), '2023-11-14T22:13:20.123456Z'],
    // No date that ISO 8601 has four digits for.
    ['milliseconds', 'ffffffffffffffff', 'ffffffffffffffff'],
    ['nanoseconds', '0000', '0000'],
  ]);
});

// the bytes of one field + its element -> a value for JSON
import { addressText } from './address-text.ts';
import type { Element } from './elements.ts';

export type ScalarValue = string | number | boolean;

/** Seconds from 1900 to 1970 (RFC 7011 section 6.1.9). */
const NTP_EPOCH = 2_208_988_800;
/** Year 9999: beyond it Date has no plain ISO form. */
const LAST_TIME_MS = 253_402_300_799_999;

/**
 * One value by its abstract data type (RFC 7012 section 3.1), reduced in size where that is allowed (RFC 7011 section 6.2).
 * Bytes that do not fit the type, and elements without one, as hex.
 */
export function readValue(element: Element, bytes: Uint8Array, offset: number, length: number): ScalarValue {
  const field = bytes.subarray(offset, offset + length);
  switch (element.type) {
    case 'u8':
    case 'u16':
    case 'u32':
    case 'u64':
      return length <= 6
        ? smallOf(bytes, offset, length)
        : length <= 8
          ? plain(unsignedOf(field))
          : hex(field);
    case 'u256':
      return length <= 32 ? plain(unsignedOf(field)) : hex(field);
    case 'i8':
    case 'i16':
    case 'i32':
    case 'i64':
      return length <= 8 ? plain(BigInt.asIntN(length * 8, unsignedOf(field))) : hex(field);
    case 'float':
      return float(field);
    case 'bool':
      // RFC 7011 section 6.1.5: 1 true, 2 false.
      return length === 1 && (field[0] === 1 || field[0] === 2) ? field[0] === 1 : hex(field);
    case 'mac':
      return length === 6
        ? Buffer.from(field)
            .toString('hex')
            .replace(/..(?!$)/g, '$&:')
        : hex(field);
    case 'ip4':
      return length === 4 ? addressText(bytes, offset, 4) : hex(field);
    case 'ip6':
      return length === 16 ? ipv6Text(bytes, offset) : hex(field);
    case 'text':
      return text(field);
    case 'seconds':
      return length <= 8 ? (time(Number(unsignedOf(field)) * 1000) ?? hex(field)) : hex(field);
    case 'milliseconds':
      return length <= 8 ? (time(Number(unsignedOf(field))) ?? hex(field)) : hex(field);
    case 'microseconds':
      return (length === 8 ? ntpTime(field, 6) : undefined) ?? hex(field);
    case 'nanoseconds':
      return (length === 8 ? ntpTime(field, 9) : undefined) ?? hex(field);
    default:
      return hex(field);
  }
}

/** RFC 5952 section 5: what came as IPv6 is shown as such, IPv4-mapped ones too. */
function ipv6Text(bytes: Uint8Array, offset: number): string {
  const text = addressText(bytes, offset, 16);
  return text.includes(':') ? text : `::ffff:${text}`;
}

export const hex = (field: Uint8Array) => Buffer.from(field).toString('hex');

/** Of at most 6 bytes. */
function smallOf(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let i = offset; i < offset + length; i++) value = value * 256 + bytes[i];
  return value;
}

function unsignedOf(field: Uint8Array): bigint {
  let value = 0n;
  for (const byte of field) value = (value << 8n) | BigInt(byte);
  return value;
}

/** Integers that JSON numbers cannot hold exactly become text. */
function plain(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** float64 may be sent as float32 (RFC 7011 section 6.2). JSON has no infinities and no NaN: they become text. */
function float(field: Uint8Array): ScalarValue {
  const view = new DataView(field.buffer, field.byteOffset, field.byteLength);
  if (field.length !== 8 && field.length !== 4) return hex(field);
  const value = field.length === 8 ? view.getFloat64(0) : view.getFloat32(0);
  return Number.isFinite(value) ? value : String(value);
}

/** A byte order mark is text too. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
/** Control characters but for tab and line ends: a terminal might obey them, and text has none. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** RFC 7011 section 6.1.6, without the zeros that fill fixed lengths; as hex where it is no text. */
function text(field: Uint8Array): string {
  let end = field.length;
  while (end > 0 && field[end - 1] === 0) end--;
  const value = utf8.decode(field.subarray(0, end));
  return CONTROL.test(value) ? hex(field) : value;
}

function time(ms: number): string | undefined {
  return ms <= LAST_TIME_MS ? new Date(ms).toISOString() : undefined;
}

/** NTP time stamps with 6 or 9 digits; small values are plain units since 1970, as the column reader takes them. */
function ntpTime(field: Uint8Array, digits: 6 | 9): string | undefined {
  const view = new DataView(field.buffer, field.byteOffset, 8);
  const perSecond = 10 ** digits;
  let seconds = view.getUint32(0);
  let fraction: number;
  if (seconds < NTP_EPOCH) {
    const units = view.getBigUint64(0);
    seconds = Number(units / BigInt(perSecond));
    fraction = Number(units % BigInt(perSecond));
  } else {
    seconds -= NTP_EPOCH;
    // Exporters round down when they make the fraction.
    fraction = Math.min(perSecond - 1, Math.round((view.getUint32(4) / 2 ** 32) * perSecond));
  }
  const whole = time(seconds * 1000);
  return whole && `${whole.slice(0, -4)}${String(fraction).padStart(digits, '0')}Z`;
}

// the bytes of one field + its element -> a value for JSON
import { addressText } from './address-text.ts';
import type { Element } from './elements.ts';

export type FieldValue = string | number | boolean;

/** Seconds from 1900 to 1970 (RFC 7011 section 6.1.9). */
const NTP_EPOCH = 2_208_988_800;
/** Year 9999: beyond it Date has no plain ISO form. */
const LAST_TIME_MS = 253_402_300_799_999;

/** Bytes that do not fit the element's type, and elements without one, as hex. */
export function readValue(element: Element, bytes: Uint8Array, offset: number, length: number): FieldValue {
  const field = bytes.subarray(offset, offset + length);
  switch (element.type) {
    case 'u8':
    case 'u16':
    case 'u32':
    case 'u64':
      return length <= 8 ? plain(unsignedOf(field)) : hex(field);
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
      return length === 16 ? addressText(bytes, offset, 16) : hex(field);
    case 'text':
      return new TextDecoder().decode(field).replace(/\0+$/, '');
    case 'seconds':
      return length <= 8 ? (time(Number(unsignedOf(field)) * 1000) ?? hex(field)) : hex(field);
    case 'milliseconds':
      return length <= 8 ? (time(Number(unsignedOf(field))) ?? hex(field)) : hex(field);
    case 'microseconds':
      return (length === 8 ? ntpTime(field, 1e3) : undefined) ?? hex(field);
    case 'nanoseconds':
      return (length === 8 ? ntpTime(field, 1e6) : undefined) ?? hex(field);
    default:
      return hex(field);
  }
}

const hex = (field: Uint8Array) => Buffer.from(field).toString('hex');

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

function float(field: Uint8Array): FieldValue {
  const view = new DataView(field.buffer, field.byteOffset, field.byteLength);
  const value =
    field.length === 8 ? view.getFloat64(0) : field.length === 4 ? view.getFloat32(0) : Number.NaN;
  return Number.isFinite(value) ? value : hex(field);
}

function time(ms: number): string | undefined {
  return ms <= LAST_TIME_MS ? new Date(ms).toISOString() : undefined;
}

/** NTP time stamps; small values are plain units since 1970, as the column reader takes them. */
function ntpTime(field: Uint8Array, perMs: number): string | undefined {
  const view = new DataView(field.buffer, field.byteOffset, 8);
  const seconds = view.getUint32(0);
  const fraction = view.getUint32(4);
  if (seconds < NTP_EPOCH) return time((seconds * 2 ** 32 + fraction) / perMs);
  return time((seconds - NTP_EPOCH) * 1000 + Math.floor(fraction / 4_294_967.296));
}

// address bytes -> text
import { formatAddress } from '../model/addresses.ts';

/** Dotted decimal, or RFC 5952 for IPv6; IPv4-mapped IPv6 addresses as IPv4, as model/addresses reads them. */
export function addressText(bytes: Uint8Array, offset: number, length: 4 | 16): string {
  if (length === 4) return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
  let value = 0n;
  for (let i = offset; i < offset + 16; i++) value = (value << 8n) | BigInt(bytes[i]);
  return formatAddress(value >> 32n === 0xffffn ? Number(value & 0xffff_ffffn) : value);
}

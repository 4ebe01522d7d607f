// an address as four 32-bit words in network order of significance, IPv4 mapped (RFC 4291 section 2.5.5.2)
import { mapped } from '../model/addresses.ts';

export function addressWords(address: number | bigint): Uint32Array {
  const value = mapped(address);
  return Uint32Array.from([96n, 64n, 32n, 0n], (shift) => Number((value >> shift) & 0xffff_ffffn));
}

export function copyAddress(to: Uint32Array, toAt: number, from: Uint32Array, at: number): void {
  to[toAt] = from[at];
  to[toAt + 1] = from[at + 1];
  to[toAt + 2] = from[at + 2];
  to[toAt + 3] = from[at + 3];
}

// addresses of known hosts -> a test that almost every record fails at once, without a search
import { type AddressSet, countAddresses, noAddresses } from '../model/addresses.ts';
import { type Classifier, classOf, compileClassifier, INTERNAL } from './classify.ts';
import { addressWords } from './words.ts';

/** Above this many addresses the first test lets all through, and the exact one decides alone. */
const MAX_LISTED = 262_144;
/** Bits an address: one in 32 to 64 strangers passes the first test. */
const BITS_AN_ADDRESS = 32;

export interface HostFilter {
  /** A bit for each hash of a host's address. */
  readonly bits: Uint32Array;
  readonly shift: number;
  readonly exact: Classifier;
}

/** Undefined for an empty set. */
export function compileHostFilter(addresses: AddressSet): HostFilter | undefined {
  if (noAddresses(addresses)) return undefined;
  const count = countAddresses(addresses);
  const exponent = Math.min(
    24,
    Math.max(15, Math.ceil(Math.log2(Math.min(count, MAX_LISTED) * BITS_AN_ADDRESS))),
  );
  const bits = new Uint32Array(2 ** (exponent - 5));
  const shift = 32 - exponent;
  if (count > MAX_LISTED) bits.fill(0xffff_ffff);
  else
    for (const words of eachAddress(addresses)) {
      const hash = hashOf(words, 0) >>> shift;
      bits[hash >>> 5] |= 1 << (hash & 31);
    }
  return { bits, shift, exact: compileClassifier(addresses) };
}

/** False is certain; true means a host's address, or one in some dozens of others. */
export function mayBeHost(filter: HostFilter, words: Uint32Array, at: number): boolean {
  const hash = hashOf(words, at) >>> filter.shift;
  return (filter.bits[hash >>> 5] & (1 << (hash & 31))) !== 0;
}

export function isHost(filter: HostFilter, words: Uint32Array, at: number): boolean {
  return mayBeHost(filter, words, at) && classOf(filter.exact, words, at) === INTERNAL;
}

/** Of IPv6 the network and the last word, which differ where anything does, but for what is made to collide. */
function hashOf(words: Uint32Array, at: number): number {
  return Math.imul(words[at + 3] ^ Math.imul(words[at] ^ words[at + 1], 0xc2b2_ae35), 0x9e37_79b1);
}

function* eachAddress(addresses: AddressSet): Generator<Uint32Array> {
  for (let i = 0; i < addresses.v4.length; i += 2)
    for (let value = addresses.v4[i]; value <= addresses.v4[i + 1]; value++) yield addressWords(value);
  for (let i = 0; i < addresses.v6.length; i += 2)
    for (let value = addresses.v6[i]; value <= addresses.v6[i + 1]; value++) yield addressWords(value);
}

// AddressSet -> classifier: internal, external or local for an address given as four words, without allocating
import { type AddressSet, addressSet } from '../model/addresses.ts';
import { contains, type Ranges } from '../model/ranges.ts';

export const EXTERNAL = 0;
export const INTERNAL = 1;
/** Never leaves its link or host, so it is no party of a conversation with the outside. */
export const LOCAL = 2;
const MIXED = 255;

/** This host, loopback, link-local, multicast, limited broadcast (RFC 6890, RFC 5771, RFC 4291), unless the site calls it internal. */
const LOCAL_ADDRESSES = addressSet(
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255',
  '::/127',
  'fe80::/10',
  'ff00::/8',
);

/**
 * Segments of equal class, sorted by their first address, and above them a table by the first 16 bits, which answers
 * without a search wherever a whole /16 has one class. IPv6 starts take four words each.
 */
export interface Classifier {
  readonly top4: Uint8Array;
  readonly starts4: Uint32Array;
  readonly classes4: Uint8Array;
  readonly top6: Uint8Array;
  readonly starts6: Uint32Array;
  readonly classes6: Uint8Array;
}

export function compileClassifier(internal: AddressSet): Classifier {
  const four = segments(internal.v4.map(BigInt), LOCAL_ADDRESSES.v4.map(BigInt), 32n);
  const six = segments(internal.v6, LOCAL_ADDRESSES.v6, 128n);
  const words = six.starts.flatMap((start) =>
    [96n, 64n, 32n, 0n].map((s) => Number((start >> s) & 0xffff_ffffn)),
  );
  return {
    top4: topTable(four, 32n),
    starts4: Uint32Array.from(four.starts, Number),
    classes4: Uint8Array.from(four.classes),
    top6: topTable(six, 128n),
    starts6: Uint32Array.from(words),
    classes6: Uint8Array.from(six.classes),
  };
}

/** The class of the address whose words are at `at`; IPv4 is mapped (RFC 4291 section 2.5.5.2). */
export function classOf(classifier: Classifier, words: Uint32Array, at: number): number {
  const w0 = words[at];
  if (w0 === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff) return classOf4(classifier, words[at + 3]);
  const top = classifier.top6[w0 >>> 16];
  return top === MIXED ? search6(classifier, words, at) : top;
}

function classOf4(classifier: Classifier, address: number): number {
  const top = classifier.top4[address >>> 16];
  if (top !== MIXED) return top;
  const starts = classifier.starts4;
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= address) low = middle;
    else high = middle - 1;
  }
  return classifier.classes4[low];
}

function search6(classifier: Classifier, words: Uint32Array, at: number): number {
  const starts = classifier.starts6;
  let low = 0;
  let high = classifier.classes6.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    let word = 0;
    while (word < 3 && starts[middle * 4 + word] === words[at + word]) word++;
    if (starts[middle * 4 + word] <= words[at + word]) low = middle;
    else high = middle - 1;
  }
  return classifier.classes6[low];
}

interface Segments {
  readonly starts: bigint[];
  readonly classes: number[];
}

function segments(internal: Ranges<bigint>, local: Ranges<bigint>, bits: bigint): Segments {
  const edges = [0n, ...[...internal, ...local].map((edge, i) => (i % 2 === 0 ? edge : edge + 1n))];
  // A range that ends with the family has no segment after it.
  const starts = [...new Set(edges)].filter((edge) => edge >> bits === 0n).sort((a, b) => (a < b ? -1 : 1));
  const classes = starts.map((at) =>
    contains(internal, at) ? INTERNAL : contains(local, at) ? LOCAL : EXTERNAL,
  );
  return { starts, classes };
}

function topTable({ starts, classes }: Segments, bits: bigint): Uint8Array {
  const table = new Uint8Array(65_536);
  for (let i = 0; i < starts.length; i++) {
    const first = Number(starts[i] >> (bits - 16n));
    const isAligned = (starts[i] & ((1n << (bits - 16n)) - 1n)) === 0n;
    table.fill(classes[i], isAligned ? first : first + 1);
    if (!isAligned) table[first] = MIXED;
  }
  return table;
}

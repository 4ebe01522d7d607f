// stretches of addresses and distinct entries -> typed arrays on shared memory
import { CATEGORIES, type Category } from '../src/model/enrichment.ts';

/** Who announces a range. */
export interface Network {
  readonly asn: number;
  readonly name: string;
  /** ISO 3166 alpha-2, '' where unknown. */
  readonly country: string;
}

export interface Choice {
  readonly category: Category;
  readonly source: string;
}

/** Views on SharedArrayBuffers: posting them to a thread copies nothing. Stretch i runs from start i to before start i+1. */
export interface LookupTables {
  readonly v4Starts: Uint32Array;
  readonly v4Entries: Uint32Array;
  /** Position of the stretch that holds address (i << 16), for i in 0..65535; then the last position. */
  readonly v4Index: Uint32Array;
  /** Four words a start, most significant first. */
  readonly v6Starts: Uint32Array;
  readonly v6Entries: Uint32Array;
  /** The same by the first 16 bits. */
  readonly v6Index: Uint32Array;
  readonly entryAsns: Uint32Array;
  /** Two ASCII letters, 0 where unknown. */
  readonly entryCountries: Uint16Array;
  /** Index into CATEGORIES. */
  readonly entryCategories: Uint8Array;
  /** Index into categorySources. */
  readonly entrySources: Uint16Array;
  /** Name i is nameBytes[nameOffsets[i]] up to nameOffsets[i + 1], UTF-8. */
  readonly nameOffsets: Uint32Array;
  readonly nameBytes: Uint8Array;
  readonly categorySources: readonly string[];
}

export interface Stretches<T> {
  readonly starts: T[];
  readonly ids: number[];
}

/** Longer names are cut: a name is shown, not compared. */
const MAX_NAME_BYTES = 200;

export function packEntries(list: readonly { network: Network; choice: Choice }[]) {
  const names = list.map(({ network }) => Buffer.from(network.name, 'utf8').subarray(0, MAX_NAME_BYTES));
  const nameBytes = shared(
    Uint8Array,
    names.reduce((sum, name) => sum + name.length, 0),
  );
  const nameOffsets = shared(Uint32Array, list.length + 1);
  names.forEach((name, i) => {
    nameBytes.set(name, nameOffsets[i]);
    nameOffsets[i + 1] = nameOffsets[i] + name.length;
  });
  const categorySources = [...new Set(list.map(({ choice }) => choice.source))];
  const country = (text: string) =>
    /^[A-Z]{2}$/.test(text) ? (text.charCodeAt(0) << 8) | text.charCodeAt(1) : 0;
  return {
    entryAsns: filled(
      Uint32Array,
      list.map(({ network }) => network.asn),
    ),
    entryCountries: filled(
      Uint16Array,
      list.map(({ network }) => country(network.country)),
    ),
    entryCategories: filled(
      Uint8Array,
      list.map(({ choice }) => CATEGORIES.indexOf(choice.category)),
    ),
    entrySources: filled(
      Uint16Array,
      list.map(({ choice }) => categorySources.indexOf(choice.source)),
    ),
    nameOffsets,
    nameBytes,
    categorySources,
  };
}

export function packV4({ starts, ids }: Stretches<number>) {
  const v4Index = firstLevel(
    starts,
    (start) => start >>> 16,
    (start) => (start & 0xffff) === 0,
  );
  return { v4Starts: filled(Uint32Array, starts), v4Entries: filled(Uint32Array, ids), v4Index };
}

export function packV6({ starts, ids }: Stretches<bigint>) {
  const v6Starts = shared(Uint32Array, starts.length * 4);
  starts.forEach((start, i) => {
    for (let word = 0; word < 4; word++)
      v6Starts[i * 4 + word] = Number((start >> BigInt(96 - 32 * word)) & 0xffff_ffffn);
  });
  const low = (1n << 112n) - 1n;
  const v6Index = firstLevel(
    starts,
    (start) => Number(start >> 112n),
    (start) => (start & low) === 0n,
  );
  return { v6Starts, v6Entries: filled(Uint32Array, ids), v6Index };
}

/** For each 16-bit value the position of the stretch that holds the first address with that value; then the last position. */
function firstLevel<T>(starts: readonly T[], top: (start: T) => number, isFirst: (start: T) => boolean) {
  const index = shared(Uint32Array, 65_537);
  let position = 0;
  for (let value = 0; value < 65_536; value++) {
    while (position + 1 < starts.length) {
      const next = starts[position + 1];
      if (top(next) > value || (top(next) === value && !isFirst(next))) break;
      position++;
    }
    index[value] = position;
  }
  index[65_536] = starts.length - 1;
  return index;
}

type TypedArray = Uint8Array | Uint16Array | Uint32Array;
interface TypedArrayKind<A extends TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer): A;
}

function shared<A extends TypedArray>(kind: TypedArrayKind<A>, length: number): A {
  return new kind(new SharedArrayBuffer(length * kind.BYTES_PER_ELEMENT));
}

function filled<A extends TypedArray>(kind: TypedArrayKind<A>, values: readonly number[]): A {
  const array = shared(kind, values.length);
  array.set(values);
  return array;
}

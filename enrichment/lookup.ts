// address -> what is known about it, from tables that threads share
import { mapped, parseAddress } from '../src/model/addresses.ts';
import { CATEGORIES, type Enrichment } from '../src/model/enrichment.ts';
import type { LookupTables } from './pack.ts';

export interface Lookup {
  /** Four 32-bit words of the (IPv4-mapped) address, most significant first, unsigned -> an entry id. Allocates nothing. */
  find(w0: number, w1: number, w2: number, w3: number): number;
  /** The same object every time for the same id. */
  entry(id: number): Enrichment;
  /** Text that is no address is unknown. */
  enrich(address: string): Enrichment;
}

export const UNKNOWN: Enrichment = {
  asn: 0,
  name: '',
  country: '',
  category: 'unknown',
  categorySource: 'none',
};

/** Opens tables in this thread; cheap. */
export function openLookup(tables: LookupTables): Lookup {
  const find = finder(tables);
  const entries: (Enrichment | undefined)[] = new Array(tables.entryAsns.length);
  const entry = (id: number): Enrichment => {
    let found = entries[id];
    if (found === undefined) {
      if (id >= entries.length) return UNKNOWN;
      found = readEntry(tables, id);
      entries[id] = found;
    }
    return found;
  };
  const enrich = (address: string): Enrichment => {
    const value = wordsOf(address);
    return value === undefined ? UNKNOWN : entry(find(value[0], value[1], value[2], value[3]));
  };
  return { find, entry, enrich };
}

function finder(tables: LookupTables): Lookup['find'] {
  const { v4Starts, v4Entries, v4Index, v6Starts, v6Entries, v6Index } = tables;
  return (w0, w1, w2, w3) => {
    // IPv4-mapped: RFC 4291 section 2.5.5.2
    if (w0 === 0 && w1 === 0 && w2 === 0xffff) {
      const top = w3 >>> 16;
      let low = v4Index[top];
      let high = v4Index[top + 1];
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if (v4Starts[middle] <= w3) low = middle;
        else high = middle - 1;
      }
      return v4Entries[low];
    }
    const top = w0 >>> 16;
    let low = v6Index[top];
    let high = v6Index[top + 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const at = middle * 4;
      const isBefore =
        v6Starts[at] !== w0
          ? v6Starts[at] < w0
          : v6Starts[at + 1] !== w1
            ? v6Starts[at + 1] < w1
            : v6Starts[at + 2] !== w2
              ? v6Starts[at + 2] < w2
              : v6Starts[at + 3] <= w3;
      if (isBefore) low = middle;
      else high = middle - 1;
    }
    return v6Entries[low];
  };
}

function readEntry(tables: LookupTables, id: number): Enrichment {
  const country = tables.entryCountries[id];
  const { nameBytes, nameOffsets } = tables;
  const name = Buffer.from(
    nameBytes.buffer,
    nameBytes.byteOffset + nameOffsets[id],
    nameOffsets[id + 1] - nameOffsets[id],
  );
  return {
    asn: tables.entryAsns[id],
    name: name.toString('utf8'),
    country: country === 0 ? '' : String.fromCharCode(country >> 8, country & 0xff),
    category: CATEGORIES[tables.entryCategories[id]] ?? 'unknown',
    categorySource: tables.categorySources[tables.entrySources[id]] ?? 'none',
  };
}

function wordsOf(address: string): [number, number, number, number] | undefined {
  let value: number | bigint;
  try {
    value = parseAddress(address);
  } catch {
    return undefined;
  }
  if (typeof value === 'number') return [0, 0, 0xffff, value];
  const bits = mapped(value);
  const word = (shift: bigint) => Number((bits >> shift) & 0xffff_ffffn);
  return [word(96n), word(64n), word(32n), word(0n)];
}

// ASN ranges + category ranges + the operator's list -> flat tables that threads share
import { addressSet } from '../src/model/addresses.ts';
import type { Category } from '../src/model/enrichment.ts';
import { asnTable } from './asn-table.ts';
import { type Family, flatten, overlay, V4, V6, type ValueRange } from './layers.ts';
import {
  type Choice,
  type LookupTables,
  type Network,
  packEntries,
  packV4,
  packV6,
  type Stretches,
} from './pack.ts';

/** Inclusive; IPv4 as number, IPv6 as bigint. */
export interface NetworkRange {
  readonly first: number | bigint;
  readonly last: number | bigint;
  readonly value: Network;
}

export interface CategoryRange {
  readonly first: number | bigint;
  readonly last: number | bigint;
  readonly value: Category;
}

export interface TableSources {
  readonly networks?: readonly NetworkRange[];
  readonly tor?: readonly CategoryRange[];
  /** By provider name; among overlapping prefixes the most specific decides. */
  readonly providers?: readonly { readonly name: string; readonly ranges: readonly CategoryRange[] }[];
  /** "AS64500", "192.0.2.1" or "192.0.2.0/24" -> category. */
  readonly operator?: Readonly<Record<string, Category>>;
}

const NOTHING: Choice = { category: 'unknown', source: 'none' };
const NO_NETWORK: Network = { asn: 0, name: '', country: '' };

/** Builds all tables. Precedence: operator's prefixes, operator's ASNs, Tor, providers, our table of ASNs. Throws TypeError for an operator's key that is neither. */
export function buildTables(sources: TableSources): LookupTables {
  const operator = readOperator(sources.operator ?? {});
  const entries = createEntries();
  const choose = chooser(operator.asns);
  const layers = [
    sources.networks ?? [],
    operator.ranges,
    (sources.tor ?? []).map((range) => choiceRange(range, 'tor')),
    (sources.providers ?? []).flatMap(({ name, ranges }) =>
      ranges.map((range) => choiceRange(range, `provider:${name}`)),
    ),
  ];
  const idAt = (values: readonly unknown[]) => {
    const network = (values[0] as Network | undefined) ?? NO_NETWORK;
    return entries.id(network, choose(network.asn, values.slice(1) as (Choice | undefined)[]));
  };
  const v4 = stretches(layers.map(isFour), V4, idAt);
  const v6 = stretches(layers.map(isSix), V6, idAt);
  return { ...packV4(v4), ...packV6(v6), ...entries.pack() };
}

const choiceRange = (range: CategoryRange, source: string) => ({
  ...range,
  value: { category: range.value, source },
});

type AnyRange = ValueRange<number | bigint, unknown>;
const isFour = (layer: readonly AnyRange[]) =>
  layer.filter((range) => typeof range.first === 'number') as ValueRange<number, unknown>[];
const isSix = (layer: readonly AnyRange[]) =>
  layer.filter((range) => typeof range.first === 'bigint') as ValueRange<bigint, unknown>[];

function readOperator(list: Readonly<Record<string, Category>>) {
  const asns = new Map<number, Choice>();
  const ranges: ValueRange<number | bigint, Choice>[] = [];
  for (const [key, category] of Object.entries(list)) {
    const value = { category, source: 'operator' };
    const asn = /^AS(\d{1,10})$/i.exec(key);
    if (asn) {
      asns.set(Number(asn[1]), value);
      continue;
    }
    const { v4, v6 } = addressSet(key);
    if (v4.length === 2) ranges.push({ first: v4[0], last: v4[1], value });
    if (v6.length === 2) ranges.push({ first: v6[0], last: v6[1], value });
  }
  return { asns, ranges };
}

function chooser(operatorAsns: ReadonlyMap<number, Choice>) {
  const ours = new Map(
    asnTable.map((row) => [row.asn, { category: row.category, source: 'asn-table' }] as const),
  );
  return (asn: number, [operator, tor, provider]: readonly (Choice | undefined)[]): Choice =>
    operator ?? operatorAsns.get(asn) ?? tor ?? provider ?? ours.get(asn) ?? NOTHING;
}

function stretches<T extends number | bigint>(
  layers: readonly (readonly ValueRange<T, unknown>[])[],
  family: Family<T>,
  idAt: (values: readonly unknown[]) => number,
): Stretches<T> {
  const starts: T[] = [];
  const ids: number[] = [];
  overlay(
    layers.map((layer) => flatten(layer, family)),
    family,
    (first, values) => {
      const id = idAt(values);
      if (ids.length > 0 && ids[ids.length - 1] === id) return;
      starts.push(first);
      ids.push(id);
    },
  );
  return { starts, ids };
}

function createEntries() {
  const ids = new Map<string, number>();
  const list: { network: Network; choice: Choice }[] = [];
  const id = (network: Network, choice: Choice): number => {
    const key = `${network.asn}\t${network.country}\t${choice.category}\t${choice.source}\t${network.name}`;
    let found = ids.get(key);
    if (found === undefined) {
      found = list.length;
      ids.set(key, found);
      list.push({ network, choice });
    }
    return found;
  };
  id(NO_NETWORK, NOTHING);
  return { id, pack: () => packEntries(list) };
}

// an address set -> a condition on an IPv6 column of the store
import { type AddressSet, formatAddress } from '../model/addresses.ts';

/** More ranges than this are covered by fewer, wider ones: the nearest neighbours are joined first. */
const MAX_RANGES = 500;

/** "(column BETWEEN ... OR ...)"; "0" for no addresses. Built from parsed numbers only, never from text. */
export function rangeCondition(
  column: 'internal' | 'external' | 'exporter' | 'translated',
  set: AddressSet,
): string {
  const terms: string[] = [];
  const v4 = coverWith(set.v4, MAX_RANGES);
  for (let i = 0; i < v4.length; i += 2)
    terms.push(between(column, `::ffff:${formatAddress(v4[i])}`, `::ffff:${formatAddress(v4[i + 1])}`));
  const v6 = set.v6.slice(0, 2 * MAX_RANGES);
  for (let i = 0; i < v6.length; i += 2) {
    // The whole of IPv6 must not take in the addresses that stand for IPv4.
    const except =
      v6[i] <= 0xffff_0000_0000n && v6[i + 1] >= 0xffff_ffff_ffffn
        ? ` AND NOT (${between(column, '::ffff:0.0.0.0', '::ffff:255.255.255.255')})`
        : '';
    terms.push(`(${between(column, formatAddress(v6[i]), formatAddress(v6[i + 1]))}${except})`);
  }
  return terms.length === 0 ? '0' : `(${terms.join(' OR ')})`;
}

const between = (column: string, first: string, last: string) =>
  `${column} BETWEEN toIPv6('${first}') AND toIPv6('${last}')`;

function coverWith(ranges: readonly number[], limit: number): readonly number[] {
  if (ranges.length <= 2 * limit) return ranges;
  const gaps: { at: number; size: number }[] = [];
  for (let i = 1; i + 1 < ranges.length; i += 2) gaps.push({ at: i, size: ranges[i + 1] - ranges[i] });
  const closed = new Set(
    gaps
      .sort((a, b) => a.size - b.size)
      .slice(0, ranges.length / 2 - limit)
      .flatMap(({ at }) => [at, at + 1]),
  );
  return ranges.filter((_value, index) => !closed.has(index));
}

// template -> a function that writes its records into columns; made once, of numbers only, never of text off the wire
import { type Domain, lineCardRate, samplerRate } from './domain.ts';
import { readEvent, readUpdate } from './reader-events.ts';
import { int, type Layout, layOut, lowBits, unsigned } from './reader-layout.ts';
import { readTimes } from './reader-times.ts';
import { HAS, mapRows, originCode, type RecordColumns, type SamplingOrigin } from './records.ts';
import type { ExporterSession } from './session.ts';
import type { Target } from './targets.ts';

/** What a reader needs besides the bytes. */
export interface ReadContext {
  readonly session: ExporterSession;
  readonly domain: Domain;
  readonly exportMs: number;
  /** Of the exporter at exportMs, modulo 2^32; meaningless where !hasUptime. */
  readonly uptimeMs: number;
  readonly hasUptime: boolean;
  /** For records that name no sampler; 0 unknown. */
  readonly rate: number;
  /** Of `rate`, as samplingOrigin; 0 where it is unknown. */
  readonly rateOrigin: number;
  /** For records whose sampler is not known; 0 unknown. */
  readonly domainRate: number;
}

/**
 * Writes at most `limit` records from [start, end) behind columns.count and raises it; returns the offset behind the last
 * record read, or -1 where a record ran past the end (those before it are kept).
 */
export type Reader = (
  view: DataView,
  start: number,
  end: number,
  columns: RecordColumns,
  context: ReadContext,
  limit: number,
) => number;

const readers = new Map<string, Reader>();
const READERS_KEPT = 1_024;

/**
 * Readers are shared by all templates of one layout, so ten thousand exporters of one model cost one. `mayMake` is asked
 * before a new one is made; undefined where it says no. `fields` as in Template.
 */
export function readerOf(fields: Uint32Array, mayMake: () => boolean): Reader | undefined {
  const source = readerSource(fields);
  let reader = readers.get(source);
  if (reader) readers.delete(source);
  else {
    if (!mayMake()) return undefined;
    reader = new Function('samplerRate', 'lineCardRate', 'mapRows', source)(
      samplerRate,
      lineCardRate,
      mapRows,
    ) as Reader;
    if (readers.size >= READERS_KEPT) readers.delete(readers.keys().next().value as string);
  }
  readers.set(source, reader);
  return reader;
}

function readerSource(fields: Uint32Array): string {
  const layout = layOut(fields);
  const bits: string[] = [];
  const body = [
    ...readAddresses(layout, bits),
    ...readNat(layout, bits),
    ...readEvent(layout),
    ...readScalars(layout, bits),
    ...readCounters(layout, bits),
    ...readTimes(layout, bits),
    ...readUpdate(layout),
    ...readSampling(layout),
  ];
  return `'use strict';
return function read(view, start, end, columns, context, limit) {
  const { ${COLUMN_NAMES} } = columns;
  const exportMs = context.exportMs;
  const uptimeMs = context.hasUptime ? context.uptimeMs | 0 : 0, ownUptime = context.hasUptime ? 0 : -1;
  const rate = context.rate > 0 ? context.rate : 1, rateOrigin = context.rateOrigin;
  const domainRate = context.domainRate;
  let samplerId = -1, knownRate = 0, cardId = -1, cardRate = 0;
  let o = start, n = columns.count;
  const stop = n + limit;
  ${prepareRows(layout)}
  while (n < stop && o + ${int(layout.minimumBytes)} <= end) {
    ${layout.walk}
    const a = n << 2;
    let has = 0;
    ${body.join('\n    ')}
    present[n] = has | ${bits.length > 0 ? bits.join(' | ') : '0'};
    n++;
    o = ${layout.next};
  }
  columns.count = n;
  return o;
};`;
}

const COLUMN_NAMES = `present, source, destination, postNatSource, postNatDestination, postNatSourcePort,
    postNatDestinationPort, event, portRangeEnd, sourcePort, destinationPort, protocol, tcpFlags, direction,
    inputInterface, outputInterface, bytes, packets, reverseBytes, reversePackets, startMs, endMs, samplingRate, samplingOrigin`;

const mappedWords = (column: string, word: string) =>
  `${column}[a] = 0; ${column}[a + 1] = 0; ${column}[a + 2] = 65535; ${column}[a + 3] = ${word};`;

const WORDS = [0, 1, 2, 3];
const wordAt = (offset: string, i: number) => `view.getInt32(${offset} + ${int(4 * i)})`;

const sixWords = (column: string, offset: string) =>
  WORDS.map((i) => `${column}[a + ${int(i)}] = ${wordAt(offset, i)};`).join(' ');

const isNotZero = (offset: string) => `(${WORDS.map((i) => wordAt(offset, i)).join(' | ')}) !== 0`;

const isIpv4Alone = (layout: Layout) =>
  layout.at('source4') && layout.at('destination4') && !layout.at('source6') && !layout.at('destination6');

function prepareRows(layout: Layout): string {
  if (!isIpv4Alone(layout)) return 'if (columns.mapped > n) columns.mapped = n;';
  const most = `n + Math.floor((end - start) / ${int(layout.minimumBytes)})`;
  return `mapRows(columns, n, Math.min(stop, ${most}));`;
}

function readAddresses(layout: Layout, bits: string[]): string[] {
  const lines: string[] = [];
  for (const column of ['source', 'destination'] as const) {
    const four = layout.at(`${column}4`);
    const six = layout.at(`${column}6`);
    if (four && isIpv4Alone(layout)) lines.push(`${column}[a + 3] = view.getInt32(${four.offset});`);
    else if (four && six) lines.push(readEither(column, four.offset, six.offset));
    else if (four) lines.push(mappedWords(column, `view.getInt32(${four.offset})`));
    else if (six) lines.push(sixWords(column, six.offset));
  }
  if (lines.length === 2) bits.push(int(HAS.addresses));
  return lines;
}

/** Templates with both families fill the one that does not apply with zeros. */
function readEither(column: string, four: string, six: string): string {
  return `{
      const four = view.getInt32(${four});
      if (four === 0 && ${isNotZero(six)}) { ${sixWords(column, six)} }
      else { ${mappedWords(column, 'four')} }
    }`;
}

function readNat(layout: Layout, bits: string[]): string[] {
  const lines: string[] = [];
  for (const [side, column, bit] of [
    ['natSource', 'postNatSource', HAS.postNatSource],
    ['natDestination', 'postNatDestination', HAS.postNatDestination],
  ] as const) {
    const four = layout.at(`${side}4`);
    const six = layout.at(`${side}6`);
    if (!four && !six) continue;
    const port = layout.at(`${side}Port`);
    const flag = `${column}Bit`;
    const copyPort = `${column}Port[n] = ${port ? lowBits(port, 16) : '0'};`;
    lines.push(`let ${flag} = 0;`);
    if (six)
      lines.push(
        `if (${isNotZero(six.offset)}) { ${sixWords(column, six.offset)} ${copyPort} ${flag} = ${int(bit)}; }`,
      );
    if (four)
      lines.push(`{
      const four = view.getInt32(${four.offset});
      if (four !== 0) { ${mappedWords(column, 'four')} ${copyPort} ${flag} = ${int(bit)}; }
    }`);
    bits.push(flag);
  }
  return lines;
}

function readScalars(layout: Layout, bits: string[]): string[] {
  const scalars = [
    ['sourcePort', 'sourcePort', 16],
    ['destinationPort', 'destinationPort', 16],
    ['protocol', 'protocol', 8],
    ['tcpFlags', 'tcpFlags', 8],
    ['inputInterface', 'input', 32],
    ['outputInterface', 'output', 32],
  ] as const;
  const lines = scalars.map(([column, target, width]) => {
    const place = layout.at(target);
    return `${column}[n] = ${place ? lowBits(place, width) : '0'};`;
  });
  const direction = layout.at('direction');
  if (direction) {
    lines.push(`direction[n] = ${lowBits(direction, 8)};`);
    bits.push(int(HAS.direction));
  } else if (hasOnlyPost(layout)) {
    // Counters behind the observation point and none before it: metered as it leaves.
    lines.push('direction[n] = 1;');
    bits.push(int(HAS.direction));
  }
  return lines;
}

const hasOnlyPost = (layout: Layout) =>
  !layout.at('packets') &&
  !layout.at('bytes') &&
  (layout.at('postPackets') ?? layout.at('postBytes')) !== undefined;

function readCounters(layout: Layout, bits: string[]): string[] {
  const number = (target: Target) => {
    const place = layout.at(target);
    return place ? unsigned(place) : '0';
  };
  const lines = [`bytes[n] = ${number('bytes')};`, `packets[n] = ${number('packets')};`];
  for (const [column, post] of [
    ['bytes', 'postBytes'],
    ['packets', 'postPackets'],
  ] as const)
    if (layout.at(post)) lines.push(`if (${column}[n] === 0) ${column}[n] = ${number(post)};`);
  const hasReversePackets = layout.at('reversePackets') !== undefined;
  // Forward packets with reverse bytes alone cannot be compared: that is no knowledge of the return direction.
  const isKnown = hasReversePackets || (layout.at('reverseBytes') && !layout.at('packets'));
  if (isKnown) {
    lines.push(
      `reverseBytes[n] = ${number('reverseBytes')};`,
      `reversePackets[n] = ${number('reversePackets')};`,
    );
    bits.push(int(HAS.reverse));
  }
  return lines;
}

const origin = (name: SamplingOrigin) => int(originCode(name));

/** The record's own statement, else its sampler's, else the default of the domain. */
function readSampling(layout: Layout): string[] {
  const stated = layout.at('samplingRate');
  const interval = layout.at('samplingInterval');
  const space = layout.at('samplingSpace');
  const sampler = layout.at('samplerId');
  const card = layout.at('lineCard');
  if (!stated && !(interval && space) && !sampler && !card)
    return ['samplingRate[n] = rate;', 'samplingOrigin[n] = rateOrigin;'];
  const lines = ['let own = rate, from = rateOrigin;'];
  if (card)
    lines.push(`{
      const id = ${unsigned(card)};
      if (id !== cardId) { cardId = id; cardRate = lineCardRate(context.session, context.domain, id); }
      if (cardRate > 0) { own = cardRate; from = ${origin('interface')}; }
    }`);
  if (sampler)
    lines.push(`{
      const id = ${unsigned(sampler)};
      if (id !== samplerId) { samplerId = id; knownRate = samplerRate(context.session, context.domain, id); }
      if (knownRate > 0) { own = knownRate; from = ${origin('sampler')}; }
      else { own = domainRate; from = ${origin('exporter')}; }
    }`);
  if (interval && space)
    lines.push(`{
      const interval = ${unsigned(interval)};
      if (interval > 0) { own = (interval + ${unsigned(space)}) / interval; from = ${origin('record')}; }
    }`);
  if (stated)
    lines.push(
      `{ const stated = ${unsigned(stated)}; if (stated > 0) { own = stated; from = ${origin('record')}; } }`,
    );
  lines.push(`samplingRate[n] = own > 0 ? own : 1;`, `samplingOrigin[n] = own > 0 ? from : 0;`);
  return lines;
}

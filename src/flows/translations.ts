// columns of records with events -> events of address translation, bounded, with a fair share an exporter
import { FIREWALL_CREATED, FIREWALL_DELETED, HAS, type RecordColumns } from '../packets/records.ts';
import { type Classifier, classOf, INTERNAL } from './classify.ts';
import { type FoldCounters, momentMsOf } from './fold.ts';
import { isTranslation } from './orient.ts';
import {
  CREATED,
  createTranslationBatch,
  DELETED,
  firstTranslations,
  type TranslationBatch,
} from './translation-batch.ts';
import { copyAddress } from './words.ts';

const POOL_ROWS = 65_536;
/** One exporter may hold so many times the rows that are left: 94% of an empty pool, and there is room for others always. */
const SHARE_OF_FREE = 16;
const ICMP = 1;
const ICMPV6 = 58;

/** Historic values of natEvent (RFC 8158 and its IANA registry). */
const NAT_CREATED = 1;
const NAT_DELETED = 2;
/**
 * From the first session to the last block of ports, even values begin a translation and odd ones end it. So they do in Junos,
 * which counts as an earlier draft did (its 14 allocates a block, its 12 binds an address); those about exhausted pools and
 * quotas name no translation of a host.
 */
const FIRST_NAT_EVENT = 4;
const LAST_NAT_EVENT = 17;

export interface Translations {
  rows: TranslationBatch | undefined;
  count: number;
  readonly maxRows: number;
  /** Rows by exporter; those that may be forged share one entry. */
  readonly held: Map<object, number>;
  /** Asked when there is no room: call takeTranslations inside to lose nothing. */
  readonly onFull: (() => void) | undefined;
}

/** Where the records of one call come from. */
interface Origin {
  readonly exporter: Uint32Array;
  readonly isProven: boolean;
  readonly counters: FoldCounters;
  readonly receivedAtMs: number;
}

const STRANGERS = {};

/** Memory is taken with the first event. */
export function createTranslations(maxRows = POOL_ROWS, onFull?: () => void): Translations {
  return { rows: undefined, count: 0, maxRows, held: new Map(), onFull };
}

/** Everything kept since the last call. */
export function takeTranslations(translations: Translations): TranslationBatch | undefined {
  const { rows, count } = translations;
  if (!rows || count === 0) return undefined;
  translations.count = 0;
  translations.held.clear();
  return firstTranslations(rows, count);
}

/** Whether a translation begins or ends with the event of a record; 0: neither. Values as in RecordColumns.event. */
function kindOf(event: number): number {
  if (event === NAT_CREATED || event === FIREWALL_CREATED) return CREATED;
  if (event === NAT_DELETED || event === FIREWALL_DELETED) return DELETED;
  if (event < FIRST_NAT_EVENT || event > LAST_NAT_EVENT) return 0;
  return event % 2 === 0 ? CREATED : DELETED;
}

/** Looks at the records that have an event; the others pass. */
export function keepTranslations(
  translations: Translations,
  classifier: Classifier,
  columns: RecordColumns,
  count: number,
  origin: Origin,
): void {
  const holder = origin.isProven ? origin.exporter : STRANGERS;
  for (let i = 0; i < count; i++) {
    if ((columns.present[i] & HAS.event) === 0) continue;
    const kind = kindOf(columns.event[i]);
    const side = kind === 0 ? NEITHER : sideOf(classifier, columns, i);
    if (side === NEITHER) continue;
    const row = rowFor(translations, holder);
    if (row < 0) {
      origin.counters.translationsDropped++;
      continue;
    }
    origin.counters.translations++;
    write(translations.rows as TranslationBatch, row, columns, i, kind, side, origin);
  }
}

const NEITHER = 0;
const SOURCE = 1;
const DESTINATION = 2;

/**
 * Which side of a record is a host of ours that appears as another address: the source on its way out, or the destination that
 * an inbound session reaches. What is no host of ours is left out, whatever the exporter says.
 */
function sideOf(classifier: Classifier, columns: RecordColumns, i: number): number {
  const at = i * 4;
  const { present, source, destination, postNatSource, postNatDestination } = columns;
  if (
    (present[i] & HAS.postNatSource) !== 0 &&
    isTranslation(source, postNatSource, at) &&
    classOf(classifier, source, at) === INTERNAL
  )
    return SOURCE;
  if (
    (present[i] & HAS.postNatDestination) !== 0 &&
    isSet(destination, at) &&
    isTranslation(destination, postNatDestination, at) &&
    classOf(classifier, postNatDestination, at) === INTERNAL &&
    classOf(classifier, source, at) !== INTERNAL
  )
    return DESTINATION;
  return NEITHER;
}

const isSet = (words: Uint32Array, at: number) =>
  (words[at] | words[at + 1] | words[at + 3]) !== 0 || (words[at + 2] !== 0 && words[at + 2] !== 0xffff);

function roomFor({ maxRows, count, held }: Translations, holder: object): number {
  const free = maxRows - count;
  return Math.min(free, free * SHARE_OF_FREE - (held.get(holder) ?? 0));
}

/** -1 where there is no room. */
function rowFor(translations: Translations, holder: object): number {
  if (roomFor(translations, holder) <= 0) translations.onFull?.();
  if (roomFor(translations, holder) <= 0) return -1;
  translations.rows ??= createTranslationBatch(translations.maxRows);
  translations.held.set(holder, (translations.held.get(holder) ?? 0) + 1);
  return translations.count++;
}

function write(
  rows: TranslationBatch,
  row: number,
  columns: RecordColumns,
  i: number,
  kind: number,
  side: number,
  { exporter, receivedAtMs }: Origin,
): void {
  const to = row * 4;
  const at = i * 4;
  const isSource = side === SOURCE;
  const { source, destination, postNatSource, postNatDestination, sourcePort, destinationPort } = columns;
  rows.atMs[row] = momentMsOf(columns, i, kind === DELETED, receivedAtMs);
  rows.receivedAtMs[row] = receivedAtMs;
  rows.event[row] = kind;
  copyAddress(rows.exporter, to, exporter, 0);
  copyAddress(rows.internal, to, isSource ? source : postNatDestination, at);
  copyAddress(rows.translated, to, isSource ? postNatSource : destination, at);
  const isMoved = (columns.present[i] & HAS.postNatDestination) !== 0;
  const reached = isMoved && isSet(postNatDestination, at) ? postNatDestination : destination;
  copyAddress(rows.external, to, isSource ? reached : source, at);
  const isNamed = isSet(rows.external, to);
  if (!isNamed) rows.external.fill(0, to, to + 4);
  const protocol = columns.protocol[i];
  const isIcmp = protocol === ICMP || protocol === ICMPV6;
  // NAT64 (RFC 6146): what is ICMPv6 inside is ICMP behind the translation.
  rows.protocol[row] = isIcmp ? (isAddressV4(rows.translated, to) ? ICMP : ICMPV6) : protocol;
  const reachedPort = (isMoved && columns.postNatDestinationPort[i]) || destinationPort[i];
  rows.internalPort[row] = isSource ? sourcePort[i] : reachedPort;
  rows.translatedPort[row] = isSource ? columns.postNatSourcePort[i] : destinationPort[i];
  rows.translatedPortEnd[row] = Math.max(rows.translatedPort[row], columns.portRangeEnd[i]);
  const externalPort = isSource ? reachedPort : sourcePort[i];
  rows.externalPort[row] = isIcmp || !isNamed ? 0 : externalPort;
}

const isAddressV4 = (words: Uint32Array, at: number) =>
  words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff;

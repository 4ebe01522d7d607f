// record + internal set -> which side is internal, and the parts of the conversation's key that follow from it
import { HAS, type RecordColumns } from '../packets/records.ts';
import { type Classifier, classOf, EXTERNAL, INTERNAL } from './classify.ts';
import { EXTERNAL_ADDRESS, INTERFACE, INTERNAL_ADDRESS, PORT_PROTOCOL, TRANSLATED_ADDRESS } from './key.ts';
import { copyAddress } from './words.ts';

/** The internal side sent it. */
export const OUT = 0;
/** The external side sent it. */
export const IN = 1;
export const BOTH_INTERNAL = 2;
export const BOTH_EXTERNAL = 3;
/** One side is loopback, link-local, multicast or the like. */
export const LOCAL_SCOPE = 4;
export const NO_ADDRESSES = 5;

/**
 * Writes interface, port, protocol and addresses of record `i` into `key` and returns OUT or IN; any other result means no
 * conversation between inside and outside, and an undefined key. Where NAT elements are present (IE 225, 226, 281, 282):
 * - a destination is what it is translated to, so a relay (internal -> internal address translated to an external one) is a
 *   conversation with that external address, and `translated` is the address that the internal side addressed;
 * - a source that is translated on its way out gives `translated`, what the outside sees;
 * - a reply is the mirror image: its translated destination is the internal side, its translated source (the relay's own
 *   address) or else its original destination is `translated`.
 */
export function orient(classifier: Classifier, columns: RecordColumns, i: number, key: Uint32Array): number {
  const present = columns.present[i];
  if ((present & HAS.addresses) === 0) return NO_ADDRESSES;
  const at = i * 4;
  const sourceClass = classOf(classifier, columns.source, at);
  if ((present & (HAS.postNatSource | HAS.postNatDestination)) !== 0)
    return orientTranslated(classifier, columns, i, key, sourceClass);
  const destinationClass = classOf(classifier, columns.destination, at);
  if (sourceClass === INTERNAL && destinationClass === EXTERNAL) {
    writeSides(key, columns, i, OUT, columns.source, columns.destination);
    return OUT;
  }
  if (sourceClass === EXTERNAL && destinationClass === INTERNAL) {
    writeSides(key, columns, i, IN, columns.destination, columns.source);
    return IN;
  }
  return unoriented(sourceClass, destinationClass);
}

function orientTranslated(
  classifier: Classifier,
  columns: RecordColumns,
  i: number,
  key: Uint32Array,
  sourceClass: number,
): number {
  const at = i * 4;
  const { source, destination, postNatSource, postNatDestination } = columns;
  const movesSource =
    (columns.present[i] & HAS.postNatSource) !== 0 && isTranslation(source, postNatSource, at);
  const movesDestination =
    (columns.present[i] & HAS.postNatDestination) !== 0 && isTranslation(destination, postNatDestination, at);
  const reached = movesDestination ? postNatDestination : destination;
  const reachedClass = classOf(classifier, reached, at);
  if (sourceClass === INTERNAL && reachedClass === EXTERNAL) {
    writeSides(key, columns, i, OUT, source, reached);
    if (movesDestination) copyAddress(key, TRANSLATED_ADDRESS, destination, at);
    else if (movesSource) copyAddress(key, TRANSLATED_ADDRESS, postNatSource, at);
    return OUT;
  }
  if (sourceClass === EXTERNAL && reachedClass === INTERNAL) {
    writeSides(key, columns, i, IN, reached, source);
    if (movesSource) copyAddress(key, TRANSLATED_ADDRESS, postNatSource, at);
    else if (movesDestination) copyAddress(key, TRANSLATED_ADDRESS, destination, at);
    return IN;
  }
  return unoriented(sourceClass, reachedClass);
}

function unoriented(sourceClass: number, destinationClass: number): number {
  if (sourceClass === INTERNAL && destinationClass === INTERNAL) return BOTH_INTERNAL;
  return sourceClass === EXTERNAL && destinationClass === EXTERNAL ? BOTH_EXTERNAL : LOCAL_SCOPE;
}

function writeSides(
  key: Uint32Array,
  columns: RecordColumns,
  i: number,
  way: number,
  internal: Uint32Array,
  external: Uint32Array,
): void {
  const protocol = columns.protocol[i];
  const port = way === OUT ? columns.destinationPort[i] : columns.sourcePort[i];
  key[INTERFACE] = way === OUT ? columns.outputInterface[i] : columns.inputInterface[i];
  // ICMP has no ports: its type and code stand in the destination port of one direction only and would split a conversation.
  key[PORT_PROTOCOL] = (protocol === 1 || protocol === 58 ? 0 : port) | (protocol << 16);
  copyAddress(key, INTERNAL_ADDRESS, internal, i * 4);
  copyAddress(key, EXTERNAL_ADDRESS, external, i * 4);
  key[TRANSLATED_ADDRESS] = 0;
  key[TRANSLATED_ADDRESS + 1] = 0;
  key[TRANSLATED_ADDRESS + 2] = 0;
  key[TRANSLATED_ADDRESS + 3] = 0;
}

/** Exporters fill the post-NAT elements of untranslated flows with zeros or with the same address. */
export function isTranslation(before: Uint32Array, after: Uint32Array, at: number): boolean {
  const isZero = (after[at] | after[at + 1] | after[at + 3]) === 0 && (after[at + 2] | 0xffff) === 0xffff;
  return (
    !isZero &&
    (before[at] !== after[at] ||
      before[at + 1] !== after[at + 1] ||
      before[at + 2] !== after[at + 2] ||
      before[at + 3] !== after[at + 3])
  );
}

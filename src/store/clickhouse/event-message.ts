// an event -> where in its line the message begins, so that what nearly all lines end with is not stored twice
import type { Event } from '../../model/event.ts';

/** The byte of `raw` in UTF-8, from 1, as `substring` of ClickHouse counts; 0 where the line does not end with the message. */
export function messageAt({ raw, message }: Pick<Event, 'raw' | 'message'>): number {
  if (!raw.endsWith(message)) return 0;
  const at = raw.length - message.length;
  // Between the halves of a pair no byte begins.
  if (isLowSurrogate(raw.charCodeAt(at))) return 0;
  return Buffer.byteLength(raw.slice(0, at)) + 1;
}

const isLowSurrogate = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;

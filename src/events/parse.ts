// line (as received) -> Event
import type { Event } from '../model/event.ts';
import { cleanLine, withoutControls } from './clean.ts';
import { readHeader } from './header.ts';
import { readers } from './readers/index.ts';
import type { Reading } from './readers/reader.ts';
import { withoutSecrets } from './redact.ts';
import { resolveTime } from './time.ts';

export interface ParseOptions {
  /** How far a time without zone or year may be from the receipt and still be believed; default 12 hours. */
  readonly toleranceMs?: number;
}

/**
 * Any line becomes an event; what is not understood is of kind "other". `sender` is an address as text.
 * A time without a zone is taken for UTC; where that is too far from the receipt, the receipt counts. Never throws.
 */
export function parseEvent(
  line: Uint8Array | string,
  sender: string,
  receivedAtMs: number,
  options: ParseOptions = {},
): Event {
  const text = cleanLine(line);
  const header = readHeader(text);
  const reading = read(header.program ?? '', header.message);
  const headerMs = header.time && resolveTime(header.time, receivedAtMs, options.toleranceMs);
  const clean = (value: string | undefined) => (value === undefined ? undefined : withoutControls(value));
  return withoutSecrets({
    kind: reading.kind,
    receivedAtMs,
    observedAtMs: reading.observedAtMs ?? headerMs ?? receivedAtMs,
    sender,
    host: clean(header.host),
    program: clean(header.program),
    severity: header.severity,
    facility: header.facility,
    user: clean(reading.user),
    sourceAddress: clean(reading.sourceAddress),
    command: clean(reading.command),
    message: withoutControls(header.message),
    raw: withoutControls(text),
  });
}

function read(program: string, message: string): Reading {
  for (const reader of readers) {
    const reading = reader(program, message);
    if (reading) return reading;
  }
  return { kind: 'other' };
}

// line (as received) -> Event
import type { Event } from '../model/event.ts';
import { cleanLine, isPrintable, withoutControls } from './clean.ts';
import { readHeader } from './header.ts';
import { isKnownProgram, readersFor } from './readers/index.ts';
import type { Reading } from './readers/reader.ts';
import { withoutSecrets } from './redact.ts';
import { resolveTime } from './time.ts';

export interface ParseOptions {
  /** How far a time without zone or year may be from the receipt and still be believed; default 12 hours. */
  readonly toleranceMs?: number;
  /** Told of the lines of known programs that no reader understood. */
  readonly onUnread?: (program: string, message: string) => void;
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
  const program = header.program ?? '';
  const isPlain = isPrintable(text);
  const raw = isPlain ? text : withoutControls(text);
  const reading = read(program, header.message, raw);
  if (!reading && options.onUnread && isKnownProgram(program))
    options.onUnread(withoutControls(program), withoutControls(header.message));
  const headerMs = header.time && resolveTime(header.time, receivedAtMs, options.toleranceMs);
  return withoutSecrets({
    kind: reading?.kind ?? 'other',
    receivedAtMs,
    observedAtMs: reading?.observedAtMs ?? headerMs ?? receivedAtMs,
    sender,
    host: reading?.host === undefined && isPlain ? header.host : clean(reading?.host ?? header.host),
    program:
      reading?.program === undefined && isPlain ? header.program : clean(reading?.program ?? header.program),
    severity: header.severity,
    facility: header.facility,
    user: clean(reading?.user),
    sourceAddress: clean(reading?.sourceAddress),
    command: clean(reading?.command),
    ...(reading && detailsOf(reading)),
    // Replacing keeps lengths, and the message is the end of the line in all but odd cases.
    message: text.endsWith(header.message)
      ? raw.slice(raw.length - header.message.length)
      : withoutControls(header.message),
    raw,
  });
}

const clean = (value: string | undefined) => (value === undefined ? undefined : withoutControls(value));

function read(program: string, message: string, line: string): Reading | undefined {
  for (const readLine of readersFor(program)) {
    const reading = readLine(message, program, line);
    if (reading) return reading;
  }
  return undefined;
}

const DETAILS = [
  'node',
  'parentExecutable',
  'destinationAddress',
  'sourcePort',
  'destinationPort',
  'protocol',
  'action',
  'unit',
  'executable',
  'arguments',
  'pid',
  'parentPid',
  'effectiveUser',
  'loginUser',
  'tty',
  'entryCount',
] as const;

/** Only what the line says: most say none of it. */
function detailsOf(reading: Reading): Partial<Event> {
  const details: Record<string, unknown> = {};
  for (const key of DETAILS) {
    const value = reading[key];
    if (value !== undefined) details[key] = typeof value === 'string' ? withoutControls(value) : value;
  }
  return details;
}

// a capture or raw datagram -> lines of JSON, one record each
import { PosternError } from '../model/errors.ts';
import { openBytes } from './byte-source.ts';
import { type CaptureStatistics, createCaptureStatistics } from './capture.ts';
import { looksLikeExport } from './detect.ts';
import { type NamedRecord, readNamedRecords } from './fields.ts';
import { isCapture, readCapture } from './pcap.ts';
import { createSession, type ExporterSession } from './session.ts';

/** The largest payload that UDP can carry; a file that is no capture is one datagram. */
const MOST_RAW_BYTES = 65_535;
const MOST_SESSIONS = 65_536;
const RAW_EXPORTER = 'file';

/** What is kept over the files of one run. */
export interface DecodeInput {
  readonly ports: ReadonlySet<number>;
  readonly sessions: Map<string, ExporterSession>;
  readonly statistics: CaptureStatistics;
  ignored: number;
  unreadable: number;
}

export const createInput = (ports: ReadonlySet<number>): DecodeInput => ({
  ports,
  sessions: new Map(),
  statistics: createCaptureStatistics(),
  ignored: 0,
  unreadable: 0,
});

/** The lines of one datagram at a time. Throws PosternError where the file cannot be read at all. */
export function* decodeFile(file: string, input: DecodeInput): Iterable<string> {
  const head = readHead(file);
  if (isCapture(head)) yield* decodeCapture(file, input);
  else yield decodeRaw(file, input);
}

function* decodeCapture(file: string, input: DecodeInput): Iterable<string> {
  for (const datagram of readCapture(file, input.statistics)) {
    const isWanted =
      input.ports.size > 0 ? input.ports.has(datagram.destinationPort) : looksLikeExport(datagram.payload);
    if (!isWanted) {
      input.ignored++;
      continue;
    }
    yield decodeOne(sessionOf(input, datagram.source, datagram.sourcePort), datagram.payload, datagram.atMs);
  }
}

function decodeRaw(file: string, input: DecodeInput): string {
  const bytes = readRaw(file);
  const session = sessionOf(input, RAW_EXPORTER, 0);
  const before = session.counters.malformed['unknown-version'] + session.counters.malformed['short-datagram'];
  const lines = decodeOne(session, bytes, headerTimeMs(bytes));
  const after = session.counters.malformed['unknown-version'] + session.counters.malformed['short-datagram'];
  if (after > before) throw notExport(file);
  return lines;
}

function decodeOne(session: ExporterSession, datagram: Uint8Array, atMs: number): string {
  const lines: string[] = [];
  readNamedRecords(session, datagram, atMs, (record: NamedRecord) =>
    lines.push(`${JSON.stringify(record)}\n`),
  );
  return lines.join('');
}

function sessionOf(input: DecodeInput, source: string, port: number): ExporterSession {
  const key = `${source} ${port}`;
  const known = input.sessions.get(key);
  if (known) return known;
  if (input.sessions.size >= MOST_SESSIONS)
    throw new PosternError('too-many-exporters', `more than ${MOST_SESSIONS} exporters: use --port`);
  const session = createSession(source);
  input.sessions.set(key, session);
  return session;
}

/** A raw datagram carries no time of receipt: the exporter's own stands in. */
function headerTimeMs(bytes: Uint8Array): number {
  const offset = bytes[1] === 10 ? 4 : 8;
  return bytes.length < offset + 4 ? 0 : Buffer.from(bytes).readUInt32BE(offset) * 1000;
}

function readHead(file: string): Uint8Array {
  const source = openBytes(file);
  try {
    return source.read(4) ?? new Uint8Array(0);
  } finally {
    source.close();
  }
}

function readRaw(file: string): Uint8Array {
  const source = openBytes(file);
  try {
    if (source.read(MOST_RAW_BYTES + 1)) throw notExport(file);
    return source.read(source.rest()) ?? new Uint8Array(0);
  } finally {
    source.close();
  }
}

const notExport = (file: string) =>
  new PosternError('not-flow-export', `neither a capture nor a flow export datagram: ${file}`, {
    subject: file,
  });

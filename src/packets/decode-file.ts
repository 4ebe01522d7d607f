// a capture or raw datagram -> lines of JSON, one record each
import { PosternError } from '../model/errors.ts';
import { type ByteSource, openBytes } from './byte-source.ts';
import { type CaptureStatistics, createCaptureStatistics } from './capture.ts';
import { looksLikeExport } from './detect.ts';
import { type NamedRecord, readNamedRecords } from './fields.ts';
import { type CapturedDatagram, isCapture, readCaptureFrom } from './pcap.ts';
import { createSession, type ExporterSession } from './session.ts';

/** The largest payload that UDP can carry; a file that is no capture is one datagram. */
const MOST_RAW_BYTES = 65_535;
const MOST_SESSIONS = 65_536;
const RAW_EXPORTER = 'file';
/** Raw datagrams may have been kept from different days: nothing of them grows old. */
const RAW_LIMITS = { templateLifetimeMs: Number.POSITIVE_INFINITY, waitingMs: Number.POSITIVE_INFINITY };

/** What is kept over the files of one run. */
export interface DecodeInput {
  readonly ports: ReadonlySet<number>;
  readonly sessions: Map<string, ExporterSession>;
  readonly statistics: CaptureStatistics;
  /** UDP datagrams that are no flow export, by the port that they went to. */
  readonly ignored: Map<number, number>;
  unreadable: number;
}

export const createInput = (ports: ReadonlySet<number>): DecodeInput => ({
  ports,
  sessions: new Map(),
  statistics: createCaptureStatistics(),
  ignored: new Map(),
  unreadable: 0,
});

/** The lines of one datagram at a time, none for those that are not wanted; `-` is standard input. Throws PosternError where the file cannot be read at all. */
export function* decodeFile(file: string, input: DecodeInput): Iterable<string> {
  const source = openBytes(file);
  try {
    if (isCapture(source.peek(4))) yield* decodeCapture(source, file, input);
    else if (isIpfix(source.peek(4))) yield* decodeMessages(source, input);
    else yield decodeRaw(source, file, input);
  } finally {
    source.close();
  }
}

function* decodeCapture(source: ByteSource, file: string, input: DecodeInput): Iterable<string> {
  for (const datagram of readCaptureFrom(source, file, input.statistics)) {
    const { destinationPort, payload, atMs } = datagram;
    const isWanted = input.ports.size > 0 ? input.ports.has(destinationPort) : looksLikeExport(payload);
    if (isWanted)
      yield decodeOne(sessionOf(input, datagram), payload, atMs > 0 ? atMs : headerTimeMs(payload));
    else {
      input.ignored.set(destinationPort, (input.ignored.get(destinationPort) ?? 0) + 1);
      yield '';
    }
  }
}

const IPFIX = 10;
const IPFIX_HEADER_BYTES = 16;
const word = (bytes: Uint8Array, at: number) => (bytes[at] << 8) | bytes[at + 1];
const isIpfix = (head: Uint8Array) =>
  head.length === 4 && word(head, 0) === IPFIX && word(head, 2) >= IPFIX_HEADER_BYTES;

/** RFC 5655: a file of IPFIX messages, one after another; a datagram as it is has one. Bytes behind them are padding. */
function* decodeMessages(source: ByteSource, input: DecodeInput): Iterable<string> {
  const session = rawSession(input);
  for (let head = source.peek(4); isIpfix(head); head = source.peek(4)) {
    const length = word(head, 2);
    const message = source.read(length) ?? source.read(source.rest());
    if (!message) return;
    yield decodeOne(session, message, headerTimeMs(message));
  }
}

const rawSession = (input: DecodeInput) =>
  known(input, RAW_EXPORTER, () => createSession(RAW_EXPORTER, RAW_LIMITS));

function decodeRaw(source: ByteSource, file: string, input: DecodeInput): string {
  const bytes = readRaw(source, file);
  const session = rawSession(input);
  const before = unreadOf(session);
  const lines = decodeOne(session, bytes, headerTimeMs(bytes));
  if (unreadOf(session) > before) throw notExport(file, bytes);
  return lines;
}

const unreadOf = ({ counters: { malformed } }: ExporterSession) =>
  malformed['unknown-version'] + malformed['short-datagram'];

function decodeOne(session: ExporterSession, datagram: Uint8Array, atMs: number): string {
  const lines: string[] = [];
  readNamedRecords(session, datagram, atMs, (record: NamedRecord) =>
    lines.push(`${JSON.stringify(record)}\n`),
  );
  return lines.join('');
}

/** RFC 7011 section 8: templates belong to a transport session, over TCP to the connection. */
const sessionOf = (input: DecodeInput, { source, sourcePort, connection }: CapturedDatagram) =>
  known(input, `${source} ${sourcePort} ${connection ?? ''}`, () =>
    createSession(source, {}, connection === undefined ? 'udp' : 'stream'),
  );

function known(input: DecodeInput, key: string, create: () => ExporterSession): ExporterSession {
  const session = input.sessions.get(key) ?? create();
  if (input.sessions.size >= MOST_SESSIONS && !input.sessions.has(key))
    throw new PosternError('too-many-exporters', `more than ${MOST_SESSIONS} exporters: use --port`);
  input.sessions.set(key, session);
  return session;
}

/** Without a time of receipt, the exporter's own stands in. */
function headerTimeMs(bytes: Uint8Array): number {
  const offset = bytes[1] === 10 ? 4 : 8;
  return bytes.length < offset + 4 ? 0 : Buffer.from(bytes).readUInt32BE(offset) * 1000;
}

function readRaw(source: ByteSource, file: string): Uint8Array {
  const bytes = source.peek(MOST_RAW_BYTES + 1);
  if (bytes.length > MOST_RAW_BYTES) throw notExport(file, bytes);
  return bytes;
}

/** What other files begin with, and what to do about them. */
const OTHER_FILES: readonly (readonly [string, string])[] = [
  ['1f8b', 'it is compressed: use gunzip first, or `zcat FILE | postern decode -`'],
  ['28b52ffd', 'it is compressed: use zstd -d first, or `zstdcat FILE | postern decode -`'],
  ['fd377a585a00', 'it is compressed: use unxz first, or `xzcat FILE | postern decode -`'],
  ['504b0304', 'it is a zip archive: unpack it first'],
  ['0ca5', 'it is a file of nfcapd: nfreplay sends it as NetFlow, which tcpdump can capture'],
  ['a50c', 'it is a file of nfcapd: nfreplay sends it as NetFlow, which tcpdump can capture'],
];

function notExport(file: string, bytes: Uint8Array): PosternError {
  const start = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  const hint = OTHER_FILES.find(([magic]) => start.startsWith(magic))?.[1];
  const message = `neither a capture nor a flow export datagram: ${file}${hint ? ` (${hint})` : ''}`;
  return new PosternError('not-flow-export', message, { subject: file });
}

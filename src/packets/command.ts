// captures and raw datagrams -> one JSON object a record on stdout: `postern decode`
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../model/command.ts';
import { PosternError } from '../model/errors.ts';
import { createInput, type DecodeInput, decodeFile } from './decode-file.ts';
import { createOutput } from './output.ts';
import { malformedTotal } from './session.ts';

export const command: Command = {
  name: 'decode',
  summary: 'pcap, pcapng or raw datagrams -> one JSON record a line',
  help: `Usage: postern decode [--port N]... FILE...

Prints each NetFlow v1, v5, v7, v9 and IPFIX record and sFlow v5 sample of the files as one JSON object a line: exporter, version, domain,
template, sequence, kind (flow or options), time (of export), start and end, sampling and where its rate was stated, then every
field by its IANA name (times as ISO 8601, addresses as text, lists of RFC 6313 as objects), what enumerated values mean (names),
and the units of those that have one (units). Elements of enterprises begin with their owner; unknown ones are named by owner and
number, with their bytes in hex.

FILE is a pcap or pcapng capture, the payload of one datagram as it is, a file of IPFIX messages (RFC 5655), a folder of such files
(read in the order of their names), or - for standard input. Captures: Ethernet with VLAN tags, Linux cooked, raw IP and loopback; IPv4 and IPv6 fragments are put
together, IPFIX over TCP too. Each exporter address and port, or TCP connection, has its own templates. Raw datagrams: all files
are one exporter's, in the order given, so put templates first (data that comes before its template waits for it).

  --port N   take only what goes to this port from captures, and all of it; may be given more than once.
             Without it, what has the shape of flow export, whatever its port.
  --help     this text

Counts of what was read, and of what could not be, go to stderr. Exit status: 0, or 2 where a file cannot be read or is
neither a capture nor flow export.
`,
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { files, ports } = parse(args);
  const input = createInput(ports);
  const output = createOutput(process.stdout);
  const onProgress = progress(input);
  const fail = (error: unknown) => {
    if (!(error instanceof PosternError)) throw error;
    input.unreadable++;
    process.stderr.write(`postern decode: ${error.message}\n`);
  };
  let fileCount = 0;
  for (const file of files.flatMap((path) => filesAt(path, fail))) {
    fileCount++;
    try {
      for (const lines of decodeFile(file, input)) {
        if (lines.length > 0) await output.write(lines);
        onProgress(file);
        if (output.isClosed()) return 0;
      }
    } catch (error) {
      fail(error);
    }
  }
  await output.end();
  process.stderr.write(summary(fileCount, input));
  return input.unreadable > 0 ? 2 : 0;
}

/** The files of a folder by name, hidden ones and folders in it left out; a path that is none stands for itself. */
function filesAt(path: string, fail: (error: unknown) => void): string[] {
  if (path === '-' || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    // A pipe or socket among them would be waited for.
    const isWanted = (entry: Dirent) => entry.isFile() || entry.isSymbolicLink();
    const names = entries.filter((entry) => isWanted(entry) && !entry.name.startsWith('.'));
    if (names.length === 0) throw new Error('it is empty');
    return names.map(({ name }) => join(path, name)).sort();
  } catch (cause) {
    const message = `cannot read the folder ${path}: ${(cause as Error).message}`;
    fail(new PosternError('file-unreadable', message, { subject: path, cause }));
    return [];
  }
}

/** At most a line a second, and only where it takes longer than a second. */
function progress({ sessions, statistics }: DecodeInput): (file: string) => void {
  let last = performance.now();
  return (file) => {
    if (performance.now() - last < 1000) return;
    last = performance.now();
    let records = 0;
    for (const { counters } of sessions.values()) records += counters.records + counters.optionsRecords;
    process.stderr.write(`... ${file}: ${statistics.frames} frames, ${records} records\n`);
  };
}

function parse(args: readonly string[]): { files: readonly string[]; ports: ReadonlySet<number> } {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: [...args],
      options: { port: { type: 'string', multiple: true } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const ports = ((parsed.values.port ?? []) as string[]).map((text) => {
    const port = Number(text);
    if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError(`not a port: ${text.slice(0, 20)}`);
    return port;
  });
  if (parsed.positionals.length === 0) throw new UsageError('no file given');
  return { files: parsed.positionals, ports: new Set(ports) };
}

/** Two or three lines for people. */
function summary(fileCount: number, { sessions, statistics, ignored }: DecodeInput): string {
  const total = {
    datagrams: 0,
    records: 0,
    optionsRecords: 0,
    buffered: 0,
    dropped: 0,
    unsupported: 0,
    gaps: 0,
  };
  const malformed: Record<string, number> = {};
  for (const { counters } of sessions.values()) {
    total.datagrams += counters.datagrams;
    total.records += counters.records;
    total.optionsRecords += counters.optionsRecords;
    total.buffered += counters.buffered;
    total.dropped += counters.dropped;
    total.unsupported += counters.unsupported;
    total.gaps += counters.sequenceGaps;
    if (malformedTotal(counters) === 0) continue;
    for (const [reason, count] of Object.entries(counters.malformed))
      if (count > 0) malformed[reason] = (malformed[reason] ?? 0) + count;
  }
  const notes = [
    [total.buffered, 'data sets without their template'],
    [total.dropped, 'data sets dropped'],
    [total.unsupported, 'datagrams of v1 or v7 without node-netflowv9 installed'],
    [total.gaps, 'units missing by sequence number'],
    ...Object.entries(malformed).map(([reason, count]) => [count, `malformed: ${reason}`] as const),
    [sumOf(ignored.values()), `other UDP datagrams (most to port ${mostOf(ignored).join(', ')})`],
    [statistics.other, 'other frames'],
    [statistics.snapped, 'frames cut off by the snap length'],
    [statistics.fragmentsLost, 'fragmented datagrams incomplete'],
    [statistics.streamGaps, 'gaps in TCP streams'],
    [statistics.encrypted, 'TLS connections to the port of IPFIX, which cannot be read without their keys'],
    [statistics.isTruncated ? 1 : 0, 'capture ends inside a frame'],
  ] as const;
  const text = notes.flatMap(([count, what]) => (Number(count) > 0 ? [`${count} ${what}`] : []));
  if (total.datagrams === 0 && ignored.size > 0)
    text.push('no flow export was recognised: --port N takes everything that goes to port N');
  const head = `${fileCount} files, ${sessions.size} exporters, ${total.datagrams} datagrams, ${total.records} flow records, ${total.optionsRecords} options records`;
  return `${head}${text.length > 0 ? `\n${text.join('; ')}` : ''}\n`;
}

const sumOf = (numbers: Iterable<number>) => [...numbers].reduce((sum, one) => sum + one, 0);

const mostOf = (byPort: ReadonlyMap<number, number>) =>
  [...byPort]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([port]) => port);

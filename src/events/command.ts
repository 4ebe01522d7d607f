// `postern events FILE...`: log lines -> one JSON event a line
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../model/command.ts';
import { PosternError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import { createAuditJoiner } from './audit-join.ts';
import { readRecord } from './audit-record.ts';
import { summarizeAudit } from './audit-summary.ts';
import { MAX_LINE_BYTES, withoutControls } from './clean.ts';
import { createFrameReader } from './framing.ts';
import { netfilterChanges } from './netfilter-changes.ts';
import { parseEvent } from './parse.ts';

const help = `postern events [--sender ADDRESS] [--at TIME] FILE...

Reads log lines (syslog in any of its forms, audit records) and prints one JSON event a line. FILE may be - for standard input.
The records of one audit event are joined; its "raw" holds their lines, its "audit" what they mean, with names for numbers.
Rows of osquery, lines of Zeek's conn.log and of macOS's unified log are read as JSON, one object a line.

  --sender ADDRESS  who sent the lines, where they do not say; default ::
  --at TIME         when they were received, ISO 8601; default the file's time of change

A line may state both in front, as \`postern audit\` takes them: "2026-11-02T02:11:07Z 192.0.2.1 <189>..."
Exit status: 0 fine, 2 bad use or unreadable input.
`;

/** "<arrival time> <sender> <line as received>" */
const RECORDED = /^(\d{4}-\d\d-\d\dT[\d:.]{5,12}(?:Z|[+-]\d\d:?\d\d)) ([0-9a-fA-F.:]{2,45}) (.*)$/s;

async function run(args: readonly string[]): Promise<number> {
  const { files, sender, atMs } = readArguments(args);
  for (const file of files) await printEvents(file, sender, atMs);
  return 0;
}

function readArguments(args: readonly string[]) {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals: files } = parsed;
  if (files.length === 0) throw new UsageError('name a file');
  const atMs = values.at === undefined ? undefined : Date.parse(values.at);
  if (Number.isNaN(atMs)) throw new UsageError(`--at ${values.at} is no time`);
  return { files, sender: values.sender, atMs };
}

const parse = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { sender: { type: 'string', default: '::' }, at: { type: 'string' } },
  });

async function printEvents(file: string, sender: string, atMs: number | undefined): Promise<void> {
  try {
    const receivedAtMs = atMs ?? (file === '-' ? Date.now() : Math.floor(statSync(file).mtimeMs));
    const input = file === '-' ? process.stdin : createReadStream(file);
    let output = '';
    const joiner = createAuditJoiner((event) => {
      // What was encoded in a record may hold anything, and a terminal may read this.
      output += `${withoutControls(JSON.stringify(printed(event)))}\n`;
    });
    const reader = createFrameReader(MAX_LINE_BYTES, (line) => {
      const event = eventOf(line, sender, receivedAtMs);
      // Where the file does not say when its lines arrived, their own time passes.
      joiner.push(event, event.receivedAtMs === receivedAtMs ? event.observedAtMs : event.receivedAtMs);
    });
    for await (const chunk of input) {
      reader.push(chunk as Buffer);
      if (!process.stdout.write(output)) await once(process.stdout, 'drain');
      output = '';
    }
    reader.end();
    joiner.end();
    process.stdout.write(output);
  } catch (cause) {
    throw new PosternError('unreadable', `cannot read ${file}: ${(cause as Error).message}`, {
      subject: file,
      cause,
    });
  }
}

/** With what the audit records of it mean, each number by its name. */
function printed(event: Event) {
  const records = event.message.includes('audit(')
    ? event.message.split('\n').flatMap((line) => readRecord(line) ?? [])
    : [];
  const audit = summarizeAudit(records);
  if (!audit) return event;
  const changes = netfilterChanges(records);
  return { ...event, audit: changes.length > 0 ? { ...audit, netfilter: changes } : audit };
}

function eventOf(line: Buffer, sender: string, receivedAtMs: number) {
  const recorded = RECORDED.exec(line.toString('utf8'));
  const arrivedAtMs = recorded ? Date.parse(recorded[1]) : Number.NaN;
  if (recorded && !Number.isNaN(arrivedAtMs)) return parseEvent(recorded[3], recorded[2], arrivedAtMs);
  // A file may hold years: its own time only tells which year is meant.
  return parseEvent(line, sender, receivedAtMs, { toleranceMs: Number.POSITIVE_INFINITY });
}

export const command: Command = { name: 'events', summary: 'log lines -> events', help, run };

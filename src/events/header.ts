// a syslog line -> priority, time, host, program and message; the rest of it stays in the message
import { ISO_TIME, MONTH_TIME, type WrittenTime, writtenTime } from './time.ts';

export interface Header {
  readonly severity?: number;
  readonly facility?: number;
  readonly time?: WrittenTime;
  readonly host?: string;
  readonly program?: string;
  readonly message: string;
}

/** RFC 5424 section 6.2.1: at most 191. */
const PRIORITY = /^<(\d{1,3})>/;
const VERSION_1 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) /;
/** One element of structured data; a "]" inside a value is escaped (RFC 5424 section 6.3.3). */
const ELEMENT = /^\[[^\s=\]"]{1,64}(?: [^\s=\]"]{1,64}="(?:[^"\\]|\\.)*")*\]/;
/** `%FACILITY-SEVERITY-MNEMONIC:` of IOS, NX-OS and ASA; up to one SUBFACILITY between. */
const CISCO = /^(.{0,200}?)%([A-Z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)??-([0-7])-[A-Z0-9_]+)(?=:)/;
const TAG = /^([A-Za-z0-9_][\w./@+-]{0,63})(?:\[\d{1,10}\])?(?: <\w{1,16}>)?:(?:\s|$)/;
const HOST = /^[A-Za-z0-9][\w.:-]{0,254}$/;
/** Seconds since the kernel started. */
const UPTIME = /^\[ {0,10}\d{1,10}\.\d{6}\] /;

const WHOLE_ISO = new RegExp(`^${ISO_TIME.source}$`);
const ANY_TIMES = [ISO_TIME, MONTH_TIME].map(({ source }) => new RegExp(source, 'g'));
const FIRST_TIMES = [ISO_TIME, MONTH_TIME].map(({ source }) => new RegExp(`^${source}:?(?=\\s|$)`));
const [DIGIT_ONE, SPACE, BRACKET] = [0x31, 0x20, 0x5b];

export function readHeader(line: string): Header {
  const priority = PRIORITY.exec(line);
  const value = priority ? Number(priority[1]) : 192;
  const base = value <= 191 ? { severity: value & 7, facility: value >> 3 } : {};
  const rest = value <= 191 ? line.slice(priority![0].length) : line;
  return {
    ...base,
    ...(readVersion1(rest, base.severity) ?? readCisco(rest, base.severity) ?? readOld(rest)),
  };
}

/** RFC 5424 section 6. */
function readVersion1(text: string, severity: number | undefined): Omit<Header, 'facility'> | undefined {
  if (text.charCodeAt(0) !== DIGIT_ONE || text.charCodeAt(1) !== SPACE) return undefined;
  const match = VERSION_1.exec(`${text} `);
  if (!match) return undefined;
  const [head, stamp, host, program] = match;
  const iso = WHOLE_ISO.exec(stamp);
  if (!iso && stamp !== '-') return undefined;
  // rsyslog keeps the space that stood behind the tag: its own RFC 5424 template gives two.
  const message = withoutStructuredData(text.slice(head.length))
    .replace(/^\ufeff/, '')
    .trimStart();
  const inner = readCisco(message, severity);
  return {
    severity: inner?.severity ?? severity,
    time: inner?.time ?? (iso?.groups && writtenTime(iso.groups)),
    program: inner?.program ?? nil(program),
    host: nil(host) ?? inner?.host,
    message: inner?.message ?? message,
  };
}

const nil = (text: string) => (text === '-' ? undefined : text);

/** Where "-" is missing, a message that starts with a bracket ("[UFW BLOCK] IN=") is no structured data. */
function withoutStructuredData(text: string): string {
  if (text === '-' || text.startsWith('- ')) return text.slice(2);
  let rest = text;
  for (let match = ELEMENT.exec(rest); match; match = ELEMENT.exec(rest)) rest = rest.slice(match[0].length);
  return rest === '' || rest.startsWith(' ') ? rest.slice(1) : text;
}

/** What stands before the mnemonic may be sequence numbers, times (of a relay and of the device) and one host, nothing else. */
function readCisco(text: string, severity: number | undefined): Omit<Header, 'facility'> | undefined {
  const percent = text.indexOf('%');
  if (percent < 0 || percent > 200) return undefined;
  const match = CISCO.exec(text);
  if (!match) return undefined;
  const [, before, mnemonic, level] = match;
  let time: WrittenTime | undefined;
  let prefix = before;
  for (const pattern of ANY_TIMES) {
    prefix = prefix.replace(pattern, (...found) => {
      time = writtenTime(found[found.length - 1]) ?? time;
      return ' ';
    });
  }
  const words = prefix.split(/[\s:]+/).filter((word) => word !== '' && !/^\d+$/.test(word));
  if (words.length > 1 || (words.length === 1 && !HOST.test(words[0]))) return undefined;
  return {
    severity: severity ?? Number(level),
    time,
    host: words[0],
    program: mnemonic,
    message: text.slice(before.length),
  };
}

/** RFC 3164 section 4.1 and the forms that it became. */
function readOld(text: string): Omit<Header, 'facility'> {
  // Letters begin neither, and most lines begin with the name of a month.
  let rest = isLetter(text.charCodeAt(0)) ? text : text.replace(/^[\s:]{1,4}/, '').replace(/^\d{1,10}: /, '');
  let time = timeAgain(rest);
  if (time) rest = rest.slice(STAMP_LENGTH).trimStart();
  for (const pattern of time ? [] : FIRST_TIMES) {
    const match = pattern.exec(rest);
    const found = match?.groups && writtenTime(match.groups);
    if (!match || !found) continue;
    time = found;
    if (match[0].length === STAMP_LENGTH) latest = { stamp: match[0], time };
    rest = rest.slice(match[0].length).trimStart();
    break;
  }
  const tagged = readTag(rest);
  if (tagged) return { time, ...tagged };
  const space = rest.indexOf(' ');
  const host = rest.slice(0, Math.max(space, 0));
  if (time !== undefined && space >= 0 && HOST.test(host) && !host.endsWith(':')) {
    const message = rest.slice(host.length).trimStart();
    return { time, host, ...(readTag(message) ?? { message }) };
  }
  return { time, message: rest };
}

/** `Mmm dd hh:mm:ss`; lines of one second follow each other. */
const STAMP_LENGTH = 15;
let latest: { readonly stamp: string; readonly time: WrittenTime } | undefined;

/** The time of the stamp read last, where the same stands here and nothing behind it could belong to it: a year, a zone. */
function timeAgain(text: string): WrittenTime | undefined {
  if (!latest || text.charCodeAt(STAMP_LENGTH) !== SPACE || !text.startsWith(latest.stamp)) return undefined;
  const code = text.charCodeAt(STAMP_LENGTH + 1);
  return isDigit(code) || isCapital(code) ? undefined : latest.time;
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
const isCapital = (code: number) => code >= 0x41 && code <= 0x5a;
const isLetter = (code: number) => isCapital(code) || (code >= 0x61 && code <= 0x7a);

function readTag(text: string): { program: string; message: string } | undefined {
  if (text.charCodeAt(0) === BRACKET && UPTIME.test(text))
    return { program: 'kernel', message: text.replace(UPTIME, '') };
  const match = TAG.exec(text);
  if (!match) return undefined;
  const message = text.slice(match[0].length).trimStart();
  return { program: match[1], message: match[1] === 'kernel' ? message.replace(UPTIME, '') : message };
}

// configuration text -> the same text with a keyed hash in the place of every secret
import type { DeviceDefinition } from '../../devices/definition.ts';
import { prefilter } from './prefilter.ts';

const MARK = /^<removed:[^<>\s]*>$/;
const KEY_BEGIN = /-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY-----/g;
/** One word of base64, a header of an encrypted key (RFC 1421 section 4.6), or what an earlier redaction left. */
const KEY_LINE = /^\s*(?:[A-Za-z0-9+/=]*|(?:Proc-Type|DEK-Info|Comment):.*|<removed:[^<>\s]*>)\s*$/;
/** UTF-16 units; an RSA key of 16,384 bits takes less than half. */
const KEY_LENGTH = 32_768;

/**
 * Replaces secrets by `<removed:HASH>`; the rest is kept byte for byte. Idempotent. `hash` is keyed, so that a rotated
 * secret shows as changed and a known one cannot be looked up. Linear in the text where the definition's patterns are.
 */
export function redact(
  text: string,
  definition: Pick<DeviceDefinition, 'secrets'>,
  hash: (secret: string) => string,
): string {
  const mark = (secret: string) => (MARK.test(secret) ? secret : `<removed:${hash(secret)}>`);
  const { patterns, mayMatch } = compiled(definition.secrets);
  return withoutKeys(text, mark)
    .split('\n')
    .map((line) => (mayMatch(line) ? redactLine(line, patterns, mark) : line))
    .join('\n');
}

interface Compiled {
  readonly patterns: readonly RegExp[];
  readonly mayMatch: (line: string) => boolean;
}

/** Compiling takes longer than a line does. */
const known = new WeakMap<DeviceDefinition['secrets'], Compiled>();

function compiled(secrets: DeviceDefinition['secrets']): Compiled {
  let found = known.get(secrets);
  if (!found) {
    found = {
      patterns: secrets.map(({ pattern }) => withFlags(pattern, 'dg')),
      mayMatch: prefilter(secrets.map(({ pattern }) => pattern)),
    };
    known.set(secrets, found);
  }
  return found;
}

/** How many secrets a redacted text had. */
export function countRedactions(text: string): number {
  return text.match(/<removed:[^<>\s]*>/g)?.length ?? 0;
}

function redactLine(line: string, patterns: readonly RegExp[], mark: (secret: string) => string): string {
  const end = line.endsWith('\r') ? '\r' : '';
  let result = end ? line.slice(0, -1) : line;
  for (const pattern of patterns) {
    let rest = 0;
    let redacted = '';
    for (const match of result.matchAll(pattern)) {
      const [from, to] = secretIn(match);
      if (from === undefined || to === undefined || from === to || from < rest) continue;
      redacted += result.slice(rest, from) + mark(result.slice(from, to));
      rest = to;
    }
    if (rest > 0) result = redacted + result.slice(rest);
  }
  return result + end;
}

/** Where the secret stands: the first capture group that took part, or the whole match where the pattern has none. */
function secretIn(match: RegExpExecArray): readonly [number, number] | readonly [undefined, undefined] {
  const [whole, ...groups] = match.indices!;
  return (
    (groups.length === 0 ? whole : groups.find((group) => group !== undefined)) ?? [undefined, undefined]
  );
}

/** Private keys in PEM (RFC 7468) or OpenSSH form, whatever the vendor; also where line ends are written as \n inside a string. */
function withoutKeys(text: string, mark: (secret: string) => string): string {
  let result = '';
  let rest = 0;
  for (const begin of text.matchAll(KEY_BEGIN)) {
    if (begin.index < rest) continue;
    const from = begin.index + begin[0].length;
    const body = text.slice(from, endOfKey(text, from));
    const trimmed = body.trim();
    if (trimmed === '') continue;
    const start = body.indexOf(trimmed);
    result += text.slice(rest, from + start) + mark(trimmed);
    rest = from + start + trimmed.length;
  }
  return result + text.slice(rest);
}

/** Stops at the first line that cannot be part of a key: a lone BEGIN must not hide the rules that follow it. */
function endOfKey(text: string, from: number): number {
  const limit = Math.min(text.length, from + KEY_LENGTH);
  let at = from;
  while (at < limit) {
    const lineEnd = text.indexOf('\n', at);
    const next = lineEnd < 0 ? text.length : lineEnd + 1;
    const line = text.slice(at, next);
    const end = line.indexOf('-----END ');
    if (end >= 0) return at + end;
    if (at > from && !KEY_LINE.test(line)) return at;
    at = next;
  }
  return at;
}

const withFlags = (pattern: RegExp, flags: string): RegExp =>
  new RegExp(pattern.source, [...new Set(pattern.flags.replace('y', '') + flags)].join(''));

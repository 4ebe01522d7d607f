// the words of one nft rule -> its statements, as `nft -j` prints them
import type { Json, JsonObject } from './nft-layout.ts';
import {
  braced,
  type Cursor,
  isAtEnd,
  next,
  peek,
  portNumbers,
  scalar,
  skip,
  tuple,
  type Word,
} from './nft-text-words.ts';

export interface ParsedRule {
  readonly statements: readonly JsonObject[];
  readonly comment?: string;
}

/** What is not known becomes a statement that no reader knows, so that the rule's line counts as unread. */
export function parseRule(words: readonly Word[]): ParsedRule {
  const cursor: Cursor = { words, at: 0 };
  const statements: JsonObject[] = [];
  let comment: string | undefined;
  while (!isAtEnd(cursor)) {
    const start = cursor.at;
    if (skip(cursor, 'comment')) comment = next(cursor);
    else statements.push(statementOf(cursor));
    if (cursor.at === start) cursor.at++;
  }
  return { statements, ...(comment === undefined ? {} : { comment }) };
}

const unknown = (cursor: Cursor): JsonObject => ({ [`word ${next(cursor)}`]: null });

function statementOf(cursor: Cursor): JsonObject {
  const word = peek(cursor) ?? '';
  const read = STATEMENTS.get(word);
  if (read) {
    cursor.at++;
    return read(cursor, word);
  }
  const left = expressionOf(cursor);
  return left === undefined ? unknown(cursor) : comparisonOf(left, cursor);
}

type Statement = (cursor: Cursor, word: string) => JsonObject;
const verdict: Statement = (_, word) => ({ [word]: null });
const jump: Statement = (cursor, word) => ({ [word]: { target: next(cursor) } });

const STATEMENTS: ReadonlyMap<string, Statement> = new Map<string, Statement>([
  ['accept', verdict],
  ['drop', verdict],
  ['return', verdict],
  ['continue', verdict],
  ['notrack', verdict],
  ['jump', jump],
  ['goto', jump],
  ['counter', readCounter],
  ['log', (cursor) => passOver('log', cursor, /^(?:prefix|level|group|flags|snaplen|queue-threshold)$/)],
  ['reject', readReject],
  ['queue', (cursor) => passOver('queue', cursor, /^(?:num|to|flags)$/, /^(?:bypass|fanout|,)$/)],
  [
    'synproxy',
    (cursor) => passOver('synproxy', cursor, /^(?:mss|wscale|name)$/, /^(?:timestamp|sack-perm)$/),
  ],
  [
    'limit',
    (cursor) => ({
      limit: words(cursor, /^(?:rate|over|burst|packets|bytes|name|kbytes|mbytes|bytes\/.*|[\d/].*)$/),
    }),
  ],
  ['quota', (cursor) => ({ quota: words(cursor, /^(?:over|until|used|name|\d.*|[km]?bytes)$/) })],
  ['flow', (cursor) => ({ flow: words(cursor, /^(?:add|offload|@.*)$/) })],
  ['add', readSet],
  ['update', readSet],
  ['delete', readSet],
  ['meter', readMeter],
  ['masquerade', readTranslation],
  ['redirect', readTranslation],
  ['dnat', readTranslation],
  ['snat', readTranslation],
  ['tproxy', readTranslation],
  ['dup', readTranslation],
  ['fwd', readTranslation],
]);

/** Words as long as they belong to the statement, as one text. */
function words(cursor: Cursor, own: RegExp): string {
  const found: string[] = [];
  while (own.test(peek(cursor) ?? '')) found.push(next(cursor));
  return found.join(' ');
}

/** Options with one value each, and flags without one. */
function passOver(name: string, cursor: Cursor, options: RegExp, flags = /^,$/): JsonObject {
  for (let here = peek(cursor) ?? ''; options.test(here) || flags.test(here); here = peek(cursor) ?? '') {
    cursor.at += flags.test(here) ? 1 : 2;
    // `log flags tcp sequence,options`
    if (here === 'flags') while (skip(cursor, ',', 'sequence', 'options', 'uid')) next(cursor);
  }
  return { [name]: null };
}

function readCounter(cursor: Cursor): JsonObject {
  if (skip(cursor, 'name')) next(cursor);
  else while (/^(?:packets|bytes)$/.test(peek(cursor) ?? '')) cursor.at += 2;
  return { counter: null };
}

/** `reject with icmpx admin-prohibited`, `with icmp type X`, `with tcp reset` */
function readReject(cursor: Cursor): JsonObject {
  if (skip(cursor, 'with')) {
    next(cursor);
    skip(cursor, 'type');
    next(cursor);
  }
  return { reject: null };
}

/** `add @set { ip saddr limit rate 3/minute }`: with a statement inside it is a condition. */
function readSet(cursor: Cursor, op: string): JsonObject {
  const set = next(cursor);
  const inside = peek(cursor) === '{' ? braced(cursor).flat() : [];
  const limits = inside.some(({ text, quoted }) => !quoted && /^(?:limit|quota|count|connlimit)$/.test(text));
  return { set: { op, set, elem: inside.map(({ text }) => text).join(' '), stmt: limits ? ['limit'] : [] } };
}

function readMeter(cursor: Cursor): JsonObject {
  const name = next(cursor);
  if (skip(cursor, 'size')) next(cursor);
  if (peek(cursor) === '{') braced(cursor);
  return { meter: name };
}

const TRANSLATION_FLAGS = /^(?:random|fully-random|persistent|netmap|,)$/;

/** dnat, snat, redirect, masquerade, tproxy, dup and fwd, with `to` or, as old versions print it, without. */
function readTranslation(cursor: Cursor, kind: string): JsonObject {
  const body: Record<string, Json> = {};
  if (
    /^(?:ip|ip6|inet)$/.test(peek(cursor) ?? '') &&
    /^(?:to|prefix|addr|interval)$/.test(peek(cursor, 1) ?? '')
  )
    body.family = next(cursor);
  if (skip(cursor, 'prefix')) body.type_flags = 'prefix';
  skip(cursor, 'addr', 'interval');
  const isTo = skip(cursor, 'to');
  if (isTo || /^[\d[:@]/.test(peek(cursor) ?? '') || isExpression(cursor))
    Object.assign(body, targetOf(cursor));
  while (TRANSLATION_FLAGS.test(peek(cursor) ?? '')) if (next(cursor) === 'netmap') body.flags = 'netmap';
  if (skip(cursor, 'device')) body.dev = next(cursor);
  return { [kind]: body };
}

const isExpression = (cursor: Cursor): boolean => {
  const start = cursor.at;
  const found = expressionOf(cursor) !== undefined && peek(cursor) === 'map';
  cursor.at = start;
  return found;
};

/** `10.0.0.1:80`, `10.0.0.1-10.0.0.9:1-9`, `:80`, `[2001:db8::1]:80`, `ip saddr map { .. }`, `10.0.0.1 . 80` */
function targetOf(cursor: Cursor): Record<string, Json> {
  if (isExpression(cursor)) {
    const key = expressionOf(cursor) as Json;
    cursor.at++;
    return { addr: { map: { key, data: dataOf(cursor) } } };
  }
  const word = cursor.words[cursor.at++];
  if (!word) return {};
  if (word.quoted) return { addr: word.text };
  const { text } = word;
  if (text === ':') return { port: scalar(cursor.words[cursor.at++] ?? word) };
  const v6 = /^\[([^\]]+)\](?:-\[([^\]]+)\])?(?::(\S+))?$/.exec(text);
  const v4 = /^([^:]*)(?::([\d-]+))?$/.exec(text);
  const address = v6 ? [v6[1], v6[2]].filter(Boolean).join('-') : v4 ? v4[1] : text;
  const port = v6 ? v6[3] : v4?.[2];
  return {
    ...(address ? { addr: scalar({ text: address, quoted: false }) } : {}),
    ...(port === undefined ? {} : { port: scalar({ text: port, quoted: false }) }),
  };
}

/** `@name`, or `{ key : value, .. }` as a set of pairs. */
function dataOf(cursor: Cursor): Json {
  if (peek(cursor) !== '{') return next(cursor);
  return { set: braced(cursor).map(elementOf) };
}

const VERDICT = /^(?:accept|drop|return|continue|jump|goto)$/;
const OPTIONS = /^(?:timeout|expires|comment|counter|packets|bytes|last|used|quota|limit)$/;

/** An element of a set or map: options of the key are left out. */
export function elementOf(item: readonly Word[]): Json {
  const colon = item.findIndex(({ text, quoted }) => text === ':' && !quoted);
  const key = tuple(withoutOptions(colon < 0 ? item : item.slice(0, colon)));
  if (colon < 0) return key;
  const value = withoutOptions(item.slice(colon + 1));
  const [first, second] = value;
  if (first && !first.quoted && VERDICT.test(first.text))
    return [key, { [first.text]: second ? { target: second.text } : null }];
  return [key, tuple(value)];
}

function withoutOptions(item: readonly Word[]): readonly Word[] {
  const at = item.findIndex(({ text, quoted }, i) => i > 0 && !quoted && OPTIONS.test(text));
  return at < 0 ? item : item.slice(0, at);
}

const PROTOCOLS = new Set(
  'ip ip6 tcp udp udplite th dccp sctp icmp icmpv6 igmp esp ah comp ether arp vlan gre frag rt'.split(' '),
);
const META = new Set(
  'iif oif iifname oifname iiftype oiftype iifgroup oifgroup mark l4proto nfproto protocol skuid skgid pkttype cpu rtclassid length priority ibrname obrname cgroup hour day time ipsec secmark sdif sdifname'.split(
    ' ',
  ),
);

/** The left side of a comparison; undefined where none begins here. */
export function expressionOf(cursor: Cursor): Json | undefined {
  const start = cursor.at;
  const parts: Json[] = [];
  do {
    const part = partOf(cursor);
    if (part === undefined) {
      cursor.at = start;
      return undefined;
    }
    parts.push(part);
  } while (skip(cursor, '.'));
  const left = parts.length === 1 ? parts[0] : { concat: parts };
  if (!skip(cursor, '&')) return left;
  return { '&': [left, maskOf(cursor)] };
}

function partOf(cursor: Cursor): Json | undefined {
  const word = peek(cursor);
  if (word === undefined) return undefined;
  if (word === 'meta' && META.has(peek(cursor, 1) ?? '')) {
    cursor.at += 2;
    return { meta: { key: cursor.words[cursor.at - 1].text } };
  }
  if (word === 'ct') return conntrack(cursor);
  if (
    word === 'fib' ||
    word === 'socket' ||
    word === 'numgen' ||
    word === 'jhash' ||
    word === 'symhash' ||
    word === 'osf'
  )
    return special(cursor);
  if (/^@(?:ll|nh|th|ih)$/.test(word.split(',')[0])) {
    cursor.at++;
    // `@th,16,16`: the commas are words of their own
    while (skip(cursor, ',')) cursor.at++;
    return { payload: { base: word } };
  }
  if (META.has(word) && !(PROTOCOLS.has(word) && peek(cursor, 1) !== undefined && word === 'rt')) {
    cursor.at++;
    return { meta: { key: word } };
  }
  if (!PROTOCOLS.has(word)) return undefined;
  cursor.at += 2;
  const field = cursor.words[cursor.at - 1]?.text ?? '';
  if (field !== 'option') return { payload: { protocol: word, field } };
  const option = next(cursor);
  return {
    'tcp option': {
      name: option,
      field: /^(?:size|left|right|count|tsval)$/.test(peek(cursor) ?? '') ? next(cursor) : '',
    },
  };
}

function conntrack(cursor: Cursor): Json {
  cursor.at++;
  const direction = /^(?:original|reply)$/.test(peek(cursor) ?? '') ? next(cursor) : undefined;
  const family = direction && /^(?:ip|ip6)$/.test(peek(cursor) ?? '') ? `${next(cursor)} ` : '';
  const key = `${family}${next(cursor)}`;
  if (key === 'count') return { 'ct count': skip(cursor, 'over') };
  return { ct: { key, ...(direction ? { dir: direction } : {}) } };
}

/** fib, socket, numgen and hashes: their own words up to what they are compared with. */
function special(cursor: Cursor): Json {
  const kind = next(cursor);
  if (kind === 'fib') {
    const flags = [next(cursor)];
    while (skip(cursor, '.')) flags.push(next(cursor));
    return { fib: { flags, result: next(cursor) } };
  }
  if (kind === 'socket' || kind === 'osf') return { [kind]: { key: next(cursor) } };
  const of = kind === 'jhash' ? expressionOf(cursor) : undefined;
  const mode = kind === 'numgen' ? next(cursor) : '';
  while (skip(cursor, 'mod', 'seed', 'offset')) cursor.at++;
  return { [kind]: { mode, ...(of === undefined ? {} : { expr: of }) } };
}

/** `(fin | syn)`, `syn|ack`, `0xff` */
function maskOf(cursor: Cursor): Json {
  const isGroup = skip(cursor, '(');
  const flags: Json[] = [];
  do flags.push(scalar(cursor.words[cursor.at++] ?? { text: '', quoted: false }));
  while (skip(cursor, '|', ','));
  if (isGroup) skip(cursor, ')');
  return flags.length === 1 ? flags[0] : { '|': flags };
}

/** What stands behind an expression: a value to compare with, a map of verdicts, or a value to set. */
function comparisonOf(left: Json, cursor: Cursor): JsonObject {
  if (skip(cursor, 'vmap')) return { vmap: { key: left, data: dataOf(cursor) } };
  if (skip(cursor, 'set')) {
    pass(cursor);
    return { mangle: null };
  }
  if (isObjectWith(left, 'ct count')) {
    next(cursor);
    return { 'ct count': 'over' };
  }
  const written = peek(cursor);
  const op = /^(?:==|!=|<=|>=|<|>|!|=)$/.test(written ?? '') ? next(cursor) : undefined;
  const right = rightOf(left, cursor);
  const isBits =
    /"key":"status"|"field":"flags"/.test(JSON.stringify(left)) &&
    op === undefined &&
    !isObjectWith(left, '&');
  // `tcp flags syn / fin,syn,rst,ack`
  if (/^\/$/.test(peek(cursor) ?? '') && skip(cursor, '/'))
    return { match: { op: op ?? '==', left: { '&': [left, maskOf(cursor)] }, right } };
  return { match: { op: op === undefined || op === '=' ? (isBits ? 'in' : '==') : op, left, right } };
}

const isObjectWith = (value: Json, name: string): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && name in value;

function rightOf(left: Json, cursor: Cursor): Json {
  const isPort = /"field":"[sd]port"/.test(JSON.stringify(left));
  if (peek(cursor) === '{') {
    const set = braced(cursor).map(elementOf);
    return { set: isPort ? set.map(portNumbers) : set };
  }
  const list: Json[] = [];
  do {
    const parts: Word[] = [];
    do {
      const word = cursor.words[cursor.at++];
      if (word) parts.push(word);
      if (peek(cursor) === '-') {
        parts.push(...cursor.words.slice(cursor.at, cursor.at + 2));
        cursor.at += 2;
      }
      if (peek(cursor) === '.') parts.push(cursor.words[cursor.at]);
    } while (skip(cursor, '.'));
    const value = tuple(parts);
    list.push(isPort ? portNumbers(value) : value);
  } while (skip(cursor, ',', '|'));
  return list.length === 1 ? list[0] : list;
}

/** The value of a `set`: an expression, a map, or words. */
function pass(cursor: Cursor): void {
  const left = expressionOf(cursor);
  if (left === undefined) next(cursor);
  while (skip(cursor, 'map', 'or', '|', '^', '&', '<<', '>>')) {
    if (peek(cursor) === '{') braced(cursor);
    else if (peek(cursor) === '(') maskOf(cursor);
    else next(cursor);
  }
}

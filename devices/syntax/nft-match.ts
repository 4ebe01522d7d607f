// nftables comparisons -> boxes of traffic, and what cannot be one as a condition in words
import { ANY_TRAFFIC, type Traffic } from '../../src/model/traffic.ts';
import {
  type Allowance,
  boxOf,
  type Dimension,
  MAX_BOXES,
  NOTHING,
  product,
  protocols,
  unionOf,
} from './boxes.ts';
import type { ExpandName } from './interfaces.ts';
import { type Field, fieldOf } from './nft-fields.ts';
import { isList, isObject, type Json } from './nft-layout.ts';

/** Boxes of which each is met; whether destination NAT translated the packet, in words too; or a condition that is not resolved. */
export type Matched =
  | { readonly boxes: readonly Traffic[] }
  | { readonly translated: boolean; readonly words: string }
  | { readonly unresolved: string };

export interface MatchContext {
  readonly expand: ExpandName;
  /** Elements of a named set of the rule's table; undefined where it is not there. */
  readonly elementsOf: (name: string) => readonly Json[] | undefined;
  readonly allowance: Allowance;
  /** Resolved named sets, by set and field. */
  readonly cache: Map<string, readonly Traffic[] | undefined>;
}

const EVERYTHING: readonly Traffic[] = [ANY_TRAFFIC];
const NEVER: readonly Traffic[] = [NOTHING];
const TCP: readonly Traffic[] = [{ ...ANY_TRAFFIC, services: protocols(6) }];

/** {"match": {op, left, right}} */
export function matchOf(match: Json, context: MatchContext): Matched {
  if (!isObject(match)) return { unresolved: textOf(match) };
  const { op, left, right } = match;
  const words = `${textOf(left)} ${op === '==' || op === 'in' ? '' : `${op} `}${textOf(right)}`;
  const negated = op === '!=';
  const isNew = stateOf(left, right, negated);
  if (isNew !== undefined) return { boxes: isNew ? EVERYTHING : NEVER };
  const translated = translatedOf(left, right, String(op));
  if (translated !== undefined) return { translated, words };
  const isFirst = flagsOf(left, right, String(op));
  if (isFirst !== undefined) return { boxes: isFirst ? TCP : NEVER };
  const boxes =
    op === '==' || op === '!=' || op === 'in'
      ? boxesOf(left, right, negated, context)
      : compared(left, right, String(op), context);
  return boxes ? { boxes } : { unresolved: words };
}

/** Boxes in which `left` is one of the values of `right`; undefined where that cannot be said in boxes. */
function boxesOf(
  left: Json,
  right: Json,
  negated: boolean,
  context: MatchContext,
): readonly Traffic[] | undefined {
  const fields = fieldsOf(left, context.expand);
  if (!fields) return undefined;
  const named = typeof right === 'string' && right.startsWith('@') ? right : undefined;
  const cacheKey = named && `${named}|${negated}|${fields.map(({ name }) => name).join('.')}`;
  if (cacheKey && context.cache.has(cacheKey)) return context.cache.get(cacheKey);
  const values = named ? context.elementsOf(named.slice(1)) : valuesOf(right);
  const boxes =
    values && (fields.length === 1 ? union(fields[0], values, negated) : tuples(fields, values, negated));
  if (cacheKey) context.cache.set(cacheKey, boxes);
  return boxes;
}

/** The box of one map key. */
export function keyBoxes(key: Json, value: Json, context: MatchContext): readonly Traffic[] | undefined {
  const state = stateOf(key, value, false);
  if (state !== undefined) return state ? EVERYTHING : NEVER;
  const fields = fieldsOf(key, context.expand);
  return fields && (fields.length === 1 ? union(fields[0], [value], false) : tuples(fields, [value], false));
}

function fieldsOf(left: Json, expand: ExpandName): readonly Field[] | undefined {
  const parts = isObject(left) && isList(left.concat) ? left.concat : [left];
  const fields = parts.map((part) => fieldOf(part, expand));
  return fields.every((field) => field !== undefined) ? fields : undefined;
}

/** {"set": [...]}, a list, or one value; elements without their timeouts and comments. */
function valuesOf(right: Json): readonly Json[] {
  const values = isObject(right) && isList(right.set) ? right.set : isList(right) ? right : [right];
  return values.map(bare);
}

/** {"elem": {"val": X, "timeout": ..}} -> X */
export const bare = (value: Json): Json =>
  isObject(value) && isObject(value.elem) && value.elem.val !== undefined ? value.elem.val : value;

function union(field: Field, values: readonly Json[], negated: boolean): readonly Traffic[] | undefined {
  const read: Traffic[Dimension][] = [];
  for (const value of values) {
    if (value === '*') return undefined;
    const one = field.read(value);
    if (one === undefined) return undefined;
    read.push(one);
  }
  const { dimension, within } = field;
  // A wildcard's own text stands for names that no rule names, among which the packet's may be: see nameExpander.
  const box = boxOf({ dimension, within, value: unionOf(dimension, read) }, negated);
  return box ? [box] : [];
}

function tuples(
  fields: readonly Field[],
  values: readonly Json[],
  negated: boolean,
): readonly Traffic[] | undefined {
  if (negated || values.length > MAX_BOXES) return undefined;
  const boxes: Traffic[] = [];
  for (const value of values) {
    if (!isObject(value) || !isList(value.concat) || value.concat.length !== fields.length) return undefined;
    let made: readonly Traffic[] | undefined = EVERYTHING;
    for (let i = 0; i < fields.length && made; i++) {
      const part = union(fields[i], [bare(value.concat[i])], false);
      made = part && product(made, part);
    }
    if (!made) return undefined;
    for (const box of made) boxes.push(box);
  }
  return boxes;
}

/** <, >, <= and >= of ports, as ranges. */
function compared(
  left: Json,
  right: Json,
  op: string,
  context: MatchContext,
): readonly Traffic[] | undefined {
  if (typeof right !== 'number') return undefined;
  const field = fieldOf(left, context.expand);
  const isPort = field?.dimension === 'sourcePorts' || field?.name.endsWith(' dport');
  if (!isPort) return undefined;
  const bounds: Readonly<Record<string, readonly [number, number]>> = {
    '<': [0, right - 1],
    '<=': [0, right],
    '>': [right + 1, 65_535],
    '>=': [right, 65_535],
  };
  if (!Object.hasOwn(bounds, op)) return undefined;
  const [first, last] = bounds[op];
  return first > last ? NEVER : boxesOf(left, { range: [first, last] }, false, context);
}

/**
 * Connection state and direction: rules are asked about the first packet of a new connection, which is in state new and
 * original direction. Undefined where it is something else.
 */
function stateOf(left: Json, right: Json, negated: boolean): boolean | undefined {
  if (!isObject(left) || !isObject(left.ct)) return undefined;
  const first = left.ct.key === 'state' ? 'new' : left.ct.key === 'direction' ? 'original' : undefined;
  if (first === undefined || (typeof right === 'string' && right.startsWith('@'))) return undefined;
  return valuesOf(right).includes(first) !== negated;
}

/** `ct status dnat` and its negation: the bit alone, as the status has others (confirmed, seen-reply) that come with time. */
function translatedOf(left: Json, right: Json, op: string): boolean | undefined {
  const masked = isObject(left) && isList(left['&']) ? left['&'] : undefined;
  const field = masked ? masked[0] : left;
  if (!isObject(field) || !isObject(field.ct) || field.ct.key !== 'status' || right !== 'dnat')
    return undefined;
  if (masked) return masked[1] === 'dnat' && op === '==' ? true : undefined;
  return op === 'in' ? true : op === '!' ? false : undefined;
}

const FLAGS: Readonly<Record<string, number>> = {
  fin: 1,
  syn: 2,
  rst: 4,
  psh: 8,
  ack: 16,
  urg: 32,
  ecn: 64,
  cwr: 128,
};
const SYN = 2;

/** TCP flags of the first packet of a new connection: SYN alone (RFC 9293 section 3.5). */
function flagsOf(left: Json, right: Json, op: string): boolean | undefined {
  const masked = isObject(left) && isList(left['&']) ? left['&'] : undefined;
  const field = masked ? masked[0] : left;
  if (!isObject(field) || !isObject(field.payload)) return undefined;
  if (field.payload.protocol !== 'tcp' || field.payload.field !== 'flags') return undefined;
  const mask = masked ? bitsOf(masked[1]) : 255;
  const wanted = bitsOf(right);
  if (mask === undefined || wanted === undefined) return undefined;
  const seen = SYN & mask;
  if (op === 'in') return (seen & wanted) !== 0;
  return op === '==' ? seen === wanted : op === '!=' ? seen !== wanted : undefined;
}

function bitsOf(value: Json): number | undefined {
  if (typeof value === 'number') return value;
  const list = isObject(value) && isList(value['|']) ? value['|'] : isList(value) ? value : [value];
  let bits = 0;
  for (const name of list) {
    const bit = typeof name === 'number' ? name : FLAGS[String(name)];
    if (bit === undefined) return undefined;
    bits |= bit;
  }
  return bits;
}

/** An address, prefix or range as addressSet reads it. */
export const addressText = (value: Json): string =>
  isObject(value) && (isObject(value.prefix) || isList(value.range)) ? expressionText(value) : String(value);

/** An expression in words, as near to nft's own as is useful; at most 120 characters. */
export function textOf(value: Json): string {
  return expressionText(value).slice(0, 120);
}

function expressionText(value: Json): string {
  if (isList(value)) return value.slice(0, 20).map(expressionText).join(',');
  if (!isObject(value)) return value === null ? '' : String(value);
  const [[kind, body] = ['', null]] = Object.entries(value);
  if (kind === 'payload' && isObject(body))
    return body.protocol ? `${body.protocol} ${body.field}` : 'raw payload';
  if ((kind === 'meta' || kind === 'ct') && isObject(body)) return `${kind} ${body.key}`;
  if (kind === 'concat' && isList(body)) return body.map(expressionText).join(' . ');
  if (kind === 'set' && isList(body)) return `{ ${body.slice(0, 20).map(expressionText).join(', ')} }`;
  if (kind === 'range' && isList(body)) return body.map(expressionText).join('-');
  if (kind === 'prefix' && isObject(body)) return `${body.addr}/${body.len}`;
  if ((kind === '&' || kind === '|' || kind === '^') && isList(body))
    return body.map(expressionText).join(` ${kind} `);
  if (kind === 'fib' && isObject(body)) return `fib ${expressionText(body.flags)} ${body.result}`;
  return Object.entries(value)
    .map(([name, part]) => `${name} ${expressionText(part)}`)
    .join(' ');
}

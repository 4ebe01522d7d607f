// nft's own language -> words, and values as `nft -j` prints them
import type { SourceLine } from '../../src/model/rule.ts';
import type { Json } from './nft-layout.ts';
import { PORT_NAMES } from './ports.ts';

export interface Word {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: SourceLine;
}

/** A reader's place in some words. */
export interface Cursor {
  readonly words: readonly Word[];
  at: number;
}

const WORD = /"([^"]*)"|(#)|([{}(),;])|(==|!=|<=|>=|<<|>>|[=<>!&|^])|([^\s"{}(),;=<>!&|^#]+)/g;
const MAX_LINE = 1 << 20;

/** The words of a line; a comment ends it. */
export function wordsOf(line: SourceLine): Word[] {
  const words: Word[] = [];
  for (const [, quoted, comment, mark, operator, plain] of line.text.slice(0, MAX_LINE).matchAll(WORD)) {
    if (comment !== undefined) break;
    const text = quoted ?? mark ?? operator ?? plain;
    // "10.0.0.1: 10.0.0.2" as people write it
    const colon = plain !== undefined && /^[\w.-]+:$/.test(plain) && !plain.includes('::');
    words.push({ text: colon ? text.slice(0, -1) : text, quoted: quoted !== undefined, line });
    if (colon) words.push({ text: ':', quoted: false, line });
  }
  return words;
}

export const peek = (cursor: Cursor, ahead = 0): string | undefined => {
  const word = cursor.words[cursor.at + ahead];
  return word === undefined || word.quoted ? undefined : word.text;
};
export const next = (cursor: Cursor): string => cursor.words[cursor.at++]?.text ?? '';
export const isAtEnd = (cursor: Cursor): boolean => cursor.at >= cursor.words.length;

/** Passes over a word if it stands here. */
export function skip(cursor: Cursor, ...texts: readonly string[]): boolean {
  const here = peek(cursor);
  if (here === undefined || !texts.includes(here)) return false;
  cursor.at++;
  return true;
}

/** The words between braces that begin here, split by commas. */
export function braced(cursor: Cursor): Word[][] {
  const items: Word[][] = [];
  let item: Word[] = [];
  let depth = 0;
  while (!isAtEnd(cursor)) {
    const word = cursor.words[cursor.at++];
    const mark = word.quoted ? undefined : word.text;
    if (mark === '{' && depth++ === 0) continue;
    if (mark === '}' && --depth === 0) break;
    if (mark === ',' && depth === 1) {
      if (item.length > 0) items.push(item);
      item = [];
    } else item.push(word);
  }
  if (item.length > 0) items.push(item);
  return items;
}

const V4 = String.raw`\d{1,3}(?:\.\d{1,3}){3}`;
const RANGES = new RegExp(
  `^(${V4}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*|\\d{1,10})-(${V4}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*|\\d{1,10})$`,
);
const PREFIX = new RegExp(`^(${V4}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)/(\\d{1,3})$`);

/** One word as a value: a number, {"range"}, {"prefix"} or the text. */
export function scalar({ text, quoted }: Pick<Word, 'text' | 'quoted'>): Json {
  if (quoted) return text;
  if (/^(?:\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(text)) return Number(text);
  const range = RANGES.exec(text);
  if (range) return { range: [plain(range[1]), plain(range[2])] };
  const prefix = PREFIX.exec(text);
  return prefix ? { prefix: { addr: prefix[1], len: Number(prefix[2]) } } : text;
}

const plain = (text: string): Json => (/^\d{1,10}$/.test(text) ? Number(text) : text);

/** `80`, `10.0.0.1 . 80`, `8888 - 8999`: parts joined by dots are one tuple. */
export function tuple(words: readonly Word[]): Json {
  const parts: Word[][] = [[]];
  for (const word of words)
    if (!word.quoted && word.text === '.') parts.push([]);
    else parts[parts.length - 1].push(word);
  const values = parts.map((part): Json => {
    if (part.length === 3 && part[1].text === '-')
      return scalar({ text: `${part[0].text}-${part[2].text}`, quoted: false });
    return part.length === 1 ? scalar(part[0]) : part.map(({ text }) => text).join(' ');
  });
  return values.length === 1 ? values[0] : { concat: values };
}

/** Service names of ports, which `nft -S` and people write, as numbers. */
export function portNumbers(value: Json): Json {
  if (typeof value === 'string') return Object.hasOwn(PORT_NAMES, value) ? PORT_NAMES[value] : value;
  if (Array.isArray(value)) return value.map(portNumbers);
  if (typeof value === 'object' && value !== null && 'set' in value)
    return { set: portNumbers(value.set as Json) };
  return value;
}

// `/export` of RouterOS -> statements with their path, whole lines or broken by `\`, terse or not
import type { SourceLine } from '../../src/model/rule.ts';

export interface RouterosStatement {
  /** "ip firewall filter". */
  readonly path: string;
  /** "add", "set", "remove", ... */
  readonly verb: string;
  /** Of `set [ find default-name=ether1 ]`. */
  readonly find: ReadonlyMap<string, string>;
  /** Of `set www disabled=yes`. */
  readonly target?: string;
  /** "!" in front of a value is part of it. */
  readonly fields: ReadonlyMap<string, string>;
  readonly lines: readonly SourceLine[];
}

const VERBS = new Set('add set remove disable enable move edit comment unset print import reset'.split(' '));
/** UTF-16 units of one statement; scripts are long, rules are not. */
const MAX_LENGTH = 65_536;

/** A line ends in a continuation where an odd number of backslashes stands at its end. */
const isContinued = (line: string): boolean => {
  let count = 0;
  while (count < line.length && line[line.length - 1 - count] === '\\') count++;
  return count % 2 === 1;
};

/**
 * Joins what RouterOS breaks into lines: `\`, the line end and the indentation behind it are no part of the text, also inside
 * of words and quotes. Secrets then stand on the line of their name. Idempotent.
 */
export function joinedExport(text: string): string {
  if (!text.includes('\\\n') && !text.includes('\\\r')) return text;
  const lines: string[] = [];
  let open = '';
  let isOpen = false;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r+$/, '');
    const part = isOpen ? line.replace(/^[ \t]+/, '') : raw.endsWith('\r') && isContinued(line) ? line : raw;
    isOpen = isContinued(line) && !(open === '' && line.startsWith('#'));
    if (isOpen) open += part.slice(0, -1);
    else {
      lines.push(open + part);
      open = '';
    }
  }
  // A text that is cut within a statement keeps its backslash.
  if (isOpen) lines.push(`${open}\\`);
  return lines.join('\n');
}

/** Comments and blank lines give nothing; what is no statement goes to `strange`, with the path it stands under. */
export function* routerosStatements(
  lines: readonly SourceLine[],
  strange: (path: string, lines: readonly SourceLine[]) => void,
): Iterable<RouterosStatement> {
  let path = '';
  for (let at = 0; at < lines.length; at++) {
    if (/^\s*(?:#|$)/.test(lines[at].text)) continue;
    const start = at;
    const parts: string[] = [];
    let isOpen = isContinued(lines[at].text);
    parts.push(isOpen ? lines[at].text.slice(0, -1) : lines[at].text);
    while (isOpen && at + 1 < lines.length) {
      const next = lines[++at].text.replace(/^[ \t]+/, '');
      isOpen = isContinued(next);
      parts.push(isOpen ? next.slice(0, -1) : next);
    }
    const own = lines.slice(start, at + 1);
    const text = parts.join('').trim();
    const words = wordsOf(text.slice(0, MAX_LENGTH));
    const head = headOf(words, path);
    path = head.path;
    if (head.rest.length === 0) continue;
    const statement = statementOf(path, head.rest, own);
    if (statement) yield statement;
    else strange(path, own);
  }
}

/** "/ip firewall filter add ..." or "/ip/firewall/filter": the path, and the words behind it. */
function headOf(words: readonly string[], path: string): { path: string; rest: readonly string[] } {
  if (!words[0]?.startsWith('/')) return { path, rest: words };
  let at = 0;
  const parts: string[] = [];
  while (at < words.length && !VERBS.has(words[at]) && !words[at].includes('=')) {
    parts.push(...words[at].split('/').filter(Boolean));
    at++;
  }
  return { path: parts.join(' '), rest: words.slice(at) };
}

function statementOf(
  path: string,
  [verb, ...words]: readonly string[],
  lines: readonly SourceLine[],
): RouterosStatement | undefined {
  if (!VERBS.has(verb)) return undefined;
  const find = new Map<string, string>();
  const fields = new Map<string, string>();
  let target: string | undefined;
  let isFind = false;
  for (const word of words) {
    if (word === '[') isFind = true;
    else if (word === ']') isFind = false;
    else if (isFind && word === 'find') continue;
    else {
      const at = word.indexOf('=');
      const name = at < 0 ? word : word.slice(0, at);
      if (at < 0 && !isFind && verb !== 'add' && target === undefined && fields.size === 0) target = word;
      // `!dst-address` unsets a field, `blackhole` is a field without a value.
      else if (at < 0 && !/^!?[a-z][a-z0-9-]{0,40}$/.test(word)) return undefined;
      else if (at < 0 && !word.startsWith('!')) fields.set(word, 'yes');
      else if (at >= 0) (isFind ? find : fields).set(name, word.slice(at + 1));
    }
  }
  return { path, verb, find, ...(target === undefined ? {} : { target }), fields, lines };
}

/** Words with quotes and escapes resolved; brackets are words of their own. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  const flush = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\' && i + 1 < text.length) {
      const [value, length] = escaped(text, i + 1);
      word = (word ?? '') + value;
      i += length;
    } else if (character === '"') {
      isQuoted = !isQuoted;
      word ??= '';
    } else if (isQuoted) word += character;
    else if (character === ' ' || character === '\t') flush();
    else if ((character === '[' || character === ']') && (word === undefined || character === ']')) {
      flush();
      words.push(character);
    } else word = (word ?? '') + character;
  }
  flush();
  return words;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  _: ' ',
};

/** Manual, "Scripting", constant escape sequences: letters, `\_` for a blank, two hexadecimal digits. */
function escaped(text: string, at: number): readonly [string, number] {
  const hex = text.slice(at, at + 2);
  if (/^[0-9A-F]{2}$/.test(hex)) return [String.fromCharCode(Number.parseInt(hex, 16)), 2];
  return [ESCAPES[text[at]] ?? text[at], 1];
}

// configurations of words in braces, or of `set` lines -> statements, and the tree that both forms make
import type { SourceLine } from '../../src/model/rule.ts';
import { numberedLines } from './indent.ts';

/** One leaf or block of a configuration: the words of the blocks around it, then its own. */
export interface Statement {
  readonly words: readonly string[];
  readonly line: SourceLine;
  /** Marked by `inactive:`; it counts for the last word and all that is under it. */
  readonly inactive: boolean;
}

export interface BraceOptions {
  /** What ends a leaf besides `;` and braces: the line in VyOS, EdgeOS and TMOS; nothing in Junos and PAN-OS. */
  readonly ends?: 'line' | 'semicolon';
  /** What begins a comment up to the end of its line, where a word could begin; default `#` alone. */
  readonly comments?: readonly string[];
}

/** Words below this depth are left out, so that work stays linear in the text. */
const MAX_DEPTH = 64;
const MAX_WORD_LENGTH = 65_536;

type Mark = '{' | '}' | ';' | '[' | ']' | 'newline';
interface Token {
  readonly word?: string;
  readonly mark?: Mark;
  readonly number: number;
}

/**
 * A statement a block (its head) and a leaf, in order. `[ a b ]` stands for one statement an item. Quotes are taken off.
 * Never throws: braces that do not match end what they can.
 */
export function braceStatements(text: string, options: BraceOptions = {}): Statement[] {
  const lines = numberedLines(text);
  const endsByLine = options.ends === 'line';
  const result: Statement[] = [];
  const path: string[] = [];
  const depths: number[] = [];
  let words: string[] = [];
  let items: string[] | undefined;
  let number = 0;
  let skipped = 0;
  const emit = (own: readonly string[]) => {
    const inactive = own[0] === 'inactive:';
    const bare = own.filter((word) => !MODIFIERS.has(word));
    if (bare.length > 0 && skipped === 0)
      result.push({ words: [...path, ...bare], line: lines[number - 1], inactive });
    return bare;
  };
  const end = () => {
    if (items) for (const item of items) emit([...words, item]);
    else if (words.length > 0) emit(words);
    words = [];
    items = undefined;
  };
  const open = () => {
    if (skipped > 0 || depths.length >= MAX_DEPTH) {
      skipped++;
      words = [];
      return;
    }
    const own = emit(words);
    depths.push(own.length);
    path.push(...own);
    words = [];
    items = undefined;
  };
  const close = () => {
    end();
    if (skipped > 0) skipped--;
    else path.length -= depths.pop() ?? 0;
  };
  let isList = false;
  for (const token of tokens(text, options)) {
    if (token.word !== undefined) {
      if (words.length === 0 && !isList) number = token.number;
      if (isList) items?.push(token.word);
      else if (words.length < MAX_DEPTH) words.push(token.word);
    } else if (token.mark === '[') {
      isList = true;
      items = [];
    } else if (token.mark === ']') isList = false;
    else if (token.mark === '{') open();
    else if (token.mark === '}') close();
    else if (token.mark === ';' || (endsByLine && !isList)) end();
  }
  end();
  return result;
}

/** Junos marks: what they say of a statement is no part of its words. */
const MODIFIERS = new Set(['inactive:', 'protect:', 'replace:']);

function* tokens(text: string, { comments = ['#'] }: BraceOptions): Generator<Token> {
  let number = 1;
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === '\n') {
      yield { mark: 'newline', number };
      number++;
      at++;
    } else if (character === ' ' || character === '\t' || character === '\r') at++;
    else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      const stop = end < 0 ? text.length : end + 2;
      for (let i = at; i < stop; i++) if (text[i] === '\n') number++;
      at = stop;
    } else if (comments.some((start) => text.startsWith(start, at))) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (isMark(character)) {
      yield { mark: character, number };
      at++;
    } else {
      const { word, stop } = wordAt(text, at);
      yield { word, number };
      for (let i = at; i < stop; i++) if (text[i] === '\n') number++;
      at = stop;
    }
  }
}

const isMark = (character: string): character is Exclude<Mark, 'newline'> =>
  character === '{' || character === '}' || character === ';' || character === '[' || character === ']';
const END_OF_WORD = /[\s{};[\]]/g;

/** A word, or a text in quotes, from there; a quote without an end is a character like others. */
function wordAt(text: string, at: number): { readonly word: string; readonly stop: number } {
  const quote = text[at];
  if (quote === '"' || quote === "'") {
    const quoted = quotedAt(text, at, quote);
    if (quoted) return quoted;
  }
  END_OF_WORD.lastIndex = at + 1;
  const found = END_OF_WORD.exec(text);
  const stop = found ? found.index : text.length;
  return { word: text.slice(at, Math.min(stop, at + MAX_WORD_LENGTH)), stop };
}

function quotedAt(text: string, at: number, quote: string) {
  const most = Math.min(text.length, at + MAX_WORD_LENGTH);
  let word = '';
  for (let i = at + 1; i < most; i++) {
    if (text[i] === quote) return { word, stop: i + 1 };
    if (text[i] === '\\' && (text[i + 1] === quote || text[i + 1] === '\\')) i++;
    word += text[i];
  }
  return undefined;
}

/** The words of one line with quotes taken off; braces and brackets are words of their own. */
export function tokensOf(line: string): string[] {
  const words: string[] = [];
  for (const { word, mark } of tokens(line.slice(0, MAX_WORD_LENGTH), { comments: [] })) {
    if (word !== undefined) words.push(word);
    else if (mark !== undefined && mark !== 'newline') words.push(mark);
  }
  return words;
}

/** `set` lines as statements; every other line (delete, deactivate, insert, move, anything) comes apart, with its verb. */
export function setStatements(text: string): {
  readonly statements: Statement[];
  readonly others: Statement[];
} {
  const statements: Statement[] = [];
  const others: Statement[] = [];
  for (const line of numberedLines(text)) {
    const start = line.text.trimStart();
    if (start === '' || start.startsWith('#')) continue;
    const words = tokensOf(start);
    if (words[0] !== 'set') {
      others.push({ words, line, inactive: false });
      continue;
    }
    const open = words.indexOf('[');
    const path = words.slice(1, open < 0 ? MAX_DEPTH : Math.min(open, MAX_DEPTH));
    if (open < 0) statements.push({ words: path, line, inactive: false });
    else
      for (const item of words.slice(open + 1))
        if (item !== ']') statements.push({ words: [...path, item], line, inactive: false });
  }
  return { statements, others };
}

export interface WordTree {
  readonly word: string;
  readonly inactive: boolean;
  /** Where it stands itself, not what is under it. */
  readonly lines: readonly SourceLine[];
  /** In order of first appearance. */
  readonly children: ReadonlyMap<string, WordTree>;
}

interface Growing extends WordTree {
  inactive: boolean;
  readonly lines: SourceLine[];
  readonly children: Map<string, Growing>;
}

const growing = (word: string): Growing => ({ word, inactive: false, lines: [], children: new Map() });

/** Statements merged by their words; `inactive`: paths that `deactivate` names. */
export function wordTree(
  statements: readonly Statement[],
  inactive: readonly (readonly string[])[] = [],
): WordTree {
  const root = growing('');
  for (const statement of statements) {
    let node = root;
    for (const word of statement.words) {
      let next = node.children.get(word);
      if (!next) {
        next = growing(word);
        node.children.set(word, next);
      }
      node = next;
    }
    node.lines.push(statement.line);
    if (statement.inactive) node.inactive = true;
  }
  for (const path of inactive) {
    const node = at(root, ...path) as Growing | undefined;
    if (node) node.inactive = true;
  }
  return root;
}

export function at(tree: WordTree | undefined, ...path: readonly string[]): WordTree | undefined {
  let node = tree;
  for (const word of path) node = node?.children.get(word);
  return node;
}

/** What is under a path, in order. */
export const list = (tree: WordTree | undefined, ...path: readonly string[]): readonly WordTree[] => [
  ...(at(tree, ...path)?.children.values() ?? []),
];

export const words = (tree: WordTree | undefined, ...path: readonly string[]): string[] => [
  ...(at(tree, ...path)?.children.keys() ?? []),
];

/** The first word under a path. */
export const word = (tree: WordTree | undefined, ...path: readonly string[]): string | undefined =>
  at(tree, ...path)
    ?.children.keys()
    .next().value;

/** The lines of a node and of everything under it, each once, by number; at most so many. */
export function linesUnder(tree: WordTree, most = 200): SourceLine[] {
  const found = new Map<number, SourceLine>();
  const waiting: WordTree[] = [tree];
  for (let node = waiting.pop(); node && found.size < most; node = waiting.pop()) {
    for (const line of node.lines) if (found.size < most) found.set(line.number, line);
    waiting.push(...[...node.children.values()].reverse());
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

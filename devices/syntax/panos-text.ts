// PAN-OS text in curly, set or XML form -> one tree of words with the same paths
import type { SourceLine } from '../../src/model/rule.ts';
import { type Allowance, spend } from './boxes.ts';
import { numberedLines } from './indent.ts';
import { braceStatements, type Statement, tokensOf, type WordTree, wordTree } from './tree.ts';
import { readXml, type XmlNode } from './xml.ts';

export interface PanosText {
  readonly tree: WordTree;
  /** Lines that are no statement. */
  readonly strange: readonly SourceLine[];
}

/** A tree that is still being put together. */
export interface Growing extends WordTree {
  readonly lines: SourceLine[];
  readonly children: Map<string, Growing>;
}

export const grow = (word: string): Growing => ({ word, inactive: false, lines: [], children: new Map() });

export function under(node: Growing, word: string): Growing {
  let next = node.children.get(word);
  if (!next) {
    next = grow(word);
    node.children.set(word, next);
  }
  return next;
}

export function readPanosText(text: string): PanosText {
  if (/^\s*</.test(text)) return fromXml(text);
  return SET_LINE.test(text) ? fromSetLines(text) : fromBraces(text);
}

const SET_LINE = /^\s*(?:[\w.@:()-]{1,128}[#>] ?)?set [\w-]+ /m;

/** Comments of people who keep such texts; PAN-OS writes none. */
const fromBraces = (text: string): PanosText => ({
  tree: wordTree(braceStatements(text, { comments: ['#', '!'] })),
  strange: [],
});

/** A redaction leaves "<removed:HASH>", which is no XML. */
export const withoutMarks = (text: string): string =>
  text.replace(/<removed:([^<>\s]{0,200})>/g, '[removed:$1]');

function fromXml(text: string): PanosText {
  const lines = numberedLines(text);
  const { root, error } = readXml(withoutMarks(text));
  const tree = grow('');
  if (root) plant(tree, root, lines);
  const broken = error && lines[error.number - 1];
  return { tree, strange: broken ? [broken] : [] };
}

/** `<entry name="X">` and `<member>X</member>` are the word X; text in an element is a word under it. */
function plant(parent: Growing, node: XmlNode, lines: readonly SourceLine[]): void {
  const word = node.name === 'entry' ? node.attributes.name : node.name === 'member' ? node.text : node.name;
  if (word === undefined || word === '') return;
  const own = under(parent, word);
  own.lines.push(lines[node.number - 1]);
  if (node.attributes.uuid) under(under(own, 'uuid'), node.attributes.uuid);
  for (const child of node.children) plant(own, child, lines);
  if (node.name !== 'member' && node.text !== '') under(own, node.text).lines.push(lines[node.number - 1]);
}

/** How many lines a text in quotes may go on for. */
const MAX_QUOTED_LINES = 200;
const MAX_WORDS = 64;
/** A move walks the list it is in: steps over one text. */
const MAX_MOVED = 20_000_000;

function fromSetLines(text: string): PanosText {
  const tree = grow('');
  const strange: SourceLine[] = [];
  const lines = numberedLines(text);
  const allowance: Allowance = { left: MAX_MOVED };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    let command = line.text.trim().replace(/^[\w.@:()-]{1,128}[#>] ?(?=set |delete |move |rename )/, '');
    if (command === '' || command.startsWith('#') || command.startsWith('!')) continue;
    if (quoteIsOpen(command)) {
      const end = closingLine(lines, i);
      for (; i < end; i++) command += `\n${lines[i + 1].text}`;
    }
    const words = tokensOf(command);
    if (!obey(tree, words, line, allowance)) strange.push(line);
  }
  return { tree, strange };
}

const quoteIsOpen = (text: string): boolean => (text.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1;

/** The line on which an open quote ends; the same line where it never does. */
function closingLine(lines: readonly SourceLine[], from: number): number {
  const most = Math.min(lines.length - 1, from + MAX_QUOTED_LINES);
  for (let i = from + 1; i <= most; i++) {
    if (/^\s*set [\w-]+ /.test(lines[i].text)) return from;
    if (quoteIsOpen(lines[i].text)) return i;
  }
  return from;
}

/** One line of configuration mode; false where it is none. */
function obey(tree: Growing, words: readonly string[], line: SourceLine, allowance: Allowance): boolean {
  const [verb, ...path] = words;
  switch (verb) {
    case 'set':
      for (const statement of statementsOf(path, line)) add(tree, statement);
      return true;
    case 'delete':
      remove(tree, path);
      return true;
    case 'move':
      return move(tree, path, allowance);
    case 'rename':
      return rename(tree, path, allowance);
    default:
      return QUIET.test(words.join(' '));
  }
}

/** What a terminal shows around the lines. */
const QUIET = /^(?:configure|show\b|exit|quit|commit\b|edit\b|top|up|Entering configuration mode|\[ ?edit\b)/;

function statementsOf(path: readonly string[], line: SourceLine): Statement[] {
  const open = path.indexOf('[');
  const words = path.slice(0, open < 0 ? MAX_WORDS : Math.min(open, MAX_WORDS));
  if (open < 0) return [{ words, line, inactive: false }];
  return path
    .slice(open + 1)
    .filter((item) => item !== ']')
    .map((item) => ({ words: [...words, item], line, inactive: false }));
}

/** A leaf that is set again is the last one: it goes to the end of its parent, so that `last` finds it. */
function add(tree: Growing, { words, line }: Statement): void {
  let node = tree;
  words.forEach((word, i) => {
    const known = node.children.get(word);
    if (known && i === words.length - 1 && known.children.size === 0) node.children.delete(word);
    if (known && !node.children.has(word)) node.children.set(word, known);
    node = under(node, word);
  });
  node.lines.push(line);
}

function find(tree: Growing, path: readonly string[]): Growing | undefined {
  let node: Growing | undefined = tree;
  for (const word of path) node = node?.children.get(word);
  return node;
}

function remove(tree: Growing, path: readonly string[]): void {
  const last = path.at(-1);
  if (last !== undefined) find(tree, path.slice(0, -1))?.children.delete(last);
}

/** `move rulebase security rules R top|bottom|before X|after X`. */
function move(tree: Growing, path: readonly string[], allowance: Allowance): boolean {
  const at = path.findIndex((word, i) => i > 0 && PLACES.has(word) && i >= path.length - 2);
  if (at < 1) return false;
  const name = path[at - 1];
  const list = find(tree, path.slice(0, at - 1));
  const moved = list?.children.get(name);
  if (!list || !moved) return true;
  if (!spend(allowance, list.children.size)) return false;
  const rest = [...list.children].filter(([word]) => word !== name);
  const place = path[at];
  const index =
    place === 'before' || place === 'after' ? rest.findIndex(([word]) => word === path[at + 1]) : -1;
  if ((place === 'before' || place === 'after') && index < 0) return false;
  const to = place === 'top' ? 0 : place === 'bottom' ? rest.length : index + (place === 'after' ? 1 : 0);
  rest.splice(to, 0, [name, moved]);
  replaceChildren(list, rest);
  return true;
}

const PLACES = new Set(['top', 'bottom', 'before', 'after']);

/** `rename address A to B`: references to it follow on the device, and stand so in what it prints later. */
function rename(tree: Growing, path: readonly string[], allowance: Allowance): boolean {
  const to = path.at(-1);
  const from = path.at(-3);
  if (path.at(-2) !== 'to' || to === undefined || from === undefined) return false;
  const list = find(tree, path.slice(0, -3));
  if (!list?.children.has(from)) return true;
  if (!spend(allowance, list.children.size)) return false;
  replaceChildren(
    list,
    [...list.children].map(([word, node]) => (word === from ? [to, { ...node, word: to }] : [word, node])),
  );
  return true;
}

function replaceChildren(node: Growing, children: readonly (readonly [string, Growing])[]): void {
  node.children.clear();
  for (const [word, child] of children) node.children.set(word, child);
}

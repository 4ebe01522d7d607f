// configuration text of Junos, in braces or `set` lines -> one tree; lines that edit it are obeyed
import type { SourceLine } from '../../src/model/rule.ts';
import { at, braceStatements, type Statement, setStatements, type WordTree } from './tree.ts';

export interface JunosNode extends WordTree {
  readonly word: string;
  inactive: boolean;
  lines: SourceLine[];
  children: Map<string, JunosNode>;
}

export interface JunosText {
  readonly tree: JunosNode;
  readonly strange: readonly SourceLine[];
}

/** Lines of set form that may reorder siblings; more are reported and not obeyed, since each costs all of its siblings. */
const MAX_INSERTS = 2_000;
const SET_LINE = /^\s*(?:set|deactivate) (?!cli )[\w-]+/m;
const BRACE = /^[^\n]{0,512}\{\s*$/m;

export const node = (word: string): JunosNode => ({ word, inactive: false, lines: [], children: new Map() });

export function grow(root: JunosNode, words: readonly string[]): JunosNode {
  let found = root;
  for (const word of words) {
    let next = found.children.get(word);
    if (!next) {
      next = node(word);
      found.children.set(word, next);
    }
    found = next;
  }
  return found;
}

/** Never throws. A text that has both forms is read in that which comes first. */
export function readJunosText(text: string): JunosText {
  const set = text.search(SET_LINE);
  const brace = text.search(BRACE);
  return set >= 0 && (brace < 0 || set < brace) ? readSet(text) : { tree: readBraces(text), strange: [] };
}

function readBraces(text: string): JunosNode {
  const root = node('');
  for (const statement of braceStatements(text)) add(root, statement);
  return root;
}

/** `inactive:` and `protect:` may both stand before a statement, in either order. */
function add(root: JunosNode, { words, line, inactive }: Statement): void {
  const found = grow(root, words);
  found.lines.push(line);
  if (inactive || /^\s*(?:protect:|replace:)\s+inactive: /.test(line.text)) found.inactive = true;
}

function readSet(text: string): JunosText {
  const root = node('');
  const { statements, others } = setStatements(text);
  const strange: SourceLine[] = [];
  const lines = [
    ...statements.map((one) => ({ ...one, isSet: true })),
    ...others.map((one) => ({ ...one, isSet: false })),
  ].sort((a, b) => a.line.number - b.line.number);
  let inserts = 0;
  for (const { words, line, isSet } of lines) {
    if (isSet) grow(root, words).lines.push(line);
    else if (
      words[0] === 'insert' ? ++inserts > MAX_INSERTS || !insert(root, words) : !edit(root, words, line)
    )
      strange.push(line);
  }
  return { tree: root, strange };
}

/** What other lines of a capture may be: an address of the prompt, marks of chassis members, the end of a listing. */
const ASIDE = /^(?:\[edit\b|\{\w+(?::\w+)?\}|[\w.-]{1,64}@[\w.-]{1,64}[>#%]|\/\*|\*)/;

function edit(root: JunosNode, [verb, ...path]: readonly string[], line: SourceLine): boolean {
  if (ASIDE.test(line.text.trim()) || verb === '[' || verb === '{') return true;
  const found = at(root, ...path) as JunosNode | undefined;
  switch (verb) {
    case 'deactivate':
    case 'activate':
      if (!found) return false;
      found.inactive = verb === 'deactivate';
      if (verb === 'deactivate') found.lines.push(line);
      return true;
    case 'delete': {
      const parent = at(root, ...path.slice(0, -1)) as JunosNode | undefined;
      return parent?.children.delete(path.at(-1) ?? '') ?? true;
    }
    // Who may edit a statement, and remarks, are no part of what it does.
    case 'protect':
    case 'unprotect':
    case 'annotate':
      return true;
    default:
      return false;
  }
}

/** `insert PATH NAME before|after OTHER`; OTHER may be preceded by the keyword that also precedes NAME. */
function insert(root: JunosNode, [, ...words]: readonly string[]): boolean {
  const where = Math.max(words.lastIndexOf('before'), words.lastIndexOf('after'));
  const name = words[where - 1];
  const other = words.at(-1);
  const parent = at(root, ...words.slice(0, Math.max(0, where - 1))) as JunosNode | undefined;
  const moved = parent?.children.get(name ?? '');
  if (where < 1 || !parent || !moved || other === undefined || other === name || !parent.children.has(other))
    return false;
  const order = [...parent.children.keys()].filter((word) => word !== name);
  order.splice(order.indexOf(other) + (words[where] === 'after' ? 1 : 0), 0, name);
  const children = parent.children;
  parent.children = new Map(order.map((word) => [word, children.get(word)!]));
  return true;
}

// config.boot in braces, or `show configuration commands` -> one tree of words, the same for both
import type { SourceLine } from '../../src/model/rule.ts';
import { ruleKey } from '../../src/rules/key.ts';
import {
  at,
  braceStatements,
  linesUnder,
  list,
  setStatements,
  type WordTree,
  word,
  wordTree,
} from './tree.ts';

/** Lines of one rule that are kept. */
const MAX_LINES = 200;

export interface VyosText {
  readonly tree: WordTree;
  /** Lines that change the configuration in another way than by setting. */
  readonly others: readonly SourceLine[];
}

export function readVyosText(text: string): VyosText {
  if (!/^set \S/m.test(text))
    return { tree: wordTree(braceStatements(text, { ends: 'line', comments: ['//'] })), others: [] };
  const { statements, others } = setStatements(text);
  const verbs = others.filter(({ words }) =>
    /^(?:delete|rename|copy|edit|activate|deactivate)$/.test(words[0]),
  );
  return { tree: wordTree(statements), others: verbs.map(({ line }) => line) };
}

export const has = (node: WordTree | undefined, ...path: readonly string[]): boolean =>
  at(node, ...path) !== undefined;

/** Nodes under a path in the order of their numbers, which is the order in which rules act. */
export function numbered(node: WordTree | undefined, ...path: readonly string[]): WordTree[] {
  return [...list(node, ...path)].sort((a, b) => Number(a.word) - Number(b.word));
}

export const linesOf = (node: WordTree): SourceLine[] => linesUnder(node, MAX_LINES);

/** Each line once, as many as are kept. */
export const uniqueLines = (lines: readonly SourceLine[]): SourceLine[] =>
  [...new Map(lines.map((line) => [line.number, line])).values()].slice(0, MAX_LINES);

/** What says nothing of what a rule does. */
const SILENT = new Set(['description', 'log', 'log-options', 'disable', 'enable-default-log', 'default-log']);
const MAX_LEAVES = 500;

/** What is written under a node, as paths in sorted order; the same for spellings of old and of new versions. */
export function leaves(node: WordTree): string[] {
  const found: string[] = [];
  const visit = (at: WordTree, path: string) => {
    if (found.length >= MAX_LEAVES) return;
    const children = [...at.children.values()].filter(({ word }) => path !== '' || !SILENT.has(word));
    if (children.length === 0 && path !== '') found.push(canonical(path));
    for (const child of children) visit(child, `${path}${path === '' ? '' : ' '}${child.word}`);
  };
  visit(node, '');
  return found.sort();
}

const canonical = (path: string): string =>
  path
    .replace(/^(inbound|outbound)-interface (?:interface-)?name /, '$1-interface ')
    .replace(/-interface interface-group /, '-interface group ')
    .replace(/ enable$/, '');

/**
 * Keys of the rules of one list: by description where no other rule of the list has the same one, else by what is written.
 * Numbers are places in the list, and never part of a key.
 */
export function keysOf(listName: string, rules: readonly WordTree[]): string[] {
  const seen = new Map<string, number>();
  const descriptions = rules.map((rule) => word(rule, 'description'));
  for (const text of descriptions) if (text !== undefined) seen.set(text, (seen.get(text) ?? 0) + 1);
  return rules.map((rule, i) => {
    const text = descriptions[i];
    const name = text !== undefined && seen.get(text) === 1 ? text : ruleKey(listName, ...leaves(rule));
    return `${listName}:${name}`;
  });
}

// text with indented blocks -> numbered lines and a tree of blocks (IOS, NX-OS, EOS, IOS-XR)
import type { SourceLine } from '../../src/model/rule.ts';

/** A line with the lines that are indented under it. */
export interface Block extends SourceLine {
  readonly children: readonly Block[];
}

/** Text -> its lines without line ends, numbered from 1; empty lines are kept. */
export function numberedLines(text: string): SourceLine[] {
  return text
    .split('\n')
    .map((line, index) => ({ number: index + 1, text: line.endsWith('\r') ? line.slice(0, -1) : line }));
}

const indentOf = (text: string): number => /^[ \t]*/.exec(text)![0].length;

/** Lines -> blocks: a line belongs to the nearest line before it that is indented less. Empty lines are left out. */
export function indentBlocks(lines: readonly SourceLine[]): Block[] {
  const top: Block[] = [];
  const open: { indent: number; children: Block[] }[] = [];
  for (const line of lines) {
    if (line.text.trim() === '') continue;
    const indent = indentOf(line.text);
    while (open.length > 0 && open[open.length - 1].indent >= indent) open.pop();
    const children: Block[] = [];
    const parent = open.length > 0 ? open[open.length - 1].children : top;
    parent.push({ number: line.number, text: line.text, children });
    open.push({ indent, children });
  }
  return top;
}

/** The line alone. */
export const lineOf = ({ number, text }: SourceLine): SourceLine => ({ number, text });

/** A block's own line and all lines under it, in order. */
export function linesOf(block: Block): SourceLine[] {
  const lines: SourceLine[] = [];
  const waiting: Block[] = [block];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    lines.push(lineOf(next));
    for (let i = next.children.length - 1; i >= 0; i--) waiting.push(next.children[i]);
  }
  return lines;
}

const MAX_WORDS_LENGTH = 4096;

/** The words of a line; a line longer than 4,096 characters is cut there, so that work stays bounded. */
export function wordsOf(text: string): string[] {
  const trimmed = text.slice(0, MAX_WORDS_LENGTH).trim();
  return trimmed === '' ? [] : trimmed.split(/\s+/);
}

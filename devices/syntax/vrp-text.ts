// configuration text of VRP and Comware -> blocks of statements, section by section
import type { SourceLine } from '../../src/model/rule.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, indentBlocks, lineOf, numberedLines } from './indent.ts';

/**
 * Sections stand between lines of `#`. Comware indents its single statements by a blank, so that what is indented is known
 * within a section only. Never throws; reading stops at `return`.
 */
export function readVrpStatements(text: string): Reading {
  const unread: SourceLine[] = [];
  const blocks: Block[] = [];
  let section: SourceLine[] = [];
  const close = () => {
    for (const block of indentBlocks(section)) blocks.push(block);
    section = [];
  };
  const lines = numberedLines(text);
  const ends = headerEnds(lines);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (/^return\s*$/.test(line.text)) break;
    if (/^#/.test(line.text)) close();
    else if (/^\s*header \S+ /.test(line.text)) i = ends(i);
    else if (line.text.trim() !== '' && !/^\s*[#!]/.test(line.text)) section.push(line);
  }
  close();
  return {
    blocks,
    unread,
    notUnderstood: (line) => {
      unread.push(lineOf(line));
    },
  };
}

/** `header login information "..."` may hold anything: index of the line that ends the text starting at a line. */
function headerEnds(lines: readonly SourceLine[]): (start: number) => number {
  const absent = new Set<string>();
  return (start) => {
    const body = /^\s*header \S+(?: information)? (\S.*)$/.exec(lines[start].text)?.[1] ?? '';
    const delimiter = body.slice(0, 1);
    if (delimiter === '' || body.indexOf(delimiter, 1) > 0 || absent.has(delimiter)) return start;
    for (let i = start + 1; i < lines.length; i++) if (lines[i].text.includes(delimiter)) return i;
    absent.add(delimiter);
    return start;
  };
}

/** Pagers of VRP and Comware wipe more than they wrote, which leaves blanks behind the line that follows. */
export const withoutTrailingBlanks = (output: string): string =>
  output
    .split('\n')
    .map((line) => (/[ \t]\r?$/.test(line) ? line.trimEnd() : line))
    .join('\n');

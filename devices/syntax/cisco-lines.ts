// IOS configuration text -> blocks of statements, without comments, banners and certificates
import type { SourceLine } from '../../src/model/rule.ts';
import { type Block, indentBlocks, lineOf, numberedLines } from './indent.ts';

/** What a reader works with: the statements, and a place for those that it does not understand. */
export interface Reading {
  readonly blocks: readonly Block[];
  readonly unread: SourceLine[];
  readonly notUnderstood: (line: SourceLine) => void;
}

/** Never throws. Reading stops at `end`. */
export function readStatements(text: string): Reading {
  const unread: SourceLine[] = [];
  return {
    blocks: indentBlocks(statements(numberedLines(text))),
    unread,
    notUnderstood: (line) => {
      unread.push(lineOf(line));
    },
  };
}

const CERTIFICATE = /^\s+certificate (?:self-signed |ca |rollover )?[0-9A-F]+\s*$/i;

/** Stands in front of the whole configuration where an account saw only a part of it before. */
export const FULL_VIEW = '! show running-config view full';

function statements(lines: readonly SourceLine[]): SourceLine[] {
  const kept: SourceLine[] = [];
  const endOfText = bannerEnds(lines);
  const start = lines.findLastIndex(({ text }) => text === FULL_VIEW) + 1;
  for (let i = start; i < lines.length; i++) {
    const { text } = lines[i];
    if (/^end\s*$/.test(text)) break;
    if (text.trim() === '' || /^\s*!/.test(text)) continue;
    if (text.startsWith('banner ')) {
      i = endOfText(i);
      continue;
    }
    kept.push(lines[i]);
    // Certificates are lines of hexadecimal up to `quit`.
    if (CERTIFICATE.test(text)) while (i + 1 < lines.length && /^\s+[0-9A-F ]+$/.test(lines[i + 1].text)) i++;
  }
  return kept;
}

/** Free text may hold anything that looks like a statement: index of the line that ends the banner starting at a line. */
function bannerEnds(lines: readonly SourceLine[]): (start: number) => number {
  const absent = new Set<string>();
  return (start) => {
    const body = /^banner \S+ ?(.*)$/.exec(lines[start].text)?.[1] ?? '';
    // EOS has no delimiter of its own: the text ends at a line `EOF`.
    const delimiter = body === '' ? 'EOF' : body.startsWith('^C') ? '^C' : body.slice(0, 1);
    if (body.includes(delimiter, delimiter.length) || absent.has(delimiter)) return start;
    for (let i = start + 1; i < lines.length; i++) if (lines[i].text.includes(delimiter)) return i;
    absent.add(delimiter);
    return start;
  };
}

// FortiOS configuration text -> statements: words with quotes resolved, also where a quoted value runs over several lines
import type { SourceLine } from '../../src/model/rule.ts';

export interface Statement {
  readonly words: readonly string[];
  readonly lines: readonly SourceLine[];
}

/** Lines that one quoted value may have: certificates and replacement messages. */
const MAX_QUOTED_LINES = 20_000;

/**
 * Blank lines and comments give nothing. A quote that does not end as a value ends (behind it stands the end of the line or
 * a blank) is taken to end with its line, which goes to `notUnderstood`: a lost quote must not swallow what follows.
 */
export function* fortiStatements(
  lines: readonly SourceLine[],
  notUnderstood: (line: SourceLine) => void,
): Iterable<Statement> {
  let at = 0;
  while (at < lines.length) {
    const { text } = lines[at];
    const start = at++;
    if (/^\s*(?:#|$)/.test(text)) continue;
    if (!/["'\\]/.test(text)) {
      yield { words: text.trim().split(/\s+/), lines: [lines[start]] };
      continue;
    }
    const found = quoted(lines, start);
    if (found) {
      at = found.end + 1;
      yield { words: found.words, lines: lines.slice(start, at) };
    } else {
      notUnderstood(lines[start]);
      yield { words: text.replaceAll('"', ' ').trim().split(/\s+/), lines: [lines[start]] };
    }
  }
}

/** Words from line `start` on; undefined where a quote has no proper end. */
function quoted(lines: readonly SourceLine[], start: number): { words: string[]; end: number } | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = start; at < lines.length && at - start < MAX_QUOTED_LINES; at++) {
    const { text } = lines[at];
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      if (character === '\\' && quote !== "'" && i + 1 < text.length) word = (word ?? '') + text[++i];
      else if (quote !== '') {
        if (character !== quote) word += character;
        else {
          quote = '';
          if (at > start && i + 1 < text.length && !/\s/.test(text[i + 1])) return undefined;
        }
      } else if (isOpening(character, word, text, i)) {
        quote = character;
        word ??= '';
      } else if (/\s/.test(character)) {
        if (word !== undefined) words.push(word);
        word = undefined;
      } else word = (word ?? '') + character;
    }
    if (quote === '') {
      if (word !== undefined) words.push(word);
      return { words, end: at };
    }
    word += '\n';
  }
  return undefined;
}

/** An apostrophe opens a word only where another one ends it on the line. */
const isOpening = (character: string, word: string | undefined, text: string, at: number): boolean =>
  character === '"' || (character === "'" && word === undefined && text.indexOf("'", at + 1) > 0);

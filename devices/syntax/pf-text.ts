// pf.conf(5), or what pfctl prints -> statements of words, macros put in their place
import type { SourceLine } from '../../src/model/rule.ts';
import { numberedLines } from './indent.ts';

export interface Word {
  readonly text: string;
  /** Written in quotes: a name or a text, never a keyword. */
  readonly quoted: boolean;
}

export interface Statement {
  readonly words: readonly Word[];
  readonly lines: readonly SourceLine[];
  /** The rules of an anchor that stand in braces. */
  readonly block?: readonly Statement[];
}

interface Growing {
  words: Word[];
  lines: SourceLine[];
  block?: Statement[];
}

const MAX_DEPTH = 16;
const MAX_LINES_OF_STATEMENT = 200;
/** Words that macros may grow one text into; beyond, a macro stands under its own name. */
const MAX_EXPANDED = 2_000_000;
const MAX_LINE = 65_536;
const ANCHORS = /^(?:anchor|nat-anchor|rdr-anchor|binat-anchor|scrub-anchor|dummynet-anchor)$/;

/** Never throws; a brace that is not closed ends with the text. */
export function statementsOf(text: string): Statement[] {
  const macros = new Map<string, readonly Word[]>();
  const top: Statement[] = [];
  const open: Statement[][] = [top];
  const allowance = { left: MAX_EXPANDED };
  let current: Growing = { words: [], lines: [] };
  let depth = 0;
  const end = () => {
    const { words, lines } = current;
    current = { words: [], lines: [] };
    depth = 0;
    if (words.length === 0) return;
    if (words[1]?.text === '=' && !words[1].quoted && /^[A-Za-z_]\w{0,63}$/.test(words[0].text))
      macros.set(words[0].text, expand(words.slice(2).flatMap(inside), macros, allowance));
    else open[open.length - 1].push({ words: expand(words, macros, allowance), lines });
  };
  const begin = () => {
    const block: Statement[] = [];
    const { words, lines } = current;
    current = { words: [], lines: [] };
    depth = 0;
    open[open.length - 1].push({ words: expand(words, macros, allowance), lines, block });
    open.push(block);
  };
  for (const line of numberedLines(text)) {
    const { words, continues } = wordsOf(line.text);
    if (words.length > 0 && current.lines.length < MAX_LINES_OF_STATEMENT) current.lines.push(line);
    words.forEach((word, i) => {
      const isMark = !word.quoted;
      if (isMark && word.text === '}' && depth === 0 && open.length > 1) {
        current.lines = current.words.length > 0 ? current.lines : [];
        end();
        open.pop();
        return;
      }
      const opensBlock = i === words.length - 1 && depth === 0 && ANCHORS.test(current.words[0]?.text ?? '');
      if (isMark && word.text === '{' && opensBlock && open.length < MAX_DEPTH) {
        begin();
        return;
      }
      if (isMark && word.text === '{') depth++;
      if (isMark && word.text === '}') depth = Math.max(0, depth - 1);
      current.words.push(word);
    });
    if (!continues && depth === 0) end();
  }
  end();
  return top;
}

/** The words of a macro's value: what stands in quotes is text to be read again. */
const inside = (word: Word): Word[] => (word.quoted ? wordsOf(word.text).words : [word]);

function expand(
  words: readonly Word[],
  macros: ReadonlyMap<string, readonly Word[]>,
  allowance: { left: number },
): Word[] {
  const result: Word[] = [];
  for (const word of words) {
    const match = word.quoted ? null : /^\$(\w{1,64})(.{0,64})$/.exec(word.text);
    const value = match ? macros.get(match[1]) : undefined;
    if (!value || value.length > allowance.left) {
      result.push(word);
      continue;
    }
    allowance.left -= value.length;
    for (const one of value) result.push(one);
    // `$int_if:network`
    const last = result.at(-1);
    if (match?.[2] && last) result[result.length - 1] = { ...last, text: `${last.text}${match[2]}` };
  }
  return result;
}

/** Marks stand alone; a comment ends the line; a backslash at the end goes on in the next. */
const WORD =
  /"((?:[^"\\]|\\.)*)"|(#)|([{}(),])|(><|<>|!=|<=|>=|->|=|!)|(<[\w.:-]{1,64}>)|([<>])|([^\s"#{}(),=!<>]+)/g;

function wordsOf(line: string): { readonly words: Word[]; readonly continues: boolean } {
  const words: Word[] = [];
  const trimmed = line.slice(0, MAX_LINE).trimEnd();
  const body = trimmed.endsWith('\\') ? trimmed.slice(0, -1) : trimmed;
  let isComment = false;
  for (const [, quoted, comment, mark, operator, table, single, plain] of body.matchAll(WORD)) {
    if (comment !== undefined) {
      isComment = true;
      break;
    }
    if (quoted !== undefined) words.push({ text: quoted.replace(/\\(.)/g, '$1'), quoted: true });
    else words.push({ text: mark ?? operator ?? table ?? single ?? plain, quoted: false });
  }
  return { words, continues: body.length < trimmed.length && !isComment };
}

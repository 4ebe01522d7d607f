// a command line as text -> words, or pieces parted by the shell's operators; nothing is expanded

/** Beyond these a command line says nothing more. */
const MAX_LENGTH = 32_768;
const MAX_PIECES = 4000;

/** A word, an operator that parts commands, or a redirection with its target. */
export interface Piece {
  readonly kind: 'word' | 'operator' | 'redirection';
  readonly text: string;
  /** Some of it stood in quotes. */
  readonly isQuoted: boolean;
  /** Commands of `$(...)`, `` `...` `` and `<(...)` in it, as text. */
  readonly nested: readonly string[];
}

const OPERATORS = ['&&', '||', ';;', '|&', ';', '|', '&', '\n', '(', ')'];
const REDIRECTIONS = ['&>>', '<<<', '<<-', '<>', '&>', '>&', '>>', '<<', '<&', '>|', '>', '<'];

/** Words as a POSIX shell splits them (XCU 2.2, 2.3), quotes removed; operators stand as words of their own. Never throws. */
export function commandWords(commandLine: string): string[] {
  return commandPieces(commandLine).flatMap(({ kind, text }) => (kind === 'redirection' ? [] : text));
}

/** Never throws; a quote that is not closed reaches to the end. */
export function commandPieces(commandLine: string): Piece[] {
  const text = commandLine.slice(0, MAX_LENGTH);
  const pieces: Piece[] = [];
  let at = 0;
  while (at < text.length && pieces.length < MAX_PIECES) {
    if (/[ \t\r]/.test(text[at])) {
      at++;
    } else if (text[at] === '#') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (text.startsWith('\\\n', at)) {
      at += 2;
    } else if (!/^[<>]\(/.test(text.slice(at, at + 2)) && redirectionAt(text, at)) {
      const sign = redirectionAt(text, at)!;
      const word = wordAt(text, skipBlanks(text, at + sign.length));
      pieces.push({ kind: 'redirection', text: `${sign}${word.text}`, isQuoted: false, nested: word.nested });
      at = Math.max(word.end, at + sign.length);
    } else {
      const operator = OPERATORS.find((sign) => text.startsWith(sign, at));
      if (operator) {
        pieces.push({ kind: 'operator', text: operator, isQuoted: false, nested: [] });
        at += operator.length;
      } else {
        const { end, ...word } = wordAt(text, at);
        pieces.push({ kind: 'word', ...word });
        at = Math.max(end, at + 1);
      }
    }
  }
  return pieces;
}

/** A redirection's sign with the number of its file descriptor. */
function redirectionAt(text: string, at: number): string | undefined {
  const number = /^\d{0,3}/.exec(text.slice(at, at + 3))![0];
  const sign = REDIRECTIONS.find((one) => text.startsWith(one, at + number.length));
  return sign && (number === '' || !sign.startsWith('&')) ? number + sign : undefined;
}

function skipBlanks(text: string, at: number): number {
  let end = at;
  while (text[end] === ' ' || text[end] === '\t') end++;
  return end;
}

function wordAt(text: string, start: number) {
  const nested: string[] = [];
  let word = '';
  let isQuoted = false;
  let at = start;
  while (at < text.length) {
    const char = text[at];
    if (char === "'" || (char === '$' && text[at + 1] === "'")) {
      const open = char === "'" ? at + 1 : at + 2;
      const end = closing(text, open, "'");
      word += text.slice(open, end);
      isQuoted = true;
      at = end + 1;
    } else if (char === '"') {
      const quoted = doubleQuoted(text, at + 1, nested);
      word += quoted.text;
      isQuoted = true;
      at = quoted.end;
    } else if (char === '\\') {
      if (text[at + 1] !== '\n') word += text[at + 1] ?? '';
      at += 2;
    } else if (substitutes(text, at)) {
      const end = substitutionEnd(text, at, nested);
      word += text.slice(at, end);
      at = end;
    } else if (/[\s;&|()<>]/.test(char)) {
      break;
    } else {
      word += char;
      at++;
    }
  }
  return { text: word, isQuoted, nested, end: at };
}

function doubleQuoted(text: string, start: number, nested: string[]) {
  let word = '';
  let at = start;
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\' && /["\\$`\n]/.test(text[at + 1] ?? '')) {
      if (text[at + 1] !== '\n') word += text[at + 1];
      at += 2;
    } else if (text[at] !== '<' && text[at] !== '>' && substitutes(text, at)) {
      const end = substitutionEnd(text, at, nested);
      word += text.slice(at, end);
      at = end;
    } else word += text[at++];
  }
  return { text: word, end: at + 1 };
}

const substitutes = (text: string, at: number): boolean =>
  text[at] === '`' || (/[$<>]/.test(text[at]) && text[at + 1] === '(');

/** Behind the substitution at `at`; what stands in it is added to `nested`. */
function substitutionEnd(text: string, at: number, nested: string[]): number {
  if (text[at] === '`') {
    const end = closing(text, at + 1, '`');
    nested.push(text.slice(at + 1, end));
    return end + 1;
  }
  let depth = 0;
  let end = at + 1;
  for (; end < text.length; end++) {
    if (text[end] === "'") end = closing(text, end + 1, "'");
    else if (text[end] === '(') depth++;
    else if (text[end] === ')' && --depth === 0) break;
  }
  nested.push(text.slice(at + 2, end));
  return end + 1;
}

function closing(text: string, at: number, quote: string): number {
  const end = text.indexOf(quote, at);
  return end < 0 ? text.length : end;
}

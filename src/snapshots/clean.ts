// what a terminal received -> the lines that a person would see on it

/** Stands where a pager's question was; the screen puts it there, and device output never holds it. */
export const ERASED = '\0';

// CSI (ECMA-48 5.4), OSC (ended by BEL or ST), and two-character escapes
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-Z^-~\\])/g;
/** The cursor goes left: a number of backspaces. */
const CURSOR_LEFT = /\x1b\[(\d{0,3})D/g;
const ERASE_LINE = /\x1b\[[0-2]?K/g;
const CONTROLS = /[\x01-\x08\x0b-\x1f\x7f]/g;

/** Plays carriage returns, backspaces and escapes of each line; line ends become "\n". Linear in the text. */
export function cleanScreen(raw: string): string {
  if (!/[\x00-\x08\x0b-\x1f\x7f]/.test(raw)) return raw;
  const lines: string[] = [];
  for (const line of raw.split('\n')) {
    const cleaned = cleanLine(line);
    if (cleaned !== undefined) lines.push(cleaned);
  }
  return lines.join('\n');
}

/** One line without its line end; undefined where there was nothing on it but a pager's question. */
export function cleanLine(raw: string): string | undefined {
  const line = raw.replace(/\r+$/, '');
  if (!/[\x00-\x08\x0b-\x1f\x7f]/.test(line)) return line;
  const hasMotion = /[\r\b\x1b]/.test(line);
  if (!hasMotion && /^\0+$/.test(line)) return undefined;
  // Of all escapes only these two touch the text of a line here.
  const cells = play(
    line
      .replace(CURSOR_LEFT, (_escape, count: string) => '\b'.repeat(Number(count) || 1))
      .replace(ERASE_LINE, '\x01')
      .replace(ESCAPES, ''),
  );
  let end = cells.length;
  while (end > 0 && cells[end - 1] === ERASED) end--;
  return cells.slice(0, end).join('').replaceAll(ERASED, ' ').replace(CONTROLS, '');
}

/** Only within so many columns is it asked whether all to the right is wiped: a screen is not wider. */
const WIDEST = 4096;

function play(line: string): string[] {
  const cells: string[] = [];
  let column = 0;
  let moved = false;
  for (const character of line) {
    if (character === '\r' || character === '\b') {
      column = character === '\r' ? 0 : Math.max(0, column - 1);
      moved = true;
    } else if (character === '\x01') {
      cells.length = Math.min(cells.length, column);
    } else {
      // New text where all to the right is wiped: from here on blanks are text, also at the end of the line.
      if (moved && character !== ' ') {
        moved = false;
        if (cells.length <= WIDEST && cells.slice(column).every((cell) => cell === ERASED))
          cells.length = Math.min(cells.length, column);
      }
      // A space over something is how devices wipe a pager's question; a wiped cell at the end of a line is no text.
      cells[column] = character === ' ' && column < cells.length ? ERASED : character;
      column++;
    }
  }
  return cells;
}

/** A message that IOS prints into the session, for example "*Mar  1 00:01:02.003: %SYS-5-CONFIG_I: ...". */
export const LOG_LINE =
  /^\s*(?:\d+: )?[*.]?(?:[A-Z][a-z]{2} +\d|\d{4}-\d\d).{0,80}?%[A-Z][A-Z0-9_-]*-\d-[A-Z0-9_]+:/;

/** Whether a pattern is found, whatever its flags were. */
export function found(pattern: RegExp, text: string): boolean {
  pattern.lastIndex = 0;
  const isFound = pattern.test(text);
  pattern.lastIndex = 0;
  return isFound;
}

// chunks of a shell's output -> what is on the screen, bounded and cheap to ask about after each chunk
import { cleanLine, ERASED, found, LOG_LINE } from './clean.ts';

/** Prompts and pagers are looked for in this much of the end, in UTF-16 units. */
const TAIL = 8192;

export interface Screen {
  readonly add: (chunk: string) => void;
  /** The line that the cursor is on, cleaned. */
  readonly lastLine: () => string;
  /** The line in which a prompt may stand, cleaned: the cursor's, or the one above log messages that fell in after it. */
  readonly promptLine: () => string;
  /** Takes a pager's question off the screen. */
  readonly erasePager: (pattern: RegExp) => void;
  /** Everything since the last take, raw, and forgets it. */
  readonly take: () => string;
  /** Everything since the last take, raw. */
  readonly all: () => string;
  /** Everything since the last take, raw; at most the end of it. */
  readonly end: (length: number) => string;
}

/** `logLines` are messages that fall in from aside, besides those of IOS. */
export function createScreen(logLines: readonly RegExp[] = []): Screen {
  let pieces: string[] = [];
  let tail = '';
  const all = () => pieces.join('') + tail;
  const rawLastLine = () => tail.slice(tail.lastIndexOf('\n') + 1).slice(-2048);
  const lastLine = () => cleanLine(rawLastLine()) ?? '';
  const isLogLine = (line: string) => LOG_LINE.test(line) || logLines.some((log) => found(log, line));
  return {
    add: (chunk) => {
      tail += chunk.replaceAll(ERASED, '');
      if (tail.length <= 2 * TAIL) return;
      pieces.push(tail.slice(0, -TAIL));
      tail = tail.slice(-TAIL);
    },
    lastLine,
    promptLine: () => {
      const line = lastLine();
      const lines = tail.slice(-4096).split('\n');
      let sawLog = isLogLine(line);
      if (line.trim() !== '' && !sawLog) return line;
      for (let i = lines.length - 2; i >= 0; i--) {
        const above = cleanLine(lines[i]) ?? '';
        const isLog = isLogLine(above);
        sawLog ||= isLog;
        if (above.trim() !== '' && !isLog) return sawLog ? above : line;
      }
      return line;
    },
    erasePager: (pattern) => {
      const start = tail.lastIndexOf('\n') + 1;
      const line = tail.slice(start);
      const index = line.search(pattern);
      // Blanks in front of the question are a part of it.
      const isAlone = index < 0 || line.slice(line.lastIndexOf('\r') + 1, index).trim() === '';
      const from = isAlone ? line.lastIndexOf('\r') + 1 : index;
      tail = tail.slice(0, start + from) + ERASED.repeat(line.length - from);
    },
    take: () => {
      const text = all();
      pieces = [];
      tail = '';
      return text;
    },
    all,
    end: (length) => ((pieces.at(-1) ?? '') + tail).slice(-length),
  };
}

/** The answer to the pager whose question stands at the end of the screen, if one does. */
export function pagerAt<Pager extends { readonly pattern: RegExp }>(
  screen: Screen,
  pagers: readonly Pager[],
): Pager | undefined {
  if (pagers.length === 0) return undefined;
  const line = screen.lastLine();
  return line === '' ? undefined : pagers.find(({ pattern }) => found(pattern, line));
}

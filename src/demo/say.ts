// what happens -> lines for people, in colour where a terminal shows it
import { styleText } from 'node:util';

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (colour: Colour, text: string) => string;

export interface Teller {
  readonly paint: Paint;
  /** A line with the time since the start in front. */
  readonly tell: (text: string) => void;
  /** Lines as they are. */
  readonly print: (lines: readonly string[]) => void;
}

/** Colours where the stream is a terminal that has them and NO_COLOR (https://no-color.org) is not set: styleText sees to it. */
export function createTeller(stream: NodeJS.WriteStream, now: () => number): Teller {
  const startedMs = now();
  const paint: Paint = (colour, text) => styleText(colour, text, { stream, validateStream: true });
  const print = (lines: readonly string[]) => {
    for (const line of lines) stream.write(`${line}\n`);
  };
  return {
    paint,
    print,
    tell: (text) => print([`${paint('dim', clock(now() - startedMs))}  ${text}`]),
  };
}

/** "0:07" */
function clock(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

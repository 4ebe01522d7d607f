// a recorded session of a real device (../shared/corpora/transcripts) -> an SSH server that plays it back, step by step
import { readFileSync } from 'node:fs';
import type { ServerChannel } from 'ssh2';
import { parse } from 'yaml';
import { type Playing, serve } from './server.ts';
import { PASSWORD, USER } from './session.ts';

export interface Simulation {
  /** All that is shown before the first command, the prompt at its end included; '' where an exec channel was recorded. */
  readonly opening: string;
  readonly prompt: string;
  readonly steps: readonly Step[];
}

interface Step {
  /** A line without its end, or the keys that a pager waits for. */
  readonly typed: string;
  readonly isLine: boolean;
  /** As it came: echo in front, prompt at the end, escapes and all. */
  readonly shows: string;
}

export function readSimulation(file: URL): Simulation {
  const { init_prompt, commands } = parse(readFileSync(file, 'utf8')) as {
    init_prompt?: string | null;
    commands: Record<string, string> | Record<string, string>[];
  };
  const opening = unescaped(init_prompt ?? '');
  const entries = (Array.isArray(commands) ? commands : [commands]).flatMap((each) => Object.entries(each));
  const steps = entries.map(([typed, shows]) => ({
    typed: typed.replace(/\n$/, ''),
    isLine: typed.endsWith('\n'),
    shows: unescaped(shows ?? ''),
  }));
  const prompt = opening.slice(opening.lastIndexOf('\n') + 1);
  // An exec channel shows the greeting only.
  const isShell = prompt !== '' && steps.some(({ shows }) => shows.endsWith(prompt));
  return isShell ? { opening, prompt, steps } : { opening: '', prompt: '', steps };
}

/** Blocks are written with the escapes of a quoted text. */
const unescaped = (text: string): string =>
  text.replace(/\\x([0-9a-f]{2})|\\(.)/gi, (_all, hex: string | undefined, character: string) =>
    hex === undefined
      ? ({ r: '\r', n: '\n', t: '\t', b: '\b', e: '\x1b', a: '\x07' }[character] ?? character)
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );

/** What a device prints for a command that was recorded in another form, or never. */
export interface Answer {
  /** The recorded steps: the line, and the keys that follow it. */
  readonly steps: readonly Step[];
  /** Lines that are left in, where our command has a filter that the recorded one has not. */
  readonly keeps?: (line: string) => boolean;
  /** Printed after it by a second half of our command. */
  readonly end: string;
}

/** The recorded output of the same command; undefined where it was not recorded. */
export function answerTo(simulation: Simulation, run: string): Answer | undefined {
  const index = simulation.steps.findIndex(({ typed, isLine }) => isLine && isSame(typed, run));
  if (index < 0) return undefined;
  const rest = simulation.steps.slice(index + 1);
  const next = rest.findIndex(({ isLine }) => isLine);
  const steps = [simulation.steps[index], ...rest.slice(0, next < 0 ? rest.length : next)];
  const theirs = filtersOf(steps[0].typed);
  const filter = filtersOf(run).find(
    (text) => !theirs.includes(text) && /^(?:grep|include|match|exclude) /.test(text),
  );
  const end = ending(run);
  if (!filter) return { steps, end };
  const word = filter.replace(/^\w+ /, '').replace(/^"(.*)"$/, '$1');
  const isWanted = !filter.startsWith('exclude');
  const isFound = (line: string) => (word === '.' ? line.trim() !== '' : line.includes(word));
  return { steps, end, keeps: (line) => isFound(line) === isWanted };
}

/** Our own last line after RouterOS's output, as the device would print it. */
const ending = (run: string): string => {
  const put = /; :put "([^"]*)"$/.exec(run);
  return put ? `${put[1]}\n` : '';
};

const filtersOf = (run: string): string[] =>
  run
    .split('|')
    .slice(1)
    .map((text) => text.trim());

/** The same command, whatever it is piped through; but another form of the output is another output. */
function isSame(a: string, b: string): boolean {
  const command = (run: string) =>
    run
      .split('|')[0]
      .trim()
      .replaceAll('/cf/conf/', '/conf/')
      .replace(/; :put "[^"]*"$/, '')
      // What is shown of secrets, and of defaults, is another matter.
      .replace(/ show-sensitive$/, '')
      .replace(/^show running-config all$/, 'more system:running-config');
  const form = (run: string) => filtersOf(run).filter((text) => /^display (?:set|xml|json)/.test(text));
  return command(a) === command(b) && form(a).join() === form(b).join();
}

/** The output alone, without echo and prompt, as an exec channel gives it. */
export function outputOf(simulation: Simulation, { steps, keeps, end }: Answer): string {
  const text = steps.map(({ shows }) => shows).join('');
  if (simulation.prompt === '') return text.endsWith('\n') || end === '' ? text + end : `${text}\n${end}`;
  const lines = text.split('\n');
  const hasEcho = lines[0].replace(/\r+$/, '') === steps[0].typed;
  const body = lines.slice(hasEcho ? 1 : 0, -1);
  return `${(keeps ? body.filter(keeps) : body).join('\n')}\n${end}`;
}

export interface PlayedSimulation extends Playing {
  /** What was typed and is neither recorded nor said to be answered otherwise. */
  readonly unexpected: string[];
}

/**
 * `instead` are outputs of commands that were not recorded; undefined in it: the device does not know it. `prompt` stands
 * in where an exec channel was recorded and a shell is played.
 */
export async function playSimulation(
  simulation: Simulation,
  instead: Readonly<Record<string, string | undefined>>,
  prompt: string,
): Promise<PlayedSimulation> {
  const unexpected: string[] = [];
  const shown = simulation.prompt === '' ? prompt : simulation.prompt;
  /** What is shown for a line and for each key after it. */
  const screens = (line: string): string[] => {
    const answer = answerTo(simulation, line);
    if (answer && !answer.keeps && simulation.prompt !== '' && !answer.end)
      return answer.steps.map(({ typed, shows }, i) =>
        i === 0 && shows.startsWith(typed) ? line + shows.slice(typed.length) : shows,
      );
    if (answer) return [`${line}\r\n${outputOf(simulation, answer)}${shown}`];
    if (!(line in instead)) unexpected.push(line);
    return [`${line}\r\n${instead[line] ?? '% Invalid command\r\n'}${shown}`];
  };
  const playing = await serve(
    { username: USER, password: PASSWORD },
    {
      shell: (channel, _connection, received) =>
        playShell(channel, received, simulation.opening || shown, screens),
      exec: (channel, _connection, command) => {
        const answer = answerTo(simulation, command);
        const output = answer ? outputOf(simulation, answer) : instead[command];
        if (!answer && !(command in instead)) unexpected.push(command);
        channel.write(output ?? '');
        channel.exit(output === undefined ? 1 : 0);
        channel.end();
      },
    },
  );
  return { ...playing, unexpected };
}

function playShell(
  channel: ServerChannel,
  received: string[],
  opening: string,
  screens: (line: string) => string[],
): void {
  let typed = '';
  let waiting: string[] = [];
  channel.write(opening);
  channel.on('data', (chunk: Buffer) => {
    for (const key of chunk.toString('utf8')) {
      if (waiting.length > 0) {
        received.push(key);
        channel.write(waiting.shift()!);
      } else if (key === '\n' || key === '\r') {
        const line = typed;
        typed = '';
        received.push(line);
        if (/^(?:exit|quit|logout)$/.test(line)) return channel.end();
        const [first, ...rest] = screens(line);
        channel.write(first);
        waiting = rest;
      } else typed += key;
    }
  });
}

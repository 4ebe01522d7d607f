// a recorded session (session.yaml, see CONTRIBUTING.md) -> an SSH server that plays it, whole or cut short
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection, ServerChannel } from 'ssh2';
import { parse } from 'yaml';
import { type Door, type Playing, serve } from './server.ts';

export const USER = 'reader';
export const PASSWORD = 'correct horse';
export const ENABLE_PASSWORD = 'battery staple';

/** As written in the file. Texts have lines that end by "\n"; `eol` is what the device ends them by. */
export interface Session {
  /** Shown whenever the device waits. */
  readonly prompt: string;
  /** Shown before the login (RFC 4252 section 5.4). */
  readonly banner?: string;
  /** Shown after the login, before the first prompt. */
  readonly greeting?: string;
  /** Waits for these keys after the greeting. */
  readonly acknowledge?: { readonly ask: string; readonly answer: string };
  /** Rounds of keyboard-interactive in place of the password method; without an answer the password is meant. */
  readonly questions?: readonly { readonly ask: string; readonly answer?: string; readonly echo?: boolean }[];
  /** Whether what is typed is shown; yes by default. */
  readonly echo?: boolean;
  readonly eol?: string;
  readonly steps: readonly SessionStep[];
}

export interface SessionStep {
  /** The line that is typed, or the command of an exec channel. */
  readonly on: string;
  /** A file beside the session, or the text itself. */
  readonly print?: string;
  readonly text?: string;
  /** A password is asked for after it, which is the enable password. */
  readonly ask?: string;
  /** The prompt from then on. */
  readonly prompt?: string;
  /** A pager's question after every so many lines (24), the key that it waits for, and how it wipes itself. */
  readonly pager?: string;
  readonly every?: number;
  readonly key?: string;
  readonly erase?: string;
  /** Falls in from aside after so many lines of the output. */
  readonly log?: { readonly after: number; readonly text: string };
  /** Of an exec channel; 0 by default. */
  readonly status?: number;
}

export interface Recorded {
  readonly name: string;
  readonly folder: string;
  readonly session: Session;
  /** What each step prints, in lines that end by "\n". */
  readonly texts: readonly string[];
}

/** Where an output breaks off: `step`, `length` of its text, and whether the connection breaks there too. */
export interface Cut {
  readonly step: number;
  readonly length: number;
  readonly drops: boolean;
}

export interface PlayedSession extends Playing {
  /** Typed lines and keys that no step has. */
  readonly unexpected: string[];
}

const WIPE = (question: string) => `\r${' '.repeat(question.length)}\r`;

/** The recorded sessions of a vendor's fixtures. */
export function recordedSessions(folder: string): Recorded[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .filter((name) => existsSync(join(folder, name, 'session.yaml')))
    .map((name) => {
      const session = parse(readFileSync(join(folder, name, 'session.yaml'), 'utf8')) as Session;
      const texts = session.steps.map(({ print, text }) =>
        print === undefined ? (text ?? '') : readFileSync(join(folder, name, print), 'utf8'),
      );
      return { name, folder: join(folder, name), session, texts };
    });
}

/** `loginSuffix` is what the vendor's definition appends to the name. */
export async function playSession(
  recorded: Recorded,
  { cut, loginSuffix = '' }: { readonly cut?: Cut; readonly loginSuffix?: string } = {},
): Promise<PlayedSession> {
  const { session, texts } = recorded;
  const unexpected: string[] = [];
  const stepFor = follow(session.steps);
  const scene: Scene = {
    session,
    stepFor,
    unexpected,
    print: (step) => (cut?.step === step ? texts[step].slice(0, cut.length) : texts[step]),
    drops: (step) => cut?.step === step && cut.drops,
  };
  const door: Door = {
    username: USER + loginSuffix,
    password: PASSWORD,
    banner: session.banner,
    rounds: session.questions?.map((question) => [question]),
  };
  const playing = await serve(door, {
    shell: (channel, connection, received) => playShell(scene, channel, connection, received),
    exec: (channel, connection, command) => playExec(scene, channel, connection, command),
  });
  return { ...playing, unexpected };
}

interface Scene {
  readonly session: Session;
  readonly stepFor: (line: string) => number | undefined;
  readonly unexpected: string[];
  readonly print: (step: number) => string;
  readonly drops: (step: number) => boolean;
}

/** The next step for a line, in order, and from the start again where none follows: a command may stand in several. */
function follow(steps: readonly SessionStep[]): (line: string) => number | undefined {
  let last = -1;
  return (line) => {
    const order = [...steps.keys()].map((i) => (last + 1 + i) % steps.length);
    const next = order.find((i) => steps[i].on === line);
    if (next !== undefined) last = next;
    return next;
  };
}

function playExec(scene: Scene, channel: ServerChannel, connection: Connection, command: string): void {
  const step = scene.stepFor(command);
  if (step === undefined) {
    scene.unexpected.push(command);
    channel.stderr.write(`unknown command: ${command}\n`);
    channel.exit(127);
    channel.end();
    return;
  }
  inPieces(channel, scene.print(step));
  if (scene.drops(step)) drop(connection);
  else {
    channel.exit(scene.session.steps[step].status ?? 0);
    channel.end();
  }
}

/** As real devices send it: pieces end wherever they end. */
function inPieces(channel: ServerChannel, text: string): void {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += 997) channel.write(bytes.subarray(i, i + 997));
}

/** What was written still goes out before the connection breaks. */
function drop(connection: Connection): void {
  const { _sock } = connection as unknown as { _sock: { end: () => void } };
  setTimeout(() => _sock.end(), 20);
}

function playShell(scene: Scene, channel: ServerChannel, connection: Connection, received: string[]): void {
  const { session } = scene;
  const eol = session.eol ?? '\r\n';
  const say = (text: string) => inPieces(channel, text.replaceAll('\n', eol));
  let prompt = session.prompt;
  let typed = '';
  /** What the next keys are for: called with each; a command line where it is undefined. */
  let listen: ((key: string) => void) | undefined;

  const page = (step: SessionStep, lines: readonly string[], then: () => void) => {
    const count = step.pager === undefined ? lines.length : (step.every ?? 24);
    say(lines.slice(0, count).join(''));
    const rest = lines.slice(count);
    if (rest.length === 0) return then();
    channel.write(step.pager!);
    listen = (key) => {
      listen = undefined;
      received.push(key);
      if (key !== (step.key ?? ' ')) scene.unexpected.push(key);
      channel.write(step.erase ?? WIPE(step.pager!));
      page(step, rest, then);
    };
  };
  const ask = (question: string, isRight: (answer: string) => boolean, then: () => void) => {
    channel.write(question);
    let answer = '';
    listen = (key) => {
      if (key !== '\n' && key !== '\r') {
        answer += key;
        return;
      }
      listen = undefined;
      received.push(answer);
      say('\n');
      if (isRight(answer)) then();
      else say(`% wrong\n${prompt}`);
    };
  };
  const run = (line: string) => {
    received.push(line);
    if (session.echo !== false) say(`${line}\n`);
    const index = scene.stepFor(line);
    if (index === undefined) {
      scene.unexpected.push(line);
      say(`% Invalid input: unknown command\n${prompt}`);
      return;
    }
    const step = session.steps[index];
    const show = () => {
      prompt = step.prompt ?? prompt;
      page(step, linesOf(scene.print(index), step), () =>
        scene.drops(index) ? drop(connection) : channel.write(prompt),
      );
    };
    if (step.ask === undefined) show();
    else ask(step.ask, (answer) => answer === ENABLE_PASSWORD, show);
  };
  channel.on('data', (chunk: Buffer) => {
    for (const key of chunk.toString('utf8')) {
      if (listen) listen(key);
      else if (key === '\n' || key === '\r') {
        const line = typed;
        typed = '';
        if (LEAVING.test(line)) channel.end();
        else run(line);
      } else typed += key;
    }
  });
  if (session.greeting) say(session.greeting);
  if (!session.acknowledge) {
    channel.write(prompt);
    return;
  }
  channel.write(session.acknowledge.ask);
  let keys = '';
  listen = (key) => {
    keys += key;
    if (keys !== session.acknowledge!.answer) return;
    listen = undefined;
    received.push(keys);
    say(`\n${prompt}`);
  };
}

const LEAVING = /^(?:exit|quit|logout)$/;

/** With their ends, and the message that falls in. */
function linesOf(text: string, { log }: SessionStep): string[] {
  const lines =
    text === ''
      ? []
      : text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => `${line}\n`);
  if (log) lines.splice(log.after, 0, `${log.text}\n`);
  // Cut inside a line, there is no end of it.
  if (!text.endsWith('\n') && lines.length > 0) lines.push(lines.pop()!.slice(0, -1));
  return lines;
}

// logged-in connection -> the output of each command, by a terminal with prompts, pagers and privileges
import type { ClientChannel } from 'ssh2';
import type { DeviceCommand } from '../../devices/definition.ts';
import { cleanScreen, found } from './clean.ts';
import { maskScreen } from './mask.ts';
import { createScreen, pagerAt, type Screen } from './screen.ts';
import type { Session } from './session.ts';

/** Wide, so that no device wraps the echo of a command; high, so that few page. */
const TERMINAL = { term: 'vt100', cols: 511, rows: 1000 };
/** How much longer than settleMs a screen is watched where the prompt or the output is not quite what was expected. */
const PATIENCE = 8;
const REFUSALS =
  /^\s*%|\b(?:invalid (?:input|command)|unknown command|unrecognized|command not found|permission denied|not authorized|authorization failed|access denied|ambiguous command|incomplete command|syntax error)/im;

interface Shell {
  readonly screen: Screen;
  readonly write: (text: string) => void;
  /** Resolves when the screen is still and `isDone`; `isLikely` needs a longer stillness. */
  readonly until: (isDone: () => boolean, isLikely?: () => boolean, settleMs?: number) => Promise<void>;
  readonly isClosed: () => boolean;
}

/** Throws PosternError prompt-timeout, enable-failed, command-refused, command-timeout, output-too-large, truncated. */
export async function runShell(session: Session): Promise<string[]> {
  const { definition, bounds, note } = session;
  const shell = await openShell(session);
  const atPrompt = () => found(definition.session.prompt, shell.screen.promptLine());
  await session.within(
    shell.until(atPrompt, undefined, 2 * bounds.settleMs),
    bounds.promptMs,
    () =>
      session.fail(
        'prompt-timeout',
        `no prompt within ${bounds.promptMs / 1000} s; check the vendor`,
        shown(session, shell),
      ),
    'connection-lost',
  );
  note('prompt', shell.screen.promptLine().trim());
  await raisePrivileges(session, shell, atPrompt);
  const prompt = shell.screen.promptLine().trim();
  const outputs: string[] = [];
  for (const command of definition.session.commands)
    outputs.push(await runOne(session, shell, command, prompt));
  if (definition.session.logout !== undefined && !shell.isClosed())
    shell.write(`${definition.session.logout}\n`);
  return outputs;
}

async function runOne(
  session: Session,
  shell: Shell,
  command: DeviceCommand,
  prompt: string,
): Promise<string> {
  const { definition, bounds, fail } = session;
  const before = session.byteCount();
  const timeout = () =>
    fail(
      'command-timeout',
      `\`${command.run}\` had no end after ${bounds.commandMs / 1000} s`,
      shown(session, shell),
    );
  const isDone = () => shell.screen.promptLine().trim() === prompt;
  const isLikely = () => found(definition.session.prompt, shell.screen.promptLine());
  shell.screen.take();
  shell.write(`${command.run}\n`);
  await session.within(shell.until(isDone, isLikely), bounds.commandMs, timeout, 'truncated');
  let raw = shell.screen.take();
  let output = outputOf(raw, command.run, prompt, definition.session.prompt);
  if (!found(command.endMarker, output)) {
    // What looked like the prompt may have been a line of the output: wait for more.
    shell.screen.add(raw);
    await session.within(
      shell.until(isDone, isLikely, PATIENCE * bounds.settleMs),
      bounds.commandMs,
      timeout,
      'truncated',
    );
    raw = shell.screen.take();
    output = outputOf(raw, command.run, prompt, definition.session.prompt);
  }
  if (!found(command.endMarker, output)) {
    const screen = maskScreen(raw, definition, session.target.credential);
    if (output.length < 4096 && REFUSALS.test(output))
      throw fail(
        'command-refused',
        `the device refuses \`${command.run}\`; check the account's rights`,
        screen,
      );
    throw fail('truncated', `the output of \`${command.run}\` lacks its end; nothing of it is kept`, screen);
  }
  session.note('command', `${command.run}; end marker seen`, session.byteCount() - before);
  return output;
}

/** Without the echo of the command in front, and without the prompt and what follows it at the end. */
function outputOf(raw: string, run: string, prompt: string, promptPattern: RegExp): string {
  const lines = cleanScreen(raw).split('\n');
  const echo = lines
    .slice(0, 2)
    .findIndex((line) => line.trim() === run || line.trim() === `${prompt}${run}`);
  let end = lines.length - 1;
  while (end > 0 && lines[end].trim() !== prompt) end--;
  if (lines[end].trim() !== prompt)
    end = found(promptPattern, lines.at(-1)!) ? lines.length - 1 : lines.length;
  const body = lines.slice(echo + 1, end);
  return body.length === 0 ? '' : `${body.join('\n')}\n`;
}

async function raisePrivileges(session: Session, shell: Shell, atPrompt: () => boolean): Promise<void> {
  const { definition, target, bounds, fail } = session;
  const enable = definition.session.enable;
  if (!enable || !found(enable.neededAt, shell.screen.promptLine())) return;
  const asksPassword = () => found(enable.passwordPrompt, shell.screen.lastLine());
  const send = (text: string) => {
    shell.screen.take();
    shell.write(`${text}\n`);
    return session.within(
      shell.until(() => asksPassword() || atPrompt()),
      bounds.commandMs,
      () => fail('enable-failed', `no prompt after \`${enable.command}\``, shown(session, shell)),
      'connection-lost',
    );
  };
  await send(enable.command);
  if (asksPassword()) {
    if (target.credential.enablePassword === undefined)
      throw fail(
        'enable-failed',
        `the device asks for a password at \`${enable.command}\` and none is set; add the enable password`,
      );
    await send(target.credential.enablePassword);
  }
  if (asksPassword() || found(enable.neededAt, shell.screen.promptLine()))
    throw fail(
      'enable-failed',
      `the device refused \`${enable.command}\`; check the enable password. It is not tried again by itself`,
      shown(session, shell),
    );
  session.note('enable', shell.screen.promptLine().trim());
}

const shown = (session: Session, shell: Shell): string =>
  maskScreen(shell.screen.end(65_536), session.definition, session.target.credential) || '(nothing)';

function openShell(session: Session): Promise<Shell> {
  const { connection, bounds, fail } = session;
  const opened = new Promise<Shell>((resolve, reject) => {
    connection.client.shell(TERMINAL, (error, channel) => {
      if (error)
        reject(
          fail('command-refused', `the device opens no shell (${error.message}); check the account's rights`),
        );
      else resolve(watchChannel(channel, session));
    });
  });
  return session.within(
    opened,
    bounds.promptMs,
    () => fail('prompt-timeout', `no shell within ${bounds.promptMs / 1000} s after the login; try again`),
    'connection-lost',
  );
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly isLikely: () => boolean;
  readonly settleMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function watchChannel(channel: ClientChannel, session: Session): Shell {
  const { definition, bounds } = session;
  const screen = createScreen();
  const decoder = new TextDecoder();
  let waiter: Waiter | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const end = (finish: (waiter: Waiter) => void) => {
    clearTimeout(timer);
    const ended = waiter;
    waiter = undefined;
    if (ended) finish(ended);
  };
  const look = (isPatient: boolean) => {
    if (!waiter) return;
    if (waiter.isDone() || (isPatient && waiter.isLikely())) end(({ resolve }) => resolve());
    else if (!isPatient) timer = setTimeout(look, PATIENCE * bounds.settleMs, true);
  };
  const settle = () => {
    clearTimeout(timer);
    if (waiter) timer = setTimeout(look, waiter.settleMs, false);
  };
  channel.on('data', (chunk: Buffer) => {
    const error = session.count(chunk.length);
    if (error) return end(({ reject }) => reject(error));
    screen.add(decoder.decode(chunk, { stream: true }));
    const pager = pagerAt(screen, definition.session.pagers);
    if (pager) {
      screen.erasePager(pager.pattern);
      channel.write(pager.answer);
    }
    settle();
  });
  channel.stderr.resume();
  channel.on('close', () => {
    closed = true;
    // The same as losing the connection, which within() names by what was going on.
    end(({ reject }) => reject(session.fail('connection-lost', 'the device closed the session; try again')));
  });
  return {
    screen,
    write: (text) => channel.write(text),
    isClosed: () => closed,
    until: (isDone, isLikely = () => false, settleMs = bounds.settleMs) =>
      new Promise((resolve, reject) => {
        if (closed)
          return reject(session.fail('connection-lost', 'the device closed the session; try again'));
        waiter = { isDone, isLikely, settleMs, resolve, reject };
        settle();
      }),
  };
}

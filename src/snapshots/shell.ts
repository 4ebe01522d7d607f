// logged-in connection -> the output of each command, by a terminal with prompts, pagers and privileges
import type { DeviceCommand } from '../../devices/definition.ts';
import { cleanScreen, found } from './clean.ts';
import { maskScreen } from './mask.ts';
import { isRefusal } from './refusal.ts';
import { type Output, runCommands } from './run.ts';
import type { Session } from './session.ts';
import { openShell, PATIENCE, type Shell } from './terminal.ts';

/** Throws PosternError prompt-timeout, enable-failed, command-refused, command-timeout, output-too-large, truncated. */
export async function runShell(session: Session): Promise<Output[]> {
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
  shell.endBanners();
  note('prompt', shell.screen.promptLine().trim());
  await raisePrivileges(session, shell, atPrompt);
  const outputs = await runCommands(
    definition.session.commands,
    (command, run) => runOne(session, shell, command, run),
    (message) => session.fail('command-refused', message),
  );
  if (definition.session.logout !== undefined && !shell.isClosed()) shell.type(definition.session.logout);
  return outputs;
}

/** The output; undefined where the command is optional and refused. The prompt stands on the screen before and after. */
async function runOne(
  session: Session,
  shell: Shell,
  command: DeviceCommand,
  run: string,
): Promise<string | undefined> {
  const { definition, bounds, fail } = session;
  const before = session.byteCount();
  const prompt = shell.screen.promptLine().trim();
  const timeout = () =>
    fail(
      'command-timeout',
      `\`${run}\` had no end after ${bounds.commandMs / 1000} s`,
      shown(session, shell),
    );
  const isDone = () => shell.screen.promptLine().trim() === prompt;
  const isLikely = () => found(definition.session.prompt, shell.screen.promptLine());
  const wait = (settleMs?: number) =>
    session.within(shell.until(isDone, isLikely, settleMs), bounds.commandMs, timeout, 'truncated');
  const output = () => outputOf(shell.screen.all(), run, prompt, session);
  shell.screen.take();
  shell.type(run);
  await wait();
  // What looked like the prompt may have been a line of the output: wait for more.
  if (!found(command.endMarker, output())) await wait(PATIENCE * bounds.settleMs);
  const text = output();
  const detail = checkOutput(session, command, run, text, shell);
  session.note(
    'command',
    `${run}; ${detail ?? 'nothing of the kind here, and left out'}`,
    session.byteCount() - before,
  );
  return detail === undefined ? undefined : text;
}

/** What is to be said of a complete output; undefined where the command is optional and refused. */
function checkOutput(
  { definition, target, fail }: Session,
  { endMarker, optional, yields }: DeviceCommand,
  run: string,
  text: string,
  shell: Shell,
): string | undefined {
  const isEnded = found(endMarker, text);
  // Where nothing is to be kept, nearly everything has the end marker.
  const isRefused = (!isEnded || yields === 'nothing') && isRefusal(text);
  if (isEnded && !isRefused) return 'end marker seen';
  if (optional && (isRefused || text.trim() === '')) return undefined;
  const screen = maskScreen(shell.screen.all(), definition, target.credential);
  throw isRefused
    ? fail('command-refused', `the device refuses \`${run}\`; check the account's rights`, screen)
    : fail('truncated', `the output of \`${run}\` lacks its end; nothing of it is kept`, screen);
}

/** Without the echo of the command in front, messages from aside, and the prompt and what follows it at the end. */
function outputOf(raw: string, run: string, prompt: string, { definition }: Session): string {
  const { prompt: pattern, logLines = [] } = definition.session;
  const lines = cleanScreen(raw)
    .split('\n')
    .filter((line) => !logLines.some((log) => found(log, line)));
  const echo = lines.slice(0, 2).findIndex((line) => isEcho(line.trim(), run.trim(), prompt));
  let end = lines.length - 1;
  while (end > 0 && lines[end].trim() !== prompt) end--;
  if (lines[end]?.trim() !== prompt)
    end = found(pattern, lines.at(-1) ?? '') ? lines.length - 1 : lines.length;
  const body = lines.slice(echo + 1, end);
  return body.length === 0 ? '' : `${body.join('\n')}\n`;
}

const isEcho = (line: string, run: string, prompt: string): boolean =>
  line.endsWith(run) && ['', prompt].includes(line.slice(0, line.length - run.length).trim());

async function raisePrivileges(session: Session, shell: Shell, atPrompt: () => boolean): Promise<void> {
  const { definition, target, bounds, fail } = session;
  const enable = definition.session.enable;
  if (!enable || !found(enable.neededAt, shell.screen.promptLine())) return;
  const asksPassword = () => found(enable.passwordPrompt, shell.screen.lastLine());
  const send = (text: string) => {
    shell.screen.take();
    shell.type(text);
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

// logged-in connection -> the output of each command, by one exec channel a command (RFC 4254 section 6.5)
import type { ClientChannel } from 'ssh2';
import type { DeviceCommand } from '../../devices/definition.ts';
import { cleanScreen, found } from './clean.ts';
import { maskScreen } from './mask.ts';
import { isRefusal } from './refusal.ts';
import { type Output, runCommands } from './run.ts';
import type { Session } from './session.ts';

const STDERR_LENGTH = 8192;

interface ExecOutput {
  readonly text: string;
  readonly errors: string;
  readonly exitCode?: number | null;
}

/** Throws PosternError command-refused, command-timeout, output-too-large, truncated. */
export function runExec(session: Session): Promise<Output[]> {
  return runCommands(
    session.definition.session.commands,
    async (command, run) => {
      const before = session.byteCount();
      const output = await runOne(session, run);
      const isLeftOut = command.optional && isLacking(command, output);
      if (!isLeftOut) checkOutput(session, run, command, output);
      const detail = isLeftOut ? 'nothing of the kind here, and left out' : 'end marker seen';
      session.note('command', `${run}; ${detail}`, session.byteCount() - before);
      return isLeftOut ? undefined : output.text;
    },
    (message) => session.fail('command-refused', message),
  );
}

/** Refused by its status or in words, or there is nothing; what was begun and broke off is none of these. */
const isLacking = ({ endMarker }: DeviceCommand, output: ExecOutput): boolean =>
  (output.exitCode !== null && isRefused(output)) ||
  (!found(endMarker, output.text) && (isRefusal(output.text) || output.text.trim() === ''));

const isRefused = ({ exitCode }: ExecOutput): boolean => exitCode !== undefined && exitCode !== 0;

function runOne(session: Session, run: string): Promise<ExecOutput> {
  const { connection, bounds, fail } = session;
  const output = new Promise<ExecOutput>((resolve, reject) => {
    connection.client.exec(run, (error, channel) => {
      // Listeners are added here at once: a short output, its status and its end may all be in the packet that opened the channel.
      if (!error) return collect(channel, session, resolve, reject);
      const message = `the device opens no exec channel (${error.message}); check the account's rights`;
      session.refused(fail('command-refused', message)).catch(reject);
    });
  });
  return session.within(
    output,
    bounds.commandMs,
    () =>
      fail(
        'command-timeout',
        `\`${run}\` had no end after ${bounds.commandMs / 1000} s; raise POSTERN_SSH_COMMAND_TIMEOUT_SECONDS if the device is only slow`,
      ),
    'truncated',
  );
}

function collect(
  channel: ClientChannel,
  session: Session,
  resolve: (output: ExecOutput) => void,
  reject: (error: unknown) => void,
): void {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let errors = '';
  let exitCode: number | null | undefined;
  const isTaken = (chunk: Buffer): boolean => {
    const error = session.count(chunk.length);
    if (error) reject(error);
    return !error;
  };
  channel.on('data', (chunk: Buffer) => {
    if (isTaken(chunk)) pieces.push(decoder.decode(chunk, { stream: true }));
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    if (isTaken(chunk) && errors.length < STDERR_LENGTH) errors += chunk.toString('utf8');
  });
  channel.on('exit', (code: number | null) => {
    exitCode = code;
  });
  channel.on('close', () => resolve({ text: cleanScreen(pieces.join('')), errors, exitCode }));
}

function checkOutput(session: Session, run: string, command: DeviceCommand, output: ExecOutput): void {
  const { definition, target, fail } = session;
  const screen = () =>
    maskScreen(`${output.text.slice(-4096)}\n${output.errors}`, definition, target.credential);
  if (isRefused(output))
    throw fail(
      'command-refused',
      `\`${run}\` ended with ${output.exitCode === null ? 'a signal' : `status ${output.exitCode}`}; check the account's rights`,
      screen(),
    );
  if (found(command.endMarker, output.text)) return;
  throw isRefusal(output.text)
    ? fail('command-refused', `the device refuses \`${run}\`; check the account's rights`, screen())
    : fail('truncated', `the output of \`${run}\` lacks its end; nothing of it is kept`, screen());
}

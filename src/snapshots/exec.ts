// logged-in connection -> the output of each command, by one exec channel a command (RFC 4254 section 6.5)
import type { ClientChannel } from 'ssh2';
import type { DeviceCommand } from '../../devices/definition.ts';
import { cleanScreen, found } from './clean.ts';
import { maskScreen } from './mask.ts';
import type { Session } from './session.ts';

const STDERR_LENGTH = 8192;

interface ExecOutput {
  readonly text: string;
  readonly errors: string;
  readonly exitCode?: number | null;
}

/** Throws PosternError command-refused, command-timeout, output-too-large, truncated. */
export async function runExec(session: Session): Promise<string[]> {
  const outputs: string[] = [];
  for (const command of session.definition.session.commands) {
    const before = session.byteCount();
    const output = await runOne(session, command);
    checkOutput(session, command, output);
    outputs.push(output.text);
    session.note('command', `${command.run}; end marker seen`, session.byteCount() - before);
  }
  return outputs;
}

function runOne(session: Session, command: DeviceCommand): Promise<ExecOutput> {
  const { connection, bounds, fail } = session;
  const output = new Promise<ExecOutput>((resolve, reject) => {
    connection.client.exec(command.run, (error, channel) => {
      // Listeners are added here at once: a short output, its status and its end may all be in the packet that opened the channel.
      if (!error) collect(channel, session, resolve, reject);
      else
        reject(
          fail(
            'command-refused',
            `the device opens no exec channel (${error.message}); check the account's rights`,
          ),
        );
    });
  });
  return session.within(
    output,
    bounds.commandMs,
    () =>
      fail(
        'command-timeout',
        `\`${command.run}\` had no end after ${bounds.commandMs / 1000} s; raise POSTERN_SSH_COMMAND_TIMEOUT_SECONDS if the device is only slow`,
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

function checkOutput(session: Session, command: DeviceCommand, output: ExecOutput): void {
  const { definition, target, fail } = session;
  const screen = () =>
    maskScreen(`${output.text.slice(-4096)}\n${output.errors}`, definition, target.credential);
  if (output.exitCode === null || (output.exitCode ?? 0) !== 0)
    throw fail(
      'command-refused',
      `\`${command.run}\` ended with ${output.exitCode === null ? 'a signal' : `status ${output.exitCode}`}; check the account's rights`,
      screen(),
    );
  if (!found(command.endMarker, output.text))
    throw fail(
      'truncated',
      `the output of \`${command.run}\` lacks its end; nothing of it is kept`,
      screen(),
    );
}

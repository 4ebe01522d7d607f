// a described device -> an SSH server on the loopback that plays it, and keeps all that was written to it
import type { Connection, ServerChannel } from 'ssh2';
import { type Door, type Playing, serve } from './server.ts';

export { newHostKey, newKeyPair, type Playing } from './server.ts';

export interface PlayedDevice extends Omit<Door, 'bad'> {
  /** Without the sign at its end: "edge1" prompts "edge1>" and "edge1#". */
  readonly hostName: string;
  /** Printed in a shell before its first prompt. */
  readonly greeting?: string;
  /** The whole prompt where it is not the host name and a sign. */
  readonly prompt?: string;
  /** Starts unprivileged; '' asks for no password. */
  readonly enablePassword?: string;
  /** Output by command, lines ended by "\n". */
  readonly commands: Readonly<Record<string, string>>;
  readonly pager?: { readonly question: string; readonly lines: number; readonly erase: string };
  readonly echo?: boolean;
  readonly bad?: BadHabit;
  /** Printed in front of the named line of any output, as a log message falls into a session. */
  readonly logMessage?: { readonly before: string; readonly text: string };
  /** Printed right after the prompt that follows an output. */
  readonly logAfterPrompt?: string;
}

export type BadHabit =
  | 'hangs-at-login'
  | 'hangs-up-at-login'
  | 'no-prompt'
  | 'hangs-in-output'
  | 'prints-for-ever'
  | 'closes-in-output'
  | 'drops-in-output'
  | 'pages-for-ever';

export const play = (device: PlayedDevice, hostKey?: string | Buffer): Promise<Playing> =>
  serve(
    device,
    {
      shell: (channel, connection, received) => playShell(device, channel, connection, received),
      exec: (channel, connection, command) => playExec(device, channel, connection, command),
    },
    hostKey,
  );

function playExec(
  device: PlayedDevice,
  channel: ServerChannel,
  connection: Connection,
  command: string,
): void {
  const output = device.commands[command];
  if (output === undefined) {
    channel.stderr.write(`sh: 1: ${command}: not found\n`);
    channel.exit(127);
    channel.end();
    return;
  }
  if (misbehaves(device, channel, connection, output)) return;
  channel.write(output);
  channel.exit(0);
  channel.end();
}

/** Whether the device's bad habit took over from here. */
function misbehaves(
  device: PlayedDevice,
  channel: ServerChannel,
  connection: Connection,
  output: string,
): boolean {
  const half = output.slice(0, output.length / 2);
  switch (device.bad) {
    case 'hangs-in-output':
      channel.write(half);
      return true;
    case 'prints-for-ever': {
      const more = () => {
        while (channel.writable && channel.write(output));
        if (channel.writable) channel.once('drain', more);
      };
      more();
      return true;
    }
    case 'closes-in-output':
      channel.write(half);
      channel.exit(0);
      channel.end();
      return true;
    case 'drops-in-output':
      channel.write(half, () =>
        (connection as unknown as { _sock: { resetAndDestroy: () => void } })._sock.resetAndDestroy(),
      );
      return true;
    default:
      return false;
  }
}

interface ShellState {
  isPrivileged: boolean;
  asksPassword: boolean;
  /** Lines that wait behind the pager. */
  waiting: string[];
}

function playShell(
  device: PlayedDevice,
  channel: ServerChannel,
  connection: Connection,
  received: string[],
): void {
  const state: ShellState = {
    isPrivileged: device.enablePassword === undefined,
    asksPassword: false,
    waiting: [],
  };
  const say = (text: string) => channel.write(text.replaceAll('\n', '\r\n'));
  const prompt = () => say(device.prompt ?? `${device.hostName}${state.isPrivileged ? '#' : '>'}`);
  const page = () => {
    const lines = state.waiting.splice(0, device.pager?.lines ?? state.waiting.length);
    say(lines.map((line) => `${line}\n`).join(''));
    if (device.bad === 'pages-for-ever') state.waiting.push(...lines);
    if (state.waiting.length > 0) say(device.pager!.question);
    else {
      say('\n');
      prompt();
      if (device.logAfterPrompt) say(`\n${device.logAfterPrompt}\n`);
    }
  };
  const answer = (line: string) => {
    if (state.asksPassword) {
      state.asksPassword = false;
      state.isPrivileged = line === device.enablePassword;
      say(state.isPrivileged ? '\n' : '\n% Bad secrets\n\n');
      return prompt();
    }
    if (device.echo !== false) say(`${line}\n`);
    if (line === 'exit') return channel.end();
    if (line === 'enable' && !state.isPrivileged) {
      state.asksPassword = device.enablePassword !== '';
      state.isPrivileged = device.enablePassword === '';
      return state.asksPassword ? say('Password: ') : prompt();
    }
    const output = device.commands[line];
    if (output === undefined) {
      say("                ^\n% Invalid input detected at '^' marker.\n\n");
      return prompt();
    }
    if (output === '') return prompt();
    const { before, text = '' } = device.logMessage ?? {};
    const spoken = before === undefined ? output : output.replace(`${before}\n`, `${text}\n${before}\n`);
    if (misbehaves(device, channel, connection, spoken)) return;
    state.waiting = spoken.replace(/\n$/, '').split('\n');
    page();
  };
  let typed = '';
  channel.on('data', (chunk: Buffer) => {
    for (const key of chunk.toString('utf8')) {
      if (state.waiting.length > 0) {
        received.push(key);
        say(device.pager!.erase);
        page();
      } else if (key === '\n' || key === '\r') {
        received.push(typed);
        const line = typed;
        typed = '';
        if (device.bad !== 'no-prompt') answer(line);
      } else typed += key;
    }
  });
  if (device.greeting) say(device.greeting);
  if (device.bad === 'no-prompt') say('Welcome. Nothing follows.\n');
  else prompt();
}

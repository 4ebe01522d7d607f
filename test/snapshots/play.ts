// a described device -> an SSH server on the loopback that plays it, and keeps all that was written to it
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2, { type Algorithms, type AuthContext, type Connection, type ServerChannel } from 'ssh2';

export interface PlayedDevice {
  /** Without the sign at its end: "edge1" prompts "edge1>" and "edge1#". */
  readonly hostName: string;
  readonly username: string;
  readonly password?: string;
  /** An authorized public key, OpenSSH format. */
  readonly publicKey?: string;
  /** Takes the password by keyboard-interactive only. */
  readonly keyboardInteractive?: boolean | 'asks-again';
  readonly banner?: string;
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
  readonly algorithms?: Algorithms;
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

export interface Playing {
  readonly port: number;
  /** Lines and single keys that were written, in order; "exec: ..." for exec channels; passwords too. */
  readonly received: string[];
  /** Passwords that were given for a login. */
  readonly passwords: string[];
  readonly stop: () => Promise<void>;
}

/** A fresh Ed25519 pair in OpenSSH form; now and then ssh2 makes one that it cannot read itself. */
export function newKeyPair(options: object = {}): { public: string; private: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', options);
    const { passphrase } = options as { passphrase?: string };
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair;
  }
}

export const newHostKey = (): string => newKeyPair().private;

export async function play(device: PlayedDevice, hostKey = newHostKey()): Promise<Playing> {
  const received: string[] = [];
  const passwords: string[] = [];
  const connections = new Set<Connection>();
  const server = new ssh2.Server(
    { hostKeys: [hostKey], banner: device.banner, algorithms: device.algorithms },
    (connection) => {
      connections.add(connection);
      connection.on('error', () => {});
      connection.on('close', () => connections.delete(connection));
      connection.on('authentication', (context) => authenticate(device, context, passwords));
      connection.on('session', (accept) => {
        const session = accept();
        session.on('pty', (acceptPty) => acceptPty?.());
        session.on('shell', (acceptShell) => playShell(device, acceptShell(), connection, received));
        session.on('exec', (acceptExec, _reject, { command }) => {
          received.push(`exec: ${command}`);
          playExec(device, acceptExec(), connection, command);
        });
      });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received,
    passwords,
    stop: async () => {
      for (const connection of connections) connection.end();
      server.close();
      for (const connection of connections)
        (connection as unknown as { _sock: { destroy: () => void } })._sock.destroy();
    },
  };
}

function authenticate(device: PlayedDevice, context: AuthContext, passwords: string[]): void {
  if (device.bad === 'hangs-at-login') return;
  const allowed: ('password' | 'publickey' | 'keyboard-interactive')[] = [];
  if (device.publicKey !== undefined) allowed.push('publickey');
  if (device.password !== undefined)
    allowed.push(device.keyboardInteractive ? 'keyboard-interactive' : 'password');
  const decide = (isRight: boolean) => {
    if (isRight && context.username === device.username) context.accept();
    else context.reject(allowed);
  };
  const decideOn = (password: string) => {
    passwords.push(password);
    decide(password === device.password);
  };
  if (!allowed.includes(context.method as 'password')) context.reject(allowed);
  else if (device.bad === 'hangs-up-at-login') hangUp(context);
  else if (context.method === 'password') decideOn(context.password);
  else if (context.method === 'keyboard-interactive')
    context.prompt([{ prompt: 'Password: ', echo: false }], ([answer]) => {
      if (answer === device.password || device.keyboardInteractive !== 'asks-again') return decideOn(answer);
      passwords.push(answer);
      context.prompt([{ prompt: 'Password: ', echo: false }], ([second]) => decideOn(second));
    });
  else if (context.method === 'publickey') {
    const known = ssh2.utils.parseKey(device.publicKey!);
    if (known instanceof Error) throw known;
    const isKnown = known.getPublicSSH().equals(context.key.data);
    decide(
      isKnown &&
        (!context.signature || known.verify(context.blob!, context.signature, context.hashAlgo) === true),
    );
  }
}

function hangUp(context: AuthContext): void {
  const { _protocol } = context as unknown as { _protocol: { disconnect: (reason: number) => void } };
  _protocol.disconnect(14); // RFC 4253 section 11.1: no more authentication methods
}

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

// a running configuration -> an SSH server on the loopback that answers as a Cisco router does
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';

export interface RouterOptions {
  readonly hostName: string;
  readonly username: string;
  readonly password: string;
  /** Asked at each `show running-config`. */
  readonly runningConfig: () => string;
}

export interface Router {
  readonly port: number;
  readonly stop: () => void;
}

const PAGE_LINES = 23;
const MORE = ' --More-- ';
/** IOS takes its question back by going over it. */
const ERASE_MORE = `${'\b'.repeat(MORE.length)}${' '.repeat(MORE.length)}${'\b'.repeat(MORE.length)}`;
const MAX_TYPED = 1024;

export async function startRouter(options: RouterOptions): Promise<Router> {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [privateKey] }, (connection) => {
    connections.add(connection);
    connection.on('error', () => {});
    connection.on('close', () => connections.delete(connection));
    connection.on('authentication', (context) => authenticate(options, context));
    connection.on('session', (accept) => {
      const session = accept();
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('shell', (acceptShell) => playShell(options, acceptShell()));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      for (const connection of connections) connection.end();
    },
  };
}

function authenticate({ username, password }: RouterOptions, context: AuthContext): void {
  if (context.method === 'password' && context.username === username && context.password === password)
    context.accept();
  else context.reject(['password']);
}

/** Keys are echoed one by one; a page is shown, and its question waits for a key. */
function playShell(options: RouterOptions, channel: ServerChannel): void {
  const prompt = `${options.hostName}#`;
  let typed = '';
  let waiting: string[] = [];
  const say = (text: string) => channel.write(text.replaceAll('\n', '\r\n'));
  const showPage = () => {
    const page = waiting.splice(0, PAGE_LINES);
    say(page.map((line) => `${line}\n`).join(''));
    say(waiting.length > 0 ? MORE : prompt);
  };
  const press = (key: string) => {
    if (waiting.length > 0) {
      say(ERASE_MORE);
      if (key === 'q') waiting = [];
      return showPage();
    }
    if (key === '\x7f' || key === '\b') {
      if (typed !== '') say('\b \b');
      typed = typed.slice(0, -1);
      return;
    }
    if (key !== '\r' && key !== '\n') {
      if (typed.length < MAX_TYPED) typed += key;
      return say(key);
    }
    const command = typed.trim();
    typed = '';
    say('\n');
    if (/^(?:exit|logout|quit)$/.test(command)) return channel.end();
    waiting = outputOf(command, options);
    showPage();
  };
  channel.on('data', (keys: Buffer) => {
    // A terminal sends Enter as CR, programs as LF, and some as both.
    for (const key of keys.toString('latin1').replaceAll('\r\n', '\r')) press(key);
  });
  channel.on('error', () => {});
  say(prompt);
}

function outputOf(command: string, options: RouterOptions): string[] {
  if (command === '') return [];
  if (/^sh(?:ow?)? run(?:n?|ning-config)$/.test(command))
    return options.runningConfig().replace(/\n$/, '').split('\n');
  if (/^sh(?:ow?)? users?$/.test(command)) return [`*  2 vty 0     ${options.username}   idle   00:00:00`];
  return ['                ^', "% Invalid input detected at '^' marker.", ''];
}

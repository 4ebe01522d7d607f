// `postern check`: connect, pull, read, and say what works
import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import ssh2 from 'ssh2';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { definitionOf, definitions } from '../../devices/index.ts';
import { type Command, UsageError } from '../model/command.ts';
import { PosternError } from '../model/errors.ts';
import { askSecretly } from './ask.ts';
import { pull } from './pull.ts';
import { countRedactions } from './redact.ts';
import { take } from './take.ts';
import type { Credential, PullResult, PullStep, PullTarget } from './target.ts';

const OPTIONS = {
  vendor: { type: 'string' },
  user: { type: 'string' },
  port: { type: 'string', default: '22' },
  identity: { type: 'string' },
  'password-env': { type: 'string' },
  'enable-password-env': { type: 'string' },
  'host-key': { type: 'string' },
  legacy: { type: 'boolean', default: false },
} as const;

const HELP = `Usage: postern check --vendor VENDOR [options] [USER@]HOST

Connects to a device as the service would, pulls its configuration, reads it, and says what works, step by step.
Nothing is stored, and nothing is written to the device but the commands that show its configuration.

Options:
  --vendor VENDOR             one of: ${definitions.map(({ vendor }) => vendor).join(', ')}
  --user USER                 user name on the device (default: yours)
  --port N                    SSH port (default: 22)
  --identity FILE             private key to log in with
  --password-env NAME         environment variable that holds the password (or the key's passphrase);
                              without it and without --identity the password is asked on the terminal
  --enable-password-env NAME  environment variable that holds the enable password
  --host-key 'TYPE BASE64'    the only host key to accept
  --legacy                    also offer SHA-1 key exchange, CBC ciphers and ssh-rsa, for old devices

Exit status: 0 everything works, 1 a step failed, 2 bad use.
`;

export const command: Command = {
  name: 'check',
  summary: 'connect to a device, pull and read its configuration, and say what works',
  help: HELP,
  run: check,
};

async function check(args: readonly string[]): Promise<number> {
  const { definition, target } = await readArguments(args);
  const print = (name: string, text: string) => process.stdout.write(`${name.padEnd(10)} ${text}\n`);
  const now = () => performance.timeOrigin + performance.now();
  let result: PullResult;
  try {
    result = await pull(target, definition, { now, onStep: (step) => print(step.name, stepText(step)) });
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    print('FAILED', `${error.code}: ${error.message}`);
    return 1;
  }
  return report(result, definition, target, print);
}

function report(
  result: PullResult,
  definition: DeviceDefinition,
  target: PullTarget,
  print: (name: string, text: string) => void,
): number {
  const key = randomBytes(32);
  const { text, complete } = take(result.text, definition, (secret) =>
    createHmac('sha256', key).update(secret).digest('hex').slice(0, 16),
  );
  print('end', complete ? 'the configuration is complete' : 'the end marker is missing');
  print('redact', `${countRedactions(text)} secrets removed`);
  const { rules, policies, interfaces, unread } = definition.read(text);
  const kinds = new Map<string, number>();
  for (const { kind } of rules) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const list = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  print(
    'read',
    `${rules.length} rules${list && ` (${list})`}, ${policies.length} policies, ${interfaces.length} interfaces`,
  );
  print('unread', `${unread.length} lines of rule-bearing sections were not understood`);
  for (const { number, text: line } of unread.slice(0, 5))
    print(
      '',
      `line ${number}: ${line
        .replace(/\p{Cc}/gu, ' ')
        .trim()
        .slice(0, 120)}`,
    );
  if (target.hostKey === undefined) print('pin', `--host-key '${result.hostKey}'`);
  if (!complete) {
    print('FAILED', 'truncated: this pull would not be stored');
    return 1;
  }
  print('OK', `${result.byteCount} bytes in ${Math.round(result.durationMs)} ms; this device can be watched`);
  return 0;
}

function stepText({ detail, byteCount, durationMs }: PullStep): string {
  const size = byteCount === undefined ? '' : `${byteCount} bytes, `;
  return `${detail} (${size}${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms)`;
}

async function readArguments(
  args: readonly string[],
): Promise<{ definition: DeviceDefinition; target: PullTarget }> {
  const { values, positionals } = parsed(args);
  if (positionals.length !== 1) throw new UsageError('name one HOST');
  const known = definitions.map(({ vendor }) => vendor).join(', ');
  if (values.vendor === undefined) throw new UsageError(`name the vendor: --vendor, one of ${known}`);
  const definition = definitionOf(values.vendor);
  if (!definition) throw new UsageError(`no vendor is called ${values.vendor}; known: ${known}`);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UsageError(`--port takes 1 to 65535, not ${values.port}`);
  if (values['host-key'] !== undefined && !/^[\w@.-]+ [A-Za-z0-9+/]+=*(?: .*)?$/.test(values['host-key']))
    throw new UsageError("--host-key takes a key as in known_hosts: 'ssh-ed25519 AAAA...'");
  const at = positionals[0].lastIndexOf('@');
  const address = positionals[0].slice(at + 1);
  const username = values.user ?? (at > 0 ? positionals[0].slice(0, at) : userInfo().username);
  if (address === '') throw new UsageError('name one HOST');
  return {
    definition,
    target: {
      name: address,
      address,
      port,
      username,
      credential: await credentialFrom(values, `${username}@${address}`),
      hostKey: values['host-key'],
      legacyAlgorithms: values.legacy,
    },
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function credentialFrom(values: ReturnType<typeof parsed>['values'], who: string): Promise<Credential> {
  const password = variable('--password-env', values['password-env']);
  const enablePassword = variable('--enable-password-env', values['enable-password-env']);
  const otherWay = 'give --password-env NAME';
  if (values.identity === undefined)
    return { enablePassword, password: password ?? (await askSecretly(`Password of ${who}: `, otherWay)) };
  let privateKey: string;
  try {
    privateKey = await readFile(values.identity, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the key: ${(error as Error).message}`);
  }
  const plain = ssh2.utils.parseKey(privateKey);
  if (!(plain instanceof Error)) return { enablePassword, privateKey, password };
  // The passphrase of a key is for the key alone; the device must not see it.
  const isEncrypted = /passphrase/i.test(plain.message);
  const passphrase = isEncrypted
    ? (password ?? (await askSecretly('Passphrase of the key: ', otherWay)))
    : undefined;
  const key = isEncrypted ? ssh2.utils.parseKey(privateKey, passphrase) : plain;
  if (key instanceof Error) throw new UsageError(`cannot use the key in ${values.identity}: ${key.message}`);
  return { enablePassword, privateKey, passphrase };
}

/** The person names the variable, so it is no setting. */
function variable(option: string, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const value = process.env[name];
  if (!value) throw new UsageError(`${option}: the environment has no ${name}`);
  return value;
}

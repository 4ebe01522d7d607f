// the command line of `postern check` -> the device's definition and how to log in to it
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import ssh2 from 'ssh2';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { definitionOf, definitions } from '../../devices/index.ts';
import { UsageError } from '../model/command.ts';
import { LEGACY_PROFILES, type LegacyProfile, PROFILE_TITLES } from './algorithms.ts';
import { askSecretly } from './ask.ts';
import { type Place, parsePlace, portOf } from './place.ts';
import type { Credential, PullTarget, SshHop } from './target.ts';

const OPTIONS = {
  vendor: { type: 'string' },
  user: { type: 'string' },
  port: { type: 'string' },
  identity: { type: 'string' },
  agent: { type: 'string' },
  'password-env': { type: 'string' },
  'enable-password-env': { type: 'string' },
  'host-key': { type: 'string' },
  legacy: { type: 'string' },
  jump: { type: 'string', multiple: true },
  'jump-identity': { type: 'string' },
  'jump-password-env': { type: 'string' },
  'jump-host-key': { type: 'string', multiple: true },
} as const;

const MOST_JUMPS = 5;

export const HELP = `Usage: postern check --vendor VENDOR [options] [USER@]HOST[:PORT]

Connects to a device as the service would, pulls its configuration, reads it, and says what works, step by step.
Nothing is stored, and nothing is written to the device but the commands that show its configuration.
An IPv6 address with a port stands in brackets: [2001:db8::1]:22; a link-local one names its interface: fe80::1%eth0.

Options:
  --vendor VENDOR             one of: ${definitions.map(({ vendor }) => vendor).join(', ')}
  --user USER                 user name on the device (default: yours)
  --port N                    SSH port (default: 22)
  --identity FILE             private key to log in with
  --agent SOCKET              SSH agent to log in with, for example "$SSH_AUTH_SOCK"
  --password-env NAME         environment variable that holds the password (or the key's passphrase);
                              without it, --identity and --agent the password is asked on the terminal
  --enable-password-env NAME  environment variable that holds the enable password
  --host-key 'TYPE BASE64'    the only host key to accept
  --jump [USER@]HOST[:PORT]   go through this SSH host; several with commas or by repeating it, in order
  --jump-identity FILE        private key for the hosts on the way (default: that of --identity or --agent)
  --jump-password-env NAME    environment variable that holds the password for the hosts on the way;
                              without it and without a key it is asked on the terminal
  --jump-host-key 'TYPE BASE64'  the only host key to accept from them, once for each in order
  --legacy PROFILES           old SSH algorithms to offer too, with commas:
${LEGACY_PROFILES.map((profile) => `                                ${profile.padEnd(9)} ${PROFILE_TITLES[profile]}`).join('\n')}

Exit status: 0 everything works, 1 a step failed, 2 bad use.
`;

/** Of the person who runs the command. */
export type Environment = Readonly<Record<string, string | undefined>>;
type Values = ReturnType<typeof parsed>['values'];

/** Throws UsageError. */
export async function readArguments(
  args: readonly string[],
  environment: Environment,
): Promise<{ readonly definition: DeviceDefinition; readonly target: PullTarget }> {
  const { values, positionals } = parsed(args);
  if (positionals.length !== 1) throw new UsageError('name one HOST');
  const known = definitions.map(({ vendor }) => vendor).join(', ');
  if (values.vendor === undefined) throw new UsageError(`name the vendor: --vendor, one of ${known}`);
  const definition = definitionOf(values.vendor);
  if (!definition) throw new UsageError(`no vendor is called ${values.vendor}; known: ${known}`);
  const place = usage('HOST', () => parsePlace(positionals[0]));
  if (place.port !== undefined && values.port !== undefined) throw new UsageError('give the port once');
  const port = values.port === undefined ? place.port : usage('--port', () => portOf(values.port!));
  const username = values.user ?? place.username ?? userInfo().username;
  const legacyProfiles = profilesOf(values.legacy);
  const places = jumpsOf(values);
  const credential = await credentialFrom(values, environment, `${username}@${place.address}`);
  const jump: SshHop[] = [];
  for (const [i, hop] of places.entries()) {
    jump.push({
      address: hop.address,
      port: hop.port ?? 22,
      username: hop.username ?? username,
      credential: await jumpCredential(
        values,
        environment,
        credential,
        `${hop.username ?? username}@${hop.address}`,
      ),
      hostKey: hostKeyOf('--jump-host-key', values['jump-host-key']?.[i]),
      legacyProfiles,
    });
  }
  const target = {
    name: place.address,
    address: place.address,
    port: port ?? 22,
    username,
    credential,
    hostKey: hostKeyOf('--host-key', values['host-key']),
    legacyProfiles,
    jump,
  };
  return { definition, target };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function usage<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${what}: ${(error as Error).message}`);
  }
}

function profilesOf(text: string | undefined): LegacyProfile[] {
  const names = text?.split(',').map((name) => name.trim()) ?? [];
  const unknown = names.find((name) => !(LEGACY_PROFILES as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--legacy takes ${LEGACY_PROFILES.join(', ')} with commas, not ${unknown}`);
  return LEGACY_PROFILES.filter((profile) => names.includes(profile));
}

function jumpsOf(values: Values): Place[] {
  const texts = values.jump?.flatMap((text) => text.split(',')) ?? [];
  if (texts.length > MOST_JUMPS) throw new UsageError(`--jump takes at most ${MOST_JUMPS} hosts`);
  if ((values['jump-host-key']?.length ?? 0) > texts.length)
    throw new UsageError('--jump-host-key is given more often than --jump');
  return texts.map((text) => usage('--jump', () => parsePlace(text.trim())));
}

function hostKeyOf(option: string, text: string | undefined): string | undefined {
  if (text !== undefined && !/^[\w@.-]+ [A-Za-z0-9+/]+=*(?: .*)?$/.test(text))
    throw new UsageError(`${option} takes a key as in known_hosts: 'ssh-ed25519 AAAA...'`);
  return text;
}

async function credentialFrom(values: Values, environment: Environment, who: string): Promise<Credential> {
  const password = variable(environment, '--password-env', values['password-env']);
  const enablePassword = variable(environment, '--enable-password-env', values['enable-password-env']);
  const otherWay = 'give --password-env NAME';
  const { agent, identity } = values;
  if (identity !== undefined) return { ...(await keyFrom(identity, password)), enablePassword, agent };
  if (agent !== undefined) return { enablePassword, agent, password };
  return { enablePassword, password: password ?? (await askSecretly(`Password of ${who}: `, otherWay)) };
}

/** The password of the device is never shown to a host on the way; its keys may be. */
async function jumpCredential(
  values: Values,
  environment: Environment,
  { privateKey, passphrase, agent }: Credential,
  who: string,
) {
  const password = variable(environment, '--jump-password-env', values['jump-password-env']);
  const identity = values['jump-identity'];
  if (identity !== undefined) return keyFrom(identity, password);
  if (password !== undefined) return { password };
  if (privateKey !== undefined || agent !== undefined) return { privateKey, passphrase, agent };
  return { password: await askSecretly(`Password of ${who}: `, 'give --jump-password-env NAME') };
}

async function keyFrom(file: string, password: string | undefined): Promise<Credential> {
  let privateKey: string;
  try {
    privateKey = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the key: ${(error as Error).message}`);
  }
  const plain = ssh2.utils.parseKey(privateKey);
  if (!(plain instanceof Error)) return { privateKey, password };
  // The passphrase of a key is for the key alone; the device must not see it.
  const isEncrypted = /passphrase/i.test(plain.message);
  const passphrase = isEncrypted
    ? (password ?? (await askSecretly(`Passphrase of ${file}: `, 'give it in an environment variable')))
    : undefined;
  const key = isEncrypted ? ssh2.utils.parseKey(privateKey, passphrase) : plain;
  if (key instanceof Error) throw new UsageError(`cannot use the key in ${file}: ${key.message}`);
  return { privateKey, passphrase };
}

function variable(environment: Environment, option: string, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const value = environment[name];
  if (!value) throw new UsageError(`${option}: the environment has no ${name}`);
  return value;
}

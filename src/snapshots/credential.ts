// a stored credential -> what to log in with: values, and references to variables and files of the operator
import { readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { PosternError } from '../model/errors.ts';
import type { Credential } from './target.ts';

/** Where a secret is, instead of the secret. */
export type SecretSource = { readonly env: string } | { readonly file: string };

/** As sealed in the database. `agent` is a path within the secrets folder. */
export interface StoredCredential extends Credential {
  readonly passwordFrom?: SecretSource;
  readonly privateKeyFrom?: SecretSource;
  readonly passphraseFrom?: SecretSource;
  readonly enablePasswordFrom?: SecretSource;
}

export const REFERRED = ['password', 'privateKey', 'passphrase', 'enablePassword'] as const;

/** Variables that a credential may refer to: no other can be read by who may register devices. */
export const SECRET_VARIABLE = /^POSTERN_DEVICE_SECRET_[A-Z0-9_]{1,100}$/;
/** Files and sockets likewise: relative, and no way out of the folder. */
export const SECRET_FILE = /^(?!(?:.*\/)?\.{1,2}(?:\/|$))[\w.@+-]{1,100}(?:\/[\w.@+-]{1,100}){0,8}$/;
const MOST_BYTES = 32_768;

export interface SecretPlaces {
  /** The value of an environment variable. */
  readonly variable: (name: string) => string | undefined;
  /** POSTERN_SECRETS_FOLDER; nothing can be read where it is not set. */
  readonly folder?: string;
}

/**
 * Reads what is referred to; one line end at the end of a file is no part of the secret.
 * Throws PosternError secret-not-allowed, secret-not-found.
 */
export async function openCredential(stored: StoredCredential, places: SecretPlaces): Promise<Credential> {
  const values: Record<string, string> = {};
  for (const name of REFERRED) {
    const source = stored[`${name}From`];
    const value = stored[name] ?? (source && (await secretFrom(source, places)));
    if (value !== undefined) values[name] = value;
  }
  if (stored.agent !== undefined) values.agent = await socketIn(stored.agent, places);
  return values;
}

async function secretFrom(source: SecretSource, places: SecretPlaces): Promise<string> {
  if ('file' in source) return fileIn(source.file, places);
  if (!SECRET_VARIABLE.test(source.env))
    throw refused(`the variable ${source.env}`, 'only names that begin with POSTERN_DEVICE_SECRET_ can be');
  const value = places.variable(source.env);
  if (!value) throw missing(`the environment of the service has no ${source.env}`);
  return value;
}

async function fileIn(name: string, places: SecretPlaces): Promise<string> {
  const path = await within(name, places);
  const info = await stat(path);
  if (!info.isFile() || info.size > MOST_BYTES)
    throw refused(`the file ${name}`, `it must be a file of at most ${MOST_BYTES} bytes to be`);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw missing(`the file ${name} of the secrets folder cannot be read (${error.code})`);
  });
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw missing(`the file ${name} of the secrets folder is empty`);
  return value;
}

async function socketIn(name: string, places: SecretPlaces): Promise<string> {
  const path = await within(name, places);
  if (!(await stat(path)).isSocket()) throw refused(`the agent ${name}`, 'only a socket can be');
  return path;
}

/** The real path, which must lie in the folder, whatever links are in between. */
async function within(name: string, { folder }: SecretPlaces): Promise<string> {
  if (folder === undefined)
    throw refused(`the file ${name}`, 'POSTERN_SECRETS_FOLDER must name a folder for files to be');
  if (isAbsolute(name) || !SECRET_FILE.test(name))
    throw refused(`the file ${name.slice(0, 100)}`, 'only a relative path in the secrets folder can be');
  const [root, path] = await Promise.all([realpath(resolve(folder)), realpath(join(folder, name))]).catch(
    (error: NodeJS.ErrnoException) => {
      throw missing(`the file ${name} of the secrets folder cannot be read (${error.code})`);
    },
  );
  if (!path.startsWith(root.endsWith(sep) ? root : root + sep))
    throw refused(`the file ${name}`, 'it leads out of the secrets folder: only what lies in it can be');
  return path;
}

const refused = (what: string, why: string): PosternError =>
  new PosternError('secret-not-allowed', `${what} is not read: ${why}`);
const missing = (message: string): PosternError => new PosternError('secret-not-found', message);

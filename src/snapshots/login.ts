// what a device asks and shows while somebody logs in -> what to answer, and what to call a failure
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { AuthenticationType, ClientErrorExtensions, ConnectConfig, NegotiatedAlgorithms } from 'ssh2';
import type { PosternError } from '../model/errors.ts';
import { algorithmsFor } from './algorithms.ts';
import type { PullTarget } from './target.ts';

export type Fail = (code: string, message: string, cause?: unknown) => PosternError;

export interface LoginState {
  /** "<algorithm> <base64>", as shown. */
  hostKey?: string;
  changedKey?: string;
  negotiated?: NegotiatedAlgorithms;
  /** Methods with a credential, in order. */
  readonly tried: string[];
  offered: readonly string[];
  gavePassword?: boolean;
  isLoggedIn?: boolean;
}

export function loginConfig(target: PullTarget, sock: Socket, state: LoginState): ConnectConfig {
  return {
    sock,
    username: target.username,
    password: target.credential.password,
    privateKey: target.credential.privateKey,
    passphrase: target.credential.passphrase,
    tryKeyboard: true,
    // Our own timer says which part took too long.
    readyTimeout: 0,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
    algorithms: algorithmsFor(target.legacyAlgorithms, target.hostKey),
    hostVerifier: (key: Buffer) => verifyHostKey(key, target, state),
    // biome-ignore lint/suspicious/noExplicitAny: the declared type lacks null and false, which ssh2 documents
    authHandler: ((left: string[] | null) => nextMethod(left, target, state)) as any,
  };
}

function verifyHostKey(key: Buffer, target: PullTarget, state: LoginState): boolean {
  // RFC 4253 section 6.6: the key begins with its own type as a string.
  const typeLength = key.length >= 4 ? key.readUInt32BE(0) : 0;
  const type = key.subarray(4, 4 + Math.min(typeLength, 64)).toString('latin1');
  const seen = `${type} ${key.toString('base64')}`;
  // Keys are exchanged again in long sessions, and must then be the same.
  const pinned = target.hostKey ?? state.hostKey;
  state.hostKey = seen;
  if (pinned === undefined) return true;
  const [a, b] = [Buffer.from(seen), Buffer.from(pinned.trim().split(/\s+/, 2).join(' '))];
  if (a.length === b.length && timingSafeEqual(a, b)) return true;
  state.changedKey = seen;
  return false;
}

/** The first request is `none`, to learn what the device takes (RFC 4252 section 5.2); then each method that we can use, once. */
function nextMethod(
  left: string[] | null,
  target: PullTarget,
  state: LoginState,
): AuthenticationType | false {
  if (left === null) return 'none';
  if (left.length > 0) state.offered = left;
  const { password, privateKey } = target.credential;
  const usable: AuthenticationType[] = [];
  if (privateKey !== undefined) usable.push('publickey');
  if (password !== undefined) usable.push('password', 'keyboard-interactive');
  const isWorthTrying = (method: AuthenticationType) =>
    left.includes(method) &&
    !state.tried.includes(method) &&
    // The same wrong password again would count against the account.
    !(method === 'keyboard-interactive' && state.tried.includes('password'));
  const next = usable.find(isWorthTrying);
  if (next) state.tried.push(next);
  return next ?? false;
}

/** Only a question for a password gets it, and once; undefined where it is asked again, which means that it was wrong. */
export function answersTo(
  prompts: readonly { readonly prompt: string; readonly echo?: boolean }[],
  target: PullTarget,
  state: LoginState,
): string[] | undefined {
  const answers = prompts.map(({ prompt, echo }) =>
    !echo && !/token|otp|one-time|verification code/i.test(prompt) ? (target.credential.password ?? '') : '',
  );
  if (answers.every((text) => text === '')) return answers;
  // Giving a wrong one again could lock the account.
  if (state.gavePassword) return undefined;
  state.gavePassword = true;
  return answers;
}

export function loginTimeout(state: LoginState, timeoutMs: number, fail: Fail): PosternError {
  const at = state.negotiated
    ? `the login (tried ${state.tried.join(', ') || 'none'})`
    : 'the SSH handshake; check that this port speaks SSH';
  return fail('login-timeout', `no end of ${at} within ${timeoutMs / 1000} s`);
}

export function loginError(
  error: Error & ClientErrorExtensions,
  state: LoginState,
  target: PullTarget,
  fail: Fail,
): PosternError {
  if (state.changedKey)
    return fail(
      'host-key-changed',
      `the host key is ${fingerprint(state.changedKey)}, not the pinned ${fingerprint(target.hostKey!)}. ` +
        'Nothing was sent. If the device was replaced or re-keyed, confirm the new key and pin it; otherwise somebody may be in between',
      error,
    );
  const noMatch = /no matching (.*)/.exec(error.message);
  if (noMatch)
    return fail(
      'no-common-algorithms',
      `no common ${noMatch[1]}; ${
        target.legacyAlgorithms
          ? 'not even among the legacy ones: update the device, or turn on a newer algorithm on it'
          : 'if the device is too old for modern ones, turn on legacy algorithms for it'
      }`,
      error,
    );
  if (!state.negotiated)
    return fail(
      'handshake-failed',
      `the SSH handshake failed (${error.message}); check that this port speaks SSH`,
      error,
    );
  // Also where the device just closes after an attempt: trying again by itself could lock the account.
  if (!state.isLoggedIn && (error.level === 'client-authentication' || state.tried.length > 0))
    return loginRefused(state, target, fail, error);
  return fail('connection-lost', `the connection broke (${error.message}); try again`, error);
}

export function loginRefused(
  state: LoginState,
  target: PullTarget,
  fail: Fail,
  cause?: unknown,
): PosternError {
  const tried = state.tried.join(', ') || 'nothing that the device takes';
  return fail(
    'login-failed',
    `the login of ${target.username} was refused; tried ${tried}, the device takes ${state.offered.join(', ') || 'nothing that it says'}. ` +
      'Check the user name and the credential; it is not tried again by itself',
    cause,
  );
}

/** "ssh-ed25519 SHA256:..." as OpenSSH prints it. */
export function fingerprint(hostKey: string): string {
  const [type, key = ''] = hostKey.trim().split(/\s+/);
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
  return `${type} SHA256:${digest}`;
}

// target -> a logged-in SSH connection whose host key is the pinned one
import { createHash, timingSafeEqual } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { type AuthenticationType, Client, type ClientErrorExtensions, type NegotiatedAlgorithms } from 'ssh2';
import { PosternError } from '../model/errors.ts';
import { algorithmsFor } from './algorithms.ts';
import type { PullBounds, PullTarget, StepName } from './target.ts';

export interface Connection {
  readonly client: Client;
  /** "<algorithm> <base64>". */
  readonly hostKey: string;
  /** Rejects with the reason when the connection is gone; never resolves. */
  readonly lost: Promise<never>;
  readonly close: () => void;
}

export type NoteStep = (name: StepName, detail: string) => void;
type Fail = (code: string, message: string, cause?: unknown) => PosternError;

/** Throws PosternError address-unknown, connection-refused, unreachable, connect-timeout and all of `logIn`. */
export async function connect(
  target: PullTarget,
  bounds: PullBounds,
  signal: AbortSignal,
  note: NoteStep,
): Promise<Connection> {
  const fail: Fail = (code, message, cause) =>
    new PosternError(code, `${target.name}: ${message}`, { subject: target.name, cause });
  const address = await resolve(target, fail);
  note('resolve', address === target.address ? address : `${target.address} is ${address}`);
  const socket = await openSocket(target, address, bounds.connectMs, signal, fail);
  note('connect', `${address} port ${target.port}`);
  try {
    return await logIn(target, socket, bounds.loginMs, signal, note, fail);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function resolve(target: PullTarget, fail: Fail): Promise<string> {
  if (isIP(target.address)) return target.address;
  try {
    return (await lookup(target.address)).address;
  } catch (error) {
    throw fail('address-unknown', `the name ${target.address} has no address; check it or your DNS`, error);
  }
}

function openSocket(target: PullTarget, host: string, timeoutMs: number, signal: AbortSignal, fail: Fail) {
  const where = `${host} port ${target.port}`;
  return new Promise<Socket>((resolvePromise, reject) => {
    const socket = connectSocket({ host, port: target.port, noDelay: true });
    const give = (error: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => give(signal.reason);
    const timer = setTimeout(
      () =>
        give(
          fail(
            'connect-timeout',
            `no answer from ${where} within ${timeoutMs / 1000} s; check the address and the firewalls in between`,
          ),
        ),
      timeoutMs,
    );
    signal.addEventListener('abort', onAbort);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      give(
        error.code === 'ECONNREFUSED'
          ? fail(
              'connection-refused',
              `${where} refuses connections; check that SSH is on, and its port`,
              error,
            )
          : fail('unreachable', `${where} cannot be reached (${error.code}); check the route to it`, error),
      ),
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners('error');
      resolvePromise(socket);
    });
  });
}

interface LoginState {
  hostKey?: string;
  changedKey?: string;
  negotiated?: NegotiatedAlgorithms;
  readonly tried: string[];
  offered: readonly string[];
  gavePassword?: boolean;
}

/** Throws host-key-changed, no-common-algorithms, handshake-failed, login-failed, login-timeout, bad-private-key, connection-lost. */
function logIn(
  target: PullTarget,
  socket: Socket,
  timeoutMs: number,
  signal: AbortSignal,
  note: NoteStep,
  fail: Fail,
): Promise<Connection> {
  const client = new Client();
  const state: LoginState = { tried: [], offered: [] };
  const { promise, resolve: succeed, reject } = Promise.withResolvers<Connection>();
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  lost.catch(() => {});
  const give = (error: unknown) => {
    clearTimeout(timer);
    reject(error);
    lose(error);
    client.destroy();
    socket.destroy();
  };
  const onAbort = () => give(signal.reason);
  const timer = setTimeout(() => give(loginTimeout(state, timeoutMs, fail)), timeoutMs);
  signal.addEventListener('abort', onAbort);
  const close = () => {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
    client.end();
    // A device that does not close its side must not hold the socket.
    setTimeout(() => socket.destroy(), 500).unref();
  };
  client.on('error', (error) => give(loginError(error, state, target, fail)));
  client.on('close', () => give(fail('connection-lost', 'the device closed the connection; try again')));
  client.on('handshake', (negotiated) => {
    state.negotiated = negotiated;
    const { kex, serverHostKey, cs } = negotiated;
    note('handshake', [kex, serverHostKey, cs.cipher, cs.mac].filter(Boolean).join(', '));
    const pinned = target.hostKey === undefined ? 'first seen' : 'as pinned';
    note('host-key', `${fingerprint(state.hostKey!)} (${pinned})`);
  });
  client.on('keyboard-interactive', (_name, _instructions, _language, prompts, answer) => {
    const answers = prompts.map(({ prompt, echo }) => answerTo(prompt, echo, target));
    // Asked again in the same breath means that it was wrong; giving it again could lock the account.
    if (state.gavePassword && answers.some((text) => text !== ''))
      return give(loginRefused(state, target, fail));
    state.gavePassword ||= answers.some((text) => text !== '');
    answer(answers);
  });
  client.on('ready', () => {
    clearTimeout(timer);
    note('login', `${target.username} by ${state.tried.at(-1) ?? 'none'}`);
    succeed({ client, hostKey: state.hostKey!, lost, close });
  });
  try {
    client.connect({
      sock: socket,
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
    });
  } catch (error) {
    give(
      fail(
        'bad-private-key',
        `the private key cannot be used (${messageOf(error)}); give it in PEM or OpenSSH form, with its passphrase`,
        error,
      ),
    );
  }
  return promise;
}

function verifyHostKey(key: Buffer, target: PullTarget, state: LoginState): boolean {
  // RFC 4253 section 6.6: the key begins with its own type as a string.
  const typeLength = key.length >= 4 ? key.readUInt32BE(0) : 0;
  const type = key.subarray(4, 4 + Math.min(typeLength, 64)).toString('latin1');
  const seen = `${type} ${key.toString('base64')}`;
  state.hostKey = seen;
  if (target.hostKey === undefined) return true;
  const [a, b] = [Buffer.from(seen), Buffer.from(target.hostKey.trim().split(/\s+/, 2).join(' '))];
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
  const next = usable.find((method) => left.includes(method) && !state.tried.includes(method));
  if (next) state.tried.push(next);
  return next ?? false;
}

/** Only a question for a password gets it; what else a device asks gets an empty answer. */
function answerTo(prompt: string, echo: boolean | undefined, target: PullTarget): string {
  return !echo && !/token|otp|one-time|verification code/i.test(prompt)
    ? (target.credential.password ?? '')
    : '';
}

function loginTimeout(state: LoginState, timeoutMs: number, fail: Fail): PosternError {
  const at = state.negotiated
    ? `the login (tried ${state.tried.join(', ') || 'none'})`
    : 'the SSH handshake; check that this port speaks SSH';
  return fail('login-timeout', `no end of ${at} within ${timeoutMs / 1000} s`);
}

function loginError(
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
  if (error.level === 'client-authentication' || state.tried.length > 0)
    return loginRefused(state, target, fail, error);
  return fail('connection-lost', `the connection broke (${error.message}); try again`, error);
}

function loginRefused(state: LoginState, target: PullTarget, fail: Fail, cause?: unknown): PosternError {
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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

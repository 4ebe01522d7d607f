// target -> a logged-in SSH connection whose host key is the pinned one
import { lookup } from 'node:dns/promises';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { Client } from 'ssh2';
import { PosternError } from '../model/errors.ts';
import {
  answersTo,
  type Fail,
  fingerprint,
  type LoginState,
  loginConfig,
  loginError,
  loginRefused,
  loginTimeout,
} from './login.ts';
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
  signal.throwIfAborted();
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
  client.on('close', () => give(loginError(new Error('the device closed it'), state, target, fail)));
  client.on('handshake', (negotiated) => {
    // Comes again whenever keys are exchanged again.
    if (state.negotiated) return;
    state.negotiated = negotiated;
    noteHandshake(state, target, note);
  });
  client.on('keyboard-interactive', (_name, _instructions, _language, prompts, answer) => {
    const answers = answersTo(prompts, target, state);
    if (answers) answer(answers);
    else give(loginRefused(state, target, fail));
  });
  client.on('ready', () => {
    clearTimeout(timer);
    state.isLoggedIn = true;
    note('login', `${target.username} by ${state.tried.at(-1) ?? 'none'}`);
    succeed({ client, hostKey: state.hostKey!, lost, close });
  });
  try {
    client.connect(loginConfig(target, socket, state));
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

function noteHandshake({ negotiated, hostKey }: LoginState, target: PullTarget, note: NoteStep): void {
  const { kex, serverHostKey, cs } = negotiated!;
  note('handshake', [kex, serverHostKey, cs.cipher, cs.mac].filter(Boolean).join(', '));
  note('host-key', `${fingerprint(hostKey!)} (${target.hostKey === undefined ? 'first seen' : 'as pinned'})`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

// target -> a logged-in SSH connection, by way of its jump hosts, whose host keys are the pinned ones
import type { Duplex } from 'node:stream';
import { Client, type NegotiatedAlgorithms } from 'ssh2';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { PosternError } from '../model/errors.ts';
import { profileOf } from './algorithms.ts';
import {
  answersTo,
  type Fail,
  fingerprint,
  type LoginTarget,
  loginConfig,
  loginError,
  loginRefused,
  loginTimeout,
  newLogin,
} from './login.ts';
import { maskScreen } from './mask.ts';
import { watchOffer } from './offer.ts';
import { placeText } from './place.ts';
import { forward, openSocket, resolveAddress } from './reach.ts';
import type { AgreedAlgorithms, PullBounds, PullTarget, StepName } from './target.ts';

export interface Connection {
  readonly client: Client;
  /** "<algorithm> <base64>". */
  readonly hostKey: string;
  /** Of each jump host, in order. */
  readonly jumpHostKeys: readonly string[];
  readonly algorithms: AgreedAlgorithms;
  /** Rejects with the reason when the connection is gone; never resolves. */
  readonly lost: Promise<never>;
  readonly close: () => void;
}

export type NoteStep = (name: StepName, detail: string) => void;

/** One login of the way. */
interface Leg extends Omit<Connection, 'jumpHostKeys'> {
  readonly address: string;
  /** Why it is gone, once it is. */
  readonly lostBy: () => unknown;
}

/** What the logins of a way share, and how one of them speaks of itself. */
interface Way {
  readonly bounds: PullBounds;
  readonly signal: AbortSignal;
  readonly note: NoteStep;
  readonly fail: Fail;
  /** Fit for an error: a banner's last lines. */
  readonly mask: (screen: string) => string;
}

/**
 * Throws PosternError address-unknown, connection-refused, unreachable, connect-timeout, forward-refused and all of `logIn`.
 * Steps and messages about a jump host begin with its name.
 */
export async function connect(
  target: PullTarget,
  definition: DeviceDefinition,
  bounds: PullBounds,
  signal: AbortSignal,
  note: NoteStep,
): Promise<Connection> {
  const legs: Leg[] = [];
  const close = () => {
    for (const leg of legs.toReversed()) leg.close();
  };
  try {
    for (const hop of hopsOf(target, definition)) {
      const where = hop.isJump ? `jump host ${hop.address}: ` : '';
      const way: Way = {
        bounds,
        signal,
        note: (name, detail) => note(name, where + detail),
        fail: (code, message, cause) =>
          new PosternError(code, `${target.name}: ${where}${message}`, { subject: target.name, cause }),
        mask: (screen) => maskScreen(screen, definition, hop.credential),
      };
      legs.push(await reach(hop, legs.at(-1), way));
    }
  } catch (error) {
    close();
    throw error;
  }
  const device = legs.at(-1)!;
  return { ...device, jumpHostKeys: legs.slice(0, -1).map(({ hostKey }) => hostKey), close };
}

type Hop = LoginTarget & { readonly isJump: boolean };

function hopsOf(target: PullTarget, { session }: DeviceDefinition): Hop[] {
  const jumps = (target.jump ?? []).map((jump) => ({ ...jump, isJump: true, what: 'the jump host' }));
  const loginSuffix = session.channel === 'shell' ? session.loginSuffix : undefined;
  const { acknowledge } = session;
  return [...jumps, { ...target, isJump: false, what: 'the device', acknowledge, loginSuffix }];
}

async function reach(target: LoginTarget, through: Leg | undefined, way: Way): Promise<Leg> {
  const { bounds, signal, note, fail } = way;
  const socket = through
    ? await forward(through, target.address, target.port, bounds.connectMs, fail)
    : await direct(target, way);
  signal.throwIfAborted();
  if (through) note('connect', `${placeText(target.address, target.port)} through ${through.address}`);
  try {
    return await logIn(target, socket, through, way);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function direct(target: LoginTarget, { bounds, signal, note, fail }: Way): Promise<Duplex> {
  const address = await resolveAddress(target.address, fail);
  signal.throwIfAborted();
  note('resolve', address === target.address ? address : `${target.address} is ${address}`);
  const socket = await openSocket(address, target.port, bounds.connectMs, signal, fail);
  note('connect', placeText(address, target.port));
  return socket;
}

/**
 * Throws host-key-changed, no-common-algorithms, handshake-failed, login-failed, login-timeout, bad-private-key,
 * connection-lost. Losing the connection that it goes through is the fault of that one.
 */
function logIn(target: LoginTarget, socket: Duplex, through: Leg | undefined, way: Way): Promise<Leg> {
  const { signal, note, fail } = way;
  const client = new Client();
  const offer = watchOffer(socket);
  const state = newLogin(offer.read);
  const { promise, resolve: succeed, reject } = Promise.withResolvers<Leg>();
  const { promise: lost, reject: lose } = Promise.withResolvers<never>();
  lost.catch(() => {});
  let reason: unknown;
  const give = (error: unknown) => {
    clearTimeout(timer);
    reason ??= error;
    reject(error);
    lose(error);
    client.destroy();
    socket.destroy();
  };
  // What it goes through learns of its own end a moment later.
  const broken = (error: Error) =>
    setImmediate(() => give(through?.lostBy() ?? loginError(error, state, target, fail)));
  const onAbort = () => give(signal.reason);
  const timeoutMs = way.bounds.loginMs;
  const timer = setTimeout(() => give(loginTimeout(state, target, timeoutMs, fail)), timeoutMs);
  signal.addEventListener('abort', onAbort);
  const close = () => {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
    client.end();
    // A device that does not close its side must not hold the socket.
    setTimeout(() => socket.destroy(), 500).unref();
  };
  client.on('error', (error) => {
    // ssh2 goes on with the next method by itself.
    if ((error.level as string) === 'agent') state.agentError = error.message.slice(0, 200);
    else broken(error);
  });
  client.on('close', () => broken(new Error(`${target.what} closed it`)));
  client.on('banner', (text) => {
    state.banner = way.mask(text);
  });
  client.on('handshake', (negotiated) => {
    // Comes again whenever keys are exchanged again.
    if (state.negotiated) return;
    state.negotiated = negotiated;
    note('handshake', handshakeText(negotiated));
    const pin = target.hostKey === undefined ? 'first seen' : 'as pinned';
    note('host-key', `${fingerprint(state.hostKey!)} (${pin})`);
  });
  client.on('keyboard-interactive', (_name, _instructions, _language, prompts, answer) => {
    const answers = answersTo(prompts, target, state);
    if (answers) answer(answers);
    else give(loginRefused(state, target, fail));
  });
  client.on('change password', () =>
    give(fail('login-failed', `the password of ${target.username} has expired; change it on ${target.what}`)),
  );
  client.on('ready', () => {
    clearTimeout(timer);
    state.isLoggedIn = true;
    note('login', `${target.username} by ${state.tried.at(-1) ?? 'none'}`);
    const algorithms = agreed(state.negotiated!);
    const { address } = target;
    succeed({ client, address, hostKey: state.hostKey!, algorithms, lost, lostBy: () => reason, close });
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

const handshakeText = ({ kex, serverHostKey, cs }: NegotiatedAlgorithms): string =>
  [kex, serverHostKey, cs.cipher, cs.mac].filter(Boolean).join(', ');

function agreed({ kex, serverHostKey, cs, sc }: NegotiatedAlgorithms): AgreedAlgorithms {
  const names = [kex, serverHostKey, cs.cipher, cs.mac, sc.cipher, sc.mac];
  const legacyProfiles = [...new Set(names.flatMap((name) => profileOf(name) ?? []))];
  return { kex, hostKey: serverHostKey, cipher: cs.cipher, mac: cs.mac, legacyProfiles };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

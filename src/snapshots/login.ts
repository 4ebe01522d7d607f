// what a device asks and shows while somebody logs in -> what to answer, and what to call a failure
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';
import ssh2, {
  type AuthenticationType,
  type BaseAgent,
  type ClientErrorExtensions,
  type ConnectConfig,
  type NegotiatedAlgorithms,
} from 'ssh2';
import type { DeviceDefinition } from '../../devices/definition.ts';
import type { PosternError } from '../model/errors.ts';
import { algorithmsFor } from './algorithms.ts';
import { adviceFor, type ServerOffer } from './offer.ts';
import type { SshHop } from './target.ts';

export type Fail = (code: string, message: string, cause?: unknown) => PosternError;

export interface LoginState {
  /** "<algorithm> <base64>", as shown. */
  hostKey?: string;
  changedKey?: string;
  /** What the changed one was compared with. */
  expectedKey?: string;
  negotiated?: NegotiatedAlgorithms;
  serverOffer: () => ServerOffer | undefined;
  /** Methods with a credential, in order. */
  readonly tried: string[];
  offered: readonly string[];
  /** How often keyboard-interactive was begun. */
  rounds: number;
  gavePassword?: boolean;
  /** A question that nothing here answers. */
  asked?: string;
  readonly acknowledged: Set<RegExp>;
  agentError?: string;
  /** What it shows before the login (RFC 4252 section 5.4). */
  banner?: string;
  isLoggedIn?: boolean;
}

export const newLogin = (serverOffer: LoginState['serverOffer']): LoginState => ({
  tried: [],
  offered: [],
  rounds: 0,
  acknowledged: new Set(),
  serverOffer,
});

/** A server, how it is spoken of in errors, and what its vendor needs. */
export interface LoginTarget extends SshHop {
  /** "the device", "the jump host". */
  readonly what: string;
  readonly acknowledge?: DeviceDefinition['session']['acknowledge'];
  readonly loginSuffix?: string;
}

/** Keys of an agent beyond these are not offered: devices close after a few attempts, and count them. */
const MOST_AGENT_KEYS = 5;
/** Only a banner's question answered, the method may have to be begun again. */
const MOST_ROUNDS = 3;

export function loginConfig(target: LoginTarget, sock: Duplex, state: LoginState): ConnectConfig {
  const { password, privateKey, passphrase, agent } = target.credential;
  return {
    sock,
    username: target.username + (target.loginSuffix ?? ''),
    password,
    privateKey,
    passphrase,
    agent: agent === undefined ? undefined : agentAt(agent),
    tryKeyboard: true,
    // Our own timer says which part took too long.
    readyTimeout: 0,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
    algorithms: algorithmsFor(target.legacyProfiles ?? [], target.hostKey),
    hostVerifier: (key: Buffer) => verifyHostKey(key, target, state),
    // biome-ignore lint/suspicious/noExplicitAny: the declared type lacks null and false, which ssh2 documents
    authHandler: ((left: string[] | null) => nextMethod(left, target, state)) as any,
  };
}

function agentAt(path: string): BaseAgent {
  const agent = ssh2.createAgent(path);
  const all = agent.getIdentities.bind(agent);
  agent.getIdentities = (callback) =>
    all((error, keys) => callback(error ?? undefined, keys?.slice(0, MOST_AGENT_KEYS)));
  return agent;
}

function verifyHostKey(key: Buffer, target: SshHop, state: LoginState): boolean {
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
  state.expectedKey = pinned;
  return false;
}

/** The first request is `none`, to learn what the device takes (RFC 4252 section 5.2); then each method that we can use, once. */
function nextMethod(
  left: string[] | null,
  target: LoginTarget,
  state: LoginState,
): AuthenticationType | false {
  if (left === null) return 'none';
  if (left.length > 0) state.offered = left;
  const { password, privateKey, agent } = target.credential;
  const usable: AuthenticationType[] = [];
  if (privateKey !== undefined) usable.push('publickey');
  if (agent !== undefined) usable.push('agent');
  if (password !== undefined) usable.push('password', 'keyboard-interactive');
  // A banner is acknowledged in keyboard-interactive; as a password its answer would have to be guessed.
  if (target.acknowledge) usable.sort((a, b) => rank(a) - rank(b));
  const next = usable.find((method) => isWorthTrying(method, left, state));
  if (next === 'keyboard-interactive') state.rounds++;
  if (next) state.tried.push(next);
  return next ?? false;
}

const rank = (method: AuthenticationType): number =>
  ['publickey', 'agent', 'keyboard-interactive', 'password'].indexOf(method);

function isWorthTrying(method: AuthenticationType, left: readonly string[], state: LoginState): boolean {
  if (!left.includes(method === 'agent' ? 'publickey' : method)) return false;
  // The same wrong password again would count against the account.
  const isPassword = method === 'password' || method === 'keyboard-interactive';
  if (isPassword && (state.tried.includes('password') || state.gavePassword || state.asked !== undefined))
    return false;
  return method === 'keyboard-interactive' ? state.rounds < MOST_ROUNDS : !state.tried.includes(method);
}

/**
 * Only a question for a password gets it, and once; a shown one for the user gets the name; a banner's gets what the vendor
 * says. Undefined where the password is asked again, which means that it was wrong, and for what nobody here knows.
 */
export function answersTo(
  prompts: readonly { readonly prompt: string; readonly echo?: boolean }[],
  target: LoginTarget,
  state: LoginState,
): string[] | undefined {
  const answers: string[] = [];
  for (const { prompt, echo } of prompts) {
    const acknowledged = target.acknowledge?.find(
      ({ pattern }) => !state.acknowledged.has(pattern) && prompt.trim().search(pattern) >= 0,
    );
    if (acknowledged) {
      state.acknowledged.add(acknowledged.pattern);
      answers.push(acknowledged.answer.replace(/[\r\n]+$/, ''));
    } else if (echo) answers.push(/user|login|account/i.test(prompt) ? target.username : '');
    else if (/token|otp|one-time|verification code|passcode|challenge/i.test(prompt)) {
      state.asked = prompt
        .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
        .trim()
        .slice(0, 80);
      return undefined;
    } else {
      // Giving a wrong one again could lock the account.
      if (state.gavePassword) return undefined;
      state.gavePassword = true;
      answers.push(target.credential.password ?? '');
    }
  }
  return answers;
}

export function loginTimeout(
  state: LoginState,
  target: LoginTarget,
  timeoutMs: number,
  fail: Fail,
): PosternError {
  const at = state.negotiated
    ? `the login (tried ${state.tried.join(', ') || 'none'})`
    : `the SSH handshake; check that this port of ${target.what} speaks SSH`;
  return fail('login-timeout', `no end of ${at} within ${timeoutMs / 1000} s`);
}

export function loginError(
  error: Error & ClientErrorExtensions,
  state: LoginState,
  target: LoginTarget,
  fail: Fail,
): PosternError {
  if (state.changedKey)
    return fail(
      'host-key-changed',
      `the host key is ${fingerprint(state.changedKey)}, not the pinned ${fingerprint(state.expectedKey!)}. ` +
        `Nothing was sent. If ${target.what} was replaced or re-keyed, confirm the new key and pin it; otherwise somebody may be in between`,
      error,
    );
  const noMatch = /no matching (.*)/.exec(error.message);
  if (noMatch) {
    const offer = state.serverOffer();
    return fail(
      'no-common-algorithms',
      offer
        ? adviceFor(offer, target.legacyProfiles ?? [], target.what)
        : `no common ${noMatch[1]}; turn on a legacy profile for ${target.what}, or update it`,
      error,
    );
  }
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
  target: LoginTarget,
  fail: Fail,
  cause?: unknown,
): PosternError {
  const tried = [...new Set(state.tried)].join(', ') || `nothing that ${target.what} takes`;
  const more = [
    state.asked === undefined ? '' : `It asks "${state.asked}", which cannot be answered here. `,
    state.agentError === undefined ? '' : `The agent cannot be used (${state.agentError}). `,
  ].join('');
  const banner = state.banner ? `. Its banner ends:\n${state.banner.replace(/^/gm, '  | ')}` : '';
  return fail(
    'login-failed',
    `the login of ${target.username} was refused; tried ${tried}, ${target.what} takes ${state.offered.join(', ') || 'nothing that it says'}. ` +
      `${more}Check the user name and the credential; it is not tried again by itself${banner}`,
    cause,
  );
}

/** "ssh-ed25519 SHA256:..." as OpenSSH prints it. */
export function fingerprint(hostKey: string): string {
  const [type, key = ''] = hostKey.trim().split(/\s+/);
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
  return `${type} SHA256:${digest}`;
}

// the nouns of a pull: what is connected to, within what bounds, and what it yields
import type { LegacyProfile } from './algorithms.ts';

/** Everything to log in with; never logged, never part of an error. */
export interface Credential {
  readonly password?: string;
  /** PEM or OpenSSH format. */
  readonly privateKey?: string;
  readonly passphrase?: string;
  readonly enablePassword?: string;
  /** Path of an agent's socket. */
  readonly agent?: string;
}

/** One SSH server: the device, or one on the way to it. */
export interface SshHop {
  /** Host name or IP address; an IPv6 address without brackets, with its zone where it is link-local ("fe80::1%eth0"). */
  readonly address: string;
  readonly port: number;
  readonly username: string;
  readonly credential: Credential;
  /** The pinned key, "<algorithm> <base64>"; undefined on first use. */
  readonly hostKey?: string;
  /** Old algorithms that are offered too; none by default. */
  readonly legacyProfiles?: readonly LegacyProfile[];
}

export interface PullTarget extends SshHop {
  readonly name: string;
  /** The way there, in order; each is reached from the one before, by a TCP forward (RFC 4254 section 7.2). */
  readonly jump?: readonly SshHop[];
}

/** What the last key exchange with the device agreed on, by its names in SSH. */
export interface AgreedAlgorithms {
  readonly kex: string;
  readonly hostKey: string;
  readonly cipher: string;
  readonly mac: string;
  /** Those that this session really needed. */
  readonly legacyProfiles: readonly LegacyProfile[];
}

export interface PullBounds {
  /** TCP connection. */
  readonly connectMs: number;
  /** SSH handshake and login. */
  readonly loginMs: number;
  /** From the login to the first prompt. */
  readonly promptMs: number;
  /** Each command, and the raising of privileges. */
  readonly commandMs: number;
  readonly pullMs: number;
  /** All that the device sends in its channels. */
  readonly maxByteCount: number;
  /** How long the screen must be still before what looks like a prompt counts as one. */
  readonly settleMs: number;
}

export interface PullOptions {
  readonly now: () => number;
  readonly bounds?: Partial<PullBounds>;
  readonly signal?: AbortSignal;
  /** Told of each step as it ends. */
  readonly onStep?: (step: PullStep) => void;
}

export type StepName =
  | 'resolve'
  | 'connect'
  | 'handshake'
  | 'host-key'
  | 'login'
  | 'acknowledge'
  | 'prompt'
  | 'enable'
  | 'command';

export interface PullStep {
  readonly name: StepName;
  /** One line for people; holds no secret. Begins with "jump <address>: " where it is about a jump host. */
  readonly detail: string;
  readonly durationMs: number;
  /** Bytes of output, for commands. */
  readonly byteCount?: number;
}

export interface PullResult {
  /** Cleaned of prompts, pagers, echo and escapes, and laid out; not yet redacted. */
  readonly text: string;
  readonly beganAtMs: number;
  readonly durationMs: number;
  /** As received in the channels. */
  readonly byteCount: number;
  /** "<algorithm> <base64>", for the caller to pin. */
  readonly hostKey: string;
  /** The same of each jump host, in order. */
  readonly jumpHostKeys: readonly string[];
  readonly algorithms: AgreedAlgorithms;
  /** Outputs of commands that yield `history`, cleaned; neither part of `text` nor redacted. */
  readonly history: readonly { readonly command: string; readonly text: string }[];
  readonly steps: readonly PullStep[];
}

export const DEFAULT_BOUNDS: PullBounds = {
  connectMs: 10_000,
  loginMs: 30_000,
  promptMs: 30_000,
  commandMs: 120_000,
  pullMs: 300_000,
  maxByteCount: 67_108_864,
  settleMs: 100,
};

/** The bounds that the settings give, by the names of src/snapshots/settings.ts. */
export function boundsOf(settings: {
  readonly POSTERN_SSH_CONNECT_TIMEOUT_SECONDS: number;
  readonly POSTERN_SSH_LOGIN_TIMEOUT_SECONDS: number;
  readonly POSTERN_SSH_COMMAND_TIMEOUT_SECONDS: number;
  readonly POSTERN_PULL_TIMEOUT_SECONDS: number;
  readonly POSTERN_PULL_MAX_BYTES: number;
}): PullBounds {
  return {
    connectMs: settings.POSTERN_SSH_CONNECT_TIMEOUT_SECONDS * 1000,
    loginMs: settings.POSTERN_SSH_LOGIN_TIMEOUT_SECONDS * 1000,
    promptMs: settings.POSTERN_SSH_LOGIN_TIMEOUT_SECONDS * 1000,
    commandMs: settings.POSTERN_SSH_COMMAND_TIMEOUT_SECONDS * 1000,
    pullMs: settings.POSTERN_PULL_TIMEOUT_SECONDS * 1000,
    maxByteCount: settings.POSTERN_PULL_MAX_BYTES,
    settleMs: DEFAULT_BOUNDS.settleMs,
  };
}

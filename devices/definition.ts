// what a vendor is: data and a reader
import type { RuleSet } from '../src/model/rule.ts';

/** A pattern that hides a secret: the first capture group is replaced by a keyed hash; without a group the whole match is. */
export interface SecretPattern {
  readonly pattern: RegExp;
  /** A line that a fixture must contain, to prove the pattern. */
  readonly example: string;
}

export interface DeviceCommand {
  readonly run: string;
  /** Proves that the output of this command is complete, tested against the whole cleaned output of the command; a pull without it is truncated. */
  readonly endMarker: RegExp;
}

/** One vendor's operating system. Patterns take lines without their line ends. */
export interface DeviceDefinition {
  /** As registered, e.g. "cisco-ios". */
  readonly vendor: string;
  readonly title: string;
  /** Tells the vendor from the text of a configuration; the most specific wins by `weight`. */
  readonly recognise: readonly { readonly pattern: RegExp; readonly weight: number }[];
  readonly session: {
    /** exec: one SSH exec channel a command; shell: a PTY with prompts. */
    readonly channel: 'exec' | 'shell';
    /** The prompt at the end of the screen, in shell sessions. */
    readonly prompt: RegExp;
    /** A pager's question and what to answer. */
    readonly pagers: readonly { readonly pattern: RegExp; readonly answer: string }[];
    /** How privileges are raised where the prompt asks for it; undefined where there is no such thing. */
    readonly enable?: {
      readonly neededAt: RegExp;
      readonly command: string;
      readonly passwordPrompt: RegExp;
    };
    readonly commands: readonly DeviceCommand[];
    /** Typed when all commands are done, in shell sessions; undefined: the connection is just closed. */
    readonly logout?: string;
  };
  /** Lines (or parts of lines) that change without any change of configuration; left out before texts are compared, never before they are kept. */
  readonly volatile: readonly RegExp[];
  readonly secrets: readonly SecretPattern[];
  /** Syslog messages that mean "somebody changed the configuration". */
  readonly changedBy: readonly RegExp[];
  /** Header lines inside the configuration that name who changed it last; named groups user, time. Weak evidence. */
  readonly changeHeaders?: readonly RegExp[];
  /** Gives an output that comes as one long line lines of its own, before it is redacted and kept; idempotent, never throws. */
  readonly layout?: (output: string) => string;
  /** Configuration text -> rules. Never throws: what it cannot read it lists. */
  readonly read: (text: string) => RuleSet;
  /** What this definition does not understand yet, for people. */
  readonly knownGaps: readonly string[];
}

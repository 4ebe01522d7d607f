// what a vendor is: data and a reader
import type { RuleSet } from '../src/model/rule.ts';

/** A pattern that hides a secret: the first capture group is replaced by a keyed hash; without a group the whole match is. */
export interface SecretPattern {
  readonly pattern: RegExp;
  /** A line that a fixture must contain, to prove the pattern. */
  readonly example: string;
}

/**
 * One command, or several. `{name}` in `run` and `heading` stands for the name that a `forEach` around it found.
 * Contexts, virtual systems and the like are data, for example:
 *
 *     commands: [
 *       { run: 'show mode', endMarker: /^Security context mode: \w+/m, yields: 'nothing' },
 *       { run: 'show running-config', endMarker: /^: end/m },
 *       {
 *         run: 'changeto context {name}',
 *         endMarker: /^/,
 *         yields: 'nothing',
 *         when: { command: 'show mode', shows: /mode: multiple/ },
 *         forEach: { command: 'show running-config', name: /^context (\S{1,32})/ },
 *         followedBy: [{ run: 'show running-config', heading: '! context {name}', endMarker: /^: end/m }],
 *       },
 *     ],
 */
export interface DeviceCommand {
  readonly run: string;
  /** Proves that the output of this command is complete, tested against the whole cleaned output of the command; a pull without it is truncated. */
  readonly endMarker: RegExp;
  /**
   * What the output is: the configuration (default); `history`, which tells who changed it and when, and is no part of the
   * snapshot (commit list, action log); or nothing, only looked at by `when` and `forEach`.
   */
  readonly yields?: 'configuration' | 'history' | 'nothing';
  /** Run only where an earlier command ran and its output shows this (`shows`) or does not (`lacks`). `command` is its `run` as written here. */
  readonly when?: { readonly command: string; readonly shows?: RegExp; readonly lacks?: RegExp };
  /**
   * Run once for each name that an earlier command's output holds, in its order, each name once: the first capture group
   * of `name`, tested against each line. A name with a control character, or that is longer than 128 characters, or more
   * than 512 names, fail the pull.
   */
  readonly forEach?: { readonly command: string; readonly name: RegExp };
  /** Run right after this one; within a `forEach` for the same name. Conditions look at the latest output of a command. */
  readonly followedBy?: readonly DeviceCommand[];
  /** A line of our own in front of the output, so that a reader can tell several outputs apart. */
  readonly heading?: string;
  /**
   * Left out, with those that it is followed by, where the device clearly refuses it (an exit status, or an error message in
   * place of an output) or shows nothing; cut short it is a failure all the same. Not for what a configuration is made of: its rules would
   * look removed.
   */
  readonly optional?: boolean;
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
    /**
     * The prompt at the end of the screen, in shell sessions: the cursor's line without escapes, and with its blanks. Tell it
     * by its whole line (names of HA roles, contexts, VDOMs; a `*` for unsaved changes), so that no line of an output is one.
     */
    readonly prompt: RegExp;
    /** A pager's question, at the end of the cursor's line, and what to answer. Paging is never configured away. */
    readonly pagers: readonly { readonly pattern: RegExp; readonly answer: string }[];
    /**
     * Banners that must be acknowledged before the first prompt: tested against the cursor's line in shell sessions and
     * against the questions of keyboard-interactive (RFC 4256), each answered once at most. `answer` is typed as it is: end
     * it with "\n" where Enter must be pressed.
     */
    readonly acknowledge?: readonly { readonly pattern: RegExp; readonly answer: string }[];
    /** Appended to the login name of shell sessions, for example RouterOS's terminal options "+cte511w4098h". */
    readonly loginSuffix?: string;
    /** What the Enter key sends in shell sessions; "\n" by default. */
    readonly enter?: '\n' | '\r' | '\r\n';
    /**
     * Whole lines of a shell session that are no output: messages that fall in from aside, and a line above each prompt such
     * as Junos's "{master:0}". They are left out of outputs and looked past for prompts.
     */
    readonly logLines?: readonly RegExp[];
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
  /**
   * Entries of outputs that yield `history`; named groups user, time, source (where the user came from), command, comment.
   * Indented lines under an entry that are none themselves are its comment.
   */
  readonly history?: readonly RegExp[];
  /** Gives an output that comes as one long line lines of its own, before it is redacted and kept; idempotent, never throws. */
  readonly layout?: (output: string) => string;
  /**
   * How a complete text ends that another collector stored or somebody pushed, where the end markers above prove our own
   * commands only. Left out: by those end markers.
   */
  readonly storedEnd?: RegExp;
  /** Configuration text -> rules. Never throws: what it cannot read it lists. */
  readonly read: (text: string) => RuleSet;
  /** What this definition does not understand yet, for people. */
  readonly knownGaps: readonly string[];
}

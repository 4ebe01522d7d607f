// what one subcommand of `postern` is; each stage that has one exports it from its command.ts

export interface Command {
  readonly name: string;
  /** One line for `postern --help`. */
  readonly summary: string;
  /** The whole of `postern NAME --help`, ending in a newline. */
  readonly help: string;
  /**
   * Runs with the arguments after the name; resolves to the exit status: 0 fine, 1 findings, 2 bad use or unreadable input.
   * Throws UsageError for bad use: main prints its message with a pointer to --help and exits 2.
   */
  readonly run: (args: readonly string[]) => Promise<number>;
}

export class UsageError extends Error {}

// what a reader is: the lines of one program that mean something, as a table
import type { EventKind } from '../../model/event.ts';

/** What a message says. */
export interface Reading {
  readonly kind: EventKind;
  readonly user?: string;
  readonly sourceAddress?: string;
  readonly command?: string;
  /** Where the message itself states it, more exactly than the header. */
  readonly observedAtMs?: number;
}

export interface Row {
  /** Of the whole name. */
  readonly program: RegExp;
  /** Named groups user, source and command are taken over. */
  readonly pattern: RegExp;
  /** A kind, or what the command says. */
  readonly kind: EventKind | ((command: string) => EventKind);
}

export type Reader = (program: string, message: string) => Reading | undefined;

/** The longest message that patterns are tried on; longer ones are cut for that. */
const MAX_LENGTH = 8192;

/** The first row that fits. */
export function tableReader(rows: readonly Row[]): Reader {
  return (program, message) => {
    for (const { program: programs, pattern, kind } of rows) {
      if (!programs.test(program)) continue;
      const match = pattern.exec(message.slice(0, MAX_LENGTH));
      if (!match) continue;
      const { user, source, command } = match.groups ?? {};
      return {
        kind: typeof kind === 'string' ? kind : kind(command ?? ''),
        user: user || undefined,
        sourceAddress: source || undefined,
        command: command?.trim() || undefined,
      };
    }
    return undefined;
  };
}

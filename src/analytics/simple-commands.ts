// a command line -> the simple commands that it runs: shells, pipes and prefixes (sudo, env, timeout, ip netns exec) taken off

import { prefixOf } from './command-prefixes.ts';
import { commandPieces, type Piece } from './command-words.ts';

const MAX_COMMANDS = 200;
const MAX_DEPTH = 6;
const MAX_WORDS = 4000;

export interface SimpleCommand {
  /** Without its folder: "iptables". */
  readonly name: string;
  /** As written: "/usr/sbin/iptables". */
  readonly path: string;
  readonly args: readonly string[];
  /** What `echo`, `printf` or a here-string feeds it, as far as the command line says. */
  readonly fed?: string;
  /** The command before it in the same pipeline. */
  readonly pipedFrom?: SimpleCommand;
  /** Redirections as written, sign first: "<rules.nft", "2>&1". */
  readonly redirections: readonly string[];
  /** Runs in another network namespace: its name, or the words that say so. */
  readonly namespace?: string;
  /** Prefixes that were taken off, outermost first: ["sudo", "sh"]. */
  readonly prefixes: readonly string[];
  /** The words of the command. */
  readonly text: string;
}

interface Around {
  readonly depth: number;
  readonly prefixes: readonly string[];
  readonly namespace?: string;
  readonly pipedFrom?: SimpleCommand;
  readonly redirections: readonly string[];
  readonly fed?: string;
}

const OUTERMOST: Around = { depth: 0, prefixes: [], redirections: [] };

/** `command`: exact words (an EXECVE record's), or a command line as text. Never throws; bounded. */
export function simpleCommands(command: string | readonly string[]): SimpleCommand[] {
  const found: SimpleCommand[] = [];
  if (typeof command === 'string') readText(command, OUTERMOST, found);
  else readWords(command.slice(0, MAX_WORDS).map(wordPiece), OUTERMOST, found);
  return found;
}

const wordPiece = (text: string): Piece => ({ kind: 'word', text, isQuoted: true, nested: [] });

function readText(text: string, around: Around, found: SimpleCommand[]): void {
  if (around.depth > MAX_DEPTH) return;
  let words: Piece[] = [];
  let redirections: string[] = [];
  let pipedFrom = around.pipedFrom;
  const deeper = { ...around, depth: around.depth + 1 };
  const finish = (operator: string) => {
    const before = found.length;
    readWords(words, { ...deeper, redirections, pipedFrom, fed: fedBy(pipedFrom, redirections) }, found);
    pipedFrom = operator.startsWith('|') && operator !== '||' ? (found[before] ?? undefined) : undefined;
    words = [];
    redirections = [];
  };
  let braces = 0;
  const pieces = commandPieces(text);
  for (const [i, piece] of pieces.entries()) {
    for (const nested of piece.nested) readText(nested, { ...deeper, pipedFrom: undefined }, found);
    if (found.length >= MAX_COMMANDS) return;
    if (piece.kind === 'redirection') redirections.push(piece.text);
    else if (piece.kind === 'word') {
      if (!piece.isQuoted) braces += piece.text === '{' ? 1 : piece.text === '}' && braces > 0 ? -1 : 0;
      words.push(piece);
      // What was joined from words holds nft's own braces and semicolons without their quotes.
    } else if (piece.text === ';' && words.some(isNft) && (braces > 0 || isNftStatement(pieces, i + 1)))
      words.push({ ...piece, kind: 'word' });
    else {
      braces = 0;
      finish(piece.text);
    }
  }
  finish('');
}

const isNft = ({ text }: Piece): boolean => /(?:^|\/)nft$/.test(text);

/** nft's own next statement may stand behind a semicolon: no shell has commands of these names. */
function isNftStatement(pieces: readonly Piece[], at: number): boolean {
  const isVerb = /^(?:add|create|insert|delete|destroy|replace|flush)$/.test(pieces[at]?.text ?? '');
  return isVerb && /^(?:ruleset|table|chain|rule|set|map|element)$/.test(pieces[at + 1]?.text ?? '');
}

const RESERVED = new Set(['if', 'then', 'else', 'elif', 'while', 'until', 'do', '!', '{', 'time']);

function readWords(all: readonly Piece[], around: Around, found: SimpleCommand[]): void {
  if (around.depth > MAX_DEPTH || found.length >= MAX_COMMANDS) return;
  let words = all;
  while (words.length > 0 && ((!words[0].isQuoted && RESERVED.has(words[0].text)) || isAssignment(words[0])))
    words = words.slice(1);
  if (words.length === 0) return;
  const path = words[0].text;
  const name = baseName(path);
  const prefix = prefixOf(name, words.slice(1));
  if (prefix) {
    const inner: Around = {
      ...around,
      depth: around.depth + 1,
      prefixes: [...around.prefixes, name],
      namespace: prefix.namespace ?? around.namespace,
    };
    if (prefix.script !== undefined) readText(prefix.script, inner, found);
    if (prefix.words) readWords(prefix.words, inner, found);
    if (prefix.script !== undefined || (prefix.words && prefix.words.length > 0)) return;
  }
  const args = words.slice(1).map(({ text }) => text);
  found.push({
    name,
    path,
    args,
    ...(around.fed === undefined ? {} : { fed: around.fed }),
    ...(around.pipedFrom ? { pipedFrom: around.pipedFrom } : {}),
    redirections: around.redirections,
    ...(around.namespace === undefined ? {} : { namespace: around.namespace }),
    prefixes: around.prefixes,
    text: [path, ...args].join(' '),
  });
}

const isAssignment = ({ text }: Piece): boolean => /^[A-Za-z_]\w{0,63}=/.test(text);

/** A login shell's name begins with a dash. */
export const baseName = (path: string): string =>
  path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/^-(?=\w)/, '')
    .replace(/ \(deleted\)$/, '');

function fedBy(from: SimpleCommand | undefined, redirections: readonly string[]): string | undefined {
  const here = redirections.find((text) => text.startsWith('<<<'));
  if (here) return here.slice(3);
  if (!from || !/^(?:echo|printf)$/.test(from.name)) return undefined;
  const words = from.args.filter((word, i) => i > 0 || !/^-[neE]{1,3}$/.test(word));
  return words.join(' ').replace(/\\n/g, '\n');
}

// postern diff OLD NEW: two configurations -> what newly became possible
import { readFile, stat } from 'node:fs/promises';
import { parseArgs, styleText } from 'node:util';
import { type AddressSet, addressSet } from '../model/addresses.ts';
import type { RuleChange } from '../model/change.ts';
import { type Command, UsageError } from '../model/command.ts';
import { PosternError } from '../model/errors.ts';
import type { RuleSet } from '../model/rule.ts';
import { DEFAULT_INTERNAL } from '../model/site.ts';
import { readRules } from '../rules/read.ts';
import { diffRuleSets } from './diff.ts';
import { describeChange, type Paint, presentChange } from './present.ts';

const MAX_BYTES = 64 * 1024 * 1024;

const help = `Usage: postern diff OLD NEW [--vendor V] [--internal PREFIX,...] [--json]

Compares two configurations of one device by what they do, not by their text, and
says what traffic newly became possible and what no longer is.

  --vendor V          the vendor of both files; recognised from their text without it
  --internal P,P,...  prefixes of the site; without it RFC 1918, ULA, CGNAT, link-local, loopback
  --json              one JSON object for programs

Exit status: 0 nothing became possible, 1 something did, 2 bad use or unreadable input.
Colours on a terminal, unless NO_COLOR is set.
`;

export const command: Command = {
  name: 'diff',
  summary: 'what newly became possible between two configurations',
  help,
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (positionals.length !== 2) throw new UsageError('diff takes two files: OLD and NEW');
  const site = { internal: internalOf(values.internal) };
  let sides: RuleSet[];
  try {
    sides = await Promise.all(positionals.map((path) => ruleSetOf(path, values.vendor)));
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    process.stderr.write(`postern diff: ${error.subject ? `${error.subject}: ` : ''}${error.message}\n`);
    return 2;
  }
  const changes = diffRuleSets(sides[0], sides[1], site);
  process.stdout.write(values.json ? asJson(changes, sides) : asText(changes, sides));
  return changes.some((change) => change.opens.length > 0) ? 1 : 0;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        vendor: { type: 'string' },
        internal: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function internalOf(text: string | undefined): AddressSet {
  if (text === undefined) return DEFAULT_INTERNAL;
  try {
    return addressSet(...text.split(',').map((part) => part.trim()));
  } catch (error) {
    throw new UsageError(`--internal: ${(error as Error).message}`);
  }
}

/** Throws PosternError with the path as its subject. */
async function ruleSetOf(path: string, vendor: string | undefined): Promise<RuleSet> {
  try {
    if ((await stat(path)).size > MAX_BYTES)
      throw new PosternError('input-too-large', 'larger than 64 MiB: not a configuration');
    return readRules(await readFile(path, 'utf8'), vendor).ruleSet;
  } catch (cause) {
    const code = cause instanceof PosternError ? cause.code : 'unreadable-input';
    throw new PosternError(code, (cause as Error).message, { subject: path, cause });
  }
}

const unreadOf = (sides: readonly RuleSet[]) => ({
  before: sides[0].unread.map((line) => line.number),
  after: sides[1].unread.map((line) => line.number),
});

function asJson(changes: readonly RuleChange[], sides: readonly RuleSet[]): string {
  return `${JSON.stringify({ changes: changes.map(presentChange), unread: unreadOf(sides) }, undefined, 2)}\n`;
}

function asText(changes: readonly RuleChange[], sides: readonly RuleSet[]): string {
  const paragraphs = changes.map((change) => `${describeChange(change, paint)}\n`);
  if (changes.length === 0) paragraphs.push('No rule differs in effect.\n');
  const { before, after } = unreadOf(sides);
  if (before.length + after.length > 0)
    paragraphs.push(
      `${before.length} lines of OLD and ${after.length} of NEW were not understood and are not compared; \`postern rules FILE\` lists them.\n`,
    );
  return paragraphs.join('\n');
}

const STYLES = {
  title: 'bold',
  added: 'green',
  removed: 'red',
  grave: ['bold', 'yellow'],
  faint: 'dim',
} as const;

/** styleText leaves colours out where standard output is no terminal or NO_COLOR is set. */
const paint: Paint = (style, text) => styleText(STYLES[style] as 'bold', text, { stream: process.stdout });

// postern diff OLD NEW: two configurations -> what newly became possible
import { readFile, stat } from 'node:fs/promises';
import { parseArgs, styleText } from 'node:util';
import { type AddressSet, addressSet } from '../model/addresses.ts';
import { type Command, UsageError } from '../model/command.ts';
import { PosternError } from '../model/errors.ts';
import type { SourceLine } from '../model/rule.ts';
import { DEFAULT_INTERNAL } from '../model/site.ts';
import { type ReadConfiguration, readRules } from '../rules/read.ts';
import { type Comparison, compareRuleSets } from './diff.ts';
import { presentChange, presentComment } from './present.ts';
import { asText, type Unread } from './report.ts';
import { compared, escapedJson, type Paint } from './rule-lines.ts';

const MAX_BYTES = 64 * 1024 * 1024;

const help = `Usage: postern diff OLD NEW [--vendor V] [--internal PREFIX,...] [--json]

Compares two configurations of one device by what they do, not by their text, and
says what traffic newly became possible and what no longer is.

  --vendor V          the vendor of both files; recognised from their text without it
  --internal P,P,...  prefixes of the site; without it RFC 1918, ULA, CGNAT, link-local, loopback
  --json              one JSON object for programs: vendor, changes, comments, renamedInterfaces, unread

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
  let sides: readonly ReadConfiguration[];
  try {
    sides = await Promise.all(positionals.map((path) => configurationOf(path, values.vendor)));
    refuseTwoVendors(sides);
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    process.stderr.write(`postern diff: ${error.subject ? `${error.subject}: ` : ''}${error.message}\n`);
    return 2;
  }
  const [before, after] = sides.map(({ ruleSet }) => ruleSet);
  const comparison = compareRuleSets(before, after, site);
  const unread = compared(before.unread, after.unread);
  const { vendor } = sides[1].definition;
  process.stdout.write(values.json ? asJson(vendor, comparison, unread) : asText(comparison, unread, paint));
  return comparison.changes.some((change) => change.opens.length > 0) ? 1 : 0;
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
async function configurationOf(path: string, vendor: string | undefined): Promise<ReadConfiguration> {
  try {
    if ((await stat(path)).size > MAX_BYTES)
      throw new PosternError('input-too-large', 'larger than 64 MiB: not a configuration');
    return readRules(await readFile(path, 'utf8'), vendor);
  } catch (cause) {
    const code = cause instanceof PosternError ? cause.code : 'unreadable-input';
    throw new PosternError(code, (cause as Error).message, { subject: path, cause });
  }
}

function refuseTwoVendors(sides: readonly ReadConfiguration[]): void {
  const [old, now] = sides.map(({ definition }) => definition);
  if (old.vendor === now.vendor) return;
  throw new PosternError(
    'two-vendors',
    `OLD reads as ${old.title} (${old.vendor}), NEW as ${now.title} (${now.vendor}): these are not one device; --vendor says what both are`,
  );
}

function asJson(vendor: string, comparison: Comparison, unread: Unread): string {
  const numbers = (lines: readonly SourceLine[]) => lines.map((line) => line.number);
  const document = {
    vendor,
    changes: comparison.changes.map(presentChange),
    comments: comparison.comments.map(presentComment),
    renamedInterfaces: comparison.renamedInterfaces,
    unread: {
      same: unread.both.length,
      before: numbers(unread.onlyBefore),
      after: numbers(unread.onlyAfter),
    },
  };
  return `${escapedJson(JSON.stringify(document, undefined, 2))}\n`;
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

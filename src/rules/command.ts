// postern rules FILE: a configuration -> its rules and its unread lines, for people or programs
import { readFile, stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../model/command.ts';
import { PosternError } from '../model/errors.ts';
import type { Rule, RuleSet } from '../model/rule.ts';
import { describeRuleSet, trafficText, translationText } from './describe.ts';
import { type ReadConfiguration, readRules } from './read.ts';

/** As large as a pull may be. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_CELL = 100;

const help = `postern rules FILE [--vendor V] [--json]

Reads a configuration as a device prints it and lists its rules and the lines that were not understood.
FILE may be - for standard input.

  --vendor V   read as this vendor's (for example linux-nftables); default: recognised from the text
  --json       one JSON object: vendor, rules, policies, unread

Exit status: 0 read, 2 unreadable or bad use.
`;

async function run(args: readonly string[]): Promise<number> {
  const { file, vendor, json } = parse(args);
  let configuration: ReadConfiguration;
  try {
    configuration = readRules(await readText(file), vendor);
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    process.stderr.write(`postern rules: ${file}: ${error.message}\n`);
    return 2;
  }
  process.stdout.write(json ? asJson(configuration) : asText(configuration));
  return 0;
}

function parse(args: readonly string[]): { file: string; vendor?: string; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { vendor: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    if (positionals.length !== 1) throw new UsageError('give one FILE');
    return { file: positionals[0], vendor: values.vendor, json: values.json };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

async function readText(file: string): Promise<string> {
  try {
    if (file === '-') return await readInput();
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new PosternError('unreadable-file', `cannot be read: ${(cause as Error).message}`, {
      subject: file,
      cause,
    });
  }
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of process.stdin) {
    byteCount += chunk.length;
    if (byteCount > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function asJson({ definition, ruleSet }: ReadConfiguration): string {
  const { rules, policies } = describeRuleSet(ruleSet);
  return `${JSON.stringify({ vendor: definition.vendor, rules, policies, unread: ruleSet.unread }, null, 2)}\n`;
}

function asText({ definition, ruleSet, text }: ReadConfiguration): string {
  const lines = [`${definition.title}: ${coverage(ruleSet, text)}`, ''];
  lines.push(...table(ruleSet.rules.map(ruleCells)));
  if (ruleSet.unread.length > 0) {
    lines.push('', 'Not understood:');
    for (const { number, text } of ruleSet.unread)
      lines.push(`  ${number}: ${shorten(printable(text), 200)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** "12 rules; 40 of 41 lines with rules read (97.6%)"; counted are lines on which rules stand or that were not understood. */
export function coverage(ruleSet: RuleSet, text: string): string {
  const standing = new Set<number>();
  for (const { lines } of ruleSet.rules) for (const { number } of lines) standing.add(number);
  const unread = new Set(ruleSet.unread.map(({ number }) => number));
  const read = [...standing].filter((number) => !unread.has(number)).length;
  const all = read + unread.size;
  const share = all === 0 ? 100 : Math.floor((read / all) * 1000) / 10;
  const lineCount = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return `${ruleSet.rules.length} rules; ${read} of ${all} lines with rules read (${share}%), of ${lineCount} lines in all`;
}

function ruleCells(rule: Rule): readonly string[] {
  const { context } = rule;
  const where = [
    context.family,
    context.table,
    context.chain,
    context.list,
    context.vrf,
    ...(context.interfaces ?? []),
  ];
  const what = [trafficText(rule.match)];
  if (rule.translation) what.push(`=> ${translationText(rule.translation)}`);
  if (rule.unresolved.length > 0) what.push(`if ${rule.unresolved.join(' and ')}`);
  return [
    rule.lines.map(({ number }) => number).join(','),
    rule.enabled ? rule.kind : `${rule.kind} (off)`,
    where.filter(Boolean).join(' '),
    rule.action,
    what.join(' '),
  ].map(printable);
}

function table(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ['no rules'];
  const all = [['LINES', 'KIND', 'WHERE', 'ACTION', 'TRAFFIC'], ...rows];
  const widths = all[0].map((_, i) =>
    all.reduce((width, row) => Math.max(width, Math.min(row[i].length, 40)), 0),
  );
  return all.map((row) =>
    row
      .map((cell, i) =>
        i === row.length - 1 ? shorten(cell, 2 * MAX_CELL) : shorten(cell, 40).padEnd(widths[i]),
      )
      .join('  '),
  );
}

const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 3)}...` : text;

/** A device's text never steers the terminal. */
const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');

export const command: Command = {
  name: 'rules',
  summary: 'list the rules of a configuration and the lines that were not understood',
  help,
  run,
};

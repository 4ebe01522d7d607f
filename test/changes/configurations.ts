// fixtures of test/devices, edits of their text, and what a diff says of them
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareRuleSets } from '../../src/changes/diff.ts';
import { describeOpening } from '../../src/changes/present.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';
import { readRules } from '../../src/rules/read.ts';

export const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../devices', name, 'snapshot.cfg'), 'utf8');

/** Each edit must find its text once. */
export function edited(text: string, ...edits: readonly (readonly [string, string])[]): string {
  return edits.reduce((now, [from, to]) => {
    const found = now.split(from).length - 1;
    assert.equal(found, 1, `${JSON.stringify(from)} stands ${found} times`);
    return now.replace(from, () => to);
  }, text);
}

export function comparison(before: string, after: string) {
  const [old, now] = [readRules(before), readRules(after)];
  assert.equal(old.definition, now.definition);
  return compareRuleSets(old.ruleSet, now.ruleSet, { internal: DEFAULT_INTERNAL });
}

/** "kind class key" of each change. */
export const changesOf = (before: string, after: string): string[] =>
  comparison(before, after).changes.map(({ kind, class: its, ruleKey }) => `${kind} ${its} ${ruleKey}`);

/** "first line of the rule: what opens", each opening a line. */
export const openingsOf = (before: string, after: string): string[] =>
  comparison(before, after).changes.flatMap(({ opens, after: rule, before: old }) =>
    opens.map((opening) => `${(rule ?? old)?.lines.at(-1)?.text.trim()}: ${describeOpening(opening)}`),
  );

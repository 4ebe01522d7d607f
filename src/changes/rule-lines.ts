// the lines that a rule stands on before and after -> lines for people, with the numbers of both sides
import type { Rule, SourceLine } from '../model/rule.ts';

export type Paint = (style: 'title' | 'added' | 'removed' | 'grave' | 'faint', text: string) => string;

/** Lines beyond these are counted, not shown. */
const SHOWN_LINES = 8;

/** "- line 4: ..." and "+ line 6: ..." for what one side has alone, "line 4 -> 6: ..." for what both have. */
export function linesOf(before: Rule | undefined, after: Rule | undefined, paint: Paint): string[] {
  const { both, onlyBefore, onlyAfter } = compared(before?.lines ?? [], after?.lines ?? []);
  const isSame = onlyBefore.length + onlyAfter.length === 0;
  const state = isSame && before && after ? stateText(before, after) : '';
  // What the rule itself says is its first line; of an edited group the rest is what was left alone.
  const kept = (isSame ? both : both.slice(0, 1)).map(([old, now]) =>
    paint('faint', `    line ${placeText(old, now)}: ${lineText(now)}${state}`),
  );
  const signed = (sign: '-' | '+', rule: Rule | undefined, lines: readonly SourceLine[]) =>
    lines.map((line) => {
      const off = rule?.enabled ? '' : ' (disabled)';
      const text = `  ${sign} line ${line.number}: ${lineText(line)}${off}`;
      return paint(sign === '-' ? 'removed' : 'added', text);
    });
  return [
    ...firstOf(kept),
    ...firstOf(signed('-', before, onlyBefore)),
    ...firstOf(signed('+', after, onlyAfter)),
  ];
}

const stateText = (before: Rule, after: Rule): string =>
  before.enabled === after.enabled
    ? after.enabled
      ? ''
      : ' (disabled)'
    : after.enabled
      ? ' (was disabled)'
      : ' (disabled now)';

const placeText = (old: SourceLine, now: SourceLine): string =>
  old.number === now.number ? `${now.number}` : `${old.number} -> ${now.number}`;

const lineText = ({ text }: SourceLine): string => visible(text.trim());

function firstOf(texts: readonly string[]): string[] {
  const more = texts.length - SHOWN_LINES;
  return more > 0 ? [...texts.slice(0, SHOWN_LINES), `    and ${more} more lines`] : [...texts];
}

/** Lines of the same text stand together, in order of appearance; the rest is of one side alone. */
export function compared(before: readonly SourceLine[], after: readonly SourceLine[]) {
  const waiting = Map.groupBy(before, ({ text }) => text.trim());
  const both: [SourceLine, SourceLine][] = [];
  const onlyAfter: SourceLine[] = [];
  for (const line of after) {
    const old = waiting.get(line.text.trim())?.shift();
    if (old) both.push([old, line]);
    else onlyAfter.push(line);
  }
  const left = new Set([...waiting.values()].flat());
  return { both, onlyBefore: before.filter((line) => left.has(line)), onlyAfter };
}

/** Control characters, and those that turn the direction of writing. */
const STEERING = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escaped = (text: string): string =>
  text.replace(STEERING, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A device's text can hold anything; a terminal must not act on it. */
export const visible = (text: string): string => escaped(text.slice(0, 500));

/** JSON leaves some of them as they are; as escapes its strings say the same. */
export const escapedJson = (json: string): string => json.split('\n').map(escaped).join('\n');

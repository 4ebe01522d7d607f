// a comparison -> the text that people read: a paragraph a change, and below what is apart from changes
import type { SourceLine } from '../model/rule.ts';
import type { CommentChange, Comparison } from './diff.ts';
import { describeChange } from './present.ts';
import { type compared, type Paint, visible } from './rule-lines.ts';

/** Lines that were not understood, by the sides that have them. */
export type Unread = ReturnType<typeof compared>;

/** Items of a list beyond these are counted, not shown. */
const SHOWN = 10;

export function asText({ changes, comments, renamedInterfaces }: Comparison, unread: Unread, paint: Paint) {
  const paragraphs = [
    ...(changes.length > 0
      ? changes.map((change) => describeChange(change, paint))
      : ['No rule differs in effect.']),
    ...listed(
      'Interfaces with another name, compared as what they are:',
      renamedInterfaces.map(({ before, after }) => `${visible(before)} -> ${visible(after)}`),
    ),
    ...listed('Comments that differ, with no effect on traffic:', comments.map(commentText)),
    ...unreadText(unread),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function listed(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length - SHOWN;
  const shown = items.slice(0, SHOWN).map((item) => `  ${item}`);
  return [[title, ...shown, ...(more > 0 ? [`  and ${more} more; --json shows all`] : [])].join('\n')];
}

function commentText({ before, after }: CommentChange): string {
  const text = (comment: string | undefined) => (comment ? `"${visible(comment)}"` : 'none');
  const lines = [before, after].map((rule) => rule.lines[0]?.number).filter((number) => number !== undefined);
  return `line ${[...new Set(lines)].join(' -> ')}: ${text(before.comment)} -> ${text(after.comment)}`;
}

function unreadText({ both, onlyBefore, onlyAfter }: Unread): string[] {
  const text = (sign: string) => (line: SourceLine) =>
    `${sign} line ${line.number}: ${visible(line.text.trim())}`;
  const differing = [...onlyBefore.map(text('-')), ...onlyAfter.map(text('+'))];
  if (differing.length > 0)
    return listed('Lines that were not understood differ, and what they do is not compared:', differing);
  if (both.length === 0) return [];
  return [`${both.length} lines were not understood; they are the same on both sides.`];
}

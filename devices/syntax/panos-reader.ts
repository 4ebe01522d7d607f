// what all readers of PAN-OS rulebases share: the assembly, and rules made once however many scopes meet them
import type { Rule, RuleKind } from '../../src/model/rule.ts';
import type { Assembled, Assembly, RuleDraft } from './assemble.ts';
import { isYes, last } from './panos-config.ts';
import type { Match } from './panos-match.ts';
import type { Rulebase, Scope } from './panos-scope.ts';
import { linesUnder, list, type WordTree } from './tree.ts';

export interface Reader {
  readonly assembly: Assembly;
  /** Rules by where they are written: device groups share those of their parents. */
  readonly made: Map<WordTree, Assembled>;
}

export interface WrittenRule {
  readonly node: WordTree;
  readonly owner: Scope;
  /** "security vsys1", "security DG pre". */
  readonly list: string;
  readonly enabled: boolean;
}

/** Rules of one kind that packets of a scope meet, in order. */
export function rulesOf(scope: Scope, kind: string): WrittenRule[] {
  return scope.rulebases.flatMap(({ node, owner, place, author }: Rulebase) =>
    list(node, kind, 'rules').map((rule) => ({
      node: rule,
      owner,
      list: `${kind} ${author}${place === 'local' ? '' : ` ${place}`}`,
      enabled: !isYes(rule, 'disabled'),
    })),
  );
}

interface Made extends Partial<Pick<RuleDraft, 'translation' | 'comment'>> {
  readonly kind: RuleKind;
  readonly action: string;
  /** As it reads where it is written. */
  readonly match: Match;
}

export function keyOf({ node, list }: WrittenRule): string {
  return last(node, 'uuid') ?? `${list} ${node.word}`;
}

export function makeRule(written: WrittenRule, { assembly }: Reader, made: Made): Assembled {
  const { kind, action, match, translation } = made;
  const comment = made.comment ?? last(written.node, 'description');
  const context: Rule['context'] = { list: written.list };
  return assembly.rule({
    key: keyOf(written),
    kind,
    list: written.list,
    enabled: written.enabled,
    context,
    matches: match.possible,
    unresolved: match.unresolved,
    ...(translation ? { translation } : {}),
    action,
    ...(comment === undefined ? {} : { comment: comment.slice(0, 1_024) }),
    lines: match.lines,
  });
}

/** The same for every scope that meets it. */
export function once(reader: Reader, node: WordTree, make: () => Assembled): Assembled {
  const known = reader.made.get(node);
  if (known) return known;
  const made = make();
  reader.made.set(node, made);
  return made;
}

/** What of a statement is in none of the words that its reader knows. */
export function reportUnknown(reader: Reader, node: WordTree, known: ReadonlySet<string>): void {
  for (const child of node.children.values())
    if (!known.has(child.word)) reader.assembly.notUnderstood(...linesUnder(child));
}

/** Words that any rule may have and that say nothing of what it does to a packet. */
export const QUIET_WORDS =
  'uuid description tag group-tag audit-comment profile-setting log-setting log-start log-end option disabled target loc';

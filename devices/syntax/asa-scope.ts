// one context of an ASA -> the tables that its rules are resolved by
import type { Policy, RuleContext, SourceLine } from '../../src/model/rule.ts';
import { type AsaInterfaces, readAsaInterfaces } from './asa-interfaces.ts';
import { type AsaObjects, readAsaObjects } from './asa-objects.ts';
import { type AsaPart, isOldNat } from './asa-text.ts';
import type { Assembly } from './assemble.ts';
import { type Block, wordsOf } from './indent.ts';
import { MAX_LINES } from './objects.ts';

export interface AsaScope {
  readonly context?: string;
  readonly blocks: readonly Block[];
  readonly assembly: Assembly;
  readonly objects: AsaObjects;
  readonly interfaces: AsaInterfaces;
  /** 8.2 and earlier: static and global, access lists on addresses as packets arrive. */
  readonly isOld: boolean;
  /** Since 9.0 `any` is both families, and access lists hold both. */
  readonly anyIsBoth: boolean;
  /** A name in keys, ids and lists, told apart from those of other contexts. */
  readonly own: (name: string) => string;
  readonly ruleContext: (rest: RuleContext) => RuleContext;
  readonly everywhere: Policy['appliesTo'];
}

export function asaScope(part: AsaPart, assembly: Assembly): AsaScope {
  const { context, blocks, version } = part;
  const note = (line: SourceLine) => assembly.notUnderstood(line);
  const objects = readAsaObjects(blocks, note);
  const interfaces = readAsaInterfaces(blocks, context, objects.alias);
  const isOld = isOldNat(version, blocks);
  const all = interfaces.namesOf('any');
  return {
    ...(context === undefined ? {} : { context }),
    blocks,
    assembly,
    objects,
    interfaces,
    isOld,
    anyIsBoth: version ? version.isFtd || version.number >= 900 : !isOld,
    own: (name) => (context === undefined ? name : `${context}/${name}`),
    ruleContext: (rest) => (context === undefined ? rest : { vrf: context, ...rest }),
    everywhere: { ingress: all, egress: all },
  };
}

/** Statements that begin with these words. */
export const statements = (scope: AsaScope, ...start: readonly string[]) =>
  scope.blocks.flatMap((block) => {
    const words = wordsOf(block.text);
    return start.every((word, i) => words[i] === word) ? [{ block, words }] : [];
  });

/** Each line once, as many as a rule keeps. */
export function linesOnce(lines: readonly SourceLine[]): SourceLine[] {
  const byNumber = new Map<number, SourceLine>();
  for (const line of lines)
    if (byNumber.size < MAX_LINES && !byNumber.has(line.number)) byNumber.set(line.number, line);
  return [...byNumber.values()];
}

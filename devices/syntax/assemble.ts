// what a reader understood of a configuration -> RuleSet: unique keys, positions, policies and unread lines
import type {
  DeviceInterface,
  EntryAction,
  Policy,
  PolicyEntry,
  Rule,
  RuleSet,
  SourceLine,
} from '../../src/model/rule.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import { uniqueKeys } from '../../src/rules/key.ts';
import { hullOf, oneFamily } from './boxes.ts';

/** A rule before it has its position; `matches` are the boxes of traffic that it means, none where it means no traffic. */
export interface RuleDraft extends Omit<Rule, 'position' | 'match' | 'enabled' | 'context' | 'unresolved'> {
  /** Positions count within it. */
  readonly list: string;
  readonly matches: readonly Traffic[];
  readonly enabled?: boolean;
  readonly context?: Rule['context'];
  readonly unresolved?: readonly string[];
}

/** A rule with its boxes, as a policy needs them. */
export interface Assembled {
  readonly rule: Rule;
  readonly matches: readonly Traffic[];
}

export interface EntryOptions {
  /** Where the entry meets other boxes than the rule's own. */
  readonly matches?: readonly Traffic[];
  readonly translation?: PolicyEntry['translation'];
  /** Instead of the rule's own reasons. */
  readonly unresolved?: readonly string[];
  readonly translated?: boolean;
}

export interface PolicyBuilder {
  /** Adds an entry for each box. A disabled rule adds none. */
  readonly entry: (from: Assembled, action: EntryAction, options?: EntryOptions) => void;
}

export interface Assembly {
  readonly rule: (draft: RuleDraft) => Assembled;
  /** Policies are met in the order in which they were begun; one without entries is left out unless its default drops. */
  readonly policy: (policy: Omit<Policy, 'entries'>) => PolicyBuilder;
  readonly notUnderstood: (...lines: readonly SourceLine[]) => void;
  readonly result: (interfaces: readonly DeviceInterface[]) => RuleSet;
}

export function assemble(): Assembly {
  const rules: Rule[] = [];
  const policies: (Omit<Policy, 'entries'> & { readonly entries: PolicyEntry[] })[] = [];
  const unread = new Map<number, SourceLine>();
  const positions = new Map<string, number>();
  const unique = uniqueKeys();
  return {
    rule: ({ list, matches, enabled = true, context = {}, unresolved = [], key, ...draft }) => {
      const position = positions.get(list) ?? 0;
      positions.set(list, position + 1);
      const boxes = matches.map(oneFamily);
      const rule: Rule = {
        ...draft,
        key: unique(key),
        enabled,
        position,
        context,
        match: hullOf(boxes),
        unresolved,
      };
      rules.push(rule);
      return { rule, matches: boxes };
    },
    policy: (head) => {
      const entries: PolicyEntry[] = [];
      policies.push({ ...head, entries });
      return {
        entry: ({ rule, matches }, action, options = {}) => {
          if (!rule.enabled) return;
          const { translation, translated, unresolved = rule.unresolved } = options;
          for (const match of options.matches?.map(oneFamily) ?? matches)
            entries.push({
              ruleKey: rule.key,
              match,
              unresolved,
              ...(translated === undefined ? {} : { translated }),
              action,
              ...(translation === undefined ? {} : { translation }),
            });
        },
      };
    },
    notUnderstood: (...lines) => {
      for (const { number, text } of lines) unread.set(number, { number, text });
    },
    result: (interfaces) => ({
      rules,
      policies: policies.filter(({ entries, otherwise }) => entries.length > 0 || otherwise === 'drop'),
      interfaces,
      unread: [...unread.values()].sort((a, b) => a.number - b.number),
    }),
  };
}

import type { RuleSet } from '../../src/model/rule.ts';

export function readNftJson(_text: string): RuleSet {
  return { rules: [], policies: [], interfaces: [], unread: [] };
}

// a host's rules -> what they amount to: how many filter rules are active, and which policies accept or drop
import type { RulesetState } from '../model/host.ts';
import type { Rule, RuleSet } from '../model/rule.ts';

/** iptables(8): built-in chains of the filter table; a base chain of nftables says what it is by its policy rule. */
const BUILT_IN = /^(?:INPUT|FORWARD|OUTPUT)$/;
const POLICY = /^policy (?:accept|drop)$/;

const chainOf = ({ context }: Rule): string =>
  [context.family, context.table, context.chain].filter(Boolean).join(' ');

/**
 * Rules that stand for a policy are not counted as rules. A policy that accepts is known where the reader tells it, and of a
 * built-in chain that holds rules; that one no longer drops is told by `dropping`, whatever became of its chain.
 */
export function stateOf(ruleSet: RuleSet, takenAtMs: number): RulesetState {
  const enabled = ruleSet.rules.filter((rule) => rule.enabled);
  const policies = enabled.filter((rule) => POLICY.test(rule.action));
  const rules = enabled.filter((rule) => !POLICY.test(rule.action));
  const filters = rules.filter((rule) => rule.kind === 'filter');
  const dropping = new Set(policies.filter(({ action }) => action === 'policy drop').map(chainOf));
  const accepting = new Set(policies.filter(({ action }) => action === 'policy accept').map(chainOf));
  for (const rule of filters) {
    const { table, chain = '' } = rule.context;
    if (table === 'filter' && BUILT_IN.test(chain) && !dropping.has(chainOf(rule)))
      accepting.add(chainOf(rule));
  }
  const met = new Set([
    ...dropping,
    ...accepting,
    ...ruleSet.policies.filter(({ stage }) => stage === 'filter').map(({ id }) => id),
  ]);
  return {
    takenAtMs,
    activeRules: filters.length,
    accepting: [...accepting].sort(),
    policies: met.size,
    dropping: [...dropping].sort(),
    natRules: rules.filter((rule) => rule.kind === 'nat').length,
  };
}

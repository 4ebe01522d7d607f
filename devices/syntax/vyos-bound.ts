// a named list that some traffic is sent to -> a chain of its own: whatever the list lets pass, others may still stop
import { intersectTraffic, type NameSet, type Traffic } from '../../src/model/traffic.ts';
import type { Branch, ChainRule } from './flatten.ts';
import type { Chain } from './netfilter.ts';

const MAX_DEPTH = 16;

/**
 * The list as seen by the packets of `where`. A return at its end is no decision against them, as for a hook whose policy is
 * to accept, so that lists of both directions of a packet are filters one after the other, all of which must let it pass.
 */
export function boundChain(id: string, list: Chain, where: Traffic, first: readonly ChainRule[] = []): Chain {
  return {
    id,
    family: list.family,
    base: { type: 'filter', hook: 'forward', priority: 0, policy: 'accept', policyKey: '' },
    rules: [...first, ...list.rules].flatMap((rule) => {
      const branches = rule.branches.flatMap((branch): Branch[] => {
        const match = intersectTraffic(branch.match, where);
        return match ? [{ ...branch, match }] : [];
      });
      return branches.length === 0 ? [] : [{ lines: rule.lines, branches }];
    }),
  };
}

/** The same for a binding of an interface and for the jump that the migration makes of it. */
export function boundId(hook: string, list: string, { ingress, egress }: Traffic): string {
  const text = ({ except, names }: NameSet) => `${except ? '!' : ''}${names.join()}`;
  return `${hook} to ${list} (${text(ingress)}>${text(egress)})`;
}

/**
 * Jumps at the head of a hook to lists that never accept for good are the same as filters of their own, since nothing is
 * accepted before them: such is what the migration of old configurations makes. The rest stays one chain.
 */
export function splitJumps(hook: Chain, byId: ReadonlyMap<string, Chain>): Chain[] {
  const split: Chain[] = [];
  const rest: ChainRule[] = [];
  let atHead = true;
  for (const rule of hook.rules) {
    const parts = atHead ? headJump(hook.id, rule, byId) : undefined;
    if (parts) split.push(...parts);
    else {
      rest.push(rule);
      atHead &&= rule.branches.every(({ outcome }) => outcome.kind === 'drop');
    }
  }
  return [...split, { ...hook, rules: rest }];
}

function headJump(
  id: string,
  { branches }: ChainRule,
  byId: ReadonlyMap<string, Chain>,
): Chain[] | undefined {
  if (branches.length === 0) return undefined;
  const chains: Chain[] = [];
  for (const { outcome, match, unresolved, translated } of branches) {
    const list = outcome.kind === 'jump' ? byId.get(outcome.chain) : undefined;
    if (!list || unresolved.length > 0 || translated !== undefined || !neverAccepts(list, byId, 0))
      return undefined;
    chains.push(boundChain(boundId(id, list.id, match), list, match));
  }
  return chains;
}

function neverAccepts(list: Chain, byId: ReadonlyMap<string, Chain>, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  return list.rules.every(({ branches }) =>
    branches.every(({ outcome }) => {
      if (outcome.kind === 'drop' || outcome.kind === 'return') return true;
      const next = outcome.kind === 'jump' ? byId.get(outcome.chain) : undefined;
      return next !== undefined && neverAccepts(next, byId, depth + 1);
    }),
  );
}

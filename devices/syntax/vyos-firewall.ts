// `firewall` of VyOS 1.2 to 1.5 and EdgeOS -> rules, and the chains that packets meet
import type { Rule } from '../../src/model/rule.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import { NOTHING } from './boxes.ts';
import type { ChainRule, Outcome } from './flatten.ts';
import { type Chain, familyTraffic, type Hook } from './netfilter.ts';
import { at, list, type WordTree, word } from './tree.ts';
import { type Binding, readBindings } from './vyos-bindings.ts';
import { boundChain, boundId, splitJumps } from './vyos-bound.ts';
import { type Family, makeRule, plainRule, type Vyos } from './vyos-config.ts';
import { keysOf, linesOf, numbered } from './vyos-text.ts';
import { zoneChains } from './vyos-zones.ts';

/** A rule set by its name, or the one of a hook. */
interface RuleList {
  readonly family: Family;
  /** As the context shows it: a name, or "forward filter". */
  readonly name: string;
  readonly node: WordTree;
  /** Up to VyOS 1.3 and in EdgeOS "accept" ends the named list, not the hook: both directions of a packet are asked. */
  readonly old: boolean;
  readonly hook?: Hook;
  readonly priority?: number;
}

const HOOKS: readonly Hook[] = ['prerouting', 'input', 'forward', 'output'];
/** nft(8): priorities by name. */
const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, filter: 0 };
const FAMILIES: Readonly<Record<string, Family>> = { ipv4: 'ip', ipv6: 'ip6', bridge: 'bridge' };

export const namedChain = (family: Family, name: string): string => `${family} name ${name}`;

/** `first`: rules that the forward hook asks in front of those of interfaces. Chains are for netfilterPolicies. */
export function firewallChains(vyos: Vyos, first: readonly ChainRule[] = []): Chain[] {
  const lists = ruleLists(vyos.tree);
  const bindings = readBindings(vyos);
  stateRules(vyos);
  const all = lists.map((one) => chainOf(one, vyos));
  const named = new Map(all.map((chain) => [chain.id, chain]));
  const hooks = all.flatMap((chain) => (chain.base?.hook === 'forward' ? splitJumps(chain, named) : [chain]));
  noteOthers(vyos);
  return [...hooks, ...bindingChains(bindings, first, named, vyos), ...zoneChains(named, vyos)];
}

function ruleLists(tree: WordTree): RuleList[] {
  const named = (family: Family, old: boolean, ...path: string[]) =>
    list(tree, 'firewall', ...path).map((node): RuleList => ({ family, name: node.word, node, old }));
  const lists = [...named('ip', true, 'name'), ...named('ip6', true, 'ipv6-name')];
  for (const [word, family] of Object.entries(FAMILIES)) {
    lists.push(...named(family, false, word, 'name'));
    for (const hook of HOOKS)
      for (const node of list(tree, 'firewall', word, hook)) {
        const priority = PRIORITIES[node.word];
        if (priority !== undefined)
          lists.push({ family, name: `${hook} ${node.word}`, node, old: false, hook, priority });
      }
  }
  return lists;
}

const KNOWN = new Set(
  'action jump-target offload-target queue queue-options synproxy add-address-to-group set'.split(' '),
);
const LIST_WORDS = new Set(
  'default-action default-jump-target default-log enable-default-log description rule'.split(' '),
);

function chainOf(one: RuleList, vyos: Vyos): Chain {
  const { family, name, node, hook, priority } = one;
  const id = hook ? `${family} ${name}` : namedChain(family, name);
  const list = `firewall ${family} ${hook ? '' : 'name '}${name}`;
  const rules = numbered(node, 'rule');
  const keys = keysOf(list, rules);
  const chainRules: ChainRule[] = [];
  rules.forEach((rule, i) => {
    const written = word(rule, 'action');
    const outcomes = outcomesOf(written, word(rule, 'jump-target'), one);
    if (!outcomes) vyos.notUnderstood(at(rule, 'action') ?? rule);
    const { chainRule } = makeRule(
      {
        node: rule,
        key: keys[i],
        kind: 'filter',
        list,
        family,
        known: KNOWN,
        context: { family, chain: name },
        action: actionText(written, word(rule, 'jump-target'), one),
        outcomes: outcomes ?? [],
        unresolved: outcomes ? (written === 'queue' ? ['queue'] : []) : [`action ${written ?? 'missing'}`],
      },
      vyos,
    );
    chainRules.push(chainRule);
  });
  for (const child of node.children.values()) if (!LIST_WORDS.has(child.word)) vyos.notUnderstood(child);
  const { key, rule } = defaultRule(one, list, vyos);
  chainRules.push(rule);
  const base = hook && {
    type: 'filter' as const,
    hook,
    priority: priority!,
    policy: 'accept' as const,
    policyKey: key,
  };
  return { id, family, ...(base ? { base } : {}), rules: chainRules };
}

/** A named list drops what it does not decide; a hook accepts it. */
function defaultRule(one: RuleList, list: string, vyos: Vyos): { key: string; rule: ChainRule } {
  const { family, name, node, hook } = one;
  const written = word(node, 'default-action') ?? (hook ? 'accept' : 'drop');
  const target = word(node, 'default-jump-target');
  const own = at(node, 'default-action');
  const assembled = vyos.assembly.rule({
    key: `${list}:default`,
    kind: 'filter',
    list,
    context: { family, chain: name },
    matches: [familyTraffic(family)],
    action: `default ${actionText(written, target, one)}`,
    lines: own ? linesOf(own) : node.lines.slice(0, 1),
  });
  const [outcome] = outcomesOf(written, target, one) ?? [];
  const rule = outcome ? plainRule(assembled, outcome) : { lines: [], branches: [] };
  if (!outcome && own && written !== 'continue') vyos.notUnderstood(own);
  return { key: assembled.rule.key, rule };
}

/** In a named list "accept" of old versions and "return" of new ones are the same (migration firewall 10 to 11). */
function actionText(action: string | undefined, target: string | undefined, { hook }: RuleList): string {
  if (action === 'return' && !hook) return 'accept';
  return action === 'jump' ? `jump ${target ?? ''}` : (action ?? 'none');
}

function outcomesOf(
  action: string | undefined,
  target: string | undefined,
  { old, family }: RuleList,
): readonly Outcome[] | undefined {
  switch (action) {
    case 'accept':
      return [{ kind: old ? 'return' : 'accept' }];
    case 'drop':
    case 'reject':
      return [{ kind: 'drop' }];
    case 'return':
      return [{ kind: 'return' }];
    case 'jump':
      return target === undefined ? undefined : [{ kind: 'jump', chain: namedChain(family, target) }];
    case 'queue':
      return [{ kind: 'accept' }];
    // They go on to the next rule; inspect (an IPS) does so when it is satisfied.
    case 'continue':
    case 'notrack':
    case 'offload':
    case 'synproxy':
    case 'inspect':
      return [];
    default:
      return undefined;
  }
}

/** State policies decide packets of known connections, and invalid ones: no new connection. */
function stateRules({ tree, assembly }: Vyos): void {
  const states = [
    ...list(tree, 'firewall', 'state-policy'),
    ...list(tree, 'firewall', 'global-options', 'state-policy'),
  ];
  for (const state of states)
    assembly.rule({
      key: `firewall state-policy:${state.word}`,
      kind: 'filter',
      list: 'state-policy',
      context: { list: 'state-policy' },
      matches: [NOTHING],
      unresolved: [`state ${state.word}`],
      action: word(state, 'action') ?? 'none',
      lines: linesOf(state),
    });
}

/** Up to VyOS 1.3: the hooks ask the lists that interfaces name, those of `in` before those of `out`. */
function bindingChains(
  bindings: readonly Binding[],
  first: readonly ChainRule[],
  named: ReadonlyMap<string, Chain>,
  vyos: Vyos,
): Chain[] {
  const chains: Chain[] = [];
  for (const family of ['ip', 'ip6'] as const)
    for (const hook of ['input', 'forward'] as const) {
      const own = bindings.filter(
        (one) => one.family === family && (one.direction === 'local') === (hook === 'input'),
      );
      if (own.length === 0) continue;
      const context = { family, chain: `${hook} filter` };
      const list = `firewall ${family} ${hook} filter`;
      for (const binding of own) {
        const where = bindingRule(binding, list, context, vyos);
        const target = named.get(namedChain(family, binding.target));
        const id = boundId(`${family} ${hook} filter`, namedChain(family, binding.target), where);
        if (hook === 'forward' && target)
          chains.push(boundChain(id, target, where, family === 'ip' ? first : []));
      }
      vyos.assembly.rule({
        key: `${list}:default`,
        kind: 'filter',
        list,
        context,
        matches: [familyTraffic(family)],
        action: 'default accept',
        lines: [],
      });
    }
  return chains;
}

/** As the migration to VyOS 1.4 writes it: a rule of the hook that jumps to the list. */
function bindingRule(binding: Binding, list: string, context: Rule['context'], vyos: Vyos): Traffic {
  const { family, face, direction, target, line } = binding;
  const end = direction === 'out' ? 'outbound' : 'inbound';
  const dimension = direction === 'out' ? 'egress' : 'ingress';
  const where = { ...familyTraffic(family), [dimension]: vyos.expand(face) };
  vyos.assembly.rule({
    key: `${list}:${ruleKey(list, 'action jump', `${end}-interface ${face}`, `jump-target ${target}`)}`,
    kind: 'filter',
    list,
    context,
    matches: [where],
    action: `jump ${target}`,
    lines: [line],
  });
  return where;
}

/** Words under `firewall` that say nothing of which packets pass, besides those that are read here and elsewhere. */
const FIREWALL_WORDS = new Set(
  (
    'name ipv6-name ipv4 ipv6 bridge group zone state-policy interface modify ipv6-modify global-options options flowtable ' +
    'all-ping broadcast-ping config-trap ipv6-receive-redirects ipv6-src-route ip-src-route log-martians receive-redirects ' +
    'send-redirects source-validation ipv6-source-validation syn-cookies twa-hazards-protection resolver-cache resolver-internal ' +
    'resolver-interval directed-broadcast disable-ipv6 conntrack-expect-table-size conntrack-hash-size conntrack-table-size ' +
    'conntrack-tcp-loose mss-clamp'
  ).split(' '),
);
const FAMILY_WORDS = new Set(['name', ...HOOKS]);

function noteOthers({ tree, notUnderstood }: Vyos): void {
  for (const node of list(tree, 'firewall')) if (!FIREWALL_WORDS.has(node.word)) notUnderstood(node);
  for (const family of Object.keys(FAMILIES))
    for (const node of list(tree, 'firewall', family)) {
      if (!FAMILY_WORDS.has(node.word)) notUnderstood(node);
      else if (node.word !== 'name')
        for (const priority of node.children.values())
          if (PRIORITIES[priority.word] === undefined) notUnderstood(priority);
    }
}

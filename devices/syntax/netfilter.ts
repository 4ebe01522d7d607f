// tables and chains of nftables or iptables -> policies, by hook and priority
import { ANY_V4, ANY_V6 } from '../../src/model/addresses.ts';
import type { EntryAction, Policy, PolicyEntry, Rule, SourceLine } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, allNamesBut, names, type Traffic } from '../../src/model/traffic.ts';
import { type Budget, type ChainRule, flatten, newBudget, type Step } from './flatten.ts';

/** The name that stands for packets which the device itself sends. */
export const LOCAL = '(local)';
export type Hook = 'ingress' | 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'egress';
export type Family = 'ip' | 'ip6' | 'inet' | 'bridge' | 'arp' | 'netdev';

export interface BaseChain {
  readonly type: 'filter' | 'nat' | 'route';
  readonly hook: Hook;
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  /** The rule that stands for the chain's policy. */
  readonly policyKey: string;
  readonly devices?: readonly string[];
}

export interface Chain {
  readonly id: string;
  readonly family: Family;
  readonly base?: BaseChain;
  readonly rules: readonly ChainRule[];
}

/** In the order in which a forwarded packet meets the hooks. */
const HOOKS: readonly Hook[] = [
  'ingress',
  'prerouting',
  'input',
  'forward',
  'output',
  'postrouting',
  'egress',
];
/** NF_IP_PRI_NAT_DST and NF_IP_PRI_NAT_SRC of linux/netfilter_ipv4.h. */
const DESTINATION_NAT = -100;
const SOURCE_NAT = 100;

/** What a table of the family sees at all. */
export function familyTraffic(family: Family): Traffic {
  if (family === 'ip') return { ...ANY_TRAFFIC, sources: ANY_V4, destinations: ANY_V4 };
  if (family === 'ip6') return { ...ANY_TRAFFIC, sources: ANY_V6, destinations: ANY_V6 };
  return ANY_TRAFFIC;
}

/** Policies of everything bound to a hook that forwarded packets meet; unread: lines beyond the bounds of flattening. */
export function netfilterPolicies(chains: readonly Chain[]): {
  readonly policies: readonly Policy[];
  readonly unread: readonly SourceLine[];
} {
  const byId = new Map(chains.map((chain) => [chain.id, chain.rules]));
  const budget = newBudget();
  const unread = new Set<SourceLine>();
  const bound = chains.filter(isMet).sort((a, b) => order(a) - order(b));
  const flat = bound.map((chain) => {
    const result = flattenChain(chain, byId, budget);
    for (const line of result.unread) unread.add(line);
    return {
      chain,
      base: chain.base!,
      steps: untranslated(chain.base!, conditional(chain.base!, result.steps)),
    };
  });
  const hasLocal = flat.some(
    ({ base, steps }) => base.hook === 'output' && steps.some(({ outcome }) => outcome.kind === 'translate'),
  );
  const policies = flat.flatMap(({ chain, base, steps }) => {
    if (base.hook === 'output')
      return natPolicies(chain, base, steps, { ingress: names(LOCAL), egress: ANY_NAME });
    const where = whereOf(base, hasLocal);
    return base.type === 'nat'
      ? natPolicies(chain, base, steps, where)
      : [...redirectPolicy(chain, steps, where), ...filterPolicy(chain, base, steps, where)];
  });
  return { policies, unread: [...unread] };
}

function whereOf({ hook, devices }: BaseChain, hasLocal: boolean): Where {
  const onDevices = devices ? names(...devices) : ANY_NAME;
  if (hook === 'ingress') return { ingress: onDevices, egress: ANY_NAME };
  if (hook === 'egress') return { ingress: ANY_NAME, egress: onDevices };
  return { ingress: hasLocal && hook !== 'postrouting' ? allNamesBut(LOCAL) : ANY_NAME, egress: ANY_NAME };
}

/** nft before 1.0.8 does not print the devices of an ingress chain in JSON: on which of them it acts is then not known. */
function conditional({ hook, devices }: BaseChain, steps: readonly Step[]): readonly Step[] {
  if (devices || (hook !== 'ingress' && hook !== 'egress')) return steps;
  return steps.map((step) => ({ ...step, unresolved: [...step.unresolved, "the chain's device"] }));
}

/** In front of destination NAT no packet is translated yet. */
function untranslated(base: BaseChain, steps: readonly Step[]): readonly Step[] {
  const isEarly = base.hook === 'prerouting' && (base.type === 'nat' || base.priority < DESTINATION_NAT);
  if (!isEarly && base.hook !== 'ingress') return steps;
  return steps.flatMap(({ translated, ...step }) => (translated ? [] : [step]));
}

/** Whether a forwarded packet meets the chain, or its own packets are translated by it. */
function isMet({ family, base }: Chain): boolean {
  if (!base || family === 'bridge' || family === 'arp') return false;
  if (base.hook === 'input') return false;
  return base.hook !== 'output' || base.type === 'nat';
}

const order = ({ base }: Chain): number => HOOKS.indexOf(base!.hook) * 1e9 + base!.priority;

function flattenChain(chain: Chain, byId: Map<string, readonly ChainRule[]>, budget: Budget) {
  return flatten(chain.id, familyTraffic(chain.family), (id) => byId.get(id), budget, chain.base!.policy);
}

type Where = Policy['appliesTo'];

function natPolicies(chain: Chain, base: BaseChain, steps: readonly Step[], appliesTo: Where): Policy[] {
  const stage = base.hook === 'postrouting' ? 'source-nat' : 'destination-nat';
  const nat = policyOf(`${chain.id}`, stage, appliesTo, 'none', entriesOf(steps, stage, 'exempt', 'exempt'));
  // A drop in a NAT chain drops new connections.
  const drops = steps.some(({ outcome }) => outcome.kind === 'drop');
  const dropping = entriesOf(steps, undefined, 'accept', 'drop');
  const filter: Policy = {
    ...policyOf(`${chain.id} (drops)`, 'filter', appliesTo, 'accept', dropping),
    ...(base.hook === 'prerouting' ? { sees: 'untranslated' } : {}),
  };
  return [...(nat.entries.length > 0 ? [nat] : []), ...(drops && base.hook !== 'output' ? [filter] : [])];
}

function redirectPolicy(chain: Chain, steps: readonly Step[], appliesTo: Where): Policy[] {
  if (!steps.some(({ outcome }) => outcome.kind === 'translate')) return [];
  const entries = entriesOf(steps, 'redirect', 'exempt', 'exempt');
  return [policyOf(`${chain.id} (redirect)`, 'redirect', appliesTo, 'none', entries)];
}

function filterPolicy(chain: Chain, base: BaseChain, steps: readonly Step[], appliesTo: Where): Policy[] {
  const last: PolicyEntry = {
    ruleKey: base.policyKey,
    match: familyTraffic(chain.family),
    unresolved: [],
    action: 'drop',
  };
  const entries = [
    ...entriesOf(steps, undefined, 'accept', 'drop'),
    ...(base.policy === 'drop' ? [last] : []),
  ];
  if (base.hook !== 'forward' && !entries.some(({ action }) => action === 'drop')) return [];
  const decides =
    base.policy === 'drop' && chain.family === 'inet' && entries.at(-1)?.unresolved.length === 0;
  const policy = policyOf(chain.id, 'filter', appliesTo, decides ? 'drop' : 'accept', entries);
  return [{ ...policy, ...seesOf(base) }];
}

function policyOf(
  id: string,
  stage: Policy['stage'],
  appliesTo: Where,
  otherwise: Policy['otherwise'],
  entries: readonly PolicyEntry[],
): Policy {
  return { id, stage, evaluation: 'first-match', appliesTo, otherwise, entries };
}

/** Steps as entries of one stage. A translation of another stage ends a filter by acceptance. */
function entriesOf(
  steps: readonly Step[],
  stage: Policy['stage'] | undefined,
  accept: EntryAction,
  drop: EntryAction,
): PolicyEntry[] {
  return steps.flatMap(({ ruleKey, match, unresolved, translated, outcome }): PolicyEntry[] => {
    const state = translated === undefined ? {} : { translated };
    const step = { ruleKey, match, unresolved, ...state };
    if (outcome.kind !== 'translate') return [{ ...step, action: outcome.kind === 'accept' ? accept : drop }];
    if (outcome.stage === stage) return [{ ...step, action: 'translate', translation: outcome.translation }];
    return outcome.final ? [{ ...step, action: accept }] : [];
  });
}

/** Which addresses a filter sees, by its place in front of destination NAT, between the two, or behind source NAT. */
function seesOf({ hook, priority }: BaseChain): Pick<Policy, 'sees'> {
  const isBefore = hook === 'ingress' || (hook === 'prerouting' && priority < DESTINATION_NAT);
  if (isBefore) return { sees: 'untranslated' };
  const isAfter = hook === 'egress' || (hook === 'postrouting' && priority > SOURCE_NAT);
  return isAfter ? { sees: 'translated' } : {};
}

/** The rule that stands for a base chain's policy. */
export function policyRule(
  context: Rule['context'],
  key: string,
  family: Family,
  policy: 'accept' | 'drop',
  position: number,
  lines: readonly SourceLine[],
): Rule {
  const match = familyTraffic(family);
  return {
    key,
    kind: 'filter',
    enabled: true,
    position,
    context,
    match,
    unresolved: [],
    action: `policy ${policy}`,
    lines,
  };
}

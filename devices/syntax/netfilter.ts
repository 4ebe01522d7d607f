// tables and chains of nftables or iptables -> policies, by hook and priority
import {
  type AddressSet,
  ANY_V4,
  ANY_V6,
  NO_ADDRESSES,
  sameAddresses,
  unionAddresses,
} from '../../src/model/addresses.ts';
import type { EntryAction, Policy, PolicyEntry, Rule, SourceLine } from '../../src/model/rule.ts';
import { ANY_SERVICE, sameServices } from '../../src/model/services.ts';
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
  const translated = translatedOf(flat.flatMap(({ steps }) => steps));
  const hasLocal = flat.some(
    ({ base, steps }) => base.hook === 'output' && steps.some(({ outcome }) => outcome.kind === 'translate'),
  );
  const policies = flat.flatMap(({ chain, base, steps }) => {
    if (base.hook === 'output')
      return natPolicies(chain, base, steps, { ingress: names(LOCAL), egress: ANY_NAME });
    const where = whereOf(base, hasLocal);
    return base.type === 'nat'
      ? natPolicies(chain, base, steps, where)
      : [...redirectPolicy(chain, steps, where), ...filterPolicy(chain, base, steps, where, translated)];
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
  const filter = policyOf(
    `${chain.id} (drops)`,
    'filter',
    appliesTo,
    'accept',
    entriesOf(steps, undefined, 'accept', 'drop'),
  );
  return [...(nat.entries.length > 0 ? [nat] : []), ...(drops && base.hook !== 'output' ? [filter] : [])];
}

function redirectPolicy(chain: Chain, steps: readonly Step[], appliesTo: Where): Policy[] {
  if (!steps.some(({ outcome }) => outcome.kind === 'translate')) return [];
  const entries = entriesOf(steps, 'redirect', 'exempt', 'exempt');
  return [policyOf(`${chain.id} (redirect)`, 'redirect', appliesTo, 'none', entries)];
}

function filterPolicy(
  chain: Chain,
  base: BaseChain,
  steps: readonly Step[],
  appliesTo: Where,
  translated: Translated,
): Policy[] {
  const last: PolicyEntry = {
    ruleKey: base.policyKey,
    match: familyTraffic(chain.family),
    unresolved: [],
    action: 'drop',
  };
  let entries = [...entriesOf(steps, undefined, 'accept', 'drop'), ...(base.policy === 'drop' ? [last] : [])];
  if (base.hook !== 'forward') {
    if (!entries.some(({ action }) => action === 'drop')) return [];
    entries = passOverUndecidable(entries, base, translated);
  }
  const decides =
    base.policy === 'drop' && chain.family === 'inet' && entries.at(-1)?.unresolved.length === 0;
  return [policyOf(chain.id, 'filter', appliesTo, decides ? 'drop' : 'accept', entries)];
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

interface Translated {
  /** Whether anything is translated at the stage at all. */
  readonly destination: boolean;
  readonly source: boolean;
}

function translatedOf(steps: readonly Step[]): Translated {
  const has = (stage: Policy['stage']) =>
    steps.some(({ outcome }) => outcome.kind === 'translate' && outcome.stage === stage);
  return { destination: has('destination-nat'), source: has('source-nat') };
}

/**
 * A filter that stands before destination NAT (or after source NAT) sees other addresses than the forward filters do.
 * Where something is translated, its drops that depend on those addresses cannot be decided in the order of the stages,
 * so they become conditions: passed over, and what they would stop counts as passing.
 */
function passOverUndecidable(entries: PolicyEntry[], base: BaseChain, translated: Translated): PolicyEntry[] {
  const isBefore = base.hook === 'ingress' || (base.hook === 'prerouting' && base.priority < DESTINATION_NAT);
  const isAfter = base.hook === 'egress' || (base.hook === 'postrouting' && base.priority > SOURCE_NAT);
  if (!(isBefore && translated.destination) && !(isAfter && translated.source)) return entries;
  let depends = false;
  return entries.map((entry) => {
    const { match } = entry;
    depends ||= isBefore
      ? isPart(match.destinations) || !sameServices(match.services, ANY_SERVICE)
      : isPart(match.sources);
    if (!depends || entry.action !== 'drop') return entry;
    const condition = `the packet ${isBefore ? 'before' : 'after'} translation`;
    return { ...entry, unresolved: [...entry.unresolved, condition] };
  });
}

/** Neither nothing nor the whole of a family. */
function isPart(set: AddressSet): boolean {
  const whole = unionAddresses(set.v4.length ? ANY_V4 : NO_ADDRESSES, set.v6.length ? ANY_V6 : NO_ADDRESSES);
  return !sameAddresses(set, whole);
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

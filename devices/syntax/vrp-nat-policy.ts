// `nat-policy` of VRP firewalls, `nat global-policy` and `nat policy` of Comware -> NAT rules and policies
import * as addresses from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, Rule, Translation } from '../../src/model/rule.ts';
import { ANY_NAME } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import { hull } from './cisco-region.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';
import type { AddressGroup } from './vrp-nat-words.ts';
import { readZoneRule, type ZoneContext, type ZoneRule } from './vrp-rules.ts';
import { vrpPort } from './vrp-words.ts';

interface Action {
  readonly side: 'source' | 'destination';
  /** Undefined: these packets are left alone. */
  readonly translation?: Translation;
  readonly unresolved: readonly string[];
  readonly group?: AddressGroup;
}

/** First match decides, once for the destination and once for the source; a rule that does no NAT exempts. */
export function buildNatPolicies(
  context: ZoneContext,
  groups: ReadonlyMap<string, AddressGroup>,
  config: Config,
): Built {
  const rules: Rule[] = [];
  const entries: Record<Action['side'], PolicyEntry[]> = { source: [], destination: [] };
  for (const block of context.reading.blocks) {
    const list = wordsOf(block.text).join(' ');
    if (!/^(?:nat-policy|nat (?:global-)?policy)$/.test(list)) continue;
    for (const line of block.children) {
      const rule = readZoneRule(line, undefined, context);
      if (rule) {
        const actions = actionsOf(line, groups, context);
        const made = ruleOf(list, rule, actions, rules.length, config);
        rules.push(made);
        if (rule.enabled) addEntries(entries, made, rule, actions);
      } else if (!/^\s*(?:default|undo|group)\b/.test(line.text))
        for (const each of linesOf(line)) context.reading.notUnderstood(each);
    }
  }
  const policies = (['destination', 'source'] as const).map(
    (side): Policy => ({
      id: `nat-policy:${side}`,
      stage: `${side}-nat`,
      evaluation: 'first-match',
      appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
      otherwise: 'none',
      entries: entries[side],
    }),
  );
  const acts = ({ entries: own }: Policy) => own.some(({ action }) => action === 'translate');
  return { rules, policies: policies.filter(acts) };
}

function actionsOf(line: Block, groups: ReadonlyMap<string, AddressGroup>, context: ZoneContext): Action[] {
  return line.children.flatMap((inner) => {
    const words = wordsOf(inner.text);
    const found = words[0] === 'action' ? actionOf(words.slice(1), groups, context) : [];
    if (!found) context.reading.notUnderstood(inner);
    return found ?? [];
  });
}

function ruleOf(
  list: string,
  rule: ZoneRule,
  actions: readonly Action[],
  position: number,
  config: Config,
): Rule {
  const first = actions.find(({ translation }) => translation);
  return {
    key: config.unique(`${list.replace(' ', '-')}:${rule.name}`),
    kind: 'nat',
    enabled: rule.enabled,
    position,
    context: { list },
    match: hull(rule.condition.boxes),
    unresolved: [...rule.condition.unresolved, ...actions.flatMap((action) => action.unresolved)],
    ...(first ? { translation: first.translation } : {}),
    action: rule.actions.map((words) => words.join(' ')).join('; ') || 'none',
    ...(rule.comment === undefined ? {} : { comment: rule.comment }),
    lines: [...rule.lines, ...actions.flatMap(({ group }) => group?.lines ?? [])].slice(0, MAX_LINES),
  };
}

function addEntries(
  entries: Record<Action['side'], PolicyEntry[]>,
  { key, unresolved }: Rule,
  rule: ZoneRule,
  actions: readonly Action[],
): void {
  for (const { side, translation } of actions)
    for (const match of rule.condition.boxes)
      entries[side].push({
        ruleKey: key,
        match,
        unresolved,
        ...(translation ? { action: 'translate' as const, translation } : { action: 'exempt' as const }),
      });
}

/**
 * VRP `source-nat address-group G|easy-ip|static ...`, `destination-nat address A [port]`, `destination-nat static ... address-group G`,
 * `no-nat`; Comware `snat easy-ip|address-group G|static ip-address A|no-nat`, `dnat ip-address A [local-port P]|object-group O|no-nat`.
 */
function actionOf(
  words: readonly string[],
  groups: ReadonlyMap<string, AddressGroup>,
  { objects }: ZoneContext,
): Action[] | undefined {
  const [word, ...rest] = words;
  const text = words.join(' ');
  if (text === 'no-nat')
    return [
      { side: 'source', unresolved: [] },
      { side: 'destination', unresolved: [] },
    ];
  const side = /^(?:destination-nat|dnat)$/.test(word ?? '')
    ? 'destination'
    : /^(?:source-nat|snat|nat)$/.test(word ?? '')
      ? 'source'
      : undefined;
  if (side === undefined) return undefined;
  if (rest[0] === 'no-nat') return [{ side, unresolved: [] }];
  const kind = side;
  const groupName = /\baddress-group (?:name )?(\S+)/.exec(text)?.[1];
  if (groupName !== undefined) {
    const group = groups.get(groupName);
    const unresolved = group ? [] : [`address group ${groupName} is not defined`];
    const set = group?.addresses;
    return [
      {
        side,
        unresolved,
        translation: { kind, ...(set ? { addresses: set } : {}), ...portOf(text) },
        ...(group ? { group } : {}),
      },
    ];
  }
  if (side === 'source' && /^(?:easy-ip|static-mapping)\b/.test(rest.join(' ')))
    return [{ side, unresolved: [], translation: { kind } }];
  const object = /\bobject-group (\S+)/.exec(text)?.[1];
  const named = object === undefined ? undefined : objects.addresses.resolve(object);
  const address = /\b(?:address|ip-address) (\d\S*)/.exec(text)?.[1];
  const set = address === undefined ? named?.value : setOf(address);
  if (!set || addresses.noAddresses(set)) return undefined;
  return [
    {
      side,
      unresolved: [...(named?.unresolved ?? [])],
      translation: { kind, addresses: set, ...portOf(text) },
    },
  ];
}

/** `address 10.0.0.8 8080`, `local-port 8080`, `port 8080`. */
function portOf(text: string): { ports?: readonly [number, number] } {
  const found = /\b(?:local-port|port|address \d\S*) (\d{1,5})(?: (?:to )?(\d{1,5}))?(?: |$)/.exec(text);
  const [first, last] = [vrpPort(found?.[1]), vrpPort(found?.[2])];
  return first === undefined ? {} : { ports: [first, Math.max(first, last ?? first)] };
}

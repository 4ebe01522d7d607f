// `vlan access-map` and `vlan filter` of NX-OS (and of IOS on switches) -> filter and redirect rules of VLAN interfaces
import type { Policy, PolicyEntry, Rule, SourceLine } from '../../src/model/rule.ts';
import { ANY_NAME, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { type Condition, either, everything, hull } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';
import { linesOf, wordsOf } from './indent.ts';
import { addTo } from './multimap.ts';

interface MapStep {
  readonly sequence: number;
  readonly matches: readonly { readonly family: 'ip' | 'ip6'; readonly list: string }[];
  readonly action: 'forward' | 'drop' | 'redirect';
  readonly to?: string;
  readonly text: string;
  readonly lines: readonly SourceLine[];
}

const MAX_VLANS = 4096;

/** A packet meets the map where it enters and where it leaves the VLAN. What matches no step of a family that the map names is dropped. */
export function buildVlanMaps(reading: Reading, config: Config): Built {
  const maps = readMaps(reading);
  const vlans = readFilters(reading);
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const [name, steps] of maps) {
    const bound = (vlans.get(name) ?? []).map((vlan) => `Vlan${vlan}`);
    const built = steps.map((step, position) => {
      const condition = conditionOf(step, config);
      return { step, condition, rule: ruleOf(name, step, condition, bound, position, config) };
    });
    for (const { rule } of built) rules.push(rule);
    if (bound.length === 0) continue;
    const entries: PolicyEntry[] = built.flatMap(({ step, condition, rule }) =>
      condition.boxes.map((match) => ({
        ruleKey: rule.key,
        match,
        unresolved: condition.unresolved,
        action: step.action === 'drop' ? ('drop' as const) : ('accept' as const),
      })),
    );
    const families = new Set(steps.flatMap((step) => step.matches.map(({ family }) => family)));
    const last = implicitDrop(name, steps, built.at(-1)!.rule, config);
    rules.push(last);
    for (const family of families)
      entries.push({ ruleKey: last.key, match: everything(family), unresolved: [], action: 'drop' });
    for (const way of ['in', 'out'] as const) policies.push(filterOf(name, way, bound, entries));
  }
  return { rules, policies };
}

function implicitDrop(
  name: string,
  steps: readonly MapStep[],
  { context, position }: Rule,
  config: Config,
): Rule {
  return {
    key: config.unique(`vlan-access-map:${name}:implicit-drop`),
    kind: 'filter',
    enabled: true,
    position: position + 1,
    context,
    match: hull([everything('ip'), everything('ip6')]),
    unresolved: [],
    action: 'implicit drop',
    lines: steps[0].lines.slice(0, 1),
  };
}

function filterOf(name: string, way: 'in' | 'out', bound: readonly string[], entries: PolicyEntry[]): Policy {
  const set = names(...bound);
  return {
    id: `vlan-access-map:${name}:${way}`,
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: way === 'in' ? { ingress: set, egress: ANY_NAME } : { ingress: ANY_NAME, egress: set },
    sees: way === 'in' ? 'untranslated' : 'translated',
    otherwise: 'accept',
    entries,
  };
}

function readMaps(reading: Reading): Map<string, MapStep[]> {
  const maps = new Map<string, MapStep[]>();
  for (const block of reading.blocks) {
    const [a, b, name, number = '10'] = wordsOf(block.text);
    if (a !== 'vlan' || b !== 'access-map' || name === undefined || !/^\d{1,5}$/.test(number)) continue;
    const matches: { family: 'ip' | 'ip6'; list: string }[] = [];
    const text: string[] = [];
    let action: MapStep['action'] = 'forward';
    let to: string | undefined;
    for (const line of block.children) {
      const words = wordsOf(line.text);
      if (words[0] === 'statistics') continue;
      text.push(words.join(' '));
      if (words[0] === 'match' && (words[1] === 'ip' || words[1] === 'ipv6') && words[2] === 'address')
        for (const list of words.slice(3)) matches.push({ family: words[1] === 'ip' ? 'ip' : 'ip6', list });
      else if (words[0] === 'action' && /^(?:forward|drop|redirect)$/.test(words[1] ?? '')) {
        action = words[1] as MapStep['action'];
        to = action === 'redirect' ? words.slice(2).join(' ') : undefined;
      } else reading.notUnderstood(line);
    }
    const step = {
      sequence: Number(number),
      matches,
      action,
      to,
      text: text.join('; '),
      lines: linesOf(block),
    };
    addTo(maps, name, step);
  }
  for (const steps of maps.values()) steps.sort((x, y) => x.sequence - y.sequence);
  return maps;
}

/** VLANs by map: `vlan filter M vlan-list 10-12,20`. */
function readFilters(reading: Reading): Map<string, number[]> {
  const vlans = new Map<string, number[]>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'vlan' || words[1] !== 'filter') continue;
    const list = vlansOf(words.slice(4).join(''));
    if (words[3] !== 'vlan-list' || !list) reading.notUnderstood(block);
    else vlans.set(words[2], [...(vlans.get(words[2]) ?? []), ...list].slice(0, MAX_VLANS));
  }
  return vlans;
}

function vlansOf(text: string): number[] | undefined {
  const list: number[] = [];
  for (const part of text.split(',')) {
    const found = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    if (!found) return undefined;
    for (let vlan = Number(found[1]); vlan <= Number(found[2] ?? found[1]) && vlan < MAX_VLANS; vlan++)
      list.push(vlan);
  }
  return list;
}

function conditionOf(step: MapStep, config: Config): Condition {
  if (step.matches.length === 0)
    return { boxes: [everything('ip'), everything('ip6')], unresolved: [], lines: [] };
  return either(
    step.matches.map(({ family, list }) => listCondition(list, config.lists, family, config.conditions)),
  );
}

function ruleOf(
  name: string,
  step: MapStep,
  condition: Condition,
  interfaces: readonly string[],
  position: number,
  config: Config,
): Rule {
  return {
    key: config.unique(`vlan-access-map:${name}:${ruleKey(step.text)}`),
    kind: 'filter',
    enabled: true,
    position,
    context: { list: name, ...(interfaces.length > 0 ? { interfaces, direction: 'both' as const } : {}) },
    match: hull(condition.boxes),
    unresolved: condition.unresolved,
    action: step.to === undefined ? step.action : `redirect ${step.to}`,
    lines: [...step.lines, ...condition.lines].slice(0, MAX_LINES),
  };
}

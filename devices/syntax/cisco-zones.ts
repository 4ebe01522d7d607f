// zone-based firewall of IOS (zones, class-maps and policy-maps of type inspect, zone-pairs) -> filter rules and policies
import type { Policy, PolicyEntry, Rule, SourceLine } from '../../src/model/rule.ts';
import { serviceSet } from '../../src/model/services.ts';
import { allNamesBut, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { INSPECTED } from './cisco-ports.ts';
import { both, bounded, type Condition, either, everything, hull } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';

interface ClassMap {
  readonly all: boolean;
  readonly matches: readonly (readonly string[])[];
  readonly lines: readonly SourceLine[];
}

interface PolicyClass {
  readonly name: string;
  readonly action: 'inspect' | 'pass' | 'drop';
  readonly lines: readonly SourceLine[];
}

interface ZonePair {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly policy?: string;
}

export interface Zones {
  readonly zones: ReadonlySet<string>;
  readonly classes: ReadonlyMap<string, ClassMap>;
  readonly policies: ReadonlyMap<string, readonly PolicyClass[]>;
  readonly pairs: readonly ZonePair[];
}

export function readZones(reading: Reading): Zones {
  const zones = new Set<string>();
  const classes = new Map<string, ClassMap>();
  const policies = new Map<string, PolicyClass[]>();
  const pairs: ZonePair[] = [];
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    const text = words.join(' ');
    if (/^zone security \S+$/.test(text)) zones.add(words[2]);
    else if (words[0] === 'zone-pair') pairs.push(...readPair(block, words, reading));
    else if (/^class-map type inspect /.test(text)) readClass(block, words, classes, reading);
    else if (/^policy-map type inspect \S+$/.test(text)) policies.set(words[3], readPolicy(block, reading));
    else if (/^policy-map type inspect /.test(text))
      for (const line of linesOf(block)) reading.notUnderstood(line);
  }
  return { zones, classes, policies, pairs };
}

function readPair(block: Block, words: readonly string[], reading: Reading): ZonePair[] {
  const [, kind, name, , source, , destination] = words;
  if (
    kind !== 'security' ||
    words[3] !== 'source' ||
    words[5] !== 'destination' ||
    destination === undefined
  ) {
    reading.notUnderstood(block);
    return [];
  }
  let policy: string | undefined;
  for (const line of block.children) {
    const found = /^service-policy type inspect (\S+)$/.exec(wordsOf(line.text).join(' '));
    if (found) policy = found[1];
    else if (wordsOf(line.text)[0] !== 'description') reading.notUnderstood(line);
  }
  return [{ name, source, destination, policy }];
}

function readClass(
  block: Block,
  words: readonly string[],
  classes: Map<string, ClassMap>,
  reading: Reading,
): void {
  const way = words[3];
  const name = words[4] ?? words[3];
  // Classes of applications (`class-map type inspect http ...`) look deeper than addresses and ports.
  if (words.length > 5 || (words.length === 5 && !/^match-(?:any|all)$/.test(way))) {
    for (const line of linesOf(block)) reading.notUnderstood(line);
    return;
  }
  const matches: string[][] = [];
  for (const line of block.children) {
    const inner = wordsOf(line.text);
    if (inner[0] === 'match' && /^(?:access-group|protocol|class-map|any)$/.test(inner[1] ?? ''))
      matches.push(inner.slice(1));
    else if (inner[0] !== 'description') reading.notUnderstood(line);
  }
  classes.set(name, { all: way !== 'match-any', matches, lines: linesOf(block) });
}

function readPolicy(block: Block, reading: Reading): PolicyClass[] {
  const found: PolicyClass[] = [];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    if (words[0] === 'description') continue;
    const name = words[0] !== 'class' ? undefined : words[1] === 'type' ? words[3] : words[1];
    if (name === undefined) {
      reading.notUnderstood(line);
      continue;
    }
    // A class without an action drops.
    let action: PolicyClass['action'] = 'drop';
    for (const inner of line.children) {
      const word = wordsOf(inner.text)[0];
      if (word === 'inspect' || word === 'pass' || word === 'drop') action = word;
      else reading.notUnderstood(inner);
    }
    found.push({ name, action, lines: linesOf(line) });
  }
  return found;
}

/** A rule for each class of each policy-map; a policy for each zone-pair, and one that drops what has no zone-pair. */
export function buildZones(zones: Zones, config: Config): Built {
  const rules: Rule[] = [];
  const entries = new Map<string, PolicyEntry[]>();
  const done = new Map<string, Condition>();
  const pairsOf = Map.groupBy(zones.pairs, (pair) => pair.policy);
  for (const [name, classes] of zones.policies) {
    const bound = boundTo(pairsOf.get(name) ?? [], config);
    const steps: PolicyEntry[] = [];
    classes.forEach((item, position) => {
      const condition = classCondition(item.name, zones, config, done, 0);
      const key = config.unique(`inspect:${name}:${ruleKey(item.name, item.action)}`);
      rules.push({
        key,
        kind: 'filter',
        enabled: true,
        position,
        context: { list: name, ...bound },
        match: hull(condition.boxes),
        unresolved: condition.unresolved,
        action: item.action,
        comment: item.name,
        lines: [...item.lines, ...condition.lines].slice(0, MAX_LINES),
      });
      const action = item.action === 'drop' ? 'drop' : 'accept';
      for (const match of condition.boxes)
        steps.push({ ruleKey: key, match, unresolved: condition.unresolved, action });
    });
    entries.set(name, steps);
  }
  return { rules, policies: pairPolicies(zones, entries, config) };
}

const members = (zone: string, config: Config): string[] => config.bindings.get(`zone ${zone}`) ?? [];

function boundTo(pairs: readonly ZonePair[], config: Config): { interfaces?: string[] } {
  const interfaces = pairs.flatMap((pair) => [
    ...members(pair.source, config),
    ...members(pair.destination, config),
  ]);
  return interfaces.length === 0 ? {} : { interfaces: [...new Set(interfaces)] };
}

/** Cisco "Zone-Based Policy Firewall": nothing passes between zones, or a zone and no zone, without a zone-pair; within a zone all does. */
function pairPolicies(zones: Zones, entries: ReadonlyMap<string, PolicyEntry[]>, config: Config): Policy[] {
  const policies: Policy[] = [];
  const add = (
    id: string,
    ingress: Policy['appliesTo']['ingress'],
    egress: typeof ingress,
    steps: PolicyEntry[],
  ) =>
    policies.push({
      id,
      stage: 'filter',
      evaluation: 'first-match',
      appliesTo: { ingress, egress },
      otherwise: 'drop',
      entries: steps,
    });
  const known = [...zones.zones].filter((zone) => members(zone, config).length > 0);
  const pairsFrom = Map.groupBy(zones.pairs, (pair) => pair.source);
  for (const zone of known) {
    const from = names(...members(zone, config));
    const reached = [...members(zone, config)];
    const done = new Set([zone]);
    for (const pair of pairsFrom.get(zone) ?? []) {
      const to = members(pair.destination, config);
      if (to.length === 0) continue;
      if (!done.has(pair.destination)) for (const name of to) reached.push(name);
      done.add(pair.destination);
      add(`zone-pair:${pair.name}`, from, names(...to), entries.get(pair.policy ?? '') ?? []);
    }
    add(`zone:${zone}`, from, allNamesBut(...reached), []);
  }
  const zoned = known.flatMap((zone) => members(zone, config));
  if (zoned.length > 0) add('zone:none', allNamesBut(...zoned), names(...zoned), []);
  return policies;
}

const MAX_DEPTH = 8;
const MANY_CLASSES = 2000;

function classCondition(
  name: string,
  zones: Zones,
  config: Config,
  done: Map<string, Condition>,
  depth: number,
): Condition {
  const known = done.get(name);
  if (known) return known;
  const found = zones.classes.get(name);
  const boxes = [everything('ip'), everything('ip6')];
  if (name === 'class-default') return { boxes, unresolved: [], lines: [] };
  if (!found || depth > MAX_DEPTH)
    return { boxes, unresolved: [`class-map ${name} is not resolved`], lines: [] };
  done.set(name, { boxes, unresolved: [`class-map ${name} contains itself`], lines: [] });
  const parts = found.matches.map((words) => oneMatch(words, zones, config, done, depth));
  const combined = found.all
    ? parts.reduce((sum, part) => both(sum, part), { boxes, unresolved: [], lines: [] })
    : either(parts);
  // With thousands of class-maps each may be only so fine, or nested ones cost too much.
  const lines = [...found.lines, ...combined.lines];
  const result = bounded({ ...combined, lines }, done.size > MANY_CLASSES ? 16 : undefined);
  done.set(name, result);
  return result;
}

function oneMatch(
  words: readonly string[],
  zones: Zones,
  config: Config,
  done: Map<string, Condition>,
  depth: number,
): Condition {
  const boxes = [everything('ip'), everything('ip6')];
  const [kind, a, b] = words;
  if (kind === 'any') return { boxes, unresolved: [], lines: [] };
  if (kind === 'class-map' && a !== undefined) return classCondition(a, zones, config, done, depth + 1);
  if (kind === 'access-group') {
    const name = a === 'name' ? (b ?? '') : (a ?? '');
    const lists = (['ip', 'ip6'] as const).filter((family) => config.lists.has(`${family} ${name}`));
    if (lists.length > 0)
      return either(lists.map((family) => listCondition(name, config.lists, family, config.conditions)));
  }
  if (kind === 'protocol' && words.length === 2 && Object.hasOwn(INSPECTED, a ?? '')) {
    const services = serviceSet(...INSPECTED[a]);
    return { boxes: boxes.map((box) => ({ ...box, services })), unresolved: [], lines: [] };
  }
  return { boxes, unresolved: [`match ${words.join(' ')}`], lines: [] };
}

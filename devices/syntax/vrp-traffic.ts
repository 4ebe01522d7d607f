// traffic policies (classifier, behavior, policy) of VRP and Comware -> redirects, filters and mirrors
import type { Policy, PolicyEntry, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, type NameSet, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import { setOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import { withoutExemptions } from './cisco-leave.ts';
import type { Reading } from './cisco-lines.ts';
import type { Way } from './cisco-options.ts';
import { both, bounded, type Condition, either, everything, hull } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';
import { wayText, wayTranslation } from './cisco-ways.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';
import type { VrpBinding, VrpBindings } from './vrp-interfaces.ts';
import { type Observers, observerOf } from './vrp-mirrors.ts';

interface Behavior {
  readonly way?: Way;
  readonly drops: boolean;
  readonly mirror?: Translation;
  readonly mirrorText?: string;
  readonly lines: readonly SourceLine[];
}

interface Step {
  readonly name: string;
  readonly condition: Condition;
  readonly behavior: Behavior;
  readonly lines: readonly SourceLine[];
}

interface Bound {
  readonly policy: string;
  readonly direction: 'in' | 'out';
  readonly set: NameSet;
}

/** `traffic policy P` / `qos policy P` with what is bound to interfaces, VLANs or the whole device. */
export function buildVrpTraffic(
  reading: Reading,
  bindings: VrpBindings,
  observers: Observers,
  config: Config,
): Built {
  const classes = readClassifiers(reading, config);
  const behaviors = readBehaviors(reading, observers);
  const bound = Map.groupBy(readBound(reading, bindings), ({ policy }) => policy);
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    const isPolicy =
      (words[0] === 'traffic' || words[0] === 'qos') && words[1] === 'policy' && words[2] !== undefined;
    if (!isPolicy) continue;
    const own = bound.get(words[2]) ?? [];
    const steps = readSteps(block, classes, behaviors, reading);
    const made = buildSteps(`traffic-policy:${words[2]}`, steps, own, config);
    for (const rule of made.rules) rules.push(rule);
    policies.push(...made.policies);
  }
  for (const each of simplified(reading, bindings, observers, config)) {
    const made = buildSteps(each.id, [each.step], [each.bound], config);
    for (const rule of made.rules) rules.push(rule);
    policies.push(...made.policies);
  }
  return { rules, policies };
}

function buildSteps(id: string, steps: readonly Step[], bound: readonly Bound[], config: Config): Built {
  const interfaces = [...new Set(bound.flatMap(({ set }) => set.names))];
  const made = steps.map((step, position) => ({
    step,
    rule: ruleOf(id, step, interfaces, position, config),
  }));
  const policies = bound.flatMap((each, i) => policiesOf(`${id}:${each.direction}${i}`, made, each));
  return { rules: made.map(({ rule }) => rule), policies };
}

interface Made {
  readonly step: Step;
  readonly rule: Rule;
}

/** What a policy redirects, copies and drops where it is bound; what it redirects on the way out is routed already. */
function policiesOf(id: string, made: readonly Made[], { direction, set }: Bound): Policy[] {
  const isIn = direction === 'in';
  const appliesTo = isIn ? { ingress: set, egress: ANY_NAME } : { ingress: ANY_NAME, egress: set };
  const head = { evaluation: 'first-match' as const, appliesTo };
  const entries = (
    steps: readonly Made[],
    make: (step: Step, rule: Rule) => Pick<PolicyEntry, 'action' | 'translation'>,
  ): PolicyEntry[] =>
    steps.flatMap(({ step, rule }) =>
      step.condition.boxes.map((match) => ({
        ruleKey: rule.key,
        match,
        unresolved: rule.unresolved,
        ...make(step, rule),
      })),
    );
  const redirects = withoutExemptions(
    entries(made, ({ behavior }, { translation }) =>
      behavior.way ? { action: 'translate', translation } : { action: 'exempt' },
    ),
  );
  const mirrors = entries(
    made.filter(({ step }) => step.behavior.mirror?.addresses),
    ({ behavior }) => ({ action: 'translate', translation: behavior.mirror }),
  );
  const policies: Policy[] = [];
  if (isIn && redirects.length > 0)
    policies.push({ ...head, id, stage: 'redirect', otherwise: 'none', entries: redirects });
  if (mirrors.length > 0)
    policies.push({ ...head, id: `${id}:mirror`, stage: 'redirect', otherwise: 'none', entries: mirrors });
  if (made.some(({ step }) => step.behavior.drops))
    policies.push({
      ...head,
      id: `${id}:filter`,
      stage: 'filter',
      sees: isIn ? 'untranslated' : 'translated',
      otherwise: 'accept',
      entries: entries(made, ({ behavior }) => ({ action: behavior.drops ? 'drop' : 'accept' })),
    });
  return policies;
}

function ruleOf(
  id: string,
  step: Step,
  interfaces: readonly string[],
  position: number,
  config: Config,
): Rule {
  const { behavior, condition } = step;
  const translation = behavior.way ? wayTranslation(behavior.way, config) : behavior.mirror;
  return {
    key: config.unique(`${id}:${step.name}`),
    kind: behavior.way ? 'policy-route' : behavior.mirror ? 'mirror' : 'filter',
    enabled: true,
    position,
    context: { list: id.replace(/^[^:]*:/, ''), ...(interfaces.length > 0 ? { interfaces } : {}) },
    match: hull(condition.boxes),
    unresolved: condition.unresolved,
    ...(translation ? { translation } : {}),
    action: behavior.way
      ? `redirect ${wayText(behavior.way)}`
      : (behavior.mirrorText ?? (behavior.drops ? 'deny' : 'permit')),
    lines: [...step.lines, ...behavior.lines, ...condition.lines].slice(0, MAX_LINES),
  };
}

function readClassifiers(reading: Reading, config: Config): Map<string, Condition> {
  const classes = new Map<string, Condition>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'traffic' || words[1] !== 'classifier' || words[2] === undefined) continue;
    const parts = block.children.flatMap((line): Condition[] => {
      const text = wordsOf(line.text).join(' ');
      if (!text.startsWith('if-match ')) {
        if (!/^(?:description|undo)\b/.test(text)) reading.notUnderstood(line);
        return [];
      }
      return [ifMatch(text.slice(9), config)];
    });
    const isAny = words.includes('or');
    const all: Condition = { boxes: [everything('ip'), everything('ip6')], unresolved: [], lines: [] };
    const condition =
      isAny || parts.length === 0 ? either(parts) : parts.reduce((sum, part) => both(sum, part), all);
    classes.set(words[2], bounded({ ...condition, lines: [...linesOf(block), ...condition.lines] }));
  }
  return classes;
}

/** "acl 3000", "acl name X", "ipv6 acl 3000", "any"; others are conditions. */
export function ifMatch(text: string, config: Config): Condition {
  const found = /^(ipv6 )?acl (ipv6 )?(?:name )?(\S+)$/.exec(text);
  const boxes = [everything('ip'), everything('ip6')];
  if (found)
    return listCondition(found[3], config.lists, found[1] || found[2] ? 'ip6' : 'ip', config.conditions);
  return { boxes, unresolved: text === 'any' ? [] : [`match ${text}`], lines: [] };
}

function readBehaviors(reading: Reading, observers: Observers): Map<string, Behavior> {
  const behaviors = new Map<string, Behavior>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'traffic' || words[1] !== 'behavior' || words[2] === undefined) continue;
    let behavior: Behavior = { drops: false, lines: linesOf(block) };
    for (const line of block.children) {
      const inner = wordsOf(line.text);
      const text = inner.join(' ');
      const way = redirectOf(inner);
      if (way) behavior = { ...behavior, way };
      else if (text === 'deny' || text === 'filter deny') behavior = { ...behavior, drops: true };
      else if (/^(?:mirroring to|mirror-to) /.test(text))
        behavior = {
          ...behavior,
          ...mirrorOf(inner, observers),
          mirrorText: `mirror to ${inner.slice(inner[1] === 'to' ? 2 : 1).join(' ')}`,
        };
      else if (!WITHOUT_EFFECT.test(text)) reading.notUnderstood(line);
    }
    behaviors.set(words[2], behavior);
  }
  return behaviors;
}

const WITHOUT_EFFECT =
  /^(?:permit|filter permit|statistic|remark|car|queue|priority|gts|accounting|description|undo|drr|wred|nest|add-tag|traffic-policy)\b/;

function mirrorOf(words: readonly string[], observers: Observers): { mirror: Translation } {
  return { mirror: observerOf(words.at(-1) ?? '', observers) };
}

/** `redirect ip-nexthop A [A2]`, `redirect next-hop A`, `redirect ip-multihop nexthop A nexthop B`, `redirect interface I`, `redirect vpn-instance V`. */
function redirectOf(words: readonly string[]): Way | undefined {
  if (words[0] !== 'redirect') return undefined;
  const hops = words.slice(1).filter((word) => /[.:]/.test(word) && setOf(word) !== undefined);
  const vpn = words.indexOf('vpn-instance');
  const face = words.indexOf('interface');
  const way: Way = {
    nextHops: hops,
    vrfs: vpn < 0 ? [] : words.slice(vpn + 1, vpn + 2),
    interfaces: face < 0 ? [] : [words.slice(face + 1).join(' ')],
    isDefault: false,
  };
  return hops.length + way.vrfs.length + way.interfaces.length > 0 || words[1] === 'cpu' ? way : undefined;
}

/** ` classifier C behavior B [precedence N]`: lower precedence first, else as written. */
function readSteps(
  block: Block,
  classes: ReadonlyMap<string, Condition>,
  behaviors: ReadonlyMap<string, Behavior>,
  reading: Reading,
): Step[] {
  const found: { order: number; step: Step }[] = [];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    if (words[0] !== 'classifier' || words[2] !== 'behavior' || words[3] === undefined) {
      if (!/^(?:share-mode|description|statistics?|undo)$/.test(words[0] ?? '')) reading.notUnderstood(line);
      continue;
    }
    const behavior = behaviors.get(words[3]) ?? { drops: false, lines: [] };
    const missing: Condition = {
      boxes: [everything('ip'), everything('ip6')],
      unresolved: [`classifier ${words[1]} is not defined`],
      lines: [],
    };
    const condition = withHops(classes.get(words[1]) ?? missing, behavior.way);
    const at = words.findIndex((word) => word === 'precedence' || word === 'insert-before');
    const order = words[at] === 'precedence' ? Number(words[at + 1]) : found.length / 1000;
    found.push({ order, step: { name: words[1], condition, behavior, lines: [lineOf(line)] } });
  }
  return found.sort((a, b) => a.order - b.order).map(({ step }) => step);
}

/** A next hop takes packets of its own family only. */
export function withHops(condition: Condition, way: Way | undefined): Condition {
  const hops = setOf(...(way?.nextHops ?? []));
  const isV4 = hops !== undefined && hops.v4.length > 0;
  if (!hops || (!isV4 && hops.v6.length === 0)) return condition;
  return {
    ...condition,
    boxes: condition.boxes.filter((box) => (isV4 ? box.sources.v4 : box.sources.v6).length > 0),
  };
}

/** `traffic-policy P inbound`, `qos apply policy P inbound` in interfaces and VLANs; with `global` of the device. */
function readBound(reading: Reading, bindings: VrpBindings): Bound[] {
  const grouped = new Map<
    string,
    { policy: string; direction: 'in' | 'out'; names: string[]; every: boolean }
  >();
  const add = (words: readonly string[], name: string | undefined, line: SourceLine) => {
    const policy =
      words[0] === 'traffic-policy'
        ? words[1]
        : words[0] === 'qos'
          ? words[words.indexOf('policy') + 1]
          : undefined;
    const direction = words.includes('inbound') ? 'in' : words.includes('outbound') ? 'out' : undefined;
    if (policy === undefined || direction === undefined) return reading.notUnderstood(line);
    const id = `${policy} ${direction} ${name === undefined}`;
    const known = grouped.get(id);
    if (known) known.names.push(name ?? '');
    else grouped.set(id, { policy, direction, names: [name ?? ''], every: name === undefined });
  };
  for (const { face, words, line } of bindings.traffic)
    if (face && !face.shutdown && /^(?:traffic-policy|qos)$/.test(words[0])) add(words, face.name, line);
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    const text = words.join(' ');
    if (/^(?:traffic-policy|qos apply policy) \S+ global (?:in|out)bound/.test(text))
      add(words, undefined, lineOf(block));
    const vlan = /^qos vlan-policy (\S+) vlan (\d+) (inbound|outbound)/.exec(text);
    if (vlan) add(['traffic-policy', vlan[1], vlan[3]], `Vlan-interface${vlan[2]}`, lineOf(block));
    if (words[0] !== 'vlan' || words.length !== 2) continue;
    for (const line of block.children)
      if (/^\s*traffic-policy /.test(line.text)) add(wordsOf(line.text), `Vlanif${words[1]}`, lineOf(line));
  }
  return [...grouped.values()].map(({ policy, direction, names: list, every }) => ({
    policy,
    direction,
    set: every ? ANY_NAME : names(...list),
  }));
}

/** `traffic-redirect inbound acl L ip-nexthop A`, `traffic-mirror inbound acl L to observe-port 1`, in interfaces or of the device. */
function simplified(reading: Reading, bindings: VrpBindings, observers: Observers, config: Config) {
  const ofDevice = reading.blocks.flatMap((block): VrpBinding[] => {
    const words = wordsOf(block.text);
    return /^traffic-(?:redirect|mirror)$/.test(words[0] ?? '') ? [{ words, line: lineOf(block) }] : [];
  });
  const own = bindings.traffic.filter(({ words }) => /^traffic-(?:redirect|mirror)$/.test(words[0]));
  return [...own, ...ofDevice].flatMap(({ face, words, line }) => {
    const list = /\bacl (ipv6 )?(?:name )?(\S+)/.exec(words.join(' '));
    const way = words[0] === 'traffic-redirect' ? redirectOf(['redirect', ...words.slice(4)]) : undefined;
    const mirror = words[0] === 'traffic-mirror' ? mirrorOf(words, observers).mirror : undefined;
    if (!list || !(way || mirror) || (words[0] === 'traffic-redirect' && words[1] === 'outbound')) {
      reading.notUnderstood(line);
      return [];
    }
    const condition = listCondition(list[2], config.lists, list[1] ? 'ip6' : 'ip', config.conditions);
    const behavior: Behavior = {
      ...(way ? { way } : {}),
      ...(mirror ? { mirror, mirrorText: words.slice(words.indexOf('to')).join(' ') } : {}),
      drops: false,
      lines: [],
    };
    const bound: Bound = {
      policy: '',
      direction: words.includes('outbound') ? 'out' : 'in',
      set: face?.shutdown ? names() : face ? names(face.name) : ANY_NAME,
    };
    const name = ruleKey(words.join(' '));
    return [
      {
        id: `${words[0]}:${face?.name ?? 'global'}`,
        step: { name, condition: withHops(condition, way), behavior, lines: [line] },
        bound,
      },
    ];
  });
}

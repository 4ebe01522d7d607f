// NAT statements of interfaces and of the device (VRP, Comware) with lists and groups -> NAT rules and policies
import * as addresses from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { service } from '../../src/model/services.ts';
import { ANY_NAME, type NameSet, names, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { both, type Condition, everything, hull } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';
import { lineOf, wordsOf } from './indent.ts';
import type { VrpBinding, VrpBindings } from './vrp-interfaces.ts';
import {
  type AddressGroup,
  type Mapping,
  type Outbound,
  readComwareStatic,
  readMapping,
  readOutbound,
} from './vrp-nat-words.ts';

interface Step {
  readonly stage: 'destination-nat' | 'source-nat';
  /** Which way packets cross the interfaces. */
  readonly way: 'in' | 'out';
  readonly interfaces?: readonly string[];
  /** `nat server` and static statements come before `nat outbound`; those with ports before those without. */
  readonly weight: number;
  readonly entry: Omit<PolicyEntry, 'ruleKey'>;
}

export interface NatContext {
  readonly groups: ReadonlyMap<string, AddressGroup>;
  readonly zones: ReadonlyMap<string, readonly string[]>;
}

/**
 * `nat server` inside an interface acts there, one of the device on every interface (or those of its zone); static
 * statements of the device act where an interface says `nat static enable`.
 */
export function buildVrpNat(
  reading: Reading,
  bindings: VrpBindings,
  config: Config,
  context: NatContext,
): Built {
  const rules: Rule[] = [];
  const steps: { step: Step; key: string }[] = [];
  const enabling = new Set(bindings.nat.filter(({ words }) => words.join(' ') === 'nat static enable'));
  const staticFaces = [...enabling].flatMap(({ face }) => (face && !face.shutdown ? [face.name] : []));
  const statements = bindings.nat.filter((binding) => !enabling.has(binding));
  for (const binding of [...statements, ...ofDevice(reading)]) {
    const found = readOne(binding);
    if (!found) {
      reading.notUnderstood(binding.line);
      continue;
    }
    const built =
      'inner' in found
        ? mapped(found, binding, scopeOf(found, binding, staticFaces, context), config)
        : outbound(found, binding, config, context);
    const key = config.unique(
      `nat:${binding.face ? `${binding.face.name}:` : ''}${ruleKey(withoutComment(binding.words))}`,
    );
    rules.push({ ...built.rule, key, position: rules.length });
    if (found.enabled && !binding.face?.shutdown) for (const step of built.steps) steps.push({ step, key });
  }
  return { rules, policies: policiesOf(steps) };
}

function withoutComment(words: readonly string[]): string {
  const end = words.indexOf('description');
  return (end < 0 ? words : words.slice(0, end)).filter((word) => word !== 'disable').join(' ');
}

function ofDevice(reading: Reading): VrpBinding[] {
  return reading.blocks.flatMap((block): VrpBinding[] => {
    const words = wordsOf(block.text);
    const isOne =
      words[0] === 'nat' &&
      (words[1] === 'server' || words[1] === 'static') &&
      !SETTINGS.test(words[2] ?? '');
    return isOne ? [{ words, line: lineOf(block) }] : [];
  });
}

const SETTINGS = /^(?:enable|mapping|alg)$/;

function readOne({ words }: VrpBinding): Mapping | Outbound | undefined {
  if (words[1] === 'outbound') return readOutbound(words);
  if (words[1] === 'static' && (words[2] === 'outbound' || words[2] === 'inbound'))
    return readComwareStatic(words);
  return readMapping(words);
}

/** Interfaces that a mapping acts on; undefined: all. */
function scopeOf(
  mapping: Mapping,
  { face }: VrpBinding,
  staticFaces: readonly string[],
  { zones }: NatContext,
): readonly string[] | undefined {
  if (face) return [face.name];
  if (mapping.form !== 'server') return staticFaces;
  return mapping.zone === undefined ? undefined : (zones.get(mapping.zone) ?? [mapping.zone]);
}

interface BuiltRule {
  readonly rule: Omit<Rule, 'key' | 'position'>;
  readonly steps: readonly Step[];
}

function mapped(
  mapping: Mapping,
  binding: VrpBinding,
  scope: readonly string[] | undefined,
  config: Config,
): BuiltRule {
  const { outer, unresolved } = outerOf(mapping, binding, config);
  const list =
    mapping.list === undefined
      ? undefined
      : listCondition(mapping.list, config.lists, 'ip', config.conditions);
  const { there, back } = translationsOf(mapping, outer);
  const base = everything('ip');
  const inward: Traffic = { ...base, destinations: outer ?? addresses.ANY_V4, ...servicesOf(mapping) };
  const outward: Traffic = { ...base, sources: mapping.inner, ...sourceOf(mapping) };
  // A list says for which packets toward (server) or from (static) the mapping is used.
  const [inwards, outwards] = narrowed(inward, outward, list, mapping.form);
  const isInbound = mapping.form === 'static-inbound';
  const conditions = [...mapping.unresolved, ...unresolved, ...(list?.unresolved ?? [])];
  const weight = mapping.outerPorts === undefined ? 1 : 2;
  const step =
    (stage: Step['stage'], way: Step['way'], translation: Translation) =>
    (match: Traffic): Step => ({
      stage,
      way,
      interfaces: scope,
      weight,
      entry: { match, unresolved: conditions, action: 'translate', translation },
    });
  return {
    rule: {
      kind: 'nat',
      enabled: mapping.enabled,
      context: { family: 'ip', ...(scope ? { interfaces: scope } : {}) },
      match: hull(inwards),
      unresolved: conditions,
      translation: there,
      action: ACTIONS[mapping.form],
      ...(mapping.comment === undefined ? {} : { comment: mapping.comment }),
      lines: linesOf(binding.line, list),
    },
    // `nat static inbound G L`: hosts inside reach the outside address G by L, that is on the way out.
    steps: [
      ...inwards.map(step('destination-nat', isInbound ? 'out' : 'in', there)),
      ...(mapping.noReverse ? [] : outwards.map(step('source-nat', isInbound ? 'in' : 'out', back))),
    ],
  };
}

const ACTIONS: Readonly<Record<Mapping['form'], string>> = {
  server: 'nat server',
  static: 'nat static',
  'static-inbound': 'nat static inbound',
};

/** What the mapping makes of packets toward its outer address, and of those of its inner one. */
function translationsOf(
  mapping: Mapping,
  outer: addresses.AddressSet | undefined,
): Readonly<Record<'there' | 'back', Translation>> {
  const { inner, innerPorts, outerPorts } = mapping;
  const isWide = addresses.countAddresses(inner) > 1 && isSameSize(inner, outer);
  const offset = isWide ? { offset: true } : {};
  return {
    there: { kind: 'destination', addresses: inner, ...portsOf(innerPorts ?? outerPorts), ...offset },
    back: { kind: 'source', ...(outer ? { addresses: outer } : {}), ...portsOf(outerPorts), ...offset },
  };
}

const linesOf = (own: SourceLine, condition: Condition | undefined): SourceLine[] =>
  [own, ...(condition?.lines ?? [])].slice(0, MAX_LINES);

function outerOf({ outer, outerInterface }: Mapping, { face }: VrpBinding, config: Config) {
  if (outer) return { outer, unresolved: [] };
  const of = outerInterface === '' ? face : config.byName.get(outerInterface ?? '');
  const own = of?.addresses.v4 ?? [];
  if (own.length > 0) return { outer: { v4: own, v6: [] }, unresolved: [] };
  return { unresolved: [`address of ${of?.name ?? outerInterface} is not in the configuration`] };
}

const isSameSize = (a: addresses.AddressSet, b: addresses.AddressSet | undefined): boolean =>
  b !== undefined && addresses.countAddresses(a) === addresses.countAddresses(b);

const portsOf = (ports: readonly [number, number] | undefined) => (ports ? { ports } : {});

function servicesOf({ protocol, outerPorts }: Mapping): Partial<Traffic> {
  if (protocol === undefined) return {};
  return { services: service(protocol, outerPorts ? [outerPorts] : undefined) };
}

function sourceOf({ protocol, innerPorts, outerPorts }: Mapping): Partial<Traffic> {
  if (protocol === undefined) return {};
  const ports = innerPorts ?? outerPorts;
  return { services: service(protocol), ...(ports ? { sourcePorts: [...ports] } : {}) };
}

function narrowed(
  inward: Traffic,
  outward: Traffic,
  list: Condition | undefined,
  form: Mapping['form'],
): readonly [readonly Traffic[], readonly Traffic[]] {
  if (!list) return [[inward], [outward]];
  const within = (box: Traffic) => both({ boxes: [box], unresolved: [], lines: [] }, list).boxes;
  return form === 'server' ? [within(inward), [outward]] : [[inward], within(outward)];
}

function outbound(found: Outbound, binding: VrpBinding, config: Config, { groups }: NatContext): BuiltRule {
  const condition: Condition =
    found.list === undefined
      ? { boxes: [everything('ip')], unresolved: [], lines: [] }
      : listCondition(found.list, config.lists, 'ip', config.conditions);
  const group = found.group === undefined ? undefined : groups.get(found.group);
  const face = found.interface === undefined ? binding.face : config.byName.get(found.interface);
  const own = face && face.addresses.v4.length > 0 ? { v4: face.addresses.v4, v6: [] } : undefined;
  const set = found.group === undefined ? own : group?.addresses;
  const unresolved = [
    ...condition.unresolved,
    ...(found.group !== undefined && !group ? [`address group ${found.group} is not defined`] : []),
  ];
  const translation: Translation = { kind: 'source', ...(set ? { addresses: set } : {}) };
  return {
    rule: {
      kind: 'nat',
      enabled: found.enabled,
      context: { family: 'ip', interfaces: binding.face ? [binding.face.name] : [], direction: 'out' },
      match: hull(condition.boxes),
      unresolved,
      translation,
      action: 'nat outbound',
      lines: [binding.line, ...(group?.lines ?? []), ...condition.lines].slice(0, MAX_LINES),
    },
    steps: condition.boxes.map((match) => ({
      stage: 'source-nat' as const,
      way: 'out' as const,
      interfaces: binding.face ? [binding.face.name] : [],
      weight: 0,
      entry: { match, unresolved, action: 'translate' as const, translation },
    })),
  };
}

function policiesOf(steps: readonly { step: Step; key: string }[]): Policy[] {
  const id = ({ step }: { step: Step }) =>
    `nat:${step.interfaces?.join('+') ?? 'any'}:${step.stage}:${step.way}`;
  return [...Map.groupBy(steps, id)].flatMap(([name, group]) => {
    const [{ step }] = group;
    if (step.interfaces?.length === 0) return [];
    const bound: NameSet = step.interfaces ? names(...step.interfaces) : ANY_NAME;
    const sorted = [...group].sort((a, b) => b.step.weight - a.step.weight);
    return [
      {
        id: name,
        stage: step.stage,
        evaluation: 'first-match' as const,
        appliesTo:
          step.way === 'in' ? { ingress: bound, egress: ANY_NAME } : { ingress: ANY_NAME, egress: bound },
        otherwise: 'none' as const,
        entries: sorted.map(({ key, step: { entry } }) => ({ ...entry, ruleKey: key })),
      },
    ];
  });
}

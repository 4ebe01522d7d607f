// NAT statements inside the interfaces of EOS, with pools, lists and profiles -> NAT rules and policies
import * as addresses from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { service } from '../../src/model/services.ts';
import { ANY_NAME, intersectTraffic, names, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import { portOf, v4 } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { type Pool, readPool } from './cisco-nat-words.ts';
import { type Condition, everything, hull } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';
import type { EosBinding, EosBindings } from './eos-interfaces.ts';
import { wordsOf } from './indent.ts';

interface Statement {
  readonly of: 'source' | 'destination';
  readonly form: 'static' | 'dynamic';
  /** The way of the packets that are translated: source NAT acts on what leaves the interface, destination NAT on what enters. */
  readonly way: 'ingress' | 'egress';
  readonly original?: string;
  readonly originalPort?: number;
  readonly translated?: string;
  readonly translatedPort?: number;
  readonly list?: string;
  readonly pool?: string;
  readonly protocols: readonly number[];
  readonly unresolved: readonly string[];
  readonly text: string;
}

interface Step {
  readonly stage: 'source-nat' | 'destination-nat';
  readonly way: 'ingress' | 'egress';
  readonly match: Traffic;
  readonly translation: Translation;
  readonly unresolved: readonly string[];
}

interface Resolved {
  readonly match: Traffic;
  readonly translation: Translation;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
  readonly steps: readonly Step[];
}

/** Static statements of an interface come before dynamic ones, those with ports before those without. */
export function buildEosNat(reading: Reading, bindings: EosBindings, config: Config): Built {
  const pools = readPools(reading);
  const rules: Rule[] = [];
  const steps: { face: string; weight: number; step: Step; key: string }[] = [];
  for (const { face, words, line } of [...bindings.nat, ...profileLines(reading, bindings)]) {
    const statement = readStatement(words);
    if (!statement) {
      reading.notUnderstood(line);
      continue;
    }
    const found =
      statement.form === 'static'
        ? resolveStatic(statement, config)
        : resolveDynamic(statement, face, pools, config);
    const key = config.unique(`nat:${face.name}:${ruleKey(statement.text)}`);
    rules.push({
      key,
      kind: 'nat',
      enabled: true,
      position: rules.length,
      context: {
        ...(face.vrf === undefined ? {} : { vrf: face.vrf }),
        family: 'ip',
        interfaces: [face.name],
        direction: statement.way === 'ingress' ? 'in' : 'out',
      },
      match: found.match,
      unresolved: found.unresolved,
      translation: found.translation,
      action: `${statement.of} ${statement.form}${statement.pool === 'overload' ? ' overload' : ''}`,
      lines: [line, ...found.lines].slice(0, MAX_LINES),
    });
    if (face.shutdown) continue;
    const weight = statement.form === 'dynamic' ? 0 : statement.originalPort === undefined ? 1 : 2;
    for (const step of found.steps) steps.push({ face: face.name, weight, step, key });
  }
  return { rules, policies: policiesOf(steps) };
}

function policiesOf(steps: readonly { face: string; weight: number; step: Step; key: string }[]): Policy[] {
  const groups = Map.groupBy(steps, ({ face, step }) => `nat:${face}:${step.stage}:${step.way}`);
  return [...groups].map(([id, group]) => {
    const [{ face, step }] = group;
    const sorted = [...group].sort((a, b) => b.weight - a.weight);
    return {
      id,
      stage: step.stage,
      evaluation: 'first-match',
      appliesTo:
        step.way === 'ingress'
          ? { ingress: names(face), egress: ANY_NAME }
          : { ingress: ANY_NAME, egress: names(face) },
      otherwise: 'none',
      entries: sorted.map(
        ({ key, step: { match, translation, unresolved } }): PolicyEntry => ({
          ruleKey: key,
          match,
          unresolved,
          action: 'translate',
          translation,
        }),
      ),
    };
  });
}

function readPools(reading: Reading): Map<string, Pool> {
  const pools = new Map<string, Pool>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'ip' || words[1] !== 'nat') continue;
    const pool = words[2] === 'pool' && words[3] !== undefined ? readPool(block, words, reading) : undefined;
    if (pool) pools.set(words[3], pool);
    else if (words[2] !== 'pool' && !SETTINGS.test(words[2] ?? '')) reading.notUnderstood(block);
  }
  return pools;
}

const SETTINGS = /^(?:translation|profile|synchronization|kernel|log|logging|fragments?)$/;

/** The statements of `ip nat profile P`, for each interface that names it. */
function profileLines(reading: Reading, bindings: EosBindings): EosBinding[] {
  const found: EosBinding[] = [];
  const byProfile = Map.groupBy(bindings.profiles, ({ profile }) => profile);
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'ip' || words[1] !== 'nat' || words[2] !== 'profile') continue;
    const users = byProfile.get(words[3]) ?? [];
    for (const line of block.children)
      for (const { face } of users)
        found.push({ face, words: wordsOf(line.text), line: { number: line.number, text: line.text } });
  }
  return found;
}

/** `ip nat source|destination [ingress|egress] static O [port] [access-list A] T [port] [protocol P] [group N] [comment ...]`, or dynamic. */
function readStatement(words: readonly string[]): Statement | undefined {
  const of = words[2] as Statement['of'];
  let at = 3;
  const way =
    words[at] === 'ingress' || words[at] === 'egress' ? (words[at++] as Statement['way']) : undefined;
  const form = words[at++] as Statement['form'];
  if ((of !== 'source' && of !== 'destination') || (form !== 'static' && form !== 'dynamic'))
    return undefined;
  const found = {
    of,
    form,
    way: way ?? (of === 'source' ? 'egress' : 'ingress'),
    protocols: [6, 17] as readonly number[],
  } as { -readonly [K in keyof Statement]: Statement[K] };
  const list = () => {
    if (words[at] !== 'access-list' || words[at + 1] === undefined) return;
    found.list = words[at + 1];
    at += 2;
  };
  if (form === 'static') {
    found.original = words[at++];
    if (portOf(words[at]) !== undefined) found.originalPort = portOf(words[at++]);
    list();
    found.translated = words[at++];
    if (portOf(words[at]) !== undefined) found.translatedPort = portOf(words[at++]);
    if (v4(found.original) === undefined || v4(found.translated) === undefined) return undefined;
  } else {
    list();
    if (words[at] === 'overload') found.pool = words[at++];
    else if (words[at] === 'pool') {
      found.pool = words[at + 1];
      at += 2;
    }
    if (found.list === undefined || found.pool === undefined) return undefined;
  }
  const end = words.indexOf('comment', at);
  const tail = words.slice(at, end < 0 ? words.length : end);
  found.text = words.slice(2, at + tail.length).join(' ');
  return readTail(tail, found) ? found : undefined;
}

function readTail(
  tail: readonly string[],
  found: { -readonly [K in keyof Statement]: Statement[K] },
): boolean {
  const unresolved: string[] = [];
  for (let i = 0; i < tail.length; i++) {
    const value = tail[i + 1];
    if (tail[i] === 'protocol' && (value === 'tcp' || value === 'udp')) {
      found.protocols = [value === 'tcp' ? 6 : 17];
      i++;
    } else if (tail[i] === 'group' && value !== undefined) unresolved.push(`twice NAT group ${tail[++i]}`);
    else if (tail[i] === 'priority' && value !== undefined) i++;
    else if (!/^(?:full-cone|address-only|overload|port-only)$/.test(tail[i])) return false;
  }
  found.unresolved = unresolved;
  return true;
}

const other = { ingress: 'egress', egress: 'ingress' } as const;

/** Both ways through a static statement: packets of one direction there, of new connections in the other direction back. */
function resolveStatic(statement: Statement, config: Config): Resolved {
  const { of, originalPort, translatedPort, protocols, unresolved } = statement;
  const original = addresses.addressSet(statement.original!);
  const translated = addresses.addressSet(statement.translated!);
  const base = everything('ip');
  const withPorts = originalPort !== undefined;
  const port = (number: number | undefined) =>
    number === undefined ? {} : { ports: [number, number] as const };
  const to = (number: number | undefined) =>
    withPorts && number !== undefined
      ? { services: protocols.flatMap((protocol) => [...service(protocol, [[number, number]])]) }
      : {};
  const from = (number: number | undefined) =>
    withPorts && number !== undefined
      ? {
          services: protocols.flatMap((protocol) => [...service(protocol)]),
          sourcePorts: [number, number] as const,
        }
      : {};
  const list =
    statement.list === undefined
      ? undefined
      : listCondition(statement.list, config.lists, 'ip', config.conditions);
  const reasons = [...unresolved, ...(list?.unresolved ?? [])];
  const narrowed = (box: Traffic, isBack: boolean): Traffic[] =>
    list
      ? list.boxes.flatMap((allowed) => intersectTraffic(box, isBack ? swapped(of, allowed) : allowed) ?? [])
      : [box];
  const there: Traffic =
    of === 'source'
      ? { ...base, sources: original, ...from(originalPort) }
      : { ...base, destinations: original, ...to(originalPort) };
  const back: Traffic =
    of === 'source'
      ? { ...base, destinations: translated, ...to(translatedPort) }
      : { ...base, sources: translated, ...from(translatedPort) };
  const translation: Translation = { kind: of, addresses: translated, ...port(translatedPort) };
  const kindBack = of === 'source' ? 'destination' : 'source';
  const undo: Translation = { kind: kindBack, addresses: original, ...port(originalPort) };
  const stage = (kind: 'source' | 'destination') => `${kind}-nat` as const;
  const step = (kind: 'source' | 'destination', way: Step['way'], made: Translation) => (match: Traffic) => ({
    stage: stage(kind),
    way,
    match,
    translation: made,
    unresolved: reasons,
  });
  const boxes = narrowed(there, false);
  return {
    match: hull(boxes),
    translation,
    unresolved: reasons,
    lines: list?.lines ?? [],
    steps: [
      ...boxes.map(step(of, statement.way, translation)),
      ...narrowed(back, true).map(step(kindBack, other[statement.way], undo)),
    ],
  };
}

/** A list names the packets of the statement's own direction; connections back go to those it names, or come from them. */
const swapped = (of: Statement['of'], box: Traffic): Traffic => ({
  ...everything('ip'),
  ...(of === 'source' ? { sources: box.destinations } : { destinations: box.sources }),
});

function resolveDynamic(
  statement: Statement,
  face: EosBinding['face'],
  pools: ReadonlyMap<string, Pool>,
  config: Config,
): Resolved {
  const condition: Condition = listCondition(statement.list!, config.lists, 'ip', config.conditions);
  const pool = pools.get(statement.pool!);
  const isOverload = statement.pool === 'overload';
  const own = face.addresses.v4.length > 0 ? { v4: face.addresses.v4, v6: [] } : undefined;
  const set = isOverload ? own : pool?.addresses;
  const translation: Translation = { kind: statement.of, ...(set ? { addresses: set } : {}) };
  const unresolved = [
    ...statement.unresolved,
    ...condition.unresolved,
    ...(isOverload || pool ? [] : [`pool ${statement.pool} is not defined`]),
  ];
  const usable = statement.of === 'source' || set !== undefined;
  return {
    match: hull(condition.boxes),
    translation,
    unresolved,
    lines: [...(pool?.lines ?? []), ...condition.lines],
    steps: (usable ? condition.boxes : []).map((match) => ({
      stage: `${statement.of}-nat` as const,
      way: statement.way,
      match,
      translation,
      unresolved,
    })),
  };
}

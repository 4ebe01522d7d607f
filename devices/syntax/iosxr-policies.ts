// class-maps of type traffic and policy-maps of type pbr of IOS-XR -> policy-route rules and redirect policies
import * as addresses from '../../src/model/addresses.ts';
import { normalise } from '../../src/model/ranges.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { service } from '../../src/model/services.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import { type Family, network, protocolOf, setOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import type { Reading } from './cisco-lines.ts';
import type { Way } from './cisco-options.ts';
import { buildPbr, type PbrPolicy, type PbrStep } from './cisco-pbr.ts';
import { PORTS } from './cisco-ports.ts';
import { both, bounded, type Condition, either, everything } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';
import { wayText, wayTranslation } from './cisco-ways.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';
import type { XrBindings } from './iosxr-interfaces.ts';

interface ClassMap {
  readonly all: boolean;
  readonly matches: readonly (readonly string[])[];
  readonly lines: readonly SourceLine[];
}

interface PolicyClass {
  readonly name: string;
  readonly action: 'redirect' | 'transmit' | 'drop';
  readonly way?: Way;
  readonly lines: readonly SourceLine[];
}

/** `policy-map type pbr` as bound by `service-policy type pbr input` or by `vrf-policy`. */
export function buildXrPolicies(reading: Reading, config: Config, bindings: XrBindings): Built {
  const classes = readClasses(reading);
  const bound = boundBy(reading, config, bindings);
  const found: PbrPolicy[] = [];
  for (const block of reading.blocks) {
    const [word, , type, name] = wordsOf(block.text);
    if (word !== 'policy-map' || type !== 'pbr' || name === undefined) continue;
    const steps = readPolicy(block, reading).map(
      (item): PbrStep => ({
        name: item.name,
        condition: conditionOf(item, classes, config),
        drops: item.action === 'drop',
        ...(item.way ? { translation: wayTranslation(item.way, config) } : {}),
        action: item.way ? `redirect ${wayText(item.way)}` : item.action,
        lines: item.lines,
      }),
    );
    const of = (family: Family) => [...(bound.get(`${family} ${name}`) ?? [])];
    found.push({ name, steps, bound: { ip: of('ip'), ip6: of('ip6') } });
  }
  return buildPbr(found, config);
}

const FAMILIES = ['ip', 'ip6'] as const;

/** Names of interfaces by family and policy-map. */
function boundBy(reading: Reading, config: Config, bindings: XrBindings): Map<string, Set<string>> {
  const bound = new Map<string, Set<string>>();
  const bind = (family: Family, policy: string, name: string) => {
    const known = bound.get(`${family} ${policy}`);
    if (known) known.add(name);
    else bound.set(`${family} ${policy}`, new Set([name]));
  };
  for (const { face, policy } of bindings.policies)
    if (!face.shutdown) for (const family of FAMILIES) bind(family, policy, face.name);
  for (const block of reading.blocks) {
    if (wordsOf(block.text).join(' ') !== 'vrf-policy') continue;
    for (const line of block.children) {
      const found = /^vrf (\S+) address-family ipv([46]) policy type pbr input (\S+)$/.exec(
        wordsOf(line.text).join(' '),
      );
      if (!found) reading.notUnderstood(line);
      else
        for (const face of config.interfaces)
          if (!face.shutdown && (face.vrf ?? 'default') === found[1])
            bind(found[2] === '4' ? 'ip' : 'ip6', found[3], face.name);
    }
  }
  return bound;
}

function readClasses(reading: Reading): Map<string, ClassMap> {
  const classes = new Map<string, ClassMap>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'class-map' || words[2] !== 'traffic') continue;
    const matches: string[][] = [];
    for (const line of block.children) {
      const inner = wordsOf(line.text);
      if (inner[0] === 'match') matches.push(inner.slice(1));
      else if (inner[0] !== 'description' && inner[0] !== 'end-class-map') reading.notUnderstood(line);
    }
    classes.set(words.at(-1)!, { all: words[3] !== 'match-any', matches, lines: linesOf(block) });
  }
  return classes;
}

function readPolicy(block: Block, reading: Reading): PolicyClass[] {
  const found: PolicyClass[] = [];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    if (words[0] === 'description' || words[0] === 'end-policy-map') continue;
    const name = words[0] === 'class' ? words.at(-1)! : undefined;
    if (name === undefined) {
      reading.notUnderstood(line);
      continue;
    }
    let action: PolicyClass['action'] = 'transmit';
    let way: Way | undefined;
    for (const inner of line.children) {
      const text = wordsOf(inner.text).join(' ');
      const redirect = /^redirect (?:ipv[46] )?nexthop (\S.*)$/.exec(text);
      if (redirect) {
        action = 'redirect';
        way = wayOf(redirect[1].split(' '));
      } else if (text === 'drop') action = 'drop';
      else if (!/^(?:transmit|set |police )/.test(text)) reading.notUnderstood(inner);
    }
    found.push({ name, action, way, lines: linesOf(line) });
  }
  return found;
}

/** "10.0.0.1", "vrf V 10.0.0.1", "route-target 65000:1". */
function wayOf(words: readonly string[]): Way {
  const vrf = words.indexOf('vrf');
  return {
    nextHops: words.filter((word) => setOf(word) !== undefined),
    vrfs: vrf < 0 ? [] : words.slice(vrf + 1, vrf + 2),
    interfaces: [],
    isDefault: false,
  };
}

const ALL = [everything('ip'), everything('ip6')];

/** A next hop takes packets of its own family only. */
function conditionOf(
  { name, way }: PolicyClass,
  classes: ReadonlyMap<string, ClassMap>,
  config: Config,
): Condition {
  const condition = classCondition(name, classes, config);
  const hops = setOf(...(way?.nextHops ?? [])) ?? addresses.NO_ADDRESSES;
  if (addresses.noAddresses(hops)) return condition;
  const isOf = (box: Traffic) =>
    (hops.v4.length > 0 && box.sources.v4.length > 0) || (hops.v6.length > 0 && box.sources.v6.length > 0);
  return { ...condition, boxes: condition.boxes.filter(isOf) };
}

function classCondition(name: string, classes: ReadonlyMap<string, ClassMap>, config: Config): Condition {
  if (name === 'class-default') return { boxes: ALL, unresolved: [], lines: [] };
  const found = classes.get(name);
  if (!found) return { boxes: ALL, unresolved: [`class-map ${name} is not defined`], lines: [] };
  const parts = found.matches.map((words) => oneMatch(words, config));
  const combined = found.all
    ? parts.reduce((sum, part) => both(sum, part), { boxes: ALL, unresolved: [], lines: [] } as Condition)
    : either(parts);
  return bounded({ ...combined, lines: [...found.lines, ...combined.lines] });
}

function oneMatch(words: readonly string[], config: Config): Condition {
  const [kind, a, b, c] = words;
  const text = words.join(' ');
  if (kind === 'access-group' && b !== undefined)
    return listCondition(b, config.lists, a === 'ipv6' ? 'ip6' : 'ip', config.conditions);
  const set = b?.includes('/') ? setOf(b) : b === undefined ? undefined : network(b, c);
  if (set && kind === 'destination-address')
    return boxes((box) => ({ ...box, destinations: part(set, box.destinations) }));
  if (set && kind === 'source-address') return boxes((box) => ({ ...box, sources: part(set, box.sources) }));
  const protocol = kind === 'protocol' ? protocolOf(a) : null;
  if (typeof protocol === 'number') return boxes((box) => ({ ...box, services: service(protocol) }));
  const ports = /^(source|destination)-port (\S+(?: \S+)*)$/.exec(text);
  const ranges = ports?.[2].split(' ').map(portRange);
  if (ports && ranges?.every((range) => range !== undefined)) {
    if (ports[1] === 'source')
      return boxes((box) => ({ ...box, sourcePorts: normalise(ranges, (port) => port + 1) }));
    const services = [...service(6, ranges), ...service(17, ranges)];
    return boxes((box) => ({ ...box, services }));
  }
  return { boxes: ALL, unresolved: [`match ${text}`], lines: [] };
}

const part = addresses.intersectAddresses;

const boxes = (change: (box: Traffic) => Traffic): Condition => ({
  boxes: ALL.map(change).filter(
    (box) => !addresses.noAddresses(box.sources) && !addresses.noAddresses(box.destinations),
  ),
  unresolved: [],
  lines: [],
});

function portRange(text: string): readonly [number, number] | undefined {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = found ? Number(found[1]) : Object.hasOwn(PORTS, text) ? PORTS[text] : undefined;
  const last = found?.[2] === undefined ? first : Number(found[2]);
  return first === undefined || last === undefined || first > last || last > 65_535
    ? undefined
    : [first, last];
}

// seed -> random rule sets, edits of them, and packets at their borders
import { addressRanges } from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, RuleSet, Stage, Translation } from '../../src/model/rule.ts';
import { service, unionServices } from '../../src/model/services.ts';
import { ANY_NAME, ANY_TRAFFIC, allNamesBut, names, type Traffic } from '../../src/model/traffic.ts';
import type { Packet } from './interpreter.ts';
import type { Random } from './random.ts';

const PACKETS = 100;
const INSIDE = 0x0a000000;
const OUTSIDE = 0xcb007100;
const SPAN = 16;

const address = (random: Random) => (random.chance(0.5) ? INSIDE : OUTSIDE) + random.below(SPAN);
const port = (random: Random) => 80 + random.below(6);

function addressPart(random: Random) {
  if (random.chance(0.3)) return ANY_TRAFFIC.sources;
  const pairs = Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => {
    const first = address(random);
    return [first, first + random.below(8)] as const;
  });
  return addressRanges(pairs);
}

function services(random: Random) {
  if (random.chance(0.3)) return ANY_TRAFFIC.services;
  const one = () => {
    const first = port(random);
    return service(random.pick([6, 17, 1]), [[first, first + random.below(3)]]);
  };
  return random.chance(0.3) ? unionServices(one(), one()) : one();
}

const interfaces = (random: Random) =>
  random.chance(0.75)
    ? ANY_NAME
    : random.chance(0.5)
      ? names(random.pick(['lan', 'wan']))
      : allNamesBut(random.pick(['lan', 'wan']));

const match = (random: Random): Traffic => ({
  ingress: interfaces(random),
  egress: interfaces(random),
  sources: addressPart(random),
  destinations: addressPart(random),
  services: services(random),
  sourcePorts: random.chance(0.9) ? ANY_TRAFFIC.sourcePorts : [1000, 1000 + random.below(2000)],
});

function translation(random: Random, stage: Stage, of: Traffic): Translation {
  const first = address(random);
  if (stage === 'source-nat') return sourceTranslation(random, first, of);
  if (stage === 'redirect') {
    const kind = random.pick(['tunnel', 'proxy', 'policy-route', 'mirror'] as const);
    return { kind, addresses: addressRanges([[first, first]]) };
  }
  if (random.chance(0.15)) return { kind: 'redirect', ports: [port(random), 85] };
  const from = port(random);
  const ports = random.chance(0.5) ? { ports: [from, from + random.below(2)] as const } : {};
  const { v4 } = of.destinations;
  if (random.chance(0.3) && v4.length === 2 && v4[1] - v4[0] < 64)
    return {
      kind: 'destination',
      offset: true,
      addresses: addressRanges([[first, first + v4[1] - v4[0]]]),
      ...ports,
    };
  return { kind: 'destination', addresses: addressRanges([[first, first + random.below(3)]]), ...ports };
}

function sourceTranslation(random: Random, first: number, of: Traffic): Translation {
  const { v4 } = of.sources;
  if (random.chance(0.3)) return { kind: 'source' };
  if (random.chance(0.4) && v4.length === 2 && v4[1] - v4[0] < 64)
    return { kind: 'source', offset: true, addresses: addressRanges([[first, first + v4[1] - v4[0]]]) };
  return { kind: 'source', addresses: addressRanges([[first, first + random.below(3)]]) };
}

let serial = 0;
function entry(random: Random, stage: Stage): PolicyEntry {
  const box = match(random);
  const translates = stage !== 'filter' && random.chance(0.8);
  const stops = stage === 'filter' ? random.chance(0.5) : !translates;
  return {
    ruleKey: `r${serial++}`,
    match: box,
    unresolved: random.chance(stage === 'filter' ? 0.25 : 0.08) ? ['time-range'] : [],
    ...(random.chance(0.1) ? { translated: random.chance(0.5) } : {}),
    action: stage === 'filter' ? (stops ? 'drop' : 'accept') : translates ? 'translate' : 'exempt',
    ...(translates ? { translation: translation(random, stage, box) } : {}),
  };
}

function policy(random: Random, stage: Stage, number: number): Policy {
  return {
    id: `${stage}-${number}`,
    stage,
    evaluation: random.chance(0.75) ? 'first-match' : 'last-match',
    appliesTo: { ingress: interfaces(random), egress: interfaces(random) },
    ...(stage === 'filter' && random.chance(0.5)
      ? { sees: random.pick(['untranslated', 'translated']) }
      : {}),
    otherwise: stage === 'filter' ? random.pick(['accept', 'drop']) : 'none',
    entries: Array.from({ length: random.below(6) }, () => entry(random, stage)),
  };
}

export const withRules = (policies: Policy[]): RuleSet => ({
  policies,
  interfaces: [],
  unread: [],
  rules: policies.flatMap(({ id, entries }) =>
    entries.map((one, position) => ({
      ...one,
      key: one.ruleKey,
      kind: 'filter' as const,
      enabled: true,
      position,
      context: { chain: id },
      lines: [],
    })),
  ),
});

export function drawn(random: Random): Policy[] {
  const counts: [Stage, number][] = [
    ['destination-nat', random.below(3)],
    ['redirect', random.below(3)],
    ['filter', random.below(4)],
    ['source-nat', random.below(3)],
  ];
  return counts.flatMap(([stage, n]) => Array.from({ length: n }, (_, i) => policy(random, stage, i)));
}

/** One to three edits: an entry added, taken away, changed or moved; a default or binding changed; a policy gone. */
export function edited(random: Random, policies: Policy[]): Policy[] {
  let list = [...policies];
  for (let n = 1 + random.below(3); n > 0 && list.length > 0; n--) {
    const at = random.below(list.length);
    const one = list[at];
    const entries = [...one.entries];
    const i = random.below(entries.length + 1);
    const edit = random.below(10);
    let next: Policy | undefined = one;
    if (edit <= 1) entries.splice(i, 0, entry(random, one.stage));
    else if (edit === 2) entries.splice(i, 1);
    else if (edit <= 4 && entries[i])
      entries[i] = { ...entry(random, one.stage), ruleKey: entries[i].ruleKey };
    else if (edit === 5 && entries[i])
      entries.splice(random.below(entries.length), 0, ...entries.splice(i, 1));
    else if (edit === 6 && one.stage === 'filter')
      next = { ...one, otherwise: one.otherwise === 'drop' ? 'accept' : 'drop' };
    else if (edit === 7) next = { ...one, appliesTo: { ...one.appliesTo, ingress: interfaces(random) } };
    else if (edit === 8 && random.chance(0.3)) next = undefined;
    else if (edit === 9 && entries[i])
      entries[i] = { ...entries[i], unresolved: entries[i].unresolved.length > 0 ? [] : ['mark'] };
    list = list.flatMap((other, place) => (place !== at ? [other] : next ? [{ ...next, entries }] : []));
  }
  return random.chance(0.1) ? list.toReversed() : list;
}

/** Most packets lie at the ends of the ranges of an entry, and most of those entries stand on one side only. */
export function packets(random: Random, sides: RuleSet[]): Packet[] {
  const entries = sides.map((side) => side.policies.flatMap((one) => one.entries));
  const changed = [
    ...entries[0].filter((one) => !entries[1].includes(one)),
    ...entries[1].filter((one) => !entries[0].includes(one)),
  ].map((one) => one.match);
  const all = entries.flat().map((one) => one.match);
  const near = (values: readonly number[], otherwise: () => number) => {
    if (values.length === 0 || values[1] - values[0] > 2 ** 20 || random.chance(0.15)) return otherwise();
    const step = random.chance(0.8) ? 0 : random.chance(0.5) ? 1 : -1;
    return Math.max(0, random.pick(values) + step);
  };
  return Array.from({ length: PACKETS }, () => {
    const boxes = changed.length > 0 && random.chance(0.75) ? changed : all;
    const box = boxes.length > 0 ? random.pick(boxes) : ANY_TRAFFIC;
    const drawn = near(box.services, () => 0);
    const inRange = drawn > 65_536 && drawn < 20 * 65_536;
    return {
      ingress: random.pick(['lan', 'wan']),
      egress: random.pick(['lan', 'wan', 'dmz']),
      source: near(box.sources.v4, () => address(random)) % 2 ** 32,
      destination: near(box.destinations.v4, () => address(random)) % 2 ** 32,
      protocol: inRange ? drawn >> 16 : random.pick([1, 6, 17]),
      port: inRange ? drawn & 0xffff : port(random),
      sourcePort: random.pick([1, 1000, 1500, 3000, 40_000]),
    };
  });
}

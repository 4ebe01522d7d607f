// seed -> random rule sets, edits of them, and packets at their borders
import { type AddressSet, ANY_V4, ANY_V6, addressRanges } from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, RuleSet, Stage, Translation } from '../../src/model/rule.ts';
import { service, unionServices } from '../../src/model/services.ts';
import { ANY_NAME, ANY_TRAFFIC, allNamesBut, names, type Traffic } from '../../src/model/traffic.ts';
import type { Random } from './random.ts';
import type { Packet } from './simulator.ts';

const INSIDE = 0x0a000000;
const OUTSIDE = 0xcb007100;
const INSIDE_6 = 0xfdn << 120n;
const OUTSIDE_6 = 0x20010db8n << 96n;
const SPAN = 16;

/** Families that an entry speaks of. */
type Family = 'v4' | 'v6' | 'both';
const NOTHING: AddressSet = { v4: [], v6: [] };
const family = (random: Random): Family => (random.chance(0.65) ? 'v4' : random.chance(0.6) ? 'v6' : 'both');

const address4 = (random: Random) => (random.chance(0.5) ? INSIDE : OUTSIDE) + random.below(SPAN);
const address6 = (random: Random) => (random.chance(0.5) ? INSIDE_6 : OUTSIDE_6) + BigInt(random.below(SPAN));
const port = (random: Random) => 80 + random.below(6);

function addressPart(random: Random, of: Family): AddressSet {
  const isAny = random.chance(0.3);
  const count = random.chance(0.2) ? 2 : 1;
  const pairs = <T>(draw: () => T, add: (value: T, by: number) => T) =>
    Array.from({ length: count }, () => {
      const first = draw();
      return [first, add(first, random.below(8))] as const;
    });
  const { v4 } =
    of === 'v6'
      ? NOTHING
      : isAny
        ? ANY_V4
        : addressRanges(
            pairs(
              () => address4(random),
              (a, n) => a + n,
            ),
          );
  const { v6 } =
    of === 'v4'
      ? NOTHING
      : isAny
        ? ANY_V6
        : addressRanges(
            [],
            pairs(
              () => address6(random),
              (a, n) => a + BigInt(n),
            ),
          );
  return { v4, v6 };
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

const match = (random: Random, of: Family): Traffic => ({
  ingress: interfaces(random),
  egress: interfaces(random),
  sources: addressPart(random, of),
  destinations: addressPart(random, of),
  services: services(random),
  sourcePorts: random.chance(0.9) ? ANY_TRAFFIC.sourcePorts : [1000, 1000 + random.below(2000)],
});

/** So many addresses from a random one on. */
function run(random: Random, of: Family, more: number): AddressSet {
  if (of === 'v6') {
    const first = address6(random);
    return addressRanges([], [[first, first + BigInt(more)]]);
  }
  const first = address4(random);
  return addressRanges([[first, first + more]]);
}

/** What keeps each offset of a small range, now and then; otherwise a pool. */
function mapped(random: Random, of: Family, from: AddressSet): Pick<Translation, 'addresses' | 'offset'> {
  const flat = [...from.v4, ...from.v6];
  const size = flat.length === 2 ? BigInt(flat[1]) - BigInt(flat[0]) : 64n;
  if (random.chance(0.35) && size < 64n) return { offset: true, addresses: run(random, of, Number(size)) };
  return { addresses: run(random, of, random.below(4)) };
}

function translation(random: Random, stage: Stage, box: Traffic, of: Family): Translation {
  if (stage === 'source-nat') {
    if (random.chance(0.3)) return { kind: 'source' };
    const ports = random.chance(0.2) ? { ports: [1000, 1000 + random.below(3)] as const } : {};
    return { kind: 'source', ...mapped(random, of, box.sources), ...ports };
  }
  if (stage === 'redirect') {
    const kind = random.pick(['tunnel', 'proxy', 'policy-route', 'mirror'] as const);
    return random.chance(0.2) ? { kind } : { kind, addresses: run(random, of, 0) };
  }
  if (random.chance(0.15)) return { kind: 'redirect', ports: [port(random), 85] };
  const from = port(random);
  const ports = random.chance(0.5) ? { ports: [from, from + random.below(2)] as const } : {};
  return { kind: 'destination', ...mapped(random, of, box.destinations), ...ports };
}

let serial = 0;
function entry(random: Random, stage: Stage): PolicyEntry {
  const translates = stage !== 'filter' && random.chance(0.8);
  // A translation is of the family that its addresses are of.
  const own = family(random);
  const of = translates && own === 'both' ? 'v4' : own;
  const box = match(random, of);
  const passes = stage === 'filter' ? 'accept' : 'exempt';
  const stops = random.chance(stage === 'filter' ? 0.5 : 0.25);
  return {
    ruleKey: `r${serial++}`,
    match: box,
    unresolved: random.chance(stage === 'filter' ? 0.25 : 0.08) ? ['time-range'] : [],
    ...(random.chance(0.1) ? { translated: random.chance(0.5) } : {}),
    action: translates ? 'translate' : stops ? 'drop' : passes,
    ...(translates ? { translation: translation(random, stage, box, of) } : {}),
  };
}

/** Now and then so many that they are found by an index and judged in runs. */
const entryCount = (random: Random) => (random.chance(0.01) ? 64 + random.below(60) : random.below(6));

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
    entries: Array.from({ length: entryCount(random) }, () => entry(random, stage)),
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
export function packets(random: Random, sides: readonly RuleSet[], count: number): Packet[] {
  const entries = sides.map((side) => side.policies.flatMap((one) => one.entries));
  const known = entries.map((list) => new Set(list));
  const changed = [
    ...entries[0].filter((one) => !known[1].has(one)),
    ...entries[1].filter((one) => !known[0].has(one)),
  ].map((one) => one.match);
  const all = entries.flat().map((one) => one.match);
  return Array.from({ length: count }, () => {
    const boxes = changed.length > 0 && random.chance(0.75) ? changed : all;
    const box = boxes.length > 0 ? random.pick(boxes) : ANY_TRAFFIC;
    const isSix = box.sources.v4.length === 0 || (box.sources.v6.length > 0 && random.chance(0.4));
    const drawn = near(random, box.services, () => 0);
    const inRange = drawn > 65_536 && drawn < 20 * 65_536;
    const end = ({ v4, v6 }: AddressSet) =>
      isSix ? near6(random, v6, () => address6(random)) : near(random, v4, () => address4(random));
    return {
      ingress: random.pick(['lan', 'wan']),
      egress: random.pick(['lan', 'wan', 'dmz']),
      source: end(box.sources),
      destination: end(box.destinations),
      protocol: inRange ? drawn >> 16 : random.pick([1, 6, 17, 47]),
      port: inRange ? drawn & 0xffff : port(random),
      sourcePort: random.pick([1, 999, 1000, 1001, 1500, 3000, 40_000]),
    };
  });
}

const step = (random: Random) => (random.chance(0.8) ? 0 : random.chance(0.5) ? 1 : -1);

function near(random: Random, values: readonly number[], otherwise: () => number): number {
  if (values.length === 0 || values[1] - values[0] > 2 ** 20 || random.chance(0.15)) return otherwise();
  return Math.max(0, random.pick(values) + step(random)) % 2 ** 32;
}

function near6(random: Random, values: readonly bigint[], otherwise: () => bigint): bigint {
  if (values.length === 0 || values[1] - values[0] > 2n ** 20n || random.chance(0.15)) return otherwise();
  return random.pick(values) + BigInt(step(random));
}

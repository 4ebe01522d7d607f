import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as addresses from '../../src/model/addresses.ts';
import * as ranges from '../../src/model/ranges.ts';
import { formatServices, serviceSet } from '../../src/model/services.ts';
import {
  ANY_TRAFFIC,
  allNamesBut,
  hasName,
  intersectNames,
  intersectTraffic,
  names,
  subtractNames,
  subtractTraffic,
  type Traffic,
} from '../../src/model/traffic.ts';
import { type Random, seeded } from '../changes/random.ts';

const UNIVERSE = 40;
const next = (value: number) => value + 1;
const previous = (value: number) => value - 1;
const every = Array.from({ length: UNIVERSE }, (_, value) => value);

const drawPairs = (random: Random) =>
  Array.from({ length: random.below(6) }, () => {
    const first = random.below(UNIVERSE);
    return [first, Math.min(first + random.below(8), UNIVERSE - 1)] as const;
  });
const inPairs = (pairs: readonly (readonly [number, number])[], value: number) =>
  pairs.some(([first, last]) => value >= first && value <= last);

test('ranges: union, intersection and difference agree with membership value by value', () => {
  const random = seeded(1);
  for (let n = 0; n < 3000; n++) {
    const [p, q] = [drawPairs(random), drawPairs(random)];
    const [a, b] = [ranges.normalise(p, next), ranges.normalise(q, next)];
    const both = ranges.intersect(a, b);
    const left = ranges.subtract(a, b, next, previous);
    for (const value of every) {
      const [inA, inB] = [inPairs(p, value), inPairs(q, value)];
      assert.equal(ranges.contains(a, value), inA);
      assert.equal(ranges.contains(both, value), inA && inB);
      assert.equal(ranges.contains(left, value), inA && !inB);
    }
    for (const set of [a, both, left])
      for (let i = 1; i < set.length; i++)
        assert.ok(i % 2 ? set[i] >= set[i - 1] : set[i] > set[i - 1] + 1, `sorted, apart: ${set}`);
  }
});

test('ranges: long lists and what lies in them agree value by value', () => {
  const random = seeded(3);
  for (let n = 0; n < 2000; n++) {
    const pairs = Array.from({ length: 12 + random.below(20) }, (_, i) => {
      const first = i * 8 + random.below(4);
      return [first, first + random.below(4)] as const;
    });
    const at = random.below(260);
    const one = [at, at + random.below(random.chance(0.5) ? 4 : 80)];
    const long = ranges.normalise(pairs, next);
    const left = ranges.subtract(long, one, next, previous);
    const both = ranges.intersect(long, one);
    const outside = ranges.subtract(one, long, next, previous);
    for (let value = 0; value < 280; value++) {
      const [inLong, inOne] = [inPairs(pairs, value), value >= one[0] && value <= one[1]];
      assert.equal(ranges.contains(left, value), inLong && !inOne);
      assert.equal(ranges.contains(both, value), inLong && inOne);
      assert.equal(ranges.contains(outside, value), inOne && !inLong);
    }
    for (let i = 1; i < left.length; i++)
      assert.ok(i % 2 ? left[i] >= left[i - 1] : left[i] > left[i - 1] + 1, `sorted, apart: ${left}`);
    assert.equal(ranges.covers(long, one), outside.length === 0);
    assert.ok(ranges.covers(long, both) && ranges.covers(one, both));
  }
});

test('addresses: both families by the same algebra, up to the last address', () => {
  const random = seeded(2);
  const last = (1n << 128n) - 1n;
  const draw = () =>
    addresses.addressRanges(
      drawPairs(random),
      drawPairs(random).map(([a, b]) => [last - BigInt(b), last - BigInt(a)] as const),
    );
  for (let n = 0; n < 500; n++) {
    const [a, b] = [draw(), draw()];
    const left = addresses.subtractAddresses(a, b);
    const outside = addresses.complementAddresses(a);
    for (const value of every) {
      for (const address of [value, last - BigInt(value)]) {
        const [inA, inB] = [addresses.hasAddress(a, address), addresses.hasAddress(b, address)];
        assert.equal(addresses.hasAddress(left, address), inA && !inB);
        assert.equal(addresses.hasAddress(outside, address), !inA);
      }
    }
    assert.deepEqual(addresses.addressSet(...addresses.formatAddresses(a)), a);
    assert.deepEqual(addresses.unionAddresses(left, addresses.intersectAddresses(a, b)), a);
  }
});

test('addresses: text that is no address is refused', () => {
  for (const text of [
    '10.0.0.256',
    '10.0.0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.9-10.0.0.1',
    '10.0.0.1-::1',
    '',
  ])
    assert.throws(() => addresses.addressSet(text), TypeError, text);
  assert.deepEqual(addresses.addressSet('::ffff:10.0.0.1'), addresses.addressSet('10.0.0.1'));
});

test('services: text and back', () => {
  for (const texts of [['any'], ['tcp/443'], ['tcp/22', 'tcp/80-90', 'udp'], ['gre'], ['47', '200']])
    assert.deepEqual(serviceSet(...formatServices(serviceSet(...texts))), serviceSet(...texts));
  assert.throws(() => serviceSet('tcp/70000'), TypeError);
  assert.throws(() => serviceSet('nonsense/1'), TypeError);
});

test('names: sets and complements', () => {
  const random = seeded(3);
  const draw = () => {
    const list = ['a', 'b', 'c'].filter(() => random.chance(0.5));
    return random.chance(0.5) ? names(...list) : allNamesBut(...list);
  };
  for (let n = 0; n < 500; n++) {
    const [a, b] = [draw(), draw()];
    for (const name of ['a', 'b', 'c', 'elsewhere']) {
      const [inA, inB] = [hasName(a, name), hasName(b, name)];
      assert.equal(hasName(intersectNames(a, b), name), inA && inB);
      assert.equal(hasName(subtractNames(a, b), name), inA && !inB);
    }
  }
});

test('boxes: a difference is disjoint and holds exactly what is in one box and not in the other', () => {
  const random = seeded(4);
  const small = () => [random.below(3), 3 + random.below(3)] as const;
  const set = () => (random.chance(0.3) ? ANY_TRAFFIC.sources : addresses.addressRanges([small()]));
  const draw = (): Traffic => ({
    ingress: random.chance(0.5) ? ANY_TRAFFIC.ingress : names(random.pick(['a', 'b'])),
    egress: random.chance(0.5) ? ANY_TRAFFIC.egress : allNamesBut('a'),
    sources: set(),
    destinations: set(),
    services: random.chance(0.3) ? ANY_TRAFFIC.services : small(),
    sourcePorts: random.chance(0.5) ? ANY_TRAFFIC.sourcePorts : small(),
  });
  for (let n = 0; n < 300; n++) {
    const [a, b] = [draw(), draw()];
    const rest = subtractTraffic(a, b);
    const common = intersectTraffic(a, b);
    for (let m = 0; m < 60; m++) {
      const point = {
        name: random.pick(['a', 'b', 'c']),
        out: random.pick(['a', 'b']),
        numbers: Array.from({ length: 4 }, () => random.below(7)),
      };
      const holds = (box: Traffic) =>
        hasName(box.ingress, point.name) &&
        hasName(box.egress, point.out) &&
        addresses.hasAddress(box.sources, point.numbers[0]) &&
        addresses.hasAddress(box.destinations, point.numbers[1]) &&
        ranges.contains(box.services, point.numbers[2]) &&
        ranges.contains(box.sourcePorts, point.numbers[3]);
      assert.equal(rest.filter(holds).length, holds(a) && !holds(b) ? 1 : 0);
      assert.equal(common !== undefined && holds(common), holds(a) && holds(b));
    }
  }
});

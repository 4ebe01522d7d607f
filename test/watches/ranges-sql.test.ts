import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANY_ADDRESS, addressRanges, addressSet, NO_ADDRESSES } from '../../src/model/addresses.ts';
import { rangeCondition } from '../../src/watches/ranges-sql.ts';

test('ranges of both families become conditions on an IPv6 column', () => {
  assert.equal(
    rangeCondition('internal', addressSet('10.0.0.0/8')),
    "(internal BETWEEN toIPv6('::ffff:10.0.0.0') AND toIPv6('::ffff:10.255.255.255'))",
  );
  assert.match(
    rangeCondition('external', addressSet('2001:db8::/32')),
    /toIPv6\('2001:db8::'\) AND toIPv6\('2001:db8:ffff:/,
  );
  assert.equal(rangeCondition('internal', NO_ADDRESSES), '0');
});

test('the whole of IPv6 does not take in the addresses that stand for IPv4', () => {
  const any6 = rangeCondition('internal', { v4: [], v6: ANY_ADDRESS.v6 });
  assert.match(
    any6,
    /AND NOT \(internal BETWEEN toIPv6\('::ffff:0\.0\.0\.0'\) AND toIPv6\('::ffff:255\.255\.255\.255'\)\)/,
  );
});

test('too many ranges are covered by fewer and wider ones, nothing is left out', () => {
  const many = addressRanges(Array.from({ length: 2000 }, (_, i) => [i * 10, i * 10 + (i % 2)] as const));
  const condition = rangeCondition('internal', many);
  const terms = condition.split(' OR ');
  assert.equal(terms.length, 500);
  assert.match(terms[0], /::ffff:0\.0\.0\.0'/);
  assert.ok(condition.endsWith("toIPv6('::ffff:0.0.78.23'))"));
});

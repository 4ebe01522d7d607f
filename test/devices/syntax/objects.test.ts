import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressTable, type Definition } from '../../../devices/syntax/objects.ts';
import { type AddressSet, addressSet, formatAddresses } from '../../../src/model/addresses.ts';

const line = (number: number) => ({ number, text: `line ${number}` });
const define = (
  own: readonly string[],
  members: readonly string[],
  number: number,
  excluded: readonly string[] = [],
): Definition<AddressSet> => ({
  own: own.map((text) => addressSet(text)),
  members,
  excluded,
  lines: [line(number)],
});

test('groups stand for all that they contain, with the lines it stands on', () => {
  const table = addressTable(
    new Map([
      ['web', define(['192.0.2.1'], [], 1)],
      ['db', define(['192.0.2.0/30'], [], 2)],
      ['all', define(['198.51.100.7'], ['web', 'db'], 3)],
      ['but', define([], ['db'], 4, ['web'])],
    ]),
  );
  const all = table.resolve('all')!;
  assert.deepEqual(formatAddresses(all.value), ['192.0.2.0/30', '198.51.100.7']);
  assert.deepEqual(
    all.lines.map(({ number }) => number),
    [3, 1, 2],
  );
  assert.deepEqual(formatAddresses(table.resolve('but')!.value), ['192.0.2.0', '192.0.2.2/31']);
  assert.equal(table.resolve('none'), undefined);
});

test('cycles, missing members and what an exclusion cannot tell are said', () => {
  const table = addressTable(
    new Map([
      ['a', define(['192.0.2.1'], ['b'], 1)],
      ['b', define([], ['a', 'gone'], 2)],
      ['dynamic', { ...define(['203.0.113.1'], [], 3), unresolved: ['an FQDN'] }],
      ['rest', define(['203.0.113.0/24'], [], 4, ['dynamic'])],
    ]),
  );
  assert.deepEqual(table.resolve('a')!.unresolved, ['address a contains itself', 'address gone is not defined']);
  const rest = table.resolve('rest')!;
  assert.deepEqual(formatAddresses(rest.value), ['203.0.113.0/24']);
  assert.deepEqual(rest.unresolved, ['an FQDN']);
});

test('groups of groups that double at each step stay bounded', () => {
  const definitions = new Map([['g0', define(['192.0.2.1', '192.0.2.3'], [], 1)]]);
  for (let i = 1; i < 30; i++) definitions.set(`g${i}`, define([], [`g${i - 1}`, `g${i - 1}`], i + 1));
  assert.deepEqual(formatAddresses(addressTable(definitions).resolve('g29')!.value), ['192.0.2.1', '192.0.2.3']);
});

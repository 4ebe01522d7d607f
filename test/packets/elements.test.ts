import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementByNumber, ianaElements, scopeName } from '../../src/packets/elements.ts';
import { TARGET_SOURCES } from '../../src/packets/targets.ts';

const TYPES = new Set([
  'u8',
  'u16',
  'u32',
  'u64',
  'i64',
  'float',
  'bool',
  'mac',
  'ip4',
  'ip6',
  'text',
  'bytes',
  'list',
  'seconds',
  'milliseconds',
  'microseconds',
  'nanoseconds',
]);

test('the IANA table: every line is whole, ids and names are unique', () => {
  const elements = [...ianaElements()];
  assert.ok(elements.length > 480, `${elements.length}`);
  for (const [id, { name, type }] of elements) {
    assert.ok(Number.isInteger(id) && id > 0 && id < 32_768, name);
    assert.match(name, /^[a-zA-Z][a-zA-Z0-9]+$/);
    assert.ok(TYPES.has(type ?? ''), `${name}: ${type}`);
  }
  assert.equal(new Set(elements.map(([, { name }]) => name)).size, elements.length);
});

test('every element that a column is made of has a name', () => {
  for (const { ids, enterprise, target } of TARGET_SOURCES)
    for (const id of ids) assert.doesNotMatch(elementByNumber(9, id, enterprise).name, /\d{3,}$/, target);
});

test('names by version and enterprise; unknown ones by number', () => {
  assert.equal(elementByNumber(10, 8, 0).name, 'sourceIPv4Address');
  assert.equal(elementByNumber(10, 2, 29_305).name, 'reversePacketDeltaCount');
  assert.equal(elementByNumber(10, 16_398, 6_871).name, 'reverseInitialTCPFlags');
  assert.equal(elementByNumber(9, 33_002, 0).name, 'fwExtEvent');
  assert.equal(elementByNumber(10, 33_002, 0).name, 'element33002');
  assert.equal(elementByNumber(10, 77, 9).name, 'cisco.77');
  assert.equal(elementByNumber(10, 77, 99_999).name, 'enterprise99999.77');
  assert.deepEqual([scopeName(2), scopeName(9)], ['scopeInterface', 'scope9']);
});

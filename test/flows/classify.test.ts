import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classOf, compileClassifier, EXTERNAL, INTERNAL, LOCAL } from '../../src/flows/classify.ts';
import { addressSet, NO_ADDRESSES, unionAddresses } from '../../src/model/addresses.ts';
import { PRIVATE_ADDRESSES } from '../../src/model/site.ts';
import { setAddress } from './records.ts';

const SITE = compileClassifier(
  unionAddresses(
    PRIVATE_ADDRESSES,
    addressSet('198.51.100.64/26', '203.0.113.7', '2001:db8:10::/48', '2001:db8:20::5'),
  ),
);

function classify(text: string, classifier = SITE): number {
  const words = new Uint32Array(8);
  // At the second place, so that an offset that is ignored shows.
  setAddress(words, 1, text);
  return classOf(classifier, words, 4);
}

const CASES: [number, string[]][] = [
  [
    INTERNAL,
    [
      '10.0.0.0',
      '10.255.255.255',
      '172.16.0.0',
      '172.31.255.255',
      '192.168.255.255',
      '100.64.0.1',
      '198.51.100.64',
      '198.51.100.127',
      '203.0.113.7',
      'fd00::1',
      '2001:db8:10::',
      '2001:db8:10:ffff:ffff:ffff:ffff:ffff',
      '2001:db8:20::5',
    ],
  ],
  [
    EXTERNAL,
    [
      '9.255.255.255',
      '11.0.0.0',
      '172.15.255.255',
      '172.32.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '198.51.100.63',
      '198.51.100.128',
      '203.0.113.6',
      '203.0.113.8',
      '1.0.0.0',
      '223.255.255.255',
      '2001:db8:f:ffff:ffff:ffff:ffff:ffff',
      '2001:db8:11::',
      '2001:db8:20::4',
      '2001:db8:20::6',
      'fe00::1',
    ],
  ],
  [
    LOCAL,
    [
      '0.0.0.0',
      '127.0.0.1',
      '169.254.1.1',
      '224.0.0.251',
      '239.255.255.255',
      '255.255.255.255',
      '::1',
      'fe80::1',
      'ff02::fb',
    ],
  ],
];
for (const [expected, texts] of CASES)
  for (const text of texts)
    test(`${text} is of class ${expected}`, () => {
      assert.equal(classify(text), expected);
    });

test('without internal addresses everything is external or local', () => {
  const none = compileClassifier(NO_ADDRESSES);
  assert.equal(classify('10.0.0.1', none), EXTERNAL);
  assert.equal(classify('127.0.0.1', none), LOCAL);
  assert.equal(classify('fd00::1', none), EXTERNAL);
});

test('the site may call anything internal, up to the last address', () => {
  const all = compileClassifier(addressSet('any'));
  for (const text of [
    '0.0.0.0',
    '127.0.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  ])
    assert.equal(classify(text, all), INTERNAL, text);
});

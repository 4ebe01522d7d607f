import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectAddress, type Place, parsePlace } from '../../src/snapshots/place.ts';

const PLACES: Readonly<Record<string, Place>> = {
  'edge1.example': { address: 'edge1.example' },
  'ops@edge1': { username: 'ops', address: 'edge1' },
  'edge1:2222': { address: 'edge1', port: 2222 },
  'ops@192.0.2.1:22': { username: 'ops', address: '192.0.2.1', port: 22 },
  'ops@realm@192.0.2.1': { username: 'ops@realm', address: '192.0.2.1' },
  '2001:db8::1': { address: '2001:db8::1' },
  'ops@2001:DB8:0::1': { username: 'ops', address: '2001:db8::1' },
  '[2001:db8::1]': { address: '2001:db8::1' },
  'ops@[2001:db8::1]:830': { username: 'ops', address: '2001:db8::1', port: 830 },
  'fe80::1%eth0': { address: 'fe80::1%eth0' },
  '[fe80::1%2]:22': { address: 'fe80::1%2', port: 22 },
};

const REFUSED: Readonly<Record<string, RegExp>> = {
  '': /neither a host name/,
  '@edge1': /no user name/,
  'edge1:0': /1 to 65535/,
  'edge1:65536': /1 to 65535/,
  'edge1:': /neither/,
  '[edge1]:22': /only an IPv6 address stands in brackets/,
  '[192.0.2.1]': /only an IPv6 address/,
  '[2001:db8::1': /neither|not an IP/,
  '2001:db8::1]:22': /neither|not an IP/,
  'two words': /neither/,
  '10.0.0.300': /not an IP address/,
  'fade.be': /not an IP address/,
  'fe80::1': /link-local: name the interface/,
  'FE80::1': /link-local/,
  'febf::1': /link-local/,
  '2001:db8::1%eth0': /only link-local addresses have a zone/,
  '192.0.2.1%eth0': /only link-local/,
  'fe80::1%': /letters and digits/,
  'fe80::1%br-lan': /or its number/,
  'fe80::1%eth0%1': /letters and digits/,
  'edge1%eth0': /neither/,
};

describe('a place', () => {
  for (const [text, place] of Object.entries(PLACES))
    test(`${text} is read`, () => assert.deepEqual(parsePlace(text), place));
  for (const [text, message] of Object.entries(REFUSED))
    test(`${JSON.stringify(text)} is refused`, () =>
      assert.throws(() => parsePlace(text), { name: 'TypeError', message }));

  test('an address has one form', () => {
    assert.equal(connectAddress('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(connectAddress('2001:0DB8:0:0::0:1'), '2001:db8::1');
    assert.throws(() => connectAddress(`${'a'.repeat(60)}.`.repeat(5)), TypeError);
  });
});

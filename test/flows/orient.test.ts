import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText } from '../../src/flows/batch.ts';
import { compileClassifier } from '../../src/flows/classify.ts';
import {
  EXTERNAL_ADDRESS,
  INTERFACE,
  INTERNAL_ADDRESS,
  KEY_WORDS,
  PORT_PROTOCOL,
  TRANSLATED_ADDRESS,
} from '../../src/flows/key.ts';
import {
  BOTH_EXTERNAL,
  BOTH_INTERNAL,
  IN,
  LOCAL_SCOPE,
  NO_ADDRESSES,
  OUT,
  orient,
} from '../../src/flows/orient.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { recordColumns, type TestRecord } from './records.ts';

const SITE = compileClassifier(addressSet('10.0.0.0/8', '2001:db8:10::/48'));

function oriented(record: TestRecord) {
  const key = new Uint32Array(KEY_WORDS).fill(0xdead_beef);
  const way = orient(SITE, recordColumns([record]), 0, key);
  return {
    way,
    interface: key[INTERFACE],
    port: key[PORT_PROTOCOL] & 0xffff,
    protocol: key[PORT_PROTOCOL] >>> 16,
    internal: addressText(key, INTERNAL_ADDRESS / 4),
    external: addressText(key, EXTERNAL_ADDRESS / 4),
    translated: addressText(key, TRANSLATED_ADDRESS / 4),
  };
}
const wayOf = (record: TestRecord) => oriented(record).way;

const PORTS = { sourcePort: 50_000, destinationPort: 443, input: 1, output: 2 };

test('internal to external is out: port, interface and address of the far side are those of the destination', () => {
  assert.deepEqual(oriented({ source: '10.1.1.1', destination: '192.0.2.9', ...PORTS }), {
    way: OUT,
    interface: 2,
    port: 443,
    protocol: 6,
    internal: '10.1.1.1',
    external: '192.0.2.9',
    translated: '::',
  });
});

test('external to internal is in: port, interface and address of the far side are those of the source', () => {
  const reply = {
    source: '192.0.2.9',
    destination: '10.1.1.1',
    sourcePort: 443,
    destinationPort: 50_000,
    input: 2,
    output: 1,
  };
  assert.deepEqual(oriented(reply), {
    way: IN,
    interface: 2,
    port: 443,
    protocol: 6,
    internal: '10.1.1.1',
    external: '192.0.2.9',
    translated: '::',
  });
});

test('IPv6 keeps all of its words', () => {
  const found = oriented({
    source: '2001:db8:10::1',
    destination: '2001:db8:99:1:2:3:4:5',
    ...PORTS,
    protocol: 17,
  });
  assert.equal(found.way, OUT);
  assert.equal(found.internal, '2001:db8:10::1');
  assert.equal(found.external, '2001:db8:99:1:2:3:4:5');
  assert.equal(found.protocol, 17);
});

test('what has no inside or no outside is told apart', () => {
  assert.equal(wayOf({ source: '10.1.1.1', destination: '10.2.2.2' }), BOTH_INTERNAL);
  assert.equal(wayOf({ source: '192.0.2.1', destination: '198.51.100.1' }), BOTH_EXTERNAL);
  assert.equal(wayOf({ source: '10.1.1.1', destination: '224.0.0.251' }), LOCAL_SCOPE);
  assert.equal(wayOf({ source: '169.254.0.1', destination: '192.0.2.1' }), LOCAL_SCOPE);
  assert.equal(wayOf({}), NO_ADDRESSES);
});

test('a relay seen with its translation is a conversation with where it leads, and keeps the address that was asked for', () => {
  const relay = oriented({
    source: '10.1.1.1',
    destination: '10.0.0.254',
    postNatSource: '203.0.113.1',
    postNatDestination: '192.0.2.66',
    ...PORTS,
  });
  assert.equal(relay.way, OUT);
  assert.equal(relay.internal, '10.1.1.1');
  assert.equal(relay.external, '192.0.2.66');
  assert.equal(relay.translated, '10.0.0.254');
});

test('the reply of a relay falls into the same conversation', () => {
  const reply = oriented({
    source: '192.0.2.66',
    destination: '203.0.113.1',
    postNatSource: '10.0.0.254',
    postNatDestination: '10.1.1.1',
    sourcePort: 443,
    destinationPort: 50_000,
  });
  assert.equal(reply.way, IN);
  assert.equal(reply.internal, '10.1.1.1');
  assert.equal(reply.external, '192.0.2.66');
  assert.equal(reply.translated, '10.0.0.254');
});

test('an external destination that is sent elsewhere counts where it went', () => {
  const found = oriented({
    source: '10.1.1.1',
    destination: '192.0.2.53',
    postNatDestination: '198.51.100.53',
  });
  assert.equal(found.external, '198.51.100.53');
  assert.equal(found.translated, '192.0.2.53');
});

test('source translation: out gives what the outside sees, the reply gives the same', () => {
  const out = oriented({
    source: '10.1.1.1',
    destination: '192.0.2.9',
    postNatSource: '203.0.113.1',
    ...PORTS,
  });
  const back = oriented({
    source: '192.0.2.9',
    destination: '203.0.113.1',
    postNatDestination: '10.1.1.1',
    sourcePort: 443,
  });
  assert.deepEqual([out.way, back.way], [OUT, IN]);
  for (const found of [out, back]) {
    assert.equal(found.internal, '10.1.1.1');
    assert.equal(found.external, '192.0.2.9');
    assert.equal(found.translated, '203.0.113.1');
  }
});

test('post-NAT elements that are zero or equal are no translation', () => {
  for (const post of ['0.0.0.0', '::', '10.1.1.1']) {
    const found = oriented({
      source: '10.1.1.1',
      destination: '192.0.2.9',
      postNatSource: post,
      postNatDestination: '0.0.0.0',
    });
    assert.equal(found.way, OUT);
    assert.equal(found.external, '192.0.2.9');
    assert.equal(found.translated, '::', post);
  }
});

test('hairpin: an own public address translated back inside is internal', () => {
  assert.equal(
    wayOf({ source: '10.1.1.1', destination: '203.0.113.1', postNatDestination: '10.2.2.2' }),
    BOTH_INTERNAL,
  );
});

test('ICMP has no port: type and code in the destination port do not split a conversation', () => {
  assert.equal(
    oriented({ source: '10.1.1.1', destination: '192.0.2.9', protocol: 1, destinationPort: 2048 }).port,
    0,
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { compileOrigins, identityOf, originOf, relaysOf, speaksForOthers } from '../../src/events/origin.ts';

const host = (name: string, addresses: string[], aliases: string[] = []) => ({ name, addresses, aliases });
const HOSTS = [
  host('web1', ['192.0.2.10', '2001:db8::10'], ['www.example.net']),
  host('db1.example.net', ['192.0.2.20']),
  host('db2.example.net', ['192.0.2.21']),
  host('db2.example.org', ['192.0.2.22']),
  host('logs', ['192.0.2.5']),
  host('behind1', ['203.0.113.9', '10.0.0.1']),
  host('behind2', ['203.0.113.9', '10.0.0.2']),
];
const DEVICES = [
  { name: 'edge1', address: '198.51.100.1', addresses: ['198.51.100.2'] },
  { name: 'web1', address: 'web1.example.net', addresses: ['192.0.2.10'] },
  { name: 'core', address: 'core.example.net', addresses: [] },
];
const registry = compileOrigins(
  HOSTS,
  DEVICES,
  relaysOf(['192.0.2.5', '192.0.2.128/25', 'relay.example.net']),
);
const told = (sender: string, stated: { identity?: string; node?: string; host?: string } = {}) => {
  const found = originOf({ sender, ...stated }, registry);
  return found && `${found.origin} by ${found.originBasis}`;
};

test('the address of a registered host tells, whatever its lines state', () => {
  assert.equal(told('192.0.2.10'), 'web1 by address');
  assert.equal(told('2001:db8::10', { host: 'db1' }), 'web1 by address');
  assert.equal(told('192.0.2.10', { host: 'db1.example.net', node: 'db1' }), 'web1 by address');
  assert.equal(told('198.51.100.2', { host: 'web1' }), 'edge1 by address');
});

test('a verified certificate tells before the address', () => {
  assert.equal(
    told('192.0.2.10', { identity: 'DB1.example.net', host: 'web1' }),
    'db1.example.net by certificate',
  );
  assert.equal(told('203.0.113.77', { identity: 'www.example.net' }), 'web1 by certificate');
  assert.equal(told('192.0.2.10', { identity: 'stranger.example.com' }), 'web1 by address');
});

test('a relay is believed, node= before the host name; what it states of nobody is nobody, not the relay', () => {
  assert.equal(told('192.0.2.5', { host: 'WEB1' }), 'web1 by host-name');
  assert.equal(told('192.0.2.200', { node: 'db1', host: 'web1' }), 'db1.example.net by node');
  assert.equal(told('192.0.2.200', { node: 'nobody', host: 'web1' }), 'web1 by host-name');
  assert.equal(told('192.0.2.5', { host: 'logs' }), 'logs by host-name');
  assert.equal(told('192.0.2.5', { host: 'other' }), undefined);
  assert.equal(told('192.0.2.5'), undefined);
  assert.equal(
    told('192.0.2.10', { identity: 'relay.example.net', host: 'db1' }),
    'db1.example.net by host-name',
  );
});

test('so is a sender that nobody has, by full name, first label or stated address', () => {
  const names: [string, string | undefined][] = [
    ['web1.example.com', 'web1 by host-name'],
    ['db1', 'db1.example.net by host-name'],
    ['db1.example.org', undefined],
    ['db2', undefined],
    ['DB2.EXAMPLE.ORG.', 'db2.example.org by host-name'],
    ['192.0.2.20', 'db1.example.net by host-name'],
    ['::ffff:192.0.2.20', 'db1.example.net by host-name'],
    ['192', undefined],
    ['core.example.net', 'core by host-name'],
    ['', undefined],
    ['__proto__', undefined],
  ];
  for (const [stated, expected] of names)
    assert.equal(told('203.0.113.77', { host: stated }), expected, stated);
});

test('of several behind one address the stated name tells which, and nobody else can be named', () => {
  assert.equal(told('203.0.113.9', { host: 'behind2' }), 'behind2 by host-name');
  assert.equal(told('203.0.113.9', { host: 'web1' }), undefined);
  assert.equal(told('203.0.113.9'), undefined);
});

test('each stated name is a clock of its own only where the sender may speak for others', () => {
  const cases = ['192.0.2.10', '192.0.2.5', '203.0.113.77', '203.0.113.9'];
  assert.deepEqual(
    cases.map((sender) => speaksForOthers(sender, undefined, registry)),
    [false, true, true, true],
  );
  assert.equal(speaksForOthers('203.0.113.77', 'web1', registry), false);
});

test('of the names in a certificate the registered one is taken', () => {
  assert.equal(identityOf(['client-7', 'www.example.net'], registry), 'www.example.net');
  assert.equal(identityOf(['client-7', 'other'], registry), 'client-7');
  assert.equal(identityOf([], registry), undefined);
});

test('relays that are no address are names in certificates; a broken prefix is refused', () => {
  assert.deepEqual([...relaysOf(['a.example', '10.0.0.0/8']).identities], ['a.example']);
  assert.throws(() => relaysOf(['10.0.0.0/99']), TypeError);
  assert.throws(() => relaysOf(['10.0.0']), TypeError);
});

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { compileOrigins, relaysOf } from '../../src/events/origin.ts';
import { type ReceiverOptions, startReceiver } from '../../src/events/receive.ts';
import { type ClientCertificates, readTlsFiles, tlsFilesMark } from '../../src/events/tls.ts';
import { NO_ADDRESSES } from '../../src/model/addresses.ts';
import type { Event } from '../../src/model/event.ts';
import { runPostern, temporaryFolder } from '../store/temporary.ts';
import { createAuthority, hasOpenssl, type Issued } from './certificates.ts';

const skip = hasOpenssl ? false : 'openssl is not installed';
const authority = hasOpenssl ? createAuthority() : undefined!;
const server = hasOpenssl ? authority.issue('server', 'localhost', 'DNS:localhost,IP:127.0.0.1') : undefined!;
const files = hasOpenssl
  ? { certificate: server.cert, key: server.key, authorities: authority.ca }
  : undefined!;

async function start(
  t: test.TestContext,
  clients: ClientCertificates,
  changed: Partial<ReceiverOptions> = {},
) {
  const stored: Event[] = [];
  const receiver = await startReceiver({
    host: '127.0.0.1',
    port: undefined,
    tls: { port: 0, clients, material: await readTlsFiles(files) },
    senders: NO_ADDRESSES,
    maxConnections: 100,
    idleTimeoutMs: 60_000,
    maxQueuedEvents: 10_000,
    flushEveryMs: 20,
    now: Date.now,
    store: async (batch) => {
      stored.push(...batch);
    },
    onEvents: () => undefined,
    onError: assert.ifError,
    ...changed,
  });
  t.after(() => receiver.stop());
  return { receiver, stored };
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`waited in vain for: ${what}`);
}

function open(t: test.TestContext, port: number, client?: Issued): TLSSocket {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync(authority.ca),
    ...(client && { cert: readFileSync(client.cert), key: readFileSync(client.key) }),
  });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

const counted = (text: string) => `${Buffer.byteLength(text)} ${text}`;

test('octet counted messages come over TLS; a verified certificate is their identity', {
  skip,
}, async (t) => {
  const registry = compileOrigins(
    [{ name: 'web1', addresses: ['192.0.2.10'], aliases: ['web1.example.net'] }],
    [],
  );
  const { receiver, stored } = await start(t, 'optional', { registry });
  const client = authority.issue('web1', 'client 17', 'DNS:other.example.net,DNS:web1.example.net');
  open(t, receiver.tlsPort, client).write(
    counted('<34>1 - db1 app - - - from web1') + counted('<34>two\nlines'),
  );
  open(t, receiver.tlsPort).write(counted('<34>1 - db1 app - - - from nobody'));
  await until('three events', () => stored.length === 3);
  const told = stored.map(({ message, identity, origin, originBasis }) => [
    message,
    identity,
    origin,
    originBasis,
  ]);
  assert.deepEqual(told.sort(), [
    ['from nobody', undefined, undefined, undefined],
    ['from web1', 'web1.example.net', 'web1', 'certificate'],
    ['two\ufffdlines', 'web1.example.net', 'web1', 'certificate'],
  ]);
  assert.equal(receiver.counters.tlsConnections, 2);
  assert.equal(receiver.counters.certifiedConnections, 1);
  assert.equal(receiver.counters.tcpMessages, 3);
});

test('where there is no dNSName the common name counts; a relay by certificate states who it speaks for', {
  skip,
}, async (t) => {
  const hosts = [{ name: 'db1', addresses: [], aliases: [] }];
  const registry = compileOrigins(hosts, [], relaysOf(['relay.example.net']));
  const { receiver, stored } = await start(t, 'required', { registry });
  open(t, receiver.tlsPort, authority.issue('relay', 'relay.example.net')).write('<34>1 - DB1 app - - - x\n');
  await until('the event', () => stored.length === 1);
  assert.deepEqual(
    [stored[0].identity, stored[0].origin, stored[0].originBasis],
    ['relay.example.net', 'db1', 'host-name'],
  );
});

test('a certificate that nobody here signed tells nothing, and ends the handshake where one is required', {
  skip,
}, async (t) => {
  const stranger = createAuthority('stranger').issue('web1', 'web1');
  const optional = await start(t, 'optional');
  open(t, optional.receiver.tlsPort, stranger).write('<34>optional\n');
  await until('the event', () => optional.stored.length === 1);
  assert.equal(optional.stored[0].identity, undefined);
  const required = await start(t, 'required');
  for (const client of [stranger, undefined]) {
    const socket = open(t, required.receiver.tlsPort, client);
    socket.write('<34>required\n');
    await new Promise((resolve) => socket.once('close', resolve));
  }
  await until('two failures', () => required.receiver.counters.failedHandshakes === 2);
  assert.equal(required.stored.length, 0);
  assert.equal(required.receiver.counters.openConnections, 0);
});

test('names that hide separators are not believed', { skip }, async (t) => {
  const { receiver, stored } = await start(t, 'required');
  const forged = authority.issue('forged', 'forged', '@names', 'DNS.1=a, DNS:web1.example.net');
  const { subjectAltName } = new X509Certificate(readFileSync(forged.cert));
  assert.match(subjectAltName ?? '', /DNS:web1\.example\.net/, 'it is in there');
  open(t, receiver.tlsPort, forged).write('<34>x\n');
  await until('the event', () => stored.length === 1);
  assert.equal(stored[0].identity, 'forged');
});

test('what is no TLS is a failed handshake; silent ones hold half of the places at most', {
  skip,
}, async (t) => {
  const { receiver } = await start(t, 'none', { maxConnections: 4 });
  const plain = connectPlain(receiver.tlsPort, '127.0.0.1');
  plain.on('error', () => undefined);
  plain.write('<34>no TLS at all\n');
  await once(plain, 'close');
  await until('it to be counted', () => receiver.counters.failedHandshakes === 1);
  for (let i = 0; i < 3; i++) {
    const silent = connectPlain(receiver.tlsPort, '127.0.0.1');
    silent.on('error', () => undefined);
    t.after(() => silent.destroy());
  }
  await until('one to be refused', () => receiver.counters.refusedConnections === 1);
  assert.equal(receiver.counters.openConnections, 2);
});

test('renewed certificates serve those who come, and those who are there stay', { skip }, async (t) => {
  const { receiver, stored } = await start(t, 'none');
  const before = open(t, receiver.tlsPort);
  await once(before, 'secureConnect');
  const mark = await tlsFilesMark(files);
  assert.equal(await tlsFilesMark(files), mark);
  const next = authority.issue('next', 'localhost', 'DNS:localhost');
  receiver.renewTls(await readTlsFiles({ ...files, certificate: next.cert, key: next.key }));
  const after = open(t, receiver.tlsPort);
  await once(after, 'secureConnect');
  assert.notEqual(before.getPeerCertificate().serialNumber, after.getPeerCertificate().serialNumber);
  before.write('<34>before\n');
  after.write('<34>after\n');
  await until('both', () => stored.length === 2);
  writeFileSync(join(authority.folder, 'server.pem'), readFileSync(server.cert));
  assert.notEqual(await tlsFilesMark(files), mark);
});

test('files that do not fit are told in one line that names them', { skip }, async () => {
  const other = authority.issue('other', 'other');
  const garbage = join(authority.folder, 'garbage.pem');
  writeFileSync(garbage, 'no certificate');
  const cases: [Partial<typeof files>, RegExp][] = [
    [
      { certificate: '/nowhere/cert.pem' },
      /^POSTERN_SYSLOG_TLS_CERT: \/nowhere\/cert\.pem: there is no such file$/,
    ],
    [
      { key: other.key },
      /^POSTERN_SYSLOG_TLS_KEY: .*other\.key: does not belong to the certificate in .*server\.pem$/,
    ],
    [{ key: garbage }, /^POSTERN_SYSLOG_TLS_KEY: .*garbage\.pem: holds no usable private key in PEM form$/],
    [
      { certificate: garbage },
      /^POSTERN_SYSLOG_TLS_CERT: .*garbage\.pem: holds no usable certificate in PEM form$/,
    ],
    [{ authorities: garbage }, /^POSTERN_SYSLOG_TLS_CA: .*garbage\.pem: holds no usable certificate/],
    [{ key: authority.folder }, /^POSTERN_SYSLOG_TLS_KEY: .*: is a folder$/],
  ];
  for (const [changed, message] of cases)
    await assert.rejects(readTlsFiles({ ...files, ...changed }), { code: 'bad-certificate', message });
});

test('the service says in one line what syslog over TLS lacks', { skip }, async (t) => {
  const other = authority.issue('another', 'another');
  const cases: [Record<string, string>, RegExp][] = [
    [
      { POSTERN_SYSLOG_TLS_PORT: '6514' },
      /^postern: syslog over TLS needs both POSTERN_SYSLOG_TLS_CERT and /,
    ],
    [
      { POSTERN_SYSLOG_TLS_CERT: server.cert, POSTERN_SYSLOG_TLS_KEY: other.key },
      /^postern: POSTERN_SYSLOG_TLS_KEY: .* does not belong to the certificate in /,
    ],
  ];
  const data = join(temporaryFolder(t), 'data');
  for (const [settings, expected] of cases) {
    const ports = {
      POSTERN_SYSLOG_PORT: '0',
      POSTERN_NETFLOW_PORT: '0',
      POSTERN_IPFIX_PORT: '0',
      POSTERN_SFLOW_PORT: '0',
      POSTERN_IPFIX_TCP_PORT: '0',
    };
    const { code, stderr } = await runPostern(t, ['serve'], { POSTERN_DATA: data, ...ports, ...settings });
    const lines = stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('{'));
    assert.deepEqual([code, lines.length], [1, 1], stderr);
    assert.match(lines[0], expected);
  }
});

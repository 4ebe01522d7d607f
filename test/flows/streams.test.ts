// IPFIX over TCP and TLS: framing, sessions that end with their connection, bounds, certificates
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { readTlsFiles } from '../../src/events/tls.ts';
import { type ConversationBatch, conversations } from '../../src/flows/batch.ts';
import { type CollectorOptions, startCollector } from '../../src/flows/collector.ts';
import type { FolderReport } from '../../src/flows/folder.ts';
import { createMessageReader } from '../../src/flows/streams.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { createAuthority, hasOpenssl } from '../events/certificates.ts';
import { addressBytes, buildIpfix, dataSet, type Field, ipfixTemplate } from '../packets/generate.ts';

const FIELDS: readonly Field[] = [
  [8, 4],
  [12, 4],
  [11, 2],
  [4, 1],
  [1, 4],
  [2, 4],
];

/** A message of one record from 10.0.0.`host`; with or without the template before it. */
function message(host: number, options: { template?: boolean; sequence?: number } = {}): Uint8Array {
  const { template = true, sequence = 0 } = options;
  const values = [addressBytes(`10.0.0.${host}`), addressBytes('198.51.100.9'), 443, 6, 1000, 3];
  return buildIpfix(
    { seconds: Math.floor(Date.now() / 1000), sequence, domain: 7 },
    ...(template ? [ipfixTemplate(300, FIELDS)] : []),
    dataSet(300, FIELDS, [values]),
  );
}

async function start(t: TestContext, options: Partial<CollectorOptions> = {}) {
  const batches: ConversationBatch[] = [];
  const reports: FolderReport[] = [];
  const collector = await startCollector({
    host: '127.0.0.1',
    ports: [0],
    threads: 1,
    receiveBufferBytes: 1_048_576,
    flushMs: 60_000,
    maxConversations: 10_000,
    maxSessions: 1000,
    internal: addressSet('10.0.0.0/8'),
    streams: { tcpPort: 0, maxConnections: 100, idleTimeoutMs: 60_000 },
    onBatch: (batch) => batches.push(batch),
    onReport: (report) => reports.push(report),
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
  let isStopped = false;
  const stop = async () => {
    if (!isStopped) await collector.stop();
    isStopped = true;
  };
  t.after(stop);
  const total = (name: string) =>
    reports.flatMap((report) => report.exporters).reduce((sum, one) => sum + (one.counters[name] ?? 0), 0);
  const streams = (name: string) =>
    reports.reduce((sum, { streams: counts }) => sum + (counts?.[name] ?? 0), 0);
  return {
    collector,
    stop,
    total,
    streams,
    hosts: () =>
      batches
        .flatMap((batch) => [...conversations(batch)])
        .map(({ internal }) => internal)
        .sort(),
    until: async (what: string, isDone: () => boolean) => {
      for (let i = 0; i < 300; i++) {
        await collector.flush();
        if (isDone()) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.fail(`waited in vain for: ${what}`);
    },
  };
}

async function open(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.on('error', () => undefined);
  return socket;
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())));

describe('IPFIX over TCP', () => {
  test('messages arrive whole however they are cut, and over any number of threads', async (t) => {
    const { collector, total, until, hosts } = await start(t, { threads: 2 });
    const [port] = collector.streamPorts;
    const sockets = await Promise.all(Array.from({ length: 8 }, () => open(t, port)));
    for (const [i, socket] of sockets.entries()) {
      const bytes = Buffer.concat([message(i), message(i + 100, { template: false, sequence: 1 })]);
      for (const byte of [bytes.subarray(0, 3), bytes.subarray(3, 40), bytes.subarray(40)]) {
        socket.write(byte);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    await until('16 records', () => total('records') === 16);
    assert.equal(hosts().length, 16);
    assert.equal(total('malformed'), 0);
  });

  test('templates belong to their connection and end with it; what was counted stays', async (t) => {
    const { collector, total, until } = await start(t);
    const [port] = collector.streamPorts;
    const first = await open(t, port);
    first.write(message(1));
    await until('the first record', () => total('records') === 1);
    const second = await open(t, port);
    second.write(message(2, { template: false }));
    await until('a set without its template', () => total('missedTemplates') === 1);
    first.end();
    await closed(first);
    const third = await open(t, port);
    third.write(message(3));
    await until('the second record', () => total('records') === 2);
  });

  test('what is no IPFIX ends its connection at once and costs the others nothing', async (t) => {
    const { collector, total, until } = await start(t);
    const [port] = collector.streamPorts;
    const good = await open(t, port);
    good.write(message(1));
    const bad = await open(t, port);
    bad.write('GET / HTTP/1.1\r\n\r\n');
    await closed(bad);
    good.write(message(2, { template: false, sequence: 1 }));
    await until('both records', () => total('records') === 2);
    await until('the fault', () => total('malformed') === 1);
  });

  test('senders that are not allowed, and connections over the bound of one sender, are refused', async (t) => {
    const { collector, streams, until } = await start(t, { allowed: addressSet('192.0.2.1') });
    const refused = connect({ port: collector.streamPorts[0], host: '127.0.0.1' });
    refused.on('error', () => undefined);
    await closed(refused);
    await until('a refusal', () => streams('connectionsRefused') === 1);
    collector.setAllowed(undefined);
    await collector.flush();
    const sockets = await Promise.all(Array.from({ length: 66 }, () => open(t, collector.streamPorts[0])));
    await until('two more', () => streams('connectionsRefused') === 3);
    for (const socket of sockets) socket.destroy();
  });

  test('a silent connection is closed', async (t) => {
    const { collector } = await start(t, {
      streams: { tcpPort: 0, maxConnections: 100, idleTimeoutMs: 50 },
    });
    await closed(await open(t, collector.streamPorts[0]));
  });

  test('where all places are taken, a connection that says nothing makes room, one that exports does not', async (t) => {
    const { collector, total, streams, until } = await start(t, {
      streams: { tcpPort: 0, maxConnections: 3, idleTimeoutMs: 60_000 },
    });
    const [port] = collector.streamPorts;
    const silent = [await open(t, port), await open(t, port)];
    silent[0].write(Uint8Array.of(0, 10, 1));
    const first = await open(t, port);
    first.write(message(1));
    await until('a record', () => total('records') === 1);
    await closed(await open(t, port));
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const late = await open(t, port);
    late.write(message(2));
    await until('a record of who came late', () => total('records') === 2);
    await closed(silent[0]);
    first.write(message(3, { template: false, sequence: 1 }));
    await until('another of the first', () => total('records') === 3);
    assert.deepEqual([streams('connectionsRefused'), streams('connectionsEvicted')], [1, 1]);
  });

  test('a port that another program has is said', async (t) => {
    const { collector } = await start(t);
    await assert.rejects(
      start(t, { streams: { tcpPort: collector.streamPorts[0], maxConnections: 1, idleTimeoutMs: 1000 } }),
      { code: 'port-in-use' },
    );
  });
});

describe('IPFIX over TLS', { skip: hasOpenssl ? false : 'openssl is not installed' }, () => {
  test('an exporter with a certificate is heard, one without is not, and a new certificate is taken', async (t) => {
    const authority = createAuthority();
    const server = authority.issue('collector', 'localhost', 'DNS:localhost');
    const client = authority.issue('exporter', 'router1');
    const files = { certificate: server.cert, key: server.key, authorities: authority.ca };
    const material = await readTlsFiles(files, 'POSTERN_IPFIX_TLS');
    const { collector, total, streams, until } = await start(t, {
      streams: {
        maxConnections: 100,
        idleTimeoutMs: 60_000,
        tls: { port: 0, clients: 'required', material },
      },
    });
    const [tcpPort, port] = collector.streamPorts;
    assert.equal(tcpPort, 0);
    const shake = (withCertificate: boolean) => {
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca: readFileSync(authority.ca),
        ...(withCertificate && { cert: readFileSync(client.cert), key: readFileSync(client.key) }),
      });
      socket.on('error', () => undefined);
      t.after(() => socket.destroy());
      return socket;
    };
    const good = shake(true);
    good.write(message(1));
    await until('the record', () => total('records') === 1);
    const bad = shake(false);
    bad.write(message(2));
    await closed(bad);
    await until('the failed handshake', () => streams('handshakesFailed') === 1);
    assert.equal(total('records'), 1);
    const other = authority.issue('renewed', 'localhost', 'DNS:localhost');
    collector.setMaterial(await readTlsFiles({ ...files, certificate: other.cert, key: other.key }));
    await collector.flush();
    const later = shake(true);
    await new Promise((resolve) => later.once('secureConnect', resolve));
    assert.deepEqual(
      later.getPeerX509Certificate()?.raw,
      new (await import('node:crypto')).X509Certificate(readFileSync(other.cert)).raw,
    );
  });
});

test('a reader of messages holds less than one message', () => {
  const seen: number[] = [];
  const take = createMessageReader((bytes) => seen.push(bytes.length));
  const bytes = message(1);
  for (let i = 0; i < 3; i++) for (const byte of bytes) assert.equal(take(Uint8Array.of(byte)), true);
  assert.deepEqual(seen, [bytes.length, bytes.length, bytes.length]);
  assert.equal(take(Uint8Array.of(0, 10, 0, 15)), false);
});

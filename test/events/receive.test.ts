import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test from 'node:test';
import { type ReceiverOptions, startReceiver } from '../../src/events/receive.ts';
import { addressSet, NO_ADDRESSES } from '../../src/model/addresses.ts';
import type { Event } from '../../src/model/event.ts';

const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7);

async function start(t: test.TestContext, changed: Partial<ReceiverOptions> = {}) {
  const stored: Event[] = [];
  const announced: Event[] = [];
  const errors: unknown[] = [];
  const receiver = await startReceiver({
    host: '127.0.0.1',
    port: 0,
    senders: NO_ADDRESSES,
    maxConnections: 100,
    idleTimeoutMs: 60_000,
    maxQueuedEvents: 10_000,
    flushEveryMs: 20,
    now: () => NOW_MS,
    store: async (batch) => {
      stored.push(...batch);
    },
    onEvents: (batch) => announced.push(...batch),
    onError: (error) => errors.push(error),
    ...changed,
  });
  t.after(() => receiver.stop());
  return { receiver, stored, announced, errors };
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`waited in vain for: ${what}`);
}

async function open(t: test.TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('UDP and TCP of one port become events with their sender, stored once and announced once', async (t) => {
  const { receiver, stored, announced } = await start(t);
  const udp = createSocket('udp4');
  t.after(() => udp.close());
  udp.send(
    '<86>Nov  2 02:11:05 edge1 sshd[1]: Accepted password for alice from 10.0.0.5 port 1 ssh2',
    receiver.port,
    '127.0.0.1',
  );
  const tcp = await open(t, receiver.port);
  tcp.write(
    '<86>Nov  2 02:11:05 edge1 sshd[1]: Failed password for bob from 10.0.0.6 port 1 ssh2\n24 <34>1 - - - - - - counted',
  );
  await until('three events', () => stored.length === 3);
  assert.deepEqual(stored.map(({ kind, user, sender }) => [kind, user, sender]).sort(), [
    ['login-accepted', 'alice', '127.0.0.1'],
    ['login-failed', 'bob', '127.0.0.1'],
    ['other', undefined, '127.0.0.1'],
  ]);
  assert.equal(announced.length, 3);
  assert.equal(receiver.counters.udpDatagrams, 1);
  assert.equal(receiver.counters.tcpMessages, 2);
  assert.equal(receiver.counters.storedEvents, 3);
});

test('empty datagrams and a line of 1 MiB do no harm', async (t) => {
  const { receiver, stored } = await start(t);
  const udp = createSocket('udp4');
  t.after(() => udp.close());
  udp.send('', receiver.port, '127.0.0.1');
  udp.send('\0', receiver.port, '127.0.0.1');
  const tcp = await open(t, receiver.port);
  tcp.write(`<34>${'x'.repeat(1 << 20)}\n<34>after\n`);
  await until('the line after it', () => stored.some(({ message }) => message === 'after'));
  const long = stored.find(({ message }) => message.startsWith('xxx'));
  assert.equal(long?.raw.length, 65_536);
  assert.equal(receiver.counters.truncatedLines, 1);
});

test('the 101st connection is closed and counted; when one leaves, the next is taken', async (t) => {
  const { receiver } = await start(t);
  const sockets = await Promise.all(Array.from({ length: 100 }, () => open(t, receiver.port)));
  await until('100 connections', () => receiver.counters.openConnections === 100);
  const over = await open(t, receiver.port);
  await once(over, 'close');
  assert.equal(receiver.counters.refusedConnections, 1);
  sockets[0].destroy();
  await until('99 connections', () => receiver.counters.openConnections === 99);
  await open(t, receiver.port);
  await until('100 connections again', () => receiver.counters.openConnections === 100);
});

test('a silent connection is closed', async (t) => {
  const { receiver } = await start(t, { idleTimeoutMs: 80 });
  await once(await open(t, receiver.port), 'close');
  assert.equal(receiver.counters.idleConnections, 1);
});

test('senders outside the allow-list are counted, not stored', async (t) => {
  const { receiver, stored } = await start(t, { senders: addressSet('192.0.2.0/24') });
  const udp = createSocket('udp4');
  t.after(() => udp.close());
  for (let i = 0; i < 3; i++) udp.send('<34>hello', receiver.port, '127.0.0.1');
  await once(await open(t, receiver.port), 'close');
  await until('four refusals', () => receiver.unknownSenders.get('127.0.0.1') === 4);
  assert.equal(stored.length, 0);
});

test('while the store is down events wait in order; TCP waits, UDP over the bound is counted; nothing taken is lost', async (t) => {
  let isDown = true;
  const stored: Event[] = [];
  const { receiver, announced, errors } = await start(t, {
    maxQueuedEvents: 100,
    store: async (batch) => {
      if (isDown) throw new Error('the store is down');
      stored.push(...batch);
    },
  });
  const tcp = await open(t, receiver.port);
  const line = (i: number) => `<34>line ${i} ${'x'.repeat(500)}\n`;
  const count = 20_000;
  for (let i = 0; i < count; i++) tcp.write(line(i));
  await until('an error', () => errors.length > 0);
  await until('the sender to wait', () => tcp.writableLength > 0);
  assert.ok(receiver.counters.tcpMessages < count, `${receiver.counters.tcpMessages} taken while full`);
  const udp = createSocket('udp4');
  t.after(() => udp.close());
  udp.send('<34>dropped', receiver.port, '127.0.0.1');
  await until('a drop', () => receiver.counters.droppedEvents === 1);
  isDown = false;
  await until('all lines', () => stored.length === count);
  stored.forEach(({ message }, i) => {
    assert.ok(message.startsWith(`line ${i} `), message.slice(0, 20));
  });
  assert.equal(announced.length, count);
});

test('stopping stores what waits', async (t) => {
  const stored: Event[] = [];
  const { receiver } = await start(t, {
    flushEveryMs: 60_000,
    store: async (batch) => {
      stored.push(...batch);
    },
  });
  const tcp = await open(t, receiver.port);
  tcp.write('<34>one\n<34>two without its end');
  await until('one', () => receiver.counters.tcpMessages === 1);
  await receiver.stop();
  assert.deepEqual(
    stored.map(({ message }) => message),
    ['one', 'two without its end'],
  );
});

test('a port that is taken is told by name', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const options = {
    host: '127.0.0.1',
    port,
    senders: NO_ADDRESSES,
    maxConnections: 1,
    idleTimeoutMs: 1000,
    maxQueuedEvents: 100,
    now: () => NOW_MS,
    store: async () => undefined,
    onEvents: () => undefined,
    onError: () => undefined,
  };
  await assert.rejects(startReceiver(options), { code: 'port-in-use', message: new RegExp(`port ${port}`) });
  other.close();
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  await once(udp, 'listening');
  await assert.rejects(startReceiver({ ...options, port: udp.address().port }), { code: 'port-in-use' });
  udp.close();
});

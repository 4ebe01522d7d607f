import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
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

async function open(t: test.TestContext, port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
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

test('one sender has half of the connections; the rest is closed and counted, and others find room', async (t) => {
  const { receiver } = await start(t);
  const sockets = await Promise.all(Array.from({ length: 50 }, () => open(t, receiver.port)));
  await until('50 connections', () => receiver.counters.openConnections === 50);
  await once(await open(t, receiver.port), 'close');
  assert.equal(receiver.counters.refusedConnections, 1);
  await open(t, receiver.port, '127.0.0.2');
  await until('another sender', () => receiver.counters.openConnections === 51);
  for (const socket of sockets.slice(0, 2)) socket.destroy();
  await until('two less', () => receiver.counters.openConnections === 49);
  await open(t, receiver.port);
  await until('one more', () => receiver.counters.openConnections === 50);
});

test('when all places are taken the next connection is closed', async (t) => {
  const { receiver } = await start(t, { maxConnections: 3 });
  const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
  for (const [index, address] of addresses.entries()) {
    await open(t, receiver.port, address);
    await until('it to be open', () => receiver.counters.openConnections === index + 1);
  }
  await once(await open(t, receiver.port, '127.0.0.4'), 'close');
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
  // Half of the queue is one sender's share: before that a datagram is taken.
  await until('a full share', () => receiver.counters.tcpMessages >= 50);
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

/** A process of its own that sends as fast as it can until it is killed. */
async function flood(t: test.TestContext, code: string, ...args: (string | number)[]): Promise<void> {
  const child = spawn(process.execPath, ['-e', code, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

const UDP_FLOOD = `
  const socket = require('node:dgram').createSocket('udp4');
  const line = Buffer.from('<34>Nov  2 02:11:05 flooder x[1]: ' + 'x'.repeat(100));
  const [port, address] = process.argv.slice(1);
  const send = () => {
    for (let i = 0; i < 64; i++) socket.send(line, Number(port), '127.0.0.1', () => undefined);
    setImmediate(send);
  };
  socket.bind(0, address, () => { send(); console.log('floods'); });`;
const TCP_FLOOD = `
  const [port, address] = process.argv.slice(1);
  const lines = Buffer.from(('<34>Nov  2 02:11:05 flooder x[1]: ' + 'x'.repeat(100) + '\\n').repeat(500));
  for (let i = 0; i < 8; i++) {
    const socket = require('node:net').connect({ port: Number(port), host: '127.0.0.1', localAddress: address });
    const send = () => { while (socket.write(lines)); };
    socket.on('connect', send).on('drain', send).on('error', () => undefined);
  }
  console.log('floods');`;

for (const [transport, code] of [
  ['UDP', UDP_FLOOD],
  ['TCP', TCP_FLOOD],
] as const)
  test(`a sender that floods over ${transport} costs others no line, and is counted by itself`, async (t) => {
    const polite: string[] = [];
    let flooded = 0;
    const { receiver } = await start(t, {
      maxQueuedEvents: 5000,
      // A store that takes fewer lines than the flood has.
      store: async (batch) => {
        await new Promise((resolve) => setTimeout(resolve, batch.length / 20));
        for (const { sender, message } of batch)
          if (sender === '127.0.0.1') polite.push(message);
          else flooded++;
      },
    });
    await flood(t, code, receiver.port, '127.0.0.2');
    const udp = Array.from({ length: 3 }, () => createSocket('udp4'));
    t.after(() => udp.map((socket) => socket.close()));
    const tcp = await open(t, receiver.port);
    const count = 150;
    for (let i = 0; i < count; i++) {
      for (const [which, socket] of udp.entries())
        socket.send(`<34>udp${which} ${i}`, receiver.port, '127.0.0.1');
      tcp.write(`<34>tcp ${i}\n`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const have = (name: string) => polite.filter((message) => message.startsWith(`${name} `)).length;
    await until('all polite lines', () => have('tcp') === count);
    // One in 64 ports shares the kernel's buffer with the flood: of three, two at least do not.
    await until('all polite datagrams', () => udp.filter((_, i) => have(`udp${i}`) === count).length >= 2);
    assert.ok(flooded > 10_000, `${flooded} lines of the flood were stored`);
    const reports = receiver.sources.report(NOW_MS);
    const dropped = new Map(reports.map((one) => [one.sender, one.dropped]));
    assert.equal(dropped.get('127.0.0.1'), 0);
    if (transport === 'UDP') assert.ok(dropped.get('127.0.0.2')! > 0);
    else assert.equal(receiver.counters.droppedEvents, 0);
  });

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { parseKernelDrops, readKernelDrops } from '../../src/flows/kernel-drops.ts';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  417: 00000000:0807 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 32301 2 0000000000000000 12
  418: 00000000:0807 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 32302 2 0000000000000000 30
  419: 0100007F:1283 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 32303 2 0000000000000000 5
  420: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 32304 2 0000000000000000 99
`;

test('drops of all sockets on our ports add up by port', () => {
  assert.deepEqual(
    [...parseKernelDrops(TABLE, [2055, 4739])],
    [
      [2055, 42],
      [4739, 5],
    ],
  );
});

test('a table that is not there or not one is no drops', () => {
  assert.equal(parseKernelDrops('', [2055]).size, 0);
  assert.equal(parseKernelDrops('sl\ngarbage\n', [2055]).size, 0);
});

test('what a full socket of ours loses is counted by the kernel, and read', {
  skip: process.platform !== 'linux',
}, async () => {
  const [receiver, sender] = [createSocket('udp4'), createSocket('udp4')];
  try {
    receiver.bind(0, '127.0.0.1');
    await once(receiver, 'listening');
    receiver.setRecvBufferSize(4096);
    const { port } = receiver.address();
    let received = 0;
    receiver.on('message', () => received++);
    assert.equal((await readKernelDrops([port])).get(port), 0);
    const sent = 300;
    // Nothing is read before this thread is done with sending.
    const datagram = new Uint8Array(1400);
    await Promise.all(
      Array.from(
        { length: sent },
        () => new Promise((settle) => sender.send(datagram, port, '127.0.0.1', settle)),
      ),
    );
    await new Promise((settle) => setTimeout(settle, 100));
    const drops = (await readKernelDrops([port])).get(port) ?? 0;
    assert.ok(drops > 100, String(drops));
    assert.equal(drops + received, sent);
  } finally {
    receiver.close();
    sender.close();
  }
});

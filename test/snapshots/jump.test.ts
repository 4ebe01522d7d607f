import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type PullTarget, pull, type SshHop } from '../../src/snapshots/pull.ts';
import { type Door, type Playing, serve } from './server.ts';
import { failsWith, OPTIONS, start, targetAt } from './targets.ts';
import { CONFIGURATION, EDGE, shellVendor } from './vendors.ts';

const GUARD: Door = { username: 'guard', password: 'open sesame', forwards: true };

async function startJump(context: TestContext, door: Partial<Door> = {}): Promise<Playing> {
  const playing = await serve({ ...GUARD, ...door }, {});
  context.after(playing.stop);
  return playing;
}

const hopAt = (port: number, more: Partial<SshHop> = {}): SshHop => ({
  address: '127.0.0.1',
  port,
  username: 'guard',
  credential: { password: 'open sesame' },
  ...more,
});

const pullBy = (target: PullTarget) => pull(target, shellVendor, OPTIONS);

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('jump hosts', { concurrency: 4 }, () => {
  test('a device is pulled through two of them, each with its own login and key', async (t) => {
    const device = await start(t, EDGE);
    const inner = await startJump(t, { username: 'inner', password: 'second door' });
    const outer = await startJump(t);
    const jump = [
      hopAt(outer.port),
      hopAt(inner.port, { username: 'inner', credential: { password: 'second door' } }),
    ];
    const result = await pullBy(targetAt(device.port, { jump }));
    assert.equal(result.text.trimEnd(), CONFIGURATION.trimEnd());
    assert.deepEqual(outer.forwards, [`127.0.0.1 ${inner.port}`]);
    assert.deepEqual(inner.forwards, [`127.0.0.1 ${device.port}`]);
    assert.deepEqual([outer.passwords, inner.passwords, device.passwords].flat(), [
      'open sesame',
      'second door',
      'correct horse',
    ]);
    assert.equal(new Set([...result.jumpHostKeys, result.hostKey]).size, 3);
    const about = (where: string) =>
      result.steps.filter(({ detail }) => detail.startsWith(where)).map(({ name }) => name);
    assert.deepEqual(about('jump host 127.0.0.1: '), [
      ...['resolve', 'connect', 'handshake', 'host-key', 'login'],
      ...['connect', 'handshake', 'host-key', 'login'],
    ]);
    const pinned = jump.map((hop, i) => ({ ...hop, hostKey: result.jumpHostKeys[i] }));
    await pullBy(targetAt(device.port, { jump: pinned, hostKey: result.hostKey }));
  });

  test('a refused login says at which host, and goes no further', async (t) => {
    const device = await start(t, EDGE);
    const outer = await startJump(t);
    const jump = [hopAt(outer.port, { credential: { password: 'open barley' } })];
    await assert.rejects(
      pullBy(targetAt(device.port, { jump })),
      failsWith(
        'login-failed',
        /^edge1: jump host 127\.0\.0\.1: the login of guard was refused; .*the jump host takes/,
      ),
    );
    assert.deepEqual([outer.forwards, device.passwords], [[], []]);
    await assert.rejects(
      pullBy(targetAt(device.port, { jump: [hopAt(outer.port)], credential: { password: 'x' } })),
      failsWith('login-failed', /^edge1: the login of reader was refused/),
    );
  });

  test('a changed key of the jump host stops the pull before anything is sent', async (t) => {
    const device = await start(t, EDGE);
    const [first, second] = [await startJump(t), await startJump(t)];
    const { jumpHostKeys } = await pullBy(targetAt(device.port, { jump: [hopAt(first.port)] }));
    const jump = [hopAt(second.port, { hostKey: jumpHostKeys[0] })];
    await assert.rejects(
      pullBy(targetAt(device.port, { jump })),
      failsWith('host-key-changed', /^edge1: jump host 127\.0\.0\.1: .*If the jump host was replaced/),
    );
    assert.deepEqual([second.passwords, second.forwards], [[], []]);
  });

  test('the key of the device is its own, not that of the jump host', async (t) => {
    const device = await start(t, EDGE);
    const outer = await startJump(t);
    const { jumpHostKeys } = await pullBy(targetAt(device.port, { jump: [hopAt(outer.port)] }));
    const target = targetAt(device.port, { jump: [hopAt(outer.port)], hostKey: jumpHostKeys[0] });
    await assert.rejects(pullBy(target), failsWith('host-key-changed', /^edge1: the host key is/));
    assert.equal(device.passwords.length, 1);
  });

  test('a device that the jump host cannot reach is unreachable from there', async (t) => {
    const outer = await startJump(t);
    const port = await closedPort();
    await assert.rejects(
      pullBy(targetAt(port, { jump: [hopAt(outer.port)] })),
      failsWith(
        'unreachable',
        new RegExp(`jump host 127\\.0\\.0\\.1 cannot reach 127\\.0\\.0\\.1 port ${port}`),
      ),
    );
  });

  test('a host that forwards nothing is named', async (t) => {
    const device = await start(t, EDGE);
    const outer = await startJump(t, { forwards: false });
    await assert.rejects(
      pullBy(targetAt(device.port, { jump: [hopAt(outer.port)] })),
      failsWith('forward-refused', /jump host 127\.0\.0\.1 does not forward to/),
    );
    assert.deepEqual(device.passwords, []);
  });

  test('a jump host that is not there is named, and so is one whose algorithms are old', async (t) => {
    const device = await start(t, EDGE);
    await assert.rejects(
      pullBy(targetAt(device.port, { jump: [hopAt(await closedPort())] })),
      failsWith('connection-refused', /^edge1: jump host 127\.0\.0\.1: .*refuses connections/),
    );
    const old = await startJump(t, { algorithms: { cipher: ['aes256-cbc'] } });
    await assert.rejects(
      pullBy(targetAt(device.port, { jump: [hopAt(old.port)] })),
      failsWith('no-common-algorithms', /jump host 127\.0\.0\.1: .*turn on for it the legacy profile cbc/),
    );
    const jump = [hopAt(old.port, { legacyProfiles: ['cbc'] })];
    const { algorithms } = await pullBy(targetAt(device.port, { jump }));
    assert.deepEqual(algorithms.legacyProfiles, [], 'the device itself needs none');
  });

  test('losing the jump host in the middle of an output is no snapshot', async (t) => {
    const device = await start(t, { ...EDGE, bad: 'hangs-in-output' });
    const outer = await startJump(t);
    const pulled = pullBy(targetAt(device.port, { jump: [hopAt(outer.port)] }));
    pulled.catch(() => {});
    while (!device.received.includes('show running-config'))
      await new Promise((resolve) => setTimeout(resolve, 10));
    outer.hangUp();
    await assert.rejects(pulled, failsWith('truncated', /closed the connection in the middle/));
  });

  test('losing it between two steps is told of the jump host, not of the device', async (t) => {
    const device = await start(t, { ...EDGE, bad: 'no-prompt' });
    const outer = await startJump(t);
    const pulled = pullBy(targetAt(device.port, { jump: [hopAt(outer.port)] }));
    pulled.catch(() => {});
    while (device.passwords.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 200));
    outer.hangUp();
    await assert.rejects(
      pulled,
      failsWith('connection-lost', /jump host 127\.0\.0\.1: the connection broke/),
    );
  });
});

describe('IPv6', () => {
  test('a device is reached by its IPv6 address, directly and through a jump host', async (t) => {
    const device = await start(t, { ...EDGE, listensOn: '::1' });
    const { steps } = await pullBy(targetAt(device.port, { address: '::1' }));
    assert.equal(steps.find(({ name }) => name === 'connect')!.detail, `[::1] port ${device.port}`);
    const outer = await startJump(t, { listensOn: '::1' });
    const jump = [hopAt(outer.port, { address: '::1' })];
    await pullBy(targetAt(device.port, { address: '::1', jump }));
    assert.deepEqual(outer.forwards, [`::1 ${device.port}`]);
  });
});

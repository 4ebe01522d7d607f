import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Algorithms } from 'ssh2';
import { newKeyPair, type PlayedDevice, play } from './play.ts';
import { serve } from './server.ts';
import { EDGE } from './vendors.ts';

const MODULE = new URL('../../src/snapshots/command.ts', import.meta.url).href;
const SCRIPT = `
  import { command } from ${JSON.stringify(MODULE)};
  command.run(process.argv.slice(1)).then(
    (status) => { process.exitCode = status; },
    (error) => { console.error(error.message); process.exitCode = error.constructor.name === 'UsageError' ? 2 : 9; },
  );
`;

async function check(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, '--', ...args], {
    env: {
      ...process.env,
      DEVICE_PASSWORD: 'correct horse',
      WRONG: 'battery staple',
      JUMP_PASSWORD: 'open sesame',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text;
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, ...output };
}

async function startGuard(context: TestContext) {
  const guard = await serve({ username: 'guard', password: 'open sesame', forwards: true }, {});
  context.after(guard.stop);
  return guard;
}

async function start(context: TestContext, device: PlayedDevice) {
  const playing = await play(device);
  context.after(playing.stop);
  return ['--vendor', 'cisco-ios', '--port', String(playing.port), '--user', 'reader', '127.0.0.1'];
}

describe('postern check', { concurrency: 4 }, () => {
  test('says each step, what was read and what was not, and no secret', async (t) => {
    const args = await start(t, EDGE);
    const { status, stdout, stderr } = await check(...args, '--password-env', 'DEVICE_PASSWORD');
    assert.equal(status, 0, stdout + stderr);
    const names = stdout.split('\n').map((line) => line.split(' ')[0]);
    for (const name of ['resolve', 'connect', 'handshake', 'host-key', 'login', 'prompt', 'command', 'end'])
      assert.ok(names.includes(name), `${name} in ${stdout}`);
    assert.match(stdout, /host-key +ssh-ed25519 SHA256:/);
    assert.match(stdout, /command +show running-config; end marker seen \(\d+ bytes, \d+(\.\d)? ms\)/);
    assert.match(stdout, /redact +[1-9]\d* secrets removed/);
    assert.match(stdout, /read +[1-9]\d* rules/);
    assert.match(stdout, /unread +\d+ lines/);
    assert.match(stdout, /pin +--host-key 'ssh-ed25519 AAAA/);
    assert.doesNotMatch(stdout, /correct horse|gr33n|efghij/);
  });

  test('stops at the step that fails and says what to do', async (t) => {
    const args = await start(t, EDGE);
    const { status, stdout } = await check(...args, '--password-env', 'WRONG');
    assert.equal(status, 1);
    assert.match(stdout, /FAILED +login: login-failed: .*refused; tried password/);
    assert.doesNotMatch(stdout, /battery staple|^prompt/m);
  });

  test('shows the last of the screen without secrets where the output ends early', async (t) => {
    const commands = { 'show running-config': 'version 15.2\nsnmp-server community gr33n RO\n' };
    const args = await start(t, { ...EDGE, commands });
    const { status, stdout } = await check(...args, '--password-env', 'DEVICE_PASSWORD');
    assert.equal(status, 1);
    assert.match(stdout, /FAILED +command: truncated: [\s\S]*\| version 15\.2/);
    assert.doesNotMatch(stdout, /gr33n/);
  });

  test('logs in with a key from a file and keeps its passphrase to itself', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-check-'));
    t.after(() => rm(folder, { recursive: true }));
    const pair = newKeyPair({ passphrase: 'correct horse', cipher: 'aes256-ctr' });
    await writeFile(join(folder, 'key'), pair.private, { mode: 0o600 });
    const playing = await play({ ...EDGE, publicKey: pair.public });
    t.after(playing.stop);
    const { status, stdout, stderr } = await check(
      ...['--vendor', 'cisco-ios', '--port', String(playing.port), 'reader@127.0.0.1'],
      ...['--identity', join(folder, 'key'), '--password-env', 'DEVICE_PASSWORD'],
    );
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /login +reader by publickey/);
    assert.deepEqual(playing.passwords, []);
  });

  test('goes through jump hosts to an old device at an IPv6 address, and says what to pin and what is old', async (t) => {
    const algorithms = {
      cipher: ['3des-cbc'],
      kex: ['diffie-hellman-group14-sha1'],
    } as unknown as Algorithms;
    const device = await play({ ...EDGE, algorithms, listensOn: '::1' });
    const guards = [await startGuard(t), await startGuard(t)];
    t.after(device.stop);
    const jump = guards.map(({ port }) => `guard@127.0.0.1:${port}`).join(',');
    const args = [
      ...['--vendor', 'cisco-ios', '--jump', jump, '--password-env', 'DEVICE_PASSWORD'],
      ...['--jump-password-env', 'JUMP_PASSWORD', `reader@[::1]:${device.port}`],
    ];
    const refused = await check(...args);
    assert.equal(refused.status, 1, refused.stdout + refused.stderr);
    assert.match(
      refused.stdout,
      /FAILED +handshake: no-common-algorithms: .*legacy profiles sha1-kex,cbc \(/,
    );
    const { status, stdout, stderr } = await check(...args, '--legacy', 'cbc,sha1-kex');
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /login +jump host 127\.0\.0\.1: guard by password/);
    assert.match(stdout, /connect +\[::1\] port \d+ through 127\.0\.0\.1/);
    assert.match(stdout, /legacy +this session needed sha1-kex, cbc/);
    assert.equal(stdout.match(/pin +--jump-host-key 'ssh-ed25519 /g)?.length, 2);
    assert.match(stdout, /pin +--host-key 'ssh-ed25519 /);
    const keys = [...stdout.matchAll(/--jump-host-key '([^']+)'/g)].map(([, key]) => key);
    const pinned = keys.toReversed().flatMap((key) => ['--jump-host-key', key]);
    const swapped = await check(...args, '--legacy', 'cbc,sha1-kex', ...pinned);
    assert.match(swapped.stdout, /FAILED +host-key: host-key-changed: .*jump host 127\.0\.0\.1: /);
  });

  test('says at which jump host the login failed, and shows no password', async (t) => {
    const guard = await startGuard(t);
    const args = await start(t, EDGE);
    const { status, stdout } = await check(
      ...args,
      ...['--jump', `guard@127.0.0.1:${guard.port}`, '--jump-password-env', 'WRONG'],
      ...['--password-env', 'DEVICE_PASSWORD'],
    );
    assert.equal(status, 1);
    assert.match(
      stdout,
      /FAILED +login: login-failed: 127\.0\.0\.1: jump host 127\.0\.0\.1: the login of guard/,
    );
    assert.doesNotMatch(stdout, /battery staple|correct horse/);
  });

  test('masks a typed password that the device echoes', async (t) => {
    const greeting = 'Trace: login correct horse\nusername bob secret 5 $1$abcd$efghijklmnopqrstuv\n';
    const commands = { 'show running-config': `${greeting}% Authorization failed\n` };
    const args = await start(t, { ...EDGE, commands });
    const { stdout } = await check(...args, '--password-env', 'DEVICE_PASSWORD');
    assert.match(stdout, /FAILED +command: command-refused: [\s\S]*\| Trace: login <removed>/);
    assert.doesNotMatch(stdout, /correct horse|efghij/);
  });

  for (const [name, args, message] of [
    [
      'an unknown profile',
      ['--vendor', 'cisco-ios', '--legacy', 'cbc,rc4', 'edge1'],
      /sha1-kex, cbc, ssh-rsa, ssh-dss .*not rc4/,
    ],
    ['the port twice', ['--vendor', 'cisco-ios', '--port', '22', 'edge1:22'], /port once/],
    ['an address without its zone', ['--vendor', 'cisco-ios', 'fe80::1'], /name the interface/],
    ['a bad jump host', ['--vendor', 'cisco-ios', '--jump', 'a@b@', 'edge1'], /--jump: .*neither/],
    ['too many jump hosts', ['--vendor', 'cisco-ios', '--jump', 'a,b,c,d,e,f', 'edge1'], /at most 5/],
    [
      'a key for no jump host',
      ['--vendor', 'cisco-ios', '--jump-host-key', 'ssh-rsa AAAA', 'edge1'],
      /more often than --jump/,
    ],
    ['no host', ['--vendor', 'cisco-ios'], /HOST/],
    ['no vendor', ['edge1'], /cisco-ios/],
    ['an unknown vendor', ['--vendor', 'x', 'edge1'], /known: .*cisco-ios/],
    ['an unknown option', ['--nope', 'edge1'], /--nope/],
    ['a bad port', ['--vendor', 'cisco-ios', '--port', '70000', 'edge1'], /65535/],
    [
      'an unset variable',
      ['--vendor', 'cisco-ios', '--password-env', 'NOT_SET_HERE', 'edge1'],
      /NOT_SET_HERE/,
    ],
    ['no terminal', ['--vendor', 'cisco-ios', 'edge1'], /no terminal/],
    [
      'a missing key',
      ['--vendor', 'cisco-ios', '--identity', '/nonexistent', 'edge1'],
      /cannot read the key/,
    ],
  ] as const)
    test(`bad use: ${name}`, async () => {
      const { status, stderr } = await check(...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { newKeyPair, type PlayedDevice, play } from './play.ts';
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
    env: { ...process.env, DEVICE_PASSWORD: 'correct horse', WRONG: 'battery staple' },
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

  for (const [name, args, message] of [
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

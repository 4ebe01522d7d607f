import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Credential, pull } from '../../src/snapshots/pull.ts';
import { newKeyPair } from './play.ts';
import type { Door } from './server.ts';
import { failsWith, OPTIONS, start, targetAt } from './targets.ts';
import { EDGE, shellVendor } from './vendors.ts';

const asking = {
  ...shellVendor,
  session: {
    ...shellVendor.session,
    acknowledge: [{ pattern: /\(yes\/no\) ?:$/, answer: 'yes\n' }],
  },
};
const STATEMENT = 'Do you accept and acknowledge the statement above ? (yes/no) : ';

describe('keyboard-interactive', { concurrency: 4 }, () => {
  const cases: readonly [string, NonNullable<Door['rounds']>][] = [
    [
      'name and password in one round',
      [[{ ask: 'Username: ', answer: 'reader', echo: true }, { ask: 'Password: ' }]],
    ],
    [
      'a statement, then the password',
      [[{ ask: STATEMENT, answer: 'yes', echo: true }], [{ ask: 'Password: ' }]],
    ],
    ['a statement that is answered unseen', [[{ ask: STATEMENT, answer: 'yes' }], [{ ask: 'Password: ' }]]],
    ['all of it in one round', [[{ ask: STATEMENT, answer: 'yes' }, { ask: 'Password: ' }]]],
    ['an empty round in between', [[], [{ ask: 'Password: ' }], []]],
    ['something to be read', [[{ ask: 'Password: ' }], [{ ask: 'Press Enter. ', answer: '', echo: true }]]],
  ];
  for (const [name, rounds] of cases)
    test(name, async (t) => {
      const { port, passwords } = await start(t, { ...EDGE, rounds });
      const { steps } = await pull(targetAt(port), asking, OPTIONS);
      assert.equal(steps.find((step) => step.name === 'login')!.detail, 'reader by keyboard-interactive');
      assert.deepEqual(passwords, ['correct horse']);
    });

  test('a code of a token is asked for: nothing is guessed, and it is said', async (t) => {
    const rounds = [[{ ask: 'Password: ' }], [{ ask: 'Verification code:\u0007 ', answer: '1' }]];
    const { port, passwords } = await start(t, { ...EDGE, rounds });
    await assert.rejects(
      pull(targetAt(port), asking, OPTIONS),
      failsWith('login-failed', /It asks "Verification code:", which cannot be answered here/),
    );
    assert.deepEqual(passwords, ['correct horse']);
  });

  test('a wrong password is given once, whatever method is left', async (t) => {
    const rounds = [[{ ask: STATEMENT, answer: 'yes' }], [{ ask: 'Password: ' }]];
    const { port, passwords } = await start(t, { ...EDGE, rounds, publicKey: newKeyPair().public });
    const credential = { password: 'battery staple', privateKey: newKeyPair().private };
    await assert.rejects(
      pull(targetAt(port, { credential }), asking, OPTIONS),
      failsWith('login-failed', /tried publickey, keyboard-interactive, /),
    );
    assert.deepEqual(passwords, ['battery staple']);
  });

  test('a statement that nobody here knows gets no password', async (t) => {
    const rounds = [[{ ask: STATEMENT, answer: 'yes', echo: true }], [{ ask: 'Password: ' }]];
    const { port, passwords } = await start(t, { ...EDGE, rounds });
    await assert.rejects(pull(targetAt(port), shellVendor, OPTIONS), failsWith('login-failed'));
    assert.deepEqual(passwords, []);
  });

  test('the banner is shown where the login is refused, without the password in it', async (t) => {
    const banner = 'Property of Example.\r\n\x1b[1mUse correct horse, or\r\nask at extension 7.\r\n';
    const { port } = await start(t, { ...EDGE, banner, username: 'somebody' });
    await assert.rejects(
      pull(targetAt(port), shellVendor, OPTIONS),
      failsWith('login-failed', /Its banner ends:\n {2}\| Property of Example\.\n.*Use <removed>, or\n/),
    );
  });
});

const skip = existsSync('/usr/bin/ssh-agent') ? false : 'OpenSSH clients are not installed';

async function startAgent(context: TestContext, keys: readonly string[]): Promise<Credential> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-agent-'));
  const agent = join(folder, 'agent.sock');
  const child = spawn('/usr/bin/ssh-agent', ['-D', '-a', agent], { stdio: 'ignore' });
  context.after(async () => {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  });
  for (let i = 0; i < 100 && !existsSync(agent); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const [i, key] of keys.entries()) {
    const file = join(folder, `key${i}`);
    await writeFile(file, key, { mode: 0o600 });
    execFileSync('/usr/bin/ssh-add', ['-q', file], { env: { SSH_AUTH_SOCK: agent }, stdio: 'ignore' });
  }
  return { agent };
}

describe('an SSH agent', { skip }, () => {
  test('a key of a real agent logs in', async (t) => {
    const [other, pair] = [newKeyPair(), newKeyPair()];
    const credential = await startAgent(t, [other.private, pair.private]);
    const { port } = await start(t, { ...EDGE, password: undefined, publicKey: pair.public });
    const { steps } = await pull(targetAt(port, { credential }), shellVendor, OPTIONS);
    assert.equal(steps.find((step) => step.name === 'login')!.detail, 'reader by agent');
  });

  test('only the first five keys are offered, so that the account is not locked', async (t) => {
    const pair = newKeyPair();
    const others = Array.from({ length: 5 }, () => newKeyPair().private);
    const credential = await startAgent(t, [...others, pair.private]);
    const { port } = await start(t, { ...EDGE, password: undefined, publicKey: pair.public });
    await assert.rejects(
      pull(targetAt(port, { credential }), shellVendor, OPTIONS),
      failsWith('login-failed', /tried agent/),
    );
  });

  test('an agent that is not there is said, and the password is tried all the same', async (t) => {
    const { port } = await start(t, { ...EDGE, publicKey: newKeyPair().public });
    const agent = '/nonexistent/agent.sock';
    const credential = { agent, password: 'correct horse' };
    const { steps } = await pull(targetAt(port, { credential }), shellVendor, OPTIONS);
    assert.equal(steps.find((step) => step.name === 'login')!.detail, 'reader by password');
    await assert.rejects(
      pull(targetAt(port, { credential: { agent } }), shellVendor, OPTIONS),
      failsWith('login-failed', /The agent cannot be used \(.*\)/),
    );
  });
});

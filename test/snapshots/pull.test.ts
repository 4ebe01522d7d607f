import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import type { PosternError } from '../../src/model/errors.ts';
import { algorithmsFor } from '../../src/snapshots/algorithms.ts';
import { pull } from '../../src/snapshots/pull.ts';
import { newHostKey, newKeyPair, type PlayedDevice } from './play.ts';
import { failsWith, OPTIONS, PATIENT, start, targetAt } from './targets.ts';
import { CONFIGURATION, EDGE, execVendor, shellVendor } from './vendors.ts';

/** Lists the lines that differ, not both texts. */
const sameText = (actual: string, expected: string) => {
  const [a, b] = [actual.split('\n'), expected.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  assert.deepEqual(at < 0 ? [] : a.slice(at, at + 3), at < 0 ? [] : b.slice(at, at + 3), `line ${at + 1}`);
  assert.equal(a.length, b.length);
};

/** What a person would have seen of the output: the blank line that a device prints before its prompt included. */
const PRINTED = `${CONFIGURATION}\n`;

describe('pull by a shell', { concurrency: 8 }, () => {
  test('takes exactly the printed configuration, writes only the commands and the logout', async (t) => {
    const { port, received } = await start(t, EDGE);
    const result = await pull(targetAt(port), shellVendor, OPTIONS);
    sameText(result.text, PRINTED);
    assert.match(result.hostKey, /^ssh-ed25519 AAAA/);
    assert.deepEqual(
      result.steps.map(({ name }) => name),
      ['resolve', 'connect', 'handshake', 'host-key', 'login', 'prompt', 'command', 'command'],
    );
    assert.ok(result.byteCount > CONFIGURATION.length);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(received, ['terminal width 0', 'show running-config', 'exit']);
  });

  for (const [name, erase] of [
    ['backspaces', '\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b'],
    ['carriage returns', '\r         \r'],
    ['an escape', '\r\x1b[K'],
    ['two escapes', '\x1b[10D\x1b[K'],
    ['a new line', '\r\n'],
  ] as const) {
    test(`answers a pager that erases itself with ${name}`, async (t) => {
      const device = { ...EDGE, pager: { question: ' --More-- ', lines: 24, erase } };
      const { port, received } = await start(t, device);
      const { text } = await pull(targetAt(port), shellVendor, OPTIONS);
      sameText(text, PRINTED);
      assert.equal(received.filter((key) => key === ' ').length, 10);
    });
  }

  test('raises privileges with the enable password', async (t) => {
    const { port, received } = await start(t, { ...EDGE, enablePassword: 'up' });
    const credential = { password: 'correct horse', enablePassword: 'up' };
    const { text, steps } = await pull(targetAt(port, { credential }), shellVendor, OPTIONS);
    sameText(text, PRINTED);
    assert.equal(steps.find(({ name }) => name === 'enable')?.detail, 'edge1#');
    assert.deepEqual(received.slice(0, 2), ['enable', 'up']);
  });

  test('raises privileges where no password is asked', async (t) => {
    const { port } = await start(t, { ...EDGE, enablePassword: '' });
    sameText((await pull(targetAt(port), shellVendor, OPTIONS)).text, PRINTED);
  });

  test('says that the enable password is wrong, and tries it once', async (t) => {
    const { port, received } = await start(t, { ...EDGE, enablePassword: 'up' });
    const credential = { password: 'correct horse', enablePassword: 'down' };
    await assert.rejects(
      pull(targetAt(port, { credential }), shellVendor, OPTIONS),
      failsWith('enable-failed', /Bad secrets/),
    );
    assert.deepEqual(received, ['enable', 'down']);
  });

  test('says that an enable password is missing', async (t) => {
    const { port } = await start(t, { ...EDGE, enablePassword: 'up' });
    await assert.rejects(
      pull(targetAt(port), shellVendor, OPTIONS),
      failsWith('enable-failed', /add the enable password/),
    );
  });

  test('works where nothing is echoed', async (t) => {
    const { port } = await start(t, { ...EDGE, echo: false });
    sameText((await pull(targetAt(port), shellVendor, OPTIONS)).text, PRINTED);
  });

  test('keeps log messages in the output, and is not confused by one after the prompt', async (t) => {
    const text = '*Mar  1 00:01:02.003: %SYS-5-CONFIG_I: Configured from console by bob on vty0 (192.0.2.5)';
    const device = {
      ...EDGE,
      logMessage: { before: 'interface GigabitEthernet0/7', text },
      logAfterPrompt: text,
    };
    const { port } = await start(t, device);
    const result = await pull(targetAt(port), shellVendor, OPTIONS);
    sameText(result.text, PRINTED.replace('interface GigabitEthernet0/7\n', `${text}\n$&`));
  });

  test('is not confused by lines that look like the prompt', async (t) => {
    const output = CONFIGURATION.replace('version 15.2', 'banner motd ^C\nedge1#\n^C\nversion 15.2');
    const { port } = await start(t, {
      ...EDGE,
      commands: { ...EDGE.commands, 'show running-config': output },
    });
    sameText((await pull(targetAt(port), shellVendor, OPTIONS)).text, `${output}\n`);
  });

  test('says that a command is refused', async (t) => {
    const { port } = await start(t, { ...EDGE, commands: { 'terminal width 0': '' } });
    await assert.rejects(
      pull(targetAt(port), shellVendor, OPTIONS),
      failsWith('command-refused', /Invalid input/),
    );
  });

  test('says that the end is missing, and masks secrets on the screen', async (t) => {
    const output =
      'version 15.2\nusername alice secret 5 $1$abcd$efghijklmnopqrstuv\nsnmp-server community gr33n RO\n';
    const { port } = await start(t, {
      ...EDGE,
      commands: { ...EDGE.commands, 'show running-config': output },
    });
    await assert.rejects(pull(targetAt(port), shellVendor, OPTIONS), (error: PosternError) => {
      failsWith('truncated', /version 15\.2/)(error);
      assert.doesNotMatch(error.message, /gr33n|efghij/);
      return true;
    });
  });
});

describe('pull by exec channels', { concurrency: 8 }, () => {
  const device = { ...EDGE, commands: { 'cat rules': 'a\nb\n# end\n' } };

  test('takes the output as it is', async (t) => {
    const { port, received } = await start(t, device);
    const { text } = await pull(targetAt(port), execVendor, OPTIONS);
    assert.equal(text, 'a\nb\n# end\n');
    assert.deepEqual(received, ['exec: cat rules']);
  });

  test('lays the output out', async (t) => {
    const { port } = await start(t, device);
    const vendor = { ...execVendor, layout: (text: string) => text.toUpperCase() };
    assert.equal((await pull(targetAt(port), vendor, OPTIONS)).text, 'A\nB\n# END\n');
  });

  test('says what the device said where it refuses', async (t) => {
    const { port } = await start(t, { ...device, commands: {} });
    await assert.rejects(
      pull(targetAt(port), execVendor, OPTIONS),
      failsWith('command-refused', /status 127[\s\S]*not found/),
    );
  });

  test('logs in with a key', async (t) => {
    const pair = newKeyPair();
    const { port } = await start(t, { ...device, password: undefined, publicKey: pair.public });
    const { steps } = await pull(
      targetAt(port, { credential: { privateKey: pair.private } }),
      execVendor,
      OPTIONS,
    );
    assert.equal(steps.find(({ name }) => name === 'login')?.detail, 'reader by publickey');
  });

  test('logs in with an encrypted key, and says when its passphrase is wrong', async (t) => {
    const pair = newKeyPair({ passphrase: 'open', cipher: 'aes256-ctr' });
    const { port } = await start(t, { ...device, publicKey: pair.public });
    const credential = { privateKey: pair.private, passphrase: 'open' };
    await pull(targetAt(port, { credential }), execVendor, OPTIONS);
    await assert.rejects(
      pull(targetAt(port, { credential: { ...credential, passphrase: 'no' } }), execVendor, OPTIONS),
      failsWith('bad-private-key', /passphrase/),
    );
  });

  test('answers a password prompt by keyboard-interactive', async (t) => {
    const { port } = await start(t, { ...device, keyboardInteractive: true });
    const { steps } = await pull(targetAt(port), execVendor, OPTIONS);
    assert.equal(steps.find(({ name }) => name === 'login')?.detail, 'reader by keyboard-interactive');
  });
});

describe('host keys', { concurrency: 8 }, () => {
  test('the pinned one is accepted, another stops the pull before anything is sent', async (t) => {
    const key = newHostKey();
    const first = await start(t, EDGE, key);
    const { hostKey } = await pull(targetAt(first.port), shellVendor, OPTIONS);
    await pull(targetAt(first.port, { hostKey }), shellVendor, OPTIONS);
    const second = await start(t, EDGE);
    await assert.rejects(
      pull(targetAt(second.port, { hostKey }), shellVendor, OPTIONS),
      failsWith('host-key-changed', /SHA256:[\s\S]*not the pinned ssh-ed25519 SHA256:/),
    );
    assert.deepEqual(second.passwords, []);
    assert.deepEqual(second.received, []);
  });

  test('the type of the pinned key is asked for first', () => {
    const first = (pinned?: string) => (algorithmsFor([], pinned).serverHostKey as string[])[0];
    assert.equal(first(), 'ssh-ed25519');
    assert.equal(first('ecdsa-sha2-nistp256 AAAA'), 'ecdsa-sha2-nistp256');
    assert.equal(first('ssh-rsa AAAA'), 'rsa-sha2-512');
  });
});

describe('bad devices', { concurrency: 8 }, () => {
  const SHORT = { ...OPTIONS, bounds: { ...PATIENT, promptMs: 1000, commandMs: 1000 } };
  const bad: readonly [PlayedDevice['bad'], string, RegExp][] = [
    ['no-prompt', 'prompt-timeout', /Welcome\. Nothing follows/],
    ['hangs-in-output', 'command-timeout', /show running-config/],
    ['closes-in-output', 'truncated', /closed the connection/],
    ['drops-in-output', 'truncated', /closed the connection/],
    ['hangs-at-login', 'login-timeout', /the login/],
    ['hangs-up-at-login', 'login-failed', /tried password/],
  ];
  const hasty = (habit: PlayedDevice['bad']) =>
    habit === 'hangs-at-login' ? { ...SHORT, bounds: { ...SHORT.bounds, loginMs: 1000 } } : SHORT;
  for (const [habit, code, message] of bad) {
    test(`${habit}: ${code}`, async (t) => {
      const { port } = await start(t, { ...EDGE, bad: habit });
      await assert.rejects(pull(targetAt(port), shellVendor, hasty(habit)), failsWith(code, message));
    });
  }

  for (const [habit, code] of [
    ['hangs-in-output', 'command-timeout'],
    ['closes-in-output', 'truncated'],
    ['drops-in-output', 'truncated'],
  ] as const) {
    test(`${habit} in an exec channel: ${code}`, async (t) => {
      const { port } = await start(t, { ...EDGE, bad: habit, commands: { 'cat rules': 'a\nb\n# end\n' } });
      await assert.rejects(pull(targetAt(port), execVendor, SHORT), failsWith(code));
    });
  }

  test('pages for ever: command-timeout', async (t) => {
    const pager = { question: ' --More-- ', lines: 24, erase: '\r\x1b[K' };
    const { port } = await start(t, { ...EDGE, bad: 'pages-for-ever', pager });
    await assert.rejects(pull(targetAt(port), shellVendor, SHORT), failsWith('command-timeout'));
  });

  test('refuses the login: login-failed, the password given once', async (t) => {
    const { port, passwords } = await start(t, EDGE);
    await assert.rejects(
      pull(targetAt(port, { credential: { password: 'wrong horse' } }), shellVendor, OPTIONS),
      failsWith('login-failed', /tried password/),
    );
    assert.deepEqual(passwords, ['wrong horse']);
  });

  test('asks for the password again and again: it is given once', async (t) => {
    const { port, passwords } = await start(t, { ...EDGE, keyboardInteractive: 'asks-again' });
    await assert.rejects(
      pull(targetAt(port, { credential: { password: 'wrong horse' } }), shellVendor, OPTIONS),
      failsWith('login-failed', /tried keyboard-interactive/),
    );
    assert.deepEqual(passwords, ['wrong horse']);
  });

  test('the whole pull has a time of its own, and can be stopped', async (t) => {
    const { port } = await start(t, { ...EDGE, bad: 'hangs-in-output' });
    const bounds = { ...PATIENT, pullMs: 1000 };
    await assert.rejects(
      pull(targetAt(port), shellVendor, { ...OPTIONS, bounds }),
      failsWith('pull-timeout'),
    );
    await assert.rejects(
      pull(targetAt(port), shellVendor, { ...OPTIONS, signal: AbortSignal.timeout(500) }),
      failsWith('pull-stopped'),
    );
  });

  test('nobody listens: connection-refused; speaks no SSH: handshake-failed or login-timeout', async (t) => {
    const server = createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const bounds = { ...PATIENT, loginMs: 300 };
    await assert.rejects(
      pull(targetAt(port), shellVendor, { ...OPTIONS, bounds }),
      failsWith('login-timeout', /speaks SSH/),
    );
    const closing = createServer((socket) => socket.resume().end('220 mail ready\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => closing.once('listening', resolve));
    const closingPort = (closing.address() as { port: number }).port;
    await assert.rejects(pull(targetAt(closingPort), shellVendor, OPTIONS), failsWith('handshake-failed'));
    await new Promise((resolve) => closing.close(resolve));
    await assert.rejects(pull(targetAt(closingPort), shellVendor, OPTIONS), failsWith('connection-refused'));
  });
});

// Not at once with others: they keep this process busy.
describe('devices that print for ever', () => {
  test('prints for ever: output-too-large', async (t) => {
    const { port } = await start(t, { ...EDGE, bad: 'prints-for-ever' });
    const bounds = { ...PATIENT, maxByteCount: 1_000_000 };
    await assert.rejects(
      pull(targetAt(port), shellVendor, { ...OPTIONS, bounds }),
      failsWith('output-too-large', /1000000 bytes/),
    );
  });

  test('prints for ever in an exec channel: output-too-large', async (t) => {
    const { port } = await start(t, {
      ...EDGE,
      bad: 'prints-for-ever',
      commands: { 'cat rules': 'a\nb\n# end\n' },
    });
    const bounds = { ...PATIENT, maxByteCount: 100_000 };
    await assert.rejects(
      pull(targetAt(port), execVendor, { ...OPTIONS, bounds }),
      failsWith('output-too-large'),
    );
  });
});

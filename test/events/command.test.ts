import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../store/temporary.ts';

const MODULE = new URL('../../src/events/command.ts', import.meta.url).href;

/** The command as main runs it, in a process of its own for its standard output. */
function run(args: readonly string[], input = '') {
  const script = `const { command } = await import(${JSON.stringify(MODULE)});
    process.exitCode = await command.run(${JSON.stringify(args)}).catch((error) => { console.error(error.message); return 2; });`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    input,
    encoding: 'utf8',
  });
  const events = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { status, events, stderr };
}

test('each line of a file is one event; the file tells the year', (t) => {
  const file = join(temporaryFolder(t), 'auth.log');
  writeFileSync(
    file,
    'Mar  1 10:00:00 edge1 sshd[1]: Accepted password for alice from 10.0.0.5 port 1 ssh2\n\nit rains\r\n2026-11-02T02:11:07Z 192.0.2.1 <189>9: %SYS-5-CONFIG_I: Configured from console by bob',
  );
  utimesSync(file, 1_775_000_000, 1_775_000_000);
  const { status, events } = run(['--sender', '192.0.2.7', file]);
  assert.equal(status, 0);
  assert.deepEqual(
    events.map(({ kind, sender, user, observedAtMs }) => [kind, sender, user, observedAtMs]),
    [
      ['login-accepted', '192.0.2.7', 'alice', Date.UTC(2026, 2, 1, 10)],
      ['other', '192.0.2.7', undefined, 1_775_000_000_000],
      ['config-changed', '192.0.2.1', 'bob', Date.UTC(2026, 10, 2, 2, 11, 7)],
    ],
  );
});

test('it reads standard input, as received at the time given', () => {
  const { events } = run(['--at', '2026-11-02T00:00:00Z', '-'], 'it rains\n');
  assert.deepEqual(
    events.map(({ receivedAtMs }) => receivedAtMs),
    [Date.UTC(2026, 10, 2)],
  );
});

test('bad use and unreadable files are told', () => {
  assert.match(run([]).stderr, /name a file/);
  assert.match(run(['--at', 'yesterday', '-']).stderr, /is no time/);
  const missing = run(['/nonexistent.log']);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /cannot read \/nonexistent\.log/);
});

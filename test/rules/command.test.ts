import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UsageError } from '../../src/model/command.ts';
import { command } from '../../src/rules/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-rules-'));
after(() => rmSync(folder, { recursive: true }));

const configuration = [
  '*filter',
  ':FORWARD DROP [0:0]',
  '-A FORWARD -s 10.0.0.0/8 -p tcp -m tcp --dport 443 -j ACCEPT',
  '-A FORWARD -j NOVELTY \x1b[2J',
  'COMMIT',
  '',
].join('\n');
const file = join(folder, 'gw.cfg');
writeFileSync(file, configuration);

function run(args: readonly string[], input?: string) {
  const module = JSON.stringify(join(import.meta.dirname, '../../src/rules/command.ts'));
  const script = `const { command } = await import(${module}); process.exitCode = await command.run(process.argv.slice(1));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script, '--', ...args], {
    input,
    encoding: 'utf8',
  });
}

test('lists rules, coverage and unread lines, and lets no line steer the terminal', () => {
  const { status, stdout } = run([file]);
  assert.equal(status, 0);
  assert.match(stdout, /3 rules; 2 of 3 lines with rules read \(66\.6%\)/);
  assert.match(
    stdout,
    /^3 +filter +ip filter FORWARD +ACCEPT +tcp\/443 from 10\.0\.0\.0\/8 to 0\.0\.0\.0\/0$/m,
  );
  assert.match(stdout, /Not understood:\n {2}4: -A FORWARD -j NOVELTY/);
  assert.ok(!stdout.includes('\x1b'));
});

test('--json gives rules, policies and unread lines; - reads standard input', () => {
  const { status, stdout } = run(['-', '--json'], configuration);
  const result = JSON.parse(stdout);
  assert.equal(status, 0);
  assert.equal(result.vendor, 'linux-iptables');
  assert.deepEqual(result.rules[1].services, ['tcp/443']);
  assert.deepEqual(result.unread, [{ number: 4, text: configuration.split('\n')[3] }]);
});

test('what cannot be read ends with 2 and one line that says why', () => {
  const missing = run([join(folder, 'missing')]);
  assert.deepEqual([missing.status, missing.stdout], [2, '']);
  assert.match(missing.stderr, /^postern rules: .*missing: cannot be read: .*\n$/);
  const strange = run(['-'], 'hello\n');
  assert.equal(strange.status, 2);
  assert.match(strange.stderr, /--vendor|name the vendor/);
  assert.equal(run([file, '--vendor', 'nobody']).status, 2);
});

test('bad use is a UsageError', async () => {
  await assert.rejects(command.run([]), UsageError);
  await assert.rejects(command.run([file, '--what']), UsageError);
});

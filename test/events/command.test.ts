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
  return { status, events, stdout, stderr };
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

test('audit records come with what they mean, and nothing that a terminal would obey', (t) => {
  const file = join(temporaryFolder(t), 'audit.log');
  const at = 'msg=audit(1793585465.250:9)';
  const title = Buffer.from('nft\0-f\0\u009b31m\u202e\u001b]0;x\u0007').toString('hex').toUpperCase();
  writeFileSync(
    file,
    [
      `type=NETFILTER_CFG ${at}: table=filter:4 family=10 entries=9 op=nft_unregister_rule pid=12 comm="nft"`,
      `type=SYSCALL ${at}: arch=c00000b7 syscall=211 success=no exit=-13 ppid=11 pid=12 auid=4294967295 uid=0 euid=0 tty=(none) ses=4294967295 comm="nft" exe="/usr/sbin/nft" key="fw"`,
      `type=PROCTITLE ${at}: proctitle=${title}`,
      `{"ts":1793585465.5,"id.orig_h":"192.0.2.9","id.orig_p":1,"id.resp_h":"192.0.2.1","id.resp_p":7000,"proto":"tcp","conn_state":"S0"}`,
      '',
    ].join('\n'),
  );
  const { status, events } = run([file]);
  assert.equal(status, 0);
  const [event, connection] = events;
  const audit = event.audit as Record<string, unknown>;
  assert.deepEqual(
    [audit.type, audit.action, audit.result, audit.tags, audit.actor, audit.how],
    [
      'NETFILTER_CFG',
      'loaded-firewall-rule-to',
      'fail',
      ['fw'],
      { primary: 'unset', secondary: '0' },
      '/usr/sbin/nft',
    ],
  );
  const { arch, syscall, exit } = audit.data as Record<string, string>;
  assert.deepEqual([arch, syscall, exit], ['aarch64', 'sendmsg', 'EACCES']);
  assert.deepEqual(audit.netfilter, [
    {
      operation: 'nft_unregister_rule',
      table: 'filter',
      handle: 4,
      family: 'ip6',
      entryCount: 9,
      isRemoval: true,
    },
  ]);
  assert.doesNotMatch(run([file]).stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  assert.deepEqual([connection.kind, connection.program, connection.audit], ['connect', 'zeek', undefined]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ciscoSecrets } from '../../devices/syntax/cisco-secrets.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { withoutSecrets } from '../../src/events/redact.ts';

const parse = (line: string) => parseEvent(line, '192.0.2.1', Date.UTC(2026, 10, 2, 2, 11, 7));
const LOGGED = '<189>44: Nov  2 02:11:04.627 UTC: %PARSER-5-CFGLOG_LOGGEDCMD: User:alice  logged command:';

test('what a router logs of typed secrets is not kept, whatever the command', () => {
  const examples = [
    'username bob privilege 15 secret 0 Pl4nted',
    'snmp-server community Pl4nted RO',
    'enable secret Pl4nted',
    'crypto isakmp key Pl4nted address 203.0.113.9',
    'neighbor 10.0.0.2 password Pl4nted',
    'key 0 Pl4nted',
    'standby 1 authentication md5 key-string Pl4nted',
    'set system login user bob authentication plain-text-password-value Pl4nted',
  ];
  for (const command of examples) {
    const event = parse(LOGGED + command);
    assert.equal(event.kind, 'command');
    assert.equal(event.user, 'alice');
    assert.doesNotMatch(JSON.stringify(event), /Pl4nted/, command);
    assert.ok(event.raw.includes('<removed:>') && event.command!.includes('<removed:>'), command);
  }
  assert.ok(ciscoSecrets.length > 20);
  for (const { example } of ciscoSecrets) {
    assert.match(parse(LOGGED + example.trim()).command!, /<removed:>/, example);
  }
});

test('secrets of command lines on hosts are not kept', () => {
  for (const command of [
    '/usr/bin/sshpass -p Pl4nted ssh r1',
    '/usr/bin/mysql --password=Pl4nted',
    '/usr/bin/curl https://bob:Pl4nted@host.example/',
    '/usr/bin/env TOKEN=Pl4nted true',
  ]) {
    const event = parse(
      `<85>Nov  2 02:11:04 r1 sudo:    alice : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=${command}`,
    );
    assert.doesNotMatch(JSON.stringify(event), /Pl4nted/, command);
    assert.match(event.raw, /<removed:>/);
  }
});

test('secrets among the words of a command are not kept, in the words and in the line', () => {
  for (const words of [
    ['sshpass', '-p', 'Pl4nted', 'ssh', 'r1'],
    ['mysql', '--password=Pl4nted'],
    ['ldapsearch', '--password', 'Pl4nted', '-x'],
  ]) {
    const raw = `type=EXECVE msg=audit(1.0:1): argc=9 ${words.map((word, i) => `a${i}="${word}"`).join(' ')}`;
    const event = withoutSecrets({ ...parse('x'), kind: 'command', arguments: words, message: raw, raw });
    assert.doesNotMatch(JSON.stringify(event), /Pl4nted/, words[0]);
    assert.equal(event.arguments!.length, words.length);
  }
});

test('lines without secrets stay as they are', () => {
  for (const line of [
    '<38>Nov  2 02:11:04 r1 sshd[8]: Failed password for alice from 10.0.0.5 port 22 ssh2',
    '<38>Nov  2 02:11:04 r1 sshd[8]: Accepted publickey for alice from 10.0.0.5 port 1 ssh2: ED25519 SHA256:x',
    '<85>Nov  2 02:11:04 r1 sudo:    alice : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/passwd bob',
    `${LOGGED}ip nat outside source static udp 203.0.113.50 443 10.20.0.250 8443`,
    `${LOGGED}key chain POSTERN`,
    `${LOGGED}no service password-encryption`,
    `${LOGGED}crypto key generate rsa modulus 2048`,
    '<13>Nov  2 02:11:04 r1 audit: type=SYSCALL key="passwords" exe="/usr/bin/vi"',
  ])
    assert.equal(parse(line).raw, line);
});

test('a secret that auditd wrote as hexadecimal is removed, other hexadecimal stays', () => {
  const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase();
  const clean = (raw: string) => withoutSecrets(parseEvent(raw, '192.0.2.1', 0)).raw;
  const line = (proctitle: string) =>
    `type=PROCTITLE msg=audit(1726575449.009:1078): proctitle=${hex(proctitle)}`;
  for (const secret of [
    'sshpass\0-p\0s3cret-w0rd\0ssh\0host',
    'mysql\0--password=s3cret-w0rd',
    'curl\0https://bob:s3cret-w0rd@host/',
  ]) {
    const cleaned = clean(line(secret));
    assert.ok(!cleaned.includes(hex('s3cret-w0rd')), cleaned);
    assert.match(cleaned, /proctitle=<removed:>/);
  }
  assert.equal(clean(line('iptables\0-A\0INPUT\0-j\0ACCEPT')), line('iptables\0-A\0INPUT\0-j\0ACCEPT'));
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseEvent } from '../../src/events/parse.ts';
import type { Event } from '../../src/model/event.ts';

const RECEIVED_MS = Date.UTC(2026, 10, 2, 2, 11, 7);
const parse = (line: string | Uint8Array, receivedAtMs = RECEIVED_MS) =>
  parseEvent(line, '192.0.2.1', receivedAtMs);
const iso = (event: Event) => new Date(event.observedAtMs).toISOString();

/** Line -> the fields of it that are named. */
const headers: [string, string, Partial<Event> & { at?: string }][] = [
  [
    'RFC 5424 with structured data and a byte order mark',
    '<165>1 2026-11-02T02:11:04.003+02:00 edge1.example.net evntslog 8710 ID47 [a@32473 iut="3" x="a \\"]\\" b"][b@1] \ufeffHello',
    {
      at: '2026-11-02T00:11:04.003Z',
      host: 'edge1.example.net',
      program: 'evntslog',
      severity: 5,
      facility: 20,
      message: 'Hello',
    },
  ],
  [
    'RFC 5424 with nothing but nils',
    '<0>1 - - - - - -',
    {
      at: '2026-11-02T02:11:07.000Z',
      host: undefined,
      program: undefined,
      severity: 0,
      facility: 0,
      message: '',
    },
  ],
  [
    'RFC 5424 whose "-" for structured data is missing',
    '<4>1 2026-11-02T02:11:04Z host1 kernel - - [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.7',
    { host: 'host1', program: 'kernel', message: '[UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.7' },
  ],
  [
    'RFC 5424 by rsyslog, whose message begins with a space',
    '<38>1 2026-11-02T02:11:04.583127+00:00 r1 sshd 88 - -  Accepted publickey for alice from 10.0.0.5 port 1 ssh2: ED25519 SHA256:x',
    { kind: 'login-accepted', program: 'sshd', user: 'alice', sourceAddress: '10.0.0.5' },
  ],
  [
    'RFC 3164',
    '<34>Nov  2 02:11:04 edge1 su[12]: failed',
    {
      at: '2026-11-02T02:11:04.000Z',
      host: 'edge1',
      program: 'su',
      severity: 2,
      facility: 4,
      message: 'failed',
    },
  ],
  [
    'no priority',
    'Nov  2 02:11:04 edge1 su: failed',
    { severity: undefined, facility: undefined, host: 'edge1', program: 'su' },
  ],
  ['no host', '<34>Nov  2 02:11:04 su[12]: failed', { host: undefined, program: 'su', message: 'failed' }],
  [
    'ISO time',
    '<34>2026-11-02T02:11:04.750529+00:00 edge1 su: failed',
    { at: '2026-11-02T02:11:04.750Z', host: 'edge1', program: 'su' },
  ],
  [
    'ISO time without zone, with a blank',
    '2026-11-02 02:11:04 edge1 su: failed',
    { at: '2026-11-02T02:11:04.000Z', host: 'edge1' },
  ],
  [
    'year in front',
    '<34>2026 Nov  2 02:11:04 edge1 su: failed',
    { at: '2026-11-02T02:11:04.000Z', host: 'edge1' },
  ],
  [
    'year behind',
    '<34>Nov  2 02:11:04 2026 edge1 su: failed',
    { at: '2026-11-02T02:11:04.000Z', host: 'edge1' },
  ],
  [
    'no blank after the priority and no tag',
    '<34>Nov  2 02:11:04 edge1 it rains',
    { host: 'edge1', program: undefined, message: 'it rains' },
  ],
  ['no header at all', 'it rains', { host: undefined, program: undefined, message: 'it rains' }],
  ['a priority that is too large', '<192>it rains', { severity: undefined, message: '<192>it rains' }],
  [
    'a kernel line with uptime and no host',
    '[ 20.586965] [UFW BLOCK] IN=wlan0 OUT= MAC= SRC=fe80::1',
    { program: 'kernel', message: '[UFW BLOCK] IN=wlan0 OUT= MAC= SRC=fe80::1' },
  ],
  [
    'IOS with a sequence number',
    '<189>123: Nov  2 02:11:05.762: %SYS-5-CONFIG_I: Configured from console by alice on vty0 (192.0.2.22)',
    { at: '2026-11-02T02:11:05.762Z', severity: 5, facility: 23, host: undefined, program: 'SYS-5-CONFIG_I' },
  ],
  [
    'IOS with host, sequence number and a clock that is not set',
    '<189>edge1: 000123: *Nov  2 02:11:05.762 UTC: %SYS-5-CONFIG_I: Configured from console by alice on vty0',
    { at: '2026-11-02T02:11:05.762Z', host: 'edge1', program: 'SYS-5-CONFIG_I' },
  ],
  [
    'IOS behind a relay: the time of the device counts',
    '<189>Nov  2 02:11:06 edge1 123: .Nov  2 03:11:05.762 CET: %SYS-5-CONFIG_I: Configured from console by alice',
    { at: '2026-11-02T02:11:05.762Z', host: 'edge1', program: 'SYS-5-CONFIG_I' },
  ],
  [
    'IOS in RFC 5424',
    '<189>1 2026-11-02T02:11:05.762Z edge1 - - - - %SYS-5-CONFIG_I: Configured from console by alice on vty0',
    { at: '2026-11-02T02:11:05.762Z', host: 'edge1', program: 'SYS-5-CONFIG_I', severity: 5, user: 'alice' },
  ],
  [
    'ASA with a year',
    "<165>Nov 02 2026 02:10:30: %ASA-5-111010: User 'bob', running 'CLI' from IP 192.0.2.42, executed 'logging on'",
    {
      at: '2026-11-02T02:10:30.000Z',
      program: 'ASA-5-111010',
      user: 'bob',
      sourceAddress: '192.0.2.42',
      command: 'logging on',
    },
  ],
  [
    'ASA in EMBLEM form, with a zone',
    "<165>:Nov 02 05:10:30 MSK: %ASA-config-5-111008: User 'bob' executed the 'configure terminal' command.",
    {
      at: '2026-11-02T02:10:30.000Z',
      program: 'ASA-config-5-111008',
      user: 'bob',
      command: 'configure terminal',
    },
  ],
];

for (const [name, line, { at, ...expected }] of headers) {
  test(`header: ${name}`, () => {
    const event = parse(line);
    if (at !== undefined) assert.equal(iso(event), at);
    assert.deepEqual(
      Object.fromEntries(Object.keys(expected).map((key) => [key, event[key as keyof Event]])),
      expected,
    );
  });
}

test('a time without zone is UTC; more than 12 hours off, the receipt counts', () => {
  assert.equal(iso(parse('<34>Nov  1 14:11:08 edge1 su: x')), '2026-11-01T14:11:08.000Z');
  assert.equal(iso(parse('<34>Nov  1 14:11:06 edge1 su: x')), '2026-11-02T02:11:07.000Z');
  assert.equal(iso(parse('<34>Jan  1 00:00:00 edge1 su: x')), '2026-11-02T02:11:07.000Z');
});

test('a time with year and zone is believed, however late it comes', () => {
  assert.equal(iso(parse('<34>2026-10-01T00:00:00Z edge1 su: x')), '2026-10-01T00:00:00.000Z');
});

test('the year is the nearest at the turn of the year, both ways', () => {
  assert.equal(
    iso(parse('Dec 31 23:59:59 edge1 su: x', Date.UTC(2027, 0, 1, 0, 0, 3))),
    '2026-12-31T23:59:59.000Z',
  );
  assert.equal(
    iso(parse('Jan  1 00:00:02 edge1 su: x', Date.UTC(2026, 11, 31, 23, 59, 58))),
    '2027-01-01T00:00:02.000Z',
  );
});

test('what is no time stays in the message', () => {
  for (const line of ['Feb 30 00:00:00 edge1 su: x', 'Nov  2 25:00:00 edge1 su: x'])
    assert.equal(parse(line).observedAtMs, RECEIVED_MS, line);
});

test('control characters and direction marks are replaced everywhere', () => {
  const event = parse(
    '<34>Nov  2 02:11:04 edge1 sudo: al\u001b[31mice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls\u202e\u0007\n',
  );
  assert.equal(event.kind, 'command');
  for (const text of [event.raw, event.message, event.user, event.command])
    assert.doesNotMatch(text ?? '', /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.match(event.user ?? '', /^al\ufffd\[31mice$/);
});

test('a line of 1 MiB is cut to 64 KiB, quickly', () => {
  for (const filler of ['a', ' ', '[', '"', ':', '%', '; ', 'nft ', 'from 1 ', 'a0=']) {
    const long = `<34>Nov  2 02:11:04 edge1 sshd[1]: Failed password for ${filler.repeat((1 << 20) / filler.length)}`;
    const began = performance.now();
    const event = parse(Buffer.from(long));
    assert.ok(
      performance.now() - began < 1000,
      `${JSON.stringify(filler)} took ${performance.now() - began} ms`,
    );
    assert.equal(Buffer.byteLength(event.raw), 65_536);
    assert.equal(event.host, 'edge1');
  }
});

test('any bytes become an event', () => {
  let state = 7;
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.alloc(i % 300);
    for (let at = 0; at < bytes.length; at++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      bytes[at] = state >>> 16;
    }
    const event = parse(bytes);
    assert.equal(event.receivedAtMs, RECEIVED_MS);
    assert.ok(Number.isFinite(event.observedAtMs));
  }
});

const syslog = fileURLToPath(new URL('../../../shared/corpora/syslog/', import.meta.url));
const identity = fileURLToPath(new URL('../../../shared/facts/change-identity.txt', import.meta.url));

test('every recorded log file is read without an error, and its known lines are understood', {
  skip: existsSync(syslog) ? false : 'the shared corpora are not here',
}, () => {
  const kinds = new Map<string, number>();
  let lineCount = 0;
  for (const name of readdirSync(syslog, { recursive: true, encoding: 'utf8' })) {
    const path = join(syslog, name);
    if (!statSync(path).isFile()) continue;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const event = parse(line);
      lineCount++;
      kinds.set(event.kind, (kinds.get(event.kind) ?? 0) + 1);
    }
  }
  assert.ok(lineCount > 1000, `${lineCount} lines`);
  assert.ok((kinds.get('firewall-changed') ?? 0) >= 10, JSON.stringify([...kinds]));
  assert.ok((kinds.get('command') ?? 0) >= 5, JSON.stringify([...kinds]));
});

test('change-identity: every IOS line names its user, address and command', {
  skip: existsSync(identity) ? false : 'the shared facts are not here',
}, () => {
  const lines = readFileSync(identity, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('ios\t'))
    .map((line) => line.slice(4));
  const told = lines.map((line) => {
    const { kind, user, sourceAddress, command } = parse(line);
    return [kind, user, sourceAddress, command];
  });
  assert.deepEqual(told, [
    ['config-changed', 'cisco', '172.16.5.22', undefined],
    ['command', 'aninchat', undefined, '!exec: enable'],
    ['command', 'cisco', undefined, 'interface GigabitEthernet0/1'],
  ]);
});

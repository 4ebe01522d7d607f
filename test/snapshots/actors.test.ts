import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Event } from '../../src/model/event.ts';
import { actorEvidence } from '../../src/snapshots/actors.ts';
import { shellVendor } from './vendors.ts';

const HOUR = 3_600_000;
const AT = Date.UTC(2026, 10, 2, 3, 0, 0);

const event = (more: Partial<Event>): Event => ({
  kind: 'other',
  receivedAtMs: AT + HOUR / 2,
  observedAtMs: AT + HOUR / 2,
  sender: '192.0.2.2',
  message: '',
  raw: '',
  ...more,
});
const evidence = (events: Event[], more: object = {}) =>
  actorEvidence({ events, definition: shellVendor, text: '', fromMs: AT, toMs: AT + HOUR, ...more });
const brief = (events: Event[], more: object = {}) =>
  evidence(events, more).map(({ source, user, sourceAddress, confidence }) => [
    source,
    user,
    sourceAddress,
    confidence,
  ]);

// What each kind of line looks like, with the fields that a parser of lines fills.
const IOS_CONFIGURED = event({
  kind: 'config-changed',
  user: 'netops',
  sourceAddress: '192.0.2.77',
  raw: 'Nov  2 03:30:00.100: %SYS-5-CONFIG_I: Configured from console by netops on vty0 (192.0.2.77)',
});
const IOS_LOGGED = event({
  kind: 'command',
  user: 'netops',
  command: 'ip nat inside source static tcp 10.0.1.9 443 198.51.100.7 8443',
  raw: '*Nov  2 03:30:00.100: %PARSER-5-CFGLOG_LOGGEDCMD: User:netops  logged command:ip nat inside source static tcp 10.0.1.9 443 198.51.100.7 8443',
});
const IOS_ENABLE = event({
  kind: 'command',
  user: 'netops',
  command: '!exec: enable',
  raw: '*Nov  2 03:30:00.100: %PARSER-5-CFGLOG_LOGGEDCMD: User:netops  logged command:!exec: enable',
});
const SSHD = event({
  kind: 'login-accepted',
  user: 'alice',
  sourceAddress: '192.0.2.9',
  raw: 'gw sshd[81]: Accepted publickey for alice from 192.0.2.9 port 50022 ssh2: ED25519 SHA256:abc',
});
const SESSION = event({
  kind: 'login-accepted',
  user: 'alice',
  raw: 'gw sshd[81]: pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)',
});
const SUDO = event({
  kind: 'command',
  user: 'alice',
  command: '/usr/sbin/nft -f /tmp/relay.nft',
  raw: 'gw sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/sbin/nft -f /tmp/relay.nft',
});

describe('actorEvidence', () => {
  for (const [name, line, expected] of [
    ['IOS: configured by', IOS_CONFIGURED, ['syslog', 'netops', '192.0.2.77', 0.9]],
    ['IOS: logged command', IOS_LOGGED, ['syslog', 'netops', undefined, 0.8]],
    ['IOS: enable', IOS_ENABLE, ['syslog', 'netops', undefined, 0.4]],
    ['Linux: accepted login', SSHD, ['syslog', 'alice', '192.0.2.9', 0.5]],
    ['Linux: session opened', SESSION, ['syslog', 'alice', undefined, 0.3]],
    ['Linux: sudo nft', SUDO, ['syslog', 'alice', undefined, 0.8]],
  ] as const)
    test(name, () => assert.deepEqual(brief([line]), [expected]));

  test('names the command, the time and the raw line; the strongest first', () => {
    const [first, second] = evidence([SSHD, SUDO]);
    assert.equal(first.command, '/usr/sbin/nft -f /tmp/relay.nft');
    assert.equal(first.atMs, AT + HOUR / 2);
    assert.equal(first.raw, SUDO.raw);
    assert.equal(first.sourceAddress, undefined, 'the address of a login is not put on another line');
    assert.equal(second.sourceAddress, '192.0.2.9');
  });

  test('a login counts from an hour before, a change only within', () => {
    const early = { observedAtMs: AT - HOUR / 2, receivedAtMs: AT - HOUR / 2 };
    assert.equal(evidence([{ ...SSHD, ...early }]).length, 1);
    assert.equal(evidence([{ ...SUDO, ...early }]).length, 0);
    const late = { observedAtMs: AT + 2 * HOUR, receivedAtMs: AT + 2 * HOUR };
    assert.equal(
      evidence([
        { ...SSHD, ...late },
        { ...SUDO, ...late },
      ]).length,
      0,
    );
  });

  test('who only looks, failed logins and ignored accounts are no evidence', () => {
    const looks = { ...SUDO, command: '/usr/sbin/nft -j list ruleset' };
    assert.deepEqual(evidence([looks, { ...SSHD, kind: 'login-failed' }]), []);
    assert.deepEqual(evidence([SSHD, SUDO], { ignoreUsers: ['alice'] }), []);
  });

  test('the same again is one item', () =>
    assert.equal(evidence([SSHD, { ...SSHD }, { ...SSHD }]).length, 1));

  test('a header is weak evidence, and none where it is about an earlier change', () => {
    const text = '!\n! Last configuration change at 03:20:00 UTC Mon Nov 2 2026 by root\n!\n';
    const [item] = evidence([], { text });
    assert.deepEqual(
      [item.source, item.user, item.confidence, item.atMs],
      ['config-header', 'root', 0.4, AT + HOUR / 3],
    );
    assert.deepEqual(evidence([], { text: text.replace('03:20', '01:20') }), []);
  });

  test('finds the ticket by the pattern of the device; a bad pattern finds nothing', () => {
    const command = 'description CHG0031337 open 8443';
    const line = { ...IOS_LOGGED, command };
    assert.equal(evidence([line], { ticketPattern: 'CHG\\d{7}' })[0].ticket, 'CHG0031337');
    assert.equal(evidence([line], { ticketPattern: 'CHG(\\d{7})' })[0].ticket, '0031337');
    assert.equal(evidence([line], { ticketPattern: '(' })[0].ticket, undefined);
    assert.equal(evidence([line])[0].ticket, undefined);
  });

  test('is bounded', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({ ...SSHD, user: `u${i}`, raw: 'x'.repeat(5000) }));
    const items = evidence(many);
    assert.equal(items.length, 50);
    assert.ok(items.every(({ raw }) => raw.length <= 1000));
  });
});

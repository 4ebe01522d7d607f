import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { comparable } from '../../src/snapshots/compare.ts';
import { redact } from '../../src/snapshots/redact.ts';
import { take } from '../../src/snapshots/take.ts';
import { CONFIGURATION, shellVendor } from './vendors.ts';

const hash = (secret: string) => createHmac('sha256', 'key').update(secret).digest('hex').slice(0, 12);
const redacted = (text: string) => redact(text, shellVendor, hash);
const KEY_BODY = 'MC4CAQAwBQYDK2VwBCIEIHKj\n+sVa9WcD/q2DJUJaf43Kptc8\n';
const KEY = `-----BEGIN RSA PRIVATE KEY-----\n${KEY_BODY}-----END RSA PRIVATE KEY-----\n`;

describe('redact', () => {
  test('hides what the definition calls secret and keeps the rest byte for byte', () => {
    const text =
      'a\r\nusername bob password 0 hunter2\r\n\nsnmp-server community gr33n RO\n key 7 0822455D0A16';
    const mark = (secret: string) => `<removed:${hash(secret)}>`;
    assert.equal(
      redacted(text),
      `a\r\nusername bob password 0 ${mark('hunter2')}\r\n\nsnmp-server community ${mark('gr33n')} RO\n key 7 ${mark('0822455D0A16')}`,
    );
  });

  test('a rotated secret shows as changed, the same one does not', () => {
    const line = (secret: string) => redacted(`snmp-server community ${secret} RO`);
    assert.equal(line('one'), line('one'));
    assert.notEqual(line('one'), line('two'));
  });

  test('is idempotent', () => {
    const once = redacted(`${CONFIGURATION}${KEY}`);
    assert.equal(redacted(once), once);
    assert.doesNotMatch(once, /gr33n|abcd|sVa9/);
  });

  test('hides every secret of a line and patterns without a group', () => {
    const secrets = [
      { pattern: /pw=(\w+)/, example: 'pw=x' },
      { pattern: /topsecret\d+/, example: 'topsecret1' },
    ];
    const text = redact('pw=one pw=two topsecret9 end', { secrets }, (secret) => secret.toUpperCase());
    assert.equal(text, 'pw=<removed:ONE> pw=<removed:TWO> <removed:TOPSECRET9> end');
  });

  test('uses patterns with back references and flags', () => {
    const secrets = [
      { pattern: /(["'])key\1: (\w+)/i, example: '"key": x' },
      { pattern: /(?:SECRET)=(\w+)/gi, example: 'secret=x' },
    ];
    const text = redact(`"KEY": zz\nsecret=abc`, { secrets }, () => 'h');
    assert.equal(text, '<removed:h>KEY": zz\nsecret=<removed:h>');
  });

  test('hides private keys of every vendor, also inside a string', () => {
    const inString = `{"key": ${JSON.stringify(KEY)}, "after": 1}`;
    for (const text of [`before\n${KEY}after\n`, inString, `  ${KEY.replaceAll('\n', '\n  ')}after`]) {
      const result = redacted(text);
      assert.doesNotMatch(result, /MC4CAQ|sVa9/);
      assert.match(result, /after/);
      assert.match(result, /BEGIN RSA PRIVATE KEY-----\s*<removed:[0-9a-f]{12}>(?:\s|\\n)*-----END RSA/);
    }
  });

  test('a key without an end hides itself and no rule after it', () => {
    const rules = 'ip nat inside source static tcp 10.0.0.9 443 198.51.100.7 8443\nend\n';
    const result = redacted(`-----BEGIN PRIVATE KEY-----\n${KEY_BODY}${rules}`);
    assert.doesNotMatch(result, /MC4CAQ|sVa9/);
    assert.ok(result.endsWith(rules));
  });

  test('takes time in proportion to the text', () => {
    const millisecondsFor = (count: number) => {
      const begins = '-----BEGIN PRIVATE KEY-----\n'.repeat(count);
      const startedAt = performance.now();
      redacted(`${begins}${'snmp-server community x RO\n'.repeat(count)}${' '.repeat(count * 20)}`);
      return performance.now() - startedAt;
    };
    millisecondsFor(2000);
    // 16 times the text; quadratic would be 256 times.
    assert.ok(millisecondsFor(32_000) < 64 * Math.max(2, millisecondsFor(2000)));
  });
});

describe('comparable', () => {
  test('leaves out volatile lines, log messages and trailing blanks, nothing else', () => {
    const text =
      'Building configuration...\n\nCurrent configuration : 12 bytes\n! Last configuration change at X by Y\nversion 15.2  \n*Mar  1 00:01:02.003: %SYS-5-CONFIG_I: Configured from console\nend\n\n';
    assert.equal(comparable(text, shellVendor), '\nversion 15.2\nend');
  });

  test('leaves out parts of lines', () => {
    const volatile = [/\[\d+:\d+\]/, /^# Generated.*/];
    assert.equal(comparable('# Generated x\n:FORWARD DROP [12:345]\n', { volatile }), ':FORWARD DROP');
  });
});

describe('take', () => {
  const changed = (from: string, to: string) =>
    take(CONFIGURATION.replace(from, to), shellVendor, hash).compareHash !==
    take(CONFIGURATION, shellVendor, hash).compareHash;

  test('counters and dates are no change, a rule and a rotated secret are', () => {
    assert.equal(changed('9876 bytes', '9999 bytes'), false);
    assert.equal(
      changed('09:37:40 UTC Tue Aug 20 2024 by alice', '10:00:00 UTC Tue Aug 20 2024 by bob'),
      false,
    );
    assert.equal(changed('198.51.100.7 8443', '198.51.100.7 8444'), true);
    assert.equal(changed('gr33n', 'blue'), true);
  });

  test('keeps no secret, and knows a text without its end', () => {
    const { text, complete } = take(CONFIGURATION, shellVendor, hash);
    assert.equal(complete, true);
    assert.doesNotMatch(text, /gr33n|efghij/);
    assert.match(text, /Last configuration change/);
    assert.equal(take(CONFIGURATION.replace(/end\n$/, ''), shellVendor, hash).complete, false);
  });

  test('50 MiB are no trouble', () => {
    const big = CONFIGURATION.repeat(Math.ceil((50 * 1024 * 1024) / CONFIGURATION.length));
    const startedAt = performance.now();
    const { complete } = take(big, shellVendor, hash);
    assert.equal(complete, true);
    assert.ok(performance.now() - startedAt < 60_000);
  });
});

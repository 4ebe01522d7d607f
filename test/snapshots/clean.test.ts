import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cleanScreen } from '../../src/snapshots/clean.ts';
import { maskScreen } from '../../src/snapshots/mask.ts';
import { createScreen } from '../../src/snapshots/screen.ts';
import { shellVendor } from './vendors.ts';

describe('cleanScreen', () => {
  for (const [name, raw, seen] of [
    ['line ends', 'a\r\nb\r\r\nc\n', 'a\nb\nc\n'],
    ['colours and modes', '\x1b[?2004h\x1b[01;32mr1\x1b[00m# \x1b[K\n', 'r1# \n'],
    ['a window title', '\x1b]0;r1: ~\x07r1#\n', 'r1#\n'],
    ['backspaces over text', 'abc\b\bX\n', 'aXc\n'],
    ['a rewritten line', '50%\r100%\n', '100%\n'],
    ['a wiped line', 'loading\r       \rdone\n', 'done\n'],
    ['blanks that were printed', ' a  \n', ' a  \n'],
    ['tabs', '\ta\tb\n', '\ta\tb\n'],
    ['bells and stray controls', 'a\x07b\x01\n', 'ab\n'],
    ['an escape that never ends', 'a\x1b[12\nb\n', 'a[12\nb\n'],
    ['backspaces at the start', '\b\b\ba\n', 'a\n'],
  ] as const)
    test(name, () => assert.equal(cleanScreen(raw), seen));

  test('a long line of escapes takes time in proportion', () => {
    const startedAt = performance.now();
    cleanScreen('\x1b[\x1b]'.repeat(300_000));
    cleanScreen(`${'x\b'.repeat(500_000)}\n`);
    assert.ok(performance.now() - startedAt < 5000);
  });
});

describe('screen', () => {
  test('gives back every character, however it was cut', () => {
    const text = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join('');
    const screen = createScreen();
    for (let at = 0; at < text.length; at += 777) screen.add(text.slice(at, at + 777));
    assert.equal(screen.lastLine(), '');
    assert.equal(screen.take(), text);
    assert.equal(screen.take(), '');
  });
});

describe('maskScreen', () => {
  test('shows the last lines without secrets and controls', () => {
    const screen = `${'old\n'.repeat(50)}snmp-server community gr33n RO\r\nPassword: hunter2\x1b[2J\r\n${'A'.repeat(64)}\n`;
    const shown = maskScreen(screen, shellVendor, { password: 'hunter2' });
    assert.doesNotMatch(shown, /gr33n|hunter2|AAAA|\x1b/);
    assert.match(shown, /community <removed:secret> RO\nPassword: <removed>/);
    assert.equal(shown.split('\n').length, 8);
  });
});

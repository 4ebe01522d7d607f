import assert from 'node:assert/strict';
import test from 'node:test';
import { createAuditJoiner } from '../../src/events/audit-join.ts';
import { readHeader } from '../../src/events/header.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { readersFor } from '../../src/events/readers/index.ts';
import { createShapeTable } from '../../src/events/shapes.ts';
import { overMillisecond } from './machine.ts';
import { generator, HEAD, mutate, seeds } from './mutate.ts';

const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7);

test('100,000 mutated lines: no exception, no control character, nothing lost', () => {
  const random = generator(20261102);
  const shapes = createShapeTable();
  let emitted = 0;
  let parsingMs = 0;
  const joiner = createAuditJoiner((event) => {
    emitted += event.raw.split('\n').length;
    for (const text of [
      event.user,
      event.command,
      event.executable,
      event.action,
      event.tty,
      ...(event.arguments ?? []),
    ])
      assert.doesNotMatch(text ?? '', /[\u0000-\u001f\u007f-\u009f\u202e]/);
    for (const port of [event.sourcePort, event.destinationPort])
      assert.ok(port === undefined || (port >= 0 && port < 65_536));
    assert.ok(Number.isFinite(event.observedAtMs));
  });
  const lines = Array.from({ length: 100_000 }, () => mutate(HEAD + seeds[random(seeds.length)], random));
  for (const [i, line] of lines.entries()) {
    const began = performance.now();
    const event = parseEvent(line, '192.0.2.1', NOW_MS, { onUnread: shapes.add });
    joiner.push(event, NOW_MS + i);
    parsingMs += performance.now() - began;
  }
  joiner.end();
  assert.equal(emitted, 100_000);
  assert.ok(shapes.counts.size > 100 && shapes.counts.size <= 500);
  console.log(`${Math.round(100_000 / (parsingMs / 1000))} mutated lines/s parsed and joined`);
});

test('no line of 8 KiB takes the header and the readers over a millisecond, whatever is repeated in it', () => {
  const fillers = [
    'a',
    ' ',
    '=',
    '"',
    "'",
    '(',
    '1',
    ':',
    ',',
    '/',
    ' from 1.1.1.1 port 1 ',
    ' from 1 port 1: ',
    ' (1)',
    "as' authentication for SSH2 Session from a ",
    ' on a (1.1.1.1)',
    '-> 1.1.1.1(1) ',
    ' denied tcp 1.1.1.1(1)',
    "' from IP 1.1.1.1, executed '",
    ' ; ',
    'TTY=a ; ',
    'a=b ',
    'a="',
    "x'",
    ' by a',
    ' a1="b"',
    '1:',
    'in:a out:b ',
    '198.51.100.7/1->1.1.1.1/2 ',
    ', ',
    ' IN=',
    '[SRC=',
    ' rule 1 block in on a: ',
    '1.1.1.1.1 > ',
    'nft ',
    '-a ',
    'iptables -',
    'firewall-cmd -',
    '(a',
    ' (',
    '->',
    'COMMAND=',
    '|',
    'audit(',
    'X added by a ',
    ' user a logged in from 1.1.1.1 via ',
    ' > ',
    'ufw ',
    'ip -a ',
    'systemctl ',
    '%',
    '[a b="',
    '\\',
  ];
  const slow: string[] = [];
  for (const seed of seeds) {
    const words = seed.split(' ');
    for (let cut = 1; cut <= words.length; cut++) {
      for (const [filler, last] of fillers.flatMap((text) => [
        [text, ''],
        [text, '\n~'],
      ])) {
        const start = `${HEAD}${words.slice(0, cut).join(' ')} `;
        const line =
          start + filler.repeat(Math.ceil(8192 / filler.length)).slice(0, 8190 - start.length) + last;
        const timeMs = overMillisecond(() => {
          const { program = '', message } = readHeader(line);
          readersFor(program).some((read) => read(message, program, line));
        });
        if (timeMs > 0) slow.push(`${timeMs.toFixed(1)} ms: ${start}${JSON.stringify(filler)}`);
      }
    }
  }
  assert.deepEqual(slow, []);
});

test('lines as they come are parsed fast', () => {
  const lines = seeds.map((seed) => HEAD + seed);
  for (let i = 0; i < 20_000; i++) parseEvent(lines[i % lines.length], '192.0.2.1', NOW_MS);
  const began = performance.now();
  for (let i = 0; i < 50_000; i++) parseEvent(lines[i % lines.length], '192.0.2.1', NOW_MS);
  const perSecond = 50_000 / ((performance.now() - began) / 1000);
  console.log(`${Math.round(perSecond)} lines/s parsed`);
  assert.ok(perSecond > 20_000, `${Math.round(perSecond)} lines/s`);
});

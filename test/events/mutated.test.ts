import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createAuditJoiner } from '../../src/events/audit-join.ts';
import { MAX_LINE_BYTES } from '../../src/events/clean.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { createShapeTable } from '../../src/events/shapes.ts';
import { overMillisecond } from './machine.ts';
import { generator, HEAD, mutate, seeds } from './mutate.ts';

const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7);
const LINES = 1_000_000;
/** One line in so many is made as long as a line may be. */
const LONG_EVERY = 4000;
const MAX_SUSPECTS = 500;
const CORPORA = join(import.meta.dirname, '../../../shared/corpora/syslog');

/** Those of the corpora besides, where they are: at most so many of a file. */
function corpus(): string[] {
  if (!existsSync(CORPORA)) return [];
  const files = readdirSync(CORPORA, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return files.flatMap((file) => {
    const lines = readFileSync(join(file.parentPath, file.name), 'utf8').split('\n');
    return lines.filter((line) => line.length > 20 && line.length < 2000).slice(0, 40);
  });
}

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

test('1,000,000 mutated lines: no exception, no control character, none over a millisecond', (t) => {
  const random = generator(20261103);
  const lines = [...seeds.map((seed) => HEAD + seed), ...corpus()];
  const shapes = createShapeTable();
  const suspects: string[] = [];
  let emitted = 0;
  const joiner = createAuditJoiner((event) => {
    let records = 1;
    for (let at = event.raw.indexOf('\n'); at >= 0; at = event.raw.indexOf('\n', at + 1)) records++;
    emitted += records;
    const isClean = !CONTROLS.test(records > 1 ? event.raw.replaceAll('\n', '') : event.raw);
    if (
      !isClean ||
      (event.command && CONTROLS.test(event.command)) ||
      (event.user && CONTROLS.test(event.user))
    )
      assert.fail(JSON.stringify(event));
    assert.ok(event.observedAtMs >= 0 && event.observedAtMs < 4_102_444_800_000);
  });
  const began = performance.now();
  for (let i = 0; i < LINES; i++) {
    let line = mutate(lines[random(lines.length)], random);
    if (i % LONG_EVERY === 0) {
      const [at, end] = [random(line.length), random(line.length)].sort((a, b) => a - b);
      const piece = line.slice(at, end + 1);
      line = line.slice(0, end + 1) + piece.repeat(Math.ceil(MAX_LINE_BYTES / piece.length));
    }
    const startMs = performance.now();
    const event = parseEvent(line, '192.0.2.1', NOW_MS, { onUnread: shapes.add });
    if (performance.now() - startMs > 1 && suspects.length < MAX_SUSPECTS) suspects.push(line);
    joiner.push(event, NOW_MS + i);
  }
  joiner.end();
  // The end mark of an event that is closed already is counted, and nothing more; a line of osquery may be several events.
  assert.ok(emitted + joiner.counters.lateEnds >= LINES, `${emitted} of ${LINES}`);
  const slow = suspects.flatMap((line) => {
    const timeMs = overMillisecond(() => parseEvent(line, '192.0.2.1', NOW_MS));
    return timeMs > 0 ? [[timeMs, line] as const] : [];
  });
  t.diagnostic(
    `${Math.round((performance.now() - began) / 1000)} s, ${lines.length} seeds, ${suspects.length} lines measured again`,
  );
  assert.deepEqual(
    slow.map(
      ([timeMs, line]) =>
        `${timeMs.toFixed(1)} ms, ${line.length} long: ${JSON.stringify(line.slice(0, 300))}`,
    ),
    [],
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { compileOrigins, relaysOf } from '../../src/events/origin.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { createSources } from '../../src/events/sources.ts';
import { happenedAt } from '../../src/model/event.ts';

const START_MS = Date.UTC(2026, 10, 2, 2, 0, 0);
const RELAY = '192.0.2.5';
const WEB = '192.0.2.10';
const HOSTS = [
  { name: 'web1', addresses: [WEB], aliases: [] },
  { name: 'db1', addresses: [], aliases: [] },
];
const registry = compileOrigins(HOSTS, [], relaysOf([RELAY]));

/** Its clock is off by so much, and it states that time with a zone. */
const line = (host: string, sender: string, receivedAtMs: number, offsetMs = 0) =>
  parseEvent(
    `<34>1 ${new Date(receivedAtMs - 20 + offsetMs).toISOString()} ${host} app - - - x`,
    sender,
    receivedAtMs,
  );

test('behind a relay each stated name has a clock of its own; a host has one, whatever it states', () => {
  const sources = createSources(registry);
  let last = { db: START_MS, other: START_MS };
  for (let atMs = START_MS; atMs < START_MS + 300_000; atMs += 2000) {
    const db = line('db1', RELAY, atMs, 90_000);
    const other = line('other', RELAY, atMs);
    last = {
      db: happenedAt({ ...db, ...sources.line(db, false) }),
      other: happenedAt({ ...other, ...sources.line(other, false) }),
    };
    sources.line(line(`name${atMs % 10}`, WEB, atMs, -3000), false);
  }
  const untilMs = START_MS + 298_000;
  assert.ok(Math.abs(last.db - untilMs) <= 20, 'the line of the clock that is ahead is put right');
  assert.equal(last.other, untilMs - 20);
  assert.deepEqual(
    sources.report(untilMs).map((one) => [one.sender, one.host, one.origin, one.lines, one.zonedOffsetMs]),
    [
      [RELAY, 'db1', 'db1', 150, 89_980],
      [RELAY, 'other', '', 150, 0],
      [WEB, '', 'web1', 150, -3020],
    ],
  );
  assert.deepEqual(sources.report(untilMs), [], 'counted once');
});

test('what was measured before a restart counts from the first line', () => {
  const known = { sender: WEB, host: '', identity: '', zonedOffsetMs: 90_000, zonelessOffsetMs: 3_600_000 };
  const sources = createSources(registry, [known]);
  assert.equal(sources.line(line('web1', WEB, START_MS, 90_000), false).clockOffsetMs, 90_000);
  const local = parseEvent('<34>Nov  2 03:00:00 web1 app: x', WEB, START_MS);
  assert.equal(sources.line(local, false).clockOffsetMs, 3_600_000);
});

test('a host that is registered meanwhile is known from then on', () => {
  const sources = createSources(compileOrigins([], []));
  assert.deepEqual(sources.line(line('web1', WEB, START_MS), false), {});
  sources.setRegistry(registry);
  assert.equal(sources.line(line('web1', WEB, START_MS + 1), false).origin, 'web1');
  assert.equal(sources.line(line('db1', WEB, START_MS + 2), true).origin, 'web1', 'not by what it states');
  assert.equal(sources.line(line('db1', RELAY, START_MS + 3), false).originBasis, 'host-name');
  const reports = sources.report(START_MS + 4);
  assert.deepEqual(
    reports.map(({ sender, host, lines, unread }) => [sender, host, lines, unread]),
    [
      [WEB, 'web1', 1, 0],
      [WEB, '', 2, 1],
      [RELAY, 'db1', 1, 0],
    ],
  );
  sources.setRegistry(compileOrigins([], []));
  assert.equal(
    sources.line(line('x', WEB, START_MS + 5), false).origin,
    undefined,
    'and no longer afterwards',
  );
});

test('reports that could not be stored are added to the next', () => {
  const sources = createSources(registry);
  sources.line(line('web1', WEB, START_MS), false);
  sources.dropped(WEB, START_MS);
  const first = sources.report(START_MS);
  sources.putBack(first);
  sources.line(line('web1', WEB, START_MS + 1), false);
  sources.refused('198.51.100.1', START_MS);
  assert.deepEqual(
    sources
      .report(START_MS + 2)
      .map(({ sender, lines, dropped, refused }) => [sender, lines, dropped, refused]),
    [
      [WEB, 2, 1, 0],
      ['198.51.100.1', 0, 0, 1],
    ],
  );
});

test('a flood of senders and names takes bounded memory and nothing from those who were there', () => {
  const sources = createSources(registry);
  for (let atMs = START_MS; atMs <= START_MS + 120_000; atMs += 1000) {
    sources.line(line('web1', WEB, atMs, 90_000), false);
    if (atMs % 10_000 === 0) sources.report(atMs);
  }
  const event = line('x', '198.51.100.1', START_MS + 120_000);
  for (let i = 0; i < 30_000; i++) {
    sources.line({ ...event, sender: `198.51.${i >> 8}.${i & 255}` }, false);
  }
  for (let i = 0; i < 30_000; i++) sources.line({ ...event, host: `name${i}` }, false);
  assert.ok(sources.report(START_MS + 120_001).length <= 20_000);
  assert.ok(sources.crowdedLines > 0);
  const after = sources.line(line('web1', WEB, START_MS + 121_000, 90_000), false);
  assert.ok(Math.abs((after.clockOffsetMs ?? 0) - 89_980) < 5);
});

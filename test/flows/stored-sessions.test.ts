import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../src/flows/folder.ts';
import { readSessions, withUnheard, writeSessions } from '../../src/flows/stored-sessions.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { temporaryFolder } from '../store/temporary.ts';
import { v9Datagram } from './v9.ts';

const NOON = Date.UTC(2026, 10, 2, 12);
const HOUR = 3_600_000;
const internal = addressSet('10.0.0.0/8');

test('sessions come back by address and port, once a template changed or when it is due', async (t) => {
  const path = join(temporaryFolder(t), 'templates.json');
  const one = createFolder({ internal });
  assert.equal(one.storeSessions(false), undefined);
  one.receive('192.0.2.1', 4000, v9Datagram([], { exportMs: NOON }), NOON);
  const stored = [...(one.storeSessions(false) ?? [])];
  assert.deepEqual(
    stored.map(([key]) => key),
    ['192.0.2.1 4000'],
  );
  assert.equal(one.storeSessions(false), undefined);
  assert.equal([...(one.storeSessions(true) ?? [])].length, 1);
  await writeSessions(path, new Map(stored), NOON);
  const sessions = await readSessions(path, NOON + HOUR);
  const record = { source: '10.1.1.1', destination: '198.51.100.9', packets: 1 };
  const bare = v9Datagram([record], { exportMs: NOON, withTemplate: false });
  for (const [port, expected] of [
    [4000, 1],
    [4001, 0],
  ]) {
    const two = createFolder({ internal, sessions });
    two.receive('192.0.2.1', port, bare, NOON);
    assert.equal(two.count(), expected);
  }
  assert.equal((await readSessions(path, NOON + HOUR + 1)).size, 0);
});

test('a file that is damaged, of another kind or not there costs templates and nothing else', async (t) => {
  const path = join(temporaryFolder(t), 'templates.json');
  assert.equal((await readSessions(path, NOON)).size, 0);
  for (const text of ['', '{', 'null', '[]', '{"savedAtMs":0}', `{"savedAtMs":${NOON},"sessions":7}`]) {
    await writeFile(path, text);
    assert.equal((await readSessions(path, NOON)).size, 0, text);
  }
  await writeFile(
    path,
    `{"savedAtMs":${NOON},"sessions":[null,7,["192.0.2.1 4000",{"domains":[{"id":-1}]}]]}`,
  );
  const sessions = await readSessions(path, NOON);
  const one = createFolder({ internal, sessions });
  one.receive('192.0.2.1', 4000, v9Datagram([], { exportMs: NOON }), NOON);
  assert.equal(one.report().exporters[0].counters.malformed, 0);
});

test('one exporter cannot fill the file, and those not heard yet stay in it for an hour', async (t) => {
  const path = join(temporaryFolder(t), 'templates.json');
  const large = new Map<string, unknown>([['large', 'x'.repeat(300_000)]]);
  await writeSessions(path, large.set('small', { domains: [] }), NOON);
  const read = await readSessions(path, NOON);
  assert.deepEqual([...read.keys()], ['small']);
  const now = new Map([['new', {}]]);
  assert.deepEqual([...withUnheard(now, read, HOUR).keys()], ['new', 'small']);
  assert.deepEqual([...withUnheard(now, read, HOUR + 1).keys()], ['new']);
});

import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { blockedAt, locateFolder, openFolder } from '../../src/store/folder.ts';
import { keptText } from '../../src/store/kept-file.ts';
import { openSecrets } from '../../src/store/secrets.ts';
import { temporaryFolder } from './temporary.ts';

test('a folder is made for its user alone and held until it is given up', async (t) => {
  const path = join(temporaryFolder(t), 'data');
  const release = await openFolder({ path });
  assert.equal(statSync(path).mode & 0o777, 0o700);
  await assert.rejects(openFolder({ path }), {
    code: 'folder-in-use',
    message: new RegExp(`process ${process.pid}`),
  });
  await release();
  await (await openFolder({ path }))();
});

test('a lock that a killed process left behind is taken over', async (t) => {
  const path = temporaryFolder(t);
  // A socket file without a listener, as kill -9 leaves it.
  const server = createServer().listen(join(path, 'elsewhere'));
  await new Promise((settle) => server.once('listening', settle));
  renameSync(join(path, 'elsewhere'), join(path, 'lock'));
  await new Promise((settle) => server.close(settle));
  assert.ok(existsSync(join(path, 'lock')));
  await (await openFolder({ path }))();
});

test('a folder whose name is longer than a socket address is held too', async (t) => {
  const path = join(temporaryFolder(t), 'x'.repeat(120));
  const release = await openFolder({ path });
  await assert.rejects(openFolder({ path }), { code: 'folder-in-use' });
  await release();
  assert.ok(!existsSync(join(path, 'lock')));
});

test('what cannot be a folder is refused', async (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(openFolder({ path: file }), { code: 'folder-not-writable', subject: file });
  await assert.rejects(openFolder({ path: join(file, 'data') }), { code: 'folder-not-writable' });
  assert.equal(blockedAt(join(file, 'data'), { uid: 4_000_000, gid: 4_000_000 }), undefined);
  if (process.platform === 'linux')
    await assert.rejects(openFolder({ path: '/proc/postern/data' }), { code: 'folder-not-writable' });
});

test('a folder of a start that was killed half-way is opened to the other user, one of somebody else is not', async (t) => {
  const owner = { uid: 4_000_000, gid: process.getgid!() };
  const path = join(temporaryFolder(t), 'data');
  for (const left of [[], ['clickhouse']]) {
    mkdirSync(path, { mode: 0o700 });
    for (const name of left) mkdirSync(join(path, name));
    await (await openFolder({ path, owner }))();
    assert.equal(statSync(path).mode & 0o777, 0o710);
    rmSync(path, { recursive: true });
  }
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(path, 'letter'), '');
  await assert.rejects(openFolder({ path, owner }), { code: 'folder-not-reachable' });
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test('a key is there whole or not at all', (t) => {
  const file = join(temporaryFolder(t), 'key');
  writeFileSync(`${file}.partial`, 'ha');
  assert.equal(
    keptText(file, () => 'whole\n'),
    'whole',
  );
  assert.equal(
    keptText(file, () => 'another'),
    'whole',
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('the folder that another user cannot enter is named, and avoided by default', (t) => {
  const top = temporaryFolder(t);
  const closed = join(top, 'closed');
  mkdirSync(join(closed, 'inner'), { recursive: true });
  chmodSync(closed, 0o700);
  const stranger = { uid: 4_000_000, gid: 4_000_000 };
  assert.equal(blockedAt(join(closed, 'inner'), stranger), closed);
  assert.equal(blockedAt(join(top, 'not', 'there'), stranger), undefined);
  assert.equal(blockedAt(closed, { uid: statSync(closed).uid, gid: 4_000_000 }), undefined);
  assert.throws(() => locateFolder(join(closed, 'data'), stranger), {
    code: 'folder-not-reachable',
    subject: closed,
  });
  assert.equal(locateFolder(join(top, 'data'), stranger).path, join(top, 'data'));
  const before = process.cwd();
  process.chdir(closed);
  try {
    assert.equal(locateFolder(undefined, stranger).path, '/var/lib/postern');
    assert.match(locateFolder(undefined, stranger).note!, /closed/);
    assert.equal(locateFolder(undefined, undefined).path, join(closed, 'data'));
  } finally {
    process.chdir(before);
  }
});

test('credentials are sealed under the key of the folder', (t) => {
  const folder = temporaryFolder(t);
  const { seal, open, hash } = openSecrets(undefined, folder);
  const file = join(folder, 'secret.key');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const sealed = seal('geheim ß');
  assert.ok(!sealed.includes('geheim'));
  assert.notDeepEqual(seal('geheim ß'), sealed);
  const again = openSecrets(readFileSync(file, 'utf8').trim(), '/nowhere');
  assert.equal(again.open(sealed), 'geheim ß');
  assert.equal(again.hash('x'), hash('x'));
  assert.match(hash('x'), /^[0-9a-f]{16}$/);
  assert.notEqual(hash('x'), hash('y'));
  const altered = Buffer.from(sealed);
  altered[altered.length - 1] ^= 1;
  for (const bad of [altered, sealed.subarray(0, 10), Buffer.alloc(0)])
    assert.throws(() => open(bad), { code: 'not-sealed-here' });
  const other = openSecrets(Buffer.alloc(32, 7).toString('base64'), folder);
  assert.throws(() => other.open(sealed), { code: 'not-sealed-here' });
  assert.notEqual(other.hash('x'), hash('x'));
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checkLocation,
  createMirrors,
  deviceOfFile,
  openRepository,
} from '../../src/snapshots/repository.ts';
import { repositoryAt } from './oxidized.ts';

const AT = Date.UTC(2026, 10, 2, 3, 0, 0);

describe('revisions of a repository', () => {
  test('each has its time and text, the past included, and new ones are found after a commit', async (t) => {
    const { folder, commit } = repositoryAt(t);
    commit('edge/fw1', 'one\n', AT);
    commit('edge/fw2', 'other\n', AT + 1000);
    const second = commit('edge/fw1', 'two\n', AT + 60_000);
    const repository = openRepository(folder);
    const revisions = await repository.revisions({ file: 'edge/fw1' });
    assert.deepEqual(
      revisions.map(({ atMs }) => atMs - AT),
      [0, 60_000],
    );
    assert.deepEqual(await Promise.all(revisions.map(repository.textOf)), ['one\n', 'two\n']);
    assert.deepEqual(await repository.revisions({ file: 'edge/fw1', after: second }), []);
    commit('edge/fw1', undefined, AT + 70_000);
    commit('edge/fw1', 'three\n', AT + 80_000);
    const later = await repository.revisions({ file: 'edge/fw1', after: second });
    assert.deepEqual(
      later.map(({ atMs }) => atMs - AT),
      [80_000],
    );
    assert.equal((await repository.revisions()).length, 4);
    assert.deepEqual(await repository.files(10), ['edge/fw1', 'edge/fw2']);
  });

  test('a name is taken literally, and a commit that is gone means the whole history', async (t) => {
    const { folder, commit } = repositoryAt(t);
    commit('a*', 'star\n', AT);
    commit('ab', 'letter\n', AT + 1000);
    const repository = openRepository(folder);
    assert.equal((await repository.revisions({ file: 'a*' })).length, 1);
    assert.equal((await repository.revisions({ file: 'ab', after: 'f'.repeat(40) })).length, 1);
  });

  test('a branch other than the checked out one is read', async (t) => {
    const { folder, commit, git } = repositoryAt(t);
    commit('fw1', 'one\n', AT);
    git(['checkout', '-q', '-b', 'lab']);
    commit('fw1', 'two\n', AT + 1000);
    git(['checkout', '-q', 'master']);
    assert.equal((await openRepository(folder).revisions({ file: 'fw1' })).length, 1);
    assert.equal((await openRepository(folder, 'lab').revisions({ file: 'fw1' })).length, 2);
    await assert.rejects(openRepository(folder, 'none').revisions({ file: 'fw1' }), {
      code: 'repository-unreadable',
    });
  });

  test('what is no repository, and a text over the bound, are errors that say so', async (t) => {
    const { folder, commit } = repositoryAt(t);
    commit('fw1', 'x'.repeat(10_000), AT);
    const repository = openRepository(folder, undefined, { fetchMs: 10_000, maxByteCount: 1000 });
    const [revision] = await repository.revisions({ file: 'fw1' });
    await assert.rejects(repository.textOf(revision), { code: 'output-too-large' });
    await assert.rejects(openRepository(join(folder, 'none')).revisions(), { code: 'repository-unreadable' });
  });
});

test('a repository that lies elsewhere is copied, and fetched again when it is time', async (t) => {
  const { folder, commit } = repositoryAt(t);
  commit('fw1', 'one\n', AT);
  const keep = mkdtempSync(join(tmpdir(), 'postern-mirrors-'));
  t.after(() => rmSync(keep, { recursive: true, force: true }));
  // git's own server, on the loopback.
  const { port, stop } = await daemon(folder);
  t.after(stop);
  let now = 0;
  const mirrors = createMirrors(join(keep, 'repositories'), () => now);
  const count = async () =>
    (await (await mirrors.open(`git://127.0.0.1:${port}/`)).revisions({ file: 'fw1' })).length;
  assert.equal(await count(), 1);
  commit('fw1', 'two\n', AT + 1000);
  assert.equal(await count(), 1, 'fetched a moment ago');
  now += 60_000;
  assert.equal(await count(), 2);
  await stop();
  now += 60_000;
  await assert.rejects(count(), { code: 'repository-unreachable' });
});

async function daemon(folder: string): Promise<{ port: number; stop: () => Promise<void> }> {
  const { spawn } = await import('node:child_process');
  const { createServer, connect } = await import('node:net');
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as { port: number };
      probe.close(() => resolve(free));
    });
  });
  const child = spawn(
    'git',
    [
      'daemon',
      '--export-all',
      '--listen=127.0.0.1',
      `--port=${port}`,
      `--base-path=${folder}`,
      '--reuseaddr',
      folder,
    ],
    { stdio: 'ignore', detached: true },
  );
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  for (let i = 0; i < 100; i++) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.unref();
    });
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    stop: async () => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {}
      await gone;
    },
  };
}

test('only what the operator allows may be named as a repository', () => {
  const allowed = ['/srv/oxidized', 'https://git.example.net/network', 'git@git.example.net:network'];
  for (const good of [
    '/srv/oxidized/configs.git',
    '/srv/oxidized',
    'https://git.example.net/network/configs.git',
    'git@git.example.net:network/configs.git',
  ])
    assert.equal(checkLocation(good, allowed), good);
  for (const bad of [
    '/srv/oxidized/../secrets',
    '/srv/oxidized2',
    'https://git.example.net/network-other',
    'https://git.example.net/network/../x',
    'ext::sh -c id',
    'file:///srv/oxidized',
    '--upload-pack=id',
    'https://u:p@git.example.net/network',
    'relative/path',
  ])
    assert.throws(() => checkLocation(bad, allowed), { code: 'repository-refused' }, bad);
  assert.throws(() => checkLocation('/srv/x', []), /POSTERN_REPOSITORIES/);
});

test('files of collectors name their devices', () => {
  assert.deepEqual(['edge/fw1', 'edge/configs/fw2.cfg', 'edge/router.db', '.gitignore'].map(deviceOfFile), [
    'fw1',
    'fw2',
    undefined,
    undefined,
  ]);
});

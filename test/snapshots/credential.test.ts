import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { PosternError } from '../../src/model/errors.ts';
import { deviceSecret, loadSettings } from '../../src/settings.ts';
import { openCredential, type StoredCredential } from '../../src/snapshots/credential.ts';

const outside = mkdtempSync(join(tmpdir(), 'postern-outside-'));
const folder = join(outside, 'secrets');
mkdirSync(join(folder, 'keys'), { recursive: true });
mkdirSync(join(folder, '..data'));
writeFileSync(join(outside, 'shadow'), 'root:x');
writeFileSync(join(folder, 'edge1'), 'correct horse\n');
writeFileSync(join(folder, 'keys/edge1.pem'), 'line 1\nline 2\n\n');
writeFileSync(join(folder, 'empty'), '\n');
writeFileSync(join(folder, 'large'), 'x'.repeat(40_000));
writeFileSync(join(folder, '..data/mounted'), 'from a volume\r\n');
symlinkSync('..data/mounted', join(folder, 'mounted'));
symlinkSync('../shadow', join(folder, 'way-out'));
symlinkSync('..', join(folder, 'up'));
after(() => rmSync(outside, { recursive: true }));

const ENVIRONMENT = {
  POSTERN_DEVICE_SECRET_EDGE1: 'battery staple',
  POSTERN_SECRET_KEY: 'the key that seals',
  HOME: '/root',
};
const places = { folder, variable: (name: string) => deviceSecret(name, ENVIRONMENT) };
const opened = (stored: StoredCredential) => openCredential(stored, places);

describe('a credential', () => {
  test('values stay, references are read, and nothing else comes of it', async () => {
    assert.deepEqual(
      await opened({
        password: 'plain',
        passphraseFrom: { env: 'POSTERN_DEVICE_SECRET_EDGE1' },
        enablePasswordFrom: { file: 'edge1' },
        privateKeyFrom: { file: 'keys/edge1.pem' },
      }),
      {
        password: 'plain',
        passphrase: 'battery staple',
        enablePassword: 'correct horse',
        privateKey: 'line 1\nline 2\n',
      },
    );
    assert.deepEqual(await opened({}), {});
    assert.deepEqual(await opened({ passwordFrom: { file: 'mounted' } }), { password: 'from a volume' });
  });

  for (const [what, stored, code] of [
    ['a variable of the service', { env: 'POSTERN_SECRET_KEY' }, 'secret-not-allowed'],
    ['a variable of the system', { env: 'HOME' }, 'secret-not-allowed'],
    ['a variable that is not set', { env: 'POSTERN_DEVICE_SECRET_NONE' }, 'secret-not-found'],
    ['an absolute path', { file: '/etc/passwd' }, 'secret-not-allowed'],
    ['a path upwards', { file: '../shadow' }, 'secret-not-allowed'],
    ['a path upwards inside', { file: 'keys/../../shadow' }, 'secret-not-allowed'],
    ['a link that leads out', { file: 'way-out' }, 'secret-not-allowed'],
    ['a path through a link that leads out', { file: 'up/shadow' }, 'secret-not-allowed'],
    ['a folder', { file: 'keys' }, 'secret-not-allowed'],
    ['a file that is too large', { file: 'large' }, 'secret-not-allowed'],
    ['an empty file', { file: 'empty' }, 'secret-not-found'],
    ['a file that is not there', { file: 'edge2' }, 'secret-not-found'],
  ] as const)
    test(`${what} is not read`, async () => {
      await assert.rejects(opened({ passwordFrom: stored }), (error: PosternError) => {
        assert.equal(error.code, code, error.message);
        assert.doesNotMatch(error.message, /root:x|the key that seals|\/root/);
        return true;
      });
    });

  test('without a folder no file is read', async () => {
    const none = { variable: places.variable };
    await assert.rejects(openCredential({ passwordFrom: { file: 'edge1' } }, none), /POSTERN_SECRETS_FOLDER/);
    await assert.rejects(openCredential({ agent: 'edge1' }, none), /POSTERN_SECRETS_FOLDER/);
  });

  test('an agent is a socket in the folder', async (t) => {
    const server = createServer().listen(join(folder, 'agent.sock'));
    await once(server, 'listening');
    t.after(() => server.close());
    assert.deepEqual(await opened({ agent: 'agent.sock' }), { agent: join(folder, 'agent.sock') });
    await assert.rejects(opened({ agent: 'edge1' }), /only a socket/);
    await assert.rejects(opened({ agent: '../run/docker.sock' }), /relative path in the secrets folder/);
  });

  test('secrets of devices are no settings, and only they can be asked for', () => {
    assert.equal('POSTERN_DEVICE_SECRET_EDGE1' in loadSettings({ POSTERN_DEVICE_SECRET_EDGE1: 'x' }), false);
    assert.equal(deviceSecret('POSTERN_DEVICE_SECRET_EDGE1', ENVIRONMENT), 'battery staple');
    for (const name of ['POSTERN_SECRET_KEY', 'HOME', '__proto__', 'POSTERN_DEVICE_SECRET_'])
      assert.equal(deviceSecret(name, ENVIRONMENT), undefined, name);
  });
});

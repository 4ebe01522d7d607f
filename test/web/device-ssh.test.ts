// how devices are logged into, from the API to a real session: jump hosts, legacy profiles, secrets by reference
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Kysely, sql } from 'kysely';
import type { Algorithms } from 'ssh2';
import { pullDeviceJob } from '../../jobs/pull-device.ts';
import { deviceById } from '../../src/store/postgres/devices.ts';
import * as tables from '../../src/store/postgres/migrations/0001_tables.ts';
import * as hosts from '../../src/store/postgres/migrations/0002_hosts.ts';
import * as ssh from '../../src/store/postgres/migrations/0003_ssh.ts';
import { play } from '../snapshots/play.ts';
import { serve } from '../snapshots/server.ts';
import { EDGE } from '../snapshots/vendors.ts';
import { startWeb } from './service.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-secrets-'));
writeFileSync(join(folder, 'edge'), 'correct horse\n');
process.env.POSTERN_DEVICE_SECRET_GUARD = 'open sesame';
after(() => {
  delete process.env.POSTERN_DEVICE_SECRET_GUARD;
  rmSync(folder, { recursive: true });
});

const { ask, services } = await startWeb({ POSTERN_SECRETS_FOLDER: folder, POSTERN_PULL_ATTEMPTS: '1' });
const router = (name: string, more: object = {}) => ({
  name,
  vendor: 'cisco-ios',
  address: '192.0.2.1',
  username: 'reader',
  ...more,
});
const register = async (name: string, more: object) => {
  const { status, body } = await ask('network', 'POST', '/v1/devices', router(name, more));
  assert.equal(status, 201, JSON.stringify(body));
  return body;
};
const get = async (url: string) => (await ask('admin', 'GET', url)).body;
const pullNow = (deviceId: string) =>
  pullDeviceJob.run({ deviceId, cause: 'request' }, services, new AbortController().signal);

test('a device behind a jump host is pulled with secrets of files and variables, and its keys are pinned', async (t) => {
  const algorithms = { cipher: ['aes128-cbc'] } as unknown as Algorithms;
  const device = await play({ ...EDGE, algorithms });
  const guard = await serve({ username: 'guard', password: 'open sesame', forwards: true }, {});
  t.after(() => Promise.all([device.stop(), guard.stop()]));
  const jumpHost = { address: '127.0.0.1', port: guard.port, username: 'guard' };
  const { id } = await register('inner', {
    address: '127.0.0.1',
    port: device.port,
    credential: { passwordFrom: { file: 'edge' } },
    legacyProfiles: ['cbc'],
    jump: [{ ...jumpHost, credential: { passwordFrom: { env: 'POSTERN_DEVICE_SECRET_GUARD' } } }],
  });
  await pullNow(id);
  const health = await get(`/v1/devices/${id}/health`);
  assert.equal(health.lastError, null);
  assert.deepEqual(health.legacyProfiles, ['cbc']);
  assert.deepEqual([health.algorithms.cipher, health.algorithms.legacyProfiles], ['aes128-cbc', ['cbc']]);
  assert.equal((await get(`/v1/devices/${id}/snapshots`)).items.length, 1);
  const view = await get(`/v1/devices/${id}`);
  assert.match(view.hostKeyFingerprint, /^SHA256:/);
  assert.match(view.jump[0].hostKeyFingerprint, /^SHA256:/);
  assert.notEqual(view.jump[0].hostKeyFingerprint, view.hostKeyFingerprint);
  assert.deepEqual(view.jump, [
    {
      ...jumpHost,
      hasCredential: true,
      hostKeyFingerprint: view.jump[0].hostKeyFingerprint,
      legacyProfiles: [],
    },
  ]);
  assert.doesNotMatch(
    JSON.stringify([view, health]),
    /correct horse|open sesame|POSTERN_DEVICE_SECRET|passwordFrom/,
  );

  // What is left out is kept for the same host; the next pull goes by it.
  const url = `/v1/devices/${id}`;
  assert.equal((await ask('network', 'PATCH', url, { jump: [jumpHost] })).status, 200);
  await pullNow(id);
  assert.equal((await get(`${url}/health`)).lastError, null);
  const forgotten = await ask('network', 'PATCH', url, {
    jump: [{ ...jumpHost, hostKey: null, credential: null }],
  });
  assert.deepEqual(
    [forgotten.body.jump[0].hostKeyFingerprint, forgotten.body.jump[0].hasCredential],
    [null, false],
  );
  await pullNow(id);
  const refused = await get(`${url}/health`);
  assert.equal(refused.lastErrorCode, 'login-failed');
  assert.match(refused.lastError, /^inner: jump host 127\.0\.0\.1: the login of guard was refused/);
  assert.equal(refused.algorithms.cipher, 'aes128-cbc', 'what the last session agreed on stays');
  const direct = await ask('network', 'PATCH', url, { jump: [], legacyProfiles: [] });
  assert.deepEqual([direct.body.jump, direct.body.legacyProfiles], [[], []]);
  await pullNow(id);
  const old = await get(`${url}/health`);
  assert.equal(old.lastErrorCode, 'no-common-algorithms');
  assert.match(old.lastError, /no common cipher \(it offers aes128-cbc\).*legacy profile cbc/);
});

test('a secret that is not there fails the pull, and says which', async () => {
  const { id } = await register('no-secret', { credential: { passwordFrom: { file: 'other' } } });
  await pullNow(id);
  const { lastErrorCode, lastError } = await get(`/v1/devices/${id}/health`);
  assert.equal(lastErrorCode, 'secret-not-found');
  assert.match(lastError, /the file other of the secrets folder/);
});

test('what is stored of a credential is sealed, of jump hosts too', async () => {
  const { id } = await register('sealed', {
    credential: { agent: 'agents/ops.sock', enablePassword: 'planted-enable' },
    jump: [{ address: 'guard.example', username: 'g', credential: { privateKey: 'planted-key' } }],
  });
  const row = await deviceById(services.postgres, id);
  assert.doesNotMatch(JSON.stringify(row), /planted|ops\.sock/);
  assert.deepEqual(JSON.parse(services.seal.open(Buffer.from(row!.jump[0].credential!, 'base64'))), {
    privateKey: 'planted-key',
  });
  assert.equal(row!.jump[0].port, 22);
});

test('what a device is logged into with is checked, field by field', async () => {
  const jump = { address: '192.0.2.9', username: 'g' };
  const cases: [object, string, RegExp][] = [
    [{ legacyProfiles: ['rc4'] }, 'legacyProfiles.0', /sha1-kex/],
    [{ legacyAlgorithms: true }, 'legacyAlgorithms', /not a field/],
    [{ address: 'fe80::1' }, 'address', /name the interface/],
    [{ address: '2001:db8::1%eth0' }, 'address', /link-local/],
    [{ jump: [jump, { ...jump, address: '10.0.0.300' }] }, 'jump.1.address', /address/],
    [{ jump: Array(6).fill(jump) }, 'jump', /5/],
    [{ jump: [{ ...jump, hostKey: 'nonsense' }] }, 'jump.0.hostKey', /./],
    [
      { jump: [{ ...jump, credential: { password: 'x', passwordFrom: { file: 'y' } } }] },
      'jump.0.credential.passwordFrom',
      /not both/,
    ],
    [{ credential: { password: 'x', passwordFrom: { file: 'y' } } }, 'credential.passwordFrom', /not both/],
    [{ credential: { passwordFrom: { env: 'POSTERN_SECRET_KEY' } } }, 'credential.passwordFrom', /./],
    [{ credential: { passwordFrom: { file: '../../etc/shadow' } } }, 'credential.passwordFrom', /./],
    [{ credential: { passwordFrom: { file: '/etc/shadow' } } }, 'credential.passwordFrom', /./],
    [{ credential: { agent: '/run/docker.sock' } }, 'credential.agent', /./],
  ];
  for (const [more, field, detail] of cases) {
    const { status, body } = await ask('network', 'POST', '/v1/devices', router('bad', more));
    assert.equal(status, 400, JSON.stringify([more, body]));
    assert.ok(String(body.field).startsWith(field), `${field}: ${JSON.stringify(body)}`);
    assert.match(body.detail, detail);
  }
  const zoned = await register('zoned', { address: 'FE80::0:1%eth0' });
  assert.equal(zoned.address, 'fe80::1%eth0');
});

test('devices with the old switch on have all profiles after the migration, others none', async () => {
  await services.postgres.connection().execute(async (connection) => {
    const database = connection as unknown as Kysely<unknown>;
    try {
      await sql`CREATE SCHEMA before`.execute(database);
      await sql`SET search_path TO before`.execute(database);
      await tables.up(database);
      await hosts.up(database);
      for (const [id, legacy] of [
        ['old', true],
        ['new', false],
      ] as const)
        await sql`INSERT INTO devices (id, name, vendor, address, port, username, legacy_algorithms,
          pull_interval_seconds, created_at, created_by)
          VALUES (${id}, ${id}, 'cisco-ios', '192.0.2.1', 22, 'x', ${legacy}, 60, now(), 'test')`.execute(
          database,
        );
      await ssh.up(database);
      const { rows } = await sql`SELECT id, legacy_profiles, jump FROM devices ORDER BY id`.execute(database);
      assert.deepEqual(rows, [
        { id: 'new', legacy_profiles: [], jump: [] },
        { id: 'old', legacy_profiles: ['sha1-kex', 'cbc', 'ssh-rsa', 'ssh-dss'], jump: [] },
      ]);
    } finally {
      await sql`SET search_path TO public`.execute(database);
    }
  });
});

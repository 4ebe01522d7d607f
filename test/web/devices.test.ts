import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceById, pinHostKey, recordPullFailure } from '../../src/store/postgres/devices.ts';
import { startWeb } from './service.ts';

const { ask, services } = await startWeb();

const router = (name: string, more: object = {}) => ({
  name,
  vendor: 'cisco-ios',
  address: '192.0.2.1',
  username: 'postern',
  credential: { password: 'S3cret-Pa55' },
  ...more,
});

test('a device is registered, pulled at once and on its schedule, and its credential is sealed', async () => {
  const before = await services.jobs.counts();
  const { status, body, headers } = await ask('network', 'POST', '/v1/devices', {
    ...router('edge-1', {
      exporters: ['::ffff:192.0.2.1'],
      ticketPattern: 'CHG\\d+',
      timeZone: 'Europe/Berlin',
    }),
    pullIntervalSeconds: 60,
  });
  assert.equal(status, 201);
  assert.equal(headers.location, `/v1/devices/${body.id}`);
  assert.deepEqual(
    [body.exporters, body.port, body.hasCredential, body.hostKeyFingerprint, body.createdBy.slice(0, 13)],
    [['192.0.2.1'], 22, true, null, 'network key ('],
  );
  assert.equal('credential' in body, false);
  const row = await deviceById(services.postgres, body.id);
  assert.deepEqual(JSON.parse(services.seal.open(row!.credential!)), { password: 'S3cret-Pa55' });
  const counts = await services.jobs.counts();
  const waiting = (of: Record<string, number>) =>
    (of.waiting ?? 0) + (of.prioritized ?? 0) + (of.delayed ?? 0);
  assert.equal(waiting(counts['pull-device']) - waiting(before['pull-device']), 1, JSON.stringify(counts));
  assert.deepEqual((await ask('network', 'GET', `/v1/devices/${body.id}`)).body, body);
});

test('what a device is registered with is checked, field by field', async () => {
  const cases: [object, string, RegExp][] = [
    [{ vendor: 'acme-os' }, 'vendor', /known: .*cisco-ios, .*linux-nftables/],
    [{ address: '10.0.0.300' }, 'address', /address/],
    [{ address: 'fade.be' }, 'address', /address/],
    [{ address: 'no spaces please' }, 'address', /host name/],
    [{ addresses: ['10.0.0.1', 'x'] }, 'addresses.1', /address/],
    [{ exporters: ['10.0.0.0/8'] }, 'exporters.0', /address/],
    [{ ticketPattern: '(' }, 'ticketPattern', /regular expression/i],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone', /Mars/],
    [{ pullIntervalSeconds: 9 }, 'pullIntervalSeconds', />= 10/],
    [{ port: '22' }, 'port', /integer/],
    [{ credential: { passwort: 'x' } }, 'credential.passwort', /not a field/],
    [{ username: undefined }, 'username', /user name/],
    [{ name: 'a\nb' }, 'name', /pattern/],
  ];
  for (const [more, field, detail] of cases) {
    const { status, type, body } = await ask('network', 'POST', '/v1/devices', router('bad', more));
    assert.deepEqual(
      { status, type, field: body.field },
      { status: 400, type: PROBLEM, field },
      JSON.stringify(body),
    );
    assert.match(body.detail, detail);
  }
});

const PROBLEM = 'application/problem+json';

test('names are unique, also when a device is renamed', async () => {
  await ask('network', 'POST', '/v1/devices', router('twin-a'));
  const { body } = await ask('network', 'POST', '/v1/devices', router('twin-b'));
  const again = await ask('network', 'POST', '/v1/devices', router('twin-a'));
  assert.deepEqual([again.status, again.type, again.body.code], [409, PROBLEM, 'name-taken']);
  const renamed = await ask('network', 'PATCH', `/v1/devices/${body.id}`, { name: 'twin-a' });
  assert.equal(renamed.status, 409);
});

test('a device is changed, its host key forgotten, pulled and removed', async () => {
  const { body: made } = await ask(
    'admin',
    'POST',
    '/v1/devices',
    router('edge-2', { address: 'edge.example' }),
  );
  const url = `/v1/devices/${made.id}`;
  const changed = await ask('admin', 'PATCH', url, {
    pullIntervalSeconds: 30,
    credential: null,
    ownerGroup: 'core',
  });
  assert.deepEqual(
    [changed.status, changed.body.pullIntervalSeconds, changed.body.hasCredential, changed.body.ownerGroup],
    [200, 30, false, 'core'],
  );
  await pinHostKey(services.postgres, made.id, 'ssh-ed25519 AAAA');
  const pinned = await ask('admin', 'GET', url);
  assert.match(pinned.body.hostKeyFingerprint, /^SHA256:[\w+/]{43}$/);
  assert.equal((await ask('admin', 'POST', `${url}/host-key/reset`)).body.hostKeyFingerprint, null);

  assert.equal((await ask('admin', 'GET', `${url}/health`)).body.consecutiveFailures, 0);
  await recordPullFailure(services.postgres, made.id, new Date(), 'unreachable', 'no route');
  const health = (await ask('admin', 'GET', `${url}/health`)).body;
  assert.deepEqual([health.consecutiveFailures, health.lastErrorCode], [1, 'unreachable']);

  assert.equal((await ask('admin', 'POST', `${url}/pull`)).status, 202);
  assert.equal((await ask('admin', 'DELETE', url)).status, 204);
  assert.equal((await ask('admin', 'GET', url)).status, 404);
  assert.equal((await ask('admin', 'POST', `${url}/pull`)).status, 404);
});

test('the list goes on where a page ended', async () => {
  for (const name of ['z-1', 'z-2', 'z-3']) await ask('admin', 'POST', '/v1/devices', router(name));
  const names: string[] = [];
  let cursor = '';
  do {
    const { body } = await ask('auditor', 'GET', `/v1/devices?limit=2${cursor}`);
    assert.ok(body.items.length <= 2);
    names.push(...body.items.map(({ name }: { name: string }) => name));
    cursor = body.next ? `&cursor=${body.next}` : '';
  } while (cursor);
  const { body: all } = await ask('auditor', 'GET', '/v1/devices?limit=200');
  assert.deepEqual(
    names,
    all.items.map(({ name }: { name: string }) => name),
  );
  assert.ok(names.length >= 5);
  for (const query of ['limit=0', 'limit=201', 'limit=x', 'cursor=zzz', 'cursor=WzFd', 'page=2'])
    assert.equal((await ask('auditor', 'GET', `/v1/devices?${query}`)).status, 400, query);
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { queueDeliveries } from '../../src/alerts/queue.ts';
import { putAlert } from '../../src/store/postgres/alerts.ts';
import { alertFixture } from './alert.ts';
import { startWeb } from './service.ts';

const { ask, services, keys } = await startWeb();

const CREDENTIAL = {
  password: 'planted-password-1',
  privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\nplanted-key-2\n-----END OPENSSH PRIVATE KEY-----',
  passphrase: 'planted-phrase-3',
  enablePassword: 'planted-enable-4',
};
const OWN_SECRET = `whsec_${Buffer.from('planted signing secret, 32 bytes').toString('base64')}`;
const TOKEN = 'planted-token-5';

test('no answer holds a credential, a secret or a hash of a key, but where it is made', async () => {
  const device = await ask('admin', 'POST', '/v1/devices', {
    name: 'gate',
    vendor: 'cisco-ios',
    address: '192.0.2.1',
    username: 'postern',
    credential: CREDENTIAL,
  });
  const body = { url: 'https://soc.example/hook', format: 'splunk-hec', token: TOKEN };
  const endpoint = await ask('admin', 'POST', '/v1/endpoints', { ...body, name: 'own', secret: OWN_SECRET });
  const generated = await ask('admin', 'POST', '/v1/endpoints', { ...body, name: 'generated' });
  const key = await ask('admin', 'POST', '/v1/keys', { name: 'bot', role: 'soc' });
  const forward = await ask('admin', 'POST', '/v1/approved-forwards', {
    destinations: ['192.0.2.9'],
    reason: 'x',
  });
  await ask('admin', 'PUT', '/v1/tickets/jira/OPS-1', { state: 'Approved' });
  const alert = alertFixture('al_1');
  await putAlert(services.postgres, alert, {}, new Date());
  await queueDeliveries(services.postgres, alert, new Date());
  const changed = [
    await ask('admin', 'PATCH', `/v1/devices/${device.body.id}`, { credential: CREDENTIAL }),
    await ask('admin', 'PATCH', `/v1/endpoints/${endpoint.body.id}`, { token: TOKEN, secret: OWN_SECRET }),
    await ask('admin', 'POST', '/v1/devices', {
      name: 'x',
      credential: { password: CREDENTIAL.password, extra: 1 },
    }),
    await ask('admin', 'POST', '/v1/endpoints', { ...body, name: 'own', secret: OWN_SECRET }),
  ];

  const sealed = await services.postgres.selectFrom('devices').select('credential').executeTakeFirstOrThrow();
  const sealedEndpoint = await services.postgres
    .selectFrom('endpoints')
    .select('secret')
    .executeTakeFirstOrThrow();
  const stored = [sealed.credential!, sealedEndpoint.secret].flatMap((bytes) => [
    bytes.toString('base64').slice(0, 40),
    bytes.toString('hex').slice(0, 40),
  ]);
  const everyKey = [...Object.values(keys), key.body.key];
  const secrets = [
    ...Object.values(CREDENTIAL).flatMap((text) =>
      text.split('\n').filter((line) => line.includes('planted')),
    ),
    OWN_SECRET,
    generated.body.secret,
    TOKEN,
    ...stored,
    ...everyKey,
    ...everyKey.map((one) => createHash('sha256').update(one).digest('hex')),
  ];
  const leaks = (text: string) => secrets.filter((secret) => text.includes(secret));
  assert.equal(secrets.length, 27);
  assert.deepEqual(leaks(generated.text), [generated.body.secret]);
  assert.deepEqual(leaks(key.text), [key.body.key]);
  for (const answer of [device, endpoint, ...changed]) assert.deepEqual(leaks(answer.text), [], answer.text);

  const ids: Record<string, string> = {
    devices: device.body.id,
    endpoints: endpoint.body.id,
    alerts: alert.id,
    'approved-forwards': forward.body.id,
  };
  const { body: document } = await ask(null, 'GET', '/openapi.json');
  const paths = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    'get' in methods ? [path] : [],
  );
  assert.ok(paths.length >= 28, String(paths.length));
  let readCount = 0;
  for (const path of paths) {
    const noun = path.split('/')[2];
    const url = path
      .replace('{id}', ids[noun] ?? 'none')
      .replace('{system}/{number}', 'jira/OPS-1')
      .replace('{address}', '192.0.2.1')
      .replace('{snapshotId}', 'none');
    const answer = await ask('admin', 'GET', url);
    assert.ok(answer.status < 500, `${url}: ${answer.text}`);
    if (answer.status === 200) readCount++;
    assert.deepEqual(leaks(answer.text), [], url);
    assert.deepEqual(leaks(JSON.stringify(answer.headers)), [], url);
  }
  assert.ok(readCount >= 24, String(readCount));
});

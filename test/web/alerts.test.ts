import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { deliverAlertJob } from '../../jobs/deliver-alert.ts';
import { queueDeliveries } from '../../src/alerts/queue.ts';
import { putAlert } from '../../src/store/postgres/alerts.ts';
import { alertFixture } from './alert.ts';
import { startWeb } from './service.ts';

/** By path. */
const STATUS: Readonly<Record<string, number>> = { '/down': 503, '/gone': 410, '/busy': 429 };
const received: { headers: Record<string, string>; body: string }[] = [];
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    received.push({ headers: request.headers as Record<string, string>, body });
    const status = STATUS[request.url ?? ''] ?? 204;
    response.writeHead(status, status === 429 ? { 'retry-after': '3600' } : {}).end();
  });
});
await new Promise<void>((settle) => receiver.listen(0, '127.0.0.1', settle));
after(() => receiver.close());
const { port } = receiver.address() as { port: number };

const { ask, services } = await startWeb({ POSTERN_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' });
const add = (alert: ReturnType<typeof alertFixture>) =>
  putAlert(services.postgres, alert, {}, new Date(alert.observedAt));

test('alerts are listed newest first, by filter and page', async () => {
  await add(alertFixture('al_1', { openedAt: '2026-01-01T00:00:00.000Z', device: 'edge-1' }));
  await add(alertFixture('al_2', { openedAt: '2026-01-02T00:00:00.000Z', severity: 'high' }));
  await add(alertFixture('al_3', { openedAt: '2026-01-02T00:00:00.000Z', severity: 'high' }));
  const ids = async (query: string) =>
    (await ask('soc', 'GET', `/v1/alerts?${query}`)).body.items.map(({ id }: { id: string }) => id);
  assert.deepEqual(await ids(''), ['al_3', 'al_2', 'al_1']);
  assert.deepEqual(await ids('severity=high&status=open'), ['al_3', 'al_2']);
  assert.deepEqual(await ids('device=edge-1'), ['al_1']);
  assert.deepEqual(await ids('analytic=AN0000'), []);
  assert.deepEqual(await ids('since=2026-01-02T00:00:00Z'), ['al_3', 'al_2']);
  const first = (await ask('soc', 'GET', '/v1/alerts?limit=2')).body;
  assert.deepEqual(await ids(`limit=2&cursor=${first.next}`), ['al_1']);
  const bad = await ask('soc', 'GET', '/v1/alerts?severity=loud');
  assert.deepEqual([bad.status, bad.body.field], [400, 'severity']);
  assert.equal((await ask('soc', 'GET', '/v1/alerts?since=yesterday')).body.field, 'since');
});

test('an alert is read as it was stored, acknowledged and closed, each once', async () => {
  const alert = alertFixture('al_4', { openedAt: '2026-01-03T00:00:00.000Z' });
  await add(alert);
  const read = await ask('network', 'GET', '/v1/alerts/al_4');
  assert.deepEqual(read.body, { ...alert, decidedBy: null, decisionNote: null });
  const url = '/v1/alerts/al_4';
  const taken = await ask('soc', 'POST', `${url}/acknowledge`, { note: 'mine' });
  assert.deepEqual([taken.status, taken.body.status, taken.body.decisionNote], [200, 'acknowledged', 'mine']);
  assert.match(taken.body.decidedBy, /^soc key \(/);
  const twice = await ask('soc', 'POST', `${url}/acknowledge`, {});
  assert.deepEqual([twice.status, twice.body.code], [409, 'wrong-status']);
  // A later revision does not undo what people decided.
  await add({ ...alert, revision: 2, status: 'open' });
  assert.equal((await ask('soc', 'GET', url)).body.status, 'acknowledged');
  const closed = (await ask('soc', 'POST', `${url}/close`, {})).body;
  assert.deepEqual([closed.status, closed.revision], ['closed', 3]);
  assert.equal((await ask('soc', 'POST', `${url}/close`, {})).status, 409);
  // But what got worse since it was closed is open again.
  await add({ ...alert, revision: 4, severity: 'high' });
  const worse = (await ask('soc', 'GET', url)).body;
  assert.deepEqual([worse.status, worse.revision, worse.severity], ['open', 4, 'high']);
  assert.equal((await ask('soc', 'POST', '/v1/alerts/al_none/close', {})).status, 404);
});

test('an endpoint shows its secret once, and a test is signed with it', async () => {
  const made = await ask('soc', 'POST', '/v1/endpoints', {
    name: 'soc',
    url: `http://127.0.0.1:${port}/hook`,
  });
  assert.equal(made.status, 201);
  assert.match(made.body.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  const url = `/v1/endpoints/${made.body.id}`;
  const { secret, ...shown } = made.body;
  assert.deepEqual((await ask('soc', 'GET', url)).body, shown);
  assert.deepEqual((await ask('soc', 'POST', `${url}/test`)).body, { delivered: true, status: 204 });
  const { headers, body } = received.pop()!;
  assert.equal((new Webhook(secret).verify(body, headers) as { analytic: string }).analytic, 'TEST');

  const own = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const changed = await ask('soc', 'PATCH', url, {
    secret: own,
    url: `http://127.0.0.1:${port}/down`,
    enabled: false,
  });
  assert.deepEqual([changed.status, changed.body.enabled, 'secret' in changed.body], [200, false, false]);
  const failed = (await ask('soc', 'POST', `${url}/test`)).body;
  assert.deepEqual(failed, { delivered: false, status: 503, error: 'answered 503' });
  const last = received.pop()!;
  assert.ok(new Webhook(own).verify(last.body, last.headers));
});

test('endpoints that may not be reached, and names that are taken, are refused', async () => {
  const cases: [object, string][] = [
    [{ url: 'http://169.254.169.254/latest' }, 'url'],
    [{ url: 'ftp://soc.example/' }, 'url'],
    [{ url: 'https://user:word@soc.example/' }, 'url'],
    [{ format: 'fax' }, 'format'],
    [{ secret: 'short' }, 'secret'],
    [{ token: 'two words' }, 'token'],
    [{ format: 'splunk-hec' }, 'token'],
    [{ format: 'pagerduty' }, 'token'],
  ];
  for (const [more, field] of cases) {
    const { status, body } = await ask('soc', 'POST', '/v1/endpoints', {
      name: 'x',
      url: 'https://soc.example/',
      ...more,
    });
    assert.deepEqual([status, body.field], [400, field], JSON.stringify(body));
  }
  const again = await ask('soc', 'POST', '/v1/endpoints', { name: 'soc', url: 'https://soc.example/' });
  assert.deepEqual([again.status, again.body.code], [409, 'name-taken']);
});

test('deliveries are listed by state, and replayed where they are not waiting', async () => {
  await ask('soc', 'POST', '/v1/endpoints', { name: 'queue', url: 'https://soc.example/hook' });
  const alert = alertFixture('al_5');
  await add(alert);
  const [id] = await queueDeliveries(services.postgres, alert, new Date());
  const listed = (await ask('soc', 'GET', '/v1/deliveries?state=pending')).body.items;
  assert.deepEqual(
    listed.map((one: { id: string }) => one.id),
    [id],
  );
  assert.equal((await ask('soc', 'POST', `/v1/deliveries/${id}/replay`)).status, 409);
  await services.postgres
    .updateTable('deliveries')
    .set({ state: 'parked', attempt_count: 12, last_error: 'answered 500' })
    .where('id', '=', id)
    .execute();
  const parked = (await ask('soc', 'GET', '/v1/deliveries?state=parked')).body.items[0];
  assert.deepEqual([parked.id, parked.attemptCount, parked.lastError], [id, 12, 'answered 500']);
  const replayed = await ask('soc', 'POST', `/v1/deliveries/${id}/replay`);
  assert.deepEqual([replayed.status, replayed.body.state, replayed.body.attemptCount], [202, 'pending', 0]);
  assert.equal((await ask('soc', 'POST', '/v1/deliveries/none/replay')).status, 404);
  const endpoint = parked.endpointId;
  assert.equal((await ask('soc', 'DELETE', `/v1/endpoints/${endpoint}`)).status, 204);
  assert.deepEqual((await ask('soc', 'GET', '/v1/deliveries')).body.items, []);
});

async function deliveredTo(path: string) {
  const endpoint = await ask('soc', 'POST', '/v1/endpoints', {
    name: path.slice(1),
    url: `http://127.0.0.1:${port}${path}`,
  });
  const alert = alertFixture(`al_${path.slice(1)}`);
  await add(alert);
  const [deliveryId] = await queueDeliveries(services.postgres, alert, new Date());
  await deliverAlertJob.run({ deliveryId, attempt: 0 }, services, AbortSignal.timeout(30_000));
  const [delivery] = (await ask('soc', 'GET', `/v1/deliveries?alert=${alert.id}`)).body.items;
  const url = `/v1/endpoints/${endpoint.body.id}`;
  return { delivery, url, isEnabled: (await ask('soc', 'GET', url)).body.enabled as boolean };
}

test('a receiver that is gone is disabled, which the audit log tells; one that is busy is left in peace as long as it asks', async () => {
  const busy = await deliveredTo('/busy');
  const waitMs = Date.parse(busy.delivery.nextAt) - Date.now();
  assert.deepEqual([busy.delivery.state, busy.delivery.lastStatus, busy.isEnabled], ['pending', 429, true]);
  assert.ok(waitMs > 3_590_000 && waitMs <= 3_600_000, `${waitMs} ms`);
  await ask('soc', 'DELETE', busy.url);
  const gone = await deliveredTo('/gone');
  assert.deepEqual([gone.delivery.state, gone.delivery.lastStatus, gone.isEnabled], ['parked', 410, false]);
  const [entry] = (await ask('auditor', 'GET', '/v1/audit-log?action=endpoint.disable')).body.items;
  assert.deepEqual(
    [entry.actor, entry.detail.name, entry.detail.reason],
    ['postern', 'gone', 'answered 410 Gone'],
  );
  await ask('soc', 'DELETE', gone.url);
});

test('who got an alert hears that it was closed, and nobody else', async () => {
  const endpoint = async (name: string) =>
    (await ask('soc', 'POST', '/v1/endpoints', { name, url: `http://127.0.0.1:${port}/hook` })).body
      .id as string;
  const told = await endpoint('told');
  const alert = alertFixture('al_closed');
  await add(alert);
  const [first] = await queueDeliveries(services.postgres, alert, new Date());
  const late = await endpoint('late');
  await ask('soc', 'POST', '/v1/alerts/al_closed/acknowledge', {});
  await ask('soc', 'POST', '/v1/alerts/al_closed/close', { note: 'a drill' });
  const listed = (await ask('soc', 'GET', '/v1/deliveries?alert=al_closed')).body.items;
  assert.deepEqual(
    listed.map((one: { endpointId: string; alertRevision: number }) => [one.endpointId, one.alertRevision]),
    [
      [told, 2],
      [told, 1],
    ],
  );
  await deliverAlertJob.run({ deliveryId: listed[0].id, attempt: 0 }, services, AbortSignal.timeout(30_000));
  const sent = JSON.parse(received.pop()!.body);
  assert.deepEqual([sent.id, sent.revision, sent.status], ['al_closed', 2, 'closed']);
  assert.notEqual(listed[0].id, first);
  for (const id of [told, late]) await ask('soc', 'DELETE', `/v1/endpoints/${id}`);
});

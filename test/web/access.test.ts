import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastify from 'fastify';
import type { Role } from '../../src/store/postgres/schema.ts';
import { authorise } from '../../src/web/authorise.ts';
import { ALL_ROLES, startWeb } from './service.ts';

const { app, ask, services } = await startWeb();

const READERS: readonly Role[] = ['admin', 'auditor'];
const NETWORK: readonly Role[] = ['admin', 'network'];
const NETWORK_READ: readonly Role[] = [...NETWORK, 'auditor'];
const SOC: readonly Role[] = ['admin', 'soc'];
const CHANGE: readonly Role[] = ['admin', 'change'];

/** Every route under /v1 and who may use it. */
const ROUTES: readonly (readonly [method: string, path: string, roles: readonly Role[]])[] = [
  ['POST', '/v1/devices', NETWORK],
  ['GET', '/v1/devices', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/devices/{id}', [...NETWORK_READ, 'soc']],
  ['PATCH', '/v1/devices/{id}', NETWORK],
  ['DELETE', '/v1/devices/{id}', NETWORK],
  ['POST', '/v1/devices/{id}/pull', NETWORK],
  ['POST', '/v1/devices/{id}/host-key/reset', NETWORK],
  ['GET', '/v1/devices/{id}/health', [...NETWORK_READ, 'soc']],
  ['POST', '/v1/hosts', NETWORK],
  ['GET', '/v1/hosts', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/hosts/{id}', [...NETWORK_READ, 'soc']],
  ['PATCH', '/v1/hosts/{id}', NETWORK],
  ['DELETE', '/v1/hosts/{id}', NETWORK],
  ['GET', '/v1/devices/{id}/snapshots', NETWORK_READ],
  ['PUT', '/v1/devices/{id}/snapshots', [...NETWORK, 'snapshots-only']],
  ['GET', '/v1/devices/{id}/snapshots/{snapshotId}', NETWORK_READ],
  ['GET', '/v1/devices/{id}/rules', NETWORK_READ],
  ['GET', '/v1/rule-changes', ['admin', 'network', 'soc', 'change', 'auditor']],
  ['GET', '/v1/rule-changes/{id}', ['admin', 'network', 'soc', 'change', 'auditor']],
  ['POST', '/v1/rule-changes/{id}/reconciliations', CHANGE],
  ['PUT', '/v1/tickets/{system}/{number}', ['admin', 'change', 'tickets-only']],
  ['GET', '/v1/tickets', [...CHANGE, 'auditor', 'soc']],
  ['GET', '/v1/tickets/{system}/{number}', [...CHANGE, 'auditor', 'soc']],
  ['POST', '/v1/approved-forwards', CHANGE],
  ['GET', '/v1/approved-forwards', [...CHANGE, 'auditor', 'soc']],
  ['GET', '/v1/approved-forwards/{id}', [...CHANGE, 'auditor', 'soc']],
  ['DELETE', '/v1/approved-forwards/{id}', CHANGE],
  ['POST', '/v1/approved-uses', CHANGE],
  ['GET', '/v1/approved-uses', [...CHANGE, 'auditor', 'soc']],
  ['GET', '/v1/approved-uses/{id}', [...CHANGE, 'auditor', 'soc']],
  ['DELETE', '/v1/approved-uses/{id}', CHANGE],
  ['GET', '/v1/alerts', ['admin', 'network', 'soc', 'auditor']],
  ['GET', '/v1/alerts/{id}', ['admin', 'network', 'soc', 'auditor']],
  ['POST', '/v1/alerts/{id}/acknowledge', SOC],
  ['POST', '/v1/alerts/{id}/close', SOC],
  ['POST', '/v1/endpoints', SOC],
  ['GET', '/v1/endpoints', [...SOC, 'auditor']],
  ['GET', '/v1/endpoints/{id}', [...SOC, 'auditor']],
  ['PATCH', '/v1/endpoints/{id}', SOC],
  ['DELETE', '/v1/endpoints/{id}', SOC],
  ['POST', '/v1/endpoints/{id}/test', SOC],
  ['GET', '/v1/deliveries', [...SOC, 'auditor']],
  ['POST', '/v1/deliveries/{id}/replay', SOC],
  ['GET', '/v1/exporters', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/exporters/{address}', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/flows/summary', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/flows/counters', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/events', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/events/unread', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/senders', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/coverage', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/coverage/hosts', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/enrichment/sources', [...NETWORK_READ, 'soc']],
  ['GET', '/v1/enrichment/addresses/{address}', [...NETWORK_READ, 'soc']],
  ['POST', '/v1/keys', ['admin']],
  ['GET', '/v1/keys', READERS],
  ['DELETE', '/v1/keys/{id}', ['admin']],
  ['GET', '/v1/audit-log', READERS],
];

const BODIES: Readonly<Record<string, object>> = { POST: {}, PUT: {}, PATCH: {} };
const concrete = (path: string) => path.replace('{address}', '192.0.2.1').replaceAll(/\{\w+\}/g, 'none');

for (const [method, path, roles] of ROUTES) {
  test(`${method} ${path} is for ${roles.join(', ')}`, async () => {
    for (const role of ALL_ROLES) {
      const answer = await ask(role, method, concrete(path), BODIES[method]);
      if (roles.includes(role))
        assert.ok(![401, 403, 500].includes(answer.status), `${role}: ${answer.text}`);
      else assert.deepEqual([role, answer.status, answer.body.code], [role, 403, 'no-right']);
    }
    const without = await ask(null, method, concrete(path), BODIES[method]);
    assert.deepEqual(
      [without.status, without.body.code, without.headers['www-authenticate']],
      [401, 'no-key', 'Bearer realm="postern"'],
    );
  });
}

/** Method and path of every route, from the router itself: each level of its tree is four characters deeper. */
function routesOf(tree: string): string[] {
  const prefixes: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const match = /^((?:│ {3}| {4})*)[├└]── (\S*)(?: \(([^)]*)\))?/.exec(line);
    if (!match) return [];
    const depth = match[1].length / 4;
    prefixes.splice(depth);
    prefixes.push(match[2]);
    const path = prefixes.join('');
    return (match[3] ?? '').split(', ').flatMap((method) => (method ? [`${method} ${path}`] : []));
  });
}

test('the OpenAPI document is 3.1 and has every route under /v1, and so has the table above', async () => {
  const { body } = await ask(null, 'GET', '/openapi.json');
  assert.match(body.openapi, /^3\.1\./);
  const described = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const underV1 = (names: readonly string[]) => names.filter((name) => name.includes(' /v1/')).sort();
  const routed = routesOf(app.printRoutes({ commonPrefix: false }))
    .filter((name) => !name.startsWith('HEAD'))
    .map((name) => name.replaceAll(/:(\w+)/g, '{$1}'));
  assert.deepEqual(underV1(described), underV1(routed));
  assert.deepEqual(underV1(described), ROUTES.map(([method, path]) => `${method} ${path}`).sort());
  for (const methods of Object.values<Record<string, { summary?: string; responses: object }>>(body.paths))
    for (const operation of Object.values(methods)) {
      assert.ok(operation.summary);
      assert.ok('4XX' in operation.responses);
    }
});

test('pages need no key and nothing from elsewhere', async () => {
  const home = await ask(null, 'GET', '/');
  assert.match(home.text, /href="\/docs".*href="\/openapi\.json"/s);
  const docs = await ask(null, 'GET', '/docs');
  const assets = [...docs.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url);
  assert.ok(assets.length >= 5);
  for (const url of assets) {
    assert.match(url, /^\/docs\/static\//);
    assert.equal((await ask(null, 'GET', url)).status, 200, url);
  }
  const initializer = await ask(null, 'GET', '/docs/static/swagger-initializer.js');
  assert.match(initializer.text, /validatorUrl: null/);
  const paths = ['/healthz', '/readyz'];
  for (const path of paths) assert.equal((await ask(null, 'GET', path)).status, 200);
});

test('what is wrong with a request is a problem, whatever it is', async () => {
  const big = 'x'.repeat(1_048_577);
  const json = { 'content-type': 'application/json' };
  const cases: [number, string, () => ReturnType<typeof ask>][] = [
    [404, 'no-such-route', () => ask(null, 'GET', '/v2')],
    [401, 'no-key', () => ask(null, 'GET', '/v1/alerts')],
    [401, 'unknown-key', () => ask({ key: `postern_${'x'.repeat(43)}` }, 'GET', '/v1/alerts')],
    [403, 'no-right', () => ask('change', 'GET', '/v1/devices')],
    [400, 'bad-request', () => ask('admin', 'POST', '/v1/keys', { name: 'x', role: 'king' })],
    [400, 'invalid-json-body', () => ask('admin', 'POST', '/v1/keys', '{', json)],
    [413, 'body-too-large', () => ask('admin', 'POST', '/v1/keys', big, json)],
    [
      415,
      'invalid-media-type',
      () => ask('admin', 'POST', '/v1/keys', 'x', { 'content-type': 'text/plain' }),
    ],
  ];
  for (const [status, code, run] of cases) {
    const { body, type, ...answer } = await run();
    assert.deepEqual(
      [answer.status, type, body.status, body.code],
      [status, 'application/problem+json', status, code],
    );
    assert.equal(body.type, `urn:postern:problem:${code}`);
    assert.ok(body.title && body.detail);
  }
});

test('keys are made, listed without their hash, revoked at once, and one administrator stays', async () => {
  const made = await ask('admin', 'POST', '/v1/keys', { name: 'bot', role: 'tickets-only' });
  assert.equal(made.status, 201);
  const url = '/v1/tickets/jira/OPS-1';
  assert.equal((await ask(made.body, 'PUT', url, { state: 'Approved' })).status, 201);
  const listed = (await ask('auditor', 'GET', '/v1/keys')).body.items;
  assert.equal(listed.length, ALL_ROLES.length + 1);
  const shown = listed.find(({ id }: { id: string }) => id === made.body.id);
  assert.deepEqual(Object.keys(shown), ['id', 'name', 'role', 'createdAt', 'revokedAt']);
  assert.equal((await ask('admin', 'DELETE', `/v1/keys/${made.body.id}`)).status, 204);
  assert.equal((await ask(made.body, 'PUT', url, { state: 'Approved' })).status, 401);
  const admin = listed.find(({ role }: { role: string }) => role === 'admin');
  const last = await ask('admin', 'DELETE', `/v1/keys/${admin.id}`);
  assert.deepEqual([last.status, last.body.code], [409, 'last-admin']);
});

test('what changes something is in the audit log with its actor, what is refused is not', async () => {
  await ask('change', 'POST', '/v1/approved-forwards', { destinations: ['nowhere'], reason: 'x' });
  const made = await ask('change', 'POST', '/v1/approved-forwards', {
    sources: ['10.0.0.0/8'],
    destinations: ['203.0.113.50'],
    services: ['udp/443'],
    reason: 'video',
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const { id } = made.body;
  assert.deepEqual([made.status, made.body.expired], [201, false]);
  assert.equal((await ask('change', 'GET', '/v1/approved-forwards')).body.items[0].id, id);
  assert.equal((await ask('change', 'DELETE', `/v1/approved-forwards/${id}`)).status, 204);
  const { body } = await ask('auditor', 'GET', `/v1/audit-log?object=approved-forward/${id}`);
  assert.deepEqual(
    body.items.map(({ action }: { action: string }) => action),
    ['approved-forward.remove', 'approved-forward.add'],
  );
  assert.deepEqual(body.items[1].detail.destinations, ['203.0.113.50']);
  assert.match(body.items[0].actor, /^change key \([\w-]{36}\)$/);
  const first = (await ask('auditor', 'GET', '/v1/audit-log?limit=1')).body;
  const second = (await ask('auditor', 'GET', `/v1/audit-log?limit=1&cursor=${first.next}`)).body;
  assert.ok(Number(second.items[0].id) < Number(first.items[0].id));
  await assert.rejects(services.postgres.deleteFrom('audit_log').execute(), /append-only/);
});

test('forwards that are no addresses, services or future are refused', async () => {
  const good = { destinations: ['203.0.113.50'], reason: 'video' };
  const cases: [object, string][] = [
    [{ destinations: [] }, 'destinations'],
    [{ destinations: ['203.0.113.0/24', 'x'] }, 'destinations.1'],
    [{ sources: ['10.0.0.0/33'] }, 'sources.0'],
    [{ services: ['tcp/99999'] }, 'services.0'],
    [{ reason: '' }, 'reason'],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [{ expiresAt: 'tomorrow' }, 'expiresAt'],
  ];
  for (const [more, field] of cases) {
    const { status, body } = await ask('change', 'POST', '/v1/approved-forwards', { ...good, ...more });
    assert.deepEqual([status, body.field], [400, field], JSON.stringify(body));
  }
});

test('a route that declares no right, or changes something unnamed, stops the start', async () => {
  const start = (method: 'GET' | 'POST', config: object) => {
    const one = fastify();
    authorise(one);
    one.route({ method, url: '/v1/x', config, handler: async () => 'x' });
    return one.ready();
  };
  await assert.rejects(async () => start('GET', {}), { code: 'route-without-right' });
  await assert.rejects(async () => start('POST', { right: 'open' }), { code: 'route-without-audit' });
  await start('GET', { right: 'open' });
});

test('texts that the store cannot take are refused, and an empty body is an empty object', async () => {
  const json = { 'content-type': 'application/json' };
  const name = (text: string) => ask('admin', 'POST', '/v1/keys', `{"name":"${text}","role":"soc"}`, json);
  for (const text of ['a\\u0000b', '\\ud800', '\\u0000']) assert.equal((await name(text)).status, 400, text);
  assert.equal((await name('\\ud83d\\udd11 \\\\u0000')).status, 201);
  assert.equal((await ask('admin', 'GET', '/v1/tickets/jira/a%00b')).status, 400);
  const cursor = Buffer.from('["a\\u0000"]').toString('base64url');
  assert.equal((await ask('admin', 'GET', `/v1/devices?cursor=${cursor}`)).body.code, 'bad-cursor');
  assert.equal((await ask('soc', 'POST', '/v1/alerts/none/close', '', json)).status, 404);
  assert.equal((await ask('soc', 'POST', '/v1/alerts/none/close')).status, 404);
  const missing = await ask('admin', 'POST', '/v1/keys', '', json);
  assert.deepEqual([missing.status, missing.body.field], [400, 'name']);
  const polluted = await ask('admin', 'POST', '/v1/keys', '{"__proto__":{"role":"admin"},"name":"x"}', json);
  assert.equal(polluted.status, 400);
});

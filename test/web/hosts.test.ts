import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putAlert } from '../../src/store/postgres/alerts.ts';
import { allHosts, approvedUses } from '../../src/store/postgres/hosts.ts';
import { approvedUse } from '../../src/tickets/approved-uses.ts';
import { hostAlertFixture } from './alert.ts';
import { startWeb } from './service.ts';

const { ask, services } = await startWeb();
const PROBLEM = 'application/problem+json';
const web = (name: string, more: object = {}) => ({
  name,
  platform: 'linux',
  addresses: ['192.0.2.10'],
  ...more,
});

test('a host is registered, read, and is one that lines are looked for of', async () => {
  const { status, body, headers } = await ask('network', 'POST', '/v1/hosts', {
    ...web('web-1', {
      addresses: ['::ffff:192.0.2.10', '192.0.2.10', '2001:DB8::1'],
      aliases: ['web-1.lan'],
    }),
  });
  assert.equal(status, 201, JSON.stringify(body));
  assert.equal(headers.location, `/v1/hosts/${body.id}`);
  const { id, createdAt, createdBy, ...shown } = body;
  assert.deepEqual(shown, {
    name: 'web-1',
    platform: 'linux',
    addresses: ['192.0.2.10', '2001:db8::1'],
    aliases: ['web-1.lan'],
    isDeveloper: false,
    timeZone: 'UTC',
  });
  assert.match(createdBy, /^network key \(/);
  assert.ok(Date.parse(createdAt));
  assert.deepEqual((await ask('soc', 'GET', `/v1/hosts/${id}`)).body, body);
  assert.deepEqual(await allHosts(services.postgres), [{ id, ...shown }]);
});

test('what a host is registered with is checked, field by field', async () => {
  const cases: [object, string, RegExp][] = [
    [{ platform: 'plan9' }, 'platform', /linux, macos/],
    [{ platform: undefined }, 'platform', /missing/],
    [{ addresses: undefined }, 'addresses', /missing/],
    [{ addresses: ['192.0.2.1', '192.0.2.300'] }, 'addresses.1', /not an IP address/],
    [{ addresses: ['192.0.2.0/24'] }, 'addresses.0', /not an IP address/],
    [{ addresses: Array(101).fill('192.0.2.1') }, 'addresses', /100/],
    [{ aliases: ['a\nb'] }, 'aliases.0', /pattern/],
    [{ isDeveloper: 'yes' }, 'isDeveloper', /boolean/],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone', /Mars/],
    [{ name: 'x'.repeat(201) }, 'name', /200/],
    [{ vendor: 'x' }, 'vendor', /not a field/],
  ];
  for (const [more, field, detail] of cases) {
    const { status, type, body } = await ask('network', 'POST', '/v1/hosts', web('bad', more));
    assert.deepEqual([status, type, body.field], [400, PROBLEM, field], JSON.stringify(body));
    assert.match(body.detail, detail);
  }
});

test('a host is changed and removed, its name stays its own, and the audit log tells', async () => {
  await ask('network', 'POST', '/v1/hosts', web('twin-a'));
  const { id } = (await ask('network', 'POST', '/v1/hosts', web('twin-b'))).body;
  const again = await ask('network', 'POST', '/v1/hosts', web('twin-a'));
  assert.deepEqual([again.status, again.body.code, again.body.field], [409, 'name-taken', 'name']);
  const url = `/v1/hosts/${id}`;
  assert.equal((await ask('network', 'PATCH', url, { name: 'twin-a' })).body.code, 'name-taken');
  assert.equal((await ask('network', 'PATCH', url, {})).body.name, 'twin-b');
  assert.equal((await ask('network', 'PATCH', url, { addresses: ['x'] })).body.field, 'addresses.0');
  const { body } = await ask('network', 'PATCH', url, {
    isDeveloper: true,
    addresses: [],
    platform: 'macos',
  });
  assert.deepEqual(
    [body.isDeveloper, body.addresses, body.platform, body.name],
    [true, [], 'macos', 'twin-b'],
  );
  assert.equal((await ask('network', 'DELETE', url)).status, 204);
  for (const method of ['GET', 'PATCH', 'DELETE'])
    assert.equal((await ask('network', method, url, method === 'GET' ? undefined : {})).status, 404);
  const log = (await ask('auditor', 'GET', `/v1/audit-log?object=host/${id}`)).body.items;
  assert.deepEqual(
    log.map(({ action }: { action: string }) => action),
    ['host.remove', 'host.change', 'host.change', 'host.register'],
  );
  assert.deepEqual(log[1].detail.changes, { isDeveloper: true, addresses: [], platform: 'macos' });
});

test('the list goes on where a page ended', async () => {
  for (const name of ['z-1', 'z-2', 'z-3']) await ask('admin', 'POST', '/v1/hosts', web(name));
  const names: string[] = [];
  let cursor = '';
  do {
    const { body } = await ask('auditor', 'GET', `/v1/hosts?limit=2${cursor}`);
    assert.ok(body.items.length <= 2);
    names.push(...body.items.map(({ name }: { name: string }) => name));
    cursor = body.next ? `&cursor=${body.next}` : '';
  } while (cursor);
  assert.deepEqual(names, [...names].sort());
  assert.deepEqual(names.slice(-3), ['z-1', 'z-2', 'z-3']);
});

test('an approved use is added, covers what it says, is listed and taken out', async () => {
  const given = {
    hosts: ['web-1'],
    users: ['deploy'],
    tools: ['ssh'],
    destinations: ['203.0.113.0/24', 'jump.example'],
    services: ['tcp/22'],
    reason: 'the way to the hosted database',
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const made = await ask('change', 'POST', '/v1/approved-uses', given);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { id, expired, createdAt, createdBy, ...shown } = made.body;
  assert.deepEqual([shown, expired], [given, false]);
  assert.ok(Date.parse(createdAt) && createdBy.startsWith('change key ('));
  const use = {
    tool: 'ssh',
    mode: 'local-forward',
    runsShell: false,
    leadsTo: { host: '203.0.113.9', port: 22 },
  };
  const stored = await approvedUses(services.postgres);
  assert.equal(approvedUse(use, 'web-1', 'deploy', stored, Date.now())?.id, id);
  assert.equal(approvedUse(use, 'web-1', 'mallory', stored, Date.now()), undefined);
  assert.equal(approvedUse(use, 'web-1', 'deploy', stored, Date.now() + 7_200_000), undefined);
  const later = (await ask('change', 'POST', '/v1/approved-uses', { tools: ['socat'], reason: 'x' })).body;
  const first = (await ask('soc', 'GET', '/v1/approved-uses?limit=1')).body;
  const second = (await ask('soc', 'GET', `/v1/approved-uses?limit=1&cursor=${first.next}`)).body;
  assert.deepEqual([first.items[0].id, second.items[0].id, second.next], [later.id, id, undefined]);
  const url = `/v1/approved-uses/${id}`;
  assert.deepEqual((await ask('soc', 'GET', url)).body, made.body);
  assert.equal((await ask('change', 'DELETE', url)).status, 204);
  assert.equal((await ask('change', 'GET', url)).status, 404);
  const log = (await ask('auditor', 'GET', `/v1/audit-log?object=approved-use/${id}`)).body.items;
  assert.deepEqual(
    log.map(({ action }: { action: string }) => action),
    ['approved-use.remove', 'approved-use.add'],
  );
});

test('uses that approve everything, or name what is nothing, are refused', async () => {
  const cases: [object, string][] = [
    [{ tools: [] }, 'body'],
    [{ destinations: ['203.0.113.0/33'] }, 'destinations.0'],
    [{ destinations: ['jump.example', '203.0.113.300'] }, 'destinations.1'],
    [{ destinations: ['no spaces please'] }, 'destinations.0'],
    [{ services: ['tcp/99999'] }, 'services.0'],
    [{ users: ['a\u0007b'] }, 'users.0'],
    [{ hosts: [''] }, 'hosts.0'],
    [{ reason: '' }, 'reason'],
    [{ reason: undefined }, 'reason'],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [{ port: 1 }, 'port'],
  ];
  for (const [more, field] of cases) {
    const body = { tools: ['ssh'], reason: 'x', ...more };
    const answer = await ask('change', 'POST', '/v1/approved-uses', body);
    assert.deepEqual([answer.status, answer.body.field], [400, field], JSON.stringify(answer.body));
  }
});

test('alerts about a host are found by its name and id, and read as they were stored', async () => {
  const { id } = (await ask('network', 'POST', '/v1/hosts', web('db-1'))).body;
  const alert = hostAlertFixture('al_h', { host: 'db-1' });
  await putAlert(services.postgres, alert, { hostId: id }, new Date());
  await putAlert(services.postgres, hostAlertFixture('al_other', { host: 'db-2' }), {}, new Date());
  for (const host of ['db-1', id]) {
    const { items } = (await ask('soc', 'GET', `/v1/alerts?host=${host}`)).body;
    assert.deepEqual(items, [{ ...alert, decidedBy: null, decisionNote: null }]);
  }
  assert.deepEqual((await ask('soc', 'GET', '/v1/alerts?host=none')).body.items, []);
  assert.deepEqual((await ask('soc', 'GET', '/v1/alerts?device=db-1')).body.items, []);
  // What was found stays when the host goes.
  await ask('network', 'DELETE', `/v1/hosts/${id}`);
  assert.equal((await ask('soc', 'GET', '/v1/alerts?host=db-1')).body.items[0].id, 'al_h');
  assert.equal((await ask('soc', 'POST', '/v1/alerts/al_h/acknowledge', {})).body.host, 'db-1');
});

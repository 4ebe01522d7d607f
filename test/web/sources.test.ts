// configurations that do not come over SSH: a git repository of another collector, and pushes
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { pullDeviceJob } from '../../jobs/pull-device.ts';
import { repositoryAt } from '../snapshots/oxidized.ts';
import { startWeb } from './service.ts';

const { ask, services } = await startWeb({ POSTERN_REPOSITORIES: tmpdir() });
const HOUR = 3_600_000;
const YEAR_AGO = Date.now() - 365 * 24 * HOUR;

const router = (...rules: string[]) => `hostname edge1
!
interface GigabitEthernet0/0
 ip address 198.51.100.7 255.255.255.0
 ip nat outside
!
interface GigabitEthernet0/1
 ip address 10.20.0.1 255.255.255.0
 ip nat inside
!
${rules.map((rule) => `${rule}\n`).join('')}snmp-server community s3cret-words RO
!
end
`;
const RELAY = 'ip nat outside source static 203.0.113.50 10.20.0.9';
const FORWARD = 'ip nat inside source static tcp 10.20.0.22 443 198.51.100.7 8443';

let count = 0;
async function register(source: object): Promise<string> {
  const { status, body } = await ask('network', 'POST', '/v1/devices', {
    name: `edge${++count}`,
    vendor: 'cisco-ios',
    address: `192.0.2.${count}`,
    source,
  });
  assert.equal(status, 201, JSON.stringify(body));
  return body.id;
}

const read = (deviceId: string) =>
  pullDeviceJob.run({ deviceId, cause: 'request' }, services, new AbortController().signal);
const get = async (url: string) => (await ask('admin', 'GET', url)).body;
const times = async (id: string) =>
  (await get(`/v1/devices/${id}/snapshots`)).items.map((one: { beganAt: string }) => Date.parse(one.beganAt));
const watches = () => services.postgres.selectFrom('watches').selectAll().execute();

describe('a git repository', () => {
  const prepared = async (t: TestContext) => {
    const repository = repositoryAt(t);
    repository.commit('edge/edge1', router(), YEAR_AGO);
    repository.commit('edge/edge1', router(RELAY), YEAR_AGO + HOUR);
    repository.commit('edge/other', router(FORWARD), YEAR_AGO + HOUR);
    repository.commit('edge/edge1', router(RELAY, FORWARD), YEAR_AGO + 2 * HOUR);
    const id = await register({ kind: 'git', repository: repository.folder, file: 'edge/edge1' });
    return { ...repository, id };
  };

  test('every revision is a snapshot of its time; the past is recorded and alarms nobody; new ones are followed', async (t) => {
    const { id, commit } = await prepared(t);
    await read(id);
    const second = (ms: number) => Math.floor(ms / 1000) * 1000;
    assert.deepEqual(
      await times(id),
      [2, 1, 0].map((hours) => second(YEAR_AGO + hours * HOUR)),
    );
    const changes = (await get('/v1/rule-changes?limit=50')).items.filter(
      (one: { deviceId: string }) => one.deviceId === id,
    );
    assert.deepEqual(
      changes.map((one: { class: string; kind: string }) => `${one.kind} ${one.class}`).sort(),
      ['added egress-relay', 'added source-nat'],
    );
    assert.deepEqual(await watches(), []);
    const { items } = await get(`/v1/devices/${id}/snapshots`);
    const { text } = await get(`/v1/devices/${id}/snapshots/${items[0].id}`);
    assert.doesNotMatch(text, /s3cret-words/);
    // Nothing new: the same again, and the device is in good health.
    await read(id);
    assert.equal((await times(id)).length, 3);
    assert.equal((await get(`/v1/devices/${id}/health`)).lastErrorCode, null);
    commit('edge/edge1', router(FORWARD), Date.now() - 1000);
    await read(id);
    assert.equal((await times(id)).length, 4);
    commit('edge/edge1', router(RELAY, FORWARD), Date.now());
    await read(id);
    assert.equal((await watches()).length, 1, 'what newly became possible now is watched');
  });

  test('a revision that is cut short is left out, and no rule is taken for removed', async (t) => {
    const { id, commit } = await prepared(t);
    await read(id);
    commit('edge/edge1', router(RELAY).slice(0, 120), Date.now());
    await read(id);
    assert.equal((await times(id)).length, 3);
    assert.equal((await get(`/v1/devices/${id}/health`)).lastErrorCode, 'truncated');
  });

  test('what cannot be read is said, with what to do', async (t) => {
    const { folder } = await prepared(t);
    const id = await register({ kind: 'git', repository: folder, file: 'edge/edg' });
    await read(id);
    const health = await get(`/v1/devices/${id}/health`);
    assert.equal(health.lastErrorCode, 'file-missing');
    assert.match(health.lastError, /edge\/edge1/);
    for (const repository of ['/etc', 'ext::sh -c id', 'https://git.example.net/x', `${tmpdir()}/../etc`]) {
      const refused = await ask('network', 'POST', '/v1/devices', {
        name: 'bad',
        vendor: 'cisco-ios',
        address: '192.0.2.9',
        source: { kind: 'git', repository, file: 'x' },
      });
      assert.deepEqual([refused.status, refused.body.code], [400, 'repository-refused'], repository);
    }
  });

  test('another source begins anew; without one a user name is needed', async (t) => {
    const { id } = await prepared(t);
    await read(id);
    const { body } = await ask('network', 'PATCH', `/v1/devices/${id}`, { source: { kind: 'push' } });
    assert.deepEqual(body.source, { kind: 'push' });
    const pull = await ask('network', 'POST', `/v1/devices/${id}/pull`);
    assert.deepEqual([pull.status, pull.body.code], [409, 'only-pushed']);
    const nameless = await ask('network', 'POST', '/v1/devices', {
      name: 'nameless',
      vendor: 'cisco-ios',
      address: '192.0.2.10',
    });
    assert.deepEqual([nameless.status, nameless.body.code], [400, 'no-user-name']);
  });
});

describe('a push', () => {
  const put = (id: string, body: unknown, headers?: Record<string, string>, query = '') =>
    ask('snapshots-only', 'PUT', `/v1/devices/${id}/snapshots${query}`, body, headers);
  const at = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();

  test('is stored as a pull would be: redacted, compared, its changes recorded', async () => {
    const id = await register({ kind: 'push' });
    const first = await put(id, { text: router(), takenAt: at(3) });
    assert.deepEqual([first.status, first.body.outcome], [200, 'stored'], JSON.stringify(first.body));
    const same = await put(id, { text: router(), takenAt: at(2) });
    assert.deepEqual([same.body.outcome, same.body.snapshotId], ['unchanged', first.body.snapshotId]);
    const changed = await put(id, router(RELAY), { 'content-type': 'text/plain' });
    assert.deepEqual([changed.status, changed.body.outcome], [200, 'stored'], JSON.stringify(changed.body));
    const { text } = await get(`/v1/devices/${id}/snapshots/${changed.body.snapshotId}`);
    assert.doesNotMatch(text, /s3cret-words/);
    const { items } = await get(`/v1/rule-changes?device=${id}`);
    assert.equal(items[0].class, 'egress-relay');
    assert.ok(Date.parse(items[0].occurredBetween.from) >= Date.parse(at(2)) - 1000);
  });

  test('is refused where it is cut short, of another vendor, out of order or in the future', async () => {
    const id = await register({ kind: 'push' });
    await put(id, { text: router(), takenAt: at(1) });
    const refusals = [
      [{ text: router().slice(0, 100) }, 400, 'truncated'],
      [{ text: router(RELAY), takenAt: at(2) }, 409, 'older-snapshot'],
      [{ text: router(RELAY), takenAt: at(-1) }, 400, 'in-the-future'],
      [{ text: '' }, 400, 'bad-request'],
    ] as const;
    for (const [body, status, code] of refusals) {
      const answer = await put(id, body);
      assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
    }
    assert.equal((await put('none', { text: router() })).status, 404);
    assert.equal((await times(id)).length, 1);
  });
});

test('an export that has no end of its own is taken, but not one that is the last one cut short', async () => {
  const { body } = await ask('network', 'POST', '/v1/devices', {
    name: 'branch',
    vendor: 'mikrotik-routeros',
    address: '192.0.2.77',
    source: { kind: 'push' },
  });
  const header = '# 2026-11-02 03:00:00 by RouterOS 7.15\n';
  const text = `${header}/interface ethernet
set [ find default-name=ether1 ] name=wan
/ip firewall nat
add action=masquerade chain=srcnat out-interface=wan
add action=dst-nat chain=dstnat dst-port=8443 protocol=tcp to-addresses=203.0.113.50 to-ports=443
/system identity
set name=branch
`;
  const put = async (pushed: string) =>
    (await ask('snapshots-only', 'PUT', `/v1/devices/${body.id}/snapshots`, { text: pushed })).body;
  assert.equal((await put(text)).outcome, 'stored');
  const cut = text.slice(0, text.indexOf('add action=dst-nat'));
  assert.equal((await put(cut.replace('03:00:00', '04:00:00'))).code, 'truncated');
  assert.equal((await put(`${text.slice(0, -1)}\\\n`)).code, 'truncated');
  assert.equal((await put(text.replace('dst-port=8443 ', 'dst-port=9443 '))).outcome, 'stored');
});

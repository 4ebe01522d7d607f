import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { DeviceAlert } from '../../src/model/alert.ts';
import { RELAY, routerConfig, type Scenario, T0, writeScenario } from './scenario.ts';

const main = resolve(import.meta.dirname, '../../src/postern.mjs');

interface Outcome {
  readonly alerts: DeviceAlert[];
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a user does. */
async function audit(
  scenario: Scenario,
  prepare: (folder: string) => Promise<void> = async () => {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-scenario-'));
  try {
    const args = await writeScenario(folder, scenario);
    await prepare(folder);
    return await run(args);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(args: readonly string[]): Promise<Outcome> {
  return new Promise((settle) => {
    execFile(process.execPath, [main, 'audit', ...args], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const alerts = stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as DeviceAlert);
      settle({ alerts, stdout, stderr, status: error ? Number(error.code) : 0 });
    });
  });
}

const last = (alerts: readonly DeviceAlert[]) => alerts[alerts.length - 1];

test('a new relay, then a stream that few packets answer: one high alert with everything in it', async () => {
  const { alerts, status, stderr } = await audit({ returnRatio: 0.004 });
  assert.equal(status, 1, stderr);
  assert.equal(new Set(alerts.map((alert) => alert.id)).size, 1);
  const alert = last(alerts);
  assert.equal(alert.analytic, 'AN0926');
  assert.equal(alert.severity, 'high');
  assert.equal(alert.device, 'edge1');
  assert.equal(alert.change.class, 'egress-relay');
  assert.equal(alert.change.kind, 'added');
  assert.deepEqual(
    alert.change.after?.text.map((line) => line.trim()),
    [RELAY],
  );
  assert.ok(alert.change.after?.lines[0].number);
  assert.ok(
    alert.change.actors.some((actor) => actor.user === 'alice' && actor.sourceAddress === '10.99.0.9'),
  );
  assert.ok(Date.parse(alert.change.occurredBetween.to) <= T0 + 120_000);
  assert.equal(alert.change.ticket.state, 'none');
  assert.ok(
    alert.flows.returnRatio !== null && alert.flows.returnRatio < 0.05,
    String(alert.flows.returnRatio),
  );
  // Metered before translation, the exporter shows the relay's own address; the alert says where it leads.
  assert.deepEqual([alert.destinations[0].address, alert.destinations[0].category], ['203.0.113.50', 'vps']);
  assert.ok(alert.destinations[0].outPackets >= 18_000);
  assert.match(
    stderr,
    /devices 1, snapshots 3, changes 1, records \d+, lines 3, watches 1, alerts 1, seconds/,
  );
  assert.deepEqual(
    alerts.map((one) => one.revision),
    alerts.map((_, index) => index + 1),
  );
});

test('metered after translation, the destination is known as VPS', async () => {
  const { alerts } = await audit({ returnRatio: 0.004, streamTo: '203.0.113.50' });
  const alert = last(alerts);
  assert.equal(alert.severity, 'high');
  assert.deepEqual(
    [alert.destinations[0].address, alert.destinations[0].asn, alert.destinations[0].category],
    ['203.0.113.50', 64500, 'vps'],
  );
  assert.match(alert.narrative, /alice from 10\.99\.0\.9/);
});

test('the same evidence twice gives the same lines', async () => {
  const [first, second] = [await audit({ returnRatio: 0.004 }), await audit({ returnRatio: 0.004 })];
  assert.ok(first.stdout.length > 1000);
  assert.equal(first.stdout, second.stdout);
});

test('a normal two-way download over the relay stays low', async () => {
  const { alerts } = await audit({ returnRatio: 0.9 });
  assert.equal(last(alerts).severity, 'low');
});

test('an approved ticket and an approved forward make no alert', async () => {
  const { alerts, status, stderr } = await audit({
    returnRatio: 0.004,
    tickets: [
      {
        system: 'servicenow',
        number: 'CHG0031337',
        state: 'approved',
        type: 'normal',
        devices: ['edge1'],
        plannedStart: '2026-11-02T02:00:00Z',
        plannedEnd: '2026-11-02T04:00:00Z',
        implementer: 'alice',
      },
    ],
    approvedForwards: [
      {
        sources: ['10.20.0.0/24'],
        destinations: ['203.0.113.50/32'],
        services: ['udp/443'],
        reason: 'backup',
      },
    ],
  });
  assert.deepEqual([alerts.length, status], [0, 0], stderr);
});

test('no rule change, no alert; a reordered configuration is no change', async () => {
  const reordered = routerConfig().replace(/(ip nat inside source .*\n)(ip route .*\n)/, '$2$1');
  assert.notEqual(reordered, routerConfig());
  const { alerts, stderr } = await audit({ returnRatio: 0.004, after: reordered, streamTo: '198.51.100.99' });
  assert.equal(alerts.length, 0);
  assert.match(stderr, /changes 0/);
});

test('a truncated configuration is left out and said so', async () => {
  const { alerts, stderr } = await audit({ returnRatio: 0.004, after: routerConfig(RELAY).slice(0, 300) });
  assert.equal(alerts.length, 0);
  assert.match(stderr, /truncated/);
});

test('bad use and unreadable input: a line that says what, and exit status 2', async () => {
  const unknown = await run(['--sight', 'x']);
  assert.deepEqual([unknown.status, /--sight/.test(unknown.stderr)], [2, true]);
  const missing = await run(['--site', '/nowhere/site.json', '--configs', '/nowhere']);
  assert.deepEqual([missing.status, /\/nowhere\/site\.json/.test(missing.stderr)], [2, true]);
  const bad = await audit({ returnRatio: 0 }, (folder) =>
    writeFile(join(folder, 'site.json'), '{"internal":[]}'),
  );
  assert.equal(bad.status, 2);
  const badPcap = await audit({ returnRatio: 0 }, (folder) =>
    writeFile(join(folder, 'flows.pcap'), 'not a capture at all, surely'),
  );
  assert.equal(badPcap.status, 2);
});

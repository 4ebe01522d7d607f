// the whole story, run as a newcomer runs it
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { DeviceAlert } from '../../src/model/alert.ts';
import { runPostern } from '../store/temporary.ts';

/** The demo gives up by itself after 150 s; starting and stopping come on top. */
const TIMEOUT_MS = 200_000;

test('the demo ends with the high alert and leaves nothing behind', { timeout: TIMEOUT_MS }, async (t) => {
  const { code, stdout, stderr } = await runPostern(t, ['demo', '--once', '--json']);
  assert.equal(code, 0, stderr);
  const alerts: DeviceAlert[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(alerts[0].severity, 'low');
  const high = alerts[alerts.length - 1];
  assert.equal(high.severity, 'high');
  assert.equal(high.analytic, 'AN0926');
  assert.equal(high.change.class, 'egress-relay');
  assert.deepEqual(high.change.after?.text, [
    'ip nat outside source static udp 203.0.113.50 443 10.20.0.250 8443',
  ]);
  assert.ok(high.flows.returnRatio !== null && high.flows.returnRatio < 0.05);
  const { address, asn, name, category } = high.destinations[0];
  assert.deepEqual([address, asn, name, category], ['203.0.113.50', 64500, 'EXAMPLE-VPS', 'vps']);
  assert.equal(high.change.actors[0].user, 'alice');
  assert.equal(high.change.actors[0].sourceAddress, '10.99.0.9');
  const folder = /data in (\S+)\/data\)/.exec(stderr)?.[1];
  assert.ok(folder, stderr);
  assert.ok(!existsSync(folder), folder);
});

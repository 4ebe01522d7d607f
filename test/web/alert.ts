// an alert with every field, for tests
import type { DeviceAlert } from '../../src/model/alert.ts';

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

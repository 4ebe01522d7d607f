// facts and evidence for judgements, to be varied by each test
import { addressSet } from '../../src/model/addresses.ts';
import type { Opening } from '../../src/model/change.ts';
import { serviceSet } from '../../src/model/services.ts';
import { ANY_TRAFFIC } from '../../src/model/traffic.ts';
import type { ChangeFacts, Evidence, GroupEvidence, MinuteTotals, Question } from '../../src/model/watch.ts';

export const T0 = Date.parse('2026-11-02T03:00:00Z');
export const MINUTE = 60_000;

export const relay: Opening = {
  traffic: {
    ...ANY_TRAFFIC,
    sources: addressSet('10.20.0.0/24'),
    destinations: addressSet('10.20.0.1'),
    services: serviceSet('udp/8443'),
  },
  destinationTranslation: { kind: 'destination', addresses: addressSet('203.0.113.50'), ports: [443, 443] },
  ruleKeys: ['r1'],
  class: 'egress-relay',
};

export function facts(overrides: Partial<ChangeFacts> = {}): ChangeFacts {
  return {
    id: 'ch_1',
    device: 'edge1',
    class: 'egress-relay',
    change: { kind: 'added', class: 'egress-relay', ruleKey: 'r1', opens: [relay], closes: [] },
    occurredBetween: { fromMs: T0, toMs: T0 + MINUTE, basis: 'syslog' },
    actors: [],
    ticket: { state: 'none', reason: 'no matching ticket' },
    firstOfKind: true,
    unusualHour: false,
    alsoChanged: [],
    ...overrides,
  };
}

export const question: Question = {
  analytic: 'AN0926',
  device: 'edge1',
  fromMs: T0,
  untilMs: T0 + 86_400_000,
  scope: ['10.20.0.0/24'],
  destinations: ['203.0.113.50'],
  services: ['udp/443'],
  exporters: ['192.0.2.2'],
};

export function minutes(
  fromMs: number,
  count: number,
  outPackets: number,
  inPackets: number,
): MinuteTotals[] {
  return Array.from({ length: count }, (_, i) => ({
    minuteMs: fromMs + i * MINUTE,
    outPackets,
    inPackets,
    outBytes: outPackets * 800,
    inBytes: inPackets * 800,
    outFlows: 10,
  }));
}

export function group(
  outPackets: number,
  inPackets: number,
  overrides: Partial<GroupEvidence> = {},
): GroupEvidence {
  return {
    level: 'address',
    key: '203.0.113.50',
    asn: 64500,
    name: 'EXAMPLE-VPS',
    category: 'vps',
    baseline: [],
    observed: minutes(T0, 5, outPackets, inPackets),
    addressHourShare: 0,
    asnHourShare: 0,
    otherInternals: 0,
    sampledOutPackets: 5 * outPackets,
    sampledInPackets: 5 * inPackets,
    maxSamplingRate: 1,
    returnVisible: true,
    ...overrides,
  };
}

export function evidence(groups: readonly GroupEvidence[], overrides: Partial<Evidence> = {}): Evidence {
  return {
    askedAtMs: T0 + 5 * MINUTE,
    baselineFromMs: T0 - 86_400_000,
    baselineMinutes: 1440,
    baselineHours: 24,
    sameHourOfDay: false,
    groups,
    usualReturnRatio: { any: 0.8, vps: 0.7 },
    dataGaps: [],
    ...overrides,
  };
}

// relays and their look-alikes as others would record them: each device of one run is a scenario of its own
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DeviceAlert } from '../../src/model/alert.ts';
import {
  back,
  browsing,
  type Encoding,
  type Flow,
  frames,
  HOUR,
  MINUTE,
  type Outcome,
  pcap,
  pcapng,
  runAudit,
  stream,
  writeEvidence,
} from './build.ts';

/** Years before any clock that runs this: nothing may depend on today. */
const T0 = Date.parse('2023-03-02T03:00:00Z');
const DAY = 24 * HOUR;
const VPS = '203.0.113.50';
const APPROVED = '203.0.113.60';
const CONFIGURED = '%SYS-5-CONFIG_I: Configured from console by alice on vty0 (10.99.0.9)';

interface Case {
  readonly after?: string;
  readonly before?: string;
  readonly afterMs?: number;
  readonly flows: readonly Flow[];
  readonly encoding?: Encoding;
  readonly device?: object;
  readonly line?: string;
}

const cases = new Map<string, { number: number } & Case>();
const host = (n: number) => `10.${n}.0.10`;
const usual = (n: number, hours = 4, untilMs = T0 + 20 * MINUTE) =>
  browsing(host(n), '198.51.100.7', T0 - hours * HOUR, untilMs);
const spike = (n: number, to = VPS, packets = 9000, atMs = T0 + 3 * MINUTE) =>
  stream(host(n), to, atMs, 10, packets, 0.004);
const relayTo = (n: number, target: string) =>
  `ip nat outside source static udp ${target} 443 10.${n}.0.250 8443\n`;
const SOME = (n: number) => ` permit tcp 10.${n}.0.0 0.0.0.255 any eq 443\n deny ip any any\n`;
const MORE = (n: number) =>
  ` permit tcp 10.${n}.0.0 0.0.0.255 any eq 443\n permit udp any any\n deny ip any any\n`;

function router(name: string, n: number, nat = '', list?: string): string {
  return `Building configuration...

Current configuration : 1200 bytes
!
hostname ${name}
!
interface GigabitEthernet0/0
 ip address 10.${n}.0.1 255.255.255.0
 ip nat inside
${list ? ' ip access-group INSIDE in\n' : ''}!
interface GigabitEthernet0/1
 ip address 192.0.2.${n} 255.255.255.0
 ip nat outside
!
ip nat inside source list 10 interface GigabitEthernet0/1 overload
${nat}ip route 0.0.0.0 0.0.0.0 192.0.2.254
!
${list ? `ip access-list extended INSIDE\n${list}!\n` : ''}access-list 10 permit 10.${n}.0.0 0.0.0.255
!
end
`;
}

let next = 30;
function add(name: string, make: (n: number) => Case): void {
  const number = next++;
  cases.set(name, { number, ...make(number) });
}

const list = (name: string, n: number) => ({
  before: router(name, n, '', SOME(n)),
  after: router(name, n, '', MORE(n)),
});
const relay = (n: number, encoding: Encoding = {}) => ({ encoding, flows: [...usual(n), ...spike(n)] });

add('after-translation', (n) => relay(n));
add('before-translation', (n) => ({ flows: [...usual(n), ...spike(n, `10.${n}.0.250`)] }));
add('from-outside-address', (n) => ({
  flows: [...usual(n), ...stream(`192.0.2.${n}`, VPS, T0 + 3 * MINUTE, 10, 9000, 0.004)],
}));
add('hours-later', (n) => ({
  flows: [...usual(n, 4, T0 + 9 * HOUR), ...spike(n, VPS, 9000, T0 + 8 * HOUR)],
}));
add('netflow-5', (n) => relay(n, { version: 5 }));
add('ipfix', (n) => relay(n, { version: 10, port: 4739 }));
add('no-interfaces', (n) => relay(n, { withoutInterfaces: true }));
add('clock-ahead', (n) => relay(n, { clockAheadMs: 25 * MINUTE }));
add('clock-behind', (n) => relay(n, { clockAheadMs: -25 * MINUTE }));
add('permit-any', (n) => ({ ...list('permit-any', n), flows: [...usual(n), ...spike(n)] }));
add('permit-and-relay', (n) => ({
  before: router('permit-and-relay', n, '', SOME(n)),
  after: router('permit-and-relay', n, relayTo(n, VPS), MORE(n)),
  flows: [...usual(n), ...spike(n)],
}));
add('many-addresses', (n) => ({
  ...list('many-addresses', n),
  flows: [
    ...usual(n),
    ...Array.from({ length: 60 }, (_, i) =>
      stream(host(n), `203.0.113.${100 + i}`, T0 + 3 * MINUTE, 10, 150),
    ).flat(),
  ],
}));
add('policy-route', (n) => ({
  after: router('policy-route', n)
    .replace(' ip nat inside\n', ' ip nat inside\n ip policy route-map OUT\n')
    .replace(
      '!\nend',
      '!\nroute-map OUT permit 10\n match ip address 10\n set ip next-hop 203.0.113.9\n!\nend',
    ),
  flows: [...usual(n), ...spike(n)],
}));
add('months-apart', (n) => ({
  afterMs: T0 + 60 * DAY,
  flows: [...usual(n), ...spike(n)],
  line: `${new Date(T0 + MINUTE).toISOString()} 192.0.2.${n} <189>42: ${CONFIGURED}`,
}));
add('by-name', (n) => ({
  device: { addresses: undefined },
  flows: [...usual(n), ...spike(n)],
  line: `${new Date(T0 + MINUTE).toISOString()} 10.99.1.1 <189>Mar  2 03:01:00 BY-NAME.example.net 42: ${CONFIGURED}`,
}));
add('approved-for-others', (n) => ({
  after: router('approved-for-others', n, relayTo(n, APPROVED)),
  flows: [...usual(n), ...spike(n, APPROVED)],
}));
add('wrong-ports', (n) => ({ flows: [...usual(n), ...spike(n)], encoding: { port: 2056 } }));

add('approved', (n) => ({
  after: router('approved', n, relayTo(n, APPROVED)),
  flows: [...usual(n), ...spike(n, APPROVED)],
}));
add('two-way', (n) => ({ flows: [...usual(n), ...stream(host(n), VPS, T0 + 3 * MINUTE, 10, 9000, 0.9)] }));
add('every-day', (n) => ({
  flows: [
    ...usual(n, 73),
    ...[1, 2, 3].flatMap((day) => spike(n, VPS, 9000, T0 + 3 * MINUTE - day * DAY)),
    ...spike(n),
  ],
}));
add('one-sampled-packet', (n) => ({
  encoding: { sampling: 1000 },
  flows: [
    ...usual(n).map((flow) => ({ ...flow, packets: 1 })),
    ...stream(host(n), VPS, T0 + 3 * MINUTE, 4, 1),
  ],
}));
add('sampled', (n) => ({
  encoding: { sampling: 100, version: 5 },
  flows: [...usual(n), ...stream(host(n), VPS, T0 + 3 * MINUTE, 10, 90)],
}));
add('one-way-exporter', (n) => ({
  flows: [...usual(n), ...spike(n)].filter((flow) => flow.from === host(n)),
}));
add('long-flow', (n) => ({
  flows: [
    ...usual(n),
    {
      from: host(n),
      to: VPS,
      packets: 9000,
      bytes: 900_000,
      atMs: T0 + 3 * MINUTE,
      endMs: T0 + 33 * MINUTE - 1,
    },
  ],
}));
add('slow', (n) => ({ flows: [...usual(n), ...spike(n, VPS, 100)] }));
add('permit-and-browsing', (n) => ({ ...list('permit-and-browsing', n), flows: usual(n) }));
add('inbound', (n) => ({
  after: router('inbound', n, `ip nat inside source static tcp 10.${n}.0.20 443 192.0.2.${n} 8443\n`),
  flows: [...usual(n), ...browsing('198.51.100.77', `10.${n}.0.20`, T0 + 3 * MINUTE, T0 + 15 * MINUTE, 5000)],
}));
add('closing', (n) => ({
  before: router('closing', n, relayTo(n, VPS)),
  after: router('closing', n),
  flows: [...usual(n), ...spike(n)],
}));
add('no-change', (n) => ({
  after: router('no-change', n),
  flows: [...usual(n), ...spike(n, '198.51.100.99')],
}));

let folder: string;
let outcome: Outcome;
let again: Outcome;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-detections-'));
  const all = [...cases];
  const numberOf = (name: string) => cases.get(name)!.number;
  const site = {
    internal: ['10.0.0.0/8'],
    devices: all.map(([name, { number, device }]) => ({
      name,
      vendor: 'cisco-ios',
      exporters: [`192.0.2.${number}`],
      addresses: [`192.0.2.${number}`],
      ...device,
    })),
    asn: 'asn.tsv',
    categories: { AS64500: 'vps', '198.51.100.0/24': 'cdn' },
    approvedForwards: [
      {
        sources: [`10.${numberOf('approved')}.0.0/24`],
        destinations: [`${APPROVED}/32`],
        services: ['udp/443'],
      },
      { destinations: [`${APPROVED}/32`], expires: '2023-01-01T00:00:00Z' },
    ],
    flowPorts: [2055, 4739],
    notes: 'of no meaning',
  };
  const captured = all.map(([, { number, flows, encoding }]) => frames(flows, `192.0.2.${number}`, encoding));
  const args = await writeEvidence(folder, {
    site,
    configs: Object.fromEntries(
      all.map(([name, { number, ...one }]) => {
        const first = one.before ?? router(name, number);
        return [
          name,
          [
            [T0 - HOUR, first],
            [T0 - 2 * MINUTE, first],
            [one.afterMs ?? T0 + 2 * MINUTE, one.after ?? router(name, number, relayTo(number, VPS))],
          ],
        ];
      }),
    ),
    captures: [pcapng(...captured.slice(0, 9)), pcap(...captured.slice(9))],
    logs: [
      all.flatMap(([, { line }]) => line ?? []),
      ['not a recorded line', `${new Date(T0).toISOString()} cafe <1>x`],
    ],
    files: {
      'asn.tsv':
        '198.51.100.0\t198.51.100.255\t64501\tUS\tEXAMPLE-CDN\n203.0.113.0\t203.0.113.255\t64500\tDE\tEXAMPLE-VPS\n',
    },
  });
  // The same with files in another order; both at once.
  const turned = [...args];
  for (const option of ['--flows', '--syslog']) {
    const at = turned.indexOf(option) + 1;
    [turned[at], turned[at + 1]] = [turned[at + 1], turned[at]];
  }
  [outcome, again] = await Promise.all([
    runAudit([...args, '--until', '2023-05-02T00:00:00Z']),
    runAudit([...turned, '--until', '2023-03-02T03:06:00Z']),
  ]);
});
after(() => rm(folder, { recursive: true }));

const of = (name: string): DeviceAlert[] => outcome.alerts.filter((alert) => alert.device === name);
const last = (name: string): DeviceAlert => {
  const alert = of(name).at(-1);
  assert.ok(alert, `no alert of ${name}: ${outcome.stderr}`);
  return alert;
};

const CAUGHT = [
  'after-translation',
  'before-translation',
  'from-outside-address',
  'hours-later',
  'netflow-5',
  'ipfix',
  'no-interfaces',
  'clock-ahead',
  'clock-behind',
  'permit-any',
  'permit-and-relay',
  'many-addresses',
  'policy-route',
  'months-apart',
  'by-name',
  'approved-for-others',
];
for (const name of CAUGHT)
  test(`caught, once: ${name}`, () => {
    const alert = last(name);
    assert.equal(alert.severity, 'high', alert.narrative);
    assert.equal(new Set(of(name).map(({ id }) => id)).size, 1);
    assert.deepEqual(
      of(name).map(({ revision }) => revision),
      of(name).map((_, index) => index + 1),
    );
    const peakMs = Date.parse(alert.observedAt);
    const beganMs = name === 'hours-later' ? T0 + 8 * HOUR : T0 + 3 * MINUTE;
    assert.ok(peakMs >= beganMs && peakMs < beganMs + 10 * MINUTE, alert.observedAt);
    assert.ok(
      alert.destinations.some(({ asn, name: network }) => asn === 64500 && network === 'EXAMPLE-VPS'),
    );
  });

for (const name of ['approved', 'permit-and-browsing', 'inbound', 'closing', 'no-change'])
  test(`silent: ${name}`, () => assert.deepEqual(of(name), []));

for (const name of ['two-way', 'every-day', 'one-sampled-packet', 'long-flow', 'slow'])
  test(`a relay without a ticket and nothing more: ${name}`, () => assert.equal(last(name).severity, 'low'));

test('where returns are not shown, or not enough of them, nothing is high', () => {
  const oneWay = last('one-way-exporter');
  assert.equal(oneWay.severity, 'medium');
  assert.equal(oneWay.flows.returnRatio, null);
  assert.ok(oneWay.notes.some((note) => note.startsWith('return path not visible')));
  assert.equal(last('sampled').severity, 'high');
  assert.ok(last('sampled').notes.some((note) => note.includes('1:100')));
});

test('the numbers are those of the flows', () => {
  const alert = last('netflow-5');
  // Ten minutes of 9,000 packets of 800 bytes out, 36 packets back.
  assert.deepEqual(alert.destinations, [
    {
      address: VPS,
      asn: 64500,
      name: 'EXAMPLE-VPS',
      category: 'vps',
      outPackets: 90_000,
      returnPackets: 360,
      outBytes: 72_000_000,
      returnBytes: 288_000,
    },
  ]);
  assert.equal(alert.flows.returnRatio, 0.004);
  assert.deepEqual(
    [
      alert.flows.observed.minutes,
      alert.flows.observed.packetsPerMinute,
      alert.flows.baseline.packetsPerMinute,
    ],
    [10, 9000, 0],
  );
  assert.equal(alert.flows.series.length, 10);
  assert.deepEqual(alert.flows.series[0], {
    minute: '2023-03-02T03:03:00.000Z',
    outPackets: 9000,
    returnPackets: 36,
    outBytes: 7_200_000,
    returnBytes: 28_800,
  });
  assert.equal(last('sampled').destinations[0].outPackets, 10 * 90 * 100);
});

test('who and when: by lines of the device, by its name in forwarded lines, by the pulls alone', () => {
  for (const name of ['months-apart', 'by-name']) {
    const { actors, occurredBetween } = last(name).change;
    assert.deepEqual([actors[0]?.user, actors[0]?.sourceAddress], ['alice', '10.99.0.9'], name);
    assert.equal(occurredBetween.to, '2023-03-02T03:01:01.000Z');
  }
  const { occurredBetween, ticket } = last('ipfix').change;
  assert.deepEqual(
    [occurredBetween.from, occurredBetween.to, ticket.state],
    ['2023-03-02T02:58:00.000Z', '2023-03-02T03:02:00.000Z', 'none'],
  );
});

test('a stream over many addresses is told by their network', () => {
  assert.match(last('many-addresses').title, /AS64500/);
  assert.match(last('many-addresses').narrative, /EXAMPLE-VPS/);
});

test('an approval for other sources does not cover these', () => {
  assert.ok(
    last('approved-for-others').scoreReasons.some(({ reason }) => reason.startsWith('approved for 10.')),
  );
});

test('lines come in order of time, and are the same whatever the order of files', () => {
  const opened = outcome.alerts.filter(({ revision }) => revision === 1).map(({ openedAt }) => openedAt);
  assert.deepEqual(opened, [...opened].sort());
  // The other run ends earlier, at a time when all watches are asked.
  assert.ok(again.stdout.length > 10_000);
  assert.equal(again.stdout, outcome.stdout.slice(0, again.stdout.length));
  assert.equal(outcome.status, 1);
});

test('what is not understood, and exporters that are silent, are said', () => {
  assert.ok(
    last('wrong-ports').dataGaps.some((gap) => gap.startsWith('no flows from the exporters of wrong-ports')),
  );
  assert.match(outcome.stderr, /not understood and passed over: notes/);
  assert.match(outcome.stderr, /warning: 2 log lines have no time and sender in front/);
});

test('the answer to a flow turns it around', () => {
  const flow = { from: 'a', to: 'b', packets: 100, atMs: 0 };
  assert.deepEqual([back(flow, 0.5).from, back(flow, 0.5).packets], ['b', 50]);
});

// a DNAT relay appears on a real router and egress follows that few packets answer: AN0926 says so; look-alikes stay quiet
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceAlert } from '../../src/model/alert.ts';
import { createNetwork, type Network } from './network.ts';
import { createPostern } from './postern.ts';
import { run, waitFor } from './processes.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { lacking } from './requirements.ts';
import { load, office, officeReordered, relay, replaceAll } from './rulesets.ts';
import * as scenario from './scenario.ts';
import { buildSite, CDN, type Router, type RouterPlan } from './site.ts';

const skip = lacking(
  'ip',
  'nft',
  'sshd',
  'ssh',
  'ssh-keygen',
  'rsyslogd',
  'softflowd',
  'socat',
  'openssl',
  'unshare',
  'ss',
);

const BASELINE_MS = 75_000;
/** What the SOC is promised. */
const WITHIN_MS = 90_000;
/** For how long a look-alike is watched. */
const QUIET_MS = 100_000;

const router = (name: string, plan: Partial<RouterPlan> = {}): RouterPlan => ({
  name,
  version: 9,
  meter: 'wan',
  syslog: 'udp',
  login: 'password',
  rules: office,
  ...plan,
});
const ROUTERS = [
  router('relay'),
  router('relay-lan', { version: 10, meter: 'lan', syslog: 'tcp', login: 'key' }),
  router('approved'),
  router('download', { login: 'key' }),
  router('cdn', { version: 5 }),
  router('reordered', { syslog: 'tcp' }),
  router('counters'),
];

describe('AN0926 in a network of namespaces', { skip }, () => {
  let network: Network;
  let receiver: Receiver;
  let lists: Server;
  let stage: scenario.Stage;
  let passed = true;
  /** All at the same time, each on a router of its own. */
  let runs: Record<'relay' | 'relay-lan', Promise<scenario.RelayRun>> & {
    quiet: Record<'approved' | 'download' | 'cdn' | 'reordered' | 'counters', Promise<scenario.RelayRun>>;
  };

  before(async () => {
    network = await createNetwork();
    const lab = await buildSite(network, ROUTERS);
    receiver = await startReceiver(join(network.folder, 'hook.sock'));
    lists = await serveLists(join(network.folder, 'lists.sock'));
    network.daemons.start(
      'relay-lists',
      [
        'socat',
        'TCP-LISTEN:9001,bind=127.0.0.1,fork,reuseaddr',
        `UNIX-CONNECT:${join(network.folder, 'lists.sock')}`,
      ],
      { netns: lab.management },
    );
    const postern = createPostern(network, lab.management, settingsFor(network));
    await postern.start();
    await postern.api('POST', '/v1/endpoints', {
      name: 'soc',
      url: 'http://127.0.0.1:9000/hook',
      secret: receiver.secret,
      minSeverity: 'informational',
    });
    const deviceIds = new Map<string, string>();
    for (const one of lab.routers.values())
      deviceIds.set(one.plan.name, await scenario.registerDevice(postern, one));
    stage = { network, lab, postern, receiver, deviceIds };
    scenario.startTraffic(
      network,
      'internet',
      lab.internet,
      [CDN, ...[...lab.routers.values()].map(({ vps }) => vps)].map((address) => ({
        task: 'answer',
        address,
      })),
    );
    for (const one of lab.routers.values())
      scenario.startTraffic(network, `baseline-${one.plan.name}`, one.inside, scenario.baseline(one));
    const baselineEndsAt = performance.now() + BASELINE_MS;
    for (const one of lab.routers.values()) await scenario.pulledSince(stage, one.plan.name, 0);
    await sleep(baselineEndsAt - performance.now());
    assert.deepEqual(receiver.received, [], 'the baseline raises nothing');
    runs = startRuns(stage);
  });

  after(async () => {
    if (receiver?.refused.length > 0) console.error(receiver.refused.join('\n'));
    receiver?.stop();
    lists?.close();
    if (!passed) console.error(stage?.postern.log().split('\n').slice(-100).join('\n'));
    await network?.remove();
  });

  afterEach((t) => {
    passed &&= (t as TestContext).passed;
  });

  for (const name of ['relay', 'relay-lan'] as const) {
    const where = name === 'relay' ? 'metered behind NAT' : 'metered before NAT, by IPFIX';
    test(`a relay to a VPS that hardly answers: one high alert within 90 s (${where})`, async (t) => {
      const seen = await runs[name];
      t.diagnostic(`change seen after ${scenario.seconds(seen.changedAtMs, seen.pulledAtMs)}`);
      const high = await waitFor(
        `a high alert of ${name}; so far ${describeAlerts(name)}`,
        () => scenario.alertsOf(stage, name).find(({ alert }) => alert.severity === 'high'),
        seen.streamAtMs + WITHIN_MS - Date.now(),
      );
      t.diagnostic(`high ${scenario.seconds(seen.streamAtMs, high.atMs)} after the stream began`);
      t.diagnostic(scenario.describeAlert(high.alert));
      checkAlert(high.alert, stage.lab.routers.get(name)!, seen);
    });
  }

  const quiet = {
    approved: 'the same with an approved ticket and an approved forward',
    download: 'the same rule with a two-way download',
    cdn: 'a spike to a CDN without a rule change',
    reordered: 'a reordered ruleset',
    counters: 'counters that moved',
  } as const;
  for (const [name, what] of Object.entries(quiet) as [keyof typeof quiet, string][]) {
    test(`${what}: nothing above low`, async (t) => {
      t.diagnostic(await haveHappened[name](stage, stage.lab.routers.get(name)!, await runs.quiet[name]));
      const alerts = await scenario.storedAlerts(stage, name);
      t.diagnostic(alerts.map(scenario.describeAlert).join('; ') || 'no alert');
      const sent = scenario.alertsOf(stage, name).map(({ alert }) => alert);
      assert.deepEqual([...alerts, ...sent].filter(scenario.isAboveLow).map(scenario.describeAlert), []);
      // A relay without a ticket is told of as such.
      const expected = name === 'download' ? ['low'] : [];
      assert.deepEqual(
        alerts.map(({ severity }) => severity),
        expected,
      );
    });
  }

  test('one alert for each relay, revised and never repeated; every delivery was signed', async () => {
    await Promise.all(Object.values(runs.quiet));
    for (const name of ['relay', 'relay-lan']) {
      const sent = scenario.alertsOf(stage, name).map(({ alert }) => alert);
      const stored = await scenario.storedAlerts(stage, name);
      assert.deepEqual(
        stored.map(({ id }) => id),
        [...new Set(sent.map(({ id }) => id))],
      );
      const revisions = sent.map(({ revision }) => revision);
      assert.equal(new Set(revisions).size, revisions.length, `revisions ${revisions}`);
    }
    assert.deepEqual(receiver.refused, []);
  });

  test('killed in the middle of a watch and started again: the alert still comes', async (t) => {
    const router = stage.lab.routers.get('counters')!;
    const run = await openRelay(stage, router);
    await stage.postern.kill();
    const killedAtMs = Date.now();
    await stage.postern.start();
    t.diagnostic(`ready again after ${scenario.seconds(killedAtMs, Date.now())}`);
    const high = await waitFor(
      `a high alert; so far ${describeAlerts('counters')}`,
      () => scenario.alertsOf(stage, 'counters').find(({ alert }) => alert.severity === 'high'),
      killedAtMs + WITHIN_MS - Date.now(),
    );
    t.diagnostic(`high ${scenario.seconds(run.streamAtMs, high.atMs)} after the stream began`);
    t.diagnostic(scenario.describeAlert(high.alert));
    checkAlert(high.alert, router, run);
    assert.equal((await scenario.storedAlerts(stage, 'counters')).length, 1);
  });

  const describeAlerts = (device: string) =>
    scenario
      .alertsOf(stage, device)
      .map(({ alert }) => scenario.describeAlert(alert))
      .join('; ') || 'none';
});

function startRuns(stage: scenario.Stage) {
  const of = (name: string) => stage.lab.routers.get(name)!;
  const quietly = async (start: () => Promise<scenario.RelayRun>) => {
    const run = await start();
    await sleep(run.streamAtMs + QUIET_MS - Date.now());
    return run;
  };
  const runs = {
    relay: openRelay(stage, of('relay')),
    'relay-lan': openRelay(stage, of('relay-lan')),
    quiet: {
      approved: quietly(async () => {
        await approve(stage, of('approved'));
        return openRelay(stage, of('approved'));
      }),
      download: quietly(() => openRelay(stage, of('download'), 1, 2)),
      cdn: quietly(() =>
        scenario.changeAndStream(stage, of('cdn'), { tasks: scenario.streams(of('cdn'), CDN, 443, 0.005) }),
      ),
      reordered: quietly(() =>
        scenario.changeAndStream(stage, of('reordered'), { script: replaceAll(officeReordered()) }),
      ),
      counters: quietly(() =>
        scenario.changeAndStream(stage, of('counters'), { script: 'nft reset counters' }),
      ),
    },
  };
  for (const run of [runs.relay, runs['relay-lan'], ...Object.values(runs.quiet)]) run.catch(() => {});
  return runs;
}

function openRelay(stage: scenario.Stage, router: Router, answeredShare?: number, answers?: number) {
  const tasks = scenario.throughRelay(router, answeredShare, answers);
  return scenario.changeAndStream(stage, router, { script: load(relay(router)), tasks });
}

/** A change ticket for alice now, and the relay's target in the inventory. */
async function approve({ postern }: scenario.Stage, { plan, vps }: Router): Promise<void> {
  await postern.api('PUT', '/v1/tickets/servicenow/CHG0030001', {
    state: 'Implement',
    devices: [plan.name],
    plannedStart: new Date(Date.now() - 600_000).toISOString(),
    plannedEnd: new Date(Date.now() + 3_600_000).toISOString(),
    implementer: 'alice',
  });
  await postern.api('POST', '/v1/approved-forwards', {
    destinations: [vps],
    services: ['udp/443'],
    reason: 'telemetry of the laboratory',
  });
}

type Proof = (stage: scenario.Stage, router: Router, run: scenario.RelayRun) => Promise<string>;

/** Quiet means nothing where nothing happened: each proves that Postern saw what it did not cry about. */
const haveHappened: Record<'approved' | 'download' | 'cdn' | 'reordered' | 'counters', Proof> = {
  async approved(stage, router, { streamAtMs }) {
    const change = (await scenario.ruleChanges(stage, 'approved')).find(
      (one) => one.class === 'egress-relay',
    );
    assert.equal(change?.ticket.state, 'approved', JSON.stringify(change));
    assert.ok(change.approvedForward);
    const { out, back } = await scenario.packetsTo(stage, router, router.vps, streamAtMs);
    assert.ok(out > 10_000 && back < out / 20, `${out} packets out, ${back} back`);
    return `ticket ${change.ticket.state}; ${out} packets out, ${back} back`;
  },
  async download(stage, router, { streamAtMs }) {
    const changes = await scenario.ruleChanges(stage, 'download');
    assert.ok(changes.some((one) => one.class === 'egress-relay'));
    const { out, back } = await scenario.packetsTo(stage, router, router.vps, streamAtMs);
    assert.ok(out > 10_000 && back > out, `${out} packets out, ${back} back`);
    return `${out} packets out, ${back} back`;
  },
  async cdn(stage, router, { streamAtMs }) {
    const { out, back } = await scenario.packetsTo(stage, router, CDN, streamAtMs);
    assert.ok(out > 10_000 && back < out / 2, `${out} packets out, ${back} back`);
    return `${out} packets out, ${back} back`;
  },
  async reordered(stage) {
    assert.equal(await scenario.snapshotCount(stage, 'reordered'), 2, 'the new text was pulled');
    assert.deepEqual(await scenario.ruleChanges(stage, 'reordered'), []);
    return 'another text, the same effect';
  },
  async counters(stage, router) {
    const counters = await run(['nft', 'list', 'ruleset'], { netns: router.netns });
    assert.match(counters, /counter packets [1-9]\d+/);
    assert.equal(await scenario.snapshotCount(stage, 'counters'), 1);
    return 'the same text but for counters';
  },
};

function checkAlert(alert: DeviceAlert, { plan, gateway, admin, vps }: Router, run: scenario.RelayRun): void {
  assert.equal(alert.analytic, 'AN0926');
  assert.equal(alert.change.class, 'egress-relay');
  assert.ok(
    alert.change.after?.lines.some(({ text }) => text.includes('dnat') && text.includes(vps)),
    `the rule and its lines: ${JSON.stringify(alert.change.after)}`,
  );
  const opening = alert.change.opens.find(({ translation }) => translation?.addresses.includes(vps));
  assert.ok(opening?.destinations.includes(gateway), JSON.stringify(alert.change.opens));
  const { flows } = alert;
  // The first and the last minute are not whole, and a service that was killed misses some of one.
  const peak = Math.max(...flows.series.map(({ outPackets }) => outPackets));
  assert.ok(peak > 10 * flows.baseline.packetsPerMinute + 600, JSON.stringify(flows));
  assert.ok(flows.baseline.minutes >= 1, 'there is a baseline');
  assert.ok(flows.returnRatio !== null && flows.returnRatio < 0.05, `return ratio ${flows.returnRatio}`);
  const [destination] = alert.destinations;
  assert.deepEqual(
    [destination.address, destination.asn, destination.category],
    [vps, 64500, 'vps'],
    JSON.stringify(alert.destinations),
  );
  const actor = alert.change.actors.find(({ user }) => user === 'alice');
  assert.deepEqual(
    [actor?.source, actor?.sourceAddress],
    ['syslog', admin],
    JSON.stringify(alert.change.actors),
  );
  assert.ok(
    !alert.change.actors.some(({ user }) => user === 'postern'),
    "Postern's own logins are no evidence",
  );
  const { from, to } = alert.change.occurredBetween;
  assert.ok(
    Date.parse(from) <= run.changedAtMs && run.changedAtMs <= Date.parse(to) + 1000,
    `${plan.name} changed between ${from} and ${to}`,
  );
}

/** Autonomous systems of the addresses that play the Internet, in the format of IPtoASN. */
async function serveLists(socketPath: string): Promise<Server> {
  const table = [
    '198.51.100.0\t198.51.100.255\t64501\tZZ\tLAB-CDN',
    '203.0.113.0\t203.0.113.255\t64500\tZZ\tLAB-VPS',
  ];
  const server = createServer((_request, response) => response.end(`${table.join('\n')}\n`));
  await new Promise<void>((settle) => server.listen(socketPath, settle));
  return server;
}

function settingsFor(network: Network): Record<string, string> {
  const categories = join(network.folder, 'categories.json');
  writeFileSync(categories, JSON.stringify({ AS64500: 'vps', AS64501: 'cdn' }));
  const off = [
    'TOR_EXITS',
    'AWS',
    'GOOGLE_CLOUD',
    'AZURE',
    'CLOUDFLARE',
    'FASTLY',
    'ORACLE',
    'DIGITALOCEAN',
    'LINODE',
    'VULTR',
  ];
  return {
    POSTERN_IPTOASN_URL: 'http://127.0.0.1:9001/ip2asn-combined.tsv',
    ...Object.fromEntries(
      off.map((name) => [`POSTERN_${name === 'TOR_EXITS' ? name : `${name}_RANGES`}_URL`, 'off']),
    ),
    POSTERN_CATEGORIES: categories,
    POSTERN_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
  };
}

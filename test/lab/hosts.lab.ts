// real programs knock, open, flush and tunnel on hosts in namespaces, beside what only looks like it: what Postern says of each, and when
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Alert } from '../../src/model/alert.ts';
import { type Audit, auditIsUnavailable, startAudit } from './host-audit.ts';
import { booted, buildHosts, buildSurroundings, type LabHost, startMeter, startOutside } from './hosts.ts';
import { firewalls } from './hosts-firewalls.ts';
import { KNOCK_TOLERANCE_S, knocks } from './hosts-knocks.ts';
import { ALLOWED_SCRIPT, lookalikes } from './hosts-lookalikes.ts';
import { registerHosts, settingsOfHosts } from './hosts-register.ts';
import { type HostScenario, type HostStage, isAtLeast } from './hosts-scenario.ts';
import { tunnels } from './hosts-tunnels.ts';
import { createNetwork, type Network } from './network.ts';
import { createPostern } from './postern.ts';
import { run, waitFor } from './processes.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { isContinuousIntegration, lacking } from './requirements.ts';

const PROGRAMS = [
  'ip',
  'nft',
  'iptables',
  'sshd',
  'ssh',
  'sudo',
  'rsyslogd',
  'softflowd',
  'tcpdump',
  'ss',
  'unshare',
];
const PLAYERS = [
  'auditd',
  'auditctl',
  'knockd',
  'knock',
  'ufw',
  'firewalld',
  'fail2ban-server',
  'dropbear',
  'socat',
  'ncat',
];
const skip = lacking(...PROGRAMS, ...PLAYERS) || (await withoutAudit());

/** Rulesets are pulled a few times, and nothing happens. */
const BASELINE_MS = 25_000;
/** AN0407 waits a minute for what was switched off to come back. */
const WITHIN_MS = 120_000;
/** For how long a look-alike is watched. */
const QUIET_MS = 110_000;
const STAGGER_MS = 700;
const LOG_ALL = 'net.netfilter.nf_log_all_netns';

const PARAMETERS = {
  AN0843: { KnockTolerance: KNOCK_TOLERANCE_S },
  /** What was seen once is a habit: the lab has no days. */
  AN0407: { AllowedScripts: [ALLOWED_SCRIPT], HabitDays: 1 },
};

const only = process.env.LAB_HOSTS?.split(',');
const SCENARIOS = [...knocks, ...firewalls, ...tunnels, ...lookalikes].filter(
  ({ host }) => !only || only.includes(host.name),
);

interface Result {
  readonly proof: string;
  /** Of the first alert that is severe enough. */
  readonly afterMs?: number;
  /** The last revision of each alert about the host. */
  readonly alerts: readonly Alert[];
}

const describeAlert = ({ analytic, severity, score, title }: Alert) =>
  `${analytic} ${severity} (${score}) ${title}`;
const describeAlerts = (alerts: readonly Alert[]) => alerts.map(describeAlert).join('; ') || 'silent';
const expectation = ({ analytic, atLeast, atMost }: HostScenario) =>
  atLeast ? `${analytic} ${atLeast} or above` : `nothing above ${atMost}`;

describe('hosts in a network of namespaces', { skip }, () => {
  let network: Network;
  let receiver: Receiver;
  let audit: Audit | undefined;
  let stage: HostStage;
  let results: ReadonlyMap<HostScenario, Promise<Result>>;
  let loggedAllBefore = '0';

  before(async () => {
    network = await createNetwork();
    loggedAllBefore = (await run(['sysctl', '-n', LOG_ALL])).trim();
    await run(['sysctl', '-qw', `${LOG_ALL}=1`]);
    const around = await buildSurroundings(network);
    receiver = await startReceiver(join(network.folder, 'hook.sock'));
    const postern = createPostern(network, around.management, settingsOfHosts(network, PARAMETERS));
    await postern.start();
    const site = await buildHosts(
      network,
      around,
      SCENARIOS.map(({ host }) => host),
    );
    await booted(network, site);
    await startOutside(network, site);
    audit = await startAudit(network, site);
    await startMeter(network, site);
    await registerHosts(postern, site, receiver.secret);
    stage = { network, site, postern };
    const startedAtMs = performance.now();
    await Promise.all(SCENARIOS.map((scenario) => scenario.prepare?.(stage, hostOf(scenario))));
    await sleep(startedAtMs + BASELINE_MS - performance.now());
    results = new Map(SCENARIOS.map((scenario, i) => [scenario, play(scenario, i * STAGGER_MS)]));
    for (const result of results.values()) result.catch(() => {});
  });

  after(async () => {
    await printTable(results);
    await audit?.stop();
    receiver?.stop();
    if (process.env.LAB_LOG) writeFileSync(process.env.LAB_LOG, network.daemons.log('postern'));
    await network?.remove();
    await run(['sysctl', '-qw', `${LOG_ALL}=${loggedAllBefore}`]);
  });

  for (const scenario of SCENARIOS) {
    const { title, analytic, atLeast, atMost } = scenario;
    test(`${analytic}: ${title}: ${expectation(scenario)}`, async (t) => {
      const { proof, afterMs, alerts } = await results.get(scenario)!;
      t.diagnostic(proof);
      for (const alert of alerts) t.diagnostic(`${describeAlert(alert)}: ${alert.narrative}`);
      if (atLeast)
        assert.ok(afterMs !== undefined, `no ${analytic} of ${atLeast}: ${describeAlerts(alerts)}`);
      const tooSevere = alerts.filter(({ severity }) => severity !== atMost && isAtLeast(severity, atMost));
      assert.deepEqual(tooSevere.map(describeAlert), []);
    });
  }

  test('every delivery was signed, and no alert came twice in one revision', () => {
    assert.deepEqual(receiver.refused, []);
    const revisions = receiver.received.map(({ alert }) => `${alert.id} ${alert.revision}`);
    assert.equal(new Set(revisions).size, revisions.length);
  });

  const hostOf = ({ host }: HostScenario): LabHost => stage.site.hosts.get(host.name)!;

  const alertsOf = ({ host }: HostScenario) =>
    receiver.received
      .map(({ atMs, alert }) => ({ atMs, alert: alert as unknown as Alert }))
      .filter(({ alert }) => alert.host === host.name);

  async function play(scenario: HostScenario, delayMs: number): Promise<Result> {
    await sleep(delayMs);
    const startedAtMs = Date.now();
    await scenario.act(stage, hostOf(scenario));
    const actedAtMs = Date.now();
    const proof = await scenario.proof(stage, hostOf(scenario));
    const { atLeast, analytic } = scenario;
    const answer = () =>
      alertsOf(scenario).find(
        ({ atMs, alert }) =>
          atLeast && alert.analytic === analytic && isAtLeast(alert.severity, atLeast) && atMs >= startedAtMs,
      );
    if (!atLeast) await sleep(actedAtMs + QUIET_MS - Date.now());
    const first = await waitFor('an alert', answer, atLeast ? actedAtMs + WITHIN_MS - Date.now() : 0).catch(
      () => undefined,
    );
    const last = new Map(alertsOf(scenario).map(({ alert }) => [alert.id, alert]));
    return { proof, afterMs: first && first.atMs - actedAtMs, alerts: [...last.values()] };
  }
});

/** As it stands in README: what was expected, what was found, how long it took. */
async function printTable(results: ReadonlyMap<HostScenario, Promise<Result>> | undefined): Promise<void> {
  const rows = ['| scenario | expected | found | time to alert |', '|---|---|---|---|'];
  for (const [scenario, result] of results ?? []) {
    const row = await result.then(
      ({ alerts, afterMs }) => {
        const found =
          alerts.map(({ analytic, severity }) => `${analytic} ${severity}`).join(', ') || 'silent';
        return `${found} | ${afterMs === undefined ? '' : `${(Math.max(0, afterMs) / 1000).toFixed(1)} s`}`;
      },
      (error) => `${error} |`,
    );
    rows.push(`| ${scenario.title} | ${expectation(scenario)} | ${row} |`);
  }
  console.log(rows.join('\n'));
}

async function withoutAudit(): Promise<string | false> {
  const reason = await auditIsUnavailable();
  if (reason && isContinuousIntegration()) throw new Error(`the lab cannot run: ${reason}`);
  return reason;
}

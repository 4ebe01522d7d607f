// scenarios of AN0407: a host's packet filter is switched off, by each tool and by none
import assert from 'node:assert/strict';
import { FIREWALLD, IPTABLES, IPTABLES_OPEN, NFT, UFW } from './host-rulesets.ts';
import type { HostPlan, LabHost } from './hosts.ts';
import type { HostScenario, HostStage } from './hosts-scenario.ts';

const impairs = (
  title: string,
  host: HostPlan,
  act: HostScenario['act'],
  proof: (host: LabHost) => Promise<string>,
): HostScenario => ({
  ...{ title, analytic: 'AN0407', atLeast: 'medium', atMost: 'critical', host, act },
  proof: (_stage, of) => proof(of),
});

const asAlice = (script: string) => async (_stage: HostStage, host: LabHost) => {
  await host.login('alice', script);
};

const noNftRules = async (host: LabHost) => {
  assert.equal((await host.daemon('nft list ruleset')).trim(), '');
  return 'the ruleset is empty';
};

const iptablesPolicy = async (host: LabHost) => {
  const rules = await host.daemon('iptables -S');
  assert.match(rules, /^-P INPUT ACCEPT/m);
  return `iptables -S: ${rules.trim().split('\n').length} lines, INPUT accepts`;
};

/** A process that is there since boot talks netlink itself, and nothing is executed when it does. */
const NETLINK_DAEMON = `
cat >/etc/agent.py <<'SCRIPT'
import os, time
import nftables
while not os.path.exists('/run/go'):
    time.sleep(0.2)
nft = nftables.Nftables()
print(nft.cmd('flush ruleset'))
while True:
    time.sleep(60)
SCRIPT
/usr/bin/python3 /etc/agent.py &
`;

/** There is no systemd here: the unit's own ExecStop, or its SIGTERM, and the lines that systemd would write. */
export const STOP_FIREWALLD = `
logger -t systemd --id=1 -p daemon.info 'Stopping firewalld.service - firewalld - dynamic firewall daemon...'
kill "$(cat /run/firewalld-lab.pid)"
sleep 1.5
logger -t systemd --id=1 -p daemon.info 'firewalld.service: Deactivated successfully.'
logger -t systemd --id=1 -p daemon.info 'Stopped firewalld.service - firewalld - dynamic firewall daemon.'
`;

export const firewalls: readonly HostScenario[] = [
  impairs(
    'nft flush ruleset',
    { name: 'nft-flush', start: NFT, vendor: 'linux-nftables' },
    asAlice('sudo nft flush ruleset'),
    noNftRules,
  ),
  impairs(
    'iptables -F, the policy accepts',
    { name: 'iptables-flush', start: IPTABLES_OPEN, vendor: 'linux-iptables', syslog: 'tcp', audit: 'file' },
    asAlice('sudo iptables -F'),
    iptablesPolicy,
  ),
  impairs(
    'iptables -P INPUT ACCEPT; the rules stay',
    { name: 'iptables-policy', start: IPTABLES, vendor: 'linux-iptables' },
    asAlice('sudo iptables -P INPUT ACCEPT'),
    iptablesPolicy,
  ),
  impairs(
    'ufw disable',
    { name: 'ufw-disable', start: UFW, vendor: 'linux-iptables' },
    asAlice('sudo ufw disable'),
    iptablesPolicy,
  ),
  impairs(
    "firewalld stopped (SIGTERM, and systemd's lines by logger)",
    { name: 'firewalld-stop', start: FIREWALLD, vendor: 'linux-nftables', syslog: 'tcp' },
    asAlice(`sudo sh -eu <<'ROOT'\n${STOP_FIREWALLD}ROOT\n`),
    noNftRules,
  ),
  impairs(
    'a daemon flushes by netlink itself; nothing is executed',
    { name: 'netlink-flush', start: NFT + NETLINK_DAEMON, vendor: 'linux-nftables' },
    async (_stage, host) => {
      await host.daemon('touch /run/go; sleep 1');
    },
    noNftRules,
  ),
];

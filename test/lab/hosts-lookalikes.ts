// what looks like an attack on a host and is none: nothing above low
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { IPTABLES, NFT } from './host-rulesets.ts';
import type { LabHost } from './hosts.ts';
import { type HostScenario, type HostStage, knock, outside, sshTo } from './hosts-scenario.ts';
import { giveKey, sshOutside } from './hosts-tunnels.ts';
import { waitFor } from './processes.ts';

/** In AllowedScripts. */
export const ALLOWED_SCRIPT = '/etc/site-firewall/apply';
const LEARNED_SCRIPT = '/etc/convergence/run';

/** Replaces the whole ruleset by a much smaller one, as a new version of a role may. */
const applies = (script: string) => `
mkdir -p "$(dirname ${script})"
cat >${script} <<'SCRIPT'
#!/bin/sh
iptables-restore <<RULES
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -i mgmt -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp --dport \${1:-80} -j ACCEPT
COMMIT
RULES
SCRIPT
chmod 755 ${script}
`;

const quiet = (
  title: string,
  analytic: HostScenario['analytic'],
  scenario: Omit<HostScenario, 'title' | 'analytic' | 'atMost'>,
): HostScenario => ({ title, analytic, atMost: 'low', ...scenario });

const ruleCount = async (_stage: HostStage, host: LabHost) =>
  `${(await host.daemon('iptables -S')).trim().split('\n').length} lines in iptables -S`;

/** What dockerd asks of the kernel when a container with a published port starts: its own chains, a pair of interfaces, three rules. */
const CONTAINER_START = `
ip link add name docker0 type bridge
ip addr add 172.17.0.1/16 dev docker0
ip link set docker0 up
iptables --wait -t nat -N DOCKER
iptables --wait -t filter -N DOCKER
iptables --wait -t filter -N DOCKER-USER
iptables --wait -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables --wait -t nat -I POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
iptables --wait -t filter -I FORWARD -o docker0 -j DOCKER
iptables --wait -t filter -I FORWARD -j DOCKER-USER
ip link add veth1a type veth peer name veth1b
ip link set veth1a master docker0 up
iptables --wait -t nat -A POSTROUTING -p tcp -s 172.17.0.2 -d 172.17.0.2 --dport 80 -j MASQUERADE
iptables --wait -t nat -A DOCKER -p tcp -d 0/0 --dport 8080 -j DNAT --to-destination 172.17.0.2:80 ! -i docker0
iptables --wait -t filter -A DOCKER ! -i docker0 -o docker0 -p tcp -d 172.17.0.2 --dport 80 -j ACCEPT
`;

const FAIL2BAN = `
iptables -I INPUT -p tcp --dport 22 -j ACCEPT
mkdir -p /run/fail2ban
touch /var/log/auth.log
cat >/etc/fail2ban/jail.local <<'CONF'
[DEFAULT]
backend = polling
bantime = 600
findtime = 60
maxretry = 3
ignoreip = 172.31.255.0/24
allowipv6 = auto
[sshd]
enabled = true
logpath = /var/log/auth.log
CONF
fail2ban-server -xf --logtarget=SYSLOG start >/dev/null 2>&1 &
`;

const systemd = (text: string) => `logger -t systemd --id=1 -p daemon.info '${text}'\n`;

/** The units' own ExecStop and ExecStart, and what systemd would log. */
const RESTARTS = `
${systemd('Stopping nftables.service - nftables...')}nft flush ruleset
${systemd('nftables.service: Deactivated successfully.')}${systemd('Stopped nftables.service - nftables.')}${systemd(
  'Starting nftables.service - nftables...',
)}nft -f /etc/nftables.conf
${systemd('Finished nftables.service - nftables.')}kill "$(cat /run/sshd.pid)"
sleep 0.5
${systemd('Stopped ssh.service - OpenBSD Secure Shell server.')}/usr/sbin/sshd -f "$1/sshd_config"
${systemd('Started ssh.service - OpenBSD Secure Shell server.')}`;

const banned = (host: LabHost) =>
  waitFor(
    'a ban',
    async () => /^-A f2b-sshd .*REJECT.*$/m.exec(await host.daemon('iptables -S'))?.[0],
    15_000,
    1000,
  );

/** Every port once, from one source, faster than anybody knocks. */
const scan = async (stage: HostStage, host: LabHost) => {
  const ports = Array.from({ length: 100 }, (_, i) => String(20 + i));
  await knock(stage, host, ports, 20);
};

export const lookalikes: readonly HostScenario[] = [
  quiet('configuration management runs a script named in AllowedScripts', 'AN0407', {
    host: {
      name: 'managed',
      start: IPTABLES + applies(ALLOWED_SCRIPT),
      vendor: 'linux-iptables',
    },
    act: async (_stage, host) => {
      await host.login('ansible', `sudo ${ALLOWED_SCRIPT}`);
    },
    proof: ruleCount,
  }),
  quiet('configuration management ran this script before', 'AN0407', {
    host: {
      name: 'converging',
      start: IPTABLES + applies(LEARNED_SCRIPT),
      vendor: 'linux-iptables',
      syslog: 'tcp',
    },
    prepare: async (_stage, host) => {
      for (const port of [80, 81, 82, 83]) await host.login('ansible', `sudo ${LEARNED_SCRIPT} ${port}`);
    },
    act: async (_stage, host) => {
      await host.login('ansible', `sudo ${LEARNED_SCRIPT} 84`);
    },
    proof: ruleCount,
  }),
  quiet('a scan of 100 ports, and no change', 'AN0843', {
    host: { name: 'scanned', start: IPTABLES },
    act: scan,
    proof: async (_stage, host) => {
      const [, dropped] = /^\s*(\d+)\s.* LOG /m.exec(await host.daemon('iptables -vnL INPUT')) ?? [];
      assert.ok(Number(dropped) > 50, `${dropped} packets dropped`);
      return `${dropped} packets dropped`;
    },
  }),
  quiet('fail2ban bans after failed logins; an administrator logs in', 'AN0843', {
    host: { name: 'banning', start: IPTABLES + FAIL2BAN },
    act: async (stage, host) => {
      for (let i = 0; i < 4; i++)
        await outside(stage, sshTo(stage, host.address, '-l', 'guest', '-o', 'ConnectTimeout=2'));
      await banned(host);
      await host.login('alice', 'true');
    },
    proof: (_stage, host) => banned(host),
  }),
  quiet("a container starts: dockerd's own commands by a script of that name", 'AN0407', {
    host: {
      name: 'containers',
      start: `${IPTABLES}cat >/etc/dockerd <<'SCRIPT'\n#!/bin/sh -eu\n${CONTAINER_START}SCRIPT\nchmod 755 /etc/dockerd\n`,
      vendor: 'linux-iptables',
      audit: 'file',
    },
    act: async (_stage, host) => {
      await host.daemon('/etc/dockerd');
    },
    proof: ruleCount,
  }),
  quiet("an administrator's ssh -L inside an approved use", 'AN1230', {
    host: { name: 'forwarding', start: IPTABLES },
    prepare: async (stage, host) => {
      await giveKey(stage, host, 'alice');
      await stage.postern.api('POST', '/v1/approved-uses', {
        hosts: [host.plan.name],
        users: ['alice'],
        tools: ['ssh'],
        destinations: [host.outside],
        services: [],
        reason: 'the laboratory reads its meters this way',
      });
    },
    act: async (_stage, host) => {
      await host.login('alice', `${sshOutside(host, '-L 8080:127.0.0.1:80')} >/dev/null 2>&1 &\nsleep 2`);
    },
    proof: async (_stage, host) => {
      const listening = (await host.daemon('ss -Hltn sport = :8080')).trim().replace(/\s+/g, ' ');
      assert.match(listening, /8080/);
      return listening;
    },
  }),
  quiet(
    "nftables.service and ssh.service restart (their own commands, and systemd's lines by logger)",
    'AN0407',
    {
      host: { name: 'restarting', start: NFT, vendor: 'linux-nftables' },
      act: async (_stage, host) => {
        await host.daemon(`set -- '${host.folder}'\n${RESTARTS}`);
        await sleep(500);
        await host.login('alice', 'true');
      },
      proof: async (_stage, host) =>
        `${(await host.daemon('nft list ruleset')).split('\n').length} lines in the ruleset`,
    },
  ),
  quiet('a daemon that flaps, and a client that asks it again and again', 'AN0843', {
    host: { name: 'flapping', start: '' },
    act: async (stage, host) => {
      host.start(
        'flapping',
        'for i in 1 2 3 4 5 6 7 8; do echo $i >>/run/flaps; timeout 2 ncat -lk 9100 || true; sleep 2; done',
      );
      for (let i = 0; i < 20; i++) {
        await outside(stage, ['ncat', '-z', '-w', '1', host.address, '9100']);
        await sleep(1000);
      }
    },
    proof: async (_stage, host) => `started ${(await host.daemon('wc -l </run/flaps')).trim()} times`,
  }),
];

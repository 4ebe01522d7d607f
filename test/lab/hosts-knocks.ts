// scenarios of AN0843: knock, opening, connection; each part by real programs
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { IPTABLES, NFT, NFT_WITH_FRIENDS, UFW } from './host-rulesets.ts';
import { GATEWAY, type LabHost } from './hosts.ts';
import { type HostScenario, type HostStage, knock, outside, sshTo } from './hosts-scenario.ts';
import { run } from './processes.ts';

/** Given to Postern for this lab, so that slow knocks end in time. */
export const KNOCK_TOLERANCE_S = 8;
const JUST_INSIDE_MS = 6500;
const JUST_OUTSIDE_MS = 11_000;
/** knockd waits for its command, and ufw takes its time. */
const AFTER_KNOCK_MS = 2500;

const knockd = (command: string, sequence = '7000,8000,9000', timeoutSeconds = 10) => `
cat >/etc/knockd.conf <<'CONF'
[options]
  UseSyslog
[open]
  sequence = ${sequence}
  seq_timeout = ${timeoutSeconds}
  ${sequence.includes('udp') ? '' : 'tcpflags = syn'}
  command = ${command}
CONF
knockd -i $OUT -c /etc/knockd.conf &
`;

const OPEN_BY_IPTABLES = '/usr/sbin/iptables -I INPUT -s %IP% -p tcp --dport 22 -j ACCEPT';
const OPEN_BY_NFT = '/usr/sbin/nft insert rule inet filter input ip saddr %IP% tcp dport 22 accept';
const OPEN_BY_SET = '/usr/sbin/nft add element inet filter friends { %IP% timeout 300s }';
const OPEN_BY_UFW = '/usr/sbin/ufw insert 1 allow from %IP% to any port 22 proto tcp';

/** Nothing of knockd: tcpdump sees three ports in their order, and a shell acts. */
const handMade = (ports: readonly number[], deed: string) => `
cat >/etc/watch.sh <<'SCRIPT'
step=0
tcpdump -l -n -q -i "$OUT" 'tcp[tcpflags] == tcp-syn' 2>/dev/null | while read -r time family from arrow to rest; do
  port=\${to##*.}; port=\${port%:}
  case "$step.$port" in
    0.${ports[0]}) step=1 ;;
    1.${ports[1]}) step=2 ;;
    2.${ports[2]}) step=0; ${deed} ;;
  esac
done
SCRIPT
sh /etc/watch.sh &
`;

const login = async (stage: HostStage, host: LabHost, ...options: string[]) => {
  const said = await outside(stage, sshTo(stage, host.address, ...options));
  if (!/^logged in/m.test(said)) throw new Error(`no login at ${host.plan.name}: ${said}`);
};

const knockAndLogIn =
  (ports: readonly string[] = ['7000', '8000', '9000'], everyMs?: number) =>
  async (stage: HostStage, host: LabHost) => {
    const before = await outside(stage, sshTo(stage, host.address, '-o', 'ConnectTimeout=2'));
    assert.match(before, /^failed/, 'the port is closed before the knock');
    await sleep(1000);
    await knock(stage, host, ports, everyMs);
    await sleep(AFTER_KNOCK_MS);
    await login(stage, host);
  };

const loggedIn = async (_stage: HostStage, host: LabHost) => {
  const log = await host.daemon('sleep 1; grep -c "Accepted publickey" /var/log/auth.log');
  return `${log.trim()} logins in the host's own log`;
};

const knocking = (
  title: string,
  host: HostScenario['host'],
  act: HostScenario['act'],
  expected: Pick<HostScenario, 'atLeast' | 'atMost'> = { atLeast: 'high', atMost: 'critical' },
): HostScenario => ({ title, analytic: 'AN0843', ...expected, host, act, proof: loggedIn });

const NAT_ADDRESS = '203.0.113.201';
const FORWARD_ADDRESS = '203.0.113.202';

/** The client's router translates both the knock and the connection. */
function fromBehindNat(): Omit<HostScenario, 'proof'> {
  let client = '';
  return {
    title: 'from a client behind NAT',
    ...{ analytic: 'AN0843', atLeast: 'high', atMost: 'critical' },
    host: { name: 'knock-from-nat', start: IPTABLES + knockd(OPEN_BY_IPTABLES), syslog: 'tcp' },
    async prepare({ network, site: { internet } }) {
      client = await network.namespace('client');
      const nat = await network.namespace('nat');
      await network.join(
        { netns: internet, name: 'nat', addresses: ['100.64.0.1/30'] },
        { netns: nat, name: 'wan', addresses: ['100.64.0.2/30', `${NAT_ADDRESS}/32`] },
      );
      await network.join(
        { netns: nat, name: 'lan', addresses: ['192.168.7.1/24'] },
        { netns: client, name: 'eth0', addresses: ['192.168.7.2/24'] },
      );
      await run(['ip', 'route', 'add', 'default', 'via', '192.168.7.1'], { netns: client });
      await run(['ip', 'route', 'add', 'default', 'via', '100.64.0.1'], { netns: nat });
      await run(['ip', 'route', 'add', `${NAT_ADDRESS}/32`, 'via', '100.64.0.2'], { netns: internet });
      await run(['sysctl', '-qw', 'net.ipv4.ip_forward=1'], { netns: nat });
      const translate = ['-A', 'POSTROUTING', '-o', 'wan', '-j', 'SNAT', '--to-source', NAT_ADDRESS];
      await run(['iptables', '-t', 'nat', ...translate], { netns: nat });
    },
    async act(stage, host) {
      await run(['knock', '-d', '300', host.address, '7000', '8000', '9000'], { netns: client });
      await sleep(AFTER_KNOCK_MS);
      assert.match(await run(sshTo(stage, host.address), { netns: client }), /^logged in/m);
    },
  };
}

/** The host sees who knocks; ssh reaches it through the gateway's port forward, which puts the gateway's own address in front. */
function throughPortForward(): Omit<HostScenario, 'proof'> {
  const opened = '/usr/sbin/iptables -I INPUT -p tcp --dport 22 -j ACCEPT';
  return {
    title: 'NAT between the sensors: ssh through the gateway, which puts its own address in front',
    ...{ analytic: 'AN0843', atLeast: 'medium', atMost: 'critical' },
    host: { name: 'knock-between', start: IPTABLES + knockd(opened) },
    async prepare({ site: { internet } }, { address }) {
      await run(['ip', 'addr', 'add', `${FORWARD_ADDRESS}/32`, 'dev', 'lo'], { netns: internet });
      const nat = ['iptables', '-t', 'nat', '-A'];
      const ssh = ['-p', 'tcp', '--dport', '22'];
      await run([...nat, 'OUTPUT', '-d', FORWARD_ADDRESS, ...ssh, '-j', 'DNAT', '--to', address], {
        netns: internet,
      });
      await run([...nat, 'POSTROUTING', '-d', address, ...ssh, '-j', 'SNAT', '--to', GATEWAY], {
        netns: internet,
      });
    },
    async act(stage, host) {
      await knock(stage, host, ['7000', '8000', '9000']);
      await sleep(AFTER_KNOCK_MS);
      assert.match(await outside(stage, sshTo(stage, FORWARD_ADDRESS)), /^logged in/m);
    },
  };
}

/** No packet filter at all: closed ports answer with RST, and only the gateway's flows tell of them. */
function listenerAppears(): HostScenario {
  const deed = 'dropbear -r /etc/dropbear.key -p 2323';
  return {
    title: 'no firewall: the knock starts dropbear on port 2323; refusals seen in flows',
    ...{ analytic: 'AN0843', atLeast: 'high', atMost: 'critical' },
    host: {
      name: 'knock-listener',
      start: `dropbearkey -t ed25519 -f /etc/dropbear.key >/dev/null\n${handMade([4001, 4002, 4003], deed)}`,
    },
    async act(stage, host) {
      await knock(stage, host, ['4001', '4002', '4003']);
      await sleep(AFTER_KNOCK_MS);
      const banner = await outside(stage, ['ncat', '-w', '2', host.address, '2323']);
      assert.match(banner, /SSH-2\.0-dropbear/);
    },
    proof: async (_stage, host) => (await host.daemon('ss -Hltnp sport = :2323')).trim().slice(0, 80),
  };
}

export const knocks: readonly HostScenario[] = [
  knocking(
    'knockd opens ssh by iptables',
    { name: 'knockd-iptables', start: IPTABLES + knockd(OPEN_BY_IPTABLES) },
    knockAndLogIn(),
  ),
  knocking(
    'knockd opens ssh by an nft rule',
    { name: 'knockd-nft', start: NFT + knockd(OPEN_BY_NFT), syslog: 'tcp' },
    knockAndLogIn(),
  ),
  knocking(
    'knockd opens ssh by ufw',
    { name: 'knockd-ufw', start: UFW + knockd(OPEN_BY_UFW), audit: 'file' },
    knockAndLogIn(),
  ),
  knocking(
    'three ports, tcpdump and a shell script, iptables',
    {
      name: 'knock-hand',
      start: `${IPTABLES}${handMade([1111, 2222, 3333], 'iptables -I INPUT -p tcp --dport 22 -j ACCEPT')}`,
      audit: 'file',
    },
    knockAndLogIn(['1111', '2222', '3333']),
  ),
  knocking(
    'UDP knock; an element in an nft set',
    {
      name: 'knock-udp',
      start: NFT_WITH_FRIENDS + knockd(OPEN_BY_SET, '7000:udp,8000:udp,9000:udp'),
    },
    knockAndLogIn(['7000:udp', '8000:udp', '9000:udp']),
  ),
  knocking(
    `slow, ${JUST_INSIDE_MS / 1000} s between hits (KnockTolerance ${KNOCK_TOLERANCE_S} s)`,
    { name: 'knock-inside', start: IPTABLES + knockd(OPEN_BY_IPTABLES, undefined, 60) },
    knockAndLogIn(undefined, JUST_INSIDE_MS),
  ),
  knocking(
    `slower, ${JUST_OUTSIDE_MS / 1000} s between hits (KnockTolerance ${KNOCK_TOLERANCE_S} s): no sequence`,
    { name: 'knock-outside', start: IPTABLES + knockd(OPEN_BY_IPTABLES, undefined, 60) },
    knockAndLogIn(undefined, JUST_OUTSIDE_MS),
    { atMost: 'low' },
  ),
  { ...fromBehindNat(), proof: loggedIn },
  { ...throughPortForward(), proof: loggedIn },
  listenerAppears(),
];

// plans -> Linux hosts with real daemons behind a gateway that exports flows, the Internet, and a management network for Postern
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Network } from './network.ts';
import { run, waitFor } from './processes.ts';
import { startTraffic } from './scenario.ts';

export const COLLECTOR = '172.31.255.1';
/** Where administrators log in from. */
export const ADMIN = '172.31.255.2';
/** Automation logs in from here. */
export const CONTROLLER = '172.31.255.3';
export const GATEWAY = '10.50.0.1';
export const GATEWAY_MANAGEMENT = '172.31.255.254';
/** A host of the Internet that everybody talks to. */
const CDN = '192.0.2.10';
const NETFLOW_PORT = 2055;
const SYSLOG_PORT = 5514;
const BOOT_MS = 60_000;
const BOOT = fileURLToPath(new URL('./host-boot.sh', import.meta.url));

/** Names and numbers of those who log in and are not root. */
export const ACCOUNTS = ['alice:x:1001', 'ansible:x:1002'] as const;
export type Account = 'alice' | 'ansible' | 'www-data';

export interface HostPlan {
  readonly name: string;
  /** A shell script run at boot: loads the firewall, starts daemons. $OUT is the interface toward the gateway. */
  readonly start: string;
  /** As what Postern pulls its rulesets; undefined where it does not. */
  readonly vendor?: 'linux-nftables' | 'linux-iptables';
  /** What syslog goes over. */
  readonly syslog?: 'udp' | 'tcp';
  /** How audit records get into syslog: auditd's own plugin, or the log file read by rsyslog. */
  readonly audit?: 'plugin' | 'file';
}

export interface LabHost {
  readonly plan: HostPlan;
  readonly number: number;
  readonly netns: string;
  readonly folder: string;
  /** Of everything that runs on it. */
  readonly group: number;
  readonly interface: string;
  readonly address: string;
  readonly management: string;
  /** An outside address that only this host's scenario uses. */
  readonly attacker: string;
  /** Another one, that this host has no business with. */
  readonly outside: string;
  readonly pid: number;
  /** Runs a shell script as somebody who logs in by SSH over the management network. */
  login(account: 'alice' | 'ansible', script: string): Promise<string>;
  /** Runs a shell script in the host as a daemon would: nobody logged in. */
  daemon(script: string, account?: Account): Promise<string>;
  /** As daemon, and does not wait for it. */
  start(name: string, script: string, account?: Account): void;
}

export interface HostSite {
  readonly management: string;
  /** The gateway of the hosts; the addresses of the Internet are its own. */
  readonly internet: string;
  readonly key: string;
  readonly hosts: ReadonlyMap<string, LabHost>;
}

export const FIRST_GROUP = 40_000;

/** Networks without hosts: what listens for their lines comes before them. */
export async function buildSurroundings(network: Network): Promise<Surroundings> {
  const management = await network.namespace('mgmt');
  const internet = await network.namespace('net');
  await network.bridge(management, 'br0', `${COLLECTOR}/24`);
  await network.bridge(internet, 'br0', `${GATEWAY}/16`);
  for (const address of [ADMIN, CONTROLLER])
    await run(['ip', 'addr', 'add', `${address}/24`, 'dev', 'br0'], { netns: management });
  await network.join(
    { netns: internet, name: 'mgmt', addresses: [`${GATEWAY_MANAGEMENT}/24`] },
    { netns: management, name: 'gateway', bridge: 'br0' },
  );
  await run(['sysctl', '-qw', 'net.ipv4.ip_forward=1'], { netns: internet });
  const key = join(network.folder, 'key');
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', key]);
  // Kernel log lines of all namespaces are in one buffer: the names of interfaces tell which are whose, of this run and not of the last.
  return { management, internet, key, mark: randomBytes(2).toString('hex') };
}

export async function buildHosts(
  network: Network,
  around: Surroundings,
  plans: readonly HostPlan[],
): Promise<HostSite> {
  const hosts = await Promise.all(plans.map((plan, i) => buildHost(network, around, plan, i + 11)));
  return { ...around, hosts: new Map(hosts.map((host) => [host.plan.name, host])) };
}

/** The gateway exports what passes its bridge: also what a neighbour has to say, since softflowd reads blocks of several hundred packets. */
export async function startMeter(network: Network, { internet }: HostSite): Promise<void> {
  const command = ['softflowd', '-d', '-i', 'br0', '-n', `${COLLECTOR}:${NETFLOW_PORT}`, '-v', '10'];
  const files = ['-p', join(network.folder, 'softflowd.pid'), '-c', join(network.folder, 'softflowd.ctl')];
  network.daemons.start('meter', [...command, '-t', 'maxlife=5', '-t', 'expint=2', ...files], {
    netns: internet,
  });
  const neighbour = await network.namespace('neighbour');
  await network.join(
    { netns: neighbour, name: 'eth0', addresses: ['10.50.200.1/16'] },
    { netns: internet, name: 'neighbour', bridge: 'br0' },
  );
  await run(['ip', 'route', 'add', 'default', 'via', GATEWAY], { netns: neighbour });
  await run(['ip', 'addr', 'add', `${CDN}/32`, 'dev', 'lo'], { netns: internet });
  startTraffic(network, 'cdn', internet, [{ task: 'answer', address: CDN }]);
  const stream = { task: 'stream', from: '10.50.200.1', to: CDN, port: 443 } as const;
  startTraffic(network, 'neighbour', neighbour, [
    { ...stream, packetsPerSecond: 300, answeredShare: 1, answers: 1 },
  ]);
}

export interface Surroundings {
  readonly management: string;
  readonly internet: string;
  readonly key: string;
  readonly mark: string;
}

async function buildHost(
  network: Network,
  around: Surroundings,
  plan: HostPlan,
  number: number,
): Promise<LabHost> {
  const netns = await network.namespace(`h${number}`);
  const addresses = {
    interface: `w${number}x${around.mark}`,
    address: `10.50.0.${number}`,
    management: `172.31.255.${number}`,
    attacker: `203.0.113.${number}`,
    outside: `198.51.100.${number}`,
  };
  await network.join(
    { netns, name: addresses.interface, addresses: [`${addresses.address}/16`] },
    { netns: around.internet, name: `h${number}`, bridge: 'br0' },
  );
  await network.join(
    { netns, name: 'mgmt', addresses: [`${addresses.management}/24`] },
    { netns: around.management, name: `h${number}`, bridge: 'br0' },
  );
  for (const address of [addresses.attacker, addresses.outside])
    await run(['ip', 'addr', 'add', `${address}/32`, 'dev', 'lo'], { netns: around.internet });
  await run(['ip', 'route', 'add', 'default', 'via', GATEWAY], { netns });
  const folder = join(network.folder, plan.name);
  const group = FIRST_GROUP + number;
  writeFiles(folder, plan, group, addresses.interface, around.key);
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'host_key')]);
  const inGroup = ['setpriv', '--regid', String(group), '--clear-groups'];
  const boot = network.daemons.start(
    `host-${plan.name}`,
    [...inGroup, 'unshare', '-m', '-u', 'sh', BOOT, folder, plan.name, String(group)],
    { netns, env: { PATH: process.env.PATH, OUT: addresses.interface } },
  );
  const pid = boot.pid!;
  const asAccount = (account?: Account) => [
    ...['nsenter', '-t', String(pid), '-m', '-u', '-n', 'setpriv', '--regid', String(group)],
    ...['--clear-groups', ...(account ? ['--reuid', account] : []), 'sh', '-eu'],
  ];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', OUT: addresses.interface };
  return {
    ...addresses,
    ...{ plan, number, netns, folder, group, pid },
    login: (account, script) => {
      const from = account === 'alice' ? ADMIN : CONTROLLER;
      const command = [...sshCommand(folder, around.key, from), `${account}@${addresses.management}`];
      return run([...command, `OUT=${addresses.interface} sh -eu`], {
        netns: around.management,
        input: script,
      });
    },
    daemon: (script, account) => run(asAccount(account), { input: script, env, timeoutMs: 120_000 }),
    start: (name, script, account) => {
      network.daemons.start(`${plan.name}-${name}`, [...asAccount(account), '-c', script], { env });
    },
  };
}

/** Resolves when every host runs its daemons. */
export async function booted(network: Network, { hosts }: HostSite): Promise<void> {
  await Promise.all(
    [...hosts.values()].map(({ plan, netns }) =>
      waitFor(
        `the daemons of ${plan.name}`,
        async () => (await run(['ss', '-Hltn', 'sport = :22'], { netns })) !== '',
        BOOT_MS,
        500,
      ).catch((error) => {
        throw new Error(network.daemons.log(`host-${plan.name}`), { cause: error });
      }),
    ),
  );
}

function writeFiles(folder: string, plan: HostPlan, group: number, outside: string, key: string): void {
  mkdirSync(folder);
  const file = (name: string, text: string, mode = 0o644) =>
    writeFileSync(join(folder, name), text, { mode });
  // Primary groups, so that logins and sudo stay in the group of the host.
  const ours = [...ACCOUNTS, 'postern:x:0'].map((user) => `${user}:${group}::/tmp:/bin/sh\n`);
  const others = readFileSync('/etc/passwd', 'utf8').replace(
    /^(root|www-data):x:(\d+):\d+:/gm,
    `$1:x:$2:${group}:`,
  );
  file('passwd', others + ours.join(''));
  file('group', `${readFileSync('/etc/group', 'utf8')}${plan.name}:x:${group}:\n`);
  file(
    'shadow',
    ['root', 'www-data', 'alice', 'ansible', 'postern']
      .map((user) => `${user}:*:20000:0:99999:7:::\n`)
      .join(''),
    0o600,
  );
  file('sshd_config', sshdConfig(folder, `${key}.pub`));
  file('rsyslog.conf', rsyslogConfig(folder, plan, outside));
  file('start.sh', plan.start);
  file('audit.log', '');
}

const sshdConfig = (folder: string, keys: string) => `
Port 22
HostKey ${folder}/host_key
AuthorizedKeysFile ${keys}
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM yes
UseDNS no
PidFile /run/sshd.pid
LogLevel INFO
MaxStartups 100
`;

const rsyslogConfig = (folder: string, { syslog = 'udp', audit = 'plugin' }: HostPlan, outside: string) => `
global(workDirectory="/run" preserveFQDN="on" maxMessageSize="16k")
module(load="imuxsock" SysSock.RateLimit.Interval="0")
module(load="imkmsg")
${
  audit === 'file'
    ? `module(load="imfile" mode="inotify")
input(type="imfile" file="${folder}/audit.log" tag="audit:" severity="info" facility="local6" reopenOnTruncate="on")`
    : ''
}
if $inputname == "imkmsg" and not ($msg contains "=${outside} ") then stop
action(type="omfwd" target="${COLLECTOR}" port="${SYSLOG_PORT}" protocol="${syslog}"
  template="${syslog === 'tcp' ? 'RSYSLOG_SyslogProtocol23Format' : 'RSYSLOG_TraditionalForwardFormat'}"
  action.resumeRetryCount="-1" action.resumeInterval="2" queue.type="LinkedList")
if $inputname == "imkmsg" then action(type="omfile" file="/var/log/kern.log")
auth,authpriv.* action(type="omfile" file="/var/log/auth.log")
`;

const sshCommand = (folder: string, key: string, from: string) => [
  ...['ssh', '-F', '/dev/null', '-i', key, '-b', from, '-o', 'BatchMode=yes'],
  ...['-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${folder}/known_hosts`],
];

/** What is reached at the hosts' outside addresses: an sshd. And what the hosts see of each attacker is an address of its own. */
export async function startOutside(network: Network, { internet, key, hosts }: HostSite): Promise<void> {
  const folder = join(network.folder, 'outside');
  mkdirSync(folder);
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'host_key')]);
  writeFileSync(
    join(folder, 'sshd_config'),
    sshdConfig(folder, `${key}.pub`).replace('UsePAM yes', 'UsePAM no').replace('/run/sshd.pid', 'none'),
  );
  const sshd = (await run(['sh', '-c', 'command -v sshd'])).trim();
  mkdirSync('/run/sshd', { recursive: true });
  network.daemons.start('outside', [sshd, '-D', '-e', '-f', join(folder, 'sshd_config')], {
    netns: internet,
  });
  for (const { address, attacker } of hosts.values())
    await run(['ip', 'route', 'add', `${address}/32`, 'dev', 'br0', 'src', attacker], { netns: internet });
}

// a plan -> inside hosts, routers with real daemons, the Internet, and a management network that Postern stands in
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Network } from './network.ts';
import { run, waitFor } from './processes.ts';

/** Documentation ranges (RFC 5737) play the Internet. */
export const CDN = '198.51.100.10';
export const COLLECTOR = '172.31.255.1';
export const NETFLOW_PORT = 2055;
export const SYSLOG_PORT = 5514;

/** Postern's own account and the administrator; root's rights by another name, so that no sudo is needed. */
const USERS = ['postern', 'alice'] as const;
const PASSWORD = 'lab-Password-1';

export interface RouterPlan {
  readonly name: string;
  /** NetFlow version of softflowd, and where it listens. */
  readonly version: 5 | 9 | 10;
  readonly meter: 'wan' | 'lan';
  /** What syslog goes over. */
  readonly syslog: 'udp' | 'tcp';
  /** How Postern logs in. */
  readonly login: 'password' | 'key';
  /** `nft -f` of the start; `lan` and `wan` are the interfaces. */
  readonly rules: (router: Addresses) => string;
}

export interface Addresses {
  readonly gateway: string;
  readonly wan: string;
  readonly management: string;
  readonly hosts: readonly [string, string];
  readonly admin: string;
  /** A host on the Internet that nobody else talks to. */
  readonly vps: string;
}

export interface Router extends Addresses {
  readonly plan: RouterPlan;
  readonly netns: string;
  readonly inside: string;
  readonly folder: string;
  readonly credential: { readonly password: string } | { readonly privateKey: string };
  /** Runs a shell script as alice, who logs in by SSH from inside. */
  asAlice(script: string): Promise<string>;
}

export interface Lab {
  readonly management: string;
  readonly internet: string;
  readonly routers: ReadonlyMap<string, Router>;
}

export async function buildSite(network: Network, plans: readonly RouterPlan[]): Promise<Lab> {
  const management = await network.namespace('mgmt');
  const internet = await network.namespace('net');
  await network.bridge(management, 'br0', `${COLLECTOR}/24`);
  await network.bridge(internet, 'br0', '192.0.2.1/24');
  await run(['ip', 'addr', 'add', `${CDN}/32`, 'dev', 'lo'], { netns: internet });
  const key = join(network.folder, 'key');
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', key]);
  const passwordHash = (await run(['openssl', 'passwd', '-6', PASSWORD])).trim();
  const routers = await Promise.all(
    plans.map((plan, i) => buildRouter(network, { management, internet, key, passwordHash }, plan, i + 11)),
  );
  return { management, internet, routers: new Map(routers.map((router) => [router.plan.name, router])) };
}

interface Surroundings {
  readonly management: string;
  readonly internet: string;
  readonly key: string;
  readonly passwordHash: string;
}

async function buildRouter(
  network: Network,
  around: Surroundings,
  plan: RouterPlan,
  number: number,
): Promise<Router> {
  const addresses: Addresses = {
    gateway: `10.${number}.0.1`,
    wan: `192.0.2.${number}`,
    management: `172.31.255.${number}`,
    hosts: [`10.${number}.0.11`, `10.${number}.0.12`],
    admin: `10.${number}.0.21`,
    vps: `203.0.113.${number}`,
  };
  const netns = await network.namespace(`r${number}`);
  const inside = await network.namespace(`i${number}`);
  await network.join(
    { netns, name: 'lan', addresses: [`${addresses.gateway}/24`] },
    {
      netns: inside,
      name: 'eth0',
      addresses: [...addresses.hosts, addresses.admin].map((one) => `${one}/24`),
    },
  );
  await network.join(
    { netns, name: 'wan', addresses: [`${addresses.wan}/24`] },
    { netns: around.internet, name: `r${number}`, bridge: 'br0' },
  );
  await network.join(
    { netns, name: 'mgmt', addresses: [`${addresses.management}/24`] },
    { netns: around.management, name: `r${number}`, bridge: 'br0' },
  );
  await run(['ip', 'addr', 'add', `${addresses.vps}/32`, 'dev', 'lo'], { netns: around.internet });
  await run(['ip', 'route', 'add', 'default', 'via', addresses.gateway], { netns: inside });
  await run(['ip', 'route', 'add', 'default', 'via', '192.0.2.1'], { netns });
  await run(['ip', 'route', 'add', `10.${number}.0.0/24`, 'via', addresses.wan], { netns: around.internet });
  const folder = await startDaemons(network, around, plan, addresses, netns);
  return {
    ...addresses,
    plan,
    netns,
    inside,
    folder,
    credential:
      plan.login === 'password' ? { password: PASSWORD } : { privateKey: readFileSync(around.key, 'utf8') },
    asAlice: (script) =>
      run([...sshCommand(folder, around.key, addresses), 'sh', '-eu'], { netns: inside, input: script }),
  };
}

async function startDaemons(
  network: Network,
  around: Surroundings,
  plan: RouterPlan,
  addresses: Addresses,
  netns: string,
): Promise<string> {
  const folder = join(network.folder, plan.name);
  mkdirSync(folder);
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'host')]);
  writeUsers(join(folder, 'etc'), around.passwordHash);
  writeFileSync(join(folder, 'sshd_config'), sshdConfig(folder, `${around.key}.pub`));
  writeFileSync(join(folder, 'rsyslog.conf'), rsyslogConfig(folder, plan.syslog));
  writeFileSync(join(folder, 'rules.nft'), plan.rules(addresses));
  const boot = fileURLToPath(new URL('./boot-router.sh', import.meta.url));
  const collector = `${COLLECTOR}:${NETFLOW_PORT}`;
  const command = [
    'unshare',
    '-m',
    '-u',
    'sh',
    boot,
    folder,
    plan.name,
    collector,
    String(plan.version),
    plan.meter,
  ];
  network.daemons.start(`router-${plan.name}`, command, { netns });
  const isListening = async () => (await run(['ss', '-Hltn', 'sport = :22'], { netns })) !== '';
  await waitFor(`the daemons of ${plan.name}`, isListening, 15_000).catch((error) => {
    throw new Error(network.daemons.log(`router-${plan.name}`), { cause: error });
  });
  return folder;
}

function writeUsers(etc: string, passwordHash: string): void {
  mkdirSync(etc);
  const users = USERS.map((user) => `${user}:x:0:0:${user}:/tmp:/bin/sh\n`);
  const passwords = USERS.map(
    (user) => `${user}:${user === 'postern' ? passwordHash : '*'}:20000:0:99999:7:::\n`,
  );
  writeFileSync(join(etc, 'passwd'), readFileSync('/etc/passwd', 'utf8') + users.join(''));
  writeFileSync(join(etc, 'group'), readFileSync('/etc/group'));
  writeFileSync(join(etc, 'shadow'), passwords.join(''), { mode: 0o600 });
}

const sshdConfig = (folder: string, keys: string) => `
Port 22
HostKey ${folder}/host
AuthorizedKeysFile ${keys}
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PidFile none
LogLevel INFO
`;

const rsyslogConfig = (folder: string, protocol: 'udp' | 'tcp') => `
global(workDirectory="${folder}")
module(load="imuxsock")
action(type="omfwd" target="${COLLECTOR}" port="${SYSLOG_PORT}" protocol="${protocol}"
  template="${protocol === 'tcp' ? 'RSYSLOG_SyslogProtocol23Format' : 'RSYSLOG_TraditionalForwardFormat'}"
  action.resumeRetryCount="-1" queue.type="LinkedList")
`;

const sshCommand = (folder: string, key: string, { gateway, admin }: Addresses) => [
  ...['ssh', '-F', '/dev/null', '-i', key, '-b', admin],
  ...[
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=accept-new',
    '-o',
    `UserKnownHostsFile=${folder}/known_hosts`,
  ],
  `alice@${gateway}`,
];

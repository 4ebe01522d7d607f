// a seed -> days of log lines of hosts that do their work, and incidents planted among them

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const FROM = Date.UTC(2026, 9, 1);

export type Role = 'web' | 'database' | 'bastion' | 'docker' | 'kubernetes' | 'managed' | 'monitor' | 'mac';
export interface MonthHost {
  readonly name: string;
  readonly address: string;
  readonly role: Role;
}
export interface Incident {
  readonly analytic: string;
  readonly what: string;
  readonly host: MonthHost;
  readonly atMs: number;
}
/** Time of receipt and the line as received. */
export type Line = readonly [atMs: number, text: string];

/** A linear congruential generator: the same month in every run. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase();
let serial = 1;

export interface Process {
  readonly exe: string;
  readonly pid: number;
  readonly ppid?: number;
  readonly user?: string;
  /** Who logged in; nobody without it. */
  readonly login?: string;
  readonly tty?: string;
}

/** The builders of lines of one host. */
export function linesOf({ name }: MonthHost) {
  const records = (atMs: number, list: readonly string[]): Line[] => {
    const stamp = `msg=audit(${(atMs / SECOND).toFixed(3)}:${++serial})`;
    return list.map((record) => {
      const [type, ...rest] = record.split(' ');
      return [
        atMs + 50,
        `<182>${new Date(atMs).toISOString()} ${name} audispd: type=${type} ${stamp}: ${rest.join(' ')}`,
      ];
    });
  };
  const call = (number: number, { exe, pid, ppid = 1, user = 'root', login, tty = '(none)' }: Process) =>
    `SYSCALL arch=c000003e syscall=${number} success=yes exit=0 a0=1 a1=2 a2=10 items=2 ppid=${ppid} pid=${pid} auid=${login ? 1000 : 4294967295} uid=0 gid=0 euid=0 tty=${tty} ses=1 comm="${exe.split('/').at(-1)!.slice(0, 15)}" exe="${exe}" key="postern" AUID="${login ?? 'unset'}" UID="${user}" EUID="${user}"`;
  const words = (args: readonly string[]) =>
    args.map((word, i) => `a${i}=${/^[\w./=:@,-]+$/.test(word) ? `"${word}"` : hex(word)}`).join(' ');
  const socket = (address: string, port: number) =>
    `SOCKADDR saddr=0200${port.toString(16).padStart(4, '0').toUpperCase()}${address
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join('')
      .toUpperCase()}0000000000000000`;
  return {
    run: (atMs: number, command: string, process: Process): Line[] => {
      const args = command.split(' ');
      return records(atMs, [
        call(59, process),
        `EXECVE argc=${args.length} ${words(args)}`,
        `PROCTITLE proctitle=${hex(args.join('\0'))}`,
      ]);
    },
    connect: (atMs: number, process: Process, address: string, port: number): Line[] =>
      records(atMs, [call(42, process), socket(address, port)]),
    listen: (atMs: number, process: Process, port: number): Line[] =>
      records(atMs, [call(49, process), socket('0.0.0.0', port)]),
    commit: (atMs: number, operation: string, entries: number, comm: string, pid: number): Line[] =>
      records(atMs, [
        `NETFILTER_CFG table=filter:${serial} family=2 entries=${entries} op=${operation} pid=${pid} subj=unconfined comm="${comm}"`,
      ]),
    syslog: (atMs: number, program: string, text: string): Line[] => [
      [atMs + 50, `<30>${new Date(atMs).toISOString()} ${name} ${program}: ${text}`],
    ],
  };
}

export type Lines = ReturnType<typeof linesOf>;

export function drop(
  lines: Lines,
  atMs: number,
  host: MonthHost,
  source: string,
  port: number,
  protocol = 'TCP',
): Line[] {
  const flags = protocol === 'TCP' ? 'WINDOW=1024 RES=0x00 SYN URGP=0' : 'LEN=20';
  const text =
    host.role === 'mac'
      ? `Stealth Mode connection attempt to ${protocol} ${host.address}:${port} from ${source}:40000`
      : `[UFW BLOCK] IN=eth0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 SRC=${source} DST=${host.address} LEN=44 TOS=0x00 PREC=0x00 TTL=240 ID=54321 PROTO=${protocol} SPT=40000 DPT=${port} ${flags}`;
  return lines.syslog(atMs, 'kernel', text);
}

const ROLES: readonly Role[] = [
  'web',
  'web',
  'database',
  'managed',
  'docker',
  'web',
  'database',
  'monitor',
  'managed',
  'bastion',
];

export function hostsOf(count: number): MonthHost[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `host${i + 1}`,
    address: `10.20.${Math.floor(i / 250)}.${(i % 250) + 1}`,
    role: i === 3 ? 'kubernetes' : i % 25 === 24 ? 'mac' : ROLES[i % ROLES.length],
  }));
}

const SOURCES = ['198.51.100', '203.0.113', '192.0.2'];
const PROBED = [22, 23, 80, 443, 445, 1433, 3306, 3389, 5060, 5900, 6379, 8080, 8443, 9200];

/** An ordinary day. */
export function dayOf(host: MonthHost, day: number, random: (below: number) => number): Line[] {
  const lines = linesOf(host);
  const start = FROM + day * DAY;
  const some = () => start + random(DAY);
  const found: Line[] = [];
  const put = (more: readonly Line[]) => found.push(...more);
  const source = () => `${SOURCES[random(3)]}.${1 + random(250)}`;
  const pid = () => 2000 + random(60_000);
  for (let i = 0; i < 40; i++) put(drop(lines, some(), host, source(), PROBED[random(PROBED.length)]));
  if (random(3) === 0) scan(host, lines, some(), source(), put);
  if (random(7) === 0) probe(host, lines, some(), source(), random, put);
  for (let i = 0; i < 25; i++)
    put(
      lines.syslog(
        some(),
        `sshd[${pid()}]`,
        `Failed password for invalid user admin from ${source()} port ${1024 + random(60_000)} ssh2`,
      ),
    );
  for (let i = 0; i < 3; i++)
    put(
      lines.syslog(
        some(),
        `sshd[${pid()}]`,
        `Accepted publickey for alice from 10.9.0.${1 + random(5)} port ${1024 + random(60_000)} ssh2: ED25519 SHA256:x`,
      ),
    );
  for (let hour = 0; hour < 24; hour++)
    put(
      lines.syslog(
        start + hour * HOUR,
        `CRON[${pid()}]`,
        '(root) CMD (cd / && run-parts --report /etc/cron.hourly)',
      ),
    );
  for (const unit of ['logrotate', 'apt-daily', 'man-db'])
    put(lines.syslog(some(), 'systemd[1]', `Started ${unit}.service - daily work.`));
  for (let i = 0; i < 15; i++)
    put(lines.run(some(), '/usr/bin/run-parts /etc/cron.hourly', { exe: '/usr/bin/run-parts', pid: pid() }));
  put(
    lines.run(start + 2 * HOUR, `rsync -a /srv backup@10.9.0.20:/srv/${host.name}`, {
      exe: '/usr/bin/rsync',
      pid: pid(),
    }),
  );
  work[host.role]({ host, lines, start, some, pid, random, put, source });
  if (random(30) === 0) openPort(lines, some(), pid(), put);
  return found;
}

interface Work {
  readonly host: MonthHost;
  readonly lines: Lines;
  readonly start: number;
  readonly some: () => number;
  readonly pid: () => number;
  readonly random: (below: number) => number;
  readonly put: (more: readonly Line[]) => void;
  readonly source: () => string;
}

const nothing = () => {};
const work: Readonly<Record<Role, (day: Work) => void>> = {
  web: bans,
  database: nothing,
  mac: nothing,
  docker: ({ lines, some, pid, random, put }) => {
    for (let i = 0; i < 6; i++) {
      const at = some();
      const port = 8000 + random(100);
      const [up, down] = [pid(), pid()];
      const docker = (verb: string) =>
        `/usr/sbin/iptables --wait -t nat -${verb} DOCKER -p tcp -d 0/0 --dport ${port} -j DNAT --to-destination 172.17.0.2:80 ! -i docker0`;
      put(lines.run(at, docker('A'), { exe: '/usr/sbin/xtables-nft-multi', pid: up, ppid: 900 }));
      put(lines.commit(at + 5, 'nft_register_rule', 1, 'iptables', up));
      put(lines.run(at + HOUR, docker('D'), { exe: '/usr/sbin/xtables-nft-multi', pid: down, ppid: 900 }));
      put(lines.commit(at + HOUR + 5, 'nft_unregister_rule', 1, 'iptables', down));
    }
  },
  kubernetes: ({ lines, start, pid, put }) => {
    for (let at = start; at < start + DAY; at += 2 * MINUTE) {
      const own = pid();
      put(
        lines.run(at, 'iptables-restore -w 5 -W 100000 --noflush --counters', {
          exe: '/usr/sbin/xtables-nft-multi',
          pid: own,
          ppid: 1200,
        }),
      );
      put(lines.commit(at + 5, 'nft_unregister_rule', 24, 'iptables-restor', own));
    }
  },
  managed: ({ lines, start, pid, put }) => {
    for (let at = start; at < start + DAY; at += 2 * HOUR) {
      put(
        lines.run(at, '/opt/puppetlabs/bin/puppet agent -t', {
          exe: '/opt/puppetlabs/puppet/bin/ruby',
          pid: 1500,
        }),
      );
      const own = pid();
      put(
        lines.run(at + 9 * SECOND, 'nft -f /etc/nftables.conf', {
          exe: '/usr/sbin/nft',
          pid: own,
          ppid: 1500,
        }),
      );
      put(lines.commit(at + 9 * SECOND + 9, 'nft_unregister_table', 40, 'nft', own));
      put(lines.commit(at + 9 * SECOND + 9, 'nft_register_table', 40, 'nft', own));
    }
    put(lines.syslog(start + 3 * HOUR, 'systemd[1]', 'Stopped ssh.service - OpenBSD Secure Shell server.'));
    put(
      lines.syslog(
        start + 3 * HOUR + SECOND,
        'systemd[1]',
        'Started ssh.service - OpenBSD Secure Shell server.',
      ),
    );
  },
  monitor: ({ lines, start, pid, put }) => {
    for (let at = start; at < start + DAY; at += 30 * MINUTE) {
      put(
        lines.run(at, 'nc -z -w 3 10.20.0.1 443', { exe: '/usr/bin/nc.openbsd', pid: pid(), user: 'nagios' }),
      );
      put(
        lines.run(at + SECOND, 'openssl s_client -connect 10.20.0.1:443 -servername www.example.com', {
          exe: '/usr/bin/openssl',
          pid: pid(),
          user: 'nagios',
        }),
      );
    }
    put(
      lines.run(start + HOUR, 'autossh -M 0 -N -R 2222:localhost:22 tunnel@10.9.0.30', {
        exe: '/usr/bin/autossh',
        pid: pid(),
      }),
    );
  },
  bastion: ({ lines, some, pid, put }) => {
    for (let i = 0; i < 8; i++)
      put(
        lines.run(some(), 'ssh -J bastion.example.com db1.example.com', {
          exe: '/usr/bin/ssh',
          pid: pid(),
          user: 'alice',
          login: 'alice',
          tty: 'pts0',
        }),
      );
    put(
      lines.run(some(), 'ssh -L 5432:10.20.0.3:5432 10.20.0.3', {
        exe: '/usr/bin/ssh',
        pid: pid(),
        user: 'alice',
        login: 'alice',
        tty: 'pts0',
      }),
    );
  },
};

function bans({ lines, some, pid, put, source }: Work): void {
  for (let i = 0; i < 4; i++) {
    const [at, banned] = [some(), source()];
    for (const [verb, later] of [
      ['I', 0],
      ['D', 10 * MINUTE],
    ] as const) {
      const place = verb === 'I' ? ' 1' : '';
      const own = pid();
      put(
        lines.run(
          at + later,
          `iptables -w -${verb} f2b-sshd${place} -s ${banned} -j REJECT --reject-with icmp-port-unreachable`,
          { exe: '/usr/sbin/xtables-nft-multi', pid: own, ppid: 700 },
        ),
      );
      put(
        lines.commit(
          at + later + 5,
          verb === 'I' ? 'nft_register_rule' : 'nft_unregister_rule',
          1,
          'iptables',
          own,
        ),
      );
    }
  }
}

function scan(host: MonthHost, lines: Lines, at: number, source: string, put: Work['put']): void {
  for (let port = 0; port < 30; port++) put(drop(lines, at + port * 300, host, source, 20 + port * 37));
}

/** Three ports in a row, by somebody who looks for open ones. */
function probe(
  host: MonthHost,
  lines: Lines,
  at: number,
  source: string,
  random: Work['random'],
  put: Work['put'],
): void {
  for (let i = 0; i < 3; i++) put(drop(lines, at + i * SECOND, host, source, PROBED[random(PROBED.length)]));
}

/** An administrator opens a port for all, and a client connects. */
function openPort(lines: Lines, at: number, pid: number, put: Work['put']): void {
  put(
    lines.syslog(
      at - 10,
      'sudo',
      'alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/sbin/ufw allow 8080/tcp',
    ),
  );
  put(
    lines.run(at, '/usr/bin/python3 /usr/sbin/ufw allow 8080/tcp', {
      exe: '/usr/bin/python3.11',
      pid,
      login: 'alice',
      tty: 'pts0',
    }),
  );
  put(lines.commit(at + 200, 'nft_register_rule', 1, 'iptables', pid + 1));
}

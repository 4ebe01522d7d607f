// what 200 hosts and a few network devices log on an ordinary day, as it comes over the wire: lines for the benchmark

/** Shares of the whole, in hundredths: packets that firewalls log, then audit, then all of the rest. */
const SHARES: readonly (readonly [share: number, make: (line: Draw) => readonly string[]])[] = [
  [34, firewall],
  [6, audit],
  [10, sshd],
  [5, sudo],
  [12, systemd],
  [8, cron],
  [10, device],
  [15, unknown],
];
const HOSTS = 200;

interface Draw {
  readonly below: (count: number) => number;
  readonly host: string;
  /** RFC 3164 section 4.1.2. */
  readonly stamp: string;
  readonly atMs: number;
  readonly serial: number;
}

/** The same lines every time, of at least `count`, without line ends; those of one audit event follow each other. */
export function makeLines(count: number, fromMs: number): string[] {
  let state = 7;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const lines: string[] = [];
  for (let serial = 1; lines.length < count; serial++) {
    const atMs = fromMs + serial;
    let left = below(100);
    const [, make] = SHARES.find(([share]) => {
      left -= share;
      return left < 0;
    })!;
    const line = { below, host: `host-${below(HOSTS)}`, stamp: stampOf(atMs), atMs, serial };
    lines.push(...make(line));
  }
  return lines;
}

function stampOf(atMs: number): string {
  const [, , day, month] = /^(\w+), (\d+) (\w+)/.exec(new Date(atMs).toUTCString())!;
  return `${month} ${String(Number(day)).padStart(2)} ${new Date(atMs).toISOString().slice(11, 19)}`;
}

const address = ({ below }: Draw) => `${1 + below(223)}.${below(256)}.${below(256)}.${1 + below(254)}`;
const inside = ({ below }: Draw) => `10.${below(4)}.${below(256)}.${1 + below(254)}`;
const pick = <T>({ below }: Draw, list: readonly T[]): T => list[below(list.length)];

function firewall(line: Draw): string[] {
  const { below, host, stamp } = line;
  const prefix = pick(line, ['[UFW BLOCK] ', '[UFW BLOCK] ', 'nft-drop: ', '[UFW ALLOW] ', 'FINAL_REJECT: ']);
  const ports = `SPT=${1024 + below(60_000)} DPT=${pick(line, [22, 23, 80, 443, 445, 3389, 8443])}`;
  const rest = pick(line, [
    `PROTO=TCP ${ports} WINDOW=64240 RES=0x00 SYN URGP=0 `,
    `PROTO=TCP ${ports} WINDOW=1024 RES=0x00 SYN URGP=0 `,
    `PROTO=UDP ${ports} LEN=40 `,
  ]);
  return [
    `<4>${stamp} ${host} kernel: [${10_000 + below(90_000)}.${100_000 + below(899_999)}] ${prefix}IN=eth0 OUT= ` +
      `MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC=${address(line)} DST=${inside(line)} LEN=60 TOS=0x00 PREC=0x00 ` +
      `TTL=${40 + below(24)} ID=${below(65_536)} DF ${rest}`,
  ];
}

/** As audisp-syslog hands them to rsyslog: half of the events are a program that ran, of five records. */
function audit(line: Draw): string[] {
  const { below, host, stamp, atMs, serial } = line;
  const head = (type: string) =>
    `<182>${stamp} ${host} audisp-syslog[612]: node=${host} type=${type} msg=audit(${Math.floor(atMs / 1000)}.${String(atMs % 1000).padStart(3, '0')}:${serial}): `;
  const pid = 1000 + below(60_000);
  if (below(2) === 0)
    return [
      `${head('SERVICE_START')}pid=1 uid=0 auid=4294967295 ses=4294967295 subj=unconfined msg='unit=logrotate comm="systemd" exe="/usr/lib/systemd/systemd" hostname=? addr=? terminal=? res=success'`,
    ];
  const name = pick(line, ['ls', 'grep', 'id', 'ps', 'cat']);
  return [
    `${head('SYSCALL')}arch=c000003e syscall=59 success=yes exit=0 a0=55d0c8a3c2f0 a1=55d0c8a3a1b0 a2=55d0c8a3b6c0 a3=8 items=2 ppid=${pid - 9} pid=${pid} auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm="${name}" exe="/usr/bin/${name}" subj=unconfined key="exec"`,
    `${head('EXECVE')}argc=3 a0="${name}" a1="-l" a2="/var/lib/app/${below(1000)}"`,
    `${head('CWD')}cwd="/root"`,
    `${head('PATH')}item=0 name="/usr/bin/${name}" inode=${below(900_000)} dev=fd:00 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0`,
    `${head('PROCTITLE')}proctitle=${Buffer.from(`${name}\0-l\0/var/lib/app`).toString('hex').toUpperCase()}`,
  ];
}

function sshd(line: Draw): string[] {
  const { below, host, stamp } = line;
  const from = `from ${address(line)} port ${1024 + below(60_000)}`;
  const user = pick(line, ['root', 'admin', 'oracle', 'test', 'deploy']);
  const said = pick(line, [
    `Failed password for invalid user ${user} ${from} ssh2`,
    `Failed password for root ${from} ssh2`,
    `Accepted publickey for ${user} ${from} ssh2: ED25519 SHA256:cbsQ0nxLCBpJ3nPdSWVqUVWq3KpHXQy9dXXbEoZSdmQ`,
    `Connection closed by authenticating user ${user} ${from} [preauth]`,
    `pam_unix(sshd:session): session opened for user ${user}(uid=1000) by (uid=0)`,
    `Disconnected from user ${user} ${from}`,
  ]);
  return [`<38>${stamp} ${host} sshd[${1000 + below(60_000)}]: ${said}`];
}

function sudo(line: Draw): string[] {
  const { host, stamp, below } = line;
  const command = pick(line, [
    '/usr/bin/systemctl reload nginx',
    '/usr/bin/apt-get update',
    '/usr/sbin/nft list ruleset',
    '/usr/bin/tail -f /var/log/app.log',
  ]);
  return below(3) === 0
    ? [`<86>${stamp} ${host} sudo: pam_unix(sudo:session): session closed for user root`]
    : [`<85>${stamp} ${host} sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=${command}`];
}

function systemd(line: Draw): string[] {
  const { atMs, host, below } = line;
  const said = pick(line, [
    'Started logrotate.service - Rotate log files.',
    'Starting apt-daily.service - Daily apt download activities...',
    'logrotate.service: Deactivated successfully.',
    'Finished apt-daily.service - Daily apt download activities.',
    `session-${below(900)}.scope: Deactivated successfully.`,
    `Started session-${below(900)}.scope - Session ${below(900)} of User alice.`,
  ]);
  return [`<30>1 ${new Date(atMs).toISOString()} ${host} systemd 1 - - ${said}`];
}

function cron(line: Draw): string[] {
  const { host, stamp, below } = line;
  const said = pick(line, [
    '(root) CMD (   cd / && run-parts --report /etc/cron.hourly)',
    '(www-data) CMD (php /srv/app/cron.php >/dev/null 2>&1)',
    'pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)',
  ]);
  return [`<78>${stamp} ${host} CRON[${1000 + below(60_000)}]: ${said}`];
}

function device(line: Draw): string[] {
  const { below, stamp, serial } = line;
  const [from, to] = [address(line), inside(line)];
  return [
    pick(line, [
      `<166>${stamp} asa-1 : %ASA-6-302013: Built inbound TCP connection ${serial} for outside:${from}/${1024 + below(60_000)} (${from}/1024) to inside:${to}/443 (${to}/443)`,
      `<164>${stamp} asa-1 : %ASA-4-106023: Deny tcp src outside:${from}/${1024 + below(60_000)} dst inside:${to}/445 by access-group "outside_in" [0x0, 0x0]`,
      `<189>${serial}: ${stamp}.123: %LINK-3-UPDOWN: Interface GigabitEthernet0/${below(24)}, changed state to up`,
      `<190>${serial}: ${stamp}.123: %SEC-6-IPACCESSLOGP: list 101 denied tcp ${from}(${1024 + below(60_000)}) -> ${to}(23), 1 packet`,
    ]),
  ];
}

function unknown(line: Draw): string[] {
  const { below, host, stamp, atMs } = line;
  const from = address(line);
  return [
    pick(line, [
      `<190>${stamp} ${host} nginx: ${from} - - "GET /api/v1/items/${below(9999)} HTTP/1.1" 200 ${below(50_000)} "-" "Mozilla/5.0 (X11; Linux x86_64)"`,
      `<30>${stamp} ${host} dhclient[${below(60_000)}]: DHCPACK of ${inside(line)} from 10.0.0.1`,
      `<14>1 ${new Date(atMs).toISOString()} ${host} billing 4711 - - {"level":"info","order":${below(99_999)},"took_ms":${below(300)},"msg":"order placed"}`,
      `<22>${stamp} ${host} postfix/smtpd[${below(60_000)}]: connect from unknown[${from}]`,
      `<30>${stamp} ${host} named[811]: client @0x7f0c4c0 ${inside(line)}#${below(60_000)} (www.example.com): query: www.example.com IN A +E(0)K (10.0.0.53)`,
    ]),
  ];
}

// knocked hosts and their look-alikes through `postern audit`: log lines and flows in, alerts out
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Alert, HostAlert } from '../../src/model/alert.ts';
import { buildV9, dataSet, type Field, v9Template } from '../packets/generate.ts';
import { runAudit, writeEvidence } from './build.ts';
import { frame, pcapHeader } from './scenario.ts';

const T0 = Date.parse('2025-03-04T02:10:00Z');
const KNOCKER = '203.0.113.9';
const OPEN_SSH = `/usr/sbin/iptables -I INPUT 1 -s ${KNOCKER} -p tcp --dport 22 -j ACCEPT`;
const OPEN_TO_ALL = '/usr/sbin/nft add rule inet filter input tcp dport 22 accept';

interface Case {
  readonly platform?: 'macos';
  readonly lines: readonly (readonly [seconds: number, text: string])[];
}

const drop = (seconds: number, port: number, protocol = 'TCP') =>
  [
    seconds,
    `kernel: [ 77.1] [UFW BLOCK] IN=eth0 OUT= MAC= SRC=${KNOCKER} DST=10.20.0.10 LEN=60 TOS=0x00 PREC=0x00 TTL=54 ID=1 PROTO=${protocol} SPT=${41_000 + seconds} DPT=${port} WINDOW=64240 RES=0x00 SYN URGP=0`,
  ] as const;
const runs = (seconds: number, command: string) =>
  [seconds, `sudo[90]:    alice : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=${command}`] as const;
const login = (seconds: number) =>
  [
    seconds,
    `sshd[91]: Accepted publickey for bob from ${KNOCKER} port 50022 ssh2: ED25519 SHA256:x`,
  ] as const;
const stealth = (seconds: number, port: number) =>
  [
    seconds,
    `kernel[0]: Stealth Mode connection attempt to TCP 10.20.0.10:${port} from ${KNOCKER}:${42_000 + seconds}`,
  ] as const;
const executed = (seconds: number, args: readonly string[]) => {
  const id = `audit(${(T0 / 1000 + seconds).toFixed(3)}:${700 + seconds})`;
  return [
    `type=SYSCALL msg=${id}: arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=800 pid=801 auid=4294967295 uid=0 gid=0 euid=0 tty=(none) ses=4294967295 comm="${args[0]}" exe="/usr/sbin/xtables-nft-multi" key="postern_fw"`,
    `type=EXECVE msg=${id}: argc=${args.length} ${args.map((text, i) => `a${i}="${text}"`).join(' ')}`,
    `type=EOE msg=${id}: `,
  ].map((text) => [seconds, `audispd: ${text}`] as const);
};

const CASES: Readonly<Record<string, Case>> = {
  logs: { lines: [drop(0, 7000), drop(2, 8000, 'UDP'), drop(4, 9000), runs(5, OPEN_SSH), login(8)] },
  flows: { lines: executed(6, OPEN_TO_ALL.replace('/usr/sbin/', '').split(' ')) },
  mac: {
    platform: 'macos',
    lines: [
      ...[7000, 8000, 9000].map((port, i) => stealth(i, port)),
      runs(4, '/sbin/pfctl -a knock -f -'),
      login(8),
    ],
  },
  half: { lines: [drop(0, 7000), drop(2, 8000), drop(4, 9000), runs(5, OPEN_SSH)] },
  scan: { lines: Array.from({ length: 40 }, (_, i) => drop(i / 10, 1000 + i)) },
  scanned: {
    lines: [...Array.from({ length: 40 }, (_, i) => drop(i / 10, 1000 + i)), runs(6, OPEN_TO_ALL), login(8)],
  },
  two: { lines: [drop(0, 7000), drop(2, 8000), runs(5, OPEN_SSH), login(8)] },
  slow: { lines: [drop(0, 7000), drop(16, 8000), drop(32, 9000), runs(33, OPEN_SSH), login(36)] },
  ban: {
    lines: [
      drop(0, 7000),
      drop(2, 8000),
      drop(4, 9000),
      ...executed(5, ['iptables', '-w', '-I', 'f2b-sshd', '1', '-s', KNOCKER, '-j', 'REJECT']),
    ],
  },
  looks: { lines: [drop(0, 7000), drop(2, 8000), drop(4, 9000), runs(5, '/usr/sbin/iptables -L -n')] },
};
const names = Object.keys(CASES);
const addressOf = (name: string) => `10.20.0.${10 + names.indexOf(name)}`;

const FIELDS: readonly Field[] = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [1, 4],
  [2, 4],
  [22, 4],
  [21, 4],
];
const SYN = 2;
const WHOLE = 0x1b;

/** Three SYNs that nobody answers, then a session with packets both ways. */
function capture(host: string): Buffer {
  const up = (seconds: number) => 1_000_000_000 + seconds * 1000;
  const flow = (
    from: string,
    to: string,
    ports: [number, number],
    flags: number,
    packets: number,
    at: number,
  ) =>
    [from, to, ...ports, 6, flags, packets * 60, packets, up(at), up(at + (packets > 1 ? 20 : 0))] as const;
  const rows = [
    ...[7000, 8000, 9000].map((port, i) => flow(KNOCKER, host, [43_000 + i, port], SYN, 1, 2 * i)),
    flow(KNOCKER, host, [43_010, 22], WHOLE, 30, 8),
    flow(host, KNOCKER, [22, 43_010], WHOLE, 28, 8),
  ];
  const atMs = T0 + 40_000;
  const datagram = buildV9(
    { uptimeMs: up(40), seconds: atMs / 1000, sequence: 1 },
    v9Template(300, FIELDS),
    dataSet(300, FIELDS, rows),
  );
  return Buffer.concat([pcapHeader(), frame(atMs, datagram)]);
}

const recorded = (name: string) =>
  CASES[name].lines.map(([seconds, text]) => {
    const at = new Date(T0 + seconds * 1000).toISOString();
    const own = text.replaceAll('10.20.0.10', addressOf(name));
    return `${at} ${addressOf(name)} <13>1 ${at} ${name} ${own.replace(/^(\w+)(?:\[(\d+)\])?: */, '$1 $2 - - ').replace(/ {2}- - /, ' - - - ')}`;
  });

test('knocks by log lines, by flows and on macOS are told; scans, bans and near misses are not', {
  timeout: 240_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-knock-'));
  try {
    const args = await writeEvidence(folder, {
      site: {
        internal: ['10.0.0.0/8'],
        devices: [],
        flowPorts: [2055],
        hosts: names.map((name) => ({
          name,
          platform: CASES[name].platform ?? 'linux',
          addresses: [addressOf(name)],
        })),
      },
      configs: {},
      captures: [capture(addressOf('flows'))],
      logs: names.map(recorded),
    });
    const outcome = await runAudit(args);
    assert.equal(outcome.status, 1, outcome.stderr);
    const own = (outcome.alerts as unknown as Alert[]).filter(
      (alert): alert is HostAlert => alert.analytic === 'AN0843' || alert.analytic === 'AN0844',
    );
    const last = (host: string) => own.filter((alert) => alert.host === host).at(-1);
    assert.deepEqual(
      Object.fromEntries(names.map((name) => [name, last(name)?.severity])),
      {
        logs: 'high',
        flows: 'high',
        mac: 'high',
        half: 'medium',
        scan: undefined,
        scanned: undefined,
        two: undefined,
        slow: undefined,
        ban: undefined,
        looks: undefined,
      },
      outcome.stderr,
    );
    const whole = last('logs')!;
    assert.equal(whole.analytic, 'AN0843');
    assert.equal(last('mac')?.analytic, 'AN0844');
    assert.deepEqual(whole.technique, ['T1205.001']);
    assert.deepEqual(whole.missingStages, []);
    assert.equal(whole.stages.length, 5);
    assert.match(whole.narrative, /knocked at closed tcp\/7000, udp\/8000, tcp\/9000 in 4 s/);
    assert.equal(new Set(own.filter(({ host }) => host === 'logs').map(({ id }) => id)).size, 1);
    assert.deepEqual(
      last('flows')?.stages.map(({ source }) => source),
      ['flows', 'flows', 'flows', 'audispd', 'flows'],
    );
    assert.ok(last('half')?.missingStages.some((stage) => stage.startsWith('connection')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { type An0407Parameters, an0407 } from '../../src/analytics/an0407.ts';
import { globMatches } from '../../src/analytics/host-process.ts';
import { hostAnalytics, withOverrides } from '../../src/analytics/index.ts';
import { type Event, happenedAt } from '../../src/model/event.ts';
import type { HostEvidence, HostQuestion } from '../../src/model/host.ts';
import type { Verdict } from '../../src/model/watch.ts';
import {
  committed,
  eventsOf,
  evidenceOf,
  historyOf,
  host,
  ran,
  rulesets,
  SECOND,
  T0,
  unitRecord,
} from './host-fixtures.ts';

const p = an0407.parameters;

/** The questions that these events open, one a key as the machinery joins them. */
function questionsOf(events: readonly Event[]): HostQuestion[] {
  const byKey = new Map<string, HostQuestion>();
  for (const event of events) {
    if (!an0407.triggerKinds.includes(event.kind)) continue;
    const triggered = an0407.triggeredBy(event, host, p);
    if (!triggered || byKey.has(triggered.key)) continue;
    const atMs = happenedAt(event);
    byKey.set(triggered.key, {
      analytic: 'AN0407',
      host,
      key: triggered.key,
      trigger: { kind: triggered.kind, atMs, detail: triggered.detail, event },
      fromMs: atMs - an0407.lookBackMs(p),
      untilMs: atMs + an0407.watchMs(p),
    });
  }
  return [...byKey.values()];
}

const RANKS = ['silent', 'informational', 'low', 'medium', 'high', 'critical'];

/** The gravest verdict over all questions of the events. */
function verdictOf(
  events: readonly Event[],
  more: Partial<HostEvidence> = {},
  overrides: Partial<An0407Parameters> = {},
): Verdict | undefined {
  const verdicts = questionsOf(events).map((question) =>
    an0407.judge(question, evidenceOf(events, more), withOverrides(an0407, overrides)),
  );
  return verdicts.sort(
    (a, b) =>
      RANKS.indexOf(b.severity ?? 'silent') - RANKS.indexOf(a.severity ?? 'silent') || b.score - a.score,
  )[0];
}

const severityOf = (...args: Parameters<typeof verdictOf>) => verdictOf(...args)?.severity ?? 'silent';

// An administrator: sshd > bash > sudo > the tool, logged in as 1000 on pts/0.
const login = { auid: '1000', tty: 'pts0' };
const session = [
  ...ran({
    atMs: T0 - 600 * SECOND,
    exe: '/usr/sbin/sshd',
    args: ['/usr/sbin/sshd', '-D'],
    pid: 800,
    ppid: 1,
  }),
  ...ran({
    atMs: T0 - 500 * SECOND,
    exe: '/usr/bin/bash',
    args: ['-bash'],
    pid: 3998,
    ppid: 800,
    uid: '1000',
    ...login,
  }),
  ...ran({
    atMs: T0 - 1 * SECOND,
    exe: '/usr/bin/sudo',
    args: ['sudo', '-s'],
    pid: 3999,
    ppid: 3998,
    ...login,
  }),
];
const byAdministrator = (args: readonly string[], exe = '/usr/sbin/xtables-nft-multi', atMs = T0) =>
  eventsOf(session, ran({ exe, args, atMs, ...login }));
// A web server's child: nginx > sh > the tool, nobody logged in.
const webServer = [
  ...ran({
    atMs: T0 - 9000 * SECOND,
    exe: '/usr/sbin/nginx',
    args: ['nginx', '-g', 'daemon off;'],
    pid: 700,
    ppid: 1,
    uid: '33',
  }),
  ...ran({
    atMs: T0 - 5 * SECOND,
    exe: '/usr/bin/dash',
    args: ['sh', '-c', 'id'],
    pid: 3999,
    ppid: 700,
    uid: '33',
  }),
];
const byWebServer = (args: readonly string[], exe = '/usr/sbin/xtables-nft-multi') =>
  eventsOf(webServer, ran({ exe, args }));

const STEADY = [-7200, -3600, -60].map((seconds) => [seconds, 41] as const);
const EMPTIED = { rulesets: rulesets(...STEADY, [30, 0, []]) };
const OFF: readonly (readonly [readonly string[], string?])[] = [
  [['iptables', '-F']],
  [['/usr/sbin/iptables', '-t', 'nat', '-F']],
  [['iptables', '-P', 'INPUT', 'ACCEPT']],
  [['nft', 'flush', 'ruleset'], '/usr/sbin/nft'],
  [['nft', 'delete', 'table', 'inet', 'filter'], '/usr/sbin/nft'],
  [['nft', 'chain', 'inet', 'filter', 'input', '{ policy accept; }'], '/usr/sbin/nft'],
  [['nft', 'insert', 'rule', 'inet', 'filter', 'input', 'accept'], '/usr/sbin/nft'],
  [['/usr/bin/python3', '/usr/sbin/ufw', 'disable'], '/usr/bin/python3.11'],
  [['systemctl', 'stop', 'firewalld'], '/usr/bin/systemctl'],
  [['systemctl', 'stop', 'nftables.service'], '/usr/bin/systemctl'],
  [['iptables', '-I', 'INPUT', '-j', 'ACCEPT']],
];

test('it is registered, with the numbers of both ATT&CK versions', () => {
  assert.ok(hostAnalytics.some(({ id }) => id === 'AN0407'));
  assert.deepEqual(an0407.techniques, ['T1562.004', 'T1686']);
  assert.throws(() => withOverrides(an0407, { AllowedScript: [] }), /no parameter AllowedScript/);
});

test('switching off, proven by pulled rulesets: medium by an administrator, high below a web server', () => {
  for (const [args, exe] of OFF) {
    assert.equal(
      severityOf(byAdministrator(args, exe), EMPTIED),
      'medium',
      `administrator: ${args.join(' ')}`,
    );
    assert.equal(severityOf(byWebServer(args, exe), EMPTIED), 'high', `web server: ${args.join(' ')}`);
  }
});

test('without pulled rulesets the verdict rests on the events, and is one step lower', () => {
  for (const [args, exe] of OFF) {
    assert.equal(severityOf(byAdministrator(args, exe)), 'low', `administrator: ${args.join(' ')}`);
    assert.equal(severityOf(byWebServer(args, exe)), 'medium', `web server: ${args.join(' ')}`);
  }
  assert.match(
    verdictOf(byWebServer(['iptables', '-F']))!.missingStages.join(),
    /ruleset before.*ruleset after/,
  );
});

test('looking on, checking and adding what closes is nobody’s question', () => {
  for (const args of [
    ['iptables', '-L', '-n'],
    ['nft', 'list', 'ruleset'],
    ['nft', '-c', '-f', '/etc/nftables.conf'],
    ['systemctl', 'status', 'firewalld'],
    ['systemctl', 'start', 'nftables'],
    ['ufw', 'enable'],
    ['iptables', '-P', 'INPUT', 'DROP'],
    ['ip', 'netns', 'exec', 'red', 'iptables', '-F'],
    ['grep', '-r', 'iptables -F', '/etc'],
    ['modprobe', 'nf_tables'],
  ])
    assert.deepEqual(questionsOf(byAdministrator(args)), [], args.join(' '));
});

test('single rules are no alert by an administrator, and one below a web server', () => {
  for (const [args, exe] of [
    [['/usr/sbin/iptables', '-A', 'OUTPUT', '-d', '192.0.2.7', '-p', 'udp', '--dport', '514', '-j', 'DROP']],
    [['nft', 'insert', 'rule', 'inet', 'filter', 'input', 'tcp', 'dport', '4444', 'accept'], '/usr/sbin/nft'],
    [['nft', 'add', 'rule', 'inet', 'filter', 'output', 'ip', 'daddr', '192.0.2.7', 'drop'], '/usr/sbin/nft'],
    [['iptables', '-D', 'INPUT', '7']],
    [
      ['nft', 'replace', 'rule', 'inet', 'filter', 'input', 'handle', '4', 'tcp', 'dport', '22', 'accept'],
      '/usr/sbin/nft',
    ],
  ] as const) {
    assert.equal(severityOf(byAdministrator(args, exe)), 'silent', `administrator: ${args.join(' ')}`);
    assert.notEqual(severityOf(byWebServer(args, exe)), 'silent', `web server: ${args.join(' ')}`);
  }
});

test('who did it is told: arguments, parent, users, terminal and what it ran below', () => {
  const verdict = verdictOf(byAdministrator(['iptables', '-F']), EMPTIED)!;
  assert.deepEqual(verdict.process, {
    executable: '/usr/sbin/xtables-nft-multi',
    arguments: ['iptables', '-F'],
    command: 'iptables -F',
    pid: 4000,
    parentPid: 3999,
    parentExecutable: '/usr/bin/sudo',
    user: '0',
    loginUser: '1000',
    tty: 'pts0',
  });
  assert.deepEqual(
    verdict.stages.map(({ name }) => name),
    ['ruleset before', 'process', 'firewall change', 'ruleset after'],
  );
  assert.deepEqual(verdict.missingStages, []);
  assert.match(
    verdict.narrative,
    /^root, logged in as user 1000 on pts0 .* without a ticket: iptables -F \(systemd \(process 1\) > sshd > bash > sudo > xtables-nft-multi\); active rules fell from 41 to 0 and ip filter INPUT no longer drops by default\./,
  );
});

test('what is suspicious about a process, each both ways', () => {
  const flush = { exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'] };
  const plain = verdictOf(eventsOf(ran({ ...flush, ...login })))!.score;
  const rows: [string, readonly Event[], RegExp][] = [
    [
      'reverse shell with a terminal',
      eventsOf(ran({ ...flush, tty: 'pts1' })),
      /nobody logged in, yet it ran on pts1/,
    ],
    [
      'interactive shell',
      eventsOf(
        ran({ exe: '/usr/bin/bash', args: ['bash', '-i'], pid: 3999, ppid: 50, atMs: T0 - 5000 }),
        ran(flush),
      ),
      /below an interactive bash/,
    ],
    [
      'temporary path',
      eventsOf(ran({ exe: '/tmp/.x/nft', args: flush.args, ...login })),
      /ran from \/tmp\/\.x\/nft/,
    ],
    [
      'script in a temporary path',
      eventsOf(
        ran({
          exe: '/usr/bin/bash',
          args: ['bash', '/dev/shm/x.sh'],
          pid: 3999,
          ppid: 50,
          atMs: T0 - 5000,
          ...login,
        }),
        ran({ ...flush, ...login }),
      ),
      /ran from \/dev\/shm\/x\.sh/,
    ],
    ['service account', eventsOf(ran({ ...flush, auid: '33' })), /the service account 33/],
    [
      'interpreter',
      eventsOf(
        ran({
          exe: '/usr/bin/perl',
          args: ['perl', '/home/a/x.pl'],
          pid: 3999,
          ppid: 50,
          atMs: T0 - 5000,
          ...login,
        }),
        ran({ ...flush, ...login }),
      ),
      /a program run by \/usr\/bin\/perl/,
    ],
  ];
  for (const [name, events, reason] of rows) {
    const verdict = verdictOf(events)!;
    assert.ok(verdict.score > plain, `${name}: ${verdict.score} > ${plain}`);
    assert.ok(
      verdict.reasons.some((one) => reason.test(one.reason) && one.weight > 0),
      `${name}: ${JSON.stringify(verdict.reasons)}`,
    );
    assert.ok(
      !verdictOf(eventsOf(ran({ ...flush, ...login })))!.reasons.some((one) => reason.test(one.reason)),
      `${name}: not of a plain one`,
    );
  }
});

test('a process id that was used again is no parent', () => {
  const events = eventsOf(
    ran({ exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'], ...login }),
    ran({ atMs: T0 + 30_000, exe: '/tmp/x', args: ['/tmp/x'], pid: 3999, ppid: 1 }),
  );
  assert.ok(!verdictOf(events)!.reasons.some(({ reason }) => reason.includes('/tmp/x')));
});

test('AllowedScripts: by path or glob, by what runs it, and not by a word that looks so', () => {
  const below = (args: readonly string[]) =>
    eventsOf(
      ran({ exe: '/usr/bin/bash', args, pid: 3999, ppid: 1, atMs: T0 - 5000 }),
      ran({ exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'] }),
    );
  const allowed = { AllowedScripts: ['/opt/fw/*.sh', '/usr/bin/puppet'] };
  assert.equal(severityOf(below(['bash', '/opt/fw/reset.sh']), EMPTIED, allowed), 'silent');
  assert.equal(severityOf(below(['bash', '/opt/fw/reset.sh']), EMPTIED), 'medium');
  assert.equal(severityOf(below(['bash', '/opt/other/reset.sh']), EMPTIED, allowed), 'medium');
  assert.equal(
    severityOf(below(['bash', '-c', 'nft flush ruleset', '/opt/fw/reset.sh']), EMPTIED, allowed),
    'medium',
  );
});

test('an approved ticket lowers it', () => {
  const ticket = { state: 'approved', number: 'CHG1', reason: 'ticket CHG1 fits' } as const;
  assert.equal(severityOf(byAdministrator(['iptables', '-F']), { ...EMPTIED, ticket }), 'low');
  assert.equal(severityOf(byAdministrator(['iptables', '-F']), { ticket }), 'silent');
});

test('the kernel told directly, with no exec: by its records alone', () => {
  const removal = ['table=filter:12 family=1 entries=41 op=nft_unregister_rule'];
  const direct = eventsOf(
    committed(removal, { exe: '/usr/bin/python3.11', title: 'python3 /tmp/x.py', comm: 'python3' }),
  );
  assert.equal(severityOf(direct, EMPTIED), 'high');
  assert.match(
    verdictOf(direct, EMPTIED)!
      .reasons.map(({ reason }) => reason)
      .join(),
    /rules are removed or replaced in the kernel.*by no firewall tool/,
  );
  // The records of a kernel that audits no calls.
  assert.equal(
    severityOf(
      eventsOf(committed(['table=filter:12 family=1 entries=3 op=nft_unregister_table'], { comm: 'a.out' })),
      EMPTIED,
    ),
    'medium',
  );
  // iptables-legacy's tables, in all generations of the record: by a tool an edit, by another program more.
  const legacy = 'table=filter family=2 entries=41 op=xt_replace';
  const keyOf = (lines: readonly string[]) => questionsOf(eventsOf(lines)).map(({ key }) => key);
  assert.deepEqual(keyOf(committed([legacy], { comm: 'iptables-restor' })), ['edit']);
  assert.deepEqual(keyOf(committed([legacy], { comm: 'a.out' })), ['off']);
  assert.deepEqual(
    keyOf([
      '<5>Nov  2 03:00:00 web1 kernel: audit: type=1325 audit(1793588400.000:9): table=filter family=2 entries=41',
    ]),
    ['edit'],
  );
  // firewalld itself is a script; it removes its table, and fills it again when it reloads.
  const reload = [
    ...committed(['table=firewalld:7 family=1 entries=90 op=nft_unregister_table'], {
      exe: '/usr/bin/python3.11',
      comm: 'firewalld',
      title: '/usr/bin/python3 -s /usr/sbin/firewalld --nofork',
    }),
    ...committed(['table=firewalld:8 family=1 entries=90 op=nft_register_rule'], {
      comm: 'firewalld',
      atMs: T0 + 900,
    }),
  ];
  assert.equal(severityOf(eventsOf(reload)), 'silent');
  const gone = verdictOf(eventsOf(reload.slice(0, 3)))!;
  assert.equal(gone.severity, 'low');
  assert.ok(!gone.reasons.some(({ reason }) => reason.includes('no firewall tool')));
  // Rules put in place besides, one element of a set, the end of a container's namespace.
  for (const records of [
    [
      'table=filter:12 family=1 entries=41 op=nft_unregister_rule',
      'table=filter:13 family=1 entries=44 op=nft_register_table',
    ],
    ['table=f2b:12 family=1 entries=1 op=nft_unregister_setelem'],
    ['table=filter:12 family=1 entries=9 op=nft_register_rule'],
  ])
    assert.deepEqual(questionsOf(eventsOf(committed(records, { comm: 'a.out' }))), [], records.join());
  assert.deepEqual(
    questionsOf(
      eventsOf(committed(['table=filter family=2 entries=4 op=xt_unregister'], { comm: 'kworker/u8:1' })),
    ),
    [],
  );
});

test('one act is one question: the run, its commit and the unit that stops', () => {
  const events = eventsOf(
    session,
    ran({ exe: '/usr/bin/systemctl', args: ['systemctl', 'stop', 'nftables.service'], ...login }),
    ran({
      exe: '/usr/sbin/nft',
      args: ['/usr/sbin/nft', 'flush', 'ruleset'],
      pid: 4001,
      ppid: 1,
      atMs: T0 + 100,
    }),
    committed(['table=filter:3 family=1 entries=12 op=nft_unregister_table'], {
      atMs: T0 + 110,
      exe: '/usr/sbin/nft',
      pid: 4001,
      ppid: 1,
      title: '/usr/sbin/nft flush ruleset',
      comm: 'nft',
    }),
    unitRecord('SERVICE_STOP', 'nftables', T0 + 150),
  );
  const questions = questionsOf(events);
  assert.deepEqual(
    questions.map(({ key }) => key),
    ['off'],
  );
  const verdict = verdictOf(events, EMPTIED)!;
  assert.equal(verdict.severity, 'medium');
  assert.equal(verdict.process?.loginUser, '1000', 'who is known best is told');
});

test('nothing is said before it could be a restart; then it is', () => {
  const events = byAdministrator(['systemctl', 'stop', 'firewalld'], '/usr/bin/systemctl');
  assert.equal(severityOf(events, { askedAtMs: T0 + 59 * SECOND }), 'silent');
  assert.equal(severityOf(events, { askedAtMs: T0 + 60 * SECOND }), 'low');
  // A host that is pulled is waited for, unless the process speaks loudly.
  const pulled = { rulesets: rulesets(...STEADY) };
  assert.equal(severityOf(events, { ...pulled, askedAtMs: T0 + 90 * SECOND }), 'silent');
  assert.equal(severityOf(events, { ...pulled, askedAtMs: T0 + 180 * SECOND }), 'low');
  assert.equal(
    severityOf(byWebServer(['iptables', '-F']), { ...pulled, askedAtMs: T0 + 60 * SECOND }),
    'medium',
  );
});

test('look-alike: a service restart', () => {
  const restart = (back: number) =>
    eventsOf(
      session,
      ran({ exe: '/usr/sbin/nft', args: ['/usr/sbin/nft', 'flush', 'ruleset'], pid: 4001, ppid: 1 }),
      unitRecord('SERVICE_STOP', 'nftables', T0 + 50),
      ran({
        exe: '/usr/sbin/nft',
        args: ['/usr/sbin/nft', '-f', '/etc/nftables.conf'],
        pid: 4002,
        ppid: 1,
        atMs: T0 + back * SECOND,
      }),
      unitRecord('SERVICE_START', 'nftables', T0 + back * SECOND + 10),
    );
  assert.equal(severityOf(restart(2)), 'silent');
  assert.equal(severityOf(restart(2), { rulesets: rulesets(...STEADY, [1, 0, []], [20, 41]) }), 'silent');
  assert.notEqual(severityOf(restart(200)), 'silent', 'three minutes are no restart');
  // It started, and came up empty.
  assert.equal(severityOf(restart(2), EMPTIED), 'medium');
  const lines = [
    'Stopped firewalld.service - firewalld - dynamic firewall daemon.',
    'Started firewalld.service - firewalld - dynamic firewall daemon.',
  ];
  const bySystemd = (count: number) =>
    eventsOf(lines.slice(0, count).map((line, i) => `<30>Nov  2 03:00:0${i} web1 systemd[1]: ${line}`));
  assert.equal(severityOf(bySystemd(1)), 'low');
  assert.equal(severityOf(bySystemd(2)), 'silent');
});

test('look-alike: configuration management flushes and fills in again', () => {
  const parent = ran({
    atMs: T0 - 3000,
    exe: '/usr/bin/python3.11',
    args: ['/usr/bin/python3', '/root/.ansible/tmp/x/AnsiballZ_command.py'],
    pid: 3999,
    ppid: 900,
    auid: '1000',
  });
  const run = eventsOf(
    parent,
    ran({ exe: '/usr/sbin/xtables-nft-multi', args: ['iptables', '-F'], auid: '1000' }),
    ...Array.from({ length: 12 }, (_, i) =>
      ran({
        exe: '/usr/sbin/xtables-nft-multi',
        args: ['iptables', '-A', 'INPUT', '-p', 'tcp', '--dport', String(i + 1), '-j', 'ACCEPT'],
        pid: 4001 + i,
        auid: '1000',
        atMs: T0 + 200 * (i + 1),
      }),
    ),
  );
  assert.equal(severityOf(run, { rulesets: rulesets(...STEADY, [30, 43]) }), 'silent');
  assert.equal(severityOf(run), 'silent', 'by the events alone');
  const never = run.filter((event) => !event.command?.includes('-A'));
  assert.equal(severityOf(never, EMPTIED), 'medium', 'where nothing is filled in');
});

test('look-alikes: fail2ban, Docker, a nightly job; learned from days, and shown', () => {
  const unban = eventsOf(
    ran({
      exe: '/usr/sbin/xtables-nft-multi',
      args: ['iptables', '-w', '-D', 'f2b-sshd', '-s', '203.0.113.9', '-j', 'REJECT'],
    }),
  );
  assert.equal(severityOf(unban), 'silent');
  const docker = eventsOf(
    ran({
      atMs: T0 - 9_000_000,
      exe: '/usr/bin/dockerd',
      args: ['/usr/bin/dockerd', '-H', 'fd://'],
      pid: 3999,
      ppid: 1,
    }),
    ran({
      exe: '/usr/sbin/xtables-nft-multi',
      args: [
        '/usr/sbin/iptables',
        '--wait',
        '-t',
        'nat',
        '-D',
        'DOCKER',
        '-p',
        'tcp',
        '--dport',
        '8080',
        '-j',
        'DNAT',
        '--to-destination',
        '172.17.0.2:80',
      ],
    }),
    ran({
      exe: '/usr/sbin/xtables-nft-multi',
      args: ['/usr/sbin/iptables', '--wait', '-t', 'filter', '-F', 'DOCKER'],
      pid: 4001,
    }),
  );
  assert.equal(severityOf(docker), 'silent');
  const forwardsGone = {
    rulesets: rulesets(...STEADY.map(([at, count]) => [at, count, ['ip filter INPUT'], 6] as const), [
      30,
      40,
      ['ip filter INPUT'],
      2,
    ]),
  };
  assert.equal(severityOf(docker, forwardsGone), 'silent');
  const natFlush = byAdministrator(['iptables', '-t', 'nat', '-F']);
  assert.equal(severityOf(natFlush, forwardsGone), 'medium', 'the same drop by a flush');
  const nightly = eventsOf(ran({ exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'], auid: '0' }));
  assert.equal(severityOf(nightly), 'low', 'the first night');
  const learned = { history: historyOf(nightly, 9) };
  assert.equal(severityOf(nightly, learned), 'silent');
  assert.match(
    verdictOf(nightly, learned)!
      .reasons.map(({ reason }) => reason)
      .join(),
    /automation: seen on 9 of 14 days before/,
  );
  assert.equal(
    severityOf(nightly, { ...learned, ...EMPTIED }),
    'medium',
    'the night on which nothing came back',
  );
  assert.equal(
    severityOf(
      eventsOf(ran({ exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'], auid: '1001' })),
      learned,
    ),
    'low',
    'another login',
  );
});

test('look-alike: a flapping daemon, and a host that goes down', () => {
  const stop = eventsOf(unitRecord('SERVICE_STOP', 'firewalld'));
  assert.equal(severityOf(stop), 'low');
  assert.equal(severityOf(stop, { history: historyOf(stop, 6) }), 'silent');
  const down = eventsOf(
    ...['firewalld', ...'abcdefghi'].map((unit, i) => unitRecord('SERVICE_STOP', unit, T0 + 100 * i)),
  );
  assert.equal(severityOf(down), 'silent');
});

test('look-alike: chains that come and go are no drop; the same drop where they never did is', () => {
  const states = rulesets(
    ...Array.from({ length: 20 }, (_, i) => [i * 600 - 20_000, i % 3 === 0 ? 30 : 62] as const),
    [-10, 62],
  );
  const [after, deeper] = rulesets([30, 30], [30, 8]);
  const before = states.at(-1)!;
  assert.equal(an0407.triggeredByRuleset!(before, after, states.slice(0, -1), p), undefined);
  assert.deepEqual(an0407.triggeredByRuleset!(before, deeper, states.slice(0, -1), p), {
    kind: 'ruleset-fell',
    key: 'off',
    detail: 'active rules 62 -> 8',
  });
  const steady = rulesets(
    ...Array.from({ length: 20 }, (_, i) => [i * 600 - 20_000, 62] as const),
    [-10, 62],
  );
  assert.ok(an0407.triggeredByRuleset!(before, after, steady, p));
  assert.equal(
    an0407.triggeredByRuleset!(before, rulesets([30, 50])[0], steady, p),
    undefined,
    'a fifth is no drop',
  );
  // One attack before is no habit.
  const once = rulesets(
    ...Array.from({ length: 20 }, (_, i) => [i * 600 - 20_000, i === 4 ? 0 : 62] as const),
    [-10, 62],
  );
  assert.ok(an0407.triggeredByRuleset!(before, rulesets([30, 0])[0], once, p));
  assert.equal(an0407.triggeredByRuleset!(before, rulesets([30, 60])[0], steady, p), undefined);
  assert.match(
    an0407.triggeredByRuleset!(before, rulesets([30, 62, []])[0], steady, p)!.detail,
    /no longer dropping: ip filter INPUT/,
  );
});

test('a pulled ruleset alone: what no event tells is an alert, and says that nobody is known', () => {
  const ask = (states: HostEvidence['rulesets'], events: readonly Event[] = []) => {
    const question: HostQuestion = {
      analytic: 'AN0407',
      host,
      key: 'off',
      trigger: { kind: 'ruleset-fell', atMs: T0 + 600 * SECOND, detail: 'active rules 41 -> 0' },
      fromMs: T0 - 3_000_000,
      untilMs: T0 + 1_800_000,
    };
    return an0407.judge(question, evidenceOf(events, { rulesets: states, askedAtMs: T0 + 700 * SECOND }), p);
  };
  const fell = rulesets(...STEADY, [600, 0, []]);
  const alone = ask(fell);
  assert.equal(alone.severity, 'medium');
  assert.match(alone.narrative, /no event tells who did it/);
  assert.ok(alone.missingStages.some((stage) => stage.startsWith('firewall change')));
  const told = ask(fell, byWebServer(['iptables', '-F']));
  assert.equal(told.severity, 'high');
  assert.equal(told.process?.command, 'iptables -F');
  assert.equal(
    ask(rulesets(...STEADY, [600, 0, []], [640, 41])).severity,
    undefined,
    'back within RestoreSeconds',
  );
});

test('who took the rules away owns the fall, although its pull began before the line about it', () => {
  const ask = (events: readonly Event[], overrides: Partial<An0407Parameters> = {}) =>
    an0407.judge(
      {
        analytic: 'AN0407',
        host,
        key: 'off',
        trigger: { kind: 'ruleset-fell', atMs: T0, detail: 'active rules 41 -> 0' },
        fromMs: T0 - 3_000_000,
        untilMs: T0 + 1_800_000,
      },
      evidenceOf(events, { rulesets: rulesets(...STEADY, [0, 0, []]), askedAtMs: T0 + 700 * SECOND }),
      withOverrides(an0407, overrides),
    );
  const late = T0 + 4 * SECOND;
  const stopped = ask(eventsOf(unitRecord('SERVICE_STOP', 'firewalld', late)));
  assert.equal(stopped.severity, 'medium');
  assert.match(stopped.title, /service stopped, active rules fell/);
  const script = eventsOf(
    ran({ atMs: late, exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'], ppid: 1 }),
  );
  assert.doesNotMatch(ask(script).title, /nobody is known/);
  assert.equal(ask(script, { AllowedScripts: ['/usr/sbin/nft'] }).severity, undefined);
  const later = eventsOf(unitRecord('SERVICE_STOP', 'firewalld', T0 + 400 * SECOND));
  assert.doesNotMatch(ask(later).narrative, /active rules fell from 41 to 0 .*service/);
});

test('a default drop turned to accept and proven is medium', () => {
  const verdict = verdictOf(
    eventsOf(
      ran({
        exe: '/usr/sbin/xtables-nft-multi',
        args: ['iptables', '-P', 'INPUT', 'ACCEPT'],
        auid: '1000',
        tty: 'pts0',
      }),
    ),
    { rulesets: rulesets(...STEADY, [30, 41, []]), askedAtMs: T0 + 200 * SECOND },
  )!;
  assert.equal(verdict.severity, 'medium');
  assert.match(verdict.narrative, /ip filter INPUT no longer drops by default/);
});

test('rules that were back after minutes were gone nevertheless', () => {
  const verdict = verdictOf(byWebServer(['iptables', '-F']), {
    rulesets: rulesets(...STEADY, [30, 0, []], [280, 41]),
  })!;
  assert.equal(verdict.severity, 'high');
  assert.ok(verdict.notes.some((note) => note.startsWith('rules were back at')));
});

test('the gravest of several within one question is told, not the first', () => {
  const events = eventsOf(
    webServer,
    unitRecord('SERVICE_STOP', 'firewalld', T0 - 200 * SECOND),
    unitRecord('SERVICE_START', 'firewalld', T0 - 198 * SECOND),
    ran({ exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'] }),
  );
  const verdict = verdictOf(events)!;
  assert.equal(verdict.severity, 'medium');
  assert.equal(verdict.process?.command, 'nft flush ruleset');
});

test('a question about single rules does not tell what another question is about', () => {
  const events = eventsOf(
    webServer,
    ran({ exe: '/usr/sbin/nft', args: ['nft', 'delete', 'rule', 'inet', 'filter', 'input', 'handle', '7'] }),
    ran({ exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'], pid: 4001, atMs: T0 + 1000 }),
  );
  const questions = questionsOf(events);
  assert.deepEqual(
    questions.map(({ key }) => [
      key,
      an0407.judge(questions.find((one) => one.key === key)!, evidenceOf(events), p).process?.command,
    ]),
    [
      ['edit', 'nft delete rule inet filter input handle 7'],
      ['off', 'nft flush ruleset'],
    ],
  );
});

test('of sudo and what it runs, the latter is told', () => {
  const events = eventsOf(
    ran({ exe: '/usr/bin/sudo', args: ['sudo', 'nft', 'flush', 'ruleset'], pid: 3999, ppid: 3998, ...login }),
    ran({ exe: '/usr/sbin/nft', args: ['nft', 'flush', 'ruleset'], atMs: T0 + 10, ...login }),
  );
  assert.equal(verdictOf(events)!.process?.executable, '/usr/sbin/nft');
});

test('a ruleset pulled while the change was made proves nothing', () => {
  const events = byAdministrator(['iptables', '-F']);
  assert.match(
    verdictOf(events, { rulesets: rulesets(...STEADY, [1, 41]) })!.missingStages.join(),
    /ruleset after/,
  );
  assert.equal(
    severityOf(events, { rulesets: rulesets(...STEADY, [3, 41]) }),
    'silent',
    'no rule of this host was flushed',
  );
});

test('who is new, and an hour at which this firewall is not changed, weigh a little', () => {
  const events = byAdministrator(['iptables', '-F']);
  const others = Array.from({ length: 12 }, (_, i) =>
    historyOf(
      eventsOf(
        ran({
          exe: '/usr/sbin/nft',
          args: ['nft', 'add', 'element', 'x', String.fromCharCode(97 + i)],
          auid: '1002',
        }),
      ),
      4,
      11 * 3_600_000,
    ),
  ).flat();
  const reasons = verdictOf(events, { history: others })!.reasons.map(({ reason }) => reason);
  assert.ok(reasons.includes('1000 never changed this firewall before'));
  assert.ok(reasons.includes('at an hour at which this firewall is not changed'));
  const own = historyOf(
    byAdministrator(['iptables', '-A', 'INPUT', '-j', 'LOG']).filter(
      ({ kind }) => kind === 'firewall-changed',
    ),
    8,
  );
  assert.ok(
    verdictOf(events, { history: own })!.reasons.some(
      ({ reason }) => reason === '1000 changed this firewall on 8 days before',
    ),
  );
});

test('globs', () => {
  for (const [glob, text, fits] of [
    ['/opt/fw/*.sh', '/opt/fw/a.sh', true],
    ['/opt/fw/*.sh', '/opt/fw/a.sh.x', false],
    ['/usr/bin/puppet', '/usr/bin/puppet', true],
    ['/usr/bin/puppet', '/tmp/usr/bin/puppet', false],
    ['*', '', true],
    ['/a?c', '/abc', true],
    ['/a?c', '/ac', false],
  ] as const)
    assert.equal(globMatches(glob, text), fits, `${glob} ${text}`);
  const startedMs = performance.now();
  globMatches('*a'.repeat(500), 'a'.repeat(4000));
  globMatches(`${'*a'.repeat(500)}b`, 'a'.repeat(4000));
  assert.ok(performance.now() - startedMs < 1000);
});

test('sudo’s own line, without audit', () => {
  const line =
    '<86>Nov  2 03:00:00 web1 sudo[4000]:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/sbin/ufw disable';
  const verdict = verdictOf(eventsOf([line]))!;
  assert.equal(verdict.severity, 'low');
  assert.equal(verdict.process?.loginUser, 'alice');
});

test("the kernel's record of a ruleset that a tool loads is not told besides", () => {
  const load = ran({
    exe: '/usr/sbin/xtables-nft-multi',
    args: ['iptables-restore', '--noflush'],
    ppid: 1200,
  });
  const commit = committed(['table=filter:3 family=2 entries=24 op=nft_unregister_rule'], {
    atMs: T0 + 5,
    comm: 'iptables-restor',
  });
  assert.notEqual(severityOf(eventsOf(commit)), 'silent');
  assert.equal(severityOf(eventsOf(load, commit)), 'silent');
});

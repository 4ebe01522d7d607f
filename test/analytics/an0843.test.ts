import assert from 'node:assert/strict';
import { test } from 'node:test';
import { an0843 } from '../../src/analytics/an0843.ts';
import { withOverrides } from '../../src/analytics/definition.ts';
import type { Event } from '../../src/model/event.ts';
import type { HistoryRow } from '../../src/model/host.ts';
import {
  flow,
  KNOCKER,
  line,
  linux,
  login,
  OPEN_SSH,
  OPEN_SSH_TO_ALL,
  packet,
  runs,
  type Story,
  severityOf,
  T0,
  verdictsOf,
} from './knock-lines.ts';

const severity = (story: Story) => severityOf(an0843, story);
const best = (story: Story) => verdictsOf(an0843, story)[0];
const KNOCK = [packet(0, 7000), packet(2, 8000), packet(4, 9000)];
const p = withOverrides(an0843, {});
const trigger = (event: Event) => an0843.triggeredBy(event, linux, p);

test('three closed ports, a rule, a login: high, with every stage in order and its raw line', () => {
  const verdict = best({ events: [...KNOCK, runs(5, OPEN_SSH), login(8)] });
  assert.equal(verdict.severity, 'high');
  assert.deepEqual(
    verdict.stages.map(({ name }) => name),
    [
      ...Array(3).fill('closed-port sequence'),
      'firewall change or new listener',
      'connection from the same source',
    ],
  );
  assert.ok(verdict.stages.every(({ raw }) => raw));
  assert.deepEqual(verdict.missingStages, []);
  assert.match(
    verdict.narrative,
    /203\.0\.113\.9 knocked at closed tcp\/7000, tcp\/8000, tcp\/9000 in 4 s on web1; then, .*iptables -I INPUT.*logged in as bob at port 22 3 s later\.$/,
  );
  assert.equal(verdict.process?.user, 'root');
  assert.equal(
    verdict.reasons.reduce((sum, { weight }) => sum + weight, 0),
    verdict.score,
  );
  assert.equal(verdict.observedAtMs, T0 + 8000);
});

test('a rule for everybody, and a flow with packets both ways, is as telling where all three are there', () => {
  const events = [...KNOCK, runs(5, OPEN_SSH_TO_ALL)];
  assert.equal(severity({ events, flows: [flow(7, 22, 'established')] }), 'high');
  // A port that nobody expects and the change did not open is no service.
  assert.equal(severity({ events, flows: [flow(7, 4444, 'established')] }), 'low');
});

test('two of three in the right order are lower, and say what is missing', () => {
  const noConnection = best({ events: [...KNOCK, runs(5, OPEN_SSH)] });
  assert.equal(noConnection.severity, 'medium');
  assert.ok(noConnection.missingStages.some((stage) => stage.startsWith('connection from the same source')));
  const noKnock = best({ events: [runs(5, OPEN_SSH), login(8)] });
  assert.equal(noKnock.severity, 'informational');
  assert.ok(noKnock.missingStages.some((stage) => stage.startsWith('closed-port sequence')));
  assert.ok(noKnock.dataGaps.some((gap) => gap.includes('knocks are not seen')));
});

test('an administrator who opens a port for whoever connects next is daily business', () => {
  const other = packet(1, 445, { source: '198.51.100.77' });
  assert.equal(severity({ events: [runs(5, OPEN_SSH_TO_ALL), login(8)] }), undefined);
  assert.equal(severity({ events: [other, runs(5, OPEN_SSH), login(8)] }), undefined);
  assert.equal(
    severity({ events: [runs(5, OPEN_SSH.replace(KNOCKER, '10.0.0.5')), login(8, '10.0.0.5')] }),
    undefined,
  );
});

test('the order counts: a knock after the change asked for nothing', () => {
  const late = [packet(10, 7000), packet(12, 8000), packet(14, 9000)];
  assert.equal(severity({ events: [runs(5, OPEN_SSH_TO_ALL), ...late, login(20)] }), undefined);
  assert.equal(severity({ events: [login(-20), ...KNOCK, runs(5, OPEN_SSH)] }), 'medium');
});

test('just inside and just outside KnockTolerance, TimeWindow, MinSequenceLen', () => {
  const at = (times: number[], changeAt: number, connectAt = changeAt + 3) => ({
    events: [
      ...times.map((seconds, i) => packet(seconds, 7000 + 1000 * i)),
      runs(changeAt, OPEN_SSH),
      login(connectAt),
    ],
  });
  assert.equal(severity(at([0, 15, 30], 31)), 'high');
  assert.equal(severity(at([0, 15, 30.1], 31)), undefined);
  assert.equal(severity(at([0, 2, 4], 180)), 'high');
  assert.equal(severity(at([0, 2, 4], 180.5)), undefined);
  assert.equal(severity(at([0, 2, 4], 5, 185)), 'high');
  assert.equal(severity(at([0, 2, 4], 5, 185.5)), 'medium');
  assert.equal(severity(at([0, 2], 5)), undefined);
  assert.equal(severity({ ...at([0, 2], 5), parameters: { MinSequenceLen: 2 } }), 'high');
  assert.equal(severity({ ...at([0, 20, 40], 41), parameters: { KnockTolerance: 20 } }), 'high');
});

test('tries of the port that is opened then are no part of the sequence', () => {
  const toAll = `/usr/sbin/iptables -I INPUT 1 -s ${KNOCKER} -j ACCEPT`;
  const two = [packet(0, 7000), packet(2, 8000), packet(3, 22)];
  assert.equal(severity({ events: [...two, runs(5, toAll), login(8)] }), undefined);
  assert.equal(severity({ events: [...two, packet(4, 9000), runs(5, toAll), login(8)] }), 'high');
});

test('UDP, mixed and ICMP knocks; pings beside an unrelated change are none', () => {
  const udp = [packet(0, 7000, { protocol: 'UDP' }), packet(1, 8000, { protocol: 'UDP' }), packet(2, 7000)];
  assert.equal(severity({ events: [...udp, runs(5, OPEN_SSH), login(8)] }), 'high');
  const pings = [0, 1, 2].map((seconds) => packet(seconds, undefined, { protocol: 'ICMP' }));
  assert.equal(severity({ events: [...pings, runs(5, OPEN_SSH), login(8)] }), 'high');
  assert.equal(severity({ events: [...pings, runs(5, OPEN_SSH_TO_ALL)] }), undefined);
  assert.equal(severity({ events: [...pings.slice(1), runs(5, OPEN_SSH), login(8)] }), undefined);
});

test('flows, Zeek and other firewalls tell of closed ports as well', () => {
  const flows = [
    flow(0, 7000, 'unanswered'),
    flow(1, 8000, 'refused', { seenBy: 'zeek' }),
    flow(2, 9000, 'refused'),
  ];
  assert.equal(severity({ events: [runs(5, OPEN_SSH), login(8)], flows }), 'high');
  const asa = [7000, 8000, 9000].map((port, i) =>
    line(
      i,
      `%ASA-4-106023 - - - %ASA-4-106023: Deny tcp src outside:${KNOCKER}/4500${i} dst inside:10.20.0.10/${port} by access-group "x"`,
      linux,
      'edge1',
    ),
  );
  assert.equal(severity({ events: [...asa, runs(5, OPEN_SSH), login(8)] }), 'high');
});

test('single-packet authorisation: one UDP packet and a rule for its very source within seconds', () => {
  const spa = packet(0, 62201, { protocol: 'UDP' });
  assert.equal(severity({ events: [spa, runs(2, OPEN_SSH)] }), 'low');
  assert.equal(severity({ events: [spa, runs(2, OPEN_SSH), login(4)] }), 'medium');
  assert.equal(severity({ events: [spa, runs(2, OPEN_SSH_TO_ALL)] }), undefined);
  assert.equal(severity({ events: [spa, runs(12, OPEN_SSH)] }), undefined);
  assert.equal(severity({ events: [packet(0, 62201), runs(2, OPEN_SSH)] }), undefined);
});

test('source rotation: one network is medium, unrelated sources low, and only where one of them is named or connects', () => {
  const hits = (sources: string[]) => sources.map((source, i) => packet(i, 7000 + 1000 * i, { source }));
  const near = hits(['203.0.113.7', '203.0.113.8', KNOCKER]);
  assert.equal(severity({ events: [...near, runs(5, OPEN_SSH), login(8)] }), 'medium');
  assert.equal(severity({ events: [...near, runs(5, OPEN_SSH_TO_ALL)] }), undefined);
  const far = hits(['198.51.100.1', '192.0.2.200', KNOCKER]);
  assert.equal(severity({ events: [...far, runs(5, OPEN_SSH), login(8)] }), 'low');
  assert.equal(severity({ events: [...far, runs(5, OPEN_SSH), login(8, '203.0.114.1')] }), 'low');
  assert.equal(severity({ events: [...far, runs(5, OPEN_SSH_TO_ALL)] }), undefined);
  const noise = Array.from({ length: 15 }, (_, i) => packet(i / 5, 1000 + i, { source: `198.51.100.${i}` }));
  assert.equal(severity({ events: [...far, ...noise, runs(5, OPEN_SSH), login(8)] }), undefined);
});

test('NAT between the sensors: a knock seen before it, the connection as an address of the router', () => {
  const flows = [flow(0, 7000, 'unanswered'), flow(1, 8000, 'unanswered'), flow(2, 9000, 'unanswered')];
  const verdict = best({ events: [runs(5, OPEN_SSH_TO_ALL), login(8, '192.0.2.1')], flows });
  assert.equal(verdict.severity, 'medium');
  assert.ok(verdict.notes.some((note) => note.startsWith('NAT considered')));
  // Any other address is somebody else.
  assert.equal(severity({ events: [runs(5, OPEN_SSH_TO_ALL), login(8, '198.51.100.1')], flows }), 'low');
});

test('a port scan is no knock: very many ports, or hits that go on whatever changes', () => {
  const scan = Array.from({ length: 30 }, (_, i) => packet(i / 10, 1000 + i));
  assert.equal(severity({ events: scan }), undefined);
  assert.equal(severity({ events: [...scan, runs(5, OPEN_SSH_TO_ALL), login(8)] }), undefined);
  const slow = Array.from({ length: 10 }, (_, i) => packet(i * 4, 1000 + i));
  assert.equal(severity({ events: [...slow, runs(20, OPEN_SSH_TO_ALL)] }), undefined);
  // fail2ban answers it with a ban: that closes.
  const ban =
    '/usr/sbin/iptables -w -I f2b-sshd 1 -s 203.0.113.9 -j REJECT --reject-with icmp-port-unreachable';
  assert.equal(severity({ events: [...KNOCK, runs(5, ban)] }), undefined);
  assert.equal(
    severity({
      events: [...KNOCK, runs(5, `/usr/sbin/nft add element inet f2b-table addr-set-sshd { ${KNOCKER} }`)],
    }),
    undefined,
  );
});

test('the kernel tells that the filter changed; the command of the same process tells how', () => {
  const commit = line(
    5,
    'audispd - - - type=NETFILTER_CFG msg=audit(1793585405.100:7): table=filter:9 family=2 entries=1 op=nft_register_rule pid=4242 subj=x comm="iptables"',
  );
  assert.equal(trigger(commit)?.kind, 'firewall-change');
  assert.equal(severity({ events: [...KNOCK, commit, login(8)] }), 'high');
  const exec = (command: string[]): Event => ({
    ...line(5, 'audispd - - - x'),
    kind: 'firewall-changed',
    pid: 4242,
    arguments: command,
    command: command.join(' '),
  });
  const ban = exec(['iptables', '-I', 'f2b-sshd', '1', '-s', KNOCKER, '-j', 'DROP']);
  assert.equal(severity({ events: [...KNOCK, ban, commit] }), undefined);
  assert.equal(severity({ events: [...KNOCK, commit] }), 'low');
});

test('listeners and services: a shell on a new port is critical, a port that was open before is low', () => {
  const listen = (seconds: number, port: number, executable: string): Event => ({
    ...line(seconds, 'audispd - - - x'),
    kind: 'listen',
    destinationPort: port,
    executable,
    effectiveUser: '0',
    pid: 9,
  });
  const flows = [flow(8, 4444, 'established')];
  const verdict = best({ events: [...KNOCK, listen(5, 4444, '/usr/bin/ncat')], flows });
  assert.equal(verdict.severity, 'critical');
  assert.equal(verdict.process?.executable, '/usr/bin/ncat');
  assert.equal(
    severity({
      events: [...KNOCK, listen(5, 2323, '/usr/sbin/dropbear')],
      flows: [flow(8, 2323, 'established')],
    }),
    'high',
  );
  const before = [flow(-60, 4444, 'established'), ...flows];
  assert.equal(severity({ events: [...KNOCK, listen(5, 4444, '/usr/bin/ncat')], flows: before }), 'low');
  const start = line(5, 'systemd 1 - - Started ssh.service - OpenBSD Secure Shell server.');
  assert.equal(severity({ events: [...KNOCK, start, login(8)] }), 'high');
  assert.equal(severity({ events: [start, login(8)] }), undefined);
  assert.equal(trigger({ ...listen(5, 4444, 'x'), destinationAddress: '127.0.0.1' }), undefined);
});

test('MgmtAllowList, automation with history and an approved ticket lower it', () => {
  const events = [...KNOCK, runs(5, OPEN_SSH_TO_ALL), login(8)];
  assert.equal(severity({ events, parameters: { MgmtAllowList: ['alice'] } }), 'low');
  assert.equal(severity({ events, parameters: { MgmtAllowList: ['ali'] } }), 'high');
  const change: Event = {
    ...line(5, 'audispd - - - x'),
    kind: 'firewall-changed',
    command: 'iptables -t nat -A DOCKER -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80',
    executable: '/usr/sbin/xtables-nft-multi',
    parentExecutable: '/usr/bin/dockerd',
    effectiveUser: '0',
  };
  const row: HistoryRow = {
    kind: 'firewall-changed',
    executable: '/usr/sbin/xtables-nft-multi',
    parentExecutable: '/usr/bin/dockerd',
    effectiveUser: '0',
    loginUser: '',
    unit: '',
    command: '',
    count: 90,
    days: 9,
    firstAtMs: 0,
    lastAtMs: 1,
  };
  assert.equal(severity({ events: [...KNOCK, change] }), 'low');
  assert.equal(severity({ events: [...KNOCK, change], evidence: { history: [row] } }), undefined);
  assert.equal(
    severity({ events: [...KNOCK, { ...change, loginUser: 'eve' }], evidence: { history: [row] } }),
    'low',
  );
  const ticket = { state: 'approved' as const, number: 'CHG1', reason: 'CHG1 covers it' };
  assert.equal(severity({ events, evidence: { ticket } }), 'medium');
});

test('what only looks on, only closes, or concerns another namespace is no trigger', () => {
  for (const command of [
    '/usr/sbin/iptables -L -n',
    '/usr/sbin/iptables -S',
    '/usr/sbin/nft list ruleset',
    '/usr/sbin/ufw status',
    '/usr/bin/firewall-cmd --list-all',
    '/usr/bin/firewall-cmd --permanent --add-port=22/tcp',
    '/usr/sbin/iptables -A INPUT -s 203.0.113.9 -j DROP',
    '/usr/sbin/ip netns exec lab iptables -A INPUT -j ACCEPT',
    '/usr/bin/grep iptables /etc/services',
    '/usr/bin/systemctl status ssh',
    '/usr/sbin/sshd -R',
    '/usr/sbin/iptables -D INPUT -s 203.0.113.9 -p tcp --dport 22 -j ACCEPT',
  ])
    assert.equal(trigger(runs(0, command)), undefined, command);
  for (const [command, kind] of [
    [OPEN_SSH, 'firewall-change'],
    ['/usr/sbin/nft add rule inet filter input tcp dport 22 accept', 'firewall-change'],
    ['/usr/sbin/ufw allow from 203.0.113.9 to any port 22', 'firewall-change'],
    ['/usr/bin/firewall-cmd --add-port=2222/tcp', 'firewall-change'],
    ['/usr/sbin/iptables -F', 'firewall-change'],
    ['/usr/bin/systemctl stop firewalld', 'firewall-change'],
    ['/usr/bin/systemctl start sshd', 'service-start'],
    ['/usr/sbin/dropbear -p 2323', 'service-start'],
  ])
    assert.equal(trigger(runs(0, command))?.kind, kind, command);
  assert.equal(
    trigger(line(0, "firewalld 7 - - DEBUG1: zone.addPort('public', '22', 'tcp')"))?.kind,
    'firewall-change',
  );
  assert.equal(
    trigger(
      line(
        0,
        'knockd 7 - - opencloseSSH: running command: /sbin/iptables -I INPUT 3 -s 203.0.113.9 -p tcp --dport 22 -j ACCEPT',
      ),
    )?.kind,
    'firewall-change',
  );
});

test('it is settled once the lines of the time have arrived and nothing could grow', () => {
  const quiet = { events: [runs(5, OPEN_SSH_TO_ALL)] };
  assert.equal(best({ ...quiet, askedAt: 10 }).isSettled, false);
  assert.equal(best({ ...quiet, askedAt: 160 }).isSettled, true);
  const knocked = { events: [...KNOCK, runs(5, OPEN_SSH_TO_ALL)] };
  assert.equal(best({ ...knocked, askedAt: 160 }).isSettled, false);
});

test('a knock that follows another change closely belongs to its question and is found', () => {
  const events = [
    runs(
      -20,
      '/usr/sbin/iptables -t nat -A DOCKER -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80',
    ),
    ...KNOCK,
    runs(5, OPEN_SSH),
    login(8),
  ];
  assert.equal(verdictsOf(an0843, { events }).length, 1);
  assert.equal(severity({ events }), 'high');
});

test('a flood of refused sources, connections and changes is judged in bounded time, and hides no knock', () => {
  const flows = Array.from({ length: 20_000 }, (_, i) =>
    flow(-100 + i / 100, i % 4 === 0 ? 22 : 1000 + (i % 5), i % 4 === 0 ? 'established' : 'refused', {
      source: `198.51.${Math.floor(i / 40) % 256}.${i % 8}`,
      sourcePort: i,
    }),
  );
  const more = Array.from({ length: 60 }, (_, i) => runs(6 + i / 2, OPEN_SSH_TO_ALL));
  const startedAtMs = performance.now();
  assert.equal(severity({ events: [...KNOCK, runs(5, OPEN_SSH), ...more, login(8)], flows }), 'high');
  assert.ok(performance.now() - startedAtMs < 8000);
});

test('a service that starts and the port that it takes are one question', () => {
  const started = trigger(runs(0, '/usr/sbin/dropbear -p 2323'));
  assert.equal(
    started?.key,
    trigger(runs(0, '/usr/sbin/nft add rule inet filter input tcp dport 22 accept'))?.key,
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { createAuditJoiner } from '../../src/events/audit-join.ts';
import { parseEvent } from '../../src/events/parse.ts';
import type { Event } from '../../src/model/event.ts';

const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7);
const AT_MS = Date.UTC(2026, 10, 2, 2, 11, 5, 250);
/** As a file has it, and as it comes behind a header. */
const HEADERS = [
  '',
  '<14>Nov  2 02:11:06 sensor1 shipper[7]: ',
  '<14>1 2026-11-02T02:11:06Z sensor1 shipper - - - ',
];
const parse = (value: unknown, header = '') =>
  parseEvent(`${header}${JSON.stringify(value)}`, '192.0.2.1', NOW_MS);

/** -> one event a row, as the receiver makes them. */
function rows(value: unknown): Event[] {
  const events: Event[] = [];
  const joiner = createAuditJoiner((event) => events.push(event));
  joiner.push(parse(value), NOW_MS);
  joiner.end();
  return events;
}

const osquery = (columns: object, action = 'added') => ({
  name: 'pack_hosts_any',
  hostIdentifier: 'web1',
  calendarTime: 'Mon Nov  2 02:11:09 2026 UTC',
  unixTime: '1793585469',
  epoch: 0,
  counter: 3,
  columns,
  action,
});
const PROCESS = {
  pid: '12',
  path: '/usr/sbin/nft',
  cmdline: 'nft flush ruleset',
  parent: '11',
  uid: '1000',
  euid: '0',
  auid: '1000',
  time: String(AT_MS / 1000),
};
const PEERS = {
  local_address: '198.51.100.1',
  local_port: '50000',
  remote_address: '203.0.113.9',
  remote_port: '443',
};
const mac = (processImagePath: string, eventMessage: string, more: object = {}) => ({
  timestamp: '2026-11-02 03:11:05.250000+0100',
  processImagePath,
  processID: 112,
  eventMessage,
  subsystem: '',
  category: '',
  senderImagePath: processImagePath,
  ...more,
});
const zeek = (more: object) => ({
  ts: AT_MS / 1000,
  uid: 'C1',
  'id.orig_h': '192.0.2.9',
  'id.orig_p': 40_000,
  'id.resp_h': '198.51.100.1',
  'id.resp_p': 7000,
  proto: 'tcp',
  conn_state: 'REJ',
  history: 'Sr',
  orig_pkts: 1,
  resp_pkts: 1,
  ...more,
});

const lines: [name: string, value: unknown, expected: Partial<Event>][] = [
  [
    'Zeek, refused',
    zeek({}),
    {
      kind: 'connect',
      program: 'zeek',
      action: 'REJ',
      observedAtMs: AT_MS,
      sourceAddress: '192.0.2.9',
      sourcePort: 40_000,
      destinationAddress: '198.51.100.1',
      destinationPort: 7000,
      protocol: 'tcp',
    },
  ],
  [
    'Zeek, ISO time',
    zeek({ ts: '2026-11-02T02:11:05.250000Z', conn_state: 'S0' }),
    { kind: 'connect', action: 'S0', observedAtMs: AT_MS },
  ],
  [
    'Zeek, ICMP has no ports',
    zeek({ proto: 'icmp', 'id.orig_h': '2001:DB8::9', 'id.resp_h': '2001:db8::1', conn_state: 'OTH' }),
    {
      kind: 'connect',
      protocol: 'icmpv6',
      sourceAddress: '2001:db8::9',
      sourcePort: undefined,
      destinationPort: undefined,
    },
  ],
  [
    'another log of Zeek',
    { ...zeek({}), conn_state: undefined, query: 'x' },
    { kind: 'other', program: undefined },
  ],
  [
    'osquery process_events',
    osquery(PROCESS),
    {
      kind: 'firewall-changed',
      program: 'osqueryd',
      host: 'web1',
      observedAtMs: Math.floor(AT_MS / 1000) * 1000 + 250,
      command: 'nft flush ruleset',
      executable: '/usr/sbin/nft',
      pid: 12,
      parentPid: 11,
      effectiveUser: '0',
      loginUser: '1000',
    },
  ],
  [
    'osquery, a row that goes',
    osquery(PROCESS, 'removed'),
    { kind: 'other', command: undefined, action: 'removed' },
  ],
  [
    'osquery bpf_process_events',
    osquery({
      tid: '12',
      pid: '12',
      parent: '11',
      uid: '1000',
      path: '/usr/bin/socat',
      cmdline: 'socat - TCP:203.0.113.9:443',
      json_cmdline: '["socat","-","TCP:203.0.113.9:443"]',
      ntime: '5',
      parent_path: '/bin/bash',
    }),
    {
      kind: 'command',
      arguments: ['socat', '-', 'TCP:203.0.113.9:443'],
      executable: '/usr/bin/socat',
      parentExecutable: '/bin/bash',
      effectiveUser: '1000',
      loginUser: undefined,
      observedAtMs: 1_793_585_469_000,
    },
  ],
  [
    'osquery socket_events, bind',
    osquery({
      ...PROCESS,
      cmdline: undefined,
      action: 'bind',
      protocol: '6',
      local_address: '0.0.0.0',
      local_port: '2323',
      remote_address: '',
      remote_port: '0',
      success: '1',
    }),
    {
      kind: 'listen',
      action: 'bind',
      destinationAddress: '0.0.0.0',
      destinationPort: 2323,
      protocol: 'tcp',
      pid: 12,
    },
  ],
  [
    'osquery socket_events, a bind that failed',
    osquery({
      action: 'bind',
      pid: '1',
      path: '/x',
      local_address: '0.0.0.0',
      local_port: '22',
      remote_address: '',
      remote_port: '0',
      success: '0',
    }),
    { kind: 'other' },
  ],
  [
    'osquery socket_events, connect',
    osquery({ ...PEERS, action: 'connect', pid: '1', path: '/usr/bin/socat', protocol: '6' }),
    {
      kind: 'connect',
      sourceAddress: '198.51.100.1',
      sourcePort: 50_000,
      destinationAddress: '203.0.113.9',
      destinationPort: 443,
      executable: '/usr/bin/socat',
    },
  ],
  [
    'osquery bpf_socket_events, accept',
    osquery({
      ...PEERS,
      local_port: '22',
      remote_port: '50000',
      syscall: 'accept4',
      pid: '1',
      path: '/usr/sbin/sshd',
      protocol: '6',
    }),
    {
      kind: 'connect',
      action: 'accept4',
      sourceAddress: '203.0.113.9',
      sourcePort: 50_000,
      destinationPort: 22,
    },
  ],
  [
    'osquery process_open_sockets: the lower port is the server',
    osquery({
      ...PEERS,
      local_port: '22',
      remote_port: '50000',
      state: 'ESTABLISHED',
      pid: '1',
      fd: '3',
      protocol: '6',
      path: '',
    }),
    { kind: 'connect', action: 'ESTABLISHED', sourceAddress: '203.0.113.9', destinationPort: 22 },
  ],
  [
    'osquery listening_ports',
    osquery({ pid: '12', port: '2323', protocol: '6', family: '2', address: '0.0.0.0', path: '' }),
    {
      kind: 'listen',
      action: 'added',
      destinationPort: 2323,
      destinationAddress: '0.0.0.0',
      protocol: 'tcp',
    },
  ],
  [
    'osquery listening_ports, a local socket',
    osquery({ pid: '12', port: '0', address: '', path: '/run/x' }),
    { kind: 'other' },
  ],
  [
    'osquery iptables',
    osquery({ filter_name: 'filter', chain: 'INPUT', policy: 'ACCEPT', target: 'ACCEPT', protocol: '6' }),
    { kind: 'firewall-changed', action: 'added' },
  ],
  [
    'osquery, another table',
    osquery({ version: '1' }),
    { kind: 'other', program: 'osqueryd', action: 'added' },
  ],
  [
    'macOS stealth mode',
    mac(
      '/usr/libexec/ApplicationFirewall/socketfilterfw',
      'Stealth Mode connection attempt to TCP 198.51.100.1:7000 from 192.0.2.9:40000',
      { subsystem: 'com.apple.alf' },
    ),
    {
      kind: 'firewall-drop',
      program: 'socketfilterfw',
      observedAtMs: AT_MS,
      sourceAddress: '192.0.2.9',
      destinationAddress: '198.51.100.1',
      destinationPort: 7000,
      protocol: 'tcp',
      pid: 112,
    },
  ],
  [
    'macOS stealth mode, of the kernel',
    mac('/kernel', 'Stealth Mode connection attempt to UDP 198.51.100.1:7000 from 192.0.2.9:40000'),
    { kind: 'firewall-drop', program: 'kernel', protocol: 'udp' },
  ],
  [
    'macOS sudo pfctl',
    mac(
      '/usr/bin/sudo',
      '   alice : TTY=ttys001 ; PWD=/Users/alice ; USER=root ; COMMAND=/sbin/pfctl -a com.example -f /etc/pf.anchors/x',
    ),
    {
      kind: 'firewall-changed',
      user: 'alice',
      command: '/sbin/pfctl -a com.example -f /etc/pf.anchors/x',
      tty: 'ttys001',
    },
  ],
  [
    'macOS sudo launchctl',
    mac(
      '/usr/bin/sudo',
      'alice : TTY=ttys001 ; PWD=/ ; USER=root ; COMMAND=/bin/launchctl load -w /System/Library/LaunchDaemons/ssh.plist',
    ),
    { kind: 'command', command: '/bin/launchctl load -w /System/Library/LaunchDaemons/ssh.plist' },
  ],
  [
    'macOS pfctl',
    mac('/sbin/pfctl', 'pf enabled'),
    { kind: 'firewall-changed', action: 'pf enabled', executable: '/sbin/pfctl' },
  ],
  [
    'macOS pfctl runs',
    mac('/sbin/pfctl', 'something new'),
    { kind: 'command', command: 'pfctl', executable: '/sbin/pfctl' },
  ],
  [
    'macOS anchor',
    mac('/sbin/pfctl', 'loaded anchor "com.example" from /etc/pf.anchors/x'),
    { kind: 'firewall-changed' },
  ],
  [
    'macOS, an audited start',
    mac('/bin/zsh', '/sbin/pfctl -d'),
    { kind: 'firewall-changed', command: '/sbin/pfctl -d' },
  ],
  ['macOS, looking on', mac('/bin/zsh', '/sbin/pfctl -sr'), { kind: 'command', command: '/sbin/pfctl -sr' }],
  [
    'macOS application firewall is switched off',
    mac('/bin/zsh', '/usr/libexec/ApplicationFirewall/socketfilterfw --setglobalstate off'),
    { kind: 'firewall-changed' },
  ],
  [
    'macOS sshd',
    mac('/usr/sbin/sshd', 'Accepted publickey for alice from 192.0.2.9 port 40001 ssh2: ED25519 SHA256:x'),
    { kind: 'login-accepted', program: 'sshd', user: 'alice', sourceAddress: '192.0.2.9' },
  ],
  [
    'macOS launchd',
    mac('/sbin/launchd', 'system/com.openssh.sshd.1 [77]: Successfully spawned sshd[77] because inetd'),
    { kind: 'service-started', unit: 'com.openssh.sshd.1' },
  ],
  ['macOS, anything else', mac('/usr/sbin/bluetoothd', 'it rains'), { kind: 'other', program: 'bluetoothd' }],
];

for (const [name, value, expected] of lines) {
  test(`${name}: ${expected.kind}`, () => {
    for (const header of name === 'another log of Zeek' ? [''] : HEADERS) {
      const event = parse(value, header);
      const told = Object.fromEntries(Object.keys(expected).map((key) => [key, event[key as keyof Event]]));
      assert.deepEqual(told, expected);
      assert.ok(event.raw.includes('{'));
    }
  });
}

test('snapshots and batches are one event a row; the first keeps the line, the others their row', () => {
  const port = (port: string) => ({ pid: '12', port, protocol: '6', address: '0.0.0.0', path: '' });
  const base = { name: 'listening', hostIdentifier: 'web1', unixTime: 1_793_585_469 };
  const snapshot = { ...base, snapshot: [port('22'), port('80'), port('2323')], action: 'snapshot' };
  assert.deepEqual(
    rows(snapshot).map(({ kind, action, destinationPort, host, program, observedAtMs }) => [
      kind,
      action,
      destinationPort,
      host,
      program,
      observedAtMs,
    ]),
    [22, 80, 2323].map((one) => ['listen', 'snapshot', one, 'web1', 'osqueryd', 1_793_585_469_000]),
  );
  assert.deepEqual(
    rows(snapshot).map(({ raw }) => raw.length < JSON.stringify(snapshot).length),
    [false, true, true],
  );
  const batch = rows({ ...base, diffResults: { added: [port('22'), port('80')], removed: [port('8080')] } });
  assert.deepEqual(
    batch.map(({ kind, action, destinationPort }) => [kind, action, destinationPort]),
    [
      ['listen', 'added', 22],
      ['listen', 'added', 80],
      ['other', 'removed', 8080],
    ],
  );
});

test('rows are bounded, and secrets in any of them are removed', () => {
  const process = (cmdline: string) => ({ ...PROCESS, cmdline });
  const many = {
    name: 'p',
    hostIdentifier: 'h',
    unixTime: 1,
    snapshot: Array.from({ length: 900 }, () => ({ chain: 'x', filter_name: 'f' })),
  };
  assert.equal(rows(many).length, 512);
  const secret = rows({
    name: 'p',
    hostIdentifier: 'h',
    unixTime: 1_793_585_469,
    snapshot: [
      process('id'),
      process('sshpass -p s3cr3tword ssh host'),
      process('curl https://bob:s3cr3tword@host/'),
    ],
  });
  assert.equal(secret.length, 3);
  for (const event of secret.slice(1)) assert.ok(!JSON.stringify(event).includes('s3cr3tword'), event.raw);
});

test('JSON of strangers: no exception, no exhaustion, and control characters go', () => {
  const deep = `{"columns":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
  const hostile = [
    deep,
    `{"columns":${'{"a":'.repeat(12_000)}`,
    '{"id.orig_h":',
    '{"columns":{"cmdline":{},"path":[],"pid":{}},"name":"x","unixTime":{}}',
    '{"snapshot":[null,1,"x",[]],"name":"x","unixTime":1e400}',
    '{"processImagePath":5,"eventMessage":null}',
    '{"processImagePath":"/","eventMessage":{}}',
    '{"__proto__":{"columns":1},"columns":{"__proto__":{},"constructor":1},"name":"x","unixTime":1}',
    `{"id.orig_h":"${'1'.repeat(60_000)}","id.resp_h":"::1","conn_state":"SF"}`,
    '{"id.orig_h":"1.1.1.1","id.resp_h":"2.2.2.2","conn_state":"SF","ts":-1,"id.orig_p":99999999,"proto":[]}',
  ];
  for (const line of hostile) {
    const started = performance.now();
    const event = parseEvent(line, '192.0.2.1', NOW_MS);
    assert.ok(performance.now() - started < 200, line.slice(0, 40));
    assert.equal(event.receivedAtMs, NOW_MS);
  }
  const event = parse(osquery({ ...PROCESS, cmdline: 'id \u001b[31m\u0007', path: '/x\n<script>' }));
  assert.deepEqual([event.command, event.executable], ['id \ufffd[31m\ufffd', '/x\ufffd<script>']);
});

test('what is longer than a line may be is not parsed', () => {
  const event = parse(osquery({ ...PROCESS, cmdline: 'x'.repeat(70_000) }));
  assert.equal(event.kind, 'other');
});

test('twenty thousand mutated lines: no exception, nothing raw that a terminal would obey', () => {
  const seeds = lines.map(([, value]) => JSON.stringify(value));
  const pieces = [
    '"',
    '{',
    '}',
    '[',
    ']',
    ':',
    '\\u001b',
    '\\ud800',
    '1e999',
    '-',
    'null',
    '\u0000',
    '\u202e',
    '9'.repeat(400),
  ];
  let state = 12_345;
  const next = (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % bound;
  };
  const kinds = new Set<string>();
  const joiner = createAuditJoiner((event) => {
    kinds.add(event.kind);
    assert.doesNotMatch(
      [
        event.raw,
        event.message,
        event.command,
        event.executable,
        event.host,
        event.program,
        event.action,
      ].join(),
      /[\u0000-\u001f\u007f-\u009f\u202e]/,
    );
  });
  for (let i = 0; i < 20_000; i++) {
    let line = seeds[next(seeds.length)];
    for (let n = next(4); n >= 0; n--) {
      const at = next(line.length);
      line = line.slice(0, at) + pieces[next(pieces.length)] + line.slice(at + next(6));
    }
    joiner.push(parseEvent(line, '192.0.2.1', NOW_MS), NOW_MS);
  }
  joiner.end();
  assert.ok(kinds.size > 5, 'many of them are still read');
});

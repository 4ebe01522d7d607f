import assert from 'node:assert/strict';
import test from 'node:test';
import { createAuditJoiner } from '../../src/events/audit-join.ts';
import { parseEvent } from '../../src/events/parse.ts';
import type { Event } from '../../src/model/event.ts';

const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7);
const parse = (line: string) => parseEvent(`<86>Nov  2 02:11:05 h1 ${line}`, '192.0.2.1', NOW_MS);
const P = { sourceAddress: '192.0.2.9', sourcePort: 4444 };

const lines: [line: string, expected: Partial<Event>][] = [
  [
    'sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/sbin/nft flush ruleset',
    {
      kind: 'firewall-changed',
      user: 'alice',
      effectiveUser: 'root',
      tty: 'pts/0',
      command: '/usr/sbin/nft flush ruleset',
    },
  ],
  [
    'sudo: deploy : HOST=h1 ; TTY=unknown ; PWD=/ ; USER=www ; GROUP=adm ; TSID=000001 ; ENV=A=b ; COMMAND=/usr/bin/id',
    { kind: 'command', user: 'deploy', effectiveUser: 'www', tty: undefined, command: '/usr/bin/id' },
  ],
  [
    'sudo: alice : a password is required ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/sbin/nft flush ruleset',
    { kind: 'login-failed', user: 'alice', command: undefined },
  ],
  [
    'sudo: eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/sbin/nft flush ruleset',
    { kind: 'other', user: 'eve', action: 'user NOT in sudoers', command: undefined },
  ],
  ['sudo: alice : unable to resolve host h1', { kind: 'other', user: undefined }],
  [
    'sshd[5]: Server listening on 0.0.0.0 port 2323.',
    { kind: 'listen', destinationAddress: '0.0.0.0', destinationPort: 2323 },
  ],
  [
    'sshd[5]: Server listening on :: port 22.',
    { kind: 'listen', destinationAddress: '::', destinationPort: 22 },
  ],
  [
    'sshd[5]: Connection from 192.0.2.9 port 4444 on 198.51.100.1 port 22 rdomain ""',
    { kind: 'connect', ...P, destinationAddress: '198.51.100.1', destinationPort: 22 },
  ],
  ['sshd[5]: Did not receive identification string from 192.0.2.9 port 4444', { kind: 'connect', ...P }],
  ['sshd[5]: Connection closed by 192.0.2.9 port 4444 [preauth]', { kind: 'connect', ...P }],
  ['sshd[5]: Connection closed by authenticating user x 192.0.2.9 port 4444 [preauth]', { kind: 'other' }],
  [
    'sshd[5]: Accepted password for alice from 2001:DB8:0::9 port 4444 ssh2',
    { kind: 'login-accepted', sourceAddress: '2001:db8::9' },
  ],
  [
    'sshd[5]: Accepted password for alice from fe80::9%eth0 port 4444 ssh2',
    { kind: 'login-accepted', sourceAddress: 'fe80::9' },
  ],
  ['dropbear[5]: Child connection from 192.0.2.9:4444', { kind: 'connect', ...P }],
  ['dropbear[5]: Child connection from ::ffff:192.0.2.9:4444', { kind: 'connect', ...P }],
  [
    "dropbear[5]: Pubkey auth succeeded for 'alice' with ssh-ed25519 key SHA256:x from 192.0.2.9:4444",
    { kind: 'login-accepted', user: 'alice', ...P },
  ],
  [
    "dropbear[5]: Bad password attempt for 'alice' from 192.0.2.9:4444",
    { kind: 'login-failed', user: 'alice', ...P },
  ],
  ['in.telnetd[7]: connect from 192.0.2.9 (192.0.2.9)', { kind: 'connect', sourceAddress: '192.0.2.9' }],
  [
    'xinetd[7]: START: telnet pid=77 from=::ffff:192.0.2.9',
    { kind: 'connect', sourceAddress: '192.0.2.9', unit: 'telnet', pid: 77 },
  ],
  [
    'login[77]: LOGIN ON pts/3 BY alice FROM 192.0.2.9',
    { kind: 'login-accepted', user: 'alice', sourceAddress: '192.0.2.9' },
  ],
  [
    'login[77]: ROOT LOGIN ON pts/3 FROM 192.0.2.9',
    { kind: 'login-accepted', tty: 'pts/3', sourceAddress: '192.0.2.9' },
  ],
  [
    "login[77]: FAILED LOGIN (1) on '/dev/pts/0' from '192.0.2.9' FOR 'alice', Authentication failure",
    { kind: 'login-failed', user: 'alice', sourceAddress: '192.0.2.9' },
  ],
  [
    'su[7]: (to root) alice on pts/1',
    { kind: 'login-accepted', user: 'alice', effectiveUser: 'root', tty: 'pts/1' },
  ],
  [
    'systemd[1]: Started telnet@3-198.51.100.1:23-192.0.2.9:4444.service - Telnet Server.',
    { kind: 'connect', ...P, destinationAddress: '198.51.100.1', destinationPort: 23, unit: 'telnet' },
  ],
  ['systemd[1]: Listening on sshd.socket - OpenSSH Server Socket.', { kind: 'listen', unit: 'sshd.socket' }],
  ['systemd[1]: Listening on dbus.socket - D-Bus System Message Bus Socket.', { kind: 'other' }],
  [
    'systemd[1]: Stopped nftables.service - nftables.',
    { kind: 'firewall-changed', unit: 'nftables', action: 'Stopped' },
  ],
  [
    'systemd[1]: Stopped firewalld - dynamic firewall daemon.',
    { kind: 'firewall-changed', unit: 'firewalld', action: 'Stopped' },
  ],
  [
    'systemd[1]: Started Uncomplicated firewall.',
    { kind: 'firewall-changed', unit: 'ufw', action: 'Started' },
  ],
  [
    'systemd[1]: Stopped Netfilter Tables.',
    { kind: 'firewall-changed', unit: 'nftables', action: 'Stopped' },
  ],
  [
    'systemd[1]: Stopped netfilter persistent configuration.',
    { kind: 'firewall-changed', unit: 'netfilter-persistent' },
  ],
  [
    'systemd[1]: Failed to start ufw.service - Uncomplicated firewall.',
    { kind: 'firewall-changed', unit: 'ufw', action: 'Failed to start' },
  ],
  [
    "systemd[1]: nftables.service: Failed with result 'exit-code'.",
    { kind: 'firewall-changed', unit: 'nftables', action: 'Failed' },
  ],
  ['systemd[1]: Stopping nftables.service - nftables...', { kind: 'other' }],
  [
    'systemd[1]: Started nftables-exporter.service - Exporter.',
    { kind: 'service-started', unit: 'nftables-exporter' },
  ],
  [
    'ufw[9]: Firewall stopped and disabled on system startup',
    { kind: 'firewall-changed', action: 'Firewall stopped and disabled' },
  ],
  ['ufw-init[9]: Skip starting firewall: ufw (not enabled)...done.', { kind: 'other' }],
  ['knockd: 192.0.2.9: openSSH: Stage 1', { kind: 'other', action: 'Stage 1', sourceAddress: '192.0.2.9' }],
  [
    'knockd: 2001:db8::9: openSSH: OPEN SESAME',
    { kind: 'other', action: 'OPEN SESAME', sourceAddress: '2001:db8::9' },
  ],
  [
    'knockd: openSSH: running command: /sbin/iptables -I INPUT -s 192.0.2.9 -j ACCEPT',
    { kind: 'firewall-changed' },
  ],
  [
    'fail2ban.actions[88]: NOTICE [sshd] Ban 192.0.2.9',
    { kind: 'other', action: 'Ban', unit: 'sshd', sourceAddress: '192.0.2.9' },
  ],
  [
    'fail2ban-server[88]: fail2ban.actions        [88]: NOTICE  [sshd] Unban 192.0.2.9',
    { kind: 'other', action: 'Unban', sourceAddress: '192.0.2.9' },
  ],
  [
    'dockerd[1]: time="2026-11-02T02:11:05Z" level=info msg="Firewalld: docker zone already exists"',
    { kind: 'other', sourceAddress: undefined },
  ],
  [
    'containerd[1]: time="x" level=info msg="connecting to shim" address="unix:///run/x" version=3',
    { kind: 'other', sourceAddress: undefined },
  ],
];

for (const [line, expected] of lines) {
  test(`${expected.kind}: ${line.slice(0, 90)}`, () => {
    const event = parse(line);
    const told = Object.fromEntries(Object.keys(expected).map((key) => [key, event[key as keyof Event]]));
    assert.deepEqual(told, expected);
  });
}

const routes: [name: string, line: string][] = [
  [
    'ASA tracked',
    '%ASA-6-622001: Removing tracked route 0.0.0.0 0.0.0.0 192.0.2.1, distance 1, table default, on interface outside',
  ],
  ['ASA OSPF', '%ASA-5-503001: Process 1, Nbr 192.0.2.3 on inside from FULL to DOWN, Neighbor Down'],
  [
    'ASA EIGRP',
    '%ASA-5-336010: EIGRP-IPv4: PDM(1 1): Neighbor 192.0.2.3 (inside) is down: holding time expired',
  ],
  ['ASA BGP', '%ASA-5-418018: neighbor 192.0.2.3 Down User reset'],
  [
    'ASA static',
    "%ASA-5-111010: User 'alice', running 'CLI' from IP 192.0.2.9, executed 'route outside 203.0.113.0 255.255.255.0 192.0.2.254 1'",
  ],
  ['IOS BGP', '%BGP-5-ADJCHANGE: neighbor 192.0.2.3 Down BGP Notification sent'],
  ['IOS OSPF', '%OSPF-5-ADJCHG: Process 1, Nbr 192.0.2.3 on GigabitEthernet0/0 from FULL to DOWN'],
  ['IOS EIGRP', '%DUAL-5-NBRCHANGE: EIGRP-IPv4 1: Neighbor 192.0.2.3 (Gi0/1) is down: holding time expired'],
  ['IOS IS-IS', '%CLNS-5-ADJCHANGE: ISIS: Adjacency to R2 (GigabitEthernet0/1) Down, hold time expired'],
  [
    'IOS static',
    '%PARSER-5-CFGLOG_LOGGEDCMD: User:alice  logged command:no ip route 0.0.0.0 0.0.0.0 203.0.113.9',
  ],
  ['Junos BGP', 'rpd[7]: bgp_peer_mgmt_clear:1: NOTIFICATION sent to 192.0.2.3 (External AS 65001)'],
  [
    'Junos BGP state',
    'rpd[7]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 192.0.2.3 changed state from Established to Idle',
  ],
  ['Junos OSPF', 'rpd[7]: RPD_OSPF_NBRDOWN: OSPF neighbor 192.0.2.3 state changed from Full to Down'],
  ['Junos IS-IS', 'rpd[7]: RPD_ISIS_ADJDOWN: IS-IS lost L2 adjacency to r2 on ge-0/0/0.0'],
  [
    'Junos static',
    `mgd[7]: UI_CFG_AUDIT_SET: User 'alice' set: [routing-options static route 0.0.0.0/0 next-hop] "192.0.2.254"`,
  ],
  [
    'FortiOS BGP',
    'date=2026-11-02 time=02:11:04 logid="0103020300" type="event" subtype="router" logdesc="BGP neighbor status changed" msg="x"',
  ],
  [
    'FortiOS monitor',
    'date=2026-11-02 time=02:11:04 logid="0100022922" type="event" subtype="system" logdesc="Static route is removed" msg="x"',
  ],
  [
    'PAN-OS BGP',
    '1,2026/11/02 02:11:04,007000000000001,SYSTEM,routing,0,2026/11/02 02:11:04,,routed-BGP-peer-left-established,vr1,0,0,general,medium,"left",1,0x0',
  ],
  [
    'PAN-OS OSPF',
    '1,2026/11/02 02:11:04,007000000000001,SYSTEM,routing,0,2026/11/02 02:11:04,,routed-OSPF-neighbor-down,vr1,0,0,general,medium,"down",1,0x0',
  ],
  [
    'PAN-OS monitored',
    '1,2026/11/02 02:11:04,007000000000001,SYSTEM,routing,0,2026/11/02 02:11:04,,path-monitor-failure,vr1,0,0,general,medium,"down",1,0x0',
  ],
  ['RouterOS OSPF', 'route,ospf,info OSPFv2 neighbor 192.0.2.3: state change from Full to Down'],
  [
    'RouterOS OSPF 7',
    'ospf,info ospf-1 { version: 2 router-id: 192.0.2.1 } backbone { 0.0.0.0 } neighbor { 192.0.2.3 } state change to Full',
  ],
  ['RouterOS BGP', 'route,bgp,info Peer uplink established'],
];

for (const [name, line] of routes) {
  test(`a route changed: ${name}`, () => {
    const event = parseEvent(`<189>${line}`, '192.0.2.1', NOW_MS);
    assert.equal(event.kind, 'route-changed');
  });
}

test('what is no route changes none', () => {
  for (const line of [
    '%PARSER-5-CFGLOG_LOGGEDCMD: User:alice  logged command:ip nat inside source static 10.0.0.1 203.0.113.9',
    "%ASA-5-111010: User 'alice', running 'CLI' from IP 192.0.2.9, executed 'show route outside'",
    `mgd[7]: UI_CFG_AUDIT_SET: User 'alice' set: [system host-name] "routing-options"`,
    '1,2026/11/02 02:11:04,007000000000001,SYSTEM,general,0,2026/11/02 02:11:04,,general,vr1,0,0,general,medium,"x",1,0x0',
  ])
    assert.notEqual(parseEvent(`<189>${line}`, '192.0.2.1', NOW_MS).kind, 'route-changed', line);
});

const at = (serial: number) => `msg=audit(1793585465.250:${serial})`;

function join(lines: readonly string[]) {
  const events: Event[] = [];
  const joiner = createAuditJoiner((event) => events.push(event));
  for (const line of lines) joiner.push(parseEvent(line, '192.0.2.1', NOW_MS), NOW_MS);
  joiner.end();
  return { events, counters: joiner.counters };
}

test('audited logins: over the network they are logins, of sudo and cron they are not', () => {
  const user = (type: string, msg: string) =>
    join([`node=web1 type=${type} ${at(9)}: pid=77 uid=0 auid=1000 ses=3 msg='${msg}'`]).events.map(
      ({ kind, user: name, sourceAddress, node }) => [kind, name, sourceAddress, node],
    )[0];
  const sshd = 'exe="/usr/sbin/sshd" hostname=192.0.2.9 addr=192.0.2.9 terminal=ssh';
  assert.deepEqual(user('USER_LOGIN', `op=login id=1000 ${sshd} res=success`), [
    'login-accepted',
    '1000',
    '192.0.2.9',
    'web1',
  ]);
  assert.deepEqual(user('USER_LOGIN', `op=login acct=28696E76616C6964207573657229 ${sshd} res=failed`), [
    'login-failed',
    '(invalid user)',
    '192.0.2.9',
    'web1',
  ]);
  assert.deepEqual(user('CRED_ACQ', `op=PAM:setcred acct="alice" ${sshd} res=success`), [
    'login-accepted',
    'alice',
    '192.0.2.9',
    'web1',
  ]);
  assert.deepEqual(
    user(
      'CRED_ACQ',
      'op=PAM:setcred acct="root" exe="/usr/sbin/cron" hostname=? addr=? terminal=cron res=success',
    ),
    ['other', 'root', undefined, 'web1'],
  );
  assert.deepEqual(
    user(
      'USER_AUTH',
      'op=PAM:authentication acct="alice" exe="/usr/bin/sudo" hostname=? addr=? terminal=pts/0 res=success',
    ),
    ['other', 'alice', undefined, 'web1'],
  );
});

test('an accepted connection names its peer as the source, also by the one call of i386', () => {
  for (const [arch, syscall, a0] of [
    ['c000003e', 288, '3'],
    ['c00000b7', 202, '3'],
    ['40000003', 102, '5'],
  ]) {
    const { events } = join([
      `node=web1 type=SYSCALL ${at(3)}: arch=${arch} syscall=${syscall} success=yes exit=4 a0=${a0} a1=0 ppid=1 pid=12 auid=4294967295 uid=0 exe="/usr/sbin/in.telnetd"`,
      `node=web1 type=SOCKADDR ${at(3)}: saddr=0200115CC0000209`,
      `node=web1 type=EOE ${at(3)}: `,
    ]);
    assert.deepEqual(
      events.map(({ kind, sourceAddress, sourcePort, destinationAddress, executable, node }) => [
        kind,
        sourceAddress,
        sourcePort,
        destinationAddress,
        executable,
        node,
      ]),
      [['connect', '192.0.2.9', 4444, undefined, '/usr/sbin/in.telnetd', 'web1']],
    );
  }
});

test('EOE behind PROCTITLE is let go of and counted; one without its event is kept', () => {
  const { events, counters } = join([
    `type=SYSCALL ${at(3)}: arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=12 exe="/usr/bin/id"`,
    `type=PROCTITLE ${at(3)}: proctitle="id"`,
    `type=EOE ${at(3)}: `,
    `type=EOE ${at(4)}: `,
  ]);
  assert.equal(events.length, 2);
  assert.match(events[1].raw, /:4\)/);
  assert.equal(counters.lateEnds, 1);
});

test('of several tables in one commit the one that loses something is told', () => {
  const { events } = join([
    `type=NETFILTER_CFG ${at(3)}: table=nat:4 family=2 entries=1 op=nft_register_rule pid=12 comm="nft"`,
    `type=NETFILTER_CFG ${at(3)}: table=filter:4 family=2 entries=9 op=nft_unregister_rule pid=12 comm="nft"`,
    `type=SYSCALL ${at(3)}: arch=c000003e syscall=46 success=yes exit=0 ppid=1 pid=12 exe="/usr/sbin/nft"`,
    `type=EXECVE ${at(3)}: argc=3 a0="nft" a1="-f" a2="/etc/rules"`,
    `type=EOE ${at(3)}: `,
  ]);
  assert.deepEqual(
    events.map(({ kind, action, entryCount, command }) => [kind, action, entryCount, command]),
    [['firewall-changed', 'nft_unregister_rule', 9, 'nft -f /etc/rules']],
  );
});

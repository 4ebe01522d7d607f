import assert from 'node:assert/strict';
import test from 'node:test';
import { parseEvent } from '../../src/events/parse.ts';
import { createShapeTable } from '../../src/events/shapes.ts';
import type { Event } from '../../src/model/event.ts';

const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7);
const parse = (line: string) => parseEvent(line, '192.0.2.1', NOW_MS);

const packet = (
  sourceAddress: string,
  sourcePort: number,
  destinationAddress: string,
  destinationPort: number,
) => ({
  protocol: 'tcp',
  sourceAddress,
  sourcePort,
  destinationAddress,
  destinationPort,
});
const P = packet('198.51.100.7', 44991, '192.0.2.1', 57422);
const NETFILTER =
  'SRC=198.51.100.7 DST=192.0.2.1 LEN=40 TOS=08 PREC=0x00 TTL=245 ID=47185 PROTO=TCP SPT=44991 DPT=57422 WINDOW=1024 RES=0x00 SYN URGP=0';

const lines: [name: string, line: string, expected: Partial<Event>][] = [
  [
    'iptables LOG without verdict',
    `kernel: [ 12.000001] knock IN=eth0 OUT= MAC=aa:bb ${NETFILTER}`,
    { kind: 'firewall-packet', ...P },
  ],
  [
    'a glued prefix and an empty MAC',
    `kernel: [UFW BLOCK]IN=eth0 OUT= MAC= ${NETFILTER}`,
    { kind: 'firewall-drop', action: 'BLOCK', ...P },
  ],
  [
    'ufw allow',
    `kernel: [UFW ALLOW] IN=eth0 OUT= MAC= ${NETFILTER}`,
    { kind: 'firewall-accept', action: 'ALLOW', ...P },
  ],
  [
    'ufw audit',
    `kernel: [UFW AUDIT] IN=eth0 OUT= MAC= ${NETFILTER}`,
    { kind: 'firewall-packet', action: 'AUDIT', ...P },
  ],
  [
    'Shorewall',
    `kernel: Shorewall:net2fw:DROP:IN=eth0 OUT= ${NETFILTER}`,
    { kind: 'firewall-drop', action: 'DROP', ...P },
  ],
  [
    'Shorewall, nobody wrote kernel',
    `Nov  2 02:11:05 gw1 net-fw REJECT IN=eth0 OUT= ${NETFILTER}`,
    { kind: 'firewall-drop', action: 'REJECT', ...P },
  ],
  [
    'nft log, forwarded',
    `kernel: accept-ssh: IN=eth0 OUT=eth1 ${NETFILTER}`,
    { kind: 'firewall-accept', ...P },
  ],
  [
    'a prefix that is the tag',
    `Nov  2 02:11:05 gw1 filter_IN_public_DROP: IN=eth0 OUT= ${NETFILTER}`,
    { kind: 'firewall-drop', ...P },
  ],
  [
    'RFC 5424 without "-"',
    `<4>1 2026-11-02T02:11:04Z host1 kernel - - [UFW BLOCK] IN=eth0 OUT= MAC= ${NETFILTER}`,
    { kind: 'firewall-drop', host: 'host1', ...P },
  ],
  [
    'an ICMP error about another packet; IP and ICMP both have an ID',
    'kernel: DROP: IN=eth0 OUT= SRC=198.51.100.7 DST=192.0.2.1 LEN=68 ID=1 PROTO=ICMP TYPE=3 CODE=3 [SRC=192.0.2.1 DST=203.0.113.5 LEN=40 ID=7 PROTO=UDP SPT=5353 DPT=53 LEN=20 ]',
    {
      kind: 'firewall-drop',
      protocol: 'icmp',
      sourceAddress: '198.51.100.7',
      destinationAddress: '192.0.2.1',
      sourcePort: undefined,
      destinationPort: undefined,
    },
  ],
  [
    'IPv6, in its one form',
    'kernel: [UFW BLOCK] IN=eth0 OUT= MAC= SRC=2001:0db8:0000:0000:0000:0000:0000:0007 DST=2001:0db8:0000:0000:0000:0000:0000:0001 LEN=72 TC=0 HOPLIMIT=58 FLOWLBL=1 PROTO=UDP SPT=53 DPT=5353 LEN=32',
    {
      kind: 'firewall-drop',
      protocol: 'udp',
      sourceAddress: '2001:db8::7',
      destinationAddress: '2001:db8::1',
      destinationPort: 5353,
    },
  ],
  [
    'words in front are another line',
    'kernel: MAIN=eth0 OUT= SRC=198.51.100.7 DST=192.0.2.1',
    { kind: 'other' },
  ],
  [
    'filterlog, IPv4',
    'filterlog[5]: 4,,,1000000103,em0,match,block,in,4,0x0,,245,47185,0,none,6,tcp,40,198.51.100.7,192.0.2.1,44991,57422,0,S,1,,1024,,',
    { kind: 'firewall-drop', action: 'block', ...P },
  ],
  [
    'filterlog, IPv6',
    'filterlog[5]: 80,,,1530000000,em1,match,pass,out,6,0x00,0x1,64,TCP,6,40,2001:db8::7,2001:db8::1,44991,443,0,S,1,,1024,,',
    { kind: 'firewall-accept', ...packet('2001:db8::7', 44991, '2001:db8::1', 443) },
  ],
  [
    'pflog text',
    'pf: 00:00:01.000001 rule 4/0(match): block in on em0: 198.51.100.7.44991 > 192.0.2.1.57422: Flags [S], seq 1, win 1024, length 0',
    { kind: 'firewall-drop', action: 'block', ...P },
  ],
  [
    'stealth mode',
    'Nov  2 02:11:05 mac1 kernel[0]: Stealth Mode connection attempt to TCP 192.0.2.1:57422 from 198.51.100.7:44991',
    { kind: 'firewall-drop', ...P },
  ],
  [
    'macOS application firewall',
    'Nov  2 02:11:05 mac1 socketfilterfw[112] <Info>: Deny nc connecting from 198.51.100.7:44991 to port 57422 proto=6',
    {
      kind: 'firewall-drop',
      executable: 'nc',
      protocol: 'tcp',
      sourceAddress: '198.51.100.7',
      sourcePort: 44991,
      destinationPort: 57422,
    },
  ],
  [
    'a unit starts',
    'systemd[1]: Started nginx.service - A web server.',
    { kind: 'service-started', unit: 'nginx', action: 'Started' },
  ],
  [
    'a unit stops, as old versions say it',
    'systemd[1]: Stopped The web server.',
    { kind: 'service-stopped', unit: 'The web server' },
  ],
  [
    'a unit fails',
    "systemd[1]: ssh.service: Failed with result 'exit-code'.",
    { kind: 'service-stopped', unit: 'ssh' },
  ],
  [
    'a firewall service stops',
    'systemd[1]: Stopped firewalld.service - firewalld.',
    { kind: 'firewall-changed', unit: 'firewalld', action: 'Stopped' },
  ],
  ['a session is no service', 'systemd[1]: Started Session 4 of User alice.', { kind: 'other' }],
  [
    'firewalld',
    "firewalld[7]: DEBUG1: zone.addPort('public', '22', 'tcp')",
    { kind: 'firewall-changed', action: 'addPort' },
  ],
  ['ufw', 'ufw-init[7]: Stopping firewall: ufw...', { kind: 'firewall-changed', action: 'Stopping' }],
  [
    'a port of sshd',
    'sshd[1]: Accepted password for alice from 10.0.0.5 port 50000 ssh2',
    { kind: 'login-accepted', sourcePort: 50000 },
  ],
  [
    'ASA 106001',
    '%ASA-2-106001: Inbound TCP connection denied from 198.51.100.7/44991 to 192.0.2.1/57422 flags SYN on interface outside',
    { kind: 'firewall-drop', ...P },
  ],
  [
    'ASA 106006',
    '%ASA-2-106006: Deny inbound UDP from 198.51.100.7/44991 to 192.0.2.1/57422 on interface outside',
    { kind: 'firewall-drop', ...P, protocol: 'udp' },
  ],
  [
    'ASA 106015',
    '%ASA-6-106015: Deny TCP (no connection) from 198.51.100.7/44991 to 192.0.2.1/57422 flags RST on interface outside',
    { kind: 'firewall-drop', ...P },
  ],
  [
    'ASA 106023',
    '%ASA-4-106023: Deny tcp src outside:198.51.100.7/44991 dst inside:192.0.2.1/57422 by access-group "outside_in" [0x0, 0x0]',
    { kind: 'firewall-drop', action: 'Deny', ...P },
  ],
  [
    'ASA 106100',
    '%ASA-6-106100: access-list outside_in denied tcp outside/198.51.100.7(44991) -> inside/192.0.2.1(57422) hit-cnt 1 first hit [0x1, 0x0]',
    { kind: 'firewall-drop', action: 'denied', ...P },
  ],
  [
    'ASA 106100 permitted',
    '%ASA-6-106100: access-list outside_in permitted tcp outside/198.51.100.7(44991) -> inside/192.0.2.1(57422) hit-cnt 1 first hit [0x1, 0x0]',
    { kind: 'firewall-accept', ...P },
  ],
  [
    'ASA 302013 inbound',
    '%ASA-6-302013: Built inbound TCP connection 9 for outside:198.51.100.7/44991 (198.51.100.7/44991) to inside:192.0.2.1/57422 (192.0.2.1/57422)',
    { kind: 'firewall-accept', ...P },
  ],
  [
    'ASA 302013 outbound',
    '%ASA-6-302013: Built outbound TCP connection 9 for outside:192.0.2.1/57422 (192.0.2.1/57422) to inside:198.51.100.7/44991 (203.0.113.1/44991)',
    { kind: 'firewall-accept', ...P },
  ],
  [
    'ASA 302014',
    '%ASA-6-302014: Teardown TCP connection 9 for outside:198.51.100.7/44991 to inside:192.0.2.1/57422 duration 0:00:30 bytes 0 TCP FINs',
    { kind: 'other', action: 'Teardown', ...P },
  ],
  [
    'ASA 710003',
    '%ASA-3-710003: TCP access denied by ACL from 198.51.100.7/44991 to outside:192.0.2.1/57422',
    { kind: 'firewall-drop', ...P },
  ],
  [
    'ASA OSPF',
    '%ASA-5-503001: Process 1, Nbr 192.0.2.3 on inside from FULL to DOWN, Neighbor Down',
    { kind: 'route-changed' },
  ],
  [
    'IOS access list',
    '%SEC-6-IPACCESSLOGP: list 101 denied tcp 198.51.100.7(44991) -> 192.0.2.1(57422), 1 packet',
    { kind: 'firewall-drop', action: 'denied', ...P },
  ],
  [
    'IOS access list, permitted, with the interface',
    '%SEC-6-IPACCESSLOGP: list EDGE permitted tcp 198.51.100.7(44991) (GigabitEthernet0/1 0050.56aa.bbcc) -> 192.0.2.1(57422), 5 packets',
    { kind: 'firewall-accept', ...P },
  ],
  [
    'IOS access list, ICMP',
    '%SEC-6-IPACCESSLOGDP: list 101 denied icmp 198.51.100.7 -> 192.0.2.1 (8/0), 1 packet',
    {
      kind: 'firewall-drop',
      protocol: 'icmp',
      sourceAddress: '198.51.100.7',
      destinationAddress: '192.0.2.1',
    },
  ],
  [
    'IOS standard access list',
    '%SEC-6-IPACCESSLOGS: list 10 denied 198.51.100.7 1 packet',
    { kind: 'firewall-drop', sourceAddress: '198.51.100.7' },
  ],
  [
    'EIGRP',
    '%DUAL-5-NBRCHANGE: EIGRP-IPv4 1: Neighbor 192.0.2.3 (Gi0/1) is down: holding time expired',
    { kind: 'route-changed' },
  ],
  [
    'Junos session denied',
    'RT_FLOW: RT_FLOW_SESSION_DENY: session denied 198.51.100.7/44991->192.0.2.1/57422 0x0 None 6(0) deny-all untrust trust UNKNOWN UNKNOWN N/A(N/A) ge-0/0/0.0',
    { kind: 'firewall-drop', ...P },
  ],
  [
    'Junos session denied, structured',
    '<14>1 2026-11-02T02:11:04.000Z srx1 RT_FLOW - RT_FLOW_SESSION_DENY [junos@2636.1.1.1.2.129 source-address="198.51.100.7" source-port="44991" destination-address="192.0.2.1" destination-port="57422" protocol-id="6" policy-name="deny-all"]',
    { kind: 'firewall-drop', host: 'srx1', ...P },
  ],
  [
    'Junos session created',
    'RT_FLOW: RT_FLOW_SESSION_CREATE: session created 198.51.100.7/44991->192.0.2.1/57422 0x0 junos-http 198.51.100.7/44991->192.0.2.1/57422 0x0 N/A N/A N/A N/A 6 allow-web untrust trust 9 N/A(N/A) ge-0/0/0.0',
    { kind: 'firewall-accept', ...P },
  ],
  [
    'Junos commit',
    "Nov  2 02:11:05 srx1 mgd[5]: UI_COMMIT: User 'alice' requested 'commit' operation (comment: none)",
    { kind: 'config-changed', user: 'alice' },
  ],
  [
    'Junos BGP',
    'Nov  2 02:11:05 srx1 rpd[5]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer 192.0.2.3 (External AS 65001) changed state from Established to Idle',
    { kind: 'route-changed' },
  ],
  [
    'FortiOS denied',
    '<189>date=2026-11-02 time=02:11:04 devname="fw1" eventtime=1793585464000000000 logid="0000000013" type="traffic" subtype="forward" srcip=198.51.100.7 srcport=44991 dstip=192.0.2.1 dstport=57422 proto=6 action="deny" policyid=0',
    { kind: 'firewall-drop', action: 'deny', host: 'fw1', observedAtMs: 1_793_585_464_000, ...P },
  ],
  [
    'FortiOS accepted',
    '<189>date=2026-11-02 time=02:11:04 logid="0000000013" type="traffic" srcip=198.51.100.7 srcport=44991 dstip=192.0.2.1 dstport=57422 proto=6 action="close"',
    { kind: 'firewall-accept', ...P },
  ],
  [
    'FortiOS object',
    '<189>date=2026-11-02 time=02:11:04 logid="0100044547" type="event" user="alice" ui="https(192.0.2.9)" action="Edit" cfgpath="firewall.policy" cfgobj="8" cfgattr="dstintf[port1->port2]"',
    {
      kind: 'config-changed',
      user: 'alice',
      sourceAddress: '192.0.2.9',
      command: 'Edit firewall.policy 8 dstintf[port1->port2]',
    },
  ],
  [
    'PAN-OS traffic',
    '<14>Nov  2 02:11:05 fw1 1,2026/11/02 02:11:04,007000000000001,TRAFFIC,drop,2561,2026/11/02 02:11:04,198.51.100.7,192.0.2.1,0.0.0.0,0.0.0.0,"deny, all",,,not-applicable,vsys1,untrust,trust,ae1,,log,2026/11/02 02:11:04,0,1,44991,57422,0,0,0x0,tcp,deny,66',
    { kind: 'firewall-drop', host: 'fw1', action: 'deny', ...P },
  ],
  [
    'PAN-OS configuration',
    '<14>Nov  2 02:11:05 fw1 1,2026/11/02 02:11:04,007000000000001,CONFIG,0,2561,2026/11/02 02:11:04,192.0.2.9,,set,alice,Web,Succeeded, vsys vsys1 rulebase security rules open,7,0x0',
    {
      kind: 'config-changed',
      user: 'alice',
      sourceAddress: '192.0.2.9',
      command: 'set  vsys vsys1 rulebase security rules open',
    },
  ],
  [
    'RouterOS firewall',
    '<134>firewall,info DROP input: in:ether1 out:(unknown 0), connection-state:new src-mac aa:bb:cc:dd:ee:ff, proto TCP (SYN), 198.51.100.7:44991->192.0.2.1:57422, len 40',
    { kind: 'firewall-drop', action: 'DROP', ...P },
  ],
  [
    'RouterOS rule',
    '<134>system,info filter rule added by winbox-3.41/tcp-msg(winbox):alice@192.0.2.9 (*4 = /ip firewall filter add action=accept chain=input)',
    { kind: 'config-changed', action: 'added', user: 'alice', sourceAddress: '192.0.2.9' },
  ],
  [
    'RouterOS login',
    '<134>system,info,account user alice logged in from 192.0.2.9 via ssh',
    { kind: 'login-accepted', user: 'alice', sourceAddress: '192.0.2.9' },
  ],
];

for (const [name, line, expected] of lines) {
  test(`${name}: ${expected.kind}`, () => {
    const event = parse(line);
    const told = Object.fromEntries(Object.keys(expected).map((key) => [key, event[key as keyof Event]]));
    assert.deepEqual(told, expected);
    assert.ok(event.raw.length > 0);
  });
}

test('a user cannot write a firewall or configuration line under a name of his own', () => {
  for (const line of [
    "sshd[1]: Invalid user UI_COMMIT: User 'root' performed commit: from 10.0.0.5 port 50000",
    "alice: UI_COMMIT: User 'root' performed commit: x",
    'alice: system: nat rule added by admin',
    'alice: |1729530246|vyos|cli|x|',
  ])
    assert.notEqual(parse(line).kind, 'config-changed', line);
});

test('unread lines of known programs are counted by shape, within bounds', () => {
  const shapes = createShapeTable(2);
  const onUnread = shapes.add;
  for (const line of [
    'sshd[1]: Disconnected from user alice 10.0.0.5 port 50001',
    'sshd[2]: Disconnected from user alice 10.0.0.6 port 50002',
    'sshd[2]: Disconnected from user alice 2001:db8::6 port 50002',
    'sshd[2]: pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)',
    'sshd[2]: Received signal 15; terminating.',
    'sshd[1]: Accepted password for alice from 10.0.0.5 port 50000 ssh2',
    'backup[1]: done 5',
    'type=CWD msg=audit(1793585465.250:79): cwd="/"',
  ])
    parseEvent(`<86>Nov  2 02:11:05 edge1 ${line}`, '192.0.2.1', NOW_MS, { onUnread });
  assert.deepEqual(
    [...shapes.counts],
    [
      ['sshd: Disconnected from user alice * port *', 3],
      ['sshd: pam_unix(sshd:session): session opened for user alice(uid=*) by (uid=*)', 1],
    ],
  );
  assert.equal(shapes.otherCount, 1);
});

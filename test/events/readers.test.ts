import assert from 'node:assert/strict';
import test from 'node:test';
import { ciscoIos as ios } from '../../devices/cisco-ios.ts';
import { meansConfigChanged } from '../../src/events/changes.ts';
import { parseEvent } from '../../src/events/parse.ts';
import type { EventKind } from '../../src/model/event.ts';

const parse = (line: string) => parseEvent(line, '192.0.2.1', Date.UTC(2026, 10, 2, 2, 11, 7));

type Expected = [kind: EventKind, user?: string, sourceAddress?: string, command?: string];
const lines: [string, Expected][] = [
  [
    '%SYS-5-CONFIG_I: Configured from console by vty0 (192.0.2.9)',
    ['config-changed', undefined, '192.0.2.9'],
  ],
  ['%SYS-5-CONFIG_I: Configured from console by console', ['config-changed']],
  [
    '%SYS-5-CONFIG_I: Configured from console by vtyler on vty1 (2001:db8::9)',
    ['config-changed', 'vtyler', '2001:db8::9'],
  ],
  [
    '%SYS-5-CONFIG_I: Configured from NETCONF/RESTCONF by admin, transaction-id 1234',
    ['config-changed', 'admin'],
  ],
  [
    '%PARSER-5-CFGLOG_LOGGEDCMD: User:alice  logged command:ip nat inside source static 10.0.0.5 198.51.100.5',
    ['command', 'alice', undefined, 'ip nat inside source static 10.0.0.5 198.51.100.5'],
  ],
  [
    '%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: alice] [Source: 192.0.2.9] [localport: 22] at 02:11:05 UTC Mon Nov 2 2026',
    ['login-accepted', 'alice', '192.0.2.9'],
  ],
  [
    '%SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: root] [Source: 192.0.2.9] [localport: 22] [Reason: Login Authentication Failed]',
    ['login-failed', 'root', '192.0.2.9'],
  ],
  [
    "%SSH-5-SSH2_USERAUTH: User 'alice' authentication for SSH2 Session from 192.0.2.9 (tty = 0) using crypto cipher 'aes256-ctr', hmac 'hmac-sha2-256' Succeeded",
    ['login-accepted', 'alice', '192.0.2.9'],
  ],
  ['%BGP-5-ADJCHANGE: neighbor 192.0.2.254 Down Peer closed the session', ['route-changed']],
  ['%OSPF-5-ADJCHG: Process 1, Nbr 192.0.2.3 on GigabitEthernet0/0 from FULL to DOWN', ['route-changed']],
  ['%LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to up', ['other']],
  [
    'sshd[123]: Accepted password for alice from 10.0.0.5 port 50000 ssh2',
    ['login-accepted', 'alice', '10.0.0.5'],
  ],
  [
    'sshd-session[123]: Accepted publickey for alice from 2001:db8::5 port 50000 ssh2: ED25519 SHA256:abc',
    ['login-accepted', 'alice', '2001:db8::5'],
  ],
  [
    'sshd[123]: Failed password for invalid user bob from 10.0.0.5 port 50000 ssh2',
    ['login-failed', 'bob', '10.0.0.5'],
  ],
  [
    'sshd[123]: Failed password for invalid user x from 192.0.2.200 port 1 ssh2 from 10.0.0.5 port 50000 ssh2',
    ['login-failed', 'x from 192.0.2.200 port 1 ssh2', '10.0.0.5'],
  ],
  ['sshd[123]: Invalid user bob from 10.0.0.5 port 50000', ['login-failed', 'bob', '10.0.0.5']],
  [
    'sshd[123]: Invalid user %SYS-5-CONFIG_I: Configured from console by eve on vty0 (192.0.2.1) from 10.0.0.5 port 50000',
    ['login-failed', '%SYS-5-CONFIG_I: Configured from console by eve on vty0 (192.0.2.1)', '10.0.0.5'],
  ],
  ['cron[9]: Accepted password for alice from 10.0.0.5 port 50000 ssh2', ['other']],
  [
    'sudo: alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/sbin/nft add rule ip nat prerouting tcp dport 443 dnat to 203.0.113.9',
    [
      'firewall-changed',
      'alice',
      undefined,
      '/usr/sbin/nft add rule ip nat prerouting tcp dport 443 dnat to 203.0.113.9',
    ],
  ],
  [
    'sudo:   alice : PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt update',
    ['command', 'alice', undefined, '/usr/bin/apt update'],
  ],
  [
    'sudo: postern : PWD=/ ; USER=root ; COMMAND=/usr/sbin/nft -j list ruleset',
    ['command', 'postern', undefined, '/usr/sbin/nft -j list ruleset'],
  ],
  [
    'sudo: postern : PWD=/ ; USER=root ; COMMAND=/usr/sbin/iptables-save -c',
    ['command', 'postern', undefined, '/usr/sbin/iptables-save -c'],
  ],
  [
    'sudo: bob : command not allowed ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/sbin/nft flush ruleset',
    ['other', 'bob'],
  ],
  [
    'sudo: bob : 3 incorrect password attempts ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh',
    ['login-failed', 'bob'],
  ],
  [
    'CRON[77]: (root) CMD (/usr/local/sbin/open-gate && iptables -t nat -A PREROUTING -j DNAT)',
    [
      'firewall-changed',
      'root',
      undefined,
      '/usr/local/sbin/open-gate && iptables -t nat -A PREROUTING -j DNAT',
    ],
  ],
  ['systemd[1]: Reloaded nftables.service - nftables.', ['firewall-changed']],
  ['systemd[1]: Started session-3.scope - Session 3 of User alice.', ['other']],
  [
    'type=NETFILTER_CFG msg=audit(1793585465.250:77): table=nat:3 family=2 entries=1 op=nft_register_rule pid=31988 comm="nft"',
    ['firewall-changed'],
  ],
  [
    'kernel: audit: type=1325 audit(1793585465.250:78): table=nat family=2 entries=0 op=xt_register pid=881 comm="modprobe"',
    ['other'],
  ],
  [
    'type=EXECVE msg=audit(1793585465.250:79): argc=4 a0="nft" a1="add" a2="rule" a3=6970206E6174',
    ['firewall-changed', undefined, undefined, 'nft add rule ip nat'],
  ],
  [
    'audispd: node=host1 type=PROCTITLE msg=audit(1793585465.250:79): proctitle=69707461626C6573002D46',
    ['firewall-changed', undefined, undefined, 'iptables -F'],
  ],
];

for (const [line, expected] of lines) {
  test(`${expected[0]}: ${line.slice(0, 90)}`, () => {
    const { kind, user, sourceAddress, command } = parse(
      `<86>Nov  2 02:11:05 edge1 ${line}`.replace(' edge1 %', ' %'),
    );
    assert.deepEqual([kind, user, sourceAddress, command], [...expected, ...Array(4 - expected.length)]);
  });
}

const commands: [string, EventKind][] = [
  ['nft list ruleset', 'command'],
  ['nft -f /etc/nftables.conf', 'firewall-changed'],
  ['/usr/sbin/nft flush ruleset', 'firewall-changed'],
  ['sh -c "nft delete table ip nat"', 'firewall-changed'],
  ['iptables -t nat -L -n -v', 'command'],
  ['iptables -S', 'command'],
  ['iptables -nvL FORWARD', 'command'],
  ['iptables -t nat -I PREROUTING 1 -p tcp --dport 443 -j DNAT --to 203.0.113.9', 'firewall-changed'],
  ['iptables -P FORWARD ACCEPT', 'firewall-changed'],
  ['iptables -p tcp -C FORWARD', 'command'],
  ['ip6tables --flush', 'firewall-changed'],
  ['iptables-restore -n /tmp/rules', 'firewall-changed'],
  ['ufw status numbered', 'command'],
  ['ufw allow 55555/tcp', 'firewall-changed'],
  ['firewall-cmd --list-all', 'command'],
  ['firewall-cmd --permanent --add-forward-port=port=443:proto=tcp:toaddr=203.0.113.9', 'firewall-changed'],
  ['systemctl status nftables', 'command'],
  ['systemctl restart nftables', 'firewall-changed'],
  ['systemctl status nftables; nft flush ruleset', 'firewall-changed'],
  ['ip route add 203.0.113.0/24 via 192.0.2.254', 'route-changed'],
  ['ip -6 route show', 'command'],
  ['vim nft.conf', 'command'],
  ['ls /etc/nftables', 'command'],
];

for (const [command, kind] of commands) {
  test(`${kind}: ${command}`, () => {
    assert.equal(
      parse(`<86>Nov  2 02:11:05 edge1 sudo: a : PWD=/ ; USER=root ; COMMAND=${command}`).kind,
      kind,
    );
  });
}

test('the time of an audit record is that of the record', () => {
  const event = parse(
    '<86>Nov  2 02:11:05 edge1 audispd: type=NETFILTER_CFG msg=audit(1793585465.250:77): table=nat:3 op=nft_register_rule',
  );
  assert.equal(event.observedAtMs, 1_793_585_465_250);
});

test('a pull follows configuration changes, not looking on', () => {
  const changed = (line: string) => meansConfigChanged(ios, parse(line));
  assert.equal(
    changed('<189>12: %SYS-5-CONFIG_I: Configured from console by alice on vty0 (192.0.2.9)'),
    true,
  );
  assert.equal(
    changed('<189>12: %PARSER-5-CFGLOG_LOGGEDCMD: User:alice  logged command:ip nat inside'),
    true,
  );
  assert.equal(
    changed('<189>12: %PARSER-5-CFGLOG_LOGGEDCMD: User:alice  logged command:!exec: enable'),
    false,
  );
  assert.equal(changed('<189>12: %BGP-5-ADJCHANGE: neighbor 192.0.2.254 Down'), false);
  assert.equal(changed('<86>edge1 sshd[1]: Accepted password for alice from 192.0.2.9 port 1 ssh2'), false);
  const linux = { changedBy: [] };
  const sudo = (command: string) =>
    parse(`<86>Nov  2 02:11:05 edge1 sudo: a : PWD=/ ; USER=root ; COMMAND=${command}`);
  assert.equal(meansConfigChanged(linux, sudo('/usr/sbin/nft add table ip x')), true);
  assert.equal(meansConfigChanged(linux, sudo('/usr/sbin/nft -j list ruleset')), false);
});

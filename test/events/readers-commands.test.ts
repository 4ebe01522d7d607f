import assert from 'node:assert/strict';
import test from 'node:test';
import { commandKind } from '../../src/events/commands.ts';

const CHANGES = [
  'nft --file=/etc/x',
  '/usr/sbin/xtables-nft-multi iptables -A INPUT -j ACCEPT',
  'iptables-legacy-restore',
  'arptables -F',
  'ebtables-nft -P FORWARD ACCEPT',
  'firewall-offline-cmd --add-port=22/tcp',
  'systemctl mask nftables.service',
  'systemctl disable --now firewalld',
  'rc-service nftables stop',
  '/etc/init.d/iptables stop',
  'sh -c "modprobe -r nf_tables"',
  'rmmod -f ip_tables',
  'sh -c "iptables -F"',
  "bash -c 'ufw disable'",
  'sh -c "iptables-restore"',
  "sh -c 'nft -f'",
  'pfctl -d',
  '/sbin/pfctl -vf /etc/pf.conf',
  'pfctl -F all',
  'pfctl -t blocked -T flush',
  'pfctl -a com.example -f /etc/pf.anchors/x',
  '/usr/libexec/ApplicationFirewall/socketfilterfw --setglobalstate off',
  'socketfilterfw --add /Applications/X.app',
];
const LOOKS = [
  'nft -j list ruleset',
  'nft monitor',
  'arptables -L -n',
  'systemctl status nftables',
  'systemctl list-dependencies nftables.service',
  'systemctl show firewalld',
  'modprobe nf_tables',
  'lsmod nf_tables',
  'pfctl -sr',
  'pfctl -s info',
  'pfctl -nf /etc/pf.conf',
  'pfctl -t blocked -T show',
  'socketfilterfw --getglobalstate',
  'launchctl load /x.plist',
  'tail -f /var/log/ufw.log',
];

for (const command of CHANGES)
  test(`changes the firewall: ${command}`, () => {
    assert.equal(commandKind(command), 'firewall-changed');
  });

for (const command of LOOKS)
  test(`changes nothing: ${command}`, () => {
    assert.equal(commandKind(command), 'command');
  });

test('a long line of repeated beginnings takes no time', () => {
  for (const piece of [
    'pfctl -',
    'pfctl -t ',
    'nft add',
    'modprobe -r ',
    'rmmod  -',
    '/init.d/',
    'ip -x ',
    '-t -T ',
  ]) {
    const started = performance.now();
    for (let i = 0; i < 5; i++) commandKind(piece.repeat(4096 / piece.length));
    assert.ok(performance.now() - started < 100, piece);
  }
});

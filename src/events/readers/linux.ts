// logins, raised rights and what runs commands on Linux
import { commandKind } from '../commands.ts';
import { tableReader } from './reader.ts';

/** A user name is the stranger's text and may itself hold "from": the last address of the line is the true one. */
const FROM = String.raw`(?<user>.*) from (?<source>[0-9A-Fa-f.:]+(?:%\w+)?) port (?<sourcePort>\d+)(?: ssh2)?(?:: .{0,400})?(?: \[preauth\])?$`;

export const linux = tableReader([
  {
    program: /^sshd(?:-session)?$/,
    pattern: new RegExp(`^Accepted \\S+ for ${FROM}`),
    kind: 'login-accepted',
  },
  {
    program: /^sshd(?:-session)?$/,
    pattern: new RegExp(`^Failed \\S+ for (?:invalid user |illegal user )?${FROM}`),
    kind: 'login-failed',
  },
  { program: /^sshd(?:-session)?$/, pattern: new RegExp(`^Invalid user ${FROM}`), kind: 'login-failed' },
  {
    program: /^dropbear$/,
    pattern:
      /^(?:Password|Pubkey|PAM password) auth succeeded for '(?<user>.{0,256})' (?:with .{0,100} )?from (?<source>[0-9A-Fa-f.:]+):\d+$/,
    kind: 'login-accepted',
  },
  {
    program: /^dropbear$/,
    pattern:
      /^(?:Bad password attempt|Login attempt) for '(?<user>.{0,256})' from (?<source>[0-9A-Fa-f.:]+):\d+$/,
    kind: 'login-failed',
  },
  {
    program: /^sudo$/,
    pattern: /^ *(?<user>\S+) : \d+ incorrect password attempts? ; /,
    kind: 'login-failed',
  },
  {
    program: /^sudo$/,
    pattern:
      /^ *(?<user>\S+) : (?:(?!command not allowed)[^;]{1,300} ; ){0,6}?(?:TTY|PWD|USER)=[^;]* ; .*?\bCOMMAND=(?<command>[\s\S]*)$/,
    kind: commandKind,
  },
  { program: /^CRON$|^crond?$/i, pattern: /^\((?<user>[^)]*)\) CMD \((?<command>.*)\)$/, kind: commandKind },
  { program: /^knockd$/, pattern: /running command: (?<command>[\s\S]*)$/, kind: commandKind },
  {
    program: /^systemd$/,
    pattern:
      /^(?<action>Started|Stopped|Reloaded|Finished) (?<unit>nftables|iptables|ip6tables|firewalld|ufw|netfilter-persistent)\b/,
    kind: 'firewall-changed',
  },
]);

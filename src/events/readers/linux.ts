// logins, raised rights and what runs commands on Linux
import { commandKind } from '../commands.ts';
import { tableReader } from './reader.ts';

/** A user name is the stranger's text and may itself hold "from": the last address of the line is the true one. */
const FROM = String.raw`(?<user>.*) from (?<source>[0-9A-Fa-f.:]+(?:%\w+)?) port \d+(?: ssh2)?(?:: .*)?(?: \[preauth\])?$`;

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
      /^(?:Password|Pubkey|PAM password) auth succeeded for '(?<user>.*)' (?:with .* )?from (?<source>[0-9A-Fa-f.:]+):\d+$/,
    kind: 'login-accepted',
  },
  {
    program: /^dropbear$/,
    pattern: /^(?:Bad password attempt|Login attempt) for '(?<user>.*)' from (?<source>[0-9A-Fa-f.:]+):\d+$/,
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
      /^ *(?<user>\S+) : (?:(?!command not allowed)[^;]+ ; )*?(?:TTY|PWD|USER)=[^;]* ; .*?\bCOMMAND=(?<command>.*)$/,
    kind: commandKind,
  },
  { program: /^CRON$|^crond?$/i, pattern: /^\((?<user>[^)]*)\) CMD \((?<command>.*)\)$/, kind: commandKind },
  { program: /^knockd$/, pattern: /running command: (?<command>.*)$/, kind: commandKind },
  {
    program: /^systemd$/,
    pattern:
      /^(?:Started|Stopped|Reloaded|Finished) (?:nftables|iptables|ip6tables|firewalld|ufw|netfilter-persistent)\b/,
    kind: 'firewall-changed',
  },
]);

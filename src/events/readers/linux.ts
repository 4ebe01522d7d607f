// logins, raised rights, what runs commands and who connects on Linux
import { commandKind } from '../commands.ts';
import { type Row, tableReader } from './reader.ts';

const SSHD = /^sshd(?:-session|-auth)?$/;
const DROPBEAR = /^dropbear$/;
const LOGIN = /^login$/;
const ADDRESS = String.raw`[0-9A-Fa-f.:]{2,45}(?:%\w+)?`;
/**
 * A user name is the stranger's text and may itself hold "from": the last address of the line is the true one. sshd cuts it to
 * 100 bytes (auth.c), which are up to 400 characters where it escapes them.
 */
const FROM = String.raw`(?<user>.{0,400}) from (?<source>[0-9A-Fa-f.:]+(?:%\w+)?) port (?<sourcePort>\d+)(?: ssh2)?(?:: .{0,400})?(?: \[preauth\])?$`;

const sshd: readonly Row[] = [
  { program: SSHD, pattern: new RegExp(`^Accepted \\S+ for ${FROM}`), kind: 'login-accepted' },
  {
    program: SSHD,
    pattern: new RegExp(`^Failed \\S+ for (?:invalid user |illegal user )?${FROM}`),
    kind: 'login-failed',
  },
  { program: SSHD, pattern: new RegExp(`^Invalid user ${FROM}`), kind: 'login-failed' },
  {
    // LogLevel VERBOSE
    program: SSHD,
    pattern: new RegExp(
      String.raw`^(?<action>Connection) from (?<source>${ADDRESS}) port (?<sourcePort>\d{1,5}) on (?<destination>${ADDRESS}) port (?<destinationPort>\d{1,5})`,
    ),
    kind: 'connect',
  },
  {
    // The connection was there, whatever came of it.
    program: SSHD,
    pattern: new RegExp(
      String.raw`^(?<action>Did not receive identification string|banner exchange: Connection|Bad protocol version identification '.{0,300}'|Connection (?:closed|reset) by|Unable to negotiate with) (?:from )?(?<source>${ADDRESS}) port (?<sourcePort>\d{1,5})(?::|$| \[preauth\])`,
    ),
    kind: 'connect',
  },
  {
    program: SSHD,
    pattern: new RegExp(
      String.raw`^Server (?<action>listening) on (?<destination>${ADDRESS}) port (?<destinationPort>\d{1,5})\.?$`,
    ),
    kind: 'listen',
  },
];

const others: readonly Row[] = [
  {
    program: DROPBEAR,
    pattern:
      /^(?:Password|Pubkey|PAM password) auth succeeded for '(?<user>.{0,256})' (?:with .{0,100} )?from (?<source>[0-9A-Fa-f.:]+):(?<sourcePort>\d+)$/,
    kind: 'login-accepted',
  },
  {
    program: DROPBEAR,
    pattern:
      /^(?:Bad (?:PAM )?password attempt|Login attempt) for (?:nonexistent user|'(?<user>.{0,256})') ?(?:with .{0,60} )?from (?<source>[0-9A-Fa-f.:]+):(?<sourcePort>\d+)$/,
    kind: 'login-failed',
  },
  {
    program: DROPBEAR,
    pattern:
      /^(?<action>Child connection) from (?<source>(?:::ffff:)?[0-9.]{7,15}|[0-9A-Fa-f:]{2,45}):(?<sourcePort>\d{1,5})$/,
    kind: 'connect',
  },
  {
    // util-linux login(1), as telnetd calls it
    program: LOGIN,
    pattern:
      /^(?:ROOT LOGIN ON (?<tty>\S{1,32})|LOGIN ON \S{1,32} BY (?<user>\S{1,256})) FROM (?:(?<source>[0-9A-Fa-f.:]{2,45})|\S{1,255})$/,
    kind: 'login-accepted',
  },
  {
    program: LOGIN,
    pattern:
      /^FAILED LOGIN (?:SESSION )?\(?\d{1,5}\)? ?(?:on '.{0,40}' )?FROM '?(?:(?<source>[0-9A-Fa-f.:]{2,45})|\S{1,255}?)'? FOR '?(?<user>.{0,256}?)'?, /i,
    kind: 'login-failed',
  },
  {
    // What was started for one connection says so by libwrap's word.
    program: /^(?:in\.)?(?:telnetd|rshd|rlogind|rexecd|ftpd|tftpd)$|^(?:v|pure-|pro)ftpd$/,
    pattern: /^(?<action>connect) from (?:\S{1,255} \()?(?<source>[0-9A-Fa-f.:]{2,45})\)?$/,
    kind: 'connect',
  },
  {
    program: /^xinetd$/,
    pattern:
      /^(?<action>START): (?<unit>\S{1,64}) pid=(?<pid>\d{1,10}) from=(?:::ffff:)?(?<source>[0-9A-Fa-f.:]{2,45})$/,
    kind: 'connect',
  },
  {
    program: /^su$/,
    pattern: /^\(to (?<effectiveUser>\S{1,256})\) (?<user>\S{1,256}) on (?<tty>\S{1,40})$/,
    kind: 'login-accepted',
  },
  { program: /^CRON$|^crond?$/i, pattern: /^\((?<user>[^)]*)\) CMD \((?<command>.*)\)$/, kind: commandKind },
];

export const linux = tableReader([...sshd, ...others]);

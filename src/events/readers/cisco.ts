// Cisco IOS, IOS-XE and ASA messages ("System Message Guide"; "ASA Series Syslog Messages")
import { tableReader } from './reader.ts';

/** Ends of a line where a user name stands: a terminal line is no user. */
const USER = String.raw`(?:(?:console|(?:vty|tty|con|aux)\d+)(?![\w.@-])|(?<user>[^\s,]+))`;

export const cisco = tableReader([
  {
    program: /^SYS-\d-CONFIG_I$/,
    pattern: new RegExp(
      String.raw`Configured from \S+ by ${USER}(?:,? on (?:vty|tty|con|aux)?\S*)?(?: \((?<source>[0-9A-Fa-f.:]+)\))?`,
    ),
    kind: 'config-changed',
  },
  {
    program: /^PARSER-\d-CFGLOG_LOGGEDCMD$/,
    pattern: /User: ?(?<user>\S+) +logged command:(?<command>.*)$/,
    kind: 'command',
  },
  {
    program: /^SEC_LOGIN-\d-LOGIN_SUCCESS$/,
    pattern: /\[user: ?(?<user>[^\]]*)\] \[Source: ?(?<source>[^\]]*)\]/i,
    kind: 'login-accepted',
  },
  {
    program: /^SEC_LOGIN-\d-LOGIN_FAILED$/,
    pattern: /\[user: ?(?<user>[^\]]*)\] \[Source: ?(?<source>[^\]]*)\]/i,
    kind: 'login-failed',
  },
  {
    program: /^SSH-\d-SSH2_USERAUTH$/,
    pattern: /User '(?<user>.*)' authentication for SSH2 Session from (?<source>\S+) .*Succeeded$/,
    kind: 'login-accepted',
  },
  {
    program: /^SSH-\d-SSH2_USERAUTH$/,
    pattern: /User '(?<user>.*)' authentication for SSH2 Session from (?<source>\S+) .*Failed$/,
    kind: 'login-failed',
  },
  {
    program: /^(?:BGP|OSPF|OSPFv3|DUAL|EIGRP|CLNS|ISIS|LDP|RIP)-\d-(?:ADJCHANGE|ADJCHG|NBRCHANGE|NBRCHG)$/,
    pattern: /:/,
    kind: 'route-changed',
  },
  { program: /^ROUTING-[A-Z]+-\d-ADJCHANGE$/, pattern: /:/, kind: 'route-changed' },
  {
    program: /^ASA(?:-\w+)?-\d-111010$/,
    pattern:
      /User '(?<user>[^']*)', running '[^']*' from IP (?<source>[0-9A-Fa-f.:]+), executed '(?<command>.*)'$/,
    kind: 'command',
  },
  {
    program: /^ASA(?:-\w+)?-\d-111008$/,
    pattern: /User '(?<user>[^']*)' executed the '(?<command>.*)' command/,
    kind: 'command',
  },
  {
    program: /^ASA(?:-\w+)?-\d-605005$/,
    pattern: /Login permitted from (?<source>[0-9A-Fa-f.:]+)\/\S+ to \S+ for user "(?<user>[^"]*)"/,
    kind: 'login-accepted',
  },
  {
    program: /^ASA(?:-\w+)?-\d-605004$/,
    pattern: /Login denied from (?<source>[0-9A-Fa-f.:]+)\/\S+ to \S+ for user "(?<user>[^"]*)"/,
    kind: 'login-failed',
  },
]);

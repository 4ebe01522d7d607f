// Cisco IOS and IOS-XE messages ("System Message Guide")

import { tableReader } from './reader.ts';
import { routeKind } from './routes.ts';

/** Ends of a line where a user name stands: a terminal line is no user. */
const USER = String.raw`(?:(?:console|(?:vty|tty|con|aux)\d+)(?![\w.@-])|(?<user>[^\s,]+))`;

/** "192.0.2.1(1234)" of an access list's log. */
const end = (address: string, port: string) =>
  String.raw`(?<${address}>[0-9A-Fa-f.:]{2,45})(?:\((?<${port}>\d{1,5})\))?`;

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
    pattern: /^%\S{1,60}: ?User: ?(?<user>\S+) +logged command:(?<command>[\s\S]*)$/,
    kind: routeKind,
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
    pattern:
      /^%\S{1,60}: User '(?<user>.{0,256})' authentication for SSH2 Session from (?<source>\S+) .*Succeeded$/,
    kind: 'login-accepted',
  },
  {
    program: /^SSH-\d-SSH2_USERAUTH$/,
    pattern:
      /^%\S{1,60}: User '(?<user>.{0,256})' authentication for SSH2 Session from (?<source>\S+) .*Failed$/,
    kind: 'login-failed',
  },
  {
    // IOS, NX-OS (ISIS_FABRIC, OSPF-1) and IOS XR (ROUTING-BGP)
    program:
      /^(?:ROUTING-)?(?:BGP|BGP_SESSION|OSPFV?3?|OSPFv3|DUAL|EIGRP|CLNS|ISIS|LDP|RIP)(?:-\w{1,20})?-\d-(?:ADJCHANGE|ADJCHG|NBRCHANGE|NBRCHG|NBR_RESET|NBRSTATE|ADJACENCY_CHANGE|ADJ_STATE_CHANGE)$/,
    pattern: /:/,
    kind: 'route-changed',
  },
  {
    // A static route that follows a probe (ip sla) comes and goes of itself.
    program: /^(?:TRACK|TRACKING)-\d-STATE$/,
    pattern: /^%\S{1,60}: (?<action>\d{1,5} ip (?:sla|route) .{1,80})$/,
    kind: 'route-changed',
  },
  {
    program: /^(?:SEC|IPV6_ACL)-\d-(?:IPACCESSLOG(?:P|DP|NP|S)?|ACCESSLOG(?:P|DP|NP))$/,
    pattern: new RegExp(
      String.raw`list (?<list>\S{1,100}) (?<action>denied|permitted) (?:(?<protocol>[\w-]{1,20}) )?${end('source', 'sourcePort')}(?: \([^)]{0,80}\))?(?: ?-> ?${end('destination', 'destinationPort')})?(?: \([^)]{0,40}\))?,? \d{1,10} packets?`,
    ),
    kind: (_command, { action }) => (action === 'denied' ? 'firewall-drop' : 'firewall-accept'),
  },
]);

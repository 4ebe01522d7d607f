// RouterOS: "topic,topic message", behind a time and "echo:" on a console (MikroTik "Log" manual)
import { type Reader, type Row, tableReader } from './reader.ts';

const START =
  /^(?:[a-z]{3}\/\d\d(?:\/\d{4})? )?(?:\d{4}-\d\d-\d\d )?(?:\d\d:\d\d:\d\d )?(?:echo: )?(?:system|firewall|route|ospf|bgp|isis|account|rip)(?:,!?[a-z0-9]{1,20}){1,6}:? /;
const ANY = /^/;
/** "ssh-admin:alice@192.0.2.9", "winbox-3.41/tcp-msg(winbox):alice@192.0.2.9", or only the name. */
const BY = String.raw`by (?:[\w./()-]{1,60}:)?(?<user>[^\s@:(]{1,100})(?:@(?<source>[0-9A-Fa-f.:]{2,45}))?(?:/\S{1,100})?(?: \((?<command>[^)]{1,4000})\)?)?`;

const rows: readonly Row[] = [
  {
    program: ANY,
    pattern: new RegExp(
      String.raw`(?:^|\s)(?:nat|filter|mangle|raw|address list|layer7\S*|route|routing\S*|\w{1,20})(?: rule| entry)? (?<action>added|changed|removed|moved|enabled|disabled) ${BY}`,
    ),
    kind: 'config-changed',
  },
  {
    program: ANY,
    pattern: /login failure for user (?<user>.{0,100}) from (?<source>[0-9A-Fa-f.:]{2,45}) via \S{1,40}$/,
    kind: 'login-failed',
  },
  {
    program: ANY,
    pattern: /user (?<user>.{1,100}) logged in from (?<source>[0-9A-Fa-f.:]{2,45}) via \S{1,40}$/,
    kind: 'login-accepted',
  },
  {
    program: ANY,
    pattern:
      /(?:^|\s)(?<action>\S{0,60}?) ?\S{1,20}: in:.{1,80}? out:.{1,300}?proto (?<protocol>[\w-]{1,20})(?: \([^)]{0,40}\))?, \[?(?<source>[0-9A-Fa-f.:]{2,45}?)\]?(?::(?<sourcePort>\d{1,5}))?->\[?(?<destination>[0-9A-Fa-f.:]{2,45}?)\]?(?::(?<destinationPort>\d{1,5}))?(?:,|$)/,
    kind: (_command, { action }) =>
      /DROP|REJECT|BLOCK|DENY|DENIED/i.test(action ?? '')
        ? 'firewall-drop'
        : /ACCEPT|ALLOW|PASS|PERMIT/i.test(action ?? '')
          ? 'firewall-accept'
          : 'firewall-packet',
  },
  {
    program: ANY,
    pattern:
      /(?<action>[Nn]eighbor \S{1,60}: state change|(?:[Pp]eer|[Ss]ession) \S{1,60} (?:established|closed|down|up)|state change (?:from|to)|adjacency \S{1,40} (?:up|down))/,
    kind: 'route-changed',
  },
];
const table = tableReader(rows).readerFor('');

export const routeros: Reader = {
  knows: () => true,
  readerFor: () => (message, program, line) => {
    const start = START.exec(message.slice(0, 200));
    return start ? table(message.slice(start[0].length, 4096), program, line) : undefined;
  },
};

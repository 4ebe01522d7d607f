// Junos: commits, session logs of SRX, routing adjacencies ("System Log Explorer")
import { addressText, portNumber, protocolName, type Reader, tableReader } from './reader.ts';
import { routeKind } from './routes.ts';

const MGD = /^mgd$/;
const FLOW_ENDS = String.raw`(?<source>[0-9A-Fa-f.:]{2,45})/(?<sourcePort>\d{1,5})->(?<destination>[0-9A-Fa-f.:]{2,45})/(?<destinationPort>\d{1,5})`;

const table = tableReader([
  {
    program: MGD,
    pattern:
      /^(?<action>UI_COMMIT): User '(?<user>[^']*)' (?:requested '(?<command>[^']*)' operation|performed (?<performed>commit))/,
    kind: 'config-changed',
  },
  {
    program: MGD,
    pattern: /^(?:UI_CMDLINE_READ_LINE): User '(?<user>[^']*)', command '(?<command>.*)'/,
    kind: 'command',
  },
  {
    program: MGD,
    pattern: /^UI_CFG_AUDIT_(?<action>SET|OTHER|NEW)(?:_SECRET)?: User '(?<user>[^']*)' (?<command>.*)$/,
    kind: routeKind,
  },
  {
    program: /^RT_FLOW$/,
    pattern: new RegExp(
      String.raw`(?<action>session denied) ${FLOW_ENDS}(?: \S{1,30})?(?: \S{1,60})? (?<protocol>\d{1,3})\(\d{1,3}\)`,
    ),
    kind: 'firewall-drop',
  },
  {
    program: /^RT_FLOW$/,
    pattern: new RegExp(
      String.raw`(?<action>session created) ${FLOW_ENDS}(?: \S{1,120}){0,8}? (?<protocol>\d{1,3}) `,
    ),
    kind: 'firewall-accept',
  },
  {
    program: /^(?:fpc\d+|c?feb\d*|tfeb\d*|pfed?|kernel)$/,
    pattern:
      /PFE_FW_SYSLOG_IP6?(?:_GEN)?: FW: \S{1,40} +(?<action>[DR]) +(?<protocol>\w{1,12}) (?<source>[0-9A-Fa-f.:]{2,45}) (?<destination>[0-9A-Fa-f.:]{2,45}) +(?<sourcePort>\d{1,5}) +(?<destinationPort>\d{1,5})/,
    kind: 'firewall-drop',
  },
  {
    program: /^rpd$/,
    pattern:
      /^(?:RPD_)?(?<action>(?:BGP_NEIGHBOR_STATE_CHANGED|OSPF3?_NBR(?:UP|DOWN)|ISIS_ADJ(?:UP|DOWN)|LDP_NBR(?:UP|DOWN)|RIP_\w{1,30}|RT_\w{1,40}|STATIC_\w{1,40}|BFD_NEIGHBOR_\w{1,20})|bgp_(?:peer_mgmt_clear|event)):? ?/,
    kind: 'route-changed',
  },
]);

/** Structured data says all of a session (RFC 5424); the header keeps it in the line only. */
const STRUCTURED = /\bRT_FLOW_SESSION_(DENY|CREATE)(?:_LS)? \[junos@/;

export const junos: Reader = {
  knows: table.knows,
  readerFor: (program) => {
    const read = table.readerFor(program);
    if (program !== 'RT_FLOW') return read;
    return (message, name, line) => {
      const match = STRUCTURED.exec(line.slice(0, 500));
      if (!match) return read(message, name, line);
      const start = line.slice(match.index, match.index + 4096);
      const value = (key: string) => new RegExp(` ${key}="([^"]{0,100})"`).exec(start)?.[1];
      return {
        kind: match[1] === 'DENY' ? 'firewall-drop' : 'firewall-accept',
        action: `RT_FLOW_SESSION_${match[1]}`,
        sourceAddress: addressText(value('source-address')),
        sourcePort: portNumber(value('source-port')),
        destinationAddress: addressText(value('destination-address')),
        destinationPort: portNumber(value('destination-port')),
        protocol: protocolName(value('protocol-id')),
      };
    };
  },
};

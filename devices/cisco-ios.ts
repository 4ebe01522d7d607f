// `show running-config` of IOS and IOS-XE -> rules
import type { DeviceDefinition } from './definition.ts';
import { FULL_VIEW } from './syntax/cisco-lines.ts';
import { readCisco } from './syntax/cisco-read.ts';
import { ciscoSecrets } from './syntax/cisco-secrets.ts';

/** The last line; where a part is followed by the whole, that of the whole. */
const END = /^end\s*(?![\s\S])/m;

/** Configuration mode is never entered; paging is answered. */
export const ciscoIos: DeviceDefinition = {
  vendor: 'cisco-ios',
  title: 'Cisco IOS and IOS-XE',
  recognise: [
    { pattern: /^Building configuration\.\.\.\s*$/m, weight: 40 },
    { pattern: /^Current configuration : \d+ bytes/m, weight: 60 },
    { pattern: /^version 1[0-9]\.\d/m, weight: 55 },
    { pattern: /^ip nat (?:inside|outside) (?:source|destination) (?:static|list|route-map) /m, weight: 50 },
    {
      pattern: /^interface (?:\w*Ethernet|Serial|Dialer|Cellular|Tunnel|Vlan|Loopback|BDI)[\d/.]+\s*$/m,
      weight: 20,
    },
    {
      pattern: /^(?:zone-pair security|policy-map type inspect|route-map \S+ (?:permit|deny)) /m,
      weight: 15,
    },
  ],
  session: {
    channel: 'shell',
    prompt: /(?:^|[\r\n])[\w.@:/+~-]{1,64}(?:\([\w.@:/+ -]{1,64}\))?[>#] ?$/,
    pagers: [{ pattern: /^\s*--More--\s*$/, answer: ' ' }],
    enable: { neededAt: />\s*$/, command: 'enable', passwordPrompt: /[Pp]assword:\s*$/ },
    logLines: [
      /^\s*(?:\d{1,10}: )?[*.]?[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{2,5})?: %[A-Z0-9_-]+-\d-[A-Z0-9_]+:/,
    ],
    commands: [
      { run: 'show running-config', endMarker: END },
      {
        // An account of a lower privilege level sees only the lines that it may configure.
        run: 'show running-config view full',
        endMarker: END,
        when: { command: 'show running-config', lacks: /^version \d/m },
        heading: FULL_VIEW,
      },
    ],
    logout: 'exit',
  },
  volatile: [
    /^Building configuration\.\.\.\s*$/,
    /^Current configuration : \d+ bytes\s*$/,
    /^! Last configuration change at .*$/,
    /^! NVRAM config last updated at .*$/,
    /^! No configuration change since last restart\s*$/,
    /^ntp clock-period \d+\s*$/,
  ],
  secrets: ciscoSecrets,
  changedBy: [
    /%SYS-\d-CONFIG_I: Configured from /,
    /%PARSER-\d-CFGLOG_LOGGEDCMD: User: ?\S+ +logged command:(?!!exec)/,
  ],
  changeHeaders: [
    /^! Last configuration change at (?<time>\d.{10,50}?)(?: by (?<user>\S{1,64}))?$/,
    /^! NVRAM config last updated at (?<time>\d.{10,50}?)(?: by (?<user>\S{1,64}))?$/,
  ],
  read: readCisco,
  knownGaps: [
    'Caches of WCCP are known only where a group list names them; numbered services take what their caches ask for.',
    'A drop in a policy-map of quality of service, NBAR and flexible packet matching are unread.',
    'Dynamic routing is not read: a tunnel gets a redirect only from static routes and policy routing.',
    'Multipoint tunnels learn far ends (NHRP) besides those that the configuration states.',
    'What a crypto map protects is taken as it leaves, before its source is translated.',
    'Policy routing is judged after translation of destinations, also for packets from inside, where IOS does it before.',
    'NAT statements with a route-map are taken to let connections in from outside, whatever the route-map says of them.',
    'Reflexive and inspected return traffic is no new connection and has no entry.',
    'The self zone and traffic of the router itself (ip local policy, access-class) have no policy.',
    'Dynamic NAT is tried in the order of the text among statements of the same side.',
    'NAT64, IPv6 NAT-PT, object groups for security groups and application classes of the zone firewall are unread.',
    'Class-maps of type inspect resolve protocols by the default port map.',
    'Abbreviated interface names are not expanded.',
  ],
};

// `display current-configuration` of H3C (and HPE) Comware -> rules
import type { DeviceDefinition } from './definition.ts';
import { readVrp } from './syntax/vrp-read.ts';
import { vrpSecrets } from './syntax/vrp-secrets.ts';
import { withoutTrailingBlanks } from './syntax/vrp-text.ts';

export const h3cComware: DeviceDefinition = {
  vendor: 'h3c-comware',
  title: 'H3C Comware',
  recognise: [
    {
      pattern: /^ version \d\.\d{1,2}\.\d{1,4}\S*, (?:Release|Feature|Ess|Alpha|Customer|Demo)/m,
      weight: 94,
    },
    {
      pattern:
        /^interface (?:Vlan-interface|Bridge-Aggregation|Ten-GigabitEthernet|M-GigabitEthernet|Route-Aggregation)\d/m,
      weight: 90,
    },
    { pattern: /^ port link-mode (?:bridge|route)\s*$/m, weight: 90 },
    { pattern: /^security-zone name \S/m, weight: 90 },
    { pattern: /^ packet-filter (?:ipv6 )?(?:name )?\S+ (?:inbound|outbound)/m, weight: 90 },
    { pattern: /^acl (?:ipv6 )?(?:basic|advanced) /m, weight: 90 },
    { pattern: /^ \d+ network (?:host|subnet|range|group-object) /m, weight: 90 },
    { pattern: /^ nat static (?:outbound|inbound) /m, weight: 90 },
    { pattern: /^interface Tunnel\d+ mode \S/m, weight: 90 },
  ],
  session: {
    channel: 'shell',
    prompt: /^(?:RBM_[PSA])?(?:<[\w.-]{1,64}>|\[[\w.-]{1,64}\]) ?$/,
    pagers: [{ pattern: /^\s*-{2,4} ?More ?-{2,4}\s*$/, answer: ' ' }],
    logLines: [/^%[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d:\d{1,3} \d{4} \S{1,64} [A-Z]\w*\/\d\//],
    commands: [{ run: 'display current-configuration', endMarker: /^return\s*$/m }],
    logout: 'quit',
  },
  volatile: [/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?.*$/, /^\s*ntp-service clock-period \d+\s*$/],
  secrets: vrpSecrets,
  changedBy: [
    /\bCFGMAN\/\d\/CFGMAN_CFGCHANGED\b/,
    // Every command is recorded; those that only look are none.
    /\bSHELL\/\d\/SHELL_CMD: .{0,200}Command is (?!display |quit|screen-length |ping |tracert |save|return|terminal )/,
  ],
  layout: withoutTrailingBlanks,
  read: readVrp,
  knownGaps: [
    'Dynamic routing is not read: a tunnel gets a redirect only from static routes, traffic policies and IPsec policies.',
    'Lists with match-order auto are taken in the order of their numbers.',
    'Several `nat outbound` of one interface are tried in the order of the text, not by the numbers of their lists.',
    'Contexts, VPN instances of lists, users, applications, time ranges and host names are conditions.',
    'Server load balancing, NAT64, port block allocation and DS-Lite are unread.',
    'Reflexive and inspected (ASPF) return traffic is no new connection and has no entry.',
    'Policy routing and traffic policies are judged after translation of destinations.',
    'Traffic to and from the device itself (zone Local) has no policy.',
    'A packet filter on a zone pair and one on an interface are both met; which comes first is not told.',
  ],
};

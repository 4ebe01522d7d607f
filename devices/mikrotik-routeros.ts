// `/export` of RouterOS 6 and 7 -> rules
import type { DeviceDefinition } from './definition.ts';
import { readRouteros } from './syntax/routeros-read.ts';
import { routerosSecrets } from './syntax/routeros-secrets.ts';
import { joinedExport } from './syntax/routeros-text.ts';

/**
 * By exec channel nothing is paged or coloured. `/export` alone works in both versions: 7 leaves secrets out, 6 shows them, and
 * they are removed here. An export has no end of its own; printing a line behind it writes nothing.
 */
export const mikrotikRouteros: DeviceDefinition = {
  vendor: 'mikrotik-routeros',
  title: 'MikroTik RouterOS 6 and 7',
  recognise: [
    { pattern: /^# \S{8,12} \d\d:\d\d:\d\d by RouterOS \d/m, weight: 90 },
    {
      pattern: /^\/(?:ip|ipv6|interface|system|routing)(?:[ /][a-z0-9 /-]{2,60})?\s*\r?\n(?:add|set) /m,
      weight: 60,
    },
    { pattern: /^\/(?:ip|ipv6|interface|system|routing)[ /][a-z0-9 /-]{2,60} (?:add|set) /m, weight: 60 },
  ],
  session: {
    channel: 'exec',
    prompt: /(?:^|[\r\n])\[[^\]\r\n]{1,128}\] (?:\/[^\r\n>]{0,64})?> ?$/,
    pagers: [{ pattern: /^-- \[Q quit\|[^\]\r\n]{1,80}\] ?$/, answer: ' ' }],
    loginSuffix: '+cte511w4098h',
    enter: '\r',
    commands: [
      { run: '/export; :put "# end of export"', endMarker: /^# end of export\s*$/m },
      {
        run: '/system history print without-paging; :put "# end of history"',
        endMarker: /^# end of history\s*$/m,
        yields: 'history',
        optional: true,
      },
    ],
    logout: '/quit',
  },
  volatile: [
    /^# \S{8,12} \d\d:\d\d:\d\d(?= by RouterOS )/,
    // What the device remarks on the state of the item below: no link, inactive time, power over Ethernet.
    /^#(?! (?:software id|model|serial number|end of export)\b)(?! {0,2}by RouterOS)(?! \S{8,12} \d\d:\d\d:\d\d by ).*$/,
  ],
  secrets: routerosSecrets,
  changedBy: [
    /\bsystem,info(?:,\w{1,20})? .{1,200}?\b(?:added|changed|removed|moved|enabled|disabled|reset) by \S/,
  ],
  history: [
    /^[ A-Z]{0,3}\s?(?<command>\S.{0,60}?)\s{2,}(?<user>[\w.@-]{1,64})\s{2,}[a-z,]{1,64}\s+(?<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*$/,
  ],
  layout: joinedExport,
  // An export of others has no end; its last line at least is whole.
  storedEnd: /^.*[^\\\s]\s*(?![\s\S])/m,
  read: readRouteros,
  knownGaps: [
    'Addresses that the device has put into lists by itself are not exported: a list that rules add to, or that has no entries, is a condition.',
    'Marks of connections, packets and routes are conditions; of several mark-routing rules that pass on, the first one counts.',
    'Bridge filters, bridge NAT and rules of switch chips are unread.',
    'What reaches the services of the device (input chain) has no policy: a proxy that is on is taken to be reached.',
    'VRFs are not told apart; dynamic routes and what DHCP or PPP add are not in an export.',
    'Names of SNMP communities (`name=`) and secrets inside of scripts are not hidden.',
    'dst-nat in the path of packets that the device itself sends has no policy.',
    'The state invalid, and rules that the device marks as invalid, are not told apart from others.',
  ],
};

// `show running-config` of IOS-XR -> rules
import type { DeviceDefinition } from './definition.ts';
import { readIosXr } from './syntax/iosxr-read.ts';
import { xrSecrets } from './syntax/iosxr-secrets.ts';

/** The running configuration is the committed one; configuration mode is never entered. */
export const ciscoIosXr: DeviceDefinition = {
  vendor: 'cisco-iosxr',
  title: 'Cisco IOS-XR',
  recognise: [
    { pattern: /^!! IOS XR Configuration\b/m, weight: 95 },
    { pattern: /^!RANCID-CONTENT-TYPE: cisco-xr\s*$/m, weight: 95 },
    { pattern: /^ipv4 access-list \S+\s*$/m, weight: 70 },
    { pattern: /^ ipv4 access-group \S.* (?:ingress|egress)\b/m, weight: 75 },
    { pattern: /^(?:router static|service cgn \S+|vrf-policy|policy-map type pbr \S+)\s*$/m, weight: 62 },
    { pattern: /^ ipv4 address \d+\.\d+\.\d+\.\d+ \d+\.\d+\.\d+\.\d+/m, weight: 62 },
  ],
  session: {
    channel: 'shell',
    prompt: /^RP\/\d{1,3}\/[A-Z\d/]{1,16}:[\w.-]{1,64}(?:\([\w.-]{1,64}\))?# ?$/,
    pagers: [{ pattern: /^\s*--More--\s*$/, answer: ' ' }],
    logLines: [
      /^(?:RP|LC)\/\d{1,3}\/\S{1,20}:[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)? \S{1,8}: \S{1,40}: %[A-Z]/,
    ],
    commands: [
      {
        run: 'show configuration commit list 50',
        endMarker: /^SNo\. +Label\/ID\b/m,
        yields: 'history',
        optional: true,
      },
      { run: 'show running-config', endMarker: /^end\s*$/m },
    ],
    logout: 'exit',
  },
  volatile: [
    // The device prints its clock in front of every output.
    /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d\.\d+ \S+\s*$/,
    /^Building configuration\.\.\.\s*$/,
    /^!! Last configuration change at .*$/,
  ],
  secrets: xrSecrets,
  changedBy: [
    /%MGBL-CONFIG-\d-DB_COMMIT(?:_ADMIN)? ?: Configuration committed by user /,
    /%MGBL-SYS-\d-CONFIG_I ?: Configured from /,
  ],
  changeHeaders: [/^!! Last configuration change at (?<time>\S.{10,50}?)(?: by (?<user>\S{1,64}))?$/],
  history: [
    /^\d{1,4}\s+\S{1,64}\s+(?<user>\S{1,64})\s+\S{1,64}\s+\S.{0,24}?\s+(?<time>[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4})\s*$/,
  ],
  read: readIosXr,
  knownGaps: [
    'Dynamic routing and route policies are not read: a tunnel gets a redirect only from static routes and next hops.',
    'Next hops are tried one after the other; all of them are stated, whichever is reachable.',
    'The service card of CGN chooses outside addresses and ports: a forward may be reached at any of its pool.',
    'NAT64, DS-Lite, MAP-E and IPsec of service cards, BGP flow specification and pseudowires are not read.',
    'Access lists of Ethernet frames are unread.',
    'Tunnels of MPLS traffic engineering and segment routing stay inside the network and are no rules.',
    'Traffic to the router itself (control-plane management-plane, line access lists) has no policy.',
    'Configuration groups (apply-group) are read as they are printed, not inherited.',
  ],
};

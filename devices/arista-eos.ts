// `show running-config` of Arista EOS -> rules
import type { DeviceDefinition } from './definition.ts';
import { readEos } from './syntax/eos-read.ts';
import { eosSecrets } from './syntax/eos-secrets.ts';

/** The pager is left alone by `| no-more`, which is a part of the command and no setting. */
export const aristaEos: DeviceDefinition = {
  vendor: 'arista-eos',
  title: 'Arista EOS',
  recognise: [
    { pattern: /^!RANCID-CONTENT-TYPE: arista\s*$/m, weight: 95 },
    { pattern: /^! device: \S+ \(.{1,80}EOS-\S+\)\s*$/m, weight: 95 },
    { pattern: /^! Command: show running-config/m, weight: 80 },
    { pattern: /^ +ip nat (?:source|destination) (?:ingress |egress )?(?:static|dynamic) /m, weight: 78 },
    {
      pattern: /^(?:service routing protocols model|transceiver qsfp default-mode|daemon TerminAttr)\b/m,
      weight: 78,
    },
    {
      pattern: /^(?:traffic-policies|management api http-commands|ip virtual-router mac-address \S+)\s*$/m,
      weight: 70,
    },
    { pattern: /^interface (?:Ethernet|Management|Vlan|Port-Channel|Loopback)[\d/]+\n {3}\S/m, weight: 64 },
  ],
  session: {
    channel: 'shell',
    prompt: /^[\w.-]{1,64}(?:\([\w.-]{1,40}\)){0,2}[#>] ?$/,
    pagers: [{ pattern: /^\s*--More--\s*$/, answer: ' ' }],
    logLines: [/^[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d \S{1,64} \S{1,40}: %[A-Z0-9_]+-\d-/],
    enable: { neededAt: />\s*$/, command: 'enable', passwordPrompt: /[Pp]assword:\s*$/ },
    commands: [{ run: 'show running-config | no-more | exclude ! Time:', endMarker: /^end\s*$/m }],
    logout: 'exit',
  },
  volatile: [/^! Time: .*$/, /^! Command: .*$/, /^! device: .*$/],
  secrets: eosSecrets,
  changedBy: [
    /%SYS-\d-CONFIG_I: Configured from /,
    /%SYS-\d-CONFIG_(?:SESSION_COMMIT_SUCCESS|REPLACE_SUCCESS|STARTUP_TO_RUNNING)\b/,
  ],
  read: readEos,
  knownGaps: [
    'Dynamic routing is not read: a tunnel gets a redirect only from static routes, policies and next hop groups.',
    'The two statements of twice NAT are read one by one; that they act together is stated as a condition.',
    'A list of a static NAT statement narrows both of its directions.',
    'Policy routing is judged after translation of destinations.',
    'Internet exit and path selection policies, segment security and IPsec profiles are unread.',
    'Access lists of Ethernet frames are unread; traffic policies of the control plane have no policy.',
    'Applications of field sets are conditions, not ports.',
    'VXLAN, MPLS and EVPN carry packets inside the network and are no rules.',
  ],
};

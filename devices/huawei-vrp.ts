// `display current-configuration` of Huawei VRP (routers, switches, USG firewalls) -> rules
import type { DeviceDefinition } from './definition.ts';
import { readVrp } from './syntax/vrp-read.ts';
import { vrpSecrets } from './syntax/vrp-secrets.ts';
import { withoutTrailingBlanks } from './syntax/vrp-text.ts';

export const huaweiVrp: DeviceDefinition = {
  vendor: 'huawei-vrp',
  title: 'Huawei VRP',
  recognise: [
    { pattern: /^!Software Version V\d{3}R\d{3}/m, weight: 92 },
    { pattern: /^\[V\d{3}R\d{3}C\w+\]\s*$/m, weight: 92 },
    { pattern: /^firewall zone (?:trust|untrust|dmz|local|name \S+)/m, weight: 88 },
    { pattern: /^ traffic-filter (?:inbound|outbound) acl /m, weight: 86 },
    {
      pattern: /^interface (?:Vlanif\d+|Eth-Trunk\d+|XGigabitEthernet[\d/]+|10GE[\d/]+|MEth[\d/]+)\s*$/m,
      weight: 84,
    },
    { pattern: /^ (?:tunnel-protocol|ip binding vpn-instance|nat outbound|nat server) \S/m, weight: 66 },
    { pattern: /^ip address-set \S+ type (?:object|group)/m, weight: 84 },
    { pattern: /^acl (?:ipv6 )?(?:number \d{4}|name \S+)/m, weight: 52 },
    { pattern: /^ ?sysname \S+\s*$/m, weight: 50 },
  ],
  session: {
    channel: 'shell',
    prompt: /^(?:HRP_[MSAP])?(?:<[~*]?[\w.-]{1,64}>|\[[~*]?(?!V\d{3}R)[\w.-]{1,64}\]) ?$/,
    pagers: [{ pattern: /^\s*-{2,4} ?More ?-{2,4}\s*$/, answer: ' ' }],
    logLines: [/^[A-Z][a-z]{2} {1,2}\d{1,2} \d{4} \d\d:\d\d:\d\d\S* \S{1,64} %%\d\d[A-Z]/],
    commands: [{ run: 'display current-configuration', endMarker: /^return\s*$/m }],
    logout: 'quit',
  },
  volatile: [
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?.*$/,
    /^!Last configuration was (?:updated|saved) at .*$/,
    /^\s*ntp-service clock-period \d+\s*$/,
  ],
  secrets: vrpSecrets,
  changedBy: [
    // Every command is recorded; those that only look are none.
    /%%\d\d(?:SHELL|CLI)\/\d\/CMDRECORD.{0,300}Command="(?!display |quit|screen-length |ping |tracert |save|return|terminal )/,
    /%%\d\d(?:CONFIGURATION|CFGMAN|COMMIT|CFM)\/\d\/\S{0,40}(?:COMMIT|CHANGED|CFGCHANGE)/i,
  ],
  changeHeaders: [
    /^!Last configuration was updated at (?<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S{0,10}(?: [A-Z]{1,5})?)(?: by (?<user>\S{1,64}))?$/,
  ],
  layout: withoutTrailingBlanks,
  read: readVrp,
  knownGaps: [
    'Dynamic routing is not read: a tunnel gets a redirect only from static routes, traffic policies and IPsec policies.',
    'Lists with match-order auto are taken in the order of their numbers.',
    'A list that denies in a classifier keeps packets from the behavior; that the device may drop them is not followed.',
    'Virtual systems, VPN instances of lists, users, applications, time ranges and locations are conditions.',
    'Server load balancing, NAT64, port block allocation and old interzone policies are unread.',
    'Services that come with the device are resolved by IANA ports; those without fixed ports are conditions.',
    'Policy routing and traffic policies are judged after translation of destinations.',
    'Traffic to and from the device itself (zone local) has no policy.',
    'VXLAN, MPLS and GRE inside the network are rules only where their far end is written.',
  ],
};

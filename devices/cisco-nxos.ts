// `show running-config` of NX-OS -> rules
import type { DeviceDefinition } from './definition.ts';
import { readNxos } from './syntax/nxos-read.ts';
import { nxosSecrets } from './syntax/nxos-secrets.ts';

/** NX-OS prints no `end`: that the device then answers another command proves that it was done with this one. */
export const ciscoNxos: DeviceDefinition = {
  vendor: 'cisco-nxos',
  title: 'Cisco NX-OS',
  recognise: [
    { pattern: /^!RANCID-CONTENT-TYPE: cisco-nx\s*$/m, weight: 95 },
    { pattern: /^!Command: show running-config/m, weight: 85 },
    { pattern: /^Cisco Nexus Operating System \(NX-OS\) Software\s*$/m, weight: 85 },
    { pattern: /^version \d{1,2}\.\d{1,2}\(\d{1,3}[a-z]?\)\S{0,20}(?: Bios:version.*)?\s*$/m, weight: 75 },
    {
      pattern: /^feature (?:nat|pbr|interface-vlan|ospf|bgp|hsrp|vpc|lacp|lldp|tunnel|wccp|scp-server)\s*$/m,
      weight: 68,
    },
    { pattern: /^vrf context \S+\s*$/m, weight: 66 },
    { pattern: /^boot (?:nxos|kickstart) \S/m, weight: 66 },
  ],
  session: {
    channel: 'shell',
    prompt: /^[\w.-]{1,64}(?:\([\w-]{1,32}\))?[#>] ?$/,
    pagers: [{ pattern: /^\s*--More--\s*$/, answer: ' ' }],
    logLines: [/^\d{4} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \S{1,64} %\$ VDC-\d+ %\$ /],
    commands: [
      { run: 'show running-config', endMarker: /^line (?:console|vty)\b/m },
      {
        run: 'show version',
        endMarker: /^\s+Core Plugin, Ethernet Plugin\b/m,
        heading: '!Command: show version',
      },
    ],
    logout: 'exit',
  },
  volatile: [
    /^!Time: .*$/,
    /^!Running configuration last done at: .*$/,
    /^!Command: .*$/,
    // Of `show version`.
    /^\s*Kernel uptime is .*$/,
    /^\s*Last reset at .*$/,
    /kB of memory\.\s*$/,
  ],
  secrets: nxosSecrets,
  changedBy: [
    /%VSHD-\d-VSHD_SYSLOG_CONFIG_I: Configured from /,
    /%(?:AAA|ACLLOG)-\d-AAA_ACCOUNTING_MESSAGE: update:.{0,200}:configure terminal ;/,
  ],
  changeHeaders: [/^!Running configuration last done at: (?<time>\S.{10,50}?)\s*$/],
  // Other collectors keep no proof of their own; the lines stand near the end of every configuration.
  storedEnd: /^(?:line (?:console|vty)|boot (?:nxos|kickstart|system))\b/m,
  read: readNxos,
  knownGaps: [
    'A device that gives up behind its line statements and then answers the next command is not noticed.',
    'Dynamic routing is not read: a tunnel gets a redirect only from static routes and policy routing.',
    'Policy routing is judged after translation of destinations, also for packets from inside.',
    'The two statements of twice NAT are read one by one; that they act together is stated as a condition.',
    'A port access list filters what enters the port; that the packet then belongs to a VLAN interface is not followed.',
    'Access lists of Ethernet frames, role based lists (SGT) and fabric contracts are unread or not read.',
    'Caches of WCCP are known only where a group list names them.',
    'Mirrors of VLANs are stated with their condition and bound to every interface.',
    'Configuration profiles, port profiles and VDCs are read as they are printed.',
  ],
};

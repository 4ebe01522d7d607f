// firewall-cmd: zones, policies, ipsets and direct rules, runtime and permanent -> rules
import type { DeviceCommand, DeviceDefinition } from './definition.ts';
import { readFirewalld } from './syntax/firewalld-read.ts';

/** An account other than root needs the right to run firewall-cmd through sudo without a password. */
const cmd = '$([ "$(id -u)" = 0 ] || echo sudo -n) firewall-cmd';

/** Our own last line proves that the command ended well. */
const part = (heading: string, run: string): DeviceCommand => ({
  heading: `# firewalld ${heading}`,
  run: `${run} && echo '# end of ${heading}'`,
  endMarker: new RegExp(`^# end of ${heading}\\s*$`, 'm'),
});

export const firewalld: DeviceDefinition = {
  vendor: 'firewalld',
  title: 'firewalld: `firewall-cmd --list-all-zones`, policies, direct rules, ipsets',
  recognise: [
    { pattern: /^# firewalld zones\s*$/m, weight: 110 },
    { pattern: /^ {2}target: \S+\s*\n {2}(?:icmp-block-inversion|ingress-zones): /m, weight: 95 },
    {
      pattern: /^ {2}target: \S+\s*\n(?: {2}[\w-]+: .{0,200}\n){0,3} {2}(?:interfaces|services):/m,
      weight: 90,
    },
  ],
  session: {
    channel: 'exec',
    prompt: /[$#] ?$/,
    pagers: [],
    commands: [
      part('default zone', `${cmd} --get-default-zone`),
      part('zones', `${cmd} --list-all-zones`),
      part('policies', `${cmd} --list-all-policies`),
      part('direct rules', `${cmd} --direct --get-all-rules`),
      part('ipsets', `for s in $(${cmd} --get-ipsets); do ${cmd} --info-ipset="$s" || exit 1; done`),
      part('permanent zones', `${cmd} --permanent --list-all-zones`),
      part('permanent policies', `${cmd} --permanent --list-all-policies`),
      part('permanent direct rules', `${cmd} --permanent --direct --get-all-rules`),
    ],
  },
  volatile: [/^# Warning: .*$/],
  secrets: [
    {
      pattern: /\blog prefix="[^"]*?\b(?:pass(?:word|wd|phrase)?|pwd|secret|token|psk)\s*[=:]\s*([^\s",;]+)/i,
      example: '\trule family="ipv4" log prefix="psk=Rowan-12" level="info" drop',
    },
  ],
  changedBy: [
    // Kernel and auditd: every commit of a ruleset (audit record type 1325).
    /\b(?:type=(?:NETFILTER_CFG|1325)|audit: type=1325)\b/,
    // Not what lists, gets, asks or informs, which is what a pull does.
    /\bsudo(?:\[\d+\])?: .*COMMAND=\S*\bfirewall-cmd\b(?!(?: --(?:permanent|direct))* --(?:list|get|state|info|query))/,
    /\bsystemd\[1\]: (?:Started|Starting|Reloaded|Reloading|Stopped|Finished) firewalld\.service/,
  ],
  read: readFirewalld,
  knownGaps: [
    'Services that the administrator defined, and rare ones, are conditions: only their names are in the text.',
    'Services, ports, rich rules and ICMP blocks of zones are about the device itself; they are listed and have no policy.',
    "The device's own addresses are not pulled; a port forward acts on everything that comes in by its zone.",
    'MAC addresses, ipsets of other types than hash:ip and hash:net, and limits are conditions, not ranges.',
    'Zones before firewalld 1.0, which let forward between zones with target ACCEPT, are read by the rules of 1.0.',
    'Direct chains of their own and passthroughs are not pulled.',
    'Where firewalld does not run, nothing acts; rules of other programs in the kernel are not pulled.',
  ],
};

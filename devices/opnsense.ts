// config.xml of OPNsense -> rules
import type { DeviceDefinition } from './definition.ts';
import { readSense } from './syntax/pfsense-read.ts';
import { pfsenseSecrets, staticKeyLine } from './syntax/pfsense-secrets.ts';

export const opnsense: DeviceDefinition = {
  vendor: 'opnsense',
  title: 'OPNsense',
  recognise: [{ pattern: /^\s*<opnsense>\s*$/m, weight: 100 }],
  session: {
    channel: 'exec',
    prompt: /[$#%] ?$/,
    pagers: [],
    commands: [{ run: 'cat /conf/config.xml', endMarker: /^<\/opnsense>\s*$(?![\s\S])/m }],
  },
  volatile: [
    /^\s*<time>[\d.]*<\/time>\s*$/,
    /^\s*<username>[^<]*<\/username>\s*$/,
    /^\s*<description>\/\S{1,200} made changes<\/description>\s*$/,
    /^\s*<last_rule_upd_time>[\d.]*<\/last_rule_upd_time>\s*$/,
  ],
  secrets: [...pfsenseSecrets, staticKeyLine],
  changedBy: [
    // user root@192.0.2.5 changed configuration to /conf/backup/config-1700000000.1234.xml in /firewall_rules_edit.php ...
    /\bchanged configuration to \/conf\/backup\/config-[\d._]{1,32}\.xml\b/,
    /\bconfigd\.py(?:\[\d{1,9}\])?: .{0,100}?\b(?:Reloading|reload) filter\b/i,
  ],
  read: (text) => readSense(text, 'opnsense'),
  knownGaps: [
    'URL tables, countries, host names in aliases, groups of users, schedules and tags are conditions, not ranges.',
    'Rules of the automation model are met before older ones of the same kind (floating, group, interface).',
    'An empty <disabled/> or <not/> is taken for "no", as PHP does.',
    'The automatic rules of the system and of plugins are not in the file and not read.',
    'NAT reflection is taken to hold for all interfaces.',
    'Automatic outbound NAT covers interface networks, static routes and OpenVPN tunnel networks, IPv4 only.',
    'Default routes and FRR are not followed: a tunnel takes what its own networks and static routes name.',
    'HAProxy actions and rules are not read, only the default backend; of Squid only where it listens.',
    'Shaper, captive portal, Zenarmor, relayd and IPS policies are not read.',
  ],
};

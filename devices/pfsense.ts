// config.xml of pfSense -> rules
import type { DeviceDefinition } from './definition.ts';
import { readSense } from './syntax/pfsense-read.ts';
import { pfsenseSecrets } from './syntax/pfsense-secrets.ts';

export const pfsense: DeviceDefinition = {
  vendor: 'pfsense',
  title: 'pfSense CE and Plus',
  recognise: [{ pattern: /^\s*<pfsense>\s*$/m, weight: 100 }],
  session: {
    channel: 'exec',
    prompt: /[$#%] ?$/,
    pagers: [],
    commands: [{ run: 'cat /cf/conf/config.xml', endMarker: /^<\/pfsense>\s*$(?![\s\S])/m }],
  },
  volatile: [
    // The revision at the end of the file, and times of saving that stand in rules too.
    /^\s*<time>[\d.]*<\/time>\s*$/,
    /^\s*<username>[^<]*(?:<!\[CDATA\[[^\]]*\]\]>)?<\/username>\s*$/,
    /^\s*<description>(?:<!\[CDATA\[)?[^<\]]{0,200}\([^()<]{0,80}\): [^<\]]*(?:\]\]>)?<\/description>\s*$/,
    /^\s*<last_rule_upd_time>[\d.]*<\/last_rule_upd_time>\s*$/,
    /^\s*<lastchange>[^<]*<\/lastchange>\s*$/,
  ],
  secrets: pfsenseSecrets,
  changedBy: [
    // php-fpm[123]: /firewall_rules_edit.php: Configuration Change: admin@192.0.2.5 (Local Database): ...
    /\bphp(?:-fpm|-cgi)?(?:\[\d{1,9}\])?: .{0,200}?\bConfiguration Change: /,
    /\bcheck_reload_status(?:\[\d{1,9}\])?: (?:\d{1,9} )?(?:Syncing|Reloading) (?:firewall|filter)/,
  ],
  read: (text) => readSense(text, 'pfsense'),
  knownGaps: [
    'URL tables, host names in aliases, schedules, tags, operating systems and bogon networks are conditions, not ranges.',
    'The automatic rules of the system (anti-lockout, DHCP, packages that add rules of their own) are not in the file and not read.',
    'NAT reflection is taken to hold for all interfaces; its proxy mode is not told from the pure one.',
    'Automatic outbound NAT covers interface networks, static routes and OpenVPN tunnel networks, IPv4 only.',
    'Rules with a gateway are judged for the packets that leave by the interface of that gateway.',
    'Default routes and routing packages (FRR) are not followed: a tunnel takes what its own networks and static routes name.',
    'Floating rules on the way out are judged on addresses after source NAT.',
    'Captive portal, traffic shaper, load balancer and limiters are not read; HAProxy rules that choose a backend are taken together.',
  ],
};

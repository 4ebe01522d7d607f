// `show configuration commands` or config.boot of EdgeOS -> rules
import type { DeviceDefinition } from './definition.ts';
import { readVyos } from './syntax/vyos-read.ts';
import { vyosSecrets } from './syntax/vyos-secrets.ts';

export const edgeos: DeviceDefinition = {
  vendor: 'edgeos',
  title: 'Ubiquiti EdgeOS: `show configuration commands`, config.boot',
  recognise: [
    { pattern: /^\/\* === vyatta-config-version: "[^"\n]{0,2000}\bubnt-/m, weight: 98 },
    { pattern: /^\/\* Release version: v[123]\.\d/m, weight: 97 },
    { pattern: /^set (?:port-forward|service (?:gui|unms|ubnt-discover|nat)) \S/m, weight: 90 },
    {
      pattern: /^set system (?:analytics-handler|crash-handler|offload hwnat|traffic-analysis) /m,
      weight: 88,
    },
    { pattern: /^port-forward \{\s+(?:auto-firewall|hairpin-nat|lan-interface|rule) /m, weight: 90 },
    { pattern: /^ {4}(?:gui|unms|ubnt-discover) \{/m, weight: 75 },
    { pattern: /^ {4}nat \{\s+rule \d+ \{/m, weight: 90 },
  ],
  session: {
    channel: 'exec',
    prompt: /(?:^|[\r\n])[\w.-]{1,64}@[\w.-]{1,64}:\S{0,64}[$#] $/,
    pagers: [],
    commands: [
      {
        // Commits with their users and comments: /config/archive/commits of the commit archive.
        run: 'cat /config/archive/commits',
        endMarker: /^\|\d+\|[^|]*\|[^|]*\|.*\|\s*$/m,
        yields: 'history',
        optional: true,
      },
      {
        // The wrapper runs operational commands outside of the interactive shell, and so without a pager.
        run: "/opt/vyatta/bin/vyatta-op-cmd-wrapper show configuration commands && echo '# end of configuration'",
        endMarker: /^# end of configuration\s*$|^\/\* Release version: .*$/m,
      },
    ],
  },
  volatile: [/^\/\* (?:Warning: Do not remove|=== vyatta-config-version:|Release version:).*$/],
  secrets: vyosSecrets,
  changedBy: [/\bcommit(?:\[\d+\])?: Successful change to active configuration by user \S+/],
  history: [/^\|(?<time>\d{9,11})\|(?<user>[^|]{1,64})\|(?<command>[^|]{0,64})\|(?<comment>[^|]{0,512})\|$/],
  // Both forms are sorted by section: what stands last tells that a text which others stored is whole.
  storedEnd:
    /^# end of configuration\s*$|^\/\* Release version: .*$|^set (?:system|traffic-control|traffic-policy|vpn|zone-policy) \S.*\s*(?![\s\S])/m,
  read: readVyos,
  knownGaps: [
    'What hosts ask for by UPnP and NAT-PMP is not in the configuration; that they may ask is listed as a rule.',
    'Groups of addresses that the device keeps by itself (ADDRv4_eth0) are conditions where the address comes by DHCP or PPPoE.',
    'Port forwards and the firewall that they open are taken to be met before all other NAT rules and lists.',
    'Load balancing groups lead to gateways that only the device knows.',
    'Application categories, marks, time, limits and statistics are conditions, not ranges.',
    'Users who may forward ports by SSH to the device are not read.',
    'Dynamic routing and routes learnt by DHCP or PPP are not read: a tunnel gets a redirect only from static and policy routes.',
    'Policy routing is judged after translation of destinations; the device does it before.',
    'Lists bound to `local` are listed; packets of the device itself have no policy.',
  ],
};

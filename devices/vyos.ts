// `show configuration commands` or config.boot of VyOS -> rules
import type { DeviceDefinition } from './definition.ts';
import { readVyos } from './syntax/vyos-read.ts';
import { vyosSecrets } from './syntax/vyos-secrets.ts';

export const vyos: DeviceDefinition = {
  vendor: 'vyos',
  title: 'VyOS: `show configuration commands`, config.boot',
  recognise: [
    { pattern: /^\/\/ vyos-config-version: /m, weight: 95 },
    { pattern: /^\/\* Release version: (?:VyOS )?(?:1\.[0-9]|equuleus|sagitta|circinus)/m, weight: 85 },
    { pattern: /^set nat(?:66)? (?:source|destination|static) rule \d+ /m, weight: 70 },
    { pattern: /^set firewall (?:ipv[46]|global-options|zone|bridge|flowtable) \S/m, weight: 70 },
    {
      pattern: /^set interfaces (?:ethernet|bonding|bridge|dummy|loopback|pppoe|wireguard) \S+/m,
      weight: 40,
    },
    {
      pattern: /^interfaces \{\s+(?:ethernet|bonding|bridge|dummy|loopback|pppoe|wireguard) \S+ \{/m,
      weight: 40,
    },
    { pattern: /^nat(?:66)? \{\s+(?:source|destination|static) \{\s+rule \d+ \{/m, weight: 60 },
    { pattern: /^firewall \{\s+(?:ipv[46]|global-options|zone|flowtable|bridge) /m, weight: 60 },
    { pattern: /^firewall \{\s+(?:all-ping|group|name|ipv6-name|state-policy) /m, weight: 40 },
  ],
  session: {
    channel: 'exec',
    prompt: /(?:^|[\r\n])[\w.-]{1,64}@[\w.-]{1,64}(?::\S{0,64}[$#]|[>#]) $/,
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
        endMarker: /^# end of configuration\s*$|^(?:\/\/|\/\*) Release version: .*$/m,
      },
    ],
  },
  volatile: [
    /^\/\/ (?:Warning: Do not remove|vyos-config-version:|Release version:).*$/,
    /^\/\* (?:Warning: Do not remove|=== vyatta-config-version:|Release version:).*$/,
  ],
  secrets: vyosSecrets,
  changedBy: [/\bcommit(?:\[\d+\])?: Successful change to active configuration by user \S+/],
  history: [/^\|(?<time>\d{9,11})\|(?<user>[^|]{1,64})\|(?<command>[^|]{0,64})\|(?<comment>[^|]{0,512})\|$/],
  // Both forms are sorted by section: what stands last tells that a text which others stored is whole.
  storedEnd:
    /^# end of configuration\s*$|^(?:\/\/|\/\*) Release version: .*$|^set (?:system|traffic-policy|vpn|vrf|zone-policy) \S.*\s*(?![\s\S])/m,
  read: readVyos,
  knownGaps: [
    'Addresses by name (FQDN, domain groups), countries, MAC addresses, marks, time and limits are conditions, not ranges.',
    'Dynamic address groups hold what rules put there; they are conditions.',
    'Bridge firewalls are listed and not counted as filters of routed traffic; nor is apply-to-bridged-traffic.',
    'NAT64, CGNAT and addresses by name in translations are listed as not understood.',
    'Dynamic routing and routes learnt by DHCP or PPP are not read: a tunnel gets a redirect only from static and policy routes.',
    'Policy routing is judged after translation of destinations; the device does it before.',
    'Input and output hooks and the local zone are listed; packets of the device itself have no policy.',
    'A packet that comes in by an interface of a VRF is met under the name of the interface only.',
    'Users who may forward ports by SSH to the device, containers and OpenConnect are not read.',
    'The history of commits is empty unless commit-revisions is set.',
  ],
};

// `show` of FortiOS -> rules
import type { DeviceDefinition } from './definition.ts';
import { readFortios } from './syntax/fortios-read.ts';
import { fortiosSecrets } from './syntax/fortios-secrets.ts';

/** Paging is answered: to turn it off would be a change of configuration. `| grep .` pages nothing where the version allows it. */
export const fortios: DeviceDefinition = {
  vendor: 'fortios',
  title: 'Fortinet FortiOS (FortiGate)',
  recognise: [
    { pattern: /^#config-version=\w{3,16}-\d/m, weight: 90 },
    {
      pattern: /^config firewall (?:policy|address|vip|service custom|central-snat-map|security-policy)\s*$/m,
      weight: 70,
    },
    { pattern: /^config (?:system (?:global|interface|settings|zone)|vdom|router static)\s*$/m, weight: 45 },
  ],
  session: {
    channel: 'shell',
    prompt: /(?:^|[\r\n])[\w.-]{1,64}(?: \([\w./ -]{1,64}\))? [#$] ?$/,
    pagers: [{ pattern: /--More-- ?$/, answer: ' ' }],
    acknowledge: [{ pattern: /\(Press 'a' to accept\):? ?$/i, answer: 'a' }],
    commands: [
      { run: 'show | grep .', endMarker: /^end\s*(?:System time: .*\s*)?$(?![\s\S])/m },
      {
        // A configuration has no end of its own. What the device says after it proves that it was shown to its end; in a
        // backup file it is the section that always stands last.
        run: 'get system status | grep "System time"',
        endMarker:
          /^(?:System time: .*\d|config router multicast\n(?:[ \t].{0,200}\n)*end\n(?:end\n)?\s*$(?![\s\S]))/m,
      },
    ],
    logout: 'exit',
  },
  volatile: [
    /^#config-version=.*$/,
    /^#conf_file_ver=.*$/,
    /^System time: .*$/,
    /^\s*set last-login .*$/,
    /^\s*set internet-service-id \d+$/,
    // Encrypted anew each time they are shown.
    /^\s*set \S{1,64} ENC .*$/,
    /^<removed:[^<>\s]{1,128}>$/,
  ],
  secrets: fortiosSecrets,
  changedBy: [/\blogid="?01000445(?:4[4-7])\b/, /\blogid="?01000321(?:02|04)\b/],
  // What others collect ends with a section.
  storedEnd: /^end\s*(?![\s\S])/m,
  read: readFortios,
  knownGaps: [
    'Which of a secret and its new value is in use is not seen: FortiOS encrypts secrets anew each time it shows them.',
    'Names of SNMP communities (`set name`) are not hidden.',
    'Local-in policies are listed; traffic of the device itself has no policy.',
    'Translation between families (policy46, policy64, VIPs with nat46 or nat64) is unread.',
    'ZTNA access proxies, SSL VPN portals, virtual wire pairs and transparent mode are not modelled.',
    'Dynamic addresses, FQDN, geography, internet services, schedules, users and applications are conditions.',
    'VIPs that overlap are tried by source filter, then by port, then as written.',
    'Which interface a packet leaves by is not followed through the routing table; connections between VDOMs are judged in each.',
    'Static routes by distance and prefix; dynamic routing is not read.',
    'A tunnel that is bridged with a port (VXLAN in a software switch) is listed, not followed.',
    'Old identity-based policies (before 5.2) are unread.',
    'A backup file that was cut right behind the last section of one VDOM looks complete.',
  ],
};

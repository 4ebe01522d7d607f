// macOS application firewall and stealth mode; the BSDs' log_in_vain
import { tableReader } from './reader.ts';

const FIREWALL = /^(?:socketfilterfw|Firewall|ALF|appfirewall)$/i;
const ATTEMPT =
  /(?:^|\s)(?<action>Stealth Mode connection attempt|Connection attempt) to (?<protocol>TCP|UDP) (?:\[?(?<destination>[0-9A-Fa-f.:]{2,45}?)\]?:(?<destinationPort>\d{1,5}) from \[?(?<source>[0-9A-Fa-f.:]{2,45}?)\]?:(?<sourcePort>\d{1,5})(?:\s|$)|\d{1,9} times?)/;

export const macos = tableReader([
  {
    program: /^(?:socketfilterfw|Firewall|ALF|appfirewall|kernel)$/i,
    pattern: ATTEMPT,
    kind: 'firewall-drop',
  },
  {
    program: FIREWALL,
    pattern:
      /^(?:\[com\.apple\.alf:[^\]]{0,40}\] )?(?:Deny|Block) (?<executable>.{1,200}?) (?:data in|connecting) from (?<source>[0-9A-Fa-f.:]{2,45}):(?<sourcePort>\d{1,5}) (?:to port|to) (?:(?<destination>[0-9A-Fa-f.:]{2,45}):)?(?<destinationPort>\d{1,5})(?: proto=(?<protocol>\d{1,3}))?/,
    kind: 'firewall-drop',
  },
  {
    program: FIREWALL,
    pattern:
      /^(?:\[com\.apple\.alf:[^\]]{0,40}\] )?Allow (?<executable>.{1,200}?) (?:data in|connecting) from (?<source>[0-9A-Fa-f.:]{2,45}):(?<sourcePort>\d{1,5}) (?:to port|to) (?:(?<destination>[0-9A-Fa-f.:]{2,45}):)?(?<destinationPort>\d{1,5})(?: proto=(?<protocol>\d{1,3}))?/,
    kind: 'firewall-accept',
  },
  {
    program: FIREWALL,
    pattern: /^(?<executable>.{1,200}?): (?<action>Deny|Block) (?:(?<protocol>TCP|UDP) )?/,
    kind: 'firewall-drop',
  },
  {
    program: FIREWALL,
    pattern: /^(?<executable>.{1,200}?): (?<action>Allow) (?:(?<protocol>TCP|UDP) )?/,
    kind: 'firewall-accept',
  },
]);

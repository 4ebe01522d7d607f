// macOS: application firewall, stealth mode, pf, what launchd starts; the BSDs' log_in_vain
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
  {
    program: FIREWALL,
    pattern:
      /^(?:\[com\.apple\.alf:[^\]]{0,40}\] )?(?<action>(?:[Ss]et(?:ting)? |[Cc]hang(?:ed|ing) )?(?:global ?state|[Ff]irewall (?:state|is (?:enabled|disabled))|[Ss]tealth [Mm]ode (?:enabled|disabled|on|off)|block ?all|[Aa]pplication (?:at path|added|removed)|logging ?mode)[^\n]{0,80})/,
    kind: 'firewall-changed',
  },
  {
    // pfctl(8) of itself, and the kernel's part of it
    program: /^(?:pfctl|kernel|pfd|pf)$/,
    pattern:
      /^(?:pfctl: )?(?<action>pf (?:enabled|disabled|already enabled|not enabled)|(?:No ALTQ support|Use of -f option)|rules (?:loaded|cleared)|\d{1,6} (?:tables|states|rules) (?:deleted|cleared)|pf: (?:enabled|disabled|(?:ruleset|anchor|rules?) .{1,60}))/,
    kind: 'firewall-changed',
  },
  {
    program: /^(?:pfctl|kernel|pfd|pf|launchd)$/,
    pattern: /^(?:pf: )?(?<action>(?:load(?:ed|ing) |flush(?:ed|ing) )?anchor "?[\w./*-]{1,200}"?.{0,80})/i,
    kind: 'firewall-changed',
  },
  {
    program: /^launchd$/,
    pattern:
      /^(?:\[?(?:system|gui|user)\/(?:\d{1,10}\/)?)?(?<unit>com\.[\w.-]{1,120}).{0,60}?(?:[Ss]uccessfully spawned (?<executable>[\w./-]{1,200})|(?<action>service state: running|launched))/,
    kind: 'service-started',
  },
]);

// interface blocks of NX-OS -> what IOS has too, with port lists and members of VRFs
import { type InterfaceDialect, set, tunnel } from './cisco-interfaces.ts';

export const NXOS_LINES: InterfaceDialect = {
  bearing:
    /^(?:ip nat|ip(?:v6)? (?:port )?access-group|ip(?:v6)? policy|ipv6 (?:port )?traffic-filter|mac port access-group|ip wccp|ipv6 wccp|tunnel (?:source|destination|mode)|ip address|ipv6 address|xconnect|service-policy type pbr)\b/,
  readers: [
    { pattern: /^vrf member \S+$/, read: (face, words) => set(face, { vrf: words[2] }) },
    {
      pattern: /^(?:ip port access-group|ipv6 port traffic-filter) \S+ (?:in|out)$/,
      read: (face, words) =>
        void face.lists.push({
          list: words[3],
          direction: words[4] as 'in' | 'out',
          family: words[0] === 'ip' ? 'ip' : 'ip6',
        }),
    },
    // Read by its own reader.
    { pattern: /^ip wccp (?:vrf \S+ )?\S+ redirect (?:in|out)$/, read: () => true },
    { pattern: /^tunnel use-vrf \S+$/, read: (face, _words, line) => tunnel(face, line, {}) },
  ],
};

// interface blocks and zones of VRP and Comware -> interfaces, and the statements that bind things to them
import type { SourceLine } from '../../src/model/rule.ts';
import { addAddress, type CiscoInterface, type InterfaceDialect, set, tunnel } from './cisco-interfaces.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, lineOf, wordsOf } from './indent.ts';

/** A statement of an interface, for the readers that understand it; `face` undefined: of the whole device (`nat server` of firewalls). */
export interface VrpBinding {
  readonly face?: CiscoInterface;
  readonly words: readonly string[];
  readonly line: SourceLine;
}

export interface VrpBindings {
  /** `nat outbound`, `nat server`, `nat static ...`. */
  readonly nat: VrpBinding[];
  /** `traffic-filter`, `packet-filter`. */
  readonly filters: VrpBinding[];
  /** `traffic-policy`, `qos apply policy`, `traffic-redirect`, `traffic-mirror`. */
  readonly traffic: VrpBinding[];
  /** `ip policy-based-route`. */
  readonly routes: VrpBinding[];
  /** `ipsec policy`, `ipsec apply policy`. */
  readonly crypto: VrpBinding[];
  /** `port-mirroring`, `mirroring-group`. */
  readonly mirrors: VrpBinding[];
}

export const newVrpBindings = (): VrpBindings => ({
  nat: [],
  filters: [],
  traffic: [],
  routes: [],
  crypto: [],
  mirrors: [],
});

const BEARING =
  /^(?:nat |traffic-(?:filter|policy|redirect|mirror|secure)|packet-filter|qos apply policy|ip policy-based-route|ipv6 policy-based-route|ipsec |port-mirroring|mirroring-group|tunnel-protocol|source |destination |ip address|ipv6 address|aspf|firewall )/;

/** Fills `bindings` while interfaces are read. */
export function vrpDialect(bindings: VrpBindings): InterfaceDialect {
  const to = (list: VrpBinding[]) => (face: CiscoInterface, words: readonly string[], line: Block) =>
    void list.push({ face, words, line: lineOf(line) });
  return {
    bearing: BEARING,
    readers: [
      {
        pattern: /^ip binding vpn-instance \S+$/,
        read: (face, words) => set(face, { vrf: words[3] }),
      },
      {
        pattern: /^ip address (?:dhcp-alloc|ppp-negotiate|bootp-alloc|unnumbered|cellular-allocated)\b/,
        read: (face) => set(face, { dynamicAddress: true }),
      },
      {
        pattern: /^ip address \d+\.\d+\.\d+\.\d+ \d{1,2}(?: |$)/,
        read: (face, words) => addAddress(face, words[2], `/${words[3]}`),
      },
      { pattern: /^ipv6 address auto\b/, read: () => true },
      { pattern: /^nat (?:outbound|server|static)\b/, read: to(bindings.nat) },
      { pattern: /^(?:traffic-filter|packet-filter) /, read: to(bindings.filters) },
      {
        pattern: /^(?:traffic-policy|qos apply policy|traffic-redirect|traffic-mirror) /,
        read: to(bindings.traffic),
      },
      { pattern: /^ip(?:v6)? policy-based-route \S+$/, read: to(bindings.routes) },
      { pattern: /^ipsec (?:apply )?policy \S+/, read: to(bindings.crypto) },
      { pattern: /^(?:port-mirroring|mirroring-group) /, read: to(bindings.mirrors) },
      {
        pattern: /^tunnel-protocol \S/,
        read: (face, words, line) => tunnel(face, line, { mode: words.slice(1).join(' ') }),
      },
      { pattern: /^source \S+$/, read: (face, words, line) => tunnel(face, line, { source: words[1] }) },
      {
        pattern: /^destination (?:vpn-instance \S+ )?\S+$/,
        read: (face, words, line) => tunnel(face, line, { destination: words.at(-1) }),
      },
      { pattern: /^zone \S+$/, read: (face, words) => set(face, { zone: words[1] }) },
      { pattern: /^nat static enable$/, read: to(bindings.nat) },
    ],
  };
}

/** Members of zones: VRP `firewall zone [name] Z` / `add interface I`, Comware `security-zone name Z` / `import interface I`. */
export function readZoneMembers(
  reading: Reading,
  interfaces: readonly CiscoInterface[],
): Map<string, string[]> {
  const zones = new Map<string, Set<string>>();
  const up = new Set(interfaces.filter((face) => !face.shutdown).map((face) => face.name));
  const add = (zone: string, name?: string) => {
    const members = zones.get(zone) ?? new Set();
    zones.set(zone, members);
    if (name !== undefined && up.has(name)) members.add(name);
  };
  for (const face of interfaces) if (face.zone !== undefined) add(face.zone, face.name);
  for (const block of reading.blocks) {
    const found = /^(?:firewall zone (?:name )?|security-zone name )(\S+)/.exec(
      wordsOf(block.text).join(' '),
    );
    if (!found) continue;
    add(found[1]);
    for (const line of block.children) {
      const words = wordsOf(line.text);
      if (/^(?:add|import)$/.test(words[0] ?? '') && words[1] === 'interface')
        add(
          found[1],
          words
            .slice(2)
            .join(' ')
            .replace(/ vlan \S.*$/, ''),
        );
      else if (
        !/^(?:set|description|detect|undo|inherit|import|attack-defense|statistic)$/.test(words[0] ?? '')
      )
        reading.notUnderstood(line);
    }
  }
  return new Map([...zones].map(([zone, members]) => [zone, [...members]]));
}

// interface blocks of EOS -> what IOS has too, and the statements of NAT and the policies that stand inside them
import type { SourceLine } from '../../src/model/rule.ts';
import { addAddress, type CiscoInterface, type InterfaceDialect, set, tunnel } from './cisco-interfaces.ts';
import { lineOf } from './indent.ts';

export interface EosBinding {
  readonly face: CiscoInterface;
  readonly words: readonly string[];
  readonly line: SourceLine;
}

export interface EosBindings {
  /** `ip nat source ...`, `ip nat destination ...`; with the lines of a profile those of each interface that uses it. */
  readonly nat: EosBinding[];
  /** Policy-maps of type pbr. */
  readonly pbr: { readonly face: CiscoInterface; readonly policy: string }[];
  /** Traffic policies, by direction. */
  readonly traffic: {
    readonly face: CiscoInterface;
    readonly policy: string;
    readonly direction: 'in' | 'out';
  }[];
  readonly profiles: { readonly face: CiscoInterface; readonly profile: string }[];
}

export const newEosBindings = (): EosBindings => ({ nat: [], pbr: [], traffic: [], profiles: [] });

const BEARING =
  /^(?:ip nat|ip(?:v6)? access-group|mac access-group|service-policy type pbr|traffic-policy|tunnel (?:source|destination|mode|ipsec)|ip address|ipv6 address|ip service)\b/;

/** Fills `bindings` while interfaces are read. */
export function eosDialect(bindings: EosBindings): InterfaceDialect {
  return {
    bearing: BEARING,
    readers: [
      { pattern: /^vrf (?:forwarding )?\S+$/, read: (face, words) => set(face, { vrf: words.at(-1) }) },
      {
        pattern: /^ip address virtual \S+\/\d+/,
        read: (face, words) => {
          const [address, length] = words[3].split('/');
          return addAddress(face, address, `/${length}`);
        },
      },
      {
        pattern: /^(?:ip|ipv6) access-group \S+ (?:in|out)$/,
        read: (face, words) =>
          void face.lists.push({
            list: words[2],
            direction: words[3] as 'in' | 'out',
            family: words[0] === 'ip' ? 'ip' : 'ip6',
          }),
      },
      {
        pattern: /^ip nat (?:source|destination) /,
        read: (face, words, line) => void bindings.nat.push({ face, words, line: lineOf(line) }),
      },
      {
        pattern: /^ip nat service-profile \S+$/,
        read: (face, words) => void bindings.profiles.push({ face, profile: words[3] }),
      },
      {
        pattern: /^service-policy type pbr input \S+$/,
        read: (face, words) => void bindings.pbr.push({ face, policy: words[4] }),
      },
      {
        pattern: /^traffic-policy (?:input|output) \S+$/,
        read: (face, words) =>
          void bindings.traffic.push({
            face,
            policy: words[2],
            direction: words[1] === 'input' ? 'in' : 'out',
          }),
      },
      {
        pattern: /^tunnel source (?:interface )?\S+$/,
        read: (face, words, line) => tunnel(face, line, { source: words.at(-1) }),
      },
      { pattern: /^tunnel ipsec profile \S+$/, read: (face, _words, line) => tunnel(face, line, {}) },
    ],
  };
}

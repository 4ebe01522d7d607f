// interface blocks of IOS-XR -> what IOS has too, and the lists, policies and mirrors that are bound to them

import type { SourceLine } from '../../src/model/rule.ts';
import type { Family } from './cisco-address.ts';
import type { CiscoInterface, InterfaceDialect } from './cisco-interfaces.ts';
import { addAddress6, set } from './cisco-interfaces.ts';
import { type Block, lineOf, wordsOf } from './indent.ts';

/** What a statement of an interface binds to it. */
export interface XrBinding {
  readonly face: CiscoInterface;
  readonly line: SourceLine;
}

export interface AclBinding extends XrBinding {
  readonly family: Family;
  /** The common list, if there is one, comes first. */
  readonly lists: readonly string[];
  readonly direction: 'in' | 'out';
}

export interface PolicyBinding extends XrBinding {
  readonly policy: string;
}

export interface MirrorBinding extends XrBinding {
  readonly session: string;
  readonly direction: 'rx' | 'tx' | 'both';
  /** Only packets whose list entry says `capture`. */
  readonly list: boolean;
}

export interface XrBindings {
  readonly acls: AclBinding[];
  readonly policies: PolicyBinding[];
  readonly mirrors: MirrorBinding[];
}

const BEARING =
  /^(?:ipv[46] access-group|ethernet-services access-group|service-policy type|monitor-session|tunnel (?:source|destination|mode)|ipv[46] address|service cgn|ipv4 unreachables-to|l2transport-propagate|xconnect|flowspec)\b/;

export const newBindings = (): XrBindings => ({ acls: [], policies: [], mirrors: [] });

/** Fills `bindings` while interfaces are read. */
export function xrDialect(bindings: XrBindings): InterfaceDialect {
  return {
    bearing: BEARING,
    readers: [
      { pattern: /^vrf \S+$/, read: (face, words) => set(face, { vrf: words[1] }) },
      { pattern: /^ipv4 address dhcp\b/, read: (face) => set(face, { dynamicAddress: true }) },
      {
        pattern: /^ipv4 (?:unnumbered|point-to-point)\b/,
        read: (face) => set(face, { dynamicAddress: true }),
      },
      { pattern: /^ipv6 address \S/, read: addAddress6 },
      {
        pattern: /^ipv[46] access-group \S/,
        read: (face, words, line) => accessGroup(bindings, face, words, line),
      },
      {
        pattern: /^service-policy type pbr (?:input )?\S+$/,
        read: (face, words, line) =>
          void bindings.policies.push({ face, policy: words.at(-1)!, line: lineOf(line) }),
      },
      {
        pattern: /^monitor-session \S+/,
        read: (face, words, line) => void bindings.mirrors.push(mirror(face, words, line)),
      },
      { pattern: /^service cgn \S+ service-type \S+ \S+$/, read: () => true },
      // A tunnel of MPLS traffic engineering carries labels to another router of the same network.
      {
        pattern: /^tunnel mode (?:gre|ipsec|ipip|mgre)\b/,
        read: (face, words, line) => mode(face, words, line),
      },
    ],
  };
}

/** `ipv4 access-group [common C] X ingress|egress ...`; what follows says how matches are counted and compressed. */
function accessGroup(
  bindings: XrBindings,
  face: CiscoInterface,
  words: readonly string[],
  line: Block,
): boolean {
  const at = words.findIndex((word) => word === 'ingress' || word === 'egress');
  if (at < 3) return false;
  const lists = words.slice(2, at).filter((word) => word !== 'common');
  bindings.acls.push({
    face,
    family: words[0] === 'ipv4' ? 'ip' : 'ip6',
    lists,
    direction: words[at] === 'ingress' ? 'in' : 'out',
    line: lineOf(line),
  });
  return lists.length <= 2;
}

function mirror(face: CiscoInterface, words: readonly string[], line: Block): MirrorBinding {
  const direction = words[words.indexOf('direction') + 1];
  return {
    face,
    session: words[1],
    direction: direction === 'rx-only' ? 'rx' : direction === 'tx-only' ? 'tx' : 'both',
    list: line.children.some((inner) => wordsOf(inner.text)[0] === 'acl'),
    line: lineOf(line),
  };
}

function mode(face: CiscoInterface, words: readonly string[], line: SourceLine): undefined {
  face.tunnel.mode = words.slice(2).join(' ');
  face.tunnelLines.push(lineOf(line));
}

// `nat server`, `nat static`, `nat outbound` and address groups of VRP and Comware -> their parts, nothing resolved yet
import type { AddressSet } from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { maskLength, setOf, unionOf, v4 } from './cisco-address.ts';
import type { Reading } from './cisco-lines.ts';
import { linesOf, wordsOf } from './indent.ts';
import { maskNetwork, vrpPort, vrpProtocol } from './vrp-words.ts';

export interface AddressGroup {
  readonly addresses: AddressSet;
  readonly lines: readonly SourceLine[];
}

/** `nat address-group 1 A B` on one line; `section [n] A B` (VRP) or `address A B` (Comware) in a block. */
export function readAddressGroups(reading: Reading): Map<string, AddressGroup> {
  const groups = new Map<string, AddressGroup>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'nat' || words[1] !== 'address-group' || words[2] === undefined) continue;
    const sets: AddressSet[] = [];
    const names = [words[2]];
    const add = (first: string | undefined, last: string | undefined, line: SourceLine) => {
      const set =
        v4(first) === undefined ? undefined : setOf(v4(last) === undefined ? first! : `${first}-${last}`);
      if (set) sets.push(set);
      else reading.notUnderstood(line);
    };
    if (v4(words[3]) !== undefined) add(words[3], words[4], block);
    else if (words[3] === 'name' && words[4] !== undefined) names.push(words[4]);
    else if (words[3] !== undefined && !/^(?:name|\d+|vpn-instance)$/.test(words[3]))
      reading.notUnderstood(block);
    for (const line of block.children) {
      const inner = wordsOf(line.text).filter((word, i) => i === 0 || !/^\d+$/.test(word));
      if (inner[0] === 'section' || inner[0] === 'address') add(inner[1], inner[2], line);
      else if (
        !/^(?:mode|status|route|port-range|port-block|description|failover-group|exclude-port|nat|undo|pcp|vrrp)\b/.test(
          inner[0] ?? '',
        )
      )
        reading.notUnderstood(line);
    }
    const group = { addresses: unionOf(sets), lines: linesOf(block) };
    if (sets.length > 0) for (const name of names) groups.set(name, group);
  }
  return groups;
}

/** One to one: `outer` is what the outside uses, `inner` the host inside. */
export interface Mapping {
  readonly form: 'server' | 'static' | 'static-inbound';
  readonly protocol?: number;
  readonly outer?: AddressSet;
  /** The interface whose address it is; '' for the interface of the statement. */
  readonly outerInterface?: string;
  readonly outerPorts?: readonly [number, number];
  readonly inner: AddressSet;
  readonly innerPorts?: readonly [number, number];
  readonly list?: string;
  readonly zone?: string;
  readonly enabled: boolean;
  /** No connections of the host itself are translated back. */
  readonly noReverse: boolean;
  readonly comment?: string;
  readonly unresolved: readonly string[];
}

interface Place {
  address?: AddressSet;
  interface?: string;
  ports?: readonly [number, number];
}

type Draft = { -readonly [K in keyof Mapping]?: Mapping[K] } & { unresolved: string[] };

/** `nat server [NAME id] [zone Z] [protocol P] global ... inside ...` and `nat static [protocol P] global ... inside ... [netmask M]`. */
export function readMapping(words: readonly string[]): Mapping | undefined {
  const draft: Draft = {
    form: words[1] === 'server' ? 'server' : 'static',
    enabled: true,
    noReverse: false,
    unresolved: [],
  };
  const start = words.indexOf('global');
  const inside = words.indexOf('inside', start);
  if (start < 0 || inside < 0 || !readHead(words.slice(2, start), draft)) return undefined;
  const outer = placeOf(words.slice(start + 1, inside));
  const tailAt = words.findIndex((word, i) => i > inside && TAIL.test(word));
  const inner = placeOf(words.slice(inside + 1, tailAt < 0 ? words.length : tailAt));
  if (!outer || !inner?.address || !readTail(tailAt < 0 ? [] : words.slice(tailAt), draft)) return undefined;
  const { mask, ...rest } = draft as Draft & { mask?: number };
  const wide = (set: AddressSet | undefined) =>
    mask === undefined || mask === 32 || !set ? set : setOf(`${firstOf(set)}/${mask}`);
  return {
    ...(rest as Mapping),
    ...(outer.address ? { outer: wide(outer.address)! } : { outerInterface: outer.interface ?? '' }),
    ...(outer.ports ? { outerPorts: outer.ports } : {}),
    inner: wide(inner.address)!,
    ...(inner.ports ? { innerPorts: inner.ports } : {}),
  };
}

const firstOf = (set: AddressSet): string =>
  [24, 16, 8, 0].map((shift) => (set.v4[0] >>> shift) & 255).join('.');

/** What stands between `nat server` and `global`. */
function readHead(words: readonly string[], draft: Draft): boolean {
  for (let i = 0; i < words.length; i++) {
    if (words[i] === 'protocol') {
      const protocol = vrpProtocol(words[++i]);
      if (protocol === null) return false;
      if (protocol !== undefined) draft.protocol = protocol;
    } else if (words[i] === 'zone') draft.zone = words[++i];
    else if (words[i] === 'vpn-instance') i++;
    // A name and a number of the statement.
    else if (i > 1) return false;
  }
  return true;
}

/** `203.0.113.1 443`, `203.0.113.1 203.0.113.9 80 90`, `current-interface 9000`, `interface Dialer0 www`. */
function placeOf(words: readonly string[]): Place | undefined {
  const place: Place = {};
  let at = 0;
  if (words[0] === 'current-interface') {
    place.interface = '';
    at = 1;
  } else if (words[0] === 'interface') {
    place.interface = words[1];
    at = 2;
  } else {
    const last = v4(words[1]) === undefined ? undefined : words[1];
    place.address =
      v4(words[0]) === undefined ? undefined : setOf(last === undefined ? words[0] : `${words[0]}-${last}`);
    if (!place.address) return undefined;
    at = last === undefined ? 1 : 2;
  }
  while (words[at] === 'vpn-instance') at += 2;
  if (words[at] === 'any') return place;
  const [first, last] = [vrpPort(words[at]), vrpPort(words[at + 1])];
  if (words[at] !== undefined && first === undefined) return undefined;
  if (first !== undefined) place.ports = [first, Math.max(first, last ?? first)];
  return place;
}

const TAIL =
  /^(?:netmask|vpn-instance|acl|no-reverse|unr-route|description|disable|rule|reversible|counting|track|vrrp|global-to-inside|inside-to-global|priority|nat-disable|route)$/;

function readTail(words: readonly string[], draft: Draft & { mask?: number }): boolean {
  for (let i = 0; i < words.length; i++) {
    const value = words[i + 1];
    if (words[i] === 'netmask') draft.mask = maskLength(words[++i]) ?? 32;
    else if (words[i] === 'acl' && value !== undefined) {
      i += value === 'name' ? 2 : 1;
      draft.list = words[i];
    } else if (words[i] === 'no-reverse') draft.noReverse = true;
    else if (words[i] === 'disable' || words[i] === 'nat-disable') draft.enabled = false;
    else if (words[i] === 'description') {
      draft.comment = words.slice(i + 1).join(' ');
      return true;
    } else if (/^(?:global-to-inside|inside-to-global)$/.test(words[i])) draft.unresolved.push(words[i]);
    else if (/^(?:vpn-instance|rule|track|vrrp|priority|route)$/.test(words[i])) i++;
    else if (!/^(?:unr-route|reversible|counting)$/.test(words[i])) return false;
  }
  return true;
}

/** Comware `nat static outbound LOCAL GLOBAL`, `nat static inbound GLOBAL LOCAL`, each also `net-to-net`. */
export function readComwareStatic(words: readonly string[]): Mapping | undefined {
  const isInbound = words[2] === 'inbound';
  const isNet = words[3] === 'net-to-net';
  const rest = words
    .slice(isNet ? 4 : 3)
    .filter((word, i, all) => word !== 'vpn-instance' && all[i - 1] !== 'vpn-instance');
  const at = rest.findIndex((word) =>
    /^(?:acl|reversible|rule|priority|disable|counting|description|failover-group)$/.test(word),
  );
  const own = at < 0 ? rest : rest.slice(0, at);
  const draft: Draft = {
    form: isInbound ? 'static-inbound' : 'static',
    enabled: true,
    noReverse: false,
    unresolved: [],
  };
  if (!readTail(at < 0 ? [] : rest.slice(at), draft)) return undefined;
  const kind = isInbound ? 'local' : 'global';
  const split = own.indexOf(kind);
  const [first, second] =
    isNet && split === 2
      ? [setOf(`${own[0]}-${own[1]}`), maskNetwork(own[3], own[4])]
      : [
          v4(own[0]) === undefined ? undefined : setOf(own[0]),
          v4(own[1]) === undefined ? undefined : setOf(own[1]),
        ];
  if (!first || !second || (!isNet && own.length > 2)) return undefined;
  return { ...(draft as Mapping), inner: first, outer: second };
}

export interface Outbound {
  readonly list?: string;
  readonly group?: string;
  readonly interface?: string;
  readonly enabled: boolean;
  readonly unresolved: readonly string[];
}

/** `nat outbound [2000|name N] [address-group G] [no-pat] [interface I] ...`. */
export function readOutbound(words: readonly string[]): Outbound | undefined {
  const found = { enabled: true } as { -readonly [K in keyof Outbound]: Outbound[K] };
  let at = 2;
  if (words[at] === 'name') {
    found.list = words[at + 1];
    at += 2;
  } else if (/^\d{4}$/.test(words[at] ?? '')) found.list = words[at++];
  for (; at < words.length; at++) {
    const value = words[at + 1];
    if (words[at] === 'address-group' && value !== undefined) {
      found.group = value === 'name' ? words[at + 2] : value;
      at += value === 'name' ? 2 : 1;
    } else if (words[at] === 'interface' && value !== undefined) found.interface = words[++at];
    else if (words[at] === 'disable') found.enabled = false;
    else if (/^(?:vpn-instance|rule|priority|vrrp|track)$/.test(words[at])) at++;
    else if (words[at] === 'description') break;
    else if (!/^(?:no-pat|reversible|port-preserved|counting|easy-ip)$/.test(words[at])) return undefined;
  }
  return { ...found, unresolved: [] };
}

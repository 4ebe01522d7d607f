// route-map blocks of IOS -> what each sequence matches and where it sends packets
import type * as addresses from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { names } from '../../src/model/traffic.ts';
import type { AccessList } from './cisco-acl.ts';
import { type Family, setOf, unionOf } from './cisco-address.ts';
import type { Reading } from './cisco-lines.ts';
import { both, type Condition, either, everything, permitted } from './cisco-region.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';

export interface RouteMapStep {
  readonly action: 'permit' | 'deny';
  /** Statements of the sequence without its number. */
  readonly text: string;
  readonly lines: readonly SourceLine[];
  readonly matches: readonly (readonly string[])[];
  readonly nextHops: addresses.AddressSet;
  readonly interfaces: readonly string[];
  readonly vrf?: string;
  /** `default`: only where no explicit route leads to the destination. */
  readonly isDefault: boolean;
  readonly position: number;
}

export type RouteMaps = ReadonlyMap<string, readonly RouteMapStep[]>;

// Conditions and actions of routing protocols and of marking: read, and without effect on where a packet goes.
const MATCHES =
  /^(?:as-path|community|extcommunity|large-community|tag|metric|route-type|source-protocol|local-preference|mpls-label|policy-list|ip (?:route-source|next-hop|redistribution-source|flowspec)|ipv6 (?:next-hop|route-source)|length|interface|ip address|ipv6 address|rpki|clns|nlri|track|additional-paths|mdt-group)\b/;
const SETS =
  /^(?:metric|metric-type|tag|community|large-community|extcommunity|extcomm-list|comm-list|local-preference|weight|as-path|origin|level|automatic-tag|mpls-label|dampening|traffic-index|ip (?:precedence|dscp|tos|df|qos-group|address)|ipv6 (?:precedence|address)|attribute-set|additional-paths|aigp-metric|nlri)\b/;

/** Route-maps by name, steps in the order of their sequence numbers; lines that are not understood are unread. */
export function readRouteMaps(reading: Reading): RouteMaps {
  const maps = new Map<string, { sequence: number; step: RouteMapStep }[]>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'route-map') continue;
    const [, name, action = 'permit', sequence = '10'] = words;
    if (name === undefined || !/^(?:permit|deny)$/.test(action) || !/^\d{1,5}$/.test(sequence)) {
      reading.notUnderstood(block);
      continue;
    }
    const steps = maps.get(name) ?? [];
    steps.push({ sequence: Number(sequence), step: readStep(block, action as 'permit' | 'deny', reading) });
    maps.set(name, steps);
  }
  return new Map(
    [...maps].map(([name, steps]) => [
      name,
      steps.sort((a, b) => a.sequence - b.sequence).map(({ step }, position) => ({ ...step, position })),
    ]),
  );
}

function readStep(block: Block, action: 'permit' | 'deny', reading: Reading): RouteMapStep {
  const matches: string[][] = [];
  const hops: addresses.AddressSet[] = [];
  const interfaces: string[] = [];
  const text: string[] = [action];
  let vrf: string | undefined;
  let isDefault = false;
  for (const line of block.children) {
    const words = wordsOf(line.text);
    const rest = words.slice(1).join(' ');
    if (words[0] === 'description') continue;
    text.push(words.join(' '));
    const hop = words[0] === 'set' ? nextHops(rest) : undefined;
    if (words[0] === 'match' && MATCHES.test(rest)) matches.push(words.slice(1));
    else if (hop) hops.push(hop);
    else if (/^set (?:default )?interface \S+/.test(words.join(' '))) {
      for (const name of words.slice(words.indexOf('interface') + 1)) interfaces.push(name);
    } else if (words[0] === 'set' && words[1] === 'vrf' && words[2]) vrf = words[2];
    else if (!(words[0] === 'set' && (words[1] === 'global' || SETS.test(rest)))) reading.notUnderstood(line);
    isDefault ||= words[0] === 'set' && words.includes('default');
  }
  const nextHop = unionOf(hops);
  const lines = linesOf(block);
  return {
    action,
    text: text.join('; '),
    lines,
    matches,
    nextHops: nextHop,
    interfaces,
    vrf,
    isDefault,
    position: 0,
  };
}

/** "ip next-hop verify-availability 10.0.0.1 10 track 1" and its like; undefined for what sets no next hop by address. */
function nextHops(text: string): addresses.AddressSet | undefined {
  const found =
    /^ip(?:v6)? (?:vrf \S+ |global )?(?:default )?(?:vrf \S+ |global )?next-hop (?:verify-availability |recursive )?(?:vrf \S+ |global )?(\S.*)$/.exec(
      text,
    );
  if (!found) return undefined;
  const isAddress = /^(?:\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]*:[0-9a-fA-F:.]*)$/;
  const texts = found[1].split(' ').filter((word) => isAddress.test(word));
  return texts.length === 0 ? undefined : setOf(...texts);
}

/** What a step matches; no `match` at all is everything. Lists of one `match` are alternatives, several `match` lines must all hold. */
export function conditionOf(
  step: RouteMapStep,
  lists: ReadonlyMap<string, AccessList>,
  family: Family,
  cache: Map<string, Condition>,
): Condition {
  let condition: Condition = { boxes: [everything(family)], unresolved: [], lines: [] };
  for (const words of step.matches) condition = both(condition, oneMatch(words, lists, family, cache));
  return condition;
}

function oneMatch(
  words: readonly string[],
  lists: ReadonlyMap<string, AccessList>,
  family: Family,
  cache: Map<string, Condition>,
): Condition {
  const isList = words[1] === 'address' && words[2] !== 'prefix-list' && words.length > 2;
  if (isList && words[0] === (family === 'ip' ? 'ip' : 'ipv6')) {
    return either(words.slice(2).map((name) => listCondition(name, lists, family, cache)));
  }
  const box = everything(family);
  // The interface by which the packet leaves, as NAT asks it.
  if (words[0] === 'interface' && words.length > 1) {
    return { boxes: [{ ...box, egress: names(...words.slice(1)) }], unresolved: [], lines: [] };
  }
  if (OF_ROUTES.test(words[0])) return { boxes: [box], unresolved: [], lines: [] };
  return { boxes: [box], unresolved: [`match ${words.join(' ')}`], lines: [] };
}

/** What routes have and packets have not: passed over where packets are matched (NX-OS and IOS policy routing). */
const OF_ROUTES =
  /^(?:as-path|community|extcommunity|large-community|tag|metric|route-type|source-protocol|local-preference|rpki|additional-paths|mdt-group)$/;

/** What a list permits, worked out once. */
export function listCondition(
  name: string,
  lists: ReadonlyMap<string, AccessList>,
  family: Family,
  cache: Map<string, Condition>,
): Condition {
  const key = `${family} ${name}`;
  const known = cache.get(key) ?? permitted(lists.get(key), name, family);
  cache.set(key, known);
  return known;
}

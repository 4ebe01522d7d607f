// `ip nat ...` statements and pools -> their parts, nothing resolved yet
import type * as addresses from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { maskLength, portOf, setOf, unionOf, v4 } from './cisco-address.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';

/** `ip nat inside|outside source static`: `inner` is the address inside hosts use, `outer` the one on the outside. */
export interface StaticNat {
  readonly form: 'static';
  readonly domain: 'inside' | 'outside' | 'both';
  readonly protocol?: number;
  /** As written first: local for inside, global for outside. */
  readonly first: string;
  readonly firstPort?: number;
  /** As written second, or the interface whose address it is. */
  readonly second?: string;
  readonly secondInterface?: string;
  readonly secondPort?: number;
  /** Length of `static network`. */
  readonly length?: number;
  readonly tail: Tail;
  readonly line: SourceLine;
  readonly text: string;
}

export interface DynamicNat {
  readonly form: 'dynamic';
  readonly domain: 'inside' | 'outside' | 'both';
  readonly of: 'source' | 'destination';
  readonly list?: string;
  readonly routeMap?: string;
  readonly pool?: string;
  readonly interface?: string;
  readonly tail: Tail;
  readonly line: SourceLine;
  readonly text: string;
}

export interface Tail {
  readonly vrf?: string;
  readonly routeMap?: string;
  readonly overload: boolean;
  /** Words that are not known; the translation may then be narrower than it looks. */
  readonly unknown: readonly string[];
}

export interface Pool {
  readonly addresses: addresses.AddressSet;
  readonly lines: readonly SourceLine[];
}

export interface NatStatements {
  readonly statements: readonly (StaticNat | DynamicNat)[];
  readonly pools: ReadonlyMap<string, Pool>;
}

// Timers, logging, application gateways and redundancy of NAT; none says what is translated.
const IGNORED =
  /^(?:translation|log|service|settings|create|switchover|stateful|Stateful|portmap|piggyback-support|sip-sbc|scalability|route-dia|refresh-arp-interval)\b/;

export function readNatStatements(reading: Reading): NatStatements {
  const statements: (StaticNat | DynamicNat)[] = [];
  const pools = new Map<string, Pool>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] === 'ipv6' && words[1] === 'nat') reading.notUnderstood(block);
    if (words[0] === 'nat64') for (const line of linesOf(block)) reading.notUnderstood(line);
    if (words[0] !== 'ip' || words[1] !== 'nat' || IGNORED.test(words[2] ?? '')) continue;
    if (words[2] === 'pool' && words[3] !== undefined) {
      const pool = readPool(block, words, reading);
      if (pool) pools.set(words[3], pool);
      continue;
    }
    const statement = block.children.length === 0 ? readStatement(block, words) : undefined;
    if (statement) statements.push(statement);
    else for (const line of linesOf(block)) reading.notUnderstood(line);
  }
  return { statements, pools };
}

/** `ip nat pool P first last netmask M` on one line, or `range|address first last` lines under it. */
export function readPool(block: Block, words: readonly string[], reading: Reading): Pool | undefined {
  const sets: addresses.AddressSet[] = [];
  const add = (first: string | undefined, last: string | undefined, line: SourceLine) => {
    const set = v4(first) === undefined || v4(last) === undefined ? undefined : setOf(`${first}-${last}`);
    if (set) sets.push(set);
    else reading.notUnderstood(line);
  };
  if (v4(words[4]) !== undefined) add(words[4], words[5], block);
  else if (words[4] !== undefined && !/^(?:prefix-length|netmask|type)$/.test(words[4]))
    reading.notUnderstood(block);
  for (const line of block.children) {
    const [kind, first, last] = wordsOf(line.text);
    if (kind === 'range' || kind === 'address') add(first, last, line);
    else if (kind !== 'port') reading.notUnderstood(line);
  }
  return sets.length === 0 ? undefined : { addresses: unionOf(sets), lines: linesOf(block) };
}

function readStatement(block: Block, words: readonly string[]): StaticNat | DynamicNat | undefined {
  const line = lineOf(block);
  const text = words
    .slice(2)
    .filter((word) => !NO_EFFECT.test(word))
    .join(' ');
  // `ip nat source ...` without a side goes with `ip nat enable` (NAT virtual interface).
  const both = words[2] === 'source';
  const domain = both ? 'both' : words[2];
  const [of, kind, ...rest] = words.slice(both ? 2 : 3);
  if (domain !== 'inside' && domain !== 'outside' && domain !== 'both') return undefined;
  if (of === 'source' && kind === 'static') return readStatic(rest, { domain, line, text });
  if (of !== 'source' && !(of === 'destination' && domain === 'inside')) return undefined;
  if ((kind !== 'list' && kind !== 'route-map') || rest.length < 3) return undefined;
  if (rest[1] !== 'pool' && rest[1] !== 'interface') return undefined;
  return {
    form: 'dynamic',
    domain,
    of,
    ...(kind === 'list' ? { list: rest[0] } : { routeMap: rest[0] }),
    ...(rest[1] === 'pool' ? { pool: rest[2] } : { interface: rest[2] }),
    tail: readTail(rest.slice(3)),
    line,
    text,
  };
}

const PROTOCOLS_WITHOUT_PORTS: Readonly<Record<string, number>> = { esp: 50, gre: 47 };

function readStatic(
  words: readonly string[],
  base: { domain: StaticNat['domain']; line: SourceLine; text: string },
): StaticNat | undefined {
  let at = 0;
  const withPorts = words[0] === 'tcp' || words[0] === 'udp';
  const protocol = withPorts ? (words[0] === 'tcp' ? 6 : 17) : PROTOCOLS_WITHOUT_PORTS[words[0] ?? ''];
  const isNetwork = words[0] === 'network';
  if (protocol !== undefined || isNetwork) at++;
  const port = () => (withPorts ? portOf(words[at++]) : undefined);
  const first = words[at++] ?? '';
  const firstPort = port();
  const second = words[at] === 'interface' ? undefined : (words[at] ?? '');
  const secondInterface = words[at] === 'interface' ? (words[at + 1] ?? '') : undefined;
  at += secondInterface === undefined ? 1 : 2;
  const secondPort = port();
  const length = isNetwork ? maskLength(words[at++]) : undefined;
  const valid =
    v4(first) !== undefined && (second === undefined ? secondInterface !== '' : v4(second) !== undefined);
  if (!valid || (withPorts && (firstPort ?? secondPort) === undefined) || (isNetwork && length === undefined))
    return undefined;
  if (withPorts && (firstPort === undefined || secondPort === undefined)) return undefined;
  const found = { protocol, first, firstPort, second, secondInterface, secondPort, length };
  return { form: 'static', ...base, ...found, tail: readTail(words.slice(at)) };
}

const NO_EFFECT =
  /^(?:extendable|no-alias|no-payload|add-route|forced|oer|match-in-vrf|reversible|stateless|dynamic)$/;
const NO_EFFECT_WITH_VALUE = /^(?:redundancy|mapping-id|name)$/;

function readTail(words: readonly string[]): Tail {
  const tail = { overload: false, unknown: [] as string[] } as { -readonly [K in keyof Tail]: Tail[K] } & {
    unknown: string[];
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const value = words[i + 1];
    if (word === 'overload') tail.overload = true;
    else if (word === 'vrf' && value !== undefined) tail.vrf = words[++i];
    else if (word === 'route-map' && value !== undefined) tail.routeMap = words[++i];
    // Twice NAT: this statement acts only together with the other one of the group.
    else if (word === 'group' && value !== undefined) tail.unknown.push(`group ${words[++i]}`);
    else if (NO_EFFECT_WITH_VALUE.test(word) && value !== undefined) i++;
    else if (!NO_EFFECT.test(word)) tail.unknown.push(word);
  }
  return tail;
}

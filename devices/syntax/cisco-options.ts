// the words after an access list entry's addresses and ports -> what they mean for a new connection
import type { Cursor } from './cisco-address.ts';

export interface Options {
  readonly matchesNew: boolean;
  readonly unresolved: readonly string[];
  /** Index of the first word that only says how matches are logged. */
  readonly logFrom: number;
  readonly way?: Way;
}

/** Next hops in the order in which they are tried, or the interfaces, to which an entry sends what it permits. */
export interface Way {
  readonly nextHops: readonly string[];
  readonly vrfs: readonly string[];
  readonly interfaces: readonly string[];
  /** Only where no route leads to the destination. */
  readonly isDefault: boolean;
}

/** Conditions on a packet that ranges cannot say; each takes one word. */
const CONDITIONS =
  /^(?:dscp|precedence|tos|option|flow-label|vlan|cos|http-method|tcp-option-length|tcp-flags-mask|fragment-type|dest-option-type|mobility-type|routing-type)$/;
const FLAGS = /^(?:ack|fin|psh|rst|urg)$/;

/** Reads to the end of the words; undefined where one is not understood. */
export function readOptions(cursor: Cursor, timeRanges: ReadonlyMap<string, string>): Options | undefined {
  const { words } = cursor;
  const unresolved: string[] = [];
  let matchesNew = true;
  let way: Way | undefined;
  let logFrom: number | undefined;
  for (; cursor.at < words.length; cursor.at++) {
    const word = words[cursor.at];
    const value = words[cursor.at + 1];
    if (word === 'log' || word === 'log-input') {
      // A label of the log may follow, and in IOS-XR next hops.
      logFrom ??= cursor.at;
      if (NEXT_HOP.test(words.slice(cursor.at + 1, cursor.at + 3).join(' '))) continue;
      break;
    }
    if (word === 'established' || word === 'fragments' || FLAGS.test(word)) matchesNew = false;
    else if (word === 'syn') continue;
    else if (word === 'match-all' || word === 'match-any') matchesNew &&= matchesSyn(cursor);
    else if (word === 'time-range' && value !== undefined) {
      unresolved.push(`time-range ${value}${timeRanges.has(value) ? `: ${timeRanges.get(value)}` : ''}`);
      cursor.at++;
    } else if (CONDITIONS.test(word) && value !== undefined) {
      unresolved.push(`${word} ${value}`);
      cursor.at++;
    } else if (word === 'reflect' && value !== undefined) {
      // Opens the way back for replies only.
      cursor.at += words[cursor.at + 2] === 'timeout' ? 3 : 1;
    } else if (word === 'ttl' && value !== undefined) {
      const rest = words.slice(cursor.at, cursor.at + (value === 'range' ? 4 : 3));
      unresolved.push(rest.join(' '));
      cursor.at += rest.length - 1;
    } else if (word === 'packet-length' && value !== undefined) {
      const rest = words.slice(cursor.at, cursor.at + (value === 'range' ? 4 : 3));
      unresolved.push(rest.join(' '));
      cursor.at += rest.length - 1;
    } else if (word === 'capture') cursor.at += value === 'session' ? 2 : 0;
    else if (NO_EFFECT.test(word)) continue;
    else if (NO_EFFECT_WITH_VALUE.test(word) && value !== undefined) cursor.at++;
    else if (word === 'set' && value !== undefined) cursor.at += 2;
    else if (NEXT_HOP.test(words.slice(cursor.at, cursor.at + 2).join(' '))) {
      way = readWay(cursor);
      if (!way) return undefined;
    } else if (/^(?:routing|mobility|auth|hbh|undetermined-transport|dest-option)$/.test(word))
      unresolved.push(word);
    else return undefined;
  }
  return { matchesNew, unresolved, logFrom: logFrom ?? words.length, ...(way ? { way } : {}) };
}

/** How matches are counted, copied and policed; none changes what matches. */
const NO_EFFECT = /^(?:icmp-off|icmp-on|hardware-count|copy)$/;
const NO_EFFECT_WITH_VALUE = /^(?:counter|police)$/;
const NEXT_HOP = /^(?:default )?(?:nexthop[1-3]|redirect)\b/;

/** IOS-XR `[default] nexthop1 [track T] [vrf V] [ipv4 A] nexthop2 ...`; NX-OS `redirect Ethernet1/1[,...]`. */
function readWay(cursor: Cursor): Way | undefined {
  const { words } = cursor;
  const way = {
    nextHops: [] as string[],
    vrfs: [] as string[],
    interfaces: [] as string[],
    isDefault: false,
  };
  for (; cursor.at < words.length; cursor.at++) {
    const word = words[cursor.at];
    const value = words[cursor.at + 1];
    if (word === 'default') way.isDefault = true;
    else if (/^nexthop[1-3]$/.test(word)) continue;
    else if (value === undefined) break;
    else if (word === 'ipv4' || word === 'ipv6') way.nextHops.push(words[++cursor.at]);
    else if (word === 'vrf') way.vrfs.push(words[++cursor.at]);
    else if (word === 'track') cursor.at++;
    else if (word === 'redirect') for (const name of words[++cursor.at].split(',')) way.interfaces.push(name);
    else break;
  }
  cursor.at--;
  return way.nextHops.length + way.vrfs.length + way.interfaces.length > 0 ? way : undefined;
}

/** Whether `match-all +syn -ack` (or `match-any ...`) is true of a first packet, which has SYN and no other flag. */
function matchesSyn(cursor: Cursor): boolean {
  const all = cursor.words[cursor.at] === 'match-all';
  const hits: boolean[] = [];
  while (/^[+-](?:ack|fin|psh|rst|syn|urg)$/.test(cursor.words[cursor.at + 1] ?? '')) {
    const flag = cursor.words[++cursor.at];
    hits.push((flag[0] === '+') === (flag.slice(1) === 'syn'));
  }
  return all ? hits.every((hit) => hit) : hits.some((hit) => hit);
}

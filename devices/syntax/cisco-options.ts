// the words after an access list entry's addresses and ports -> what they mean for a new connection
import type { Cursor } from './cisco-address.ts';

export interface Options {
  readonly matchesNew: boolean;
  readonly unresolved: readonly string[];
  /** Index of the first word that only says how matches are logged. */
  readonly logFrom: number;
}

/** Conditions on a packet that ranges cannot say; each takes one word. */
const CONDITIONS = /^(?:dscp|precedence|tos|option|flow-label|dest-option-type|mobility-type|routing-type)$/;
const FLAGS = /^(?:ack|fin|psh|rst|urg)$/;

/** Reads to the end of the words; undefined where one is not understood. */
export function readOptions(cursor: Cursor, timeRanges: ReadonlyMap<string, string>): Options | undefined {
  const { words } = cursor;
  const unresolved: string[] = [];
  let matchesNew = true;
  for (; cursor.at < words.length; cursor.at++) {
    const word = words[cursor.at];
    const value = words[cursor.at + 1];
    if (word === 'log' || word === 'log-input') return { matchesNew, unresolved, logFrom: cursor.at };
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
    } else if (/^(?:routing|mobility|auth|hbh|undetermined-transport|dest-option)$/.test(word))
      unresolved.push(word);
    else return undefined;
  }
  return { matchesNew, unresolved, logFrom: words.length };
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

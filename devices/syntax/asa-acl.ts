// access lists of the ASA and of FTD's LINA -> entries with resolved traffic
import type { SourceLine } from '../../src/model/rule.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import { ANY_TRAFFIC } from '../../src/model/traffic.ts';
import { mergedServices, readMatch } from './asa-match.ts';
import { type AsaScope, statements } from './asa-scope.ts';
import type { Cursor } from './cisco-address.ts';
import { lineOf, wordsOf } from './indent.ts';
import { MAX_LINES } from './objects.ts';

export interface AsaEntry {
  readonly permits: boolean;
  readonly enabled: boolean;
  /** As written, without what only numbers, logs or disables it. */
  readonly text: string;
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly comment?: string;
  readonly lines: readonly SourceLine[];
}

export interface AsaList {
  readonly name: string;
  readonly kind: 'extended' | 'standard' | 'other';
  readonly entries: AsaEntry[];
}

/** Settings that look like lists, and lists that say nothing of forwarded packets (web access, EtherTypes). */
const NO_LIST = /^(?:alert-interval|deny-flow-max|dynamic-filter)$/;
const NOT_IP = /^(?:webtype|ethertype)$/;

/** Lists by name, for both families in one; before 9.0 `ipv6 access-list` are others. */
export function readAsaLists(scope: AsaScope): Map<string, AsaList> {
  const lists = new Map<string, AsaList>();
  const remarks = new Map<string, Remark>();
  const timeRanges = timeRangesOf(scope);
  for (const block of scope.blocks) {
    const written = wordsOf(block.text);
    const isV6 = written[0] === 'ipv6' && written[1] === 'access-list';
    const words = isV6 ? written.slice(1) : written;
    const name = words[1];
    if (words[0] !== 'access-list' || name === undefined || NO_LIST.test(name)) continue;
    const cursor = { words, at: 2 };
    if (words[cursor.at] === 'line') cursor.at += 2;
    const kind = kindAt(cursor);
    if (NOT_IP.test(words[cursor.at] ?? '')) continue;
    if (words[cursor.at] === 'remark') {
      remarks.set(name, withRemark(remarks.get(name), words.slice(cursor.at + 1)));
      continue;
    }
    const entry = readEntry(scope, lineOf(block), cursor, kind, isV6, timeRanges, remarks.get(name));
    if (!entry) scope.assembly.notUnderstood(block);
    else {
      const list = lists.get(name) ?? { name, kind, entries: [] };
      lists.set(name, list);
      list.entries.push(entry);
    }
    const kept = remarks.get(name);
    // FTD's remarks name a rule that several entries may make up.
    if (kept && kept.ruleId === undefined) remarks.delete(name);
  }
  return lists;
}

interface Remark {
  readonly texts: readonly string[];
  readonly ruleId?: string;
}

const MAX_REMARKS = 8;

/** `remark rule-id 268435457: L7 RULE: name` (FTD), or free text. */
function withRemark(before: Remark | undefined, words: readonly string[]): Remark {
  const ruleId = words[0] === 'rule-id' ? words[1]?.replace(/:$/, '') : undefined;
  const text = (ruleId === undefined ? words : words.slice(2)).join(' ');
  const isSame = before !== undefined && before.ruleId === ruleId;
  return {
    texts: [...(isSame ? before.texts : []), text].slice(0, MAX_REMARKS),
    ...(ruleId === undefined ? {} : { ruleId }),
  };
}

function kindAt(cursor: Cursor): 'extended' | 'standard' {
  const word = cursor.words[cursor.at];
  if (word === 'extended' || word === 'advanced' || word === 'standard') cursor.at++;
  return word === 'standard' ? 'standard' : 'extended';
}

function timeRangesOf(scope: AsaScope): Map<string, string> {
  return new Map(
    statements(scope, 'time-range').map(({ block, words }) => [
      words[1],
      block.children
        .map(({ text }) => text.trim())
        .join(', ')
        .slice(0, 200),
    ]),
  );
}

function readEntry(
  scope: AsaScope,
  line: SourceLine,
  cursor: Cursor,
  kind: 'extended' | 'standard',
  isV6: boolean,
  timeRanges: ReadonlyMap<string, string>,
  remark: Remark | undefined,
): AsaEntry | undefined {
  const start = cursor.at;
  const action = cursor.words[cursor.at++];
  if (!/^(?:permit|deny|trust)$/.test(action ?? '')) return undefined;
  const match = readMatch(scope, cursor, kind, isV6);
  if (!match) return undefined;
  const text = cursor.words.slice(start, cursor.at).join(' ');
  const options = readOptions(cursor, timeRanges);
  if (!options) return undefined;
  const own = options.ruleId === undefined || remark?.ruleId === options.ruleId ? remark : undefined;
  const decided = action === 'permit' && own?.texts.some((one) => one.startsWith('L7 RULE:'));
  const comment = own?.texts.join('; ');
  return {
    permits: action !== 'deny',
    enabled: options.enabled,
    text: [isV6 ? 'ipv6' : '', text, options.timeRange ?? '', options.ruleId ?? ''].join(' ').trim(),
    boxes: mergedServices(match.services).map((box) => ({
      ...ANY_TRAFFIC,
      ...match.names,
      ...box,
      sources: match.source.set,
      destinations: match.destination.set,
    })),
    unresolved: [
      ...new Set([
        ...match.unresolved,
        ...options.unresolved,
        ...(decided ? ['inspection decides (L7 rule)'] : []),
      ]),
    ],
    ...(comment ? { comment } : {}),
    lines: match.lines.length === 0 ? [line] : [line, ...match.lines].slice(0, MAX_LINES),
  };
}

interface Options {
  enabled: boolean;
  timeRange?: string;
  ruleId?: string;
  readonly unresolved: string[];
}

const LOG_LEVEL =
  /^(?:disable|default|alerts|critical|debugging|emergencies|errors|informational|notifications|warnings|[0-7])$/;

/** Reads to the end of the words; undefined where one is not understood. */
function readOptions(cursor: Cursor, timeRanges: ReadonlyMap<string, string>): Options | undefined {
  const options: Options = { enabled: true, unresolved: [] };
  for (; cursor.at < cursor.words.length; cursor.at++) {
    const value = cursor.words[cursor.at + 1];
    switch (cursor.words[cursor.at]) {
      case 'log':
        if (LOG_LEVEL.test(value ?? '')) cursor.at++;
        break;
      case 'interval':
      case 'event-log':
        cursor.at++;
        break;
      case 'inactive':
        options.enabled = false;
        break;
      case 'rule-id':
        options.ruleId = value;
        cursor.at++;
        break;
      case 'time-range': {
        const known = timeRanges.get(value);
        options.timeRange = `time-range ${value}`;
        options.unresolved.push(known ? `time-range ${value}: ${known}` : `time-range ${value}`);
        cursor.at++;
        break;
      }
      default:
        // What `show access-list` and FTD add: counters and hashes in parentheses.
        if (!/^\(hitcnt=\d+\)$|^0x[0-9a-f]+$/.test(cursor.words[cursor.at])) return undefined;
    }
  }
  return options;
}

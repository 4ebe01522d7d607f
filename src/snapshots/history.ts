// a device's own list of changes (commit list, history) -> who changed it and when
import type { DeviceDefinition } from '../../devices/definition.ts';
import { parseHeaderTime } from './headers.ts';

export interface HistoryEntry {
  readonly user?: string;
  /** Undefined where the entry has no time, or one in a zone that nobody knows. */
  readonly atMs?: number;
  readonly sourceAddress?: string;
  readonly command?: string;
  readonly comment?: string;
  /** The entry's lines, parted by line feeds. */
  readonly raw: string;
}

const MAX_ENTRIES = 500;
const MAX_TEXT = 262_144;
const MAX_LINE = 1024;
const MAX_COMMENT_LINES = 5;
const ADDRESS = /^[0-9A-Fa-f.:]{2,45}$/;

/** `timeZone` is the device's IANA zone, for times without a zone of their own. The first entries are the latest ones. */
export function historyEntries(
  text: string,
  definition: Pick<DeviceDefinition, 'history'>,
  timeZone?: string,
): HistoryEntry[] {
  const { history: patterns = [] } = definition;
  const found: { groups: Readonly<Record<string, string | undefined>>; lines: string[] }[] = [];
  if (patterns.length === 0) return [];
  for (const line of text.slice(0, MAX_TEXT).split('\n')) {
    const bounded = line.trimEnd().slice(0, MAX_LINE);
    const match = firstMatch(bounded, patterns);
    if (match) found.push({ groups: match.groups ?? {}, lines: [bounded] });
    else if (/^\s+\S/.test(bounded) && (found.at(-1)?.lines.length ?? MAX_LINE) <= MAX_COMMENT_LINES)
      found.at(-1)?.lines.push(bounded.trim());
    if (found.length > MAX_ENTRIES) break;
  }
  return found.slice(0, MAX_ENTRIES).map(({ groups, lines }) => {
    const comment = [groups.comment, ...lines.slice(1)].filter(Boolean).join(' ');
    const { source } = groups;
    return {
      ...(groups.user ? { user: groups.user } : {}),
      ...(groups.time ? { atMs: timeOf(groups.time, timeZone) } : {}),
      ...(source && ADDRESS.test(source) ? { sourceAddress: source } : {}),
      ...(groups.command ? { command: groups.command } : {}),
      ...(comment ? { comment } : {}),
      raw: lines.join('\n'),
    };
  });
}

function firstMatch(line: string, patterns: readonly RegExp[]): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(line);
    if (match) return match;
  }
  return undefined;
}

/** Seconds since 1970 as VyOS archives them, or a date. */
const timeOf = (text: string, timeZone: string | undefined): number | undefined =>
  /^\d{9,11}$/.test(text) ? Number(text) * 1000 : parseHeaderTime(text, timeZone);

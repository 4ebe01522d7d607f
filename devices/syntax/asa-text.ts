// ASA configuration text -> one part a context, each with its blocks of statements
import type { SourceLine } from '../../src/model/rule.ts';
import { type Block, indentBlocks, lineOf, linesOf, numberedLines, wordsOf } from './indent.ts';

export interface AsaVersion {
  /** Major * 100 + minor: 8.2 is 802. FTD counts as newer than every ASA. */
  readonly number: number;
  readonly isFtd: boolean;
}

/** The whole configuration, or that of one context of several. */
export interface AsaPart {
  /** Undefined where the text has one part only that does not say which context it is. */
  readonly context?: string;
  readonly version?: AsaVersion;
  readonly blocks: readonly Block[];
}

export interface AsaText {
  readonly parts: readonly AsaPart[];
  /** Contexts that the system configuration names and the text has no part of. */
  readonly missing: readonly SourceLine[];
}

/** Stands in front of each part that our own commands fetched. */
export const CONTEXT_HEADING = '! context {name}';
const HEADING = /^! context (\S{1,64})\s*$/;
/** What a terminal's log shows where somebody went from context to context. */
const CHANGE_TO = /^(?:[^\s#>]{1,128}[>#] ?)?changeto (?:context (\S{1,64})|(system))\s*$/;
const VERSION = /^(ASA|PIX|FWSM|NGFW) Version (\d{1,2})(?:\.(\d{1,2}))?\S*(?: +<(system|context)>)?/;
const TYPED = /^[^\s#>]{1,128}[>#] ?(?:more|show|terminal|enable|exit|changeto)\b/;
/** Headers, checksums and comments. */
const QUIET = /^(?::|!|Cryptochecksum:|<---|\s*$|\s+!)/;

interface Draft {
  name?: string;
  tag?: string;
  hostname?: string;
  version?: AsaVersion;
  readonly lines: SourceLine[];
}

/** Never throws. */
export function readAsaText(text: string): AsaText {
  const drafts = draftsOf(numberedLines(text)).filter(({ lines, version }) => lines.length > 0 || version);
  const several = drafts.length > 1;
  const contextOf = ({ name, tag, hostname }: Draft) =>
    name ?? (several ? (tag === 'system' ? 'system' : (hostname ?? undefined)) : undefined);
  const byContext = new Map<string, Draft>();
  // A context that was shown twice counts as it was shown last.
  for (const draft of drafts) byContext.set(contextOf(draft) ?? '', draft);
  const parts = [...byContext.values()].map((draft): AsaPart => {
    const context = contextOf(draft);
    return {
      ...(context === undefined ? {} : { context }),
      ...(draft.version ? { version: draft.version } : {}),
      blocks: indentBlocks(draft.lines),
    };
  });
  return { parts, missing: missingOf(parts) };
}

/** Parts begin at headings, at commands that a terminal's log holds, and at a further version line of a context. */
function draftsOf(lines: readonly SourceLine[]): Draft[] {
  // Before the first heading stands the context of the login, which is among the others once more.
  const start = lines.findIndex(({ text }) => HEADING.test(text));
  let draft: Draft = { lines: [] };
  const drafts = [draft];
  const begin = (name: string | undefined) => {
    draft = { ...(name === undefined ? {} : { name }), lines: [] };
    drafts.push(draft);
  };
  for (const line of start < 0 ? lines : lines.slice(start)) {
    const { text } = line;
    const heading = HEADING.exec(text);
    const change = heading ? undefined : CHANGE_TO.exec(text);
    if (heading || change) {
      begin(heading?.[1] ?? change?.[1] ?? 'system');
      continue;
    }
    if (QUIET.test(text) || TYPED.test(text)) continue;
    const version = VERSION.exec(text);
    if (version) {
      if (draft.version && version[4] !== undefined) begin(undefined);
      draft.tag = version[4];
      draft.version ??= {
        number: Number(version[2]) * 100 + Number(version[3] ?? 0),
        isFtd: version[1] === 'NGFW',
      };
      continue;
    }
    if (draft.hostname === undefined && text.startsWith('hostname ')) draft.hostname = wordsOf(text)[1];
    draft.lines.push(line);
  }
  return drafts;
}

function missingOf(parts: readonly AsaPart[]): SourceLine[] {
  const known = new Set(parts.map(({ context }) => context));
  if (parts.length === 1) return contextsIn(parts[0]).flatMap(({ block }) => linesOf(block));
  return parts.flatMap((part) =>
    contextsIn(part).flatMap(({ name, block }) => (known.has(name) ? [] : linesOf(block))),
  );
}

/** `context X` with `config-url` under it; a context without one has no configuration. */
const contextsIn = ({ blocks }: AsaPart) =>
  blocks.flatMap((block) => {
    const [word, name] = wordsOf(block.text);
    return word === 'context' && block.children.some(({ text }) => wordsOf(text)[0] === 'config-url')
      ? [{ name, block: { ...lineOf(block), children: block.children } }]
      : [];
  });

export const isOldNat = (version: AsaVersion | undefined, blocks: readonly Block[]): boolean =>
  version && !version.isFtd
    ? version.number < 803
    : !version && blocks.some(({ text }) => /^(?:static|global) \(/.test(text));

// what firewall-cmd prints -> zones, policies, ipsets and direct rules, each with its lines
import type { SourceLine } from '../../src/model/rule.ts';
import { numberedLines } from './indent.ts';

/** One element of a zone or policy, with the line that it stands on. */
export interface Item {
  readonly text: string;
  readonly line: SourceLine;
}

/** A block of `--list-all-zones`, `--list-all-policies` or `--info-ipset`. */
export interface Stanza {
  readonly name: string;
  readonly line: SourceLine;
  readonly fields: ReadonlyMap<string, readonly Item[]>;
}

export interface Configuration {
  readonly zones: Stanza[];
  readonly policies: Stanza[];
  /** `ipv4 filter FORWARD 0 -i ..` */
  readonly direct: SourceLine[];
}

export interface FirewalldText {
  readonly runtime: Configuration;
  readonly permanent: Configuration;
  readonly ipsets: Stanza[];
  readonly defaultZone?: string;
  /** False where firewalld said that it does not run. */
  readonly runs: boolean;
  readonly unread: SourceLine[];
}

/** Fields whose values stand on lines of their own or hold blanks. */
const WHOLE = new Set(['forward-ports', 'rich rules']);
const DIRECT = /^(?:ipv4|ipv6|eb) \S+ \S+ -?\d+ /;
const empty = (): Configuration => ({ zones: [], policies: [], direct: [] });

/** Headings ("# firewalld permanent") tell runtime from permanent; without any all of it is runtime. */
export function readFirewalldText(text: string): FirewalldText {
  const runtime = empty();
  const permanent = empty();
  const ipsets: Stanza[] = [];
  const unread: SourceLine[] = [];
  let current = runtime;
  let asksDefault = false;
  let defaultZone: string | undefined;
  let runs = true;
  let open: { name: string; line: SourceLine; fields: Map<string, Item[]> } | undefined;
  let field: Item[] | undefined;
  const close = () => {
    if (!open) return;
    const to = open.fields.has('ingress-zones')
      ? current.policies
      : open.fields.has('type')
        ? ipsets
        : current.zones;
    if (open.fields.size > 0) to.push(open);
    else unread.push(open.line);
    open = undefined;
    field = undefined;
  };
  for (const line of numberedLines(text)) {
    const { text: written } = line;
    if (written.trim() === '') continue;
    if (written.startsWith('#')) {
      close();
      if (!written.startsWith('# firewalld')) continue;
      current = written.startsWith('# firewalld permanent') ? permanent : runtime;
      asksDefault = written.startsWith('# firewalld default zone');
    } else if (/^FirewallD is not running/i.test(written)) runs = false;
    else if (DIRECT.test(written)) current.direct.push(line);
    else if (/^\t|^ {4,}\S/.test(written) && field) field.push({ text: written.trim(), line });
    else if (/^ {1,3}\S/.test(written) && open) field = readField(written.trim(), line, open.fields) ?? field;
    else if (asksDefault) {
      defaultZone = written.trim();
      asksDefault = false;
    } else {
      close();
      const name = /^([\w.@+/-]{1,64})(?: \((?:default|active|, )+\))?\s*$/.exec(written)?.[1];
      if (name === undefined) unread.push(line);
      else open = { name, line, fields: new Map() };
      if (/\(default/.test(written)) defaultZone = name;
    }
  }
  close();
  return { runtime, permanent, ipsets, ...(defaultZone ? { defaultZone } : {}), runs, unread };
}

function readField(text: string, line: SourceLine, fields: Map<string, Item[]>): Item[] | undefined {
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const name = text.slice(0, colon);
  const value = text.slice(colon + 1).trim();
  const parts = value === '' ? [] : WHOLE.has(name) ? [value] : value.split(/\s+/);
  const items = parts.map((part) => ({ text: part, line }));
  fields.set(name, items);
  return items;
}

export const valuesOf = (stanza: Stanza, field: string): readonly Item[] => stanza.fields.get(field) ?? [];
export const firstOf = (stanza: Stanza, field: string): string | undefined =>
  valuesOf(stanza, field)[0]?.text;

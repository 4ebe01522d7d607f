// statements of a FortiOS configuration -> sections with their entries, by VDOM
import type { SourceLine } from '../../src/model/rule.ts';
import type { Statement } from './fortios-text.ts';

/** What an `edit` or a section holds by itself. */
export interface FortiEntry {
  readonly name: string;
  /** The values of each setting, `append` and `unset` applied. */
  readonly settings: Map<string, readonly string[]>;
  /** Each `set`, `append`, `unset` in order, for settings that act on others. */
  readonly steps: { readonly verb: string; readonly name: string; readonly values: readonly string[] }[];
  readonly linesOf: Map<string, readonly SourceLine[]>;
  /** `config` within it, by name. */
  readonly tables: Map<string, FortiSection>;
  readonly lines: SourceLine[];
}

export interface FortiSection {
  readonly name: string;
  readonly own: FortiEntry;
  /** Stands in an entry (or a section), whose lines its own are. */
  readonly isNested: boolean;
  /** In the order of evaluation. */
  entries: Map<string, FortiEntry>;
}

export type Sections = Map<string, FortiSection>;

export interface FortiConfig {
  /** Outside of VDOMs, and what is in `config global`. */
  readonly shared: Sections;
  /** Empty where the device has no VDOMs. */
  readonly vdoms: ReadonlyMap<string, Sections>;
}

type Frame =
  | { readonly kind: 'place'; readonly sections: Sections; readonly closes: number }
  | { readonly kind: 'vdoms' }
  | { readonly kind: 'section'; readonly section: FortiSection }
  | { readonly kind: 'entry'; readonly entry: FortiEntry }
  | { readonly kind: 'skipped'; readonly isEntry: boolean };

/** First words of sections that stand by themselves, never inside another. */
const ROOTS = new Set(
  `system firewall router vpn user log webfilter antivirus application ips dlp endpoint-control wireless-controller
   switch-controller web-proxy ftp-proxy certificate report emailfilter spamfilter voip icap waf dnsfilter sctp-filter
   file-filter videofilter ssh-filter authentication alertemail wanopt extender-controller extension-controller monitoring
   ztna casb diameter-filter virtual-patch telemetry-controller`.split(/\s+/),
);

const STATEMENTS = new Set('set append unset unselect delete move rename clone purge'.split(' '));

interface Building extends FortiConfig {
  readonly vdoms: Map<string, Sections>;
  readonly stack: Frame[];
  readonly wanted: (section: string) => boolean;
  readonly notUnderstood: (...lines: readonly SourceLine[]) => void;
}

/** Sections that are not `wanted` are passed over. Statements that do not fit where they stand go to `notUnderstood`. */
export function fortiTree(
  statements: Iterable<Statement>,
  wanted: (section: string) => boolean,
  notUnderstood: (...lines: readonly SourceLine[]) => void,
): FortiConfig {
  const shared: Sections = new Map();
  const root: Frame = { kind: 'place', sections: shared, closes: 0 };
  const building: Building = { shared, vdoms: new Map(), stack: [root], wanted, notUnderstood };
  for (const statement of statements) take(statement, building);
  return { shared, vdoms: building.vdoms };
}

const topOf = ({ stack }: Building): Frame => stack[stack.length - 1];

function take(statement: Statement, building: Building): void {
  const [verb, ...words] = statement.words;
  if (verb === 'config') open(words, statement, building);
  else if (verb === 'edit' && words.length === 1) edit(words[0], statement, building);
  else if (verb === 'next' && words.length === 0) leaveEntry(statement, building);
  else if (verb === 'end' && words.length === 0) leaveSection(statement, building);
  else {
    const top = topOf(building);
    if (top.kind === 'skipped') return;
    // What stands outside of sections says nothing about rules, unless it has fallen out of one.
    const isOutside = top.kind === 'place' || top.kind === 'vdoms';
    const isDone = isOutside
      ? !STATEMENTS.has(verb)
      : top.kind === 'entry'
        ? change(top.entry, verb, words, statement)
        : top.kind === 'section' &&
          (arrange(top.section, verb, words) || change(top.section.own, verb, words, statement));
    if (!isDone) building.notUnderstood(...statement.lines);
  }
}

function open(words: readonly string[], statement: Statement, building: Building): void {
  const name = words.join(' ');
  const { stack } = building;
  const isPlace = name === 'global' || name === 'vdom';
  const isRoot = words.length > 1 && ROOTS.has(words[0]);
  if (isPlace) recover(statement, building, 1);
  else if (isRoot) recover(statement, building, placeDepth(stack));
  const top = topOf(building);
  if (isPlace && stack.length === 1)
    stack.push(name === 'vdom' ? { kind: 'vdoms' } : { kind: 'place', sections: building.shared, closes: 1 });
  else if (top.kind === 'place') {
    if (building.wanted(name)) stack.push({ kind: 'section', section: sectionOf(top.sections, name) });
    else stack.push({ kind: 'skipped', isEntry: false });
  } else if (top.kind === 'entry' || top.kind === 'section') {
    const parent = top.kind === 'entry' ? top.entry : top.section.own;
    parent.lines.push(...statement.lines);
    stack.push({ kind: 'section', section: sectionOf(parent.tables, name, parent) });
  } else stack.push({ kind: 'skipped', isEntry: false });
}

const placeDepth = (stack: readonly Frame[]): number => {
  let depth = stack.length;
  while (stack[depth - 1].kind !== 'place') depth--;
  return depth;
};

/** A section that cannot stand here shows that an `end` is missing. */
function recover(statement: Statement, building: Building, depth: number): void {
  if (building.stack.length <= depth) return;
  building.notUnderstood(...statement.lines);
  building.stack.length = depth;
}

function edit(name: string, statement: Statement, building: Building): void {
  const { stack } = building;
  let top = topOf(building);
  if (top.kind === 'entry' || (top.kind === 'skipped' && top.isEntry)) {
    // The `next` before it is missing.
    if (top.kind === 'entry') building.notUnderstood(...statement.lines);
    stack.pop();
    top = topOf(building);
  }
  if (top.kind === 'vdoms') {
    const sections = building.vdoms.get(name) ?? new Map();
    building.vdoms.set(name, sections);
    stack.push({ kind: 'place', sections, closes: 2 });
  } else if (top.kind === 'section') {
    const { entries, isNested, own } = top.section;
    const entry = entries.get(name) ?? newEntry(name, isNested ? own.lines : []);
    entries.set(name, entry);
    entry.lines.push(...statement.lines);
    stack.push({ kind: 'entry', entry });
  } else if (top.kind === 'skipped') stack.push({ kind: 'skipped', isEntry: true });
  else building.notUnderstood(...statement.lines);
}

function leaveEntry(statement: Statement, building: Building): void {
  const top = topOf(building);
  const isVdom = top.kind === 'place' && top.closes === 2;
  if (top.kind === 'entry' || (top.kind === 'skipped' && top.isEntry) || isVdom) building.stack.pop();
  else if (top.kind !== 'skipped') building.notUnderstood(...statement.lines);
}

/** `end` also leaves an entry that is still open. */
function leaveSection(statement: Statement, building: Building): void {
  const { stack } = building;
  const top = topOf(building);
  const isEntry = top.kind === 'entry' || (top.kind === 'skipped' && top.isEntry);
  const count = isEntry ? 2 : top.kind === 'place' ? top.closes : 1;
  if (count === 0) building.notUnderstood(...statement.lines);
  stack.length = Math.max(1, stack.length - count);
}

function sectionOf(sections: Sections, name: string, parent?: FortiEntry): FortiSection {
  let section = sections.get(name);
  if (!section) {
    section = { name, own: newEntry('', parent?.lines), isNested: parent !== undefined, entries: new Map() };
    sections.set(name, section);
  }
  return section;
}

const newEntry = (name: string, lines: SourceLine[] = []): FortiEntry => ({
  name,
  settings: new Map(),
  steps: [],
  linesOf: new Map(),
  tables: new Map(),
  lines,
});

/** False where it is no statement about a setting. */
function change(
  entry: FortiEntry,
  verb: string,
  [name, ...values]: readonly string[],
  { lines }: Statement,
): boolean {
  if (name === undefined) return false;
  const old = entry.settings.get(name) ?? [];
  if (verb === 'set') entry.settings.set(name, values);
  else if (verb === 'append') entry.settings.set(name, [...old, ...values]);
  else if (verb === 'unselect')
    entry.settings.set(
      name,
      old.filter((value) => !values.includes(value)),
    );
  else if (verb === 'unset') entry.settings.delete(name);
  else return false;
  entry.steps.push({ verb, name, values });
  entry.linesOf.set(name, lines);
  entry.lines.push(...lines);
  return true;
}

/** `delete`, `move`, `rename`, `clone`, `purge` of entries, as scripts have them; false where it is none of these. */
function arrange(section: FortiSection, verb: string, words: readonly string[]): boolean {
  const { entries } = section;
  const [name, how, other] = words;
  const entry = entries.get(name ?? '');
  if (verb === 'purge') entries.clear();
  else if (verb === 'delete' && name !== undefined) entries.delete(name);
  else if (!entry || other === undefined) return false;
  else if (verb === 'move' && (how === 'before' || how === 'after') && entries.has(other)) {
    const list = [...entries].filter(([key]) => key !== name);
    const at = list.findIndex(([key]) => key === other) + (how === 'after' ? 1 : 0);
    section.entries = new Map(list.toSpliced(at, 0, [name, entry]));
  } else if (verb === 'rename' && how === 'to')
    section.entries = new Map(
      [...entries].map(([key, value]) => (key === name ? [other, { ...value, name: other }] : [key, value])),
    );
  else if (verb === 'clone' && how === 'to') entries.set(other, { ...entry, name: other });
  else return false;
  return true;
}

/** The values of a setting; empty where it is not set. */
export const settingsOf = (entry: FortiEntry, name: string): readonly string[] =>
  entry.settings.get(name) ?? [];
export const settingOf = (entry: FortiEntry, name: string): string | undefined =>
  entry.settings.get(name)?.[0];
export const isEnabled = (entry: FortiEntry, name: string): boolean => settingOf(entry, name) === 'enable';

export const entriesOf = (sections: Sections, name: string): FortiEntry[] => [
  ...(sections.get(name)?.entries.values() ?? []),
];

// pf.conf, or what pfctl and ifconfig print of a running pf -> RuleSet
import type { DeviceInterface, RuleSet, SourceLine } from '../../src/model/rule.ts';
import { ANY_TRAFFIC } from '../../src/model/traffic.ts';
import { assemble } from './assemble.ts';
import { newAllowance } from './boxes.ts';
import { numberedLines } from './indent.ts';
import { type Host, type PfNames, type PfTable, tableAddresses } from './pf-hosts.ts';
import { type PfInterface, readIfconfig } from './pf-ifconfig.ts';
import type { Item } from './pf-order.ts';
import { hostList, parseRule } from './pf-parse.ts';
import { buildPolicies } from './pf-policies.ts';
import { itemsOf, type PfReading } from './pf-rules.ts';
import { type Statement, statementsOf } from './pf-text.ts';

/** Headings of the parts of a pull. A text without any is pf.conf, or what one pfctl printed. */
const HEADINGS: Readonly<Record<string, Part>> = {
  '# pf.conf': 'file',
  '# pf status': 'status',
  '# pf loaded': 'loaded',
  '# pf tables': 'tables',
  '# pf interfaces': 'interfaces',
  '# end of pf': 'end',
};
type Part = 'file' | 'status' | 'loaded' | 'tables' | 'interfaces' | 'end';

/** Never throws. Where the loaded rules are known they act, and those of the file are listed under "pf.conf". */
export function readPf(text: string): RuleSet {
  const parts = split(text);
  const assembly = assemble();
  const interfaces = readIfconfig(parts.interfaces.map((line) => line.text));
  const file = statements(parts.file);
  const loaded = statements(parts.loaded);
  const known: PfNames = {
    interfaces,
    tables: new Map(),
    seen: seenNames([...file, ...loaded]),
  };
  readTables([...file, ...loaded, ...statements(parts.tables)], known);
  const isOff = parts.status.some(({ text: line }) => /^Status: Disabled/.test(line));
  const base = { known, assembly, allowance: newAllowance(), enabled: !isOff };
  const hasLoaded = parts.has.has('loaded');
  const acting: PfReading = {
    ...base,
    labels: labelsOf(hasLoaded ? loaded : file),
    loads: loadsOf(file),
  };
  const skips = skipped(file, acting);
  const items = itemsOf(hasLoaded ? loaded : file, acting);
  if (hasLoaded) itemsOf(file, { ...base, list: 'pf.conf', labels: labelsOf(file), loads: loadsOf(file) });
  for (const statement of file) noteStatement(statement, acting);
  if (!isOff) buildPolicies([...skips, ...items], acting);
  return assembly.result(interfaces.map(asInterface));
}

const asInterface = ({ name, addresses, description }: PfInterface): DeviceInterface => ({
  name,
  addresses,
  ...(description === undefined ? {} : { description }),
});

function split(text: string) {
  const parts: Record<Part, SourceLine[]> = {
    file: [],
    status: [],
    loaded: [],
    tables: [],
    interfaces: [],
    end: [],
  };
  const has = new Set<Part>();
  let part: Part = 'file';
  for (const line of numberedLines(text)) {
    const heading = line.text.startsWith('# ') ? HEADINGS[line.text.trimEnd()] : undefined;
    if (heading) {
      part = heading;
      has.add(heading);
    } else parts[part].push(line);
  }
  return { ...parts, has };
}

/** The statements of some lines, under their own numbers. */
function statements(lines: readonly SourceLine[]): Statement[] {
  const byNumber = (line: SourceLine): SourceLine => lines[line.number - 1] ?? line;
  const renumber = (list: readonly Statement[]): Statement[] =>
    list.map((one) => ({
      ...one,
      lines: one.lines.map(byNumber),
      ...(one.block ? { block: renumber(one.block) } : {}),
    }));
  return renumber(statementsOf(lines.map((line) => line.text).join('\n')));
}

const verbOf = ({ words }: Statement): string => words[0]?.text ?? '';

/** `on em0`, `for em0`, `skip on lo0`: what stands there is an interface. */
function seenNames(all: readonly Statement[]): string[] {
  const found = new Set<string>();
  const visit = (list: readonly Statement[]) => {
    for (const { words, block } of list) {
      const at = words.findIndex(({ text }) => /^(?:on|for|received-on)$/.test(text));
      if (at >= 0)
        for (const { text } of hostList({ words, at: at + 1 }))
          if (/^[A-Za-z][\w.]{0,31}$/.test(text)) found.add(text);
      if (block) visit(block);
    }
  };
  visit(all);
  return [...found].slice(0, 10_000);
}

/** Later definitions, which are what the kernel holds, take the place of earlier ones. */
function readTables(all: readonly Statement[], known: PfNames): void {
  const tables = known.tables as Map<string, PfTable>;
  for (const statement of all) {
    if (verbOf(statement) !== 'table') continue;
    const { words, lines } = statement;
    const name = words[1]?.text.replace(/^<(.*)>$/, '$1') ?? '';
    const at = words.findIndex(({ text, quoted }) => text === '{' && !quoted);
    const hosts: Host[] = at < 0 ? [] : hostList({ words, at });
    const isOpen = words.some(
      ({ text, quoted }, i) => !quoted && (text === 'file' || (text === 'persist' && at < 0 && i < 5)),
    );
    const addresses = isOpen ? undefined : tableAddresses(hosts, known);
    tables.set(name, { ...(addresses ? { addresses } : {}), lines: lines.slice(0, 50) });
  }
}

function labelsOf(all: readonly Statement[]): Map<string, number> {
  const counts = new Map<string, number>();
  const visit = (list: readonly Statement[], anchor: string) => {
    for (const statement of list) {
      const at = statement.words.findIndex(({ text, quoted }) => text === 'label' && !quoted);
      const label = at < 0 ? undefined : statement.words[at + 1]?.text;
      if (label !== undefined) counts.set(`${anchor} ${label}`, (counts.get(`${anchor} ${label}`) ?? 0) + 1);
      if (statement.block)
        visit(statement.block, `${anchor}${anchor ? '/' : ''}${parseRule(statement.words).anchor ?? ''}`);
    }
  };
  visit(all, '');
  return counts;
}

/** `load anchor spam from "/etc/pf/spam.conf"` */
const loadsOf = (all: readonly Statement[]): Map<string, string> =>
  new Map(
    all
      .filter(({ words }) => words[0]?.text === 'load' && words[1]?.text === 'anchor')
      .map(({ words }) => [words[2]?.text ?? '', words[4]?.text ?? '']),
  );

/** `set skip on lo`: packets of the interface are not looked at. */
function skipped(file: readonly Statement[], reading: PfReading): Item[] {
  return file.flatMap(({ words, lines }): Item[] => {
    if (words[0]?.text !== 'set' || words[1]?.text !== 'skip') return [];
    const on = hostList({ words, at: 3 });
    const rule = parseRule([{ text: 'pass', quoted: false }]);
    rule.quick = true;
    rule.on = on;
    const names = on.map(({ text }) => text).join(' ');
    const members = reading.known.interfaces.filter((face) =>
      on.some(
        ({ text }) =>
          text === face.name || face.groups.includes(text) || face.name.replace(/\d+$/, '') === text,
      ),
    );
    const interfaces = [
      ...new Set([...on.map(({ text }) => text), ...members.map(({ name }) => name)]),
    ].sort();
    const made = reading.assembly.rule({
      key: `pf:skip on ${names}`,
      kind: 'filter',
      list: 'set skip',
      enabled: reading.enabled,
      context: { interfaces },
      matches: [ANY_TRAFFIC],
      action: 'skip',
      lines,
    });
    return [{ rule, made, boxes: [ANY_TRAFFIC], on: { except: false, names: interfaces }, unresolved: [] }];
  });
}

/** Rules that stand elsewhere are not in this text. */
function noteStatement(statement: Statement, { assembly }: PfReading): void {
  if (verbOf(statement) !== 'load') return;
  assembly.rule({
    key: `pf:load anchor ${statement.words[2]?.text ?? ''}`,
    kind: 'filter',
    list: 'load anchor',
    matches: [],
    unresolved: [`rules of ${statement.words[4]?.text ?? 'a file'}`],
    action: statement.words.map(({ text }) => text).join(' '),
    lines: statement.lines,
  });
}

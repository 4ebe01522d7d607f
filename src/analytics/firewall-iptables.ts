// words of iptables, ip6tables, ebtables, arptables, their restore tools and ipset -> operations
import type { FirewallEffect, FirewallTool, Operation } from './firewall-command.ts';
import type { SimpleCommand } from './simple-commands.ts';

/** Commands and options of iptables(8) as getopt reads them: '1' takes a value, '?' takes one that does not begin with a dash, '0' none. */
const SHORT: Readonly<Record<string, '0' | '1' | '?'>> = {
  ...each('ADIRCPENMWsdpjgiotmc', '1'),
  ...each('LSFZXw', '?'),
  ...each('hVvnxf46b', '0'),
};
/** Long names of the short ones; unambiguous beginnings do as well. */
const LONG: Readonly<Record<string, string>> = {
  append: 'A',
  delete: 'D',
  insert: 'I',
  replace: 'R',
  check: 'C',
  list: 'L',
  'list-rules': 'S',
  flush: 'F',
  zero: 'Z',
  'new-chain': 'N',
  'delete-chain': 'X',
  policy: 'P',
  'rename-chain': 'E',
  source: 's',
  src: 's',
  destination: 'd',
  dst: 'd',
  protocol: 'p',
  proto: 'p',
  jump: 'j',
  goto: 'g',
  'in-interface': 'i',
  'out-interface': 'o',
  table: 't',
  match: 'm',
  wait: 'w',
  'wait-interval': 'W',
  'set-counters': 'c',
  modprobe: 'M',
  verbose: 'v',
  numeric: 'n',
  exact: 'x',
  'line-numbers': '0',
  fragments: 'f',
  ipv4: '4',
  ipv6: '6',
  version: 'V',
  help: 'h',
};
const COMMANDS = 'ADIRCLSFZNXPE';

function each(letters: string, kind: '0' | '1' | '?'): Record<string, '0' | '1' | '?'> {
  return Object.fromEntries([...letters].map((letter) => [letter, kind]));
}

interface Option {
  /** One letter, or the long name where it has none. */
  readonly name: string;
  readonly values: readonly string[];
  readonly isNegated: boolean;
}

/** Never throws. Several commands in one line (which iptables refuses) are all told. */
export function readIptables({ name, args }: Pick<SimpleCommand, 'name' | 'args'>): readonly Operation[] {
  const tool = toolOf(name);
  const options = optionsOf(args);
  const table = valueIn(options, 't') ?? 'filter';
  const family = options.some((option) => option.name === '6') || tool === 'ip6tables' ? 'ip6' : 'ip';
  const base = { tool, ...(tool === 'iptables' || tool === 'ip6tables' ? { family } : {}), table };
  return options.flatMap((option): Operation[] => {
    if (option.name.length !== 1 || !COMMANDS.includes(option.name)) return [];
    const [chain, ...rest] = option.values;
    const where = { ...base, ...(chain === undefined ? {} : { chain }) };
    switch (option.name) {
      case 'A':
      case 'I':
        return [{ ...where, object: 'rule', ...ruleOf(options, rest) }];
      case 'R':
        return [{ ...where, object: 'rule', ...ruleOf(options, rest), effect: 'replaces' }];
      case 'D':
        return [{ ...where, object: 'rule', ...ruleOf(options, rest), effect: 'removes' }];
      case 'C':
        return [{ ...where, object: 'rule', ...ruleOf(options, rest), effect: 'checks' }];
      case 'F':
        return [{ ...where, object: chain === undefined ? 'table' : 'chain', effect: 'flushes' }];
      case 'X':
        return [{ ...where, object: 'chain', effect: 'removes' }];
      case 'N':
        return [{ ...where, object: 'chain', effect: 'adds' }];
      case 'E':
        return [{ ...where, object: 'chain', effect: 'renames' }];
      case 'Z':
        return [{ ...where, object: 'chain', effect: 'zeroes' }];
      case 'P':
        return policyOf(where, rest[0]);
      default:
        return [{ ...where, object: chain === undefined ? 'table' : 'chain', effect: 'reads' }];
    }
  });
}

function policyOf(where: Pick<Operation, 'tool' | 'chain'>, target: string | undefined): Operation[] {
  if (target === undefined) return [];
  const effect = /^ACCEPT$/i.test(target) ? 'accepts-by-default' : 'drops-by-default';
  return [{ ...where, object: 'policy', effect, target }];
}

const toolOf = (name: string): FirewallTool =>
  name.includes('eb')
    ? 'ebtables'
    : name.startsWith('arp')
      ? 'arptables'
      : name.includes('ip6')
        ? 'ip6tables'
        : 'iptables';

const valueIn = (options: readonly Option[], ...names: string[]): string | undefined =>
  options.find(({ name }) => names.includes(name))?.values[0];

/** Options that narrow nothing. */
const NO_CONDITION = new Set([
  ...COMMANDS,
  ...'tjgmcwWvnxhV046M',
  'comment',
  'log-prefix',
  'log-level',
  'reject-with',
]);

function ruleOf(options: readonly Option[], rest: readonly string[]) {
  const all = (...names: string[]) =>
    options
      .filter(({ name }) => names.includes(name))
      .flatMap(({ values, isNegated }) =>
        values.slice(0, 1).flatMap((text) => text.split(',').map((one) => (isNegated ? `!${one}` : one))),
      );
  const target = valueIn(options, 'j', 'g');
  const ports = all('dport', 'dports', 'destination-port', 'destination-ports', 'ports');
  const sources = all('s', 'src-range');
  const destinations = all('d', 'dst-range');
  const protocol = valueIn(options, 'p');
  const to = valueIn(options, 'to-destination', 'to-ports', 'to-source', 'on-port', 'gateway', 'to');
  const isByNumber =
    /^\d{1,9}$/.test(rest[0] ?? '') &&
    options.every(({ name }) => NO_CONDITION.has(name)) &&
    target === undefined;
  const isForAll = !isByNumber && options.every(({ name }) => NO_CONDITION.has(name));
  return {
    effect: effectOf(target),
    ...(target === undefined ? {} : { target }),
    ...(protocol === undefined ? {} : { protocol: protocol.toLowerCase() }),
    ...(ports.length > 0 ? { ports } : {}),
    ...(sources.length > 0 ? { sources } : {}),
    ...(destinations.length > 0 ? { destinations } : {}),
    ...(to === undefined ? {} : { to }),
    ...(isForAll ? { isForAll: true as const } : {}),
  };
}

/** Targets of iptables-extensions(8). */
export function effectOf(target: string | undefined): FirewallEffect {
  if (target === undefined) return 'adds';
  if (/^ACCEPT$/i.test(target)) return 'opens';
  if (/^(?:DROP|REJECT|TARPIT|STEAL)$/i.test(target)) return 'closes';
  if (/^(?:DNAT|REDIRECT|TPROXY|TEE|NETMAP|DNPT)$/i.test(target)) return 'redirects';
  return /^(?:SNAT|MASQUERADE|SAME|SNPT)$/i.test(target) ? 'translates' : 'adds';
}

function optionsOf(args: readonly string[]): Option[] {
  const options: Option[] = [];
  let isNegated = false;
  const add = (name: string, first: string | undefined, at: number): number => {
    const kind = name.length === 1 ? (SHORT[name] ?? '0') : 'many';
    const values = first === undefined ? [] : [first];
    let next = at;
    const isLocked = name === 'w' || name === 'W';
    // Before version 1.4.3 the "!" stood between the option and its value.
    if (kind !== '0' && args[next] === '!' && values.length === 0 && !COMMANDS.includes(name)) {
      isNegated = true;
      next++;
    }
    // Behind a command stand its chain, number or policy; behind a module's option its values.
    const most = kind === '0' ? 0 : COMMANDS.includes(name) ? 3 : kind === 'many' ? 8 : 1;
    while (
      next < args.length &&
      values.length < most &&
      isValue(args[next], kind, values.length) &&
      !(isLocked && !/^\d/.test(args[next]))
    )
      values.push(args[next++]);
    options.push({ name, values, isNegated });
    isNegated = false;
    return next;
  };
  for (let at = 0; at < args.length; ) {
    const word = args[at++];
    if (word === '!') isNegated = true;
    else if (/^--./.test(word)) {
      const [, long, value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      at = add(shortOf(long ?? ''), value, at);
    } else if (/^-./.test(word)) {
      for (let i = 1; i < word.length; i++) {
        const takes = (SHORT[word[i]] ?? '0') !== '0';
        const glued = word.slice(i + 1);
        // A command takes no chain glued to it, except those whose chain is optional.
        at = takes ? add(word[i], glued === '' ? undefined : glued, at) : add(word[i], undefined, at);
        if (takes) break;
      }
    }
  }
  return options;
}

/** A required value may begin with a dash (no chain's does). */
function isValue(word: string, kind: string, index: number): boolean {
  if (word === '!') return false;
  return !word.startsWith('-') || (kind === '1' && index === 0 && word === '-');
}

/** getopt_long(3): a beginning that only one of these names has. */
function shortOf(long: string): string {
  if (Object.hasOwn(LONG, long)) return LONG[long];
  if (long.length < 2) return long;
  const letters = new Set(Object.keys(LONG).flatMap((name) => (name.startsWith(long) ? LONG[name] : [])));
  return letters.size === 1 ? [...letters][0] : long;
}

/** iptables-restore(8); iptables-apply is the same with a way back. */
export function readIptablesRestore({
  name,
  args,
  redirections,
  fed,
  pipedFrom,
}: SimpleCommand): readonly Operation[] {
  const tool = name.includes('ip6') ? 'ip6tables-restore' : 'iptables-restore';
  if (name.endsWith('-translate')) return [{ tool, effect: 'reads', object: 'ruleset' }];
  const file =
    args.find(
      (word, i) =>
        !word.startsWith('-') && !/^(?:-T|--table|-w|--wait|-W|-M|--modprobe)$/.test(args[i - 1] ?? ''),
    ) ?? redirections.find((text) => /^0?<[^<&]/.test(text))?.replace(/^0?</, '');
  const has = (pattern: RegExp) => args.some((word) => pattern.test(word));
  const effect = has(/^(?:--te(?:s|st)?|-[a-zA-Z]{0,8}t[a-zA-Z]{0,8})$/) ? 'checks' : 'loads-file';
  const at = args.findIndex((word) => /^(?:-T|--table)$/.test(word));
  const table = at >= 0 ? args[at + 1] : args.find((word) => word.startsWith('--table='))?.slice(8);
  const own = { tool, effect, object: 'ruleset', ...(table ? { table } : {}) } as const;
  const source = file ?? (pipedFrom && fed === undefined ? `| ${pipedFrom.text}`.slice(0, 200) : undefined);
  return [{ ...own, ...(source === undefined ? {} : { file: source }) }];
}

const IPSET: Readonly<Record<string, readonly [FirewallEffect, 'set' | 'element']>> = {
  create: ['adds', 'set'],
  new: ['adds', 'set'],
  add: ['adds', 'element'],
  del: ['removes', 'element'],
  delete: ['removes', 'element'],
  destroy: ['removes', 'set'],
  flush: ['flushes', 'set'],
  rename: ['renames', 'set'],
  swap: ['replaces', 'set'],
  restore: ['loads-file', 'set'],
  test: ['checks', 'element'],
  list: ['reads', 'set'],
  save: ['reads', 'set'],
};
const IPSET_SHORT: Readonly<Record<string, string>> = {
  N: 'create',
  A: 'add',
  D: 'del',
  X: 'destroy',
  F: 'flush',
  E: 'rename',
  W: 'swap',
  R: 'restore',
  T: 'test',
  L: 'list',
  S: 'save',
};

/** ipset(8): commands with or without dashes; -X is destroy. */
export function readIpset({ args }: Pick<SimpleCommand, 'args'>): readonly Operation[] {
  for (const [i, word] of args.entries()) {
    const plain = word.replace(/^--?/, '');
    const verb = /^-[A-Z]$/.test(word) ? IPSET_SHORT[plain] : plain;
    if (verb === undefined || !Object.hasOwn(IPSET, verb)) continue;
    const [effect, object] = IPSET[verb];
    const set = args[i + 1];
    return [{ tool: 'ipset', effect, object, ...(set && !set.startsWith('-') ? { name: set } : {}) }];
  }
  return [];
}

// words of nft -> operations, one a statement (nft(8))
import type { FirewallEffect, FirewallObject, Operation } from './firewall-command.ts';
import type { SimpleCommand } from './simple-commands.ts';

/** Options that take a value. */
const WITH_VALUE = 'fIDd';
const LONG_WITH_VALUE = ['--file', '--includepath', '--define', '--debug'];
const MAX_STATEMENTS = 200;

interface Arguments {
  readonly file?: string;
  readonly isCheck: boolean;
  readonly isListing: boolean;
  readonly rest: readonly string[];
}

/** `-f -` with what an echo or a here-string feeds it is read; any other file is told as loaded. Never throws. */
export function readNft(command: SimpleCommand): readonly Operation[] {
  const { file, isCheck, isListing, rest } = argumentsOf(command.args);
  if (isListing) return [{ tool: 'nft', effect: 'reads', object: 'ruleset' }];
  const input = command.redirections.find((text) => /^0?<[^<&]/.test(text))?.replace(/^0?</, '');
  const found: Operation[] = [];
  if (file !== undefined) {
    const isInput = file === '-' || file === '/dev/stdin';
    if (isInput && command.fed !== undefined) found.push(...statementsOf(command.fed));
    else {
      const piped = command.pipedFrom ? `| ${command.pipedFrom.text}`.slice(0, 200) : '-';
      found.push({
        tool: 'nft',
        effect: 'loads-file',
        object: 'ruleset',
        file: isInput ? (input ?? piped) : file,
      });
    }
  } else found.push(...statementsOf(rest.join(' ')));
  return isCheck ? found.map((operation) => ({ ...operation, effect: 'checks' })) : found;
}

function argumentsOf(args: readonly string[]): Arguments {
  let file: string | undefined;
  let isCheck = false;
  let isListing = false;
  let at = 0;
  for (; at < args.length && /^-./.test(args[at]); at++) {
    const word = args[at];
    if (word === '--') {
      at++;
      break;
    }
    if (word.startsWith('--')) {
      const [, name, glued] = /^(--[^=]*)(?:=(.*))?$/s.exec(word) ?? ['', word];
      isCheck ||= name === '--check';
      isListing ||= name === '--version' || name === '--help';
      const takes = LONG_WITH_VALUE.includes(name);
      const value = glued ?? (takes ? args[++at] : undefined);
      if (name === '--file') file = value ?? '-';
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i];
      isCheck ||= letter === 'c';
      isListing ||= letter === 'v' || letter === 'V' || letter === 'h';
      if (!WITH_VALUE.includes(letter)) continue;
      const value = word.slice(i + 1) || args[++at];
      if (letter === 'f') file = value ?? '-';
      break;
    }
  }
  return { file, isCheck, isListing, rest: args.slice(at) };
}

/** Parted by semicolons and line feeds outside braces and quotes; comments are left out. */
export function statementsOf(text: string): Operation[] {
  const statements: string[][] = [[]];
  let depth = 0;
  for (const [token] of text.matchAll(/"[^"]{0,2000}"|#[^\n]*|[{};\n]|[^\s{};"]+|"/g)) {
    if (token.startsWith('#')) continue;
    if (depth === 0 && (token === ';' || token === '\n')) {
      if (statements.length >= MAX_STATEMENTS) break;
      statements.push([]);
      continue;
    }
    depth += token === '{' ? 1 : token === '}' && depth > 0 ? -1 : 0;
    if (token !== '\n') statements[statements.length - 1].push(token);
  }
  return statements.flatMap((words) => (words.length === 0 ? [] : (operationOf(words) ?? [])));
}

const VERBS: Readonly<Record<string, FirewallEffect>> = {
  add: 'adds',
  create: 'adds',
  insert: 'adds',
  replace: 'replaces',
  delete: 'removes',
  destroy: 'removes',
  flush: 'flushes',
  rename: 'renames',
  reset: 'zeroes',
  list: 'reads',
  get: 'reads',
  export: 'reads',
  monitor: 'reads',
  describe: 'reads',
};
const OBJECTS: Readonly<Record<string, FirewallObject>> = {
  ruleset: 'ruleset',
  table: 'table',
  tables: 'table',
  chain: 'chain',
  chains: 'chain',
  rule: 'rule',
  rules: 'rule',
  set: 'set',
  sets: 'set',
  map: 'set',
  maps: 'set',
  meter: 'set',
  meters: 'set',
  element: 'element',
  elements: 'element',
};
/** Objects that hold no rule. */
const OTHERS = /^(?:counters?|quotas?|limits?|flowtables?|ct|secmarks?|synproxys?|hooks)$/;
const FAMILIES = /^(?:ip|ip6|inet|arp|bridge|netdev)$/;

function operationOf(words: readonly string[]): Operation | undefined {
  let at = 0;
  if (words[0] === 'define' || words[0] === 'include' || words[0] === 'undefine') return undefined;
  const verb = Object.hasOwn(VERBS, words[0]) ? words[at++] : 'add';
  const word = words[at] ?? '';
  const effect = VERBS[verb];
  if (OTHERS.test(word))
    return {
      tool: 'nft',
      effect: effect === 'adds' || effect === 'removes' ? 'sets' : effect,
      object: 'setting',
    };
  const object = Object.hasOwn(OBJECTS, word) ? OBJECTS[word] : 'rule';
  if (Object.hasOwn(OBJECTS, word)) at++;
  else if (at === 0 && !FAMILIES.test(word) && words.length < 3) return undefined;
  const family = FAMILIES.test(words[at] ?? '') ? words[at++] : object === 'ruleset' ? undefined : 'ip';
  const [table, second] = [words[at], words[at + 1]].map((name) =>
    name && /^[{};]$/.test(name) ? undefined : name,
  );
  const where = {
    tool: 'nft',
    object,
    ...(family === undefined ? {} : { family }),
    ...(table === undefined || object === 'ruleset' ? {} : { table }),
  } as const;
  const isChain = object === 'chain' || object === 'rule';
  const named =
    isChain && second !== undefined
      ? { chain: second }
      : second !== undefined && object !== 'table'
        ? { name: second }
        : {};
  if (effect !== 'adds' && effect !== 'replaces') return { ...where, ...named, effect };
  if (object === 'chain') return { ...where, ...named, ...chainOf(words.slice(at + 2)) };
  if (object !== 'rule') return { ...where, ...named, effect };
  const rule = ruleOf(words.slice(at + 2));
  return { ...where, ...named, ...rule, effect: effect === 'replaces' ? 'replaces' : rule.effect };
}

/** A base chain is declared with type and hook; the policy of one that stands may be given alone. */
function chainOf(words: readonly string[]): {
  effect: FirewallEffect;
  object: FirewallObject;
  target?: string;
} {
  const at = words.indexOf('policy');
  const target = words[at + 1];
  if (at < 0 || target === undefined) return { effect: 'adds', object: 'chain' };
  const isNew = words.includes('hook');
  return {
    effect: target === 'accept' ? 'accepts-by-default' : 'drops-by-default',
    object: isNew ? 'chain' : 'policy',
    target,
  };
}

const VERDICTS = new Set([
  'accept',
  'drop',
  'reject',
  'queue',
  'return',
  'continue',
  'dnat',
  'snat',
  'masquerade',
  'redirect',
  'tproxy',
  'dup',
  'fwd',
  'jump',
  'goto',
]);
const QUIET = new Set([
  'counter',
  'log',
  'comment',
  'position',
  'index',
  'handle',
  'prefix',
  'level',
  'packets',
  'bytes',
]);

function ruleOf(words: readonly string[]) {
  const at = words.findLastIndex((word) => VERDICTS.has(word));
  const verdict = at < 0 ? undefined : words[at];
  const target = verdict === 'jump' || verdict === 'goto' ? words[at + 1] : verdict;
  const conditions = words.slice(0, at < 0 ? words.length : at);
  const protocol = conditions.find(
    (word, i) =>
      /^(?:tcp|udp|sctp|dccp|udplite|icmp|icmpv6|esp|ah)$/.test(word) &&
      !/^(?:saddr|daddr)$/.test(conditions[i - 1] ?? ''),
  );
  const ports = valuesBehind(conditions, 'dport');
  const sources = valuesBehind(conditions, 'saddr');
  const destinations = valuesBehind(conditions, 'daddr');
  const to =
    at >= 0 && /^(?:dnat|snat|redirect|tproxy|fwd|dup)$/.test(verdict ?? '')
      ? words.slice(at + 1).filter((word) => !/^(?:to|ip|ip6|:)$/.test(word))[0]
      : undefined;
  const isForAll = conditions.every((word) => QUIET.has(word) || /^\d+$|^"/.test(word));
  return {
    effect: verdictEffect(verdict),
    ...(target === undefined ? {} : { target }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(ports.length > 0 ? { ports } : {}),
    ...(sources.length > 0 ? { sources } : {}),
    ...(destinations.length > 0 ? { destinations } : {}),
    ...(to === undefined ? {} : { to }),
    ...(isForAll ? { isForAll: true as const } : {}),
  };
}

function verdictEffect(verdict: string | undefined): FirewallEffect {
  switch (verdict) {
    case 'accept':
      return 'opens';
    case 'drop':
    case 'reject':
      return 'closes';
    case 'dnat':
    case 'redirect':
    case 'tproxy':
    case 'dup':
    case 'fwd':
      return 'redirects';
    case 'snat':
    case 'masquerade':
      return 'translates';
    default:
      return 'adds';
  }
}

/** "dport 22", "dport != 22", "dport { 22, 80 }", "dport 22-80". */
function valuesBehind(words: readonly string[], name: string): string[] {
  const at = words.indexOf(name);
  if (at < 0) return [];
  const isNegated = words[at + 1] === '!=';
  const from = at + (isNegated || words[at + 1] === '==' ? 2 : 1);
  const end = words[from] === '{' ? words.indexOf('}', from) : from + 1;
  return words
    .slice(from, end < 0 ? undefined : end)
    .join(' ')
    .split(/[\s,{]+/)
    .filter((text) => text !== '')
    .slice(0, 50)
    .map((text) => (isNegated ? `!${text}` : text));
}

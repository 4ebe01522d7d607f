// words of ufw and firewall-cmd -> operations
import type { FirewallEffect, Operation } from './firewall-command.ts';
import { readIptables } from './firewall-iptables.ts';
import type { SimpleCommand } from './simple-commands.ts';

type Words = Pick<SimpleCommand, 'args'>;

const UFW: Readonly<Record<string, readonly [FirewallEffect, Operation['object']]>> = {
  enable: ['enables', 'ruleset'],
  disable: ['disables', 'ruleset'],
  // Removes every rule and disables (ufw(8)).
  reset: ['disables', 'ruleset'],
  reload: ['reloads', 'ruleset'],
  status: ['reads', 'ruleset'],
  show: ['reads', 'ruleset'],
  version: ['reads', 'ruleset'],
  app: ['reads', 'setting'],
  logging: ['sets', 'setting'],
};
const UFW_ACTIONS: Readonly<Record<string, FirewallEffect>> = {
  allow: 'opens',
  limit: 'opens',
  deny: 'closes',
  reject: 'closes',
};

const MAX_WORDS = 100;

/** Never throws. */
export function readUfw({ args }: Words): readonly Operation[] {
  const isDry = args.includes('--dry-run');
  const words = args
    .slice(0, MAX_WORDS)
    .filter((word) => !/^--(?:force|dry-run)$/.test(word))
    .map((word) => word.toLowerCase());
  const told = ufwOperation(words);
  if (!told) return [];
  return [{ tool: 'ufw', ...told, ...(isDry ? { effect: 'checks' } : {}) }];
}

function ufwOperation(words: readonly string[]): Omit<Operation, 'tool'> | undefined {
  let rest = words[0] === 'rule' ? words.slice(1) : words;
  const isRoute = rest[0] === 'route';
  if (isRoute) rest = rest.slice(1);
  const [verb = '', next] = rest;
  if (Object.hasOwn(UFW, verb)) return { effect: UFW[verb][0], object: UFW[verb][1] };
  if (verb === 'default') return ufwDefault(rest.slice(1));
  if (verb === 'delete') {
    if (/^\d+$/.test(next ?? '')) return { effect: 'removes', object: 'rule' };
    const of = ufwOperation(rest.slice(1));
    return of && { ...of, effect: 'removes' };
  }
  if (verb === 'insert') return ufwOperation([...(isRoute ? ['route'] : []), ...rest.slice(2)]);
  if (verb === 'prepend') return ufwOperation([...(isRoute ? ['route'] : []), ...rest.slice(1)]);
  if (!Object.hasOwn(UFW_ACTIONS, verb)) return undefined;
  return {
    effect: UFW_ACTIONS[verb],
    object: 'rule',
    target: verb,
    chain: isRoute ? 'routed' : rest.includes('out') ? 'outgoing' : 'incoming',
    ...ufwTraffic(rest.slice(1)),
  };
}

/** `default allow incoming`, or the other way round; incoming where no direction is named. */
function ufwDefault(words: readonly string[]): Omit<Operation, 'tool'> | undefined {
  const target = words.find((word) => /^(?:allow|deny|reject)$/.test(word));
  if (!target) return undefined;
  const chain = words.find((word) => /^(?:incoming|outgoing|routed)$/.test(word)) ?? 'incoming';
  return {
    effect: target === 'allow' ? 'accepts-by-default' : 'drops-by-default',
    object: 'policy',
    chain,
    target,
  };
}

/** Simple form `22/tcp`, `OpenSSH`; extended form `[in on IF] [proto P] from A [port N] to B [port N]`. */
function ufwTraffic(words: readonly string[]): Partial<Operation> {
  const after = (name: string) => {
    const at = words.indexOf(name);
    return at < 0 ? undefined : words[at + 1];
  };
  const toAt = words.indexOf('to');
  const fromAt = words.indexOf('from');
  const isExtended = toAt >= 0 || fromAt >= 0;
  const simple = isExtended
    ? undefined
    : words.filter(
        (word, i) =>
          !/^(?:in|out|on|log|log-all|comment)$/.test(word) && !/^(?:on|comment)$/.test(words[i - 1] ?? ''),
      )[0];
  const [plain, glued] = simple === undefined ? [] : simple.split('/');
  const portAt = words.findIndex(
    (word, i) => word === 'port' && toAt >= 0 && i > toAt && (fromAt < toAt || i < fromAt),
  );
  const ports = (plain ?? (portAt < 0 ? after('app') : words[portAt + 1]))?.split(',');
  const protocol = glued ?? after('proto');
  const source = after('from');
  const destination = after('to');
  const isAny = (address: string | undefined) => address === undefined || address === 'any';
  const isForAll = ports === undefined && protocol === undefined && isAny(source) && isAny(destination);
  return {
    ...(ports ? { ports } : {}),
    ...(protocol ? { protocol } : {}),
    ...(isAny(source) ? {} : { sources: [source!] }),
    ...(isAny(destination) ? {} : { destinations: [destination!] }),
    ...(isForAll ? { isForAll: true as const } : {}),
  };
}

/** Words of what is added or removed -> what adding it means. */
const ADDED: readonly (readonly [RegExp, FirewallEffect, Operation['object']])[] = [
  [/^(?:port|service|protocol|source-port)$/, 'opens', 'rule'],
  [/^rich-rule$/, 'opens', 'rule'],
  [/^(?:forward-port)$/, 'redirects', 'rule'],
  [/^(?:masquerade)$/, 'translates', 'rule'],
  [/^(?:icmp-block|icmp-block-inversion)$/, 'closes', 'rule'],
  [/^(?:source|interface|ingress-zone|egress-zone)$/, 'adds', 'zone'],
  [/^(?:entry|entries-from-file)$/, 'adds', 'element'],
  [/^(?:forward)$/, 'opens', 'setting'],
  [/^(?:chain)$/, 'adds', 'chain'],
];
/** Options of firewall-cmd(1) that mean one thing. */
const ALONE: Readonly<Record<string, readonly [FirewallEffect, Operation['object']]>> = {
  reload: ['reloads', 'ruleset'],
  'complete-reload': ['reloads', 'ruleset'],
  'runtime-to-permanent': ['sets', 'setting'],
  'reset-to-defaults': ['flushes', 'ruleset'],
  'panic-on': ['drops-by-default', 'policy'],
  'panic-off': ['accepts-by-default', 'setting'],
  disabled: ['disables', 'service'],
  enabled: ['enables', 'service'],
  'lockdown-on': ['sets', 'setting'],
  'lockdown-off': ['sets', 'setting'],
  'set-log-denied': ['sets', 'setting'],
  'remove-rules': ['flushes', 'chain'],
};
/** Their value never stands as the next word. */
const WITHOUT_VALUE =
  /^(?:permanent|reload|complete-reload|panic-\w+|direct|runtime-to-permanent|reset-to-defaults|add-masquerade|remove-masquerade|disabled|enabled|lockdown-\w+|state|list-\S*|get-\S*|add-forward|remove-forward|version|help|quiet|check-config)$/;

interface Option {
  readonly name: string;
  readonly value?: string;
  readonly rest: readonly string[];
}

/** Never throws. firewall-offline-cmd takes the same words, and only writes configuration. */
export function readFirewallCmd({ name, args }: Pick<SimpleCommand, 'args' | 'name'>): readonly Operation[] {
  const options = args.flatMap((word, i): Option[] => {
    const [, option, glued] = /^--([a-z][\w-]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (option === undefined) return [];
    const next = args[i + 1];
    const value =
      glued ?? (next === undefined || next.startsWith('--') || WITHOUT_VALUE.test(option) ? undefined : next);
    return [{ name: option, ...(value === undefined ? {} : { value }), rest: args.slice(i + 1) }];
  });
  const zone = options.find((option) => option.name === 'zone' || option.name === 'policy')?.value;
  const isDirect = options.some((option) => option.name === 'direct');
  const isPermanentOnly = options.some((option) => option.name === 'permanent') || name.includes('offline');
  return options
    .flatMap((option) => (isDirect ? directOperation(option) : undefined) ?? cmdOperation(option, zone) ?? [])
    .map((operation) => ({
      tool: 'firewall-cmd' as const,
      ...(zone === undefined || operation.chain !== undefined ? {} : { chain: zone }),
      ...operation,
      ...(isPermanentOnly && operation.effect !== 'reads' && operation.effect !== 'reloads'
        ? { isPermanentOnly: true as const }
        : {}),
    }));
}

function cmdOperation(
  { name, value }: Option,
  zone: string | undefined,
): Omit<Operation, 'tool'> | undefined {
  if (Object.hasOwn(ALONE, name)) return { effect: ALONE[name][0], object: ALONE[name][1] };
  if (/^(?:list|get|query|info|state|check-config|path)/.test(name))
    return { effect: 'reads', object: 'ruleset' };
  if (name === 'set-default-zone') return zoneSetting(value, { chain: value });
  if (name === 'set-target') return { ...zoneSetting(value, {}), target: value };
  const isTrusted = zone === 'trusted' && /^(?:add|change)-(?:interface|source)$/.test(name);
  if (isTrusted) return { effect: 'accepts-by-default', object: 'zone', ...(value ? { name: value } : {}) };
  if (/^(?:new|load)-/.test(name))
    return { effect: 'adds', object: 'setting', ...(value ? { name: value } : {}) };
  if (/^delete-/.test(name))
    return { effect: 'removes', object: 'setting', ...(value ? { name: value } : {}) };
  if (/^(?:set|change)-/.test(name))
    return { effect: 'sets', object: 'setting', ...(value ? { name: value } : {}) };
  const [, verb, what] = /^(add|remove)-(.+)$/.exec(name) ?? [];
  if (verb === undefined) return undefined;
  const [, effect, object] = ADDED.find(([pattern]) => pattern.test(what)) ?? [
    undefined,
    'sets' as const,
    'setting' as const,
  ];
  const told = what === 'rich-rule' ? richRule(value ?? '') : { effect, ...valueIn(what, value) };
  return { object, ...told, ...(verb === 'remove' ? { effect: 'removes' as const } : {}) };
}

const zoneSetting = (value: string | undefined, more: Partial<Operation>): Omit<Operation, 'tool'> => ({
  effect: /^(?:trusted|accept)$/i.test(value ?? '')
    ? 'accepts-by-default'
    : /^(?:drop|block|%%REJECT%%|REJECT)$/i.test(value ?? '')
      ? 'drops-by-default'
      : 'sets',
  object: 'policy',
  ...more,
});

function valueIn(what: string, value: string | undefined): Partial<Operation> {
  if (value === undefined) return {};
  const [first, protocol] = value.split('/');
  if (what === 'port') return { ports: [first], ...(protocol ? { protocol } : {}) };
  if (what === 'source') return { sources: [value] };
  if (what === 'protocol') return { protocol: value };
  if (what === 'forward-port') {
    const part = (name: string) => new RegExp(`(?:^|:)${name}=([^:]{1,60})`).exec(value)?.[1];
    const [ports, to, toPort, proto] = [part('port'), part('toaddr'), part('toport'), part('proto')];
    const target = [to, toPort].filter(Boolean).join(':');
    return {
      ...(ports ? { ports: [ports] } : {}),
      ...(proto ? { protocol: proto } : {}),
      ...(target ? { to: target } : {}),
    };
  }
  return what === 'service' ? { ports: [value] } : { name: value };
}

/** firewalld.richlanguage(5) */
function richRule(text: string): Partial<Operation> & { readonly effect: FirewallEffect } {
  const part = (pattern: RegExp) => pattern.exec(text)?.[1];
  const target = part(/\b(accept|reject|drop|mark)\b(?!=)/);
  const port = part(/\bport="?(\d{1,5}(?:-\d{1,5})?)/) ?? part(/\bservice name="?([\w-]{1,60})/);
  const protocol = part(/\bprotocol="?(\w{1,20})/);
  const source = part(/\bsource (?:NOT )?address="?([0-9A-Fa-f.:/]{1,60})/);
  const redirects = /\bforward-port\b/.test(text);
  return {
    effect: redirects
      ? 'redirects'
      : target === 'drop' || target === 'reject'
        ? 'closes'
        : target === 'accept'
          ? 'opens'
          : 'adds',
    ...(target ? { target } : {}),
    ...(port ? { ports: [port] } : {}),
    ...(protocol ? { protocol } : {}),
    ...(source ? { sources: [source] } : {}),
  };
}

/** --direct --add-rule ipv4 filter INPUT 0 ARGS, --remove-rule, --passthrough ipv4 ARGS. */
function directOperation({ name, value, rest }: Option): readonly Omit<Operation, 'tool'>[] | undefined {
  const words = value !== undefined && rest[0] !== value ? [value, ...rest] : rest;
  const [family, ...more] = words;
  const tool = family === 'ipv6' ? 'ip6tables' : family === 'eb' ? 'ebtables' : 'iptables';
  const plain = (args: readonly string[]) =>
    readIptables({ name: tool, args }).map(({ tool: _tool, ...operation }) => operation);
  if (/^(?:add-|remove-)?passthrough$/.test(name)) return plain(more);
  const [table = 'filter', chain = '', , ...rule] = more;
  if (name === 'add-rule') return plain(['-t', table, '-A', chain, ...rule]);
  if (name === 'remove-rule') return plain(['-t', table, '-D', chain, ...rule]);
  if (name === 'remove-rules') return plain(['-t', table, '-F', chain]);
  return undefined;
}

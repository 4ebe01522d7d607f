// an event of a host -> what it takes away from the packet filter, if anything; and whether it puts something back
import type { Event } from '../model/event.ts';
import { type FirewallCommand, firewallCommandsOf, isFirewallUnit } from './firewall-command.ts';
import { baseName } from './simple-commands.ts';

/** `off`: a filter stops filtering, in whole or in large parts. `edit`: single rules, of which hosts make many a day. */
export type ImpairmentGroup = 'off' | 'edit';

/** Names of the weights of AN0407. */
export type ImpairmentClass =
  | 'disable'
  | 'flush'
  | 'accept'
  | 'stop'
  | 'unload'
  | 'netlink'
  | 'openAll'
  | 'flushOther'
  | 'unitDisabled'
  | 'failed'
  | 'remove'
  | 'open'
  | 'block'
  | 'load'
  | 'otherEdit';

export interface Impairment {
  readonly group: ImpairmentGroup;
  readonly class: ImpairmentClass;
  /** One line for people: the command, or what the records say. */
  readonly detail: string;
  readonly event: Event;
  /** Of iptables, or as nft calls it. */
  readonly table?: string;
  readonly unit?: string;
  /** Changed the kernel's rules without a firewall tool. */
  readonly isDirect?: true;
}

const OFF = new Set<ImpairmentClass>([
  'disable',
  'flush',
  'accept',
  'stop',
  'unload',
  'netlink',
  'openAll',
  'flushOther',
  'unitDisabled',
  'failed',
]);
/** So many removed rules are more than an edit. */
const MANY = 3;
/** Events that run any program are many: most are passed over by this alone. */
const NAMED =
  /\b(?:nft|ufw|pfctl|csf|apf|ferm|rmmod|modprobe|sysctl|chkconfig|systemctl|service|initctl|shorewall|xtables|netfilter|[\w.-]{0,20}(?:tables|firewall)|rc-\w+|[\w-]{0,20}rc\.d)\b/;

const impairment = (of: Omit<Impairment, 'group'>): Impairment => ({
  ...of,
  group: OFF.has(of.class) ? 'off' : 'edit',
});

/** What weighs most of what the event takes away; undefined where it takes nothing away from the host's own filter. */
export function impairmentOf(event: Event): Impairment | undefined {
  const unit = stoppedUnit(event);
  if (unit !== undefined)
    return impairment({
      class: /^Failed/.test(event.action ?? '') ? 'failed' : 'stop',
      detail: `${unit} stopped`,
      event,
      unit,
    });
  if (event.kind === 'command' && !NAMED.test(event.command?.slice(0, 4096) ?? '')) return undefined;
  const commands = firewallCommandsOf(event).filter(({ namespace }) => namespace === undefined);
  const [worst] = commands
    .flatMap((command) => {
      const found = classOf(command);
      return found ? [{ class: found, command }] : [];
    })
    .sort((a, b) => ORDER.indexOf(a.class) - ORDER.indexOf(b.class));
  const detail = (event.command ?? '').slice(0, 300);
  if (worst) {
    const { table, unit: named } = worst.command;
    return impairment({
      class: worst.class,
      detail,
      event,
      ...(table ? { table } : {}),
      ...(named ? { unit: named } : {}),
    });
  }
  const commits = commitsOf(event);
  if (commits.length > 0 && commands.length === 0) return netlinkImpairment(event, commits);
  if (event.program === 'firewalld' && /^remove/.test(event.action ?? ''))
    return impairment({ class: 'remove', detail: `firewalld ${event.action}`, event });
  return undefined;
}

/** Gravest first. */
const ORDER: readonly ImpairmentClass[] = [
  'disable',
  'flush',
  'accept',
  'stop',
  'openAll',
  'unload',
  'netlink',
  'flushOther',
  'unitDisabled',
  'failed',
  'remove',
  'load',
  'open',
  'block',
  'otherEdit',
];

const FILTER_CHAIN = /^(?:input|forward|output|incoming|routed)$/i;

function classOf(command: FirewallCommand): ImpairmentClass | undefined {
  const { effect, object, tool, chain, target, isForAll, isPermanentOnly, table } = command;
  switch (effect) {
    case 'disables':
      return object === 'module' || tool === 'sysctl'
        ? 'unload'
        : object === 'service' && tool === 'service'
          ? 'unitDisabled'
          : 'disable';
    case 'stops':
      return 'stop';
    case 'flushes':
      if (object === 'set' || object === 'element') return 'otherEdit';
      // A chain of another name is some program's own.
      if (object === 'chain') return FILTER_CHAIN.test(chain ?? '') && !isOther(table) ? 'flush' : 'remove';
      return object === 'table' && isOther(table) ? 'flushOther' : 'flush';
    case 'accepts-by-default':
      // A new base chain begins with a policy; panic mode ends.
      if (object === 'chain' || object === 'setting') return undefined;
      if (isPermanentOnly || /^(?:output|outgoing)$/i.test(chain ?? '') || isOther(table)) return 'otherEdit';
      return 'accept';
    case 'removes':
      if (object === 'table') return 'flush';
      return object === 'rule' && !/^(?:accept|allow|return)$/i.test(target ?? '') ? 'remove' : 'otherEdit';
    case 'opens':
    case 'replaces':
      if (isForAll && FILTER_CHAIN.test(chain ?? '') && /^(?:accept|allow)$/i.test(target ?? ''))
        return 'openAll';
      return effect === 'opens' ? 'open' : 'otherEdit';
    case 'closes':
      return 'block';
    case 'redirects':
      return 'otherEdit';
    case 'loads-file':
      return 'load';
    default:
      return undefined;
  }
}

const isOther = (table: string | undefined): boolean => /^(?:nat|mangle|raw|security)$/.test(table ?? '');

/** One NETFILTER_CFG record of the event. */
export interface Commit {
  readonly table: string;
  readonly op: string;
  readonly entryCount: number;
}

/** Every table that the event changed, in all the forms that the kernel gave these records. */
export function commitsOf({ message, kind }: Pick<Event, 'message' | 'kind'>): Commit[] {
  if (kind !== 'firewall-changed' || !/NETFILTER_CFG|type=1325/.test(message)) return [];
  const found: Commit[] = [];
  for (const [, table, entries, op] of message
    .slice(0, 32_768)
    .matchAll(/\btable=(\S{1,200}) family=\d{1,3} entries=(\d{1,10})(?: op=(\w{1,40}))?/g))
    found.push({ table: table.replace(/:\d+.*$/, ''), op: op ?? '', entryCount: Number(entries) });
  return found;
}

const TOOL =
  /^(?:nft|xtables-\S+|ip6?tables\S{0,12}|ebtables\S{0,12}|arptables\S{0,12}|ufw|firewall-cmd|firewalld|ipset)$/;

/** firewalld and ufw are scripts: an interpreter stands in front of them. */
const isTool = ({ executable = '', command = '' }: Event): boolean =>
  TOOL.test(baseName(executable)) ||
  /^\S{1,100}python[\d.]{0,6} (?:-\w{1,5} )?\/usr\/s?bin\/(?:firewalld|ufw|firewall-cmd)(?: |$)/.test(
    command,
  );

/** Removals alone; a transaction that registers rules besides puts another set in place. */
function netlinkImpairment(event: Event, commits: readonly Commit[]): Impairment | undefined {
  // The kernel takes the tables of a network namespace down with it.
  if (/^kworker/.test(event.executable ?? '')) return undefined;
  const removed = commits.filter(({ op }) =>
    /^(?:nft_unregister_(?:table|chain|rule)|xt_unregister)$/.test(op),
  );
  const replaced = commits.filter(({ op }) => op === 'xt_replace' || op === '');
  const isRefilled = commits.some(({ op }) => /^nft_register_(?:table|chain|rule)$/.test(op));
  if ((removed.length === 0 && replaced.length === 0) || isRefilled) return undefined;
  const count = removed.reduce((sum, { entryCount }) => sum + entryCount, 0);
  const isWhole = removed.some(({ op }) => op === 'nft_unregister_table' || op === 'xt_unregister');
  const isDirect = event.executable !== undefined && !isTool(event);
  const what = [...removed, ...replaced]
    .slice(0, 3)
    .map(({ op, table, entryCount }) => `${op || 'replaced'} in table ${table} (${entryCount} entries)`);
  const by = event.command ?? event.executable;
  return impairment({
    class: isWhole || count >= MANY || (isDirect && replaced.length > 0) ? 'netlink' : 'otherEdit',
    detail: `${what.join(', ')}${by ? ` by ${by}` : ''}`.slice(0, 300),
    event,
    table: [...removed, ...replaced][0].table,
    ...(isDirect ? { isDirect: true as const } : {}),
  });
}

/** How units of firewalls describe themselves where a line names no unit. */
const DESCRIPTIONS: readonly (readonly [RegExp, string])[] = [
  [/^uncomplicated firewall$/i, 'ufw'],
  [/dynamic firewall daemon/i, 'firewalld'],
  [/^netfilter persistent/i, 'netfilter-persistent'],
  [/^IPv4 firewall with iptables$/i, 'iptables'],
  [/^IPv6 firewall with ip6tables$/i, 'ip6tables'],
  [/^(?:nftables|netfilter tables)$/i, 'nftables'],
];

/** The firewall's unit that a line of a service manager is about. */
export function firewallUnitOf({ unit, program }: Pick<Event, 'unit' | 'program'>): string | undefined {
  if (unit === undefined) return program === 'ufw' || program === 'ufw-init' ? 'ufw' : undefined;
  const name = unit.replace(/\.service$/, '');
  if (isFirewallUnit(name)) return name;
  return DESCRIPTIONS.find(([pattern]) => pattern.test(name))?.[1];
}

function stoppedUnit(event: Event): string | undefined {
  const isStop =
    event.kind === 'service-stopped' ||
    (event.kind === 'firewall-changed' && /^(?:Stopped|Stopping)$/.test(event.action ?? ''));
  return isStop ? firewallUnitOf(event) : undefined;
}

/** What puts rules back. */
export interface Restoration {
  readonly kind: 'start' | 'load' | 'rule';
  readonly unit?: string;
  readonly count: number;
}

export function restorationOf(event: Event): Restoration | undefined {
  const isStart =
    event.kind === 'service-started' ||
    (event.kind === 'firewall-changed' &&
      /^(?:Started|Reloaded|Finished|Starting|Reloading)$/.test(event.action ?? ''));
  const unit = isStart ? firewallUnitOf(event) : undefined;
  if (unit !== undefined) return { kind: 'start', unit, count: 1 };
  if (event.kind !== 'firewall-changed') return undefined;
  const commands = firewallCommandsOf(event).filter(({ namespace }) => namespace === undefined);
  if (commands.some(({ effect }) => /^(?:starts|restarts|enables|reloads)$/.test(effect))) {
    const named = commands.find((command) => command.unit)?.unit;
    return { kind: 'start', ...(named ? { unit: named } : {}), count: 1 };
  }
  if (commands.some(({ effect }) => effect === 'loads-file' || effect === 'drops-by-default'))
    return { kind: 'load', count: 1 };
  const rules = commands.filter(({ effect }) => /^(?:opens|closes|adds)$/.test(effect)).length;
  if (rules > 0) return { kind: 'rule', count: rules };
  const added = commitsOf(event).filter(({ op }) => /^nft_register_(?:table|chain|rule)$/.test(op));
  const count = added.reduce((sum, { entryCount }) => sum + entryCount, 0);
  return count > 0 ? { kind: count >= MANY ? 'load' : 'rule', count } : undefined;
}

// a command line -> what it does to packet filters: one FirewallCommand an operation, reading and checking included
import type { Event } from '../model/event.ts';
import { commandWords } from './command-words.ts';
import { readFirewallCmd, readUfw } from './firewall-front-ends.ts';
import { readIpset, readIptables, readIptablesRestore } from './firewall-iptables.ts';
import { readNft } from './firewall-nft.ts';
import { readAlfDefaults, readPfctl, readSocketFilter } from './firewall-pf.ts';
import {
  isFirewallUnit,
  readHelpers,
  readModules,
  readSysctl,
  readTrafficControl,
  serviceActions,
} from './firewall-services.ts';
import { type SimpleCommand, simpleCommands } from './simple-commands.ts';

export { commandWords, isFirewallUnit, serviceActions, simpleCommands };

export type FirewallTool =
  | 'iptables'
  | 'ip6tables'
  | 'ebtables'
  | 'arptables'
  | 'iptables-restore'
  | 'ip6tables-restore'
  | 'ipset'
  | 'nft'
  | 'ufw'
  | 'firewall-cmd'
  /** systemctl, service, launchctl and their like, about a unit that keeps the packet filter. */
  | 'service'
  | 'pfctl'
  | 'socketfilterfw'
  /** modprobe, rmmod */
  | 'module'
  | 'sysctl'
  | 'tc';

export type FirewallEffect =
  /** Lists or saves; changes nothing. */
  | 'reads'
  /** Tests a rule or a file; changes nothing. */
  | 'checks'
  /** Adds what lets traffic in or through. */
  | 'opens'
  /** Adds what stops traffic. */
  | 'closes'
  /** Adds what does neither by itself: a chain, a set's element, a jump, a log. */
  | 'adds'
  /** Adds destination NAT, REDIRECT, TPROXY, a forwarded port. */
  | 'redirects'
  /** Adds source NAT, masquerading. */
  | 'translates'
  | 'removes'
  | 'flushes'
  | 'replaces'
  | 'accepts-by-default'
  | 'drops-by-default'
  /** Off, and off after the next start: ufw disable, systemctl mask, pfctl -d, --setglobalstate off. */
  | 'disables'
  | 'stops'
  | 'enables'
  | 'starts'
  | 'restarts'
  | 'reloads'
  | 'loads-file'
  | 'renames'
  | 'zeroes'
  /** Other settings: logging, stealth mode, zones' settings. */
  | 'sets';

export type FirewallObject =
  | 'ruleset'
  | 'table'
  | 'chain'
  | 'rule'
  | 'policy'
  | 'set'
  | 'element'
  | 'service'
  | 'zone'
  | 'anchor'
  | 'program'
  | 'module'
  | 'setting';

export interface FirewallCommand {
  readonly tool: FirewallTool;
  readonly effect: FirewallEffect;
  readonly object: FirewallObject;
  /** As written, or as the tool takes it where it is left out: "ip", "ip6", "inet", ... */
  readonly family?: string;
  readonly table?: string;
  /** Chain, zone, pf anchor. */
  readonly chain?: string;
  /** Verdict or target: "ACCEPT", "drop", "REDIRECT", "f2b-sshd". */
  readonly target?: string;
  readonly protocol?: string;
  /** Destination ports as written: "22", "8000:8010", "ssh". */
  readonly ports?: readonly string[];
  /** As written; negated ones begin with "!". */
  readonly sources?: readonly string[];
  readonly destinations?: readonly string[];
  /** Where traffic is led to. */
  readonly to?: string;
  /** A rule without any condition. */
  readonly isForAll?: true;
  /** Without ".service". */
  readonly unit?: string;
  /** Module, program, setting. */
  readonly name?: string;
  readonly file?: string;
  /** firewall-cmd --permanent: nothing changes before the next reload. */
  readonly isPermanentOnly?: true;
  /** In another network namespace: the host's own filter stays as it is. */
  readonly namespace?: string;
  /** Words of the simple command that it was read from. */
  readonly text: string;
}

/** What a reader of one tool returns; tool-independent fields are added here. */
export type Operation = Omit<FirewallCommand, 'text' | 'namespace'>;

type ToolReader = (command: SimpleCommand) => readonly Operation[];

/** Longest text that is kept. */
const MAX_TEXT = 500;
const MAX_OPERATIONS = 200;

/** What a tool that is not known by name alone is called. */
const READERS: readonly (readonly [RegExp, ToolReader])[] = [
  [/^(?:x?(?:ip6?|eb|arp)tables)(?:-(?:nft|legacy))?$/, readIptables],
  [/^ip6?tables(?:-(?:nft|legacy))?-(?:restore|apply)(?:-translate)?$/, readIptablesRestore],
  [/^(?:ip6?|eb|arp)tables(?:-(?:nft|legacy))?-(?:save|translate|xml)$/, ({ name }) => [reads(name)]],
  [/^ipset$/, readIpset],
  [/^nft$/, readNft],
  [/^ufw$/, readUfw],
  [/^firewall-(?:offline-)?cmd$/, readFirewallCmd],
  [/^pfctl$/, readPfctl],
  [/^socketfilterfw$/, readSocketFilter],
  [/^defaults$/, readAlfDefaults],
  [/^(?:modprobe|rmmod)$/, readModules],
  [/^sysctl$/, readSysctl],
  [/^tc$/, readTrafficControl],
  [/^(?:netfilter-persistent|iptables-persistent|shorewall6?|ferm|csf|apf|conntrack)$/, readHelpers],
];

const reads = (name: string): Operation => ({
  tool: name.startsWith('ip6')
    ? 'ip6tables'
    : name.startsWith('eb')
      ? 'ebtables'
      : name.startsWith('arp')
        ? 'arptables'
        : 'iptables',
  effect: 'reads',
  object: 'ruleset',
});

/**
 * Every operation on packet filters that a command line makes, in order. `command`: exact words (as of an EXECVE record), or
 * a command line as text. What it does not concern gives nothing. Never throws; bounded.
 */
export function readFirewallCommands(command: string | readonly string[]): FirewallCommand[] {
  const found: FirewallCommand[] = [];
  for (const simple of simpleCommands(command)) {
    for (const operation of operationsOf(simple)) {
      if (found.length >= MAX_OPERATIONS) return found;
      found.push({
        ...operation,
        ...(simple.namespace === undefined ? {} : { namespace: simple.namespace }),
        text: simple.text.slice(0, MAX_TEXT),
      });
    }
  }
  return found;
}

/** Of an event: by its exact arguments where it has them. */
export function firewallCommandsOf(event: Pick<Event, 'arguments' | 'command'>): FirewallCommand[] {
  if (event.arguments && event.arguments.length > 0) return readFirewallCommands(event.arguments);
  return event.command === undefined ? [] : readFirewallCommands(event.command);
}

/** Anything but looking on. */
export const changesFirewall = ({ effect }: Pick<FirewallCommand, 'effect'>): boolean =>
  effect !== 'reads' && effect !== 'checks' && effect !== 'zeroes';

/** xtables-multi, xtables-nft-multi, xtables-legacy-multi: the tool is the first word behind it (or the name it was called by). */
function operationsOf(command: SimpleCommand): readonly Operation[] {
  const { name, path, args } = command;
  if (/^xtables(?:-(?:nft|legacy))?-multi$/.test(name) && args.length > 0) {
    const alias = {
      main4: 'iptables',
      main6: 'ip6tables',
      restore4: 'iptables-restore',
      restore6: 'ip6tables-restore',
    }[args[0]];
    return operationsOf({ ...command, name: alias ?? args[0], args: args.slice(1) });
  }
  const isInit = /(?:^|\/)(?:init|rc)\.d\//.test(path);
  const reader = isInit ? undefined : READERS.find(([pattern]) => pattern.test(name));
  if (reader) return reader[1](command);
  return serviceActions(command).flatMap(({ unit, effect }): Operation[] =>
    isFirewallUnit(unit) ? [{ tool: 'service', effect, object: 'service', unit }] : [],
  );
}

// the nouns of a read configuration: rules as people wrote them, policies as a packet meets them
import type { AddressSet } from './addresses.ts';
import type { NameSet, Traffic } from './traffic.ts';

export interface SourceLine {
  /** 1-based line number in the snapshot's text. */
  readonly number: number;
  readonly text: string;
}

export type RuleKind = 'nat' | 'filter' | 'route' | 'policy-route' | 'tunnel' | 'proxy' | 'mirror';

/** Where a rule acts. Every field that the vendor does not have is left out. */
export interface RuleContext {
  readonly vrf?: string;
  readonly table?: string;
  readonly chain?: string;
  readonly list?: string;
  readonly family?: 'ip' | 'ip6' | 'inet' | 'bridge' | 'arp' | 'netdev';
  readonly interfaces?: readonly string[];
  readonly direction?: 'in' | 'out' | 'both';
}

/** What a rule makes of an address: where the packet goes, or from whom it then seems to come. */
export interface Translation {
  readonly kind: 'destination' | 'source' | 'redirect' | 'policy-route' | 'tunnel' | 'proxy' | 'mirror';
  /** The address after translation, the next hop or the far end; undefined where only the device knows it (masquerade, redirect to self). */
  readonly addresses?: AddressSet;
  /** Inclusive port range after translation; undefined: ports are kept. */
  readonly ports?: readonly [number, number];
  /** True where each address keeps its offset in the range (static NAT of networks, NETMAP), so that the translated set follows the match. */
  readonly offset?: boolean;
}

/** One NAT, forwarding, filter, route, tunnel or proxy statement of a device. */
export interface Rule {
  /** Stable over renumbering: the vendor's uid, else its name, else a hash of context, match and action as written. Never a position. */
  readonly key: string;
  readonly kind: RuleKind;
  readonly enabled: boolean;
  /** 0-based position in its own list. */
  readonly position: number;
  readonly context: RuleContext;
  /** Resolved through every object, group, pool, map and list. */
  readonly match: Traffic;
  /** Conditions that cannot be resolved into ranges (FQDN, time range, mark, geo list): the match is then a superset. */
  readonly unresolved: readonly string[];
  readonly translation?: Translation;
  readonly action: string;
  readonly comment?: string;
  /** What the configuration itself says of who changed the rule last (pfSense, OPNsense). */
  readonly lastChange?: { readonly user?: string; readonly atMs?: number; readonly raw: string };
  readonly lines: readonly SourceLine[];
}

/**
 * What one step of a policy does to a new connection.
 * accept/drop end a filter; translate ends a NAT stage with its translation; exempt ends a NAT stage without one.
 */
export type EntryAction = 'accept' | 'drop' | 'translate' | 'exempt';

/** One step of a policy as a packet meets it. Jumps are flattened; an unbound or disabled rule has no entry. */
export interface PolicyEntry {
  readonly ruleKey: string;
  readonly match: Traffic;
  /**
   * Not empty: `match` is a superset. A filter's accept then may let through: what later entries drop passes conditionally.
   * A translation counts as one; a drop or an exemption is passed over.
   */
  readonly unresolved: readonly string[];
  /** Meets only packets that destination NAT translated (true) or did not (false): Linux `ct status dnat`. */
  readonly translated?: boolean;
  readonly action: EntryAction;
  readonly translation?: Translation;
}

/** In the order in which a forwarded packet meets them. `redirect` holds policy routing, tunnels, proxies and mirrors. */
export type Stage = 'destination-nat' | 'redirect' | 'filter' | 'source-nat';
export const STAGES: readonly Stage[] = ['destination-nat', 'redirect', 'filter', 'source-nat'];

/** An ordered list of entries that packets of `appliesTo` meet at one stage. Filters of one stage are met one after the other, all must accept. */
export interface Policy {
  readonly id: string;
  readonly stage: Stage;
  readonly evaluation: 'first-match' | 'last-match';
  readonly appliesTo: { readonly ingress: NameSet; readonly egress: NameSet };
  /**
   * Filters only. 'untranslated': met before destination NAT, so that entries match addresses as the packet arrives (IOS
   * input access list). 'translated': met after source NAT (IOS output access list). Left out: between the two.
   */
  readonly sees?: 'untranslated' | 'translated';
  /** For filters what happens where no entry matches; 'none' for NAT and redirect. */
  readonly otherwise: 'accept' | 'drop' | 'none';
  readonly entries: readonly PolicyEntry[];
}

export interface DeviceInterface {
  readonly name: string;
  /** The interface's own addresses (not networks). */
  readonly addresses: AddressSet;
  readonly description?: string;
}

/** Everything that a reader makes of one snapshot. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly policies: readonly Policy[];
  readonly interfaces: readonly DeviceInterface[];
  /** Lines of rule-bearing sections that were not understood; never dropped. */
  readonly unread: readonly SourceLine[];
}

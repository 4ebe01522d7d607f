// a rule of config.xml, in the old form or in that of OPNsense's models -> one shape
import type { Rule, SourceLine } from '../../src/model/rule.ts';
import { ruleKey } from '../../src/rules/key.ts';
import {
  child,
  flag,
  isOn,
  type Sense,
  shortly,
  textAt,
  uuidOf,
  wordsOf,
  type XmlNode,
} from './pfsense-xml.ts';

export interface SenseSide {
  /** Addresses, aliases, words for networks; empty for any. */
  readonly names: readonly string[];
  readonly not: boolean;
  readonly port: string | undefined;
}

export interface SenseRule {
  readonly node: XmlNode;
  readonly uuid: string | undefined;
  readonly enabled: boolean;
  /** Empty: every interface. */
  readonly interfaces: readonly string[];
  readonly interfacesNot: boolean;
  readonly direction: 'in' | 'out' | 'any';
  readonly quick: boolean;
  readonly floating: boolean;
  readonly action: string;
  readonly families: readonly ('inet' | 'inet6')[];
  readonly protocol: string | undefined;
  readonly icmpTypes: readonly string[];
  readonly source: SenseSide;
  readonly destination: SenseSide;
  readonly conditions: readonly string[];
  readonly gateway: string | undefined;
  readonly comment: string | undefined;
  readonly lastChange: Rule['lastChange'];
  readonly lines: readonly SourceLine[];
}

type LinesOf = (node: XmlNode) => SourceLine[];

/** `<rule>` under `<filter>` or `<nat>`, with `<source>` and `<destination>`. */
export function oldRule(node: XmlNode, sense: Sense, linesOf: LinesOf): SenseRule {
  const floating = flag(node, 'floating', sense);
  const interfaces = wordsOf(textAt(node, 'interface')).filter((name) => name !== 'any');
  const quick =
    child(node, 'quick') && (sense === 'opnsense' || floating) ? flag(node, 'quick', sense) : !floating;
  const direction = textAt(node, 'direction');
  return {
    node,
    uuid: uuidOf(node),
    enabled: !flag(node, 'disabled', sense),
    interfaces,
    interfacesNot: flag(node, 'interfacenot', sense),
    direction:
      direction === 'out' || direction === 'any' ? direction : floating && direction !== 'in' ? 'any' : 'in',
    quick,
    floating,
    action: textAt(node, 'type') ?? 'pass',
    families: familiesOf(textAt(node, 'ipprotocol')),
    protocol: textAt(node, 'protocol')?.toLowerCase(),
    icmpTypes: [...wordsOf(textAt(node, 'icmptype')), ...wordsOf(textAt(node, 'icmp6-type'))],
    source: oldSide(child(node, 'source'), sense),
    destination: oldSide(child(node, 'destination'), sense),
    conditions: conditionsOf(node),
    gateway: textAt(node, 'gateway'),
    comment: textAt(node, 'descr'),
    lastChange: lastChangeOf(node),
    lines: linesOf(node),
  };
}

function familiesOf(text: string | undefined): SenseRule['families'] {
  if (text === 'inet6') return ['inet6'];
  return text === 'inet46' || text === 'any' ? ['inet', 'inet6'] : ['inet'];
}

export function oldSide(node: XmlNode | undefined, sense: Sense): SenseSide {
  const names = ['network', 'address']
    .flatMap((name) => wordsOf(textAt(node, name)))
    .filter((name) => name !== 'any');
  const isAny = child(node, 'any') !== undefined;
  return {
    names: isAny ? [] : names,
    not: flag(node, 'not', sense),
    port: textAt(node, 'port') ?? textAt(node, 'dstport'),
  };
}

/** What pf is asked besides; not a matter of addresses or ports. */
const CONDITIONS: Readonly<Record<string, string>> = {
  sched: 'schedule',
  tagged: 'packets tagged',
  os: 'operating system',
  dscp: 'DSCP',
  tos: 'TOS',
  vlanprio: 'VLAN priority',
  prio: 'priority',
  user: 'user',
};

function conditionsOf(node: XmlNode): string[] {
  return Object.entries(CONDITIONS).flatMap(([name, what]) => {
    const text = textAt(node, name);
    return text === undefined || text === 'none' ? [] : [`${what} ${text.slice(0, 100)}`];
  });
}

/** `<updated>`, else `<created>`: who last saved the rule, and when. */
export function lastChangeOf(node: XmlNode): Rule['lastChange'] {
  for (const name of ['updated', 'created']) {
    const written = textAt(node, name, 'username');
    const seconds = Number(textAt(node, name, 'time') ?? Number.NaN);
    if (written === undefined && !(seconds > 0)) continue;
    const user = written && /^([^\s(]{1,128}?)(?:@[\da-fA-F.:%]{2,64})?(?: |$)/.exec(written)?.[1];
    return {
      ...(user ? { user } : {}),
      ...(seconds > 0 && seconds < 1e11 ? { atMs: Math.round(seconds * 1_000) } : {}),
      raw: `${name} ${[textAt(node, name, 'time'), written].filter(Boolean).join(' by ')}`.slice(0, 300),
    };
  }
  return undefined;
}

/** `<rule uuid="...">` of the models under `<OPNsense><Firewall><Filter>`; its children are plain fields. */
export function modelRule(node: XmlNode, linesOf: LinesOf): SenseRule {
  const interfaces = wordsOf(textAt(node, 'interface')).filter((name) => name !== 'any');
  const direction = textAt(node, 'direction');
  const side = (name: 'source' | 'destination'): SenseSide => ({
    names: wordsOf(textAt(node, `${name}_net`)).filter((word) => word !== 'any'),
    not: isOn(textAt(node, `${name}_not`)),
    port: textAt(node, `${name}_port`),
  });
  return {
    node,
    uuid: uuidOf(node),
    enabled: textAt(node, 'enabled') === undefined || isOn(textAt(node, 'enabled')),
    interfaces,
    interfacesNot: isOn(textAt(node, 'interfacenot')),
    direction: direction === 'out' || direction === 'any' ? direction : 'in',
    quick: textAt(node, 'quick') === undefined || isOn(textAt(node, 'quick')),
    floating: interfaces.length !== 1,
    action: textAt(node, 'action') ?? 'pass',
    families: familiesOf(textAt(node, 'ipprotocol') ?? 'inet'),
    protocol: textAt(node, 'protocol')?.toLowerCase(),
    icmpTypes: [...wordsOf(textAt(node, 'icmptype')), ...wordsOf(textAt(node, 'icmp6type'))],
    source: side('source'),
    destination: side('destination'),
    conditions: conditionsOf(node),
    gateway: textAt(node, 'gateway'),
    comment: textAt(node, 'description'),
    lastChange: lastChangeOf(node),
    lines: linesOf(node),
  };
}

/** For rules that have no id: what they say. */
export function contentKey(list: string, rule: SenseRule, ...more: readonly (string | undefined)[]): string {
  const side = ({ names, not, port }: SenseSide) => `${not ? '!' : ''}${names.join(',')}:${port ?? ''}`;
  const hash = ruleKey(
    rule.interfaces.join(),
    rule.direction,
    rule.action,
    rule.families.join(),
    rule.protocol ?? '',
    side(rule.source),
    side(rule.destination),
    ...more.map((text) => text ?? ''),
  );
  return `${list} ${hash}`;
}

export const describe = (rule: SenseRule): { comment?: string } =>
  rule.comment === undefined ? {} : { comment: shortly(rule.comment) };

/** Words that a rule may have and that say nothing of what becomes of a packet. */
export const QUIET = new Set(
  (
    'id tracker type interface ipprotocol protocol source destination descr log quick floating direction disabled created updated ' +
    'statetype statetimeout statepolicy state-policy os sched tag tagged dscp tos vlanprio vlanprioset prio set-prio gateway reply-to replyto ' +
    'disablereplyto allowopts nopfsync nosync max max-src-nodes max-src-conn max-src-states max-src-conn-rate max-src-conn-rates ' +
    'tcpflags1 tcpflags2 tcpflags_any dnpipe pdnpipe defaultqueue ackqueue icmptype icmp6-type associated-rule-id ' +
    'category interfacenot l7container user overload adaptivestart adaptiveend rulelabel label sequence bridgeto'
  ).split(' '),
);

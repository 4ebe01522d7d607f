// EdgeOS `port-forward` -> destination NAT in front of `service nat`, hairpin NAT, and the filter that it opens
import { noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { intersectServices, service, unionServices } from '../../src/model/services.ts';
import { names, type Traffic } from '../../src/model/traffic.ts';
import { protocols } from './boxes.ts';
import type { Branch, ChainRule } from './flatten.ts';
import { familyTraffic } from './netfilter.ts';
import { at, type WordTree, word, words } from './tree.ts';
import type { Vyos } from './vyos-config.ts';
import { addressOrUndefined, type PortRange, portRange } from './vyos-groups.ts';
import { has, keysOf, linesOf, numbered } from './vyos-text.ts';

export interface PortForwards {
  readonly destination: readonly ChainRule[];
  readonly source: readonly ChainRule[];
  readonly filter: readonly ChainRule[];
}

interface Forward {
  readonly node: WordTree;
  readonly key: string;
  readonly arriving: Traffic;
  readonly translation: Translation;
  readonly unresolved: readonly string[];
}

const RULE_WORDS = new Set('description forward-to original-port protocol source disable log'.split(' '));
const SECTION_WORDS = new Set('auto-firewall hairpin-nat lan-interface wan-interface rule'.split(' '));

/** `auto-firewall` accepts what was forwarded before any list of an interface is asked; `hairpin-nat` serves the LAN too. */
export function portForwards(vyos: Vyos): PortForwards {
  const section = at(vyos.tree, 'port-forward');
  const made = { destination: [] as ChainRule[], source: [] as ChainRule[], filter: [] as ChainRule[] };
  if (!section) return made;
  for (const node of section.children.values()) if (!SECTION_WORDS.has(node.word)) vyos.notUnderstood(node);
  const wan = words(section, 'wan-interface');
  const lan = words(section, 'lan-interface');
  const rules = numbered(section, 'rule');
  const keys = keysOf('port-forward', rules);
  rules.forEach((node, i) => {
    const forward = readForward(node, keys[i], wan, vyos);
    if (!forward) vyos.notUnderstood(node);
    else addForward(forward, section, wan, lan, made, vyos);
  });
  return made;
}

function readForward(node: WordTree, key: string, wan: readonly string[], vyos: Vyos): Forward | undefined {
  for (const child of node.children.values()) if (!RULE_WORDS.has(child.word)) vyos.notUnderstood(child);
  const to = addressOrUndefined(word(node, 'forward-to', 'address') ?? '');
  const ports = (word(node, 'original-port') ?? '').split(',').map(portRange);
  const port = word(node, 'forward-to', 'port');
  const toPort = port === undefined ? undefined : portRange(port);
  if (!to || ports.includes(undefined) || (port !== undefined && !toPort)) return undefined;
  const own = wan.flatMap((name) => vyos.byName.get(name)?.addresses ?? []);
  const known = own.length > 0 && own.every((set) => !noAddresses(set));
  const numbers = protocolsOf(word(node, 'protocol') ?? 'tcp_udp');
  const services = unionServices(...numbers.map((number) => service(number, ports as PortRange[])));
  const source = addressOrUndefined(word(node, 'source', 'address') ?? '');
  const whole = familyTraffic('ip');
  return {
    node,
    key,
    arriving: {
      ...whole,
      services,
      ...(source ? { sources: source } : {}),
      ...(known ? { destinations: unionAddresses(...own) } : {}),
    },
    translation: { kind: 'destination', addresses: to, ...(toPort ? { ports: toPort } : {}) },
    unresolved: known ? [] : [`the address of ${wan.join(', ') || 'the WAN interface'}`],
  };
}

function protocolsOf(text: string): number[] {
  if (text === 'tcp') return [6];
  return text === 'udp' ? [17] : [6, 17];
}

function addForward(
  forward: Forward,
  section: WordTree,
  wan: readonly string[],
  lan: readonly string[],
  made: { destination: ChainRule[]; source: ChainRule[]; filter: ChainRule[] },
  vyos: Vyos,
): void {
  const { node, translation, arriving, unresolved } = forward;
  const hairpin = isOn(section, 'hairpin-nat');
  const faces = hairpin ? [...wan, ...lan] : wan;
  const comment = word(node, 'description');
  const { rule, matches } = vyos.assembly.rule({
    key: forward.key,
    kind: 'nat',
    list: 'port-forward',
    enabled: !has(node, 'disable'),
    context: { list: 'port-forward', family: 'ip' },
    matches: [{ ...arriving, ingress: names(...faces) }],
    unresolved,
    translation,
    action: `forward to ${[word(node, 'forward-to', 'address'), word(node, 'forward-to', 'port')].filter(Boolean).join(' ')}`,
    ...(comment === undefined ? {} : { comment }),
    lines: linesOf(node),
  });
  if (!rule.enabled) return;
  const { lines, key: ruleKey } = rule;
  const forwarded: Traffic = {
    ...arriving,
    destinations: translation.addresses!,
    services: translation.ports
      ? unionServices(...servicesAt(arriving, translation.ports))
      : arriving.services,
  };
  const add = (to: ChainRule[], branches: readonly Branch[]) => to.push({ lines, branches });
  add(
    made.destination,
    matches.map((match) => ({
      ruleKey,
      match,
      unresolved,
      outcome: { kind: 'translate', stage: 'destination-nat', translation, final: true },
    })),
  );
  if (isOn(section, 'auto-firewall'))
    add(made.filter, [
      {
        ruleKey,
        match: { ...forwarded, ingress: names(...faces) },
        unresolved: [],
        outcome: { kind: 'accept' },
      },
    ]);
  if (hairpin && lan.length > 0)
    add(made.source, [
      {
        ruleKey,
        match: { ...forwarded, ingress: names(...lan), egress: names(...lan) },
        unresolved: [],
        outcome: { kind: 'translate', stage: 'source-nat', translation: { kind: 'source' }, final: true },
      },
    ]);
}

const isOn = (section: WordTree, name: string): boolean => word(section, name) === 'enable';

const servicesAt = (arriving: Traffic, ports: PortRange) =>
  [6, 17]
    .filter((number) => intersectServices(arriving.services, protocols(number)).length > 0)
    .map((number) => service(number, [ports]));

// EdgeOS `port-forward` -> destination NAT in front of `service nat`, hairpin NAT, and the filter that it opens
import { noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { intersectServices, service, unionServices } from '../../src/model/services.ts';
import { names, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled } from './assemble.ts';
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
  const made: Made = { destination: [], source: [], filter: [] };
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

interface Made {
  readonly destination: ChainRule[];
  readonly source: ChainRule[];
  readonly filter: ChainRule[];
}

function addForward(
  forward: Forward,
  section: WordTree,
  wan: readonly string[],
  lan: readonly string[],
  made: Made,
  vyos: Vyos,
): void {
  const hairpin = isOn(section, 'hairpin-nat') && lan.length > 0;
  const faces = hairpin ? [...wan, ...lan] : wan;
  const { rule, matches } = listForward(forward, faces, vyos);
  if (!rule.enabled) return;
  const { translation, arriving, unresolved } = forward;
  const { ports } = translation;
  const add = (to: ChainRule[], all: readonly Traffic[], branch: Pick<Branch, 'unresolved' | 'outcome'>) =>
    to.push({ lines: rule.lines, branches: all.map((match) => ({ ruleKey: rule.key, match, ...branch })) });
  const through = (stage: 'destination-nat' | 'source-nat', what: Translation): Branch['outcome'] => ({
    kind: 'translate',
    stage,
    translation: what,
    final: true,
  });
  add(made.destination, matches, { unresolved, outcome: through('destination-nat', translation) });
  const forwarded: Traffic = {
    ...arriving,
    destinations: translation.addresses!,
    services: ports ? unionServices(...servicesAt(arriving, ports)) : arriving.services,
  };
  const inside = names(...lan);
  if (isOn(section, 'auto-firewall'))
    add(made.filter, [{ ...forwarded, ingress: names(...faces) }], {
      unresolved: [],
      outcome: { kind: 'accept' },
    });
  if (hairpin)
    add(made.source, [{ ...forwarded, ingress: inside, egress: inside }], {
      unresolved: [],
      outcome: through('source-nat', { kind: 'source' }),
    });
}

function listForward(forward: Forward, faces: readonly string[], vyos: Vyos): Assembled {
  const { node, translation, arriving, unresolved } = forward;
  const comment = word(node, 'description');
  const to = [word(node, 'forward-to', 'address'), word(node, 'forward-to', 'port')];
  return vyos.assembly.rule({
    key: forward.key,
    kind: 'nat',
    list: 'port-forward',
    enabled: !has(node, 'disable'),
    context: { list: 'port-forward', family: 'ip' },
    matches: [{ ...arriving, ingress: names(...faces) }],
    unresolved,
    translation,
    action: `forward to ${to.filter((part) => part !== undefined).join(' ')}`,
    ...(comment === undefined ? {} : { comment }),
    lines: linesOf(node),
  });
}

const isOn = (section: WordTree, name: string): boolean => word(section, name) === 'enable';

const servicesAt = (arriving: Traffic, ports: PortRange) =>
  [6, 17]
    .filter((number) => intersectServices(arriving.services, protocols(number)).length > 0)
    .map((number) => service(number, [ports]));

// `nat`, `nat66` of VyOS and `service nat` of EdgeOS -> rules, and the NAT chains of both hooks
import { type AddressSet, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import type { ChainRule, Outcome } from './flatten.ts';
import { type Chain, familyTraffic } from './netfilter.ts';
import { at, list, type WordTree, word, words } from './tree.ts';
import { makeRule, plainRule, type Vyos } from './vyos-config.ts';
import { addressOrUndefined, type PortRange, portRange } from './vyos-groups.ts';
import { has, keysOf, linesOf, numbered } from './vyos-text.ts';

type Family = 'ip' | 'ip6';
type Way = 'destination' | 'source';
interface Translated {
  readonly translation?: Translation;
  readonly action: string;
  readonly outcome: Outcome;
}

const KNOWN = new Set('translation exclude load-balance'.split(' '));

export function natChains(vyos: Vyos): Chain[] {
  const { tree, notUnderstood } = vyos;
  for (const [section, known] of [
    ['nat', ['destination', 'source', 'static']],
    ['nat66', ['destination', 'source']],
    ['nat64', []],
  ] as const)
    for (const node of list(tree, section))
      if (!(known as readonly string[]).includes(node.word)) notUnderstood(node);
  const chains = [
    ...listChains('nat', 'ip', staticRules(vyos), vyos),
    ...listChains('nat66', 'ip6', { destination: [], source: [] }, vyos),
  ];
  return chains;
}

interface StaticRules {
  readonly destination: readonly ChainRule[];
  readonly source: readonly ChainRule[];
}

/** What no rule of the list translates, or what it excludes, meets the static rules. */
function listChains(section: string, family: Family, fixed: StaticRules, vyos: Vyos): Chain[] {
  return (['destination', 'source'] as const).flatMap((way): Chain[] => {
    const name = `${section} ${way}`;
    const rules = listRules(section, way, family, vyos);
    const base = natBase(way);
    if (rules.length + fixed[way].length === 0) return [];
    if (fixed[way].length === 0) return [{ id: name, family, base, rules }];
    const enter: ChainRule = {
      lines: [],
      branches: [
        {
          ruleKey: name,
          match: familyTraffic(family),
          unresolved: [],
          outcome: { kind: 'jump', chain: name },
        },
      ],
    };
    return [
      { id: `${name} and static`, family, base, rules: [enter, ...fixed[way]] },
      { id: name, family, rules },
    ];
  });
}

/** linux/netfilter_ipv4.h: NF_IP_PRI_NAT_DST, NF_IP_PRI_NAT_SRC. */
export const natBase = (way: Way) =>
  ({
    type: 'nat',
    hook: way === 'destination' ? 'prerouting' : 'postrouting',
    priority: way === 'destination' ? -100 : 100,
    policy: 'accept',
    policyKey: '',
  }) as const;

function listRules(section: string, way: Way, family: Family, vyos: Vyos): ChainRule[] {
  const rules = numbered(vyos.tree, section, way, 'rule');
  const name = `${section} ${way}`;
  const keys = keysOf(name, rules);
  return rules.map((node, i) => {
    const made = translated(node, way);
    if (!made) vyos.notUnderstood(at(node, 'translation') ?? node);
    const { chainRule } = makeRule(
      {
        node,
        key: keys[i],
        kind: 'nat',
        list: name,
        family,
        known: KNOWN,
        context: { list: name, family },
        action: made?.action ?? 'none',
        outcomes: made ? [made.outcome] : [],
        ...(made?.translation ? { translation: made.translation } : {}),
      },
      vyos,
    );
    return chainRule;
  });
}

const EXEMPT: Translated = { action: 'exclude', outcome: { kind: 'return' } };

function translated(node: WordTree, way: Way): Translated | undefined {
  if (has(node, 'exclude')) return EXEMPT;
  const to = at(node, 'translation');
  const backends = words(node, 'load-balance', 'backend');
  const redirect = at(to, 'redirect');
  const port = portRangeOrNone(word(redirect ?? to, 'port'));
  if (port === 'unreadable') return undefined;
  if (redirect) return through('destination', { kind: 'redirect', ...port }, textOf('redirect', to!));
  const text = word(to, 'address');
  if (text === undefined && backends.length === 0 && !port.ports) return undefined;
  const place = placeOf(text === undefined ? backends : [text]);
  if (!place) return undefined;
  const action = backends.length > 0 ? `load-balance ${backends.join(', ')}` : textOf('translate to', to!);
  return through(way, { kind: way, ...place, ...port }, action);
}

const textOf = (verb: string, to: WordTree): string =>
  [verb, word(to, 'address'), word(to, 'port') ?? word(to, 'redirect', 'port')]
    .filter((part) => part !== undefined)
    .join(' ');

function through(way: Way, translation: Translation, action: string): Translated {
  const stage = way === 'destination' ? 'destination-nat' : 'source-nat';
  return { translation, action, outcome: { kind: 'translate', stage, translation, final: true } };
}

function portRangeOrNone(text: string | undefined): { readonly ports?: PortRange } | 'unreadable' {
  if (text === undefined) return {};
  const ports = portRange(text);
  return ports ? { ports } : 'unreadable';
}

/** "masquerade", an address, a range or a prefix; several where connections are balanced. */
function placeOf(texts: readonly string[]): Pick<Translation, 'addresses' | 'offset'> | undefined {
  const [text] = texts;
  if (text === undefined || text === 'masquerade') return {};
  const sets: AddressSet[] = [];
  for (const one of texts) {
    const set = addressOrUndefined(one);
    if (!set || one === 'any') return undefined;
    sets.push(set);
  }
  const addresses = unionAddresses(...sets);
  // A prefix keeps the host part (NETMAP).
  return text.includes('/') && !/\/(?:32|128)$/.test(text) ? { addresses, offset: true } : { addresses };
}

/** `nat static rule N`: one-to-one in both ways, inbound-interface being where the outside address stands. */
function staticRules(vyos: Vyos): StaticRules {
  const rules = numbered(vyos.tree, 'nat', 'static', 'rule');
  const keys = keysOf('nat static', rules);
  const destination: ChainRule[] = [];
  const source: ChainRule[] = [];
  rules.forEach((node, i) => {
    const outside = addressOrUndefined(word(node, 'destination', 'address') ?? '');
    const inside = addressOrUndefined(word(node, 'translation', 'address') ?? '');
    if (!outside || !inside) {
      vyos.notUnderstood(node);
      return;
    }
    const context = { list: 'nat static', family: 'ip' as const };
    const offset = word(node, 'translation', 'address')!.includes('/') ? { offset: true } : {};
    const inwards: Translation = { kind: 'destination', addresses: inside, ...offset };
    const action = `one-to-one ${word(node, 'translation', 'address')}`;
    const made = makeRule(
      {
        node,
        key: keys[i],
        kind: 'nat',
        list: 'nat static',
        family: 'ip',
        known: KNOWN,
        context,
        action,
        outcomes: has(node, 'exclude') ? [{ kind: 'return' }] : [step('destination-nat', inwards)],
        ...(has(node, 'exclude') ? {} : { translation: inwards }),
      },
      vyos,
    );
    destination.push(made.chainRule);
    const [match] = made.assembled.matches;
    if (!match || !made.assembled.rule.enabled) return;
    const outwards: Translation = { kind: 'source', addresses: outside, ...offset };
    const back = { ...familyTraffic('ip'), egress: match.ingress, sources: inside };
    source.push(
      plainRule(
        { rule: made.assembled.rule, matches: [back] },
        has(node, 'exclude') ? { kind: 'return' } : step('source-nat', outwards),
      ),
    );
  });
  return { destination, source };
}

const step = (stage: 'destination-nat' | 'source-nat', translation: Translation): Outcome => ({
  kind: 'translate',
  stage,
  translation,
  final: true,
});

const EDGE_KNOWN = new Set('type inside-address outside-address exclude protocol-all'.split(' '));

/** EdgeOS: `service nat rule N { type destination|source|masquerade, inside-address, outside-address }`. */
export function edgeNatRules(vyos: Vyos): {
  readonly destination: ChainRule[];
  readonly source: ChainRule[];
} {
  const rules = numbered(vyos.tree, 'service', 'nat', 'rule');
  const keys = keysOf('service nat', rules);
  const found = { destination: [] as ChainRule[], source: [] as ChainRule[] };
  rules.forEach((node, i) => {
    const type = word(node, 'type');
    const way: Way | undefined =
      type === 'destination'
        ? 'destination'
        : type === 'source' || type === 'masquerade'
          ? 'source'
          : undefined;
    const made = way && edgeTranslated(node, way, type === 'masquerade');
    if (!way || !made) {
      for (const line of linesOf(node)) vyos.assembly.notUnderstood(line);
      return;
    }
    const { chainRule } = makeRule(
      {
        node,
        key: keys[i],
        kind: 'nat',
        list: 'service nat',
        family: 'ip',
        known: EDGE_KNOWN,
        context: { list: `service nat ${way}`, family: 'ip' },
        action: made.action,
        outcomes: [made.outcome],
        ...(made.translation ? { translation: made.translation } : {}),
      },
      vyos,
    );
    found[way].push(chainRule);
  });
  return found;
}

function edgeTranslated(node: WordTree, way: Way, masquerades: boolean): Translated | undefined {
  if (has(node, 'exclude')) return EXEMPT;
  const to = at(node, way === 'destination' ? 'inside-address' : 'outside-address');
  const port = portRangeOrNone(word(to, 'port'));
  if (port === 'unreadable') return undefined;
  const text = masquerades ? 'masquerade' : word(to, 'address');
  if (text === undefined && !port.ports) return undefined;
  const place = placeOf(text === undefined ? [] : [text]);
  if (!place) return undefined;
  const action = masquerades ? 'masquerade' : textOf('translate to', to!);
  return through(way, { kind: way, ...place, ...port }, action);
}

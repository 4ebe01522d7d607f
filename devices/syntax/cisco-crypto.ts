// crypto maps and IPsec policies, bound to interfaces -> tunnel rules and what is redirected into them
import type { Policy, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import { type Family, setOf, unionOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import { withoutExemptions } from './cisco-leave.ts';
import { type Condition, everything, hull } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';

/** One numbered entry of a map. */
export interface CryptoEntry {
  readonly map: string;
  readonly sequence: number;
  /** What is protected: nothing where no list is named. */
  readonly list?: string;
  readonly family: Family;
  readonly peers: readonly string[];
  /** Peers that announce themselves. */
  readonly isDynamic: boolean;
  readonly comment?: string;
  readonly lines: readonly SourceLine[];
}

/** Maps act on what leaves the interfaces that name them; entries are tried by their number. */
export function buildCrypto(
  found: readonly CryptoEntry[],
  bound: ReadonlyMap<string, readonly string[]>,
  config: Config,
): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const [map, entries] of Map.groupBy(found, (entry) => entry.map)) {
    const interfaces = bound.get(map) ?? [];
    const steps = [...entries]
      .sort((a, b) => a.sequence - b.sequence)
      .map((entry, position) => {
        const condition = conditionOf(entry, config);
        // What a peer that announces itself proposes is not known: a rule, and no way that could be told.
        const boxes = entry.list === undefined ? [] : condition.boxes;
        return { boxes, rule: ruleOf(entry, condition, interfaces, position, config) };
      });
    for (const { rule } of steps) rules.push(rule);
    if (interfaces.length === 0) continue;
    policies.push({
      id: `crypto:${map}`,
      stage: 'redirect',
      evaluation: 'first-match',
      appliesTo: { ingress: ANY_NAME, egress: names(...interfaces) },
      otherwise: 'none',
      entries: withoutExemptions(
        steps.flatMap(({ boxes, rule }) =>
          boxes.map((match) => ({
            ruleKey: rule.key,
            match,
            unresolved: rule.unresolved,
            action: 'translate' as const,
            translation: rule.translation,
          })),
        ),
      ),
    });
  }
  return { rules, policies: policies.filter(({ entries }) => entries.length > 0) };
}

/** Without a list a dynamic map takes whatever its peers propose. */
function conditionOf({ list, family, isDynamic }: CryptoEntry, config: Config): Condition {
  if (list !== undefined) return listCondition(list, config.lists, family, config.conditions);
  if (!isDynamic) return { boxes: [], unresolved: [], lines: [] };
  return { boxes: [everything('ip')], unresolved: ['what the peer proposes'], lines: [] };
}

function ruleOf(
  entry: CryptoEntry,
  condition: Condition,
  interfaces: readonly string[],
  position: number,
  config: Config,
): Rule {
  const peers = entry.peers.flatMap((peer) => setOf(peer) ?? []);
  const unknown = entry.peers.filter((peer) => setOf(peer) === undefined).map((peer) => `peer ${peer}`);
  const translation: Translation = {
    kind: 'tunnel',
    ...(peers.length > 0 && unknown.length === 0 ? { addresses: unionOf(peers) } : {}),
  };
  return {
    key: config.unique(`crypto:${entry.map}:${ruleKey(entry.list ?? '', ...entry.peers)}`),
    kind: 'tunnel',
    enabled: true,
    position,
    context: { list: entry.map, family: entry.family, ...(interfaces.length > 0 ? { interfaces } : {}) },
    match: hull(condition.boxes),
    unresolved: [
      ...condition.unresolved,
      ...unknown,
      ...(entry.peers.length === 0 ? ['far end of the tunnel is not in the configuration'] : []),
    ],
    translation,
    action: 'tunnel ipsec',
    ...(entry.comment === undefined ? {} : { comment: entry.comment }),
    lines: [...entry.lines, ...condition.lines].slice(0, MAX_LINES),
  };
}

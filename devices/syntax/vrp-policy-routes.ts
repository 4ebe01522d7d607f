// `policy-based-route` of VRP routers, VRP firewalls and Comware -> policy-route rules and redirect policies
import type { Policy, PolicyEntry, Rule } from '../../src/model/rule.ts';
import { ANY_NAME } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import { setOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { withoutExemptions } from './cisco-leave.ts';
import type { Reading } from './cisco-lines.ts';
import type { Way } from './cisco-options.ts';
import { buildPbr, type PbrPolicy, type PbrStep } from './cisco-pbr.ts';
import { both, type Condition, everything, hull } from './cisco-region.ts';
import { wayText, wayTranslation } from './cisco-ways.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';
import { addTo } from './multimap.ts';
import type { VrpBindings } from './vrp-interfaces.ts';
import { readZoneRule, type ZoneContext } from './vrp-rules.ts';
import { ifMatch, withHops } from './vrp-traffic.ts';

/** `policy-based-route P permit node 10` with `if-match` and `apply`, bound by `ip policy-based-route P`. */
export function buildVrpPolicyRoutes(reading: Reading, bindings: VrpBindings, config: Config): Built {
  const nodes = new Map<string, { node: number; step: PbrStep }[]>();
  for (const block of reading.blocks) {
    const head = /^(?:ipv6 )?policy-based-route (\S+) (permit|deny) node (\d+)$/.exec(
      wordsOf(block.text).join(' '),
    );
    if (!head) continue;
    const step = readNode(block, head[2] === 'permit', reading, config);
    addTo(nodes, head[1], { node: Number(head[3]), step });
  }
  const byName = Map.groupBy(bindings.routes, ({ words }) => `${words[0]} ${words[2]}`);
  const policies = [...nodes].map(([name, steps]): PbrPolicy => {
    const of = (word: string) =>
      (byName.get(`${word} ${name}`) ?? []).flatMap(({ face }) =>
        face && !face.shutdown ? [face.name] : [],
      );
    const sorted = steps.sort((a, b) => a.node - b.node).map(({ step }) => step);
    return { name, steps: sorted, bound: { ip: of('ip'), ip6: of('ipv6') } };
  });
  return buildPbr(policies, config, 'policy-based-route');
}

function readNode(block: Block, permits: boolean, reading: Reading, config: Config): PbrStep {
  let condition: Condition = { boxes: [everything('ip'), everything('ip6')], unresolved: [], lines: [] };
  const ways: Way[] = [];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    const text = words.join(' ');
    const way = words[0] === 'apply' ? wayOf(words.slice(1)) : undefined;
    if (words[0] === 'if-match') condition = both(condition, ifMatch(text.slice(9), config));
    else if (way) ways.push(way);
    else if (
      !/^(?:description|apply (?:ip-precedence|precedence|ip-df|statistic|continue|loadshare|fail-action|remark)|undo)\b/.test(
        text,
      )
    )
      reading.notUnderstood(line);
  }
  const way: Way | undefined = ways.length === 0 || !permits ? undefined : together(ways);
  const unresolved = way?.isDefault ? ['only where no route leads there'] : [];
  const own = withHops(condition, way);
  return {
    name: ruleName(block),
    condition: { ...own, unresolved: [...own.unresolved, ...unresolved] },
    drops: false,
    ...(way ? { translation: wayTranslation(way, config) } : {}),
    action: !permits ? 'deny' : way ? `apply ${wayText(way)}` : 'permit',
    lines: linesOf(block),
  };
}

/** What a node says, without its number. */
const ruleName = (block: Block): string =>
  ruleKey(...block.children.map((line) => wordsOf(line.text).join(' ')));

const together = (ways: readonly Way[]): Way => ({
  nextHops: ways.flatMap((way) => way.nextHops),
  vrfs: ways.flatMap((way) => way.vrfs),
  interfaces: ways.flatMap((way) => way.interfaces),
  isDefault: ways.every((way) => way.isDefault),
});

/** `ip-address next-hop A`, `next-hop [vpn-instance V] A [track N]`, `output-interface I`, `access-vpn vpn-instance V`, each also `default-`. */
function wayOf(words: readonly string[]): Way | undefined {
  const text = words.join(' ');
  const isDefault = /\bdefault\b|^default-/.test(text);
  const hops = words.filter((word) => /[.:]/.test(word) && setOf(word) !== undefined);
  if (/\bnext-hop\b/.test(text) && hops.length > 0)
    return { nextHops: hops, vrfs: [], interfaces: [], isDefault };
  const face = /\boutput-interface (\S+(?: \d\S*)?)/.exec(text);
  if (face) return { nextHops: [], vrfs: [], interfaces: [face[1]], isDefault };
  const vpn = /^access-vpn (?:vpn-instance )?(\S+)/.exec(text);
  return vpn ? { nextHops: [], vrfs: [vpn[1]], interfaces: [], isDefault } : undefined;
}

/** The block `policy-based-route` of VRP firewalls: ` rule name R` with zones, addresses, services and `action pbr`. */
export function buildZonePolicyRoutes(context: ZoneContext, config: Config): Built {
  const rules: Rule[] = [];
  const entries: PolicyEntry[] = [];
  for (const block of context.reading.blocks) {
    if (wordsOf(block.text).join(' ') !== 'policy-based-route') continue;
    for (const line of block.children) {
      const rule = readZoneRule(line, undefined, context);
      if (!rule) {
        if (!/^\s*(?:default|undo|group)\b/.test(line.text))
          for (const each of linesOf(line)) context.reading.notUnderstood(each);
        continue;
      }
      const way = pbrWay(rule.actions);
      const condition = withHops(rule.condition, way);
      const made: Rule = {
        key: config.unique(`policy-based-route:${rule.name}`),
        kind: 'policy-route',
        enabled: rule.enabled,
        position: rules.length,
        context: { list: 'policy-based-route' },
        match: hull(condition.boxes),
        unresolved: condition.unresolved,
        ...(way ? { translation: wayTranslation(way, config) } : {}),
        action: way ? `pbr ${wayText(way)}` : 'no-pbr',
        ...(rule.comment === undefined ? {} : { comment: rule.comment }),
        lines: rule.lines,
      };
      rules.push(made);
      if (!rule.enabled) continue;
      for (const match of condition.boxes)
        entries.push({
          ruleKey: made.key,
          match,
          unresolved: condition.unresolved,
          ...(made.translation
            ? { action: 'translate' as const, translation: made.translation }
            : { action: 'exempt' as const }),
        });
    }
  }
  const policy: Policy = {
    id: 'policy-based-route',
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
    entries: withoutExemptions(entries),
  };
  return { rules, policies: policy.entries.length > 0 ? [policy] : [] };
}

/** `pbr next-hop A`, `pbr egress-interface I [next-hop A]`, `pbr vpn-instance V`; several lines share the load. */
function pbrWay(actions: readonly (readonly string[])[]): Way | undefined {
  const ways = actions.flatMap((words): Way[] => {
    if (words[0] !== 'pbr') return [];
    const hops = words.filter((word) => /[.:]/.test(word) && setOf(word) !== undefined);
    const face = words.indexOf('egress-interface');
    const vpn = words.indexOf('vpn-instance');
    return [
      {
        nextHops: hops,
        vrfs: vpn < 0 ? [] : words.slice(vpn + 1, vpn + 2),
        interfaces: face < 0 ? [] : words.slice(face + 1, face + 2),
        isDefault: false,
      },
    ];
  });
  return ways.length === 0 ? undefined : together(ways);
}

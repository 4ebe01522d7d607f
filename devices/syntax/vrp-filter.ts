// `traffic-filter` and `packet-filter` of VRP and Comware -> filter rules and policies
import type { Policy, PolicyEntry, Rule } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { AccessList } from './cisco-acl.ts';
import type { Family } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import type { Reading } from './cisco-lines.ts';
import { everything, hull } from './cisco-region.ts';
import { lineOf, wordsOf } from './indent.ts';
import type { VrpBindings } from './vrp-interfaces.ts';

interface Bound {
  readonly list: AccessList;
  readonly direction: 'in' | 'out';
  /** Undefined: every interface. */
  readonly interfaces?: string[];
}

/** What no entry matches passes, unless Comware says `packet-filter default deny`. */
export function buildVrpFilters(reading: Reading, bindings: VrpBindings, config: Config): Built {
  const bound = readBound(reading, bindings, config);
  const denies = reading.blocks.find(
    (block) => wordsOf(block.text).join(' ') === 'packet-filter default deny',
  );
  const byList = Map.groupBy(bound, ({ list }) => list);
  const rules: Rule[] = [];
  const keys = new Map<AccessList, string[]>();
  for (const list of new Set(config.lists.values())) {
    const own = rulesOf(list, byList.get(list) ?? [], config);
    keys.set(
      list,
      own.map(({ key }) => key),
    );
    for (const rule of own) rules.push(rule);
  }
  const last: Rule | undefined = denies && {
    key: config.unique('packet-filter:default'),
    kind: 'filter',
    enabled: true,
    position: 0,
    context: {},
    match: ANY_TRAFFIC,
    unresolved: [],
    action: 'default deny',
    lines: [lineOf(denies)],
  };
  if (last) rules.push(last);
  return { rules, policies: bound.map((each) => policyOf(each, keys.get(each.list)!, last)) };
}

/** By list and direction: `traffic-filter inbound acl [name] L`, `packet-filter [ipv6] [name] L inbound`. */
function readBound(reading: Reading, bindings: VrpBindings, config: Config): Bound[] {
  const found = new Map<string, Bound>();
  const ofDevice = reading.blocks.flatMap((block) => {
    const words = wordsOf(block.text);
    return words[0] === 'traffic-filter' || (words[0] === 'packet-filter' && words[1] !== 'default')
      ? [{ words, line: lineOf(block), face: undefined }]
      : [];
  });
  for (const { face, words, line } of [...bindings.filters, ...ofDevice]) {
    const direction = words.includes('inbound') ? 'in' : words.includes('outbound') ? 'out' : undefined;
    const family: Family = words.includes('ipv6') ? 'ip6' : 'ip';
    const name = words.filter(
      (word) =>
        !/^(?:traffic-filter|packet-filter|inbound|outbound|acl|ipv6|name|global|hardware-count|rule|secondary)$/.test(
          word,
        ),
    )[0];
    if (direction === undefined || name === undefined) {
      reading.notUnderstood(line);
      continue;
    }
    const list = config.lists.get(`${family} ${name}`);
    // A list that is not there filters nothing.
    if (!list || face?.shutdown) continue;
    const id = `${family} ${list.name} ${direction} ${face === undefined}`;
    const known = found.get(id);
    if (known) known.interfaces?.push(face?.name ?? '');
    else found.set(id, { list, direction, ...(face ? { interfaces: [face.name] } : {}) });
  }
  return [...found.values()];
}

const prefixOf = (list: AccessList): string => `${list.family === 'ip' ? 'acl' : 'acl6'}:${list.name}`;

function rulesOf(list: AccessList, bound: readonly Bound[], config: Config): Rule[] {
  const interfaces = [...new Set(bound.flatMap((each) => each.interfaces ?? []))];
  const directions = [...new Set(bound.map(({ direction }) => direction))];
  return list.entries.map((entry, position) => ({
    key: config.unique(`${prefixOf(list)}:${ruleKey(entry.text)}`),
    kind: 'filter',
    enabled: true,
    position,
    context: {
      list: list.name,
      family: list.family,
      ...(interfaces.length > 0 ? { interfaces } : {}),
      ...(directions.length > 0
        ? { direction: directions.length === 2 ? ('both' as const) : directions[0] }
        : {}),
    },
    match: hull(entry.boxes),
    unresolved: entry.unresolved,
    action: entry.action,
    ...(entry.comment === undefined ? {} : { comment: entry.comment }),
    lines: entry.lines,
  }));
}

function policyOf(
  { list, direction, interfaces }: Bound,
  keys: readonly string[],
  last: Rule | undefined,
): Policy {
  const entries: PolicyEntry[] = list.entries.flatMap((entry, i) =>
    entry.matchesNew
      ? entry.boxes.map((match) => ({
          ruleKey: keys[i],
          match,
          unresolved: entry.unresolved,
          action: entry.action === 'permit' ? ('accept' as const) : ('drop' as const),
        }))
      : [],
  );
  if (last)
    entries.push({ ruleKey: last.key, match: everything(list.family), unresolved: [], action: 'drop' });
  const set = interfaces ? names(...interfaces) : ANY_NAME;
  return {
    id: `${prefixOf(list)}:${interfaces ? direction : `all:${direction}`}`,
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: direction === 'in' ? { ingress: set, egress: ANY_NAME } : { ingress: ANY_NAME, egress: set },
    sees: direction === 'in' ? 'untranslated' : 'translated',
    otherwise: 'accept',
    entries,
  };
}

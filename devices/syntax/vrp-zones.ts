// security policies, zone pairs and object policies of VRP and Comware firewalls -> filter rules and policies
import type { Policy, PolicyEntry, Rule } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Family } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { everything, hull } from './cisco-region.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';
import { readZoneRule, type ZoneContext, type ZoneRule } from './vrp-rules.ts';

/**
 * `security-policy`: first match over all rules; what none matches is dropped unless the default says otherwise.
 */
export function buildSecurityPolicies(context: ZoneContext, config: Config): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  const zoned = new Set([...context.zones.values()].flat());
  const count = context.reading.blocks.filter(isSecurityPolicy).length;
  for (const block of context.reading.blocks) {
    const words = wordsOf(block.text);
    if (!isSecurityPolicy(block)) continue;
    const family: Family | undefined = words[1] === 'ip' ? 'ip' : words[1] === 'ipv6' ? 'ip6' : undefined;
    const list = family === 'ip6' ? 'security-policy6' : 'security-policy';
    const read = readRules(block, family, context);
    const built = read.rules.map((rule, position) => ({ rule, made: ruleOf(rule, list, position, config) }));
    for (const { made } of built) rules.push(made);
    const entries = built.flatMap(({ rule, made }) => entriesOf(rule, made));
    const last = defaultRule(block, list, built.length, read.permits, config);
    rules.push(last);
    const within = passesWithin(family, context)
      ? [...context.zones.values()].filter((members) => members.length > 0)
      : [];
    // Without a policy of its own the other family is dropped.
    const box = family && count > 1 ? everything(family) : ANY_TRAFFIC;
    const step = (match: Traffic, action: 'accept' | 'drop'): PolicyEntry => ({
      ruleKey: last.key,
      match,
      unresolved: [],
      action,
    });
    for (const members of within)
      entries.push(step({ ...box, ingress: names(...members), egress: names(...members) }, 'accept'));
    entries.push(step(box, read.permits ? 'accept' : 'drop'));
    policies.push({
      id: list,
      stage: 'filter',
      evaluation: 'first-match',
      appliesTo: {
        ingress: zoned.size > 0 ? names(...zoned) : ANY_NAME,
        egress: zoned.size > 0 ? names(...zoned) : ANY_NAME,
      },
      otherwise: 'accept',
      entries,
    });
  }
  return { rules, policies };
}

/** Within a zone VRP permits by default; Comware drops unless `security-zone intra-zone default permit` says otherwise. */
const passesWithin = (family: Family | undefined, { reading }: ZoneContext): boolean =>
  family === undefined ||
  reading.blocks.some((block) => wordsOf(block.text).join(' ') === 'security-zone intra-zone default permit');

const isSecurityPolicy = (block: Block): boolean =>
  /^security-policy(?: ip(?:v6)?)?$/.test(wordsOf(block.text).join(' '));

function readRules(block: Block, family: Family | undefined, context: ZoneContext) {
  const rules: ZoneRule[] = [];
  let permits = false;
  for (const line of block.children) {
    const text = wordsOf(line.text).join(' ');
    if (/^default action (?:permit|deny)$/.test(text)) permits = text.endsWith('permit');
    else {
      const rule = readZoneRule(line, family, context);
      if (rule) rules.push(rule);
      else if (!/^(?:default|undo|disable|group|description|accelerate|statistic)\b/.test(text))
        for (const each of linesOf(line)) context.reading.notUnderstood(each);
    }
  }
  return { rules, permits };
}

/** A rule of Comware without an action drops, one of VRP does nothing yet. */
const actionOf = ({ actions }: ZoneRule): 'permit' | 'deny' | undefined => {
  const word = actions.at(-1)?.[0];
  return word === 'permit' || word === 'pass'
    ? 'permit'
    : word === 'deny' || word === 'drop'
      ? 'deny'
      : undefined;
};

function ruleOf(rule: ZoneRule, list: string, position: number, config: Config): Rule {
  return {
    key: config.unique(`${list}:${rule.name}`),
    kind: 'filter',
    enabled: rule.enabled,
    position,
    context: { list },
    match: hull(rule.condition.boxes),
    unresolved: rule.condition.unresolved,
    action: actionOf(rule) ?? 'none',
    ...(rule.comment === undefined ? {} : { comment: rule.comment }),
    lines: rule.lines,
  };
}

function entriesOf(rule: ZoneRule, made: Rule): PolicyEntry[] {
  const action = actionOf(rule);
  if (!rule.enabled || action === undefined) return [];
  return rule.condition.boxes.map((match) => ({
    ruleKey: made.key,
    match,
    unresolved: rule.condition.unresolved,
    action: action === 'permit' ? 'accept' : 'drop',
  }));
}

function defaultRule(block: Block, list: string, position: number, permits: boolean, config: Config): Rule {
  return {
    key: config.unique(`${list}:default`),
    kind: 'filter',
    enabled: true,
    position,
    context: { list },
    match: ANY_TRAFFIC,
    unresolved: [],
    action: permits ? 'default permit' : 'default deny',
    lines: [lineOf(block)],
  };
}

/**
 * Comware `zone-pair security source A destination B` with packet filters or object policies; what none matches is dropped.
 * Where there is a security policy they do not act.
 */
export function buildZonePairs(context: ZoneContext, config: Config): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  const objectPolicies = readObjectPolicies(context, config);
  for (const { made } of [...objectPolicies.values()].flat()) rules.push(made);
  for (const block of context.reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'zone-pair' || words[1] !== 'security') continue;
    const [from, to] = [words[words.indexOf('source') + 1], words[words.indexOf('destination') + 1]];
    const faces = (zone: string) => {
      const members = context.zones.get(zone) ?? [];
      return /^any$/i.test(zone) ? ANY_NAME : names(...(members.length > 0 ? members : [zone]));
    };
    const entries: PolicyEntry[] = [];
    for (const line of block.children) {
      const text = wordsOf(line.text).join(' ');
      const filter = /^packet-filter (ipv6 )?(?:name )?(\S+)$/.exec(text);
      const policy = /^object-policy apply (ip|ipv6) (\S+)$/.exec(text);
      if (filter) entries.push(...listEntries(filter[2], filter[1] ? 'ip6' : 'ip', config));
      else if (policy)
        entries.push(
          ...(objectPolicies.get(`${policy[1]} ${policy[2]}`) ?? []).flatMap(({ entries: own }) => own),
        );
      else if (!/^(?:description|aspf|undo)\b/.test(text)) context.reading.notUnderstood(line);
    }
    policies.push({
      id: `zone-pair:${from}:${to}`,
      stage: 'filter',
      evaluation: 'first-match',
      appliesTo: { ingress: faces(from), egress: faces(to) },
      otherwise: 'drop',
      entries,
    });
  }
  return { rules, policies: context.reading.blocks.some(isSecurityPolicy) ? [] : policies };
}

/** Steps of a list whose rules vrp-filter.ts makes: their keys are found again by list and text. */
function listEntries(name: string, family: Family, config: Config): PolicyEntry[] {
  const list = config.lists.get(`${family} ${name}`);
  return (list?.entries ?? []).flatMap((entry) =>
    entry.matchesNew
      ? entry.boxes.map((match) => ({
          ruleKey: `${family === 'ip' ? 'acl' : 'acl6'}:${list!.name}:${ruleKey(entry.text)}`,
          match,
          unresolved: entry.unresolved,
          action: entry.action === 'permit' ? ('accept' as const) : ('drop' as const),
        }))
      : [],
  );
}

interface ObjectRule {
  readonly made: Rule;
  readonly entries: readonly PolicyEntry[];
}

/** `object-policy ip P` / `rule 0 pass source-ip A destination-ip B service S ...`. */
function readObjectPolicies(context: ZoneContext, config: Config): Map<string, ObjectRule[]> {
  const found = new Map<string, ObjectRule[]>();
  for (const block of context.reading.blocks) {
    const [word, kind, name] = wordsOf(block.text);
    if (word !== 'object-policy' || name === undefined || (kind !== 'ip' && kind !== 'ipv6')) continue;
    const rules: ObjectRule[] = [];
    for (const line of block.children) {
      const words = wordsOf(line.text);
      const rest = /^\d+$/.test(words[1] ?? '') ? words.slice(2) : words.slice(1);
      if (words[0] !== 'rule') {
        if (words[0] !== 'description') context.reading.notUnderstood(line);
        continue;
      }
      const rule = inlineRule(rest, line, kind === 'ip' ? 'ip' : 'ip6', context);
      if (!rule) {
        context.reading.notUnderstood(line);
        continue;
      }
      const key = config.unique(`object-policy:${kind}:${name}:${ruleKey(rest.join(' '))}`);
      const made = {
        ...ruleOf(rule, `object-policy:${name}`, rules.length, { ...config, unique: () => key }),
        comment: undefined,
      };
      rules.push({ made, entries: entriesOf(rule, made) });
    }
    found.set(`${kind} ${name}`, rules);
  }
  return found;
}

/** The words of one line as the lines of a rule. */
function inlineRule(
  words: readonly string[],
  line: Block,
  family: Family,
  context: ZoneContext,
): ZoneRule | undefined {
  if (!/^(?:pass|drop|inspect)$/.test(words[0] ?? '')) return undefined;
  const children: Block[] = [
    { ...lineOf(line), text: `action ${words[0] === 'inspect' ? 'pass' : words[0]}`, children: [] },
  ];
  for (let at = words[0] === 'inspect' ? 2 : 1; at < words.length; at++) {
    const value = words[at + 1];
    if (/^(?:logging|counting|disable)$/.test(words[at])) {
      if (words[at] === 'disable') children.push({ ...lineOf(line), text: 'disable', children: [] });
    } else if (
      /^(?:source-ip|destination-ip|service|time-range|vrf|app-group|track)$/.test(words[at]) &&
      value !== undefined
    ) {
      const word = words[at];
      if (word !== 'track') children.push({ ...lineOf(line), text: `${word} ${value}`, children: [] });
      at++;
    } else return undefined;
  }
  const rule = readZoneRule({ ...lineOf(line), text: 'rule name inline', children }, family, context);
  return (
    rule && { ...rule, lines: [lineOf(line), ...rule.lines.filter(({ number }) => number !== line.number)] }
  );
}

// `security nat` of Junos: static, destination and source rule sets, pools and contexts -> NAT rules and policies
import { type AddressSet, ANY_ADDRESS } from '../../src/model/addresses.ts';
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, intersectNames, type NameSet, names, noNames } from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { setOf } from './cisco-address.ts';
import { EVERY_SIDE, type Side, sideOf } from './junos-addresses.ts';
import { EVERY_SERVICE, enter, type Match, matchOf, natServices } from './junos-match.ts';
import {
  addressesAt,
  commentOf,
  rangeOf,
  reportUnknown,
  type Scope,
  someLines,
  unitName,
} from './junos-scope.ts';
import { ADDRESSES } from './objects.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

type Kind = 'static' | 'destination' | 'source';

interface RuleSetNode {
  readonly node: WordTree;
  readonly kind: Kind;
  readonly from: NameSet;
  readonly to: NameSet;
  /** The smaller one is asked first. */
  readonly rank: number;
  /** Undefined is the global address book, which comes first; then those of the zones that its interfaces are in. */
  readonly books: readonly (string | undefined)[];
}

/** Interface before zone before routing instance (NAT User Guide, "Understanding NAT Rule Sets and Rules"). */
const CONTEXTS = ['interface', 'zone', 'routing-instance', 'routing-group'];

/**
 * Static NAT is asked before destination NAT, and its reverse before source NAT. Among source rule sets the context of the
 * destination weighs more than that of the source.
 */
export function readNat(scope: Scope): void {
  const nat = at(scope.tree, 'security', 'nat');
  if (!nat) return;
  const sets = (['static', 'destination', 'source'] as const).map((kind) => ruleSetsOf(nat, kind, scope));
  const [fixed, destination, source] = sets;
  const policyAt = (stage: 'destination-nat' | 'source-nat') =>
    scope.assembly.policy({
      id: `${scope.prefix}nat ${stage === 'source-nat' ? 'source' : 'destination'}`,
      stage,
      evaluation: 'first-match',
      appliesTo: { ingress: scope.ingress, egress: ANY_NAME },
      otherwise: 'none',
    });
  const before = policyAt('destination-nat');
  const after = policyAt('source-nat');
  for (const set of fixed)
    for (const rule of list(set.node, 'rule')) readStatic(set, rule, scope, before, after);
  for (const set of destination)
    for (const rule of list(set.node, 'rule')) readDestination(set, rule, nat, scope, before);
  for (const set of source)
    for (const rule of list(set.node, 'rule')) readSource(set, rule, nat, scope, after);
  reportUnknown(scope.assembly, nat, KNOWN_NAT);
}

const KNOWN_NAT = new Set(
  'static destination source proxy-arp proxy-ndp traceoptions allow-overlapping-pools natv6v4'.split(' '),
);
const KNOWN_SET = new Set('from to rule description'.split(' '));
const KNOWN_MATCH = new Set(
  (
    'source-address source-address-name destination-address destination-address-name source-port destination-port ' +
    'protocol application'
  ).split(' '),
);

function ruleSetsOf(nat: WordTree, kind: Kind, scope: Scope): RuleSetNode[] {
  return list(nat, kind, 'rule-set')
    .map((node): RuleSetNode => {
      reportUnknown(scope.assembly, node, KNOWN_SET);
      const [from, fromRank] = contextOf(at(node, 'from'), scope);
      const [to, toRank] = contextOf(at(node, 'to'), scope);
      return { node, kind, from, to, rank: toRank * 8 + fromRank, books: booksOf(from, to, scope) };
    })
    .sort((a, b) => a.rank - b.rank);
}

function contextOf(node: WordTree | undefined, scope: Scope): readonly [NameSet, number] {
  for (const [rank, kind] of CONTEXTS.entries()) {
    const asked = words(node, kind);
    if (asked.length === 0) continue;
    if (kind === 'interface') return [names(...asked.map(unitName)), rank];
    return [kind === 'zone' ? scope.zoneNames(asked) : scope.instanceNames(asked), rank];
  }
  return [ANY_NAME, CONTEXTS.length];
}

const booksOf = (from: NameSet, to: NameSet, scope: Scope): (string | undefined)[] => [
  undefined,
  ...scope.zones.filter((zone) =>
    [from, to].some((set) => !set.except && !noNames(intersectNames(set, scope.zoneNames([zone])))),
  ),
];

function sideIn(
  set: RuleSetNode,
  match: WordTree | undefined,
  side: 'source' | 'destination',
  scope: Scope,
): Side {
  const written = words(match, `${side}-address`).map((text) => {
    const value = setOf(text);
    return value ? { value, unresolved: [], lines: [] } : { missing: text };
  });
  const zones = set.books;
  const named = words(match, `${side}-address-name`).map((name) => {
    for (const zone of zones) {
      const found = scope.addresses(name, zone);
      if (found) return found;
    }
    return { missing: name };
  });
  return sideOf([...written, ...named]);
}

function matchIn(set: RuleSetNode, rule: WordTree, scope: Scope): Match {
  const match = at(rule, 'match');
  const unknown = reportUnknown(scope.assembly, match, KNOWN_MATCH);
  return matchOf(
    [{ ingress: set.from, egress: set.kind === 'source' ? set.to : ANY_NAME }],
    sideIn(set, match, 'source', scope),
    sideIn(set, match, 'destination', scope),
    natServices(scope, match),
    unknown,
  );
}

interface Outcome {
  readonly action: string;
  readonly translation?: Translation;
  readonly unresolved?: readonly string[];
  readonly lines?: readonly SourceLine[];
}

function makeRule(set: RuleSetNode, rule: WordTree, match: Match, outcome: Outcome, scope: Scope): Assembled {
  const name = `${scope.prefix}${set.kind} nat ${set.node.word}`;
  return scope.assembly.rule({
    key: `${name} ${rule.word}`,
    kind: 'nat',
    list: name,
    enabled: !rule.inactive,
    context: { list: set.node.word },
    matches: match.possible,
    unresolved: [...match.unresolved, ...(outcome.unresolved ?? [])],
    ...(outcome.translation ? { translation: outcome.translation } : {}),
    action: outcome.action,
    ...commentOf(rule),
    lines: someLines(linesUnder(rule), contextLines(set), outcome.lines ?? [], match.lines),
  });
}

const contextLines = ({ node }: RuleSetNode) =>
  ['from', 'to'].flatMap((side) => {
    const found = at(node, side);
    return found ? linesUnder(found, 20) : [];
  });

const ports = (first: string | undefined, last = first): Pick<Translation, 'ports'> =>
  first !== undefined && /^\d{1,5}$/.test(first) && /^\d{1,5}$/.test(last ?? '')
    ? { ports: [Number(first), Number(last)] }
    : {};

/** Both ways: packets to the outer addresses get in, packets of the inner ones leave under the outer ones. */
function readStatic(
  set: RuleSetNode,
  rule: WordTree,
  scope: Scope,
  before: PolicyBuilder,
  after: PolicyBuilder,
): void {
  const then = at(rule, 'then', 'static-nat');
  const match = matchIn(set, rule, scope);
  const name = word(then, 'prefix-name');
  const text = word(then, 'prefix') ?? word(then, 'nptv6-prefix') ?? name;
  const named = name === undefined ? undefined : scope.addresses(name, undefined);
  const inner = name === undefined ? setOf(text ?? '') : named?.value;
  reportUnknown(
    scope.assembly,
    then,
    new Set('prefix prefix-name nptv6-prefix inet routing-instance'.split(' ')),
  );
  const place = at(then, name === undefined ? 'prefix' : 'prefix-name');
  const mapped = at(place, text ?? '', 'mapped-port') ?? at(place, 'mapped-port');
  const [first] = mapped ? [...mapped.children.values()] : [];
  const translation: Translation | undefined = inner && {
    kind: 'destination',
    addresses: inner,
    ...ports(first?.word, first && (word(first, 'to') ?? first.word)),
    ...(isOne(inner) ? {} : { offset: true }),
  };
  const made = makeRule(
    set,
    rule,
    match,
    {
      action: `static-nat ${text ?? (at(then, 'inet') ? 'inet' : 'unknown')}`,
      ...(translation ? { translation } : {}),
      unresolved: translation ? [] : [`translated prefix ${text ?? 'unknown'}`],
      lines: named?.lines ?? [],
    },
    scope,
  );
  if (!translation || !made.rule.enabled) return;
  enter(before, made, 'translate', match, { translation });
  readReverse(set, match, made, inner, after, scope, Boolean(mapped));
}

const isOne = ({ v4, v6 }: AddressSet): boolean =>
  v4.length + v6.length === 2 && (v4.length === 2 ? v4[0] === v4[1] : v6[0] === v6[1]);

function readReverse(
  set: RuleSetNode,
  match: Match,
  made: Assembled,
  inner: AddressSet | undefined,
  after: PolicyBuilder,
  scope: Scope,
  isMapped: boolean,
): void {
  const outer = ADDRESSES.union(match.possible.map(({ destinations }) => destinations));
  // With ports mapped, only answers of that one service are translated back.
  if (isMapped || !inner || match.unresolved.length > 0) return;
  const side: Side = { ...EVERY_SIDE, sure: inner, possible: inner };
  const back = matchOf([{ ingress: scope.ingress, egress: set.from }], side, EVERY_SIDE, EVERY_SERVICE, []);
  enter(after, made, 'translate', back, {
    translation: { kind: 'source', addresses: outer, ...(isOne(inner) ? {} : { offset: true }) },
  });
}

function readDestination(
  set: RuleSetNode,
  rule: WordTree,
  nat: WordTree,
  scope: Scope,
  policy: PolicyBuilder,
): void {
  const then = at(rule, 'then', 'destination-nat');
  const match = matchIn(set, rule, scope);
  reportUnknown(scope.assembly, then, new Set('pool off'.split(' ')));
  const name = word(then, 'pool');
  const pool = name === undefined ? undefined : at(nat, 'destination', 'pool', name);
  const found = pool && poolOf(pool);
  const translation: Translation | undefined =
    name === undefined
      ? undefined
      : { kind: 'destination', ...(found?.set ? { addresses: found.set } : {}), ...found?.ports };
  const made = makeRule(
    set,
    rule,
    match,
    {
      action: name === undefined ? 'destination-nat off' : `destination-nat pool ${name}`,
      ...(translation ? { translation } : {}),
      unresolved: name !== undefined && !found?.set ? [`pool ${name} has no addresses`] : [],
      lines: pool ? linesUnder(pool) : [],
    },
    scope,
  );
  if (!made.rule.enabled) return;
  if (!translation) enter(policy, made, 'exempt', match);
  else if (translation.addresses) enter(policy, made, 'translate', match, { translation });
}

interface Pool {
  readonly set: AddressSet | undefined;
  readonly ports: Pick<Translation, 'ports'>;
}

/** `address A`, `address A to B`, `address A port P`, `port P` or `port range 1024 to 2048`. */
function poolOf(pool: WordTree): Pool {
  if (pool.inactive) return { set: undefined, ports: {} };
  const sets: AddressSet[] = [];
  let port = word(pool, 'address', 'port');
  for (const address of list(pool, 'address')) {
    if (address.word === 'port' || address.word === 'to') continue;
    const set = rangeOf(address.word, word(address, 'to'));
    if (set) sets.push(set);
    port ??= word(address, 'port');
  }
  return { set: sets.length > 0 ? ADDRESSES.union(sets) : undefined, ports: ports(port) };
}

function readSource(
  set: RuleSetNode,
  rule: WordTree,
  nat: WordTree,
  scope: Scope,
  policy: PolicyBuilder,
): void {
  const then = at(rule, 'then', 'source-nat');
  const match = matchIn(set, rule, scope);
  reportUnknown(scope.assembly, then, new Set('pool off interface'.split(' ')));
  const name = word(then, 'pool');
  const isOff = name === undefined && at(then, 'off') !== undefined;
  const pool = name === undefined ? undefined : at(nat, 'source', 'pool', name);
  const addresses = pool ? poolOf(pool).set : addressesAt(scope, set.to);
  const known = name === undefined || pool ? addresses : undefined;
  const translation: Translation | undefined = isOff
    ? undefined
    : { kind: 'source', ...(known ? { addresses: known } : {}), ...shift(pool, match) };
  const made = makeRule(
    set,
    rule,
    match,
    {
      action: isOff ? 'source-nat off' : `source-nat ${name === undefined ? 'interface' : `pool ${name}`}`,
      ...(translation ? { translation } : {}),
      unresolved: name !== undefined && !pool ? [`pool ${name} is not defined`] : [],
      lines: pool ? linesUnder(pool) : [],
    },
    scope,
  );
  if (made.rule.enabled)
    enter(policy, made, isOff ? 'exempt' : 'translate', match, translation ? { translation } : {});
}

/** `host-address-base`: addresses keep their offset from it. */
function shift(pool: WordTree | undefined, match: Match): Pick<Translation, 'offset'> {
  const base = word(pool, 'host-address-base');
  const sources = match.possible[0]?.sources ?? ANY_ADDRESS;
  const first = base === undefined ? undefined : setOf(base.split('/')[0]);
  return first && sources.v4.length === 2 && sources.v4[0] === first.v4[0] ? { offset: true } : {};
}

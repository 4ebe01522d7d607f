// services of MX and M routers: `services nat`, `stateful-firewall`, `ipsec-vpn` and service sets -> rules and policies
import { type AddressSet, ANY_ADDRESS } from '../../src/model/addresses.ts';
import type { RuleKind, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, intersectTraffic, type NameSet, names } from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { spend } from './boxes.ts';
import { setOf } from './cisco-address.ts';
import { termMatch } from './junos-filter-match.ts';
import { applicationsOf, enter, type Match, restrict } from './junos-match.ts';
import { commentOf, rangeOf, reportUnknown, type Scope, someLines } from './junos-scope.ts';
import { redirectPolicy } from './junos-tunnels.ts';
import { ADDRESSES } from './objects.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

type Direction = 'input' | 'output';

/** Where packets meet a service set: at units, or on the way to the services interface that routes lead to. */
interface Place {
  readonly set: WordTree;
  readonly input: NameSet;
  readonly output: NameSet;
  readonly unresolved: readonly string[];
}

interface Term {
  readonly rule: Assembled;
  readonly match: Match;
  readonly then: WordTree | undefined;
  readonly direction: Direction;
  readonly source?: Translation;
  readonly destination?: Translation;
  readonly entry?: 'accept' | 'drop';
  readonly tunnel?: Translation;
}

const KINDS = ['nat', 'stateful-firewall', 'ipsec-vpn'] as const;
type Kind = (typeof KINDS)[number];
const RULE_KINDS: Readonly<Record<Kind, RuleKind>> = {
  nat: 'nat',
  'stateful-firewall': 'filter',
  'ipsec-vpn': 'tunnel',
};

export function readServices(scope: Scope): void {
  const services = at(scope.tree, 'services');
  const made = new Map<string, readonly Term[]>();
  for (const kind of KINDS)
    for (const rule of list(services, kind, 'rule'))
      made.set(`${kind} ${rule.word}`, termsOf(scope, kind, rule));
  const bound = boundUnits(scope);
  for (const set of list(services, 'service-set')) {
    if (set.inactive) continue;
    const place = placeOf(bound, set);
    const terms = (kind: Kind) =>
      rulesIn(services, set, kind).flatMap((name) => made.get(`${kind} ${name}`) ?? []);
    const cost = KINDS.reduce((sum, kind) => sum + terms(kind).length, 0);
    if (spend(scope.allowance, cost)) bind(scope, place, terms);
    else scope.assembly.notUnderstood(...linesUnder(set, 1));
  }
}

/** `nat-rules R` and `nat-rule-sets S`, in order. */
function rulesIn(services: WordTree | undefined, set: WordTree, kind: Kind): string[] {
  const own = words(set, `${kind}-rules`);
  const inSets = words(set, `${kind}-rule-sets`).flatMap((name) =>
    words(services, kind, 'rule-set', name, 'rule'),
  );
  return [...own, ...inSets];
}

/** Units by the direction and service set that they name. */
function boundUnits(scope: Scope): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, node, enabled } of scope.units.values())
    for (const family of enabled ? ['inet', 'inet6'] : [])
      for (const direction of ['input', 'output'])
        for (const set of words(node, 'family', family, 'service', direction, 'service-set')) {
          const id = `${direction} ${set}`;
          const units = found.get(id);
          if (units) units.push(name);
          else found.set(id, [name]);
        }
  return found;
}

function placeOf(bound: ReadonlyMap<string, readonly string[]>, set: WordTree): Place {
  const inside = word(set, 'next-hop-service', 'inside-service-interface');
  const outside = word(set, 'next-hop-service', 'outside-service-interface');
  if (inside !== undefined || outside !== undefined)
    return { set, input: ANY_NAME, output: ANY_NAME, unresolved: [`routed to ${inside ?? outside}`] };
  const units = (direction: Direction) => names(...(bound.get(`${direction} ${set.word}`) ?? []));
  return { set, input: units('input'), output: units('output'), unresolved: [] };
}

const KNOWN_RULE = new Set('match-direction term description'.split(' '));
const KNOWN_TERM = new Set('from then'.split(' '));
const KNOWN_THEN: Readonly<Record<Kind, ReadonlySet<string>>> = {
  nat: new Set('translated no-translation syslog port-forwarding-mappings'.split(' ')),
  'stateful-firewall': new Set('accept reject discard syslog allow-ip-options'.split(' ')),
  'ipsec-vpn': new Set(
    'remote-gateway backup-remote-gateway dynamic manual no-anti-replay anti-replay-window-size clear-dont-fragment-bit syslog initiate-dead-peer-detection tunnel-mtu'.split(
      ' ',
    ),
  ),
};
const FROM = new Set(
  'source-address-range destination-address-range applications application-sets destination-port-range ipsec-inside-interface'.split(
    ' ',
  ),
);

function termsOf(scope: Scope, kind: Kind, rule: WordTree): Term[] {
  reportUnknown(scope.assembly, rule, KNOWN_RULE);
  const asked = word(rule, 'match-direction');
  const directions: Direction[] =
    asked === 'input-output' ? ['input', 'output'] : [asked === 'output' ? 'output' : 'input'];
  return list(rule, 'term').flatMap((term) => {
    reportUnknown(scope.assembly, term, KNOWN_TERM);
    const then = at(term, 'then');
    reportUnknown(scope.assembly, then, KNOWN_THEN[kind]);
    const match = matchOf(scope, at(term, 'from'));
    const means = meaningOf(scope, kind, then);
    const made = scope.assembly.rule({
      key: `${scope.prefix}services ${kind} ${rule.word} ${term.word}`,
      kind: RULE_KINDS[kind],
      list: `${scope.prefix}services ${kind} ${rule.word}`,
      enabled: !term.inactive,
      context: {
        list: `${scope.prefix}${rule.word}`,
        direction: asked === 'output' ? 'out' : asked === 'input-output' ? 'both' : 'in',
      },
      matches: match.possible,
      unresolved: match.unresolved,
      ...(means.translation ? { translation: means.translation } : {}),
      action: means.action,
      ...commentOf(rule),
      lines: someLines(linesUnder(term), match.lines, means.lines),
    });
    return directions.map((direction) => ({ rule: made, match, then, direction, ...means.parts }));
  });
}

/** As a filter term, with ranges of addresses and applications. */
function matchOf(scope: Scope, from: WordTree | undefined): Match {
  const bare: WordTree | undefined = from && {
    ...from,
    children: new Map([...from.children].filter(([name]) => !FROM.has(name))),
  };
  const own = termMatch(bare, ANY_ADDRESS, scope);
  const asked = [...words(from, 'applications'), ...words(from, 'application-sets')];
  const services = applicationsOf(scope, asked);
  const rangeAt = (side: string): AddressSet => {
    const sets = list(from, `${side}-address-range`).flatMap(
      (one) => rangeOf(word(one) ?? '', word(one, word(one) ?? '', 'high') ?? word(one, 'high')) ?? [],
    );
    return sets.length > 0 ? ADDRESSES.union(sets) : ANY_ADDRESS;
  };
  const within = { sources: rangeAt('source'), destinations: rangeAt('destination') };
  const cut = (which: 'sure' | 'possible') =>
    restrict(own, within)[which].flatMap((box) =>
      services[which].flatMap(
        (one) => intersectTraffic(box, { ...ANY_TRAFFIC, ...one, services: one.services }) ?? [],
      ),
    );
  return {
    sure: cut('sure'),
    possible: cut('possible'),
    unresolved: [...own.unresolved, ...services.unresolved],
    lines: someLines(own.lines, services.lines),
  };
}

interface Meaning {
  readonly action: string;
  readonly translation?: Translation;
  readonly parts: Partial<Pick<Term, 'source' | 'destination' | 'entry' | 'tunnel'>>;
  readonly lines: ReturnType<typeof linesUnder>;
}

function meaningOf(scope: Scope, kind: Kind, then: WordTree | undefined): Meaning {
  if (kind === 'nat') return natMeaning(scope, then);
  if (kind === 'stateful-firewall') {
    const drops = ['reject', 'discard'].find((one) => at(then, one));
    return { action: drops ?? 'accept', parts: { entry: drops ? 'drop' : 'accept' }, lines: [] };
  }
  const far = [...words(then, 'remote-gateway'), ...words(then, 'backup-remote-gateway')];
  const addresses = far.length > 0 ? setOf(...far) : undefined;
  const translation: Translation = { kind: 'tunnel', ...(addresses ? { addresses } : {}) };
  return {
    action: `ipsec to ${far.join(', ') || 'unknown'}`,
    translation,
    parts: { tunnel: translation },
    lines: [],
  };
}

/** `translated` names pools or prefixes for either side. */
function natMeaning(scope: Scope, then: WordTree | undefined): Meaning {
  const translated = at(then, 'translated');
  if (!translated) return { action: 'no-translation', parts: {}, lines: [] };
  const lines: ReturnType<typeof linesUnder> = [];
  const side = (which: 'source' | 'destination'): Translation | undefined => {
    const name = word(translated, `${which}-pool`);
    const pool = name === undefined ? undefined : at(scope.tree, 'services', 'nat', 'pool', name);
    if (pool) lines.push(...linesUnder(pool));
    const prefix = word(translated, `${which}-prefix`);
    if (name === undefined && prefix === undefined) return undefined;
    const addresses = pool ? poolOf(pool) : setOf(prefix ?? '');
    const isStatic = /basic|dnat|stateful-nat/.test(word(translated, 'translation-type') ?? '');
    const keeps = isStatic && addresses !== undefined && isPrefix(addresses) && !isSingle(addresses);
    return { kind: which, ...(addresses ? { addresses } : {}), ...(keeps ? { offset: true } : {}) };
  };
  const [source, destination] = [side('source'), side('destination')];
  const type = words(translated, 'translation-type').join(' ') || 'nat';
  const translation = destination ?? source;
  return {
    action: `translated ${type}`,
    ...(translation ? { translation } : {}),
    parts: { ...(source ? { source } : {}), ...(destination ? { destination } : {}) },
    lines,
  };
}

const isSingle = ({ v4, v6 }: AddressSet): boolean => v4[0] === v4[1] && v6[0] === v6[1];
const isPrefix = ({ v4, v6 }: AddressSet): boolean => v4.length + v6.length === 2;

function poolOf(pool: WordTree): AddressSet | undefined {
  const sets = [
    ...words(pool, 'address').map((text) => setOf(text)),
    ...list(pool, 'address-range', 'low').map((low) => rangeOf(low.word, word(low, 'high') ?? low.word)),
  ].flatMap((set) => set ?? []);
  return sets.length > 0 ? ADDRESSES.union(sets) : undefined;
}

/** Stateful rules of a set drop what none of them accepts. */
function bind(scope: Scope, place: Place, termsIn: (kind: Kind) => readonly Term[]): void {
  const id = `service-set ${place.set.word}`;
  const within = (direction: Direction) =>
    direction === 'input' ? { ingress: place.input } : { egress: place.output };
  const add = (
    policy: PolicyBuilder,
    term: Term,
    action: 'accept' | 'drop' | 'translate' | 'exempt',
    translation?: Translation,
  ) => {
    const match = restrict(term.match, within(term.direction));
    const unresolved = [...match.unresolved, ...place.unresolved];
    const sure = place.unresolved.length > 0 ? [] : match.sure;
    if (term.rule.rule.enabled)
      enter(policy, term.rule, action, { ...match, sure, unresolved }, translation ? { translation } : {});
  };
  for (const stage of ['destination-nat', 'source-nat'] as const) {
    const side = stage === 'source-nat' ? 'source' : 'destination';
    if (!termsIn('nat').some((term) => term[side])) continue;
    const policy = scope.assembly.policy({
      id: `${scope.prefix}${id} ${stage}`,
      stage,
      evaluation: 'first-match',
      appliesTo: { ingress: scope.ingress, egress: ANY_NAME },
      otherwise: 'none',
    });
    for (const term of termsIn('nat')) {
      const translation = term[side];
      if (translation) add(policy, term, 'translate', translation);
      else if (!term.source && !term.destination) add(policy, term, 'exempt');
    }
  }
  const tunnels = termsIn('ipsec-vpn');
  if (tunnels.length > 0) {
    const policy = redirectPolicy(scope, `${id} ipsec`, scope.ingress);
    for (const term of tunnels) if (term.tunnel) add(policy, term, 'translate', term.tunnel);
  }
  const filters = termsIn('stateful-firewall');
  for (const direction of ['input', 'output'] as const) {
    const own = filters.filter((term) => term.direction === direction);
    const here = direction === 'input' ? place.input : place.output;
    if (own.length === 0 || (!here.except && here.names.length === 0)) continue;
    const policy = scope.assembly.policy({
      id: `${scope.prefix}${id} ${direction} filter`,
      stage: 'filter',
      evaluation: 'first-match',
      appliesTo:
        direction === 'input' ? { ingress: here, egress: ANY_NAME } : { ingress: ANY_NAME, egress: here },
      // Which packets routes lead through the set is not known: what is not, is not filtered.
      otherwise: place.unresolved.length > 0 ? 'accept' : 'drop',
    });
    for (const term of own) if (term.entry) add(policy, term, term.entry);
  }
}

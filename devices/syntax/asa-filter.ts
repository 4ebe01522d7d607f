// access lists, access groups and security levels of the ASA -> filter rules and policies
import { ANY_ADDRESS } from '../../src/model/addresses.ts';
import type { Rule, SourceLine } from '../../src/model/rule.ts';
import {
  ANY_NAME,
  ANY_TRAFFIC,
  hasName,
  type NameSet,
  names,
  type Traffic,
} from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { AsaList } from './asa-acl.ts';
import type { AsaInterface } from './asa-interfaces.ts';
import { type AsaScope, linesOnce, statements } from './asa-scope.ts';
import type { Assembled } from './assemble.ts';
import { lineOf } from './indent.ts';

export interface Binding {
  readonly list: string;
  readonly direction: 'in' | 'out' | 'global';
  /** A nameif; undefined for global. */
  readonly nameif?: string;
  readonly line: SourceLine;
}

/** `access-group L in|out interface N [per-user-override] [control-plane]`, `access-group L global`. */
export function readBindings(scope: AsaScope): Binding[] {
  return statements(scope, 'access-group').flatMap(({ block, words }): Binding[] => {
    const [, list, direction, word, nameif, option] = words;
    const line = lineOf(block);
    if (direction === 'global' && word === undefined) return [{ list, direction, line }];
    const isKnown =
      (direction === 'in' || direction === 'out') && word === 'interface' && nameif !== undefined;
    // What is for the device itself is not forwarded.
    if (isKnown && option === 'control-plane') return [];
    if (isKnown && (option === undefined || option === 'per-user-override'))
      return [{ list, direction, nameif, line }];
    scope.assembly.notUnderstood(block);
    return [];
  });
}

/** What a tunnel brings in passes access lists by (`sysopt connection permit-vpn`). */
export interface Bypass {
  readonly rule: Assembled;
  readonly ingress: NameSet;
  readonly matches: readonly Traffic[];
}

export function buildAsaFilters(
  scope: AsaScope,
  lists: ReadonlyMap<string, AsaList>,
  bindings: readonly Binding[],
  bypasses: readonly Bypass[],
): void {
  const built = new Map<string, readonly { permits: boolean; made: Assembled }[]>();
  for (const list of lists.values()) built.set(list.name, rulesOf(scope, list, bindings));
  const global = bindings.filter(({ direction }) => direction === 'global');
  const boundIn = new Map<string, Binding[]>();
  for (const binding of bindings)
    if (binding.direction === 'in')
      boundIn.set(binding.nameif!, [...(boundIn.get(binding.nameif!) ?? []), binding]);
  const enter = (
    id: string,
    appliesTo: { ingress: NameSet; egress: NameSet },
    chain: readonly Binding[],
    isOut: boolean,
  ) => {
    const policy = scope.assembly.policy({
      id: scope.own(id),
      stage: 'filter',
      evaluation: 'first-match',
      appliesTo,
      // Until 8.2 lists name addresses as they are on the wire of the interface; since 8.3 as hosts have them.
      ...(scope.isOld ? { sees: isOut ? ('translated' as const) : ('untranslated' as const) } : {}),
      otherwise: 'drop',
    });
    if (!isOut)
      for (const { rule, matches } of bypassesAt(bypasses, appliesTo.ingress))
        policy.entry(rule, 'accept', { matches });
    for (const { list } of chain)
      for (const { permits, made } of built.get(list) ?? []) policy.entry(made, permits ? 'accept' : 'drop');
  };
  for (const [nameif, own] of boundIn) {
    const ingress = scope.interfaces.namesOf(nameif);
    // The interface's own list comes first, its implicit deny after the global one.
    if (ingress.except || ingress.names.length > 0)
      enter(`access:${nameif}:in`, { ingress, egress: ANY_NAME }, [...own, ...global], false);
  }
  const covered = new Set([...boundIn.keys()].flatMap((nameif) => scope.interfaces.namesOf(nameif).names));
  const open = forwarding(scope).filter(({ name }) => !covered.has(name));
  if (global.length > 0) {
    const ingress = globalIngress(scope, covered);
    if (ingress.except || ingress.names.length > 0)
      enter('access:global', { ingress, egress: ANY_NAME }, global, false);
  } else buildLevels(scope, open, bypasses);
  for (const [nameif, chain] of Map.groupBy(
    bindings.filter(({ direction }) => direction === 'out'),
    ({ nameif: to }) => to!,
  )) {
    const egress = scope.interfaces.namesOf(nameif);
    if (egress.names.length > 0) enter(`access:${nameif}:out`, { ingress: ANY_NAME, egress }, chain, true);
  }
  buildSameSecurity(scope);
  buildManagement(scope);
}

/** Nothing passes through an interface that is for management only, whatever lists say. */
function buildManagement(scope: AsaScope): void {
  const own = scope.interfaces.all.filter((one) => one.managementOnly && one.isUp).map(({ name }) => name);
  if (own.length === 0) return;
  const head = { stage: 'filter', evaluation: 'first-match', otherwise: 'drop' } as const;
  const through = names(...own);
  scope.assembly.policy({
    ...head,
    id: scope.own('management-only:in'),
    appliesTo: { ingress: through, egress: ANY_NAME },
  });
  scope.assembly.policy({
    ...head,
    id: scope.own('management-only:out'),
    appliesTo: { ingress: ANY_NAME, egress: through },
  });
}

const bypassesAt = (bypasses: readonly Bypass[], ingress: NameSet) =>
  bypasses.filter(({ ingress: own }) => own.names.some((name) => hasName(ingress, name)));

function globalIngress(scope: AsaScope, covered: ReadonlySet<string>): NameSet {
  const all = scope.interfaces.namesOf('any');
  if (all.except) return { except: true, names: [...covered].sort() };
  return names(...all.names.filter((name) => !covered.has(name)));
}

const forwarding = (scope: AsaScope): AsaInterface[] =>
  scope.interfaces.all.filter((one) => one.nameif !== undefined && one.isUp && !one.managementOnly);

function rulesOf(scope: AsaScope, list: AsaList, bindings: readonly Binding[]) {
  const bound = bindings.filter((binding) => binding.list === list.name);
  const nameifs = bound.flatMap(({ nameif }) => nameif ?? []);
  const interfaces = [...new Set(nameifs.flatMap((nameif) => scope.interfaces.namesOf(nameif).names))];
  const directions = new Set(
    bound.map(({ direction }) => (direction === 'out' ? 'out' : 'in') as 'in' | 'out'),
  );
  const context: Rule['context'] = scope.ruleContext({
    list: list.name,
    ...(interfaces.length > 0 ? { interfaces } : {}),
    ...(directions.size > 0 ? { direction: directions.size === 2 ? 'both' : [...directions][0] } : {}),
  });
  return list.entries.map((entry) => ({
    permits: entry.permits,
    made: scope.assembly.rule({
      key: scope.own(`acl:${list.name}:${ruleKey(entry.text)}`),
      kind: 'filter',
      list: scope.own(list.name),
      context,
      enabled: entry.enabled,
      matches: entry.boxes,
      unresolved: entry.unresolved,
      action: entry.text.startsWith('trust') ? 'trust' : entry.permits ? 'permit' : 'deny',
      ...(entry.comment === undefined ? {} : { comment: entry.comment }),
      lines: entry.lines,
    }),
  }));
}

/** Without a list, connections from a higher level to a lower one pass and no others (Security Levels, CLI configuration guide). */
function buildLevels(scope: AsaScope, open: readonly AsaInterface[], bypasses: readonly Bypass[]): void {
  const all = forwarding(scope);
  if (open.length === 0) return;
  const ingress = names(...open.map(({ name }) => name));
  const policy = scope.assembly.policy({
    id: scope.own('security-levels'),
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: { ingress, egress: ANY_NAME },
    ...(scope.isOld ? { sees: 'untranslated' as const } : {}),
    otherwise: 'drop',
  });
  for (const { rule, matches } of bypassesAt(bypasses, ingress)) policy.entry(rule, 'accept', { matches });
  const levels = [...Map.groupBy(open, ({ level }) => level)].sort(([a], [b]) => b - a);
  for (const [level, members] of levels) {
    // Among equals another policy decides.
    const lower = all.filter((one) => one.level <= level).map(({ name }) => name);
    const from = members.map(({ name }) => name);
    policy.entry(levelRule(scope, level, from, lower, members), 'accept');
  }
}

const levelRule = (
  scope: AsaScope,
  level: number,
  from: readonly string[],
  to: readonly string[],
  members: readonly AsaInterface[],
): Assembled =>
  scope.assembly.rule({
    key: scope.own(`security-level:${level}`),
    kind: 'filter',
    list: scope.own('security-levels'),
    context: scope.ruleContext({ interfaces: from, direction: 'in' }),
    matches: [{ ...ANY_TRAFFIC, ingress: names(...from), egress: names(...to) }],
    action: `permit from security level ${level} to lower levels`,
    lines: linesOnce(members.flatMap(({ lines }) => lines)),
  });

/** Between equals, and back out of the same interface, nothing passes unless it is permitted, whatever lists say. */
function buildSameSecurity(scope: AsaScope): void {
  const permitted = (kind: string) =>
    statements(scope, 'same-security-traffic', 'permit', kind).map(({ block }) => lineOf(block));
  const inter = permitted('inter-interface');
  const intra = permitted('intra-interface');
  const rule = (kind: string, lines: readonly SourceLine[]) =>
    lines.length === 0
      ? undefined
      : scope.assembly.rule({
          key: scope.own(`same-security-traffic:${kind}`),
          kind: 'filter',
          list: scope.own('same-security-traffic'),
          context: scope.ruleContext({}),
          matches: [{ ...ANY_TRAFFIC, sources: ANY_ADDRESS }],
          action: `permit ${kind}`,
          lines,
        });
  const interRule = rule('inter-interface', inter);
  const intraRule = rule('intra-interface', intra);
  for (const [level, members] of Map.groupBy(forwarding(scope), ({ level: own }) => own)) {
    const all = members.map(({ name }) => name);
    if (all.length > MAX_EQUALS) continue;
    const policy = scope.assembly.policy({
      id: scope.own(`same-security:${level}`),
      stage: 'filter',
      evaluation: 'first-match',
      appliesTo: { ingress: names(...all), egress: names(...all) },
      otherwise: 'drop',
    });
    for (const name of all) {
      const from = { ...ANY_TRAFFIC, ingress: names(name) };
      const others = all.filter((other) => other !== name);
      if (intraRule) policy.entry(intraRule, 'accept', { matches: [{ ...from, egress: names(name) }] });
      if (interRule && others.length > 0)
        policy.entry(interRule, 'accept', { matches: [{ ...from, egress: names(...others) }] });
    }
  }
}

/** Interfaces of one level; beyond, equals are not told apart and pass. */
const MAX_EQUALS = 600;

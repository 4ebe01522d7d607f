// `config firewall policy` and its kin of FortiOS -> filter rules, the VIPs they let in, and their source NAT
import type { AddressSet } from '../../src/model/addresses.ts';
import type { Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { intersectTraffic, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled } from './assemble.ts';
import { conditionsOf } from './fortios-conditions.ts';
import { commonServices, type FortiMatch, matchOf, servicesOf, sidesOf, whereOf } from './fortios-match.ts';
import { contextOf, type FortiScope, scoped } from './fortios-scope.ts';
import { entriesOf, type FortiEntry, isEnabled, settingOf, settingsOf } from './fortios-tree.ts';
import type { Vip, Vips } from './fortios-vips.ts';
import { MAX_LINES } from './objects.ts';

/** Packets of a policy as the filter meets them; `translated`: only those that a VIP sent here, or only others. */
export interface PolicyPart {
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly translated?: boolean;
}

export interface FortiPolicy {
  readonly entry: FortiEntry;
  readonly rule: Assembled;
  readonly parts: readonly PolicyPart[];
  readonly vips: readonly Vip[];
  readonly isAccept: boolean;
}

/** Sections in the order in which they are met; those of one family never meet those of another. */
const SECTIONS = ['firewall policy', 'firewall policy6', 'firewall consolidated policy'] as const;
/** From this version on a deny policy also matches what a VIP translated, unless told otherwise (FortiOS 7.2.4). */
const MATCH_VIP_SINCE = 70_204;

export function forwardPolicies(scope: FortiScope, vips: Vips, pools: Pools): FortiPolicy[] {
  return SECTIONS.flatMap((section) =>
    entriesOf(scope.sections, section).map((entry) => readPolicy(scope, entry, section, vips, pools)),
  );
}

export const securityPolicies = (scope: FortiScope, vips: Vips, pools: Pools): FortiPolicy[] =>
  entriesOf(scope.sections, 'firewall security-policy').map((entry) =>
    readPolicy(scope, entry, 'firewall security-policy', vips, pools),
  );

/** IP pools by name, for each family. */
export interface Pools {
  readonly sourceOf: (names: readonly string[]) => {
    readonly addresses?: AddressSet;
    readonly unresolved: readonly string[];
    readonly lines: readonly SourceLine[];
  };
}

function readPolicy(
  scope: FortiScope,
  entry: FortiEntry,
  section: string,
  vips: Vips,
  pools: Pools,
): FortiPolicy {
  // Policies for SSL inspection, as policy-based mode has them, have no action: they let through.
  const isInspection = scope.isPolicyBased && section !== 'firewall security-policy';
  const action = settingOf(entry, 'action') ?? (isInspection ? 'accept' : 'deny');
  const conditions = conditionsOf(scope, entry);
  const sides = sidesOf(scope, entry, section, (name) => vips.named(name) !== undefined);
  const where = whereOf(scope, entry);
  const services = servicesOf(scope, entry);
  const plain = matchOf(where, sides, services, conditions);
  const used = sides.flatMap((side) => side.vips.flatMap((name) => vips.named(name) ?? []));
  const toVips = sides.flatMap((side) =>
    side.vips
      .flatMap((name) => vips.named(name) ?? [])
      .map((vip) => vipMatch(where, side, services, conditions, vip)),
  );
  const translated = scope.isCentralNat ? undefined : meetsTranslated(scope, entry, action);
  const state = translated === undefined ? {} : { translated };
  const parts: PolicyPart[] = [
    ...plain.parts.map((part) => ({ ...part, ...state })),
    ...toVips.flatMap(({ parts }) => parts.map((part) => ({ ...part, translated: true }))),
  ];
  const matches = [plain, ...toVips];
  const source = sourceTranslation(scope, entry, action, pools);
  const rule = scope.assembly.rule({
    key: settingOf(entry, 'uuid') ?? scoped(scope, `${section.replace('firewall ', '')} ${entry.name}`),
    kind: 'filter',
    list: scoped(scope, section),
    enabled: settingOf(entry, 'status') !== 'disable',
    context: contextOf(scope, contextRest(section, sides)),
    matches: parts.flatMap(({ boxes }) => boxes),
    unresolved: [...new Set([...matches.flatMap(({ unresolved }) => unresolved), ...source.unresolved])],
    ...(source.translation ? { translation: source.translation } : {}),
    action,
    ...commentOf(entry),
    lines: linesWith(entry, [
      ...matches.flatMap(({ lines }) => lines),
      ...used.flatMap(vipLines),
      ...source.lines,
    ]),
  });
  return { entry, rule, parts, vips: used, isAccept: action !== 'deny' };
}

const contextRest = (
  section: string,
  sides: readonly { readonly family: 'ip' | 'ip6' }[],
): Rule['context'] => ({
  list: section.replace('firewall ', ''),
  ...(sides.length === 1 ? { family: sides[0].family } : { family: 'inet' }),
});

const vipLines = ({ rule }: Vip): readonly SourceLine[] => rule.rule.lines;

/** A policy has a name and a comment. */
export function commentOf(entry: FortiEntry): { readonly comment?: string } {
  const texts = ['name', 'comments', 'comment'].flatMap((name) => settingOf(entry, name) ?? []);
  return texts.length > 0 ? { comment: texts.join(': ') } : {};
}

/** Its own lines, then those of the objects it is resolved through. */
export function linesWith(entry: FortiEntry, others: readonly SourceLine[]): SourceLine[] {
  const lines = new Map(entry.lines.slice(0, MAX_LINES).map((line) => [line.number, line]));
  for (const line of others) if (lines.size < MAX_LINES) lines.set(line.number, line);
  return [...lines.values()];
}

/**
 * Without central NAT, a policy whose destination is an address does not meet what a VIP translated; `match-vip` changes
 * that, `match-vip-only` turns it round. Only deny policies have these settings from 6.4.3 on.
 */
function meetsTranslated(scope: FortiScope, entry: FortiEntry, action: string): boolean | undefined {
  if (isEnabled(entry, 'match-vip-only')) return true;
  const byDefault = action === 'deny' && (scope.version ?? 0) >= MATCH_VIP_SINCE;
  const matches = entry.settings.has('match-vip') ? isEnabled(entry, 'match-vip') : byDefault;
  return matches ? undefined : false;
}

/** Behind the VIP a packet has the mapped address and port, and that is what the policy's services are compared with. */
function vipMatch(
  where: ReturnType<typeof whereOf>,
  side: ReturnType<typeof sidesOf>[number],
  services: ReturnType<typeof servicesOf>,
  conditions: readonly string[],
  { behind, rule }: Vip,
): FortiMatch {
  const destinations = { known: behind.destinations, all: behind.destinations, unresolved: [], lines: [] };
  const narrowed = {
    ...services,
    known: commonServices(services.known, behind.services),
    all: commonServices(services.all, behind.services),
  };
  return matchOf(where, [{ ...side, destinations }], narrowed, [...conditions, ...rule.rule.unresolved]);
}

function sourceTranslation(scope: FortiScope, entry: FortiEntry, action: string, pools: Pools) {
  const none = { translation: undefined, unresolved: [], lines: [] };
  if (action === 'deny' || scope.isCentralNat || !isEnabled(entry, 'nat')) return none;
  if (!isEnabled(entry, 'ippool')) return { ...none, translation: { kind: 'source' } satisfies Translation };
  const { addresses, unresolved, lines } = pools.sourceOf([
    ...settingsOf(entry, 'poolname'),
    ...settingsOf(entry, 'poolname6'),
  ]);
  const translation: Translation = { kind: 'source', ...(addresses ? { addresses } : {}) };
  return { translation, unresolved, lines };
}

/** Source NAT by policy: the policy that lets a connection through says whether it is translated. */
export function policyNat(
  scope: FortiScope,
  policies: readonly FortiPolicy[],
  active: ReadonlySet<Vip>,
): void {
  const accepting = policies.filter(({ rule, isAccept }) => isAccept && rule.rule.enabled);
  const last = accepting.findLastIndex(({ rule }) => rule.rule.translation);
  if (last < 0) return;
  const nat = scope.assembly.policy({
    id: scoped(scope, 'policy nat'),
    stage: 'source-nat',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.everywhere, egress: { except: true, names: [] } },
    otherwise: 'none',
  });
  const outwards = [...active].filter((vip) => vip.outwards);
  for (const policy of accepting.slice(0, last + 1)) {
    const { translation } = policy.rule.rule;
    for (const { boxes, unresolved, translated } of policy.parts) {
      const options = { matches: boxes, unresolved, ...(translated === undefined ? {} : { translated }) };
      if (!translation) nat.entry(policy.rule, 'exempt', options);
      else {
        if (!translation.addresses) for (const vip of outwards) outwardsEntry(nat, vip, boxes, options);
        nat.entry(policy.rule, 'translate', { ...options, translation });
      }
    }
  }
}

/** A server behind a one-to-one VIP goes out under the external address of the VIP where its interface address would be used. */
function outwardsEntry(
  nat: ReturnType<FortiScope['assembly']['policy']>,
  { rule, outwards, ingress }: Vip,
  boxes: readonly Traffic[],
  options: { readonly unresolved: readonly string[]; readonly translated?: boolean },
): void {
  const { inside, outside } = outwards!;
  const matches = boxes.flatMap(
    (box) => intersectTraffic(box, { ...box, sources: inside, egress: ingress }) ?? [],
  );
  if (matches.length > 0)
    nat.entry(rule, 'translate', {
      ...options,
      matches,
      translation: { kind: 'source', addresses: outside, offset: true },
    });
}

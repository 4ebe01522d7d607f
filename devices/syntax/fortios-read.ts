// `show` of FortiOS -> rules, policies and unread lines, VDOM by VDOM
import type { RuleSet } from '../../src/model/rule.ts';
import { ANY_NAME } from '../../src/model/traffic.ts';
import { type Assembly, assemble, type PolicyBuilder } from './assemble.ts';
import { deviceInterfaces, type FortiInterface, fortiInterfaces } from './fortios-interfaces.ts';
import { centralNat, fortiPools } from './fortios-nat.ts';
import { accessLists, intrazone, localInPolicies, mirrors, multicastPolicies } from './fortios-others.ts';
import { type FortiPolicy, forwardPolicies, policyNat, securityPolicies } from './fortios-policies.ts';
import { policyRoutes } from './fortios-policy-routes.ts';
import { explicitProxies, policyRedirects } from './fortios-proxies.ts';
import { staticRoutes, tunnelRules } from './fortios-routes.ts';
import { type FortiScope, fortiScope, scoped } from './fortios-scope.ts';
import { isKnownSetting, isRuleBearing, isWantedSection, UNREAD_SECTIONS } from './fortios-sections.ts';
import { fortiStatements } from './fortios-text.ts';
import { entriesOf, type FortiEntry, fortiTree, type Sections } from './fortios-tree.ts';
import { fortiVips, type Vip, vipPolicy } from './fortios-vips.ts';
import { numberedLines } from './indent.ts';

/** Never throws. */
export function readFortios(text: string): RuleSet {
  const assembly = assemble();
  const lines = numberedLines(text);
  const { shared, vdoms } = fortiTree(
    fortiStatements(lines, assembly.notUnderstood),
    isWantedSection,
    assembly.notUnderstood,
  );
  const interfaces = fortiInterfaces(shared);
  const version = versionOf(text);
  const scopes =
    vdoms.size === 0
      ? [fortiScope(undefined, shared, interfaces, assembly, version)]
      : [...vdoms].map(([vdom, own]) =>
          fortiScope(vdom, new Map([...shared, ...own]), interfaces, assembly, version),
        );
  scopes.forEach((scope, i) => {
    readScope(scope, i === 0);
  });
  for (const sections of [shared, ...vdoms.values()]) reportUnread(sections, assembly);
  return assembly.result(deviceInterfaces(interfaces as ReadonlyMap<string, FortiInterface>));
}

/** "#config-version=FGT60F-7.2.5-FW-build1517-...": 70205; undefined where the text has no such head. */
function versionOf(text: string): number | undefined {
  const found = /^#config-version=[^-\n]{1,32}-(\d{1,2})\.(\d{1,2})\.(\d{1,2})-/m.exec(text.slice(0, 65_536));
  return found ? Number(found[1]) * 10_000 + Number(found[2]) * 100 + Number(found[3]) : undefined;
}

/** `isFirst`: what all VDOMs share is read with the first. */
function readScope(scope: FortiScope, isFirst: boolean): void {
  const vips = fortiVips(scope);
  const pools = fortiPools(scope);
  accessLists(scope);
  const filter = policyBuilder(scope, 'policy', 'filter');
  const aside = policyBuilder(scope, 'proxies', 'redirect');
  tunnelRules(scope);
  policyRoutes(scope);
  staticRoutes(scope);
  const own = explicitProxies(scope, aside);
  for (const { rule, boxes, unresolved, isAccept } of own)
    filter.entry(rule, isAccept ? 'accept' : 'drop', { matches: boxes, unresolved });
  multicastPolicies(scope, filter);
  const policies = forwardPolicies(scope, vips, pools);
  addEntries(policies, filter);
  let all = policies;
  if (scope.isPolicyBased) {
    const security = securityPolicies(scope, vips, pools);
    const second = policyBuilder(scope, 'security-policy', 'filter');
    // What clients send to the proxies of the device meets no policy.
    for (const { rule, boxes, unresolved, isAccept } of own)
      second.entry(rule, isAccept ? 'accept' : 'drop', { matches: boxes, unresolved });
    addEntries(security, second);
    all = [...policies, ...security];
  }
  intrazone(scope, filter);
  localInPolicies(scope);
  policyRedirects(scope, all, aside);
  mirrors(scope, all, isFirst);
  const active = activeVips(scope, all, [...vips.byName.values()]);
  vipPolicy(scope, active);
  if (!scope.isCentralNat) policyNat(scope, policies, active);
  centralNat(scope, pools);
}

function policyBuilder(scope: FortiScope, name: string, stage: 'filter' | 'redirect'): PolicyBuilder {
  return scope.assembly.policy({
    id: scoped(scope, name),
    stage,
    evaluation: 'first-match',
    appliesTo: { ingress: scope.everywhere, egress: ANY_NAME },
    // Policy 0, the implicit deny, stands behind all others.
    otherwise: stage === 'filter' ? 'drop' : 'none',
  });
}

function addEntries(policies: readonly FortiPolicy[], filter: PolicyBuilder): void {
  for (const { rule, parts, isAccept } of policies)
    for (const { boxes, unresolved, translated } of parts)
      filter.entry(rule, isAccept ? 'accept' : 'drop', {
        matches: boxes,
        unresolved,
        ...(translated === undefined ? {} : { translated }),
      });
}

/** A VIP acts where an enabled policy has it as destination; with central NAT by itself. */
function activeVips(
  { isCentralNat }: FortiScope,
  policies: readonly FortiPolicy[],
  vips: readonly Vip[],
): Set<Vip> {
  if (isCentralNat) return new Set(vips);
  return new Set(policies.filter(({ rule }) => rule.rule.enabled).flatMap((policy) => policy.vips));
}

/** Settings of rule-bearing sections that are neither read nor known to have no bearing. */
function reportUnread(sections: Sections, assembly: Assembly): void {
  for (const { name, own, entries } of sections.values()) {
    if (!isRuleBearing(name)) continue;
    for (const entry of [own, ...entries.values()]) reportEntry(name, entry, assembly);
  }
  for (const name of UNREAD_SECTIONS)
    for (const entry of entriesOf(sections, name)) assembly.notUnderstood(...entry.lines);
}

function reportEntry(section: string, entry: FortiEntry, assembly: Assembly): void {
  for (const [setting, lines] of entry.linesOf)
    if (!isKnownSetting(section, setting)) assembly.notUnderstood(...lines);
}

// `security policies` of Junos: zone pairs, then global, then the default -> filter rules and one policy
import type { EntryAction } from '../../src/model/rule.ts';
import { ANY_NAME, names } from '../../src/model/traffic.ts';
import type { Assembled } from './assemble.ts';
import { type Side, sideOf } from './junos-addresses.ts';
import { applicationsOf, enter, type Match, matchOf } from './junos-match.ts';
import { commentOf, reportUnknown, type Scope, someLines } from './junos-scope.ts';
import { type Tunnel, tunnelTranslation } from './junos-tunnels.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

interface Written {
  readonly node: WordTree;
  readonly list: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly isGlobal: boolean;
}

const KNOWN = new Set('match then description scheduler-name'.split(' '));
const KNOWN_MATCH = new Set(
  (
    'source-address destination-address application source-address-excluded destination-address-excluded from-zone to-zone ' +
    'dynamic-application source-identity url-category source-end-user-profile source-l3vpn-vrf-group ' +
    'destination-l3vpn-vrf-group source-tenant destination-tenant services-offload'
  ).split(' '),
);
const KNOWN_THEN = new Set('permit deny reject count log services-offload'.split(' '));

/**
 * A pair's policies come before global ones; what none matches meets the default, which is to deny. Addresses are those after
 * static and destination NAT and before source NAT (Security Policies User Guide).
 */
export function readPolicies(scope: Scope, tunnels: readonly Tunnel[]): void {
  const policies = at(scope.tree, 'security', 'policies');
  if (!policies && scope.zones.length === 0) return;
  const written = [...pairs(policies), ...globals(policies)];
  const made = written.map((one) => makeRule(one, scope));
  readVpns(made, tunnels, scope);
  const isOpen = at(policies, 'default-policy', 'permit-all') !== undefined;
  const policy = scope.assembly.policy({
    id: `${scope.prefix}security policies`,
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.ingress, egress: ANY_NAME },
    otherwise: isOpen ? 'accept' : 'drop',
  });
  for (const { rule, match, action } of made)
    if (action && rule.rule.enabled) enter(policy, rule, action, match);
  reportUnknown(
    scope.assembly,
    policies,
    new Set(
      'from-zone global default-policy policy-rematch policy-stats traceoptions pre-id-default-policy unified-policy'.split(
        ' ',
      ),
    ),
  );
}

function* pairs(policies: WordTree | undefined): Generator<Written> {
  for (const from of list(policies, 'from-zone'))
    for (const to of list(from, 'to-zone'))
      for (const node of list(to, 'policy'))
        yield { node, list: `${from.word} to ${to.word}`, from: [from.word], to: [to.word], isGlobal: false };
}

function* globals(policies: WordTree | undefined): Generator<Written> {
  for (const node of list(policies, 'global', 'policy'))
    yield {
      node,
      list: 'global',
      from: words(node, 'match', 'from-zone'),
      to: words(node, 'match', 'to-zone'),
      isGlobal: true,
    };
}

interface Made {
  readonly rule: Assembled;
  readonly match: Match;
  readonly action: EntryAction | undefined;
  readonly vpn: string | undefined;
}

function makeRule(written: Written, scope: Scope): Made {
  const { node } = written;
  const match = at(node, 'match');
  const then = at(node, 'then');
  reportUnknown(scope.assembly, node, KNOWN);
  const unknown = reportUnknown(scope.assembly, match, KNOWN_MATCH);
  reportUnknown(scope.assembly, then, KNOWN_THEN);
  const found = matchOf(
    [{ ingress: scope.zoneNames(written.from), egress: egressOf(written, scope) }],
    sideIn(scope, match, 'source', written),
    sideIn(scope, match, 'destination', written),
    applicationsOf(
      scope,
      words(match, 'application').filter((name) => name !== 'junos-defaults'),
    ),
    [...conditionsOf(node, match), ...unknown],
  );
  const action = ['permit', 'deny', 'reject'].find((one) => at(then, one));
  const vpn = word(then, 'permit', 'tunnel', 'ipsec-vpn');
  const rule = scope.assembly.rule({
    key: `${scope.prefix}${written.isGlobal ? 'global policy' : `policy ${written.list}`} ${node.word}`,
    kind: 'filter',
    list: `${scope.prefix}policies ${written.list}`,
    enabled: !node.inactive,
    context: { list: `${scope.prefix}${written.list}` },
    matches: found.possible,
    unresolved: found.unresolved,
    action: `${action ?? 'none'}${vpn === undefined ? '' : ` by vpn ${vpn}`}`,
    ...commentOf(node),
    lines: someLines(linesUnder(node), found.lines),
  });
  const entry = action === undefined ? undefined : action === 'permit' ? 'accept' : 'drop';
  return { rule, match: found, action: entry, vpn };
}

/** junos-host is the device itself. */
const egressOf = ({ to }: Written, scope: Scope) =>
  to.includes('junos-host') ? names(...scope.zoneNames(to).names) : scope.zoneNames(to);

function sideIn(
  scope: Scope,
  match: WordTree | undefined,
  side: 'source' | 'destination',
  written: Written,
): Side {
  const zone = written.isGlobal ? undefined : (side === 'source' ? written.from : written.to)[0];
  const asked = words(match, `${side}-address`);
  const named = asked.map((name) => scope.addresses(name, zone) ?? { missing: name });
  return sideOf(named, at(match, `${side}-address-excluded`) !== undefined);
}

const CONDITIONS: Readonly<Record<string, string>> = {
  'dynamic-application': 'application',
  'source-identity': 'user',
  'url-category': 'URL category',
  'source-end-user-profile': 'device profile',
  'source-l3vpn-vrf-group': 'source VRF group',
  'destination-l3vpn-vrf-group': 'destination VRF group',
  'source-tenant': 'source tenant',
  'destination-tenant': 'destination tenant',
};

function conditionsOf(node: WordTree, match: WordTree | undefined): string[] {
  const found = Object.entries(CONDITIONS).flatMap(([asked, what]) => {
    const values = words(match, asked).filter((value) => value !== 'any' && value !== 'none');
    return values.length > 0 ? [`${what} ${values.slice(0, 10).join(', ')}`] : [];
  });
  const schedule = word(node, 'scheduler-name');
  const authentication = at(node, 'then', 'permit', 'firewall-authentication');
  return [
    ...found,
    ...(schedule === undefined ? [] : [`schedule ${schedule}`]),
    ...(authentication ? ['firewall authentication'] : []),
  ];
}

/** `permit tunnel ipsec-vpn V`: the policy itself sends into the tunnel; what earlier policies meet does not get there. */
function readVpns(made: readonly Made[], tunnels: readonly Tunnel[], scope: Scope): void {
  const last = made.findLastIndex(({ vpn }) => vpn !== undefined);
  if (last < 0) return;
  const policy = scope.assembly.policy({
    id: `${scope.prefix}policy-based VPN`,
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.ingress, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const { rule, match, vpn } of made.slice(0, last + 1)) {
    if (!rule.rule.enabled) continue;
    const tunnel = tunnels.find(({ name }) => name === vpn);
    if (vpn === undefined) enter(policy, rule, 'exempt', match);
    else enter(policy, rule, 'translate', match, { translation: tunnelTranslation(tunnel) });
  }
}

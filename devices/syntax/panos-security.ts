// security rules and default rules of PAN-OS -> rules, and for each scope the filter that new sessions meet
import type { EntryAction } from '../../src/model/rule.ts';
import { PROTOCOLS, service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_SOURCE_PORT, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import type { PolicyBuilder } from './assemble.ts';
import { last, linesUnder } from './panos-config.ts';
import { conditionsOf, enter, type Match, matchOf, servicesIn, waysOf } from './panos-match.ts';
import {
  makeRule,
  once,
  QUIET_WORDS,
  type Reader,
  reportUnknown,
  rulesOf,
  type WrittenRule,
} from './panos-reader.ts';
import type { Scope } from './panos-scope.ts';
import { EVERYTHING, portsOf } from './panos-service.ts';
import type { WordTree } from './tree.ts';

const KNOWN = new Set(
  (
    `${QUIET_WORDS} from to source destination source-user category application service action rule-type schedule ` +
    'negate-source negate-destination hip-profiles source-hip destination-hip source-imsi source-imei source-nw-slice ' +
    'icmp-unreachable qos disable-inspect disable-server-response-inspection saas-user-list saas-tenant-list'
  ).split(' '),
);
const KNOWN_DEFAULT = new Set(`${QUIET_WORDS} action icmp-unreachable`.split(' '));

const actionOf = (rule: WordTree): string => last(rule, 'action') ?? 'deny';
/** deny, drop, reset-client, reset-server and reset-both differ only in what the sender is told. */
const entryOf = (action: string): EntryAction => (action === 'allow' ? 'accept' : 'drop');

/**
 * Rules match addresses before any translation, and the zone to which the packet goes after it. Between zones the default is
 * to deny, within one to allow; both can be overridden.
 */
export function readSecurity(scope: Scope, reader: Reader): void {
  const rules = rulesOf(scope, 'security');
  const defaults = rulesOf(scope, 'default-security-rules');
  if (rules.length + defaults.length + scope.zones.length === 0) return;
  const policy = reader.assembly.policy({
    id: `security ${scope.id}`,
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.ingress, egress: ANY_NAME },
    sees: 'untranslated',
    otherwise: 'drop',
  });
  for (const rule of rules) readRule(rule, scope, reader, policy);
  readDefaults(defaults, scope, reader, policy);
}

function readRule(rule: WrittenRule, scope: Scope, reader: Reader, policy: PolicyBuilder): void {
  const { node, owner } = rule;
  const action = actionOf(node);
  const conditions = conditionsOf(node);
  const matchIn = (where: Scope): Match =>
    matchOf(where, node, {
      ways: waysOf(where, node),
      services: servicesIn(where, node, entryOf(action) === 'accept'),
      conditions,
    });
  const made = once(reader, node, () => {
    reportUnknown(reader, node, KNOWN);
    return makeRule(rule, reader, { kind: 'filter', action, match: matchIn(owner) });
  });
  if (rule.enabled) enter(policy, made, entryOf(action), matchIn(scope));
}

/** The nearest override counts: the device's own, then that of its device group, then those above. */
function readDefaults(
  overrides: readonly WrittenRule[],
  scope: Scope,
  { assembly, ...reader }: Reader,
  policy: PolicyBuilder,
): void {
  for (const { node } of overrides) reportUnknown({ assembly, ...reader }, node, KNOWN_DEFAULT);
  const withinZones = scope.zones.map((zone) => ({
    ...ANY_TRAFFIC,
    ingress: names(...scope.namesOf(zone)),
    egress: names(...scope.namesOf(zone)),
  }));
  for (const [name, usual, matches] of [
    ['intrazone-default', 'allow', withinZones],
    ['interzone-default', 'deny', [{ ...ANY_TRAFFIC, ingress: scope.ingress }]],
  ] as const) {
    const said = overrides.filter(({ node }) => node.word === name);
    const nearest = said.find(({ list: place }) => !/ (?:pre|post)$/.test(place)) ?? said[0];
    const action = (nearest && last(nearest.node, 'action')) ?? usual;
    const made = assembly.rule({
      key: `security ${scope.id} ${name}`,
      kind: 'filter',
      list: `security ${scope.id} default`,
      context: { list: `security ${scope.id} default` },
      matches,
      action,
      lines: nearest ? linesUnder(nearest.node) : [],
    });
    policy.entry(made, entryOf(action));
  }
}

/** Overrides of App-IDs: listed, and used where a security rule asks for the application. */
export function readOverrides(scope: Scope, reader: Reader): void {
  for (const rule of rulesOf(scope, 'application-override')) {
    const { node, owner } = rule;
    once(reader, node, () => {
      reportUnknown(reader, node, KNOWN_OVERRIDE);
      const ports = portsOf(last(node, 'port'));
      const protocol = PROTOCOLS[last(node, 'protocol') ?? ''];
      const boxes =
        ports && protocol
          ? [{ services: service(protocol, ports), sourcePorts: ANY_SOURCE_PORT }]
          : EVERYTHING;
      const services = { sure: boxes, possible: boxes, unresolved: [], lines: [] };
      const match = matchOf(owner, node, { ways: waysOf(owner, node), services, conditions: [] });
      const what = `${last(node, 'protocol') ?? ''}/${last(node, 'port') ?? ''}`;
      return makeRule(rule, reader, {
        kind: 'filter',
        action: `override ${what} as ${last(node, 'application') ?? ''}`,
        match,
      });
    });
  }
}

const KNOWN_OVERRIDE = new Set(
  `${QUIET_WORDS} from to source destination negate-source negate-destination protocol port application`.split(
    ' ',
  ),
);

// multicast, local-in and access-list policies, zones that let through within, and mirrors of FortiOS -> rules
import { addressSet, intersectAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { ANY_SERVICE, service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_SOURCE_PORT, ANY_TRAFFIC, names, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { protocols } from './boxes.ts';
import { setOf } from './cisco-address.ts';
import { anyOf } from './fortios-addresses.ts';
import { conditionsOf } from './fortios-conditions.ts';
import { type FortiMatch, matchOf, servicesOf, sidesOf, whereOf } from './fortios-match.ts';
import { commentOf, type FortiPolicy, linesWith } from './fortios-policies.ts';
import { contextOf, type FortiScope, scoped } from './fortios-scope.ts';
import { entriesOf, type FortiEntry, isEnabled, settingOf, settingsOf } from './fortios-tree.ts';
import { MAX_LINES } from './objects.ts';

const MULTICAST = addressSet('224.0.0.0/4', 'ff00::/8');

/** Packets to groups are let through by a list of their own, in front of all policies. */
export function multicastPolicies(scope: FortiScope, filter: PolicyBuilder): void {
  for (const family of ['ip', 'ip6'] as const) {
    const section = `firewall multicast-policy${family === 'ip' ? '' : '6'}`;
    for (const entry of entriesOf(scope.sections, section)) {
      const named = settingsOf(entry, 'dstaddr').flatMap(
        (name) => scope.addresses.multicast.resolve(name) ?? [],
      );
      const all = named.length > 0 ? named.map(({ value }) => value) : [anyOf(family)];
      const destinations = intersectAddresses(MULTICAST, unionAddresses(...all));
      const number = Number(settingOf(entry, 'protocol') ?? '0');
      const ports = [
        Number(settingOf(entry, 'start-port') ?? 1),
        Number(settingOf(entry, 'end-port') ?? 65_535),
      ] as const;
      const services =
        number === 0 || number > 255
          ? ANY_SERVICE
          : (number === 6 || number === 17) && ports[0] > 1
            ? service(number, [ports])
            : protocols(number);
      const [side] = sidesOf(scope, entry, section);
      const box = { services, sourcePorts: ANY_SOURCE_PORT };
      const match = matchOf(
        whereOf(scope, entry),
        [
          {
            ...side,
            family,
            destinations: { known: destinations, all: destinations, unresolved: [], lines: [] },
          },
        ],
        { known: [box], all: [box], unresolved: [], lines: [] },
        conditionsOf(scope, entry),
      );
      const isAccept = (settingOf(entry, 'action') ?? 'accept') === 'accept';
      const rule = ruleOf(scope, entry, section, match, isAccept ? 'accept' : 'deny');
      for (const { boxes, unresolved } of match.parts)
        filter.entry(rule, isAccept ? 'accept' : 'drop', { matches: boxes, unresolved });
    }
  }
}

function ruleOf(
  scope: FortiScope,
  entry: FortiEntry,
  section: string,
  match: FortiMatch,
  action: string,
): Assembled {
  const list = section.replace('firewall ', '');
  return scope.assembly.rule({
    key: settingOf(entry, 'uuid') ?? scoped(scope, `${list} ${entry.name}`),
    kind: 'filter',
    list: scoped(scope, section),
    enabled: settingOf(entry, 'status') !== 'disable',
    context: contextOf(scope, { list }),
    matches: match.parts.flatMap(({ boxes }) => boxes),
    unresolved: match.unresolved,
    action,
    ...commentOf(entry),
    lines: linesWith(entry, match.lines),
  });
}

/** What may reach the device itself: no forwarded packet meets these. */
export function localInPolicies(scope: FortiScope): void {
  for (const section of ['firewall local-in-policy', 'firewall local-in-policy6'])
    for (const entry of entriesOf(scope.sections, section)) {
      const where = { ingress: scope.namesOf(settingsOf(entry, 'intf')), egress: ANY_NAME };
      const match = matchOf(
        where,
        sidesOf(scope, entry, section),
        servicesOf(scope, entry),
        conditionsOf(scope, entry),
      );
      ruleOf(scope, entry, section, match, settingOf(entry, 'action') ?? 'deny');
    }
}

/** `config firewall acl`: dropped as they arrive, before anything else. */
export function accessLists(scope: FortiScope): void {
  const policy = scope.assembly.policy({
    id: scoped(scope, 'acl'),
    stage: 'filter',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.everywhere, egress: ANY_NAME },
    sees: 'untranslated',
    otherwise: 'accept',
  });
  for (const section of ['firewall acl', 'firewall acl6'])
    for (const entry of entriesOf(scope.sections, section)) {
      const where = { ingress: scope.namesOf(settingsOf(entry, 'interface')), egress: ANY_NAME };
      const match = matchOf(where, sidesOf(scope, entry, section), servicesOf(scope, entry), []);
      const rule = ruleOf(scope, entry, section, match, 'deny');
      for (const { boxes, unresolved } of match.parts)
        policy.entry(rule, 'drop', { matches: boxes, unresolved });
    }
}

/** `set intrazone allow`: interfaces of one zone reach each other without a policy. */
export function intrazone(scope: FortiScope, filter: PolicyBuilder): void {
  for (const entry of entriesOf(scope.sections, 'system zone')) {
    if (settingOf(entry, 'intrazone') !== 'allow') continue;
    const members = scope.namesOf([entry.name]);
    const rule = scope.assembly.rule({
      key: scoped(scope, `zone ${entry.name} intrazone`),
      kind: 'filter',
      list: scoped(scope, 'zone'),
      context: contextOf(scope, { list: 'zone' }),
      matches: [{ ...ANY_TRAFFIC, ingress: members, egress: members }],
      action: 'accept',
      lines: entry.lines.slice(0, MAX_LINES),
    });
    filter.entry(rule, 'accept');
  }
}

/** Copies of packets: decrypted traffic of policies, mirrored switch ports, the sniffer of managed switches. */
export function mirrors(scope: FortiScope, policies: readonly FortiPolicy[], isFirst: boolean): void {
  const redirect = scope.assembly.policy({
    id: scoped(scope, 'mirrors'),
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.everywhere, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const { entry, rule, parts } of policies) {
    if (!settingOf(entry, 'decrypted-traffic-mirror')) continue;
    for (const { boxes, unresolved } of parts)
      redirect.entry(rule, 'translate', { matches: boxes, unresolved, translation: { kind: 'mirror' } });
  }
  if (!isFirst) return;
  for (const entry of entriesOf(scope.sections, 'system virtual-switch')) {
    if (!entry.settings.has('span')) continue;
    const sources = settingsOf(entry, 'span-source-port');
    mirrorRule(scope, entry, redirect, {
      matches: [{ ...ANY_TRAFFIC, ingress: names(...sources) }],
      enabled: isEnabled(entry, 'span'),
      action: `span to ${settingsOf(entry, 'span-dest-port').join(' ')}`,
      translation: { kind: 'mirror' },
    });
  }
  const sniffer = scope.sections.get('switch-controller traffic-sniffer')?.own;
  const target = sniffer && setOf(settingOf(sniffer, 'erspan-ip') ?? '');
  if (sniffer && target)
    mirrorRule(scope, sniffer, redirect, {
      matches: [ANY_TRAFFIC],
      enabled: settingOf(sniffer, 'mode') !== 'none',
      action: 'traffic-sniffer',
      translation: { kind: 'mirror', addresses: target },
      unresolved: ['what the managed switches are told to mirror'],
    });
}

function mirrorRule(
  scope: FortiScope,
  entry: FortiEntry,
  redirect: PolicyBuilder,
  draft: {
    readonly matches: readonly Traffic[];
    readonly enabled: boolean;
    readonly action: string;
    readonly translation: Translation;
    readonly unresolved?: readonly string[];
  },
): void {
  const rule = scope.assembly.rule({
    ...draft,
    key: scoped(scope, `mirror ${entry.name}`.trimEnd()),
    kind: 'mirror',
    list: scoped(scope, 'mirror'),
    lines: entry.lines.slice(0, MAX_LINES),
  });
  redirect.entry(rule, 'translate', { translation: draft.translation });
}

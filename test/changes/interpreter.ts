// one packet through a rule set, entry by entry: what the evaluation over regions is checked against
import { hasAddress } from '../../src/model/addresses.ts';
import { contains } from '../../src/model/ranges.ts';
import type { Policy, PolicyEntry, RuleSet, Stage } from '../../src/model/rule.ts';
import { hasService } from '../../src/model/services.ts';
import { hasName, type Traffic } from '../../src/model/traffic.ts';

export interface Packet {
  ingress: string;
  egress: string;
  source: number;
  destination: number;
  protocol: number;
  port: number;
  sourcePort: number;
}

/** What one packet becomes for one choice of the device; "self" where it goes to an address only the device knows. */
export interface Fate {
  destination: number | 'self';
  port: number;
  redirect: string;
  source: string;
}

export function inBox(box: Traffic, p: Packet): boolean {
  return (
    hasName(box.ingress, p.ingress) &&
    hasName(box.egress, p.egress) &&
    hasAddress(box.sources, p.source) &&
    hasAddress(box.destinations, p.destination) &&
    hasService(box.services, p.protocol, p.port) &&
    contains(box.sourcePorts, p.sourcePort)
  );
}

const show = (value: unknown) => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `${v}` : v)) ?? '';
const applies = (policy: Policy, p: Packet) =>
  hasName(policy.appliesTo.ingress, p.ingress) && hasName(policy.appliesTo.egress, p.egress);

function decisive(policy: Policy, p: Packet, also: (entry: PolicyEntry) => boolean): PolicyEntry | undefined {
  const matching = policy.entries.filter((entry) => {
    if (!inBox(entry.match, p) || !also(entry)) return false;
    const stops = entry.action === 'drop' || entry.action === 'exempt';
    return !(stops && entry.unresolved.length > 0);
  });
  return policy.evaluation === 'first-match' ? matching[0] : matching.at(-1);
}

function nat(ruleSet: RuleSet, stage: Stage, p: Packet, also: (entry: PolicyEntry) => boolean) {
  for (const policy of ruleSet.policies) {
    if (policy.stage !== stage || !applies(policy, p)) continue;
    const entry = decisive(policy, p, also);
    if (entry) return entry.action === 'translate' ? entry : undefined;
  }
  return undefined;
}

const values = (ranges: readonly number[]) =>
  ranges.flatMap((first, i) =>
    i % 2 ? [] : Array.from({ length: ranges[i + 1] - first + 1 }, (_, n) => first + n),
  );

/** Every packet that destination NAT may make of this one. */
function translated(ruleSet: RuleSet, p: Packet): { packet: Packet; self: boolean }[] {
  const entry = nat(ruleSet, 'destination-nat', p, () => true);
  if (!entry?.translation) return [{ packet: p, self: false }];
  const { addresses, ports, offset } = entry.translation;
  let targets = [p.destination];
  if (addresses) targets = values(addresses.v4);
  if (addresses && offset) {
    const from = entry.match.destinations.v4;
    const oneToOne = from.length === 2 && from[1] - from[0] === addresses.v4[1] - addresses.v4[0];
    if (oneToOne) targets = [p.destination - from[0] + addresses.v4[0]];
  }
  const hasPorts = [6, 17].includes(p.protocol);
  const choices = ports && hasPorts ? values(ports) : [p.port];
  return targets.flatMap((destination) =>
    choices.map((port) => ({ packet: { ...p, destination, port }, self: !addresses })),
  );
}

export function fatesOf(ruleSet: RuleSet, arriving: Packet): Fate[] {
  const fates: Fate[] = [];
  for (const { packet: p, self } of translated(ruleSet, arriving)) {
    if (self) {
      fates.push({ destination: 'self', port: p.port, redirect: '', source: '' });
      continue;
    }
    const stops = ruleSet.policies.some((policy) => {
      if (policy.stage !== 'filter' || !applies(policy, p)) return false;
      return (decisive(policy, p, () => true)?.action ?? policy.otherwise) === 'drop';
    });
    if (stops) continue;
    const isMirror = (entry: PolicyEntry) => entry.translation?.kind === 'mirror';
    const route = nat(ruleSet, 'redirect', p, (entry) => !isMirror(entry));
    const source = nat(ruleSet, 'source-nat', p, () => true);
    const { destination, port } = p;
    fates.push({
      destination,
      port,
      redirect: route ? show(route.translation) : '',
      source: source ? show(source.translation) : '',
    });
    for (const policy of ruleSet.policies) {
      if (policy.stage !== 'redirect' || !applies(policy, p)) continue;
      const list = policy.evaluation === 'first-match' ? policy.entries : policy.entries.toReversed();
      for (const entry of list) {
        if (!inBox(entry.match, p)) continue;
        if (entry.action === 'exempt' && entry.unresolved.length === 0) break;
        if (isMirror(entry) && entry.action === 'translate')
          fates.push({ destination, port, redirect: show(entry.translation), source: '' });
      }
    }
  }
  return fates;
}

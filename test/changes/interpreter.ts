// one packet through a rule set, entry by entry: what the evaluation over regions is checked against
import { hasAddress } from '../../src/model/addresses.ts';
import { contains } from '../../src/model/ranges.ts';
import type { Policy, PolicyEntry, RuleSet, Stage, Translation } from '../../src/model/rule.ts';
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
  /** False where it passes under some truth values only of the conditions that are not resolved. */
  sure: boolean;
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

/** A packet on its way: where it goes by now, and what is known of its source after source NAT. */
interface Travelling {
  readonly packet: Packet;
  readonly self: boolean;
  readonly translated: boolean;
}

function decisive(
  policy: Policy,
  { packet, translated }: Travelling,
  also: (entry: PolicyEntry) => boolean,
): PolicyEntry | undefined {
  const matching = policy.entries.filter((entry) => {
    if (!inBox(entry.match, packet) || !also(entry) || !inState(entry, translated)) return false;
    const stops = entry.action === 'drop' || entry.action === 'exempt';
    return !(stops && entry.unresolved.length > 0);
  });
  return policy.evaluation === 'first-match' ? matching[0] : matching.at(-1);
}

const inState = (entry: PolicyEntry, translated: boolean): boolean =>
  entry.translated === undefined || entry.translated === translated;

function nat(ruleSet: RuleSet, stage: Stage, at: Travelling, also: (entry: PolicyEntry) => boolean) {
  for (const policy of ruleSet.policies) {
    if (policy.stage !== stage || !applies(policy, at.packet)) continue;
    const entry = decisive(policy, at, also);
    if (entry) return entry.action === 'translate' ? entry : undefined;
  }
  return undefined;
}

const values = (ranges: readonly number[]) =>
  ranges.flatMap((first, i) =>
    i % 2 ? [] : Array.from({ length: ranges[i + 1] - first + 1 }, (_, n) => first + n),
  );

/** What one address may become; undefined where only the device knows. */
function outcomes(address: number, entry: PolicyEntry, from: readonly number[]): number[] | undefined {
  const { addresses, offset } = entry.translation as Translation;
  if (!addresses) return undefined;
  const oneToOne = from.length === 2 && from[1] - from[0] === addresses.v4[1] - addresses.v4[0];
  return offset && oneToOne ? [address - from[0] + addresses.v4[0]] : values(addresses.v4);
}

/** Every packet that destination NAT may make of this one. */
function translated(ruleSet: RuleSet, p: Packet): Travelling[] {
  const arriving = { packet: p, self: false, translated: false };
  const entry = nat(ruleSet, 'destination-nat', arriving, () => true);
  if (!entry?.translation) return [arriving];
  const { ports } = entry.translation;
  const targets = outcomes(p.destination, entry, entry.match.destinations.v4);
  const choices = ports && [6, 17].includes(p.protocol) ? values(ports) : [p.port];
  return (targets ?? [p.destination]).flatMap((destination) =>
    choices.map((port) => ({
      packet: { ...p, destination, port },
      self: targets === undefined,
      translated: true,
    })),
  );
}

/** Whether an entry is met, and under how many of the device's choices of a source. */
type Meeting = 'always' | 'sometimes' | 'never';

function meeting(entry: PolicyEntry, at: Travelling, sources: readonly number[] | undefined): Meeting {
  if (!inState(entry, at.translated)) return 'never';
  if (!sources) {
    const all = { ...entry.match, sources: { v4: [0, 2 ** 32 - 1], v6: [] } };
    const { v4 } = entry.match.sources;
    if (!inBox(all, at.packet) || v4.length === 0) return 'never';
    return v4.length === 2 && v4[0] === 0 && v4[1] === 2 ** 32 - 1 ? 'always' : 'sometimes';
  }
  const met = sources.filter((source) => inBox(entry.match, { ...at.packet, source }));
  return met.length === 0 ? 'never' : met.length === sources.length ? 'always' : 'sometimes';
}

/** What a list of filters does with a packet, over every truth value of the conditions that it meets. */
function verdictOf(
  policies: readonly Policy[],
  at: Travelling,
  sources: readonly number[] | undefined,
): 'passes' | 'may' | 'stops' {
  const met = policies
    .filter((policy) => applies(policy, at.packet))
    .map((policy) => ({
      otherwise: policy.otherwise,
      entries: (policy.evaluation === 'first-match' ? policy.entries : policy.entries.toReversed())
        .map((entry) => ({ entry, meeting: meeting(entry, at, sources) }))
        .filter((one) => one.meeting !== 'never'),
    }));
  const isOpen = (one: { entry: PolicyEntry; meeting: Meeting }) =>
    one.meeting === 'sometimes' || one.entry.unresolved.length > 0;
  const conditions = met.flatMap(({ entries }) =>
    entries.filter((one) => isOpen(one) && one.entry.action === 'accept'),
  );
  const passes: boolean[] = [];
  for (let world = 0; world < 2 ** conditions.length; world++) {
    const isTrue = (one: { entry: PolicyEntry; meeting: Meeting }) =>
      !isOpen(one) || (one.entry.action === 'accept' && ((world >> conditions.indexOf(one)) & 1) === 1);
    passes.push(
      met.every(({ entries, otherwise }) => (entries.find(isTrue)?.entry.action ?? otherwise) !== 'drop'),
    );
  }
  return passes.every(Boolean) ? 'passes' : passes.some(Boolean) ? 'may' : 'stops';
}

export function fatesOf(ruleSet: RuleSet, arriving: Packet): Fate[] {
  const filters = (sees: Policy['sees']) =>
    ruleSet.policies.filter((policy) => policy.stage === 'filter' && policy.sees === sees);
  const first = { packet: arriving, self: false, translated: false };
  const early = verdictOf(filters('untranslated'), first, [arriving.source]);
  if (early === 'stops') return [];
  const fates: Fate[] = [];
  for (const at of translated(ruleSet, arriving)) {
    const { packet: p, self } = at;
    const { destination, port } = p;
    if (self) {
      fates.push({ destination: 'self', port, redirect: '', source: '', sure: early === 'passes' });
      continue;
    }
    const isMirror = (entry: PolicyEntry) => entry.translation?.kind === 'mirror';
    const route = nat(ruleSet, 'redirect', at, (entry) => !isMirror(entry));
    const source = nat(ruleSet, 'source-nat', at, () => true);
    const sources = source ? outcomes(p.source, source, source.match.sources.v4) : [p.source];
    const verdicts = [
      early,
      verdictOf(filters(undefined), at, [p.source]),
      verdictOf(filters('translated'), at, sources),
    ];
    if (verdicts.includes('stops')) continue;
    const sure = !verdicts.includes('may');
    fates.push({
      destination,
      port,
      redirect: route ? show(route.translation) : '',
      source: source ? show(source.translation) : '',
      sure,
    });
    for (const policy of ruleSet.policies) {
      if (policy.stage !== 'redirect' || !applies(policy, p)) continue;
      const list = policy.evaluation === 'first-match' ? policy.entries : policy.entries.toReversed();
      for (const entry of list) {
        if (!inBox(entry.match, p) || !inState(entry, at.translated)) continue;
        if (entry.action === 'exempt' && entry.unresolved.length === 0) break;
        if (isMirror(entry) && entry.action === 'translate')
          fates.push({ destination, port, redirect: show(entry.translation), source: '', sure });
      }
    }
  }
  return fates;
}

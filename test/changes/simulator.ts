// one packet through a rule set, entry by entry: what the evaluation over regions is checked against; of the model it takes types only
import type { AddressSet } from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, RuleSet, Stage, Translation } from '../../src/model/rule.ts';
import type { NameSet, Traffic } from '../../src/model/traffic.ts';

type Address = number | bigint;

export interface Packet {
  ingress: string;
  egress: string;
  source: Address;
  destination: Address;
  protocol: number;
  port: number;
  sourcePort: number;
}

/** What one packet becomes for one choice of the device; "self" where it goes to an address only the device knows. */
export interface Fate {
  readonly destination: Address | 'self';
  readonly port: number;
  /** Whether destination NAT acted on it. */
  readonly translated: boolean;
  readonly redirect: Translation | undefined;
  readonly source: PolicyEntry | undefined;
  /** False where it passes under some truth values only of the conditions that are not resolved. */
  readonly sure: boolean;
}

function among(flat: readonly Address[], value: Address): boolean {
  for (let i = 0; i < flat.length; i += 2) if (value >= flat[i] && value <= flat[i + 1]) return true;
  return false;
}

const inSet = ({ v4, v6 }: AddressSet, address: Address): boolean =>
  among(typeof address === 'number' ? v4 : v6, address);
const named = ({ except, names }: NameSet, name: string): boolean => names.includes(name) !== except;

const besidesSource = (box: Traffic, p: Packet): boolean =>
  among(box.services, p.protocol * 65_536 + p.port) &&
  inSet(box.destinations, p.destination) &&
  named(box.ingress, p.ingress) &&
  named(box.egress, p.egress);

export const inBox = (box: Traffic, p: Packet): boolean =>
  besidesSource(box, p) && inSet(box.sources, p.source) && among(box.sourcePorts, p.sourcePort);

const stops = ({ action }: PolicyEntry) => action === 'drop' || action === 'exempt';
const inOrder = ({ entries, evaluation }: Policy) =>
  evaluation === 'first-match' ? entries : [...entries].reverse();
const isMirror = ({ translation }: PolicyEntry) => translation?.kind === 'mirror';

/** A rule set with its policies at hand by stage. */
export interface Simulated {
  readonly nat: Readonly<Record<Exclude<Stage, 'filter'>, readonly Ordered[]>>;
  readonly filters: Readonly<Record<'early' | 'middle' | 'late', readonly Ordered[]>>;
}

interface Ordered {
  readonly policy: Policy;
  readonly entries: readonly PolicyEntry[];
}

export function simulated({ policies }: RuleSet): Simulated {
  const ordered = policies.map((policy) => ({ policy, entries: inOrder(policy) }));
  const at = (stage: Stage) => ordered.filter(({ policy }) => policy.stage === stage);
  const seeing = (sees: Policy['sees']) => at('filter').filter(({ policy }) => policy.sees === sees);
  return {
    nat: {
      'destination-nat': at('destination-nat'),
      redirect: at('redirect'),
      'source-nat': at('source-nat'),
    },
    filters: { early: seeing('untranslated'), middle: seeing(undefined), late: seeing('translated') },
  };
}

const applies = ({ appliesTo }: Policy, p: Packet): boolean =>
  named(appliesTo.ingress, p.ingress) && named(appliesTo.egress, p.egress);
const inState = ({ translated }: PolicyEntry, isTranslated: boolean): boolean =>
  translated === undefined || translated === isTranslated;

/** The entry that ends a stage for a packet. */
function ending(
  policies: readonly Ordered[],
  p: Packet,
  isTranslated: boolean,
  counts: (entry: PolicyEntry) => boolean,
): PolicyEntry | undefined {
  for (const { policy, entries } of policies) {
    if (!applies(policy, p)) continue;
    for (const entry of entries)
      if (
        counts(entry) &&
        inState(entry, isTranslated) &&
        !(stops(entry) && entry.unresolved.length > 0) &&
        inBox(entry.match, p)
      )
        return entry;
  }
  return undefined;
}

function every(flat: readonly Address[]): Address[] {
  const values: Address[] = [];
  for (let i = 0; i < flat.length; i += 2)
    for (let value = flat[i]; value <= flat[i + 1]; value++) values.push(value);
  return values;
}

/** What an address may become; undefined where only the device knows. */
function outcomes(address: Address, of: AddressSet, translation: Translation): Address[] | undefined {
  const { addresses, offset } = translation;
  if (!addresses || addresses.v4.length + addresses.v6.length === 0) return undefined;
  const isFour = typeof address === 'number';
  const [from, to] = isFour ? [of.v4, addresses.v4] : [of.v6, addresses.v6];
  const isOneToOne = from.length === 2 && to.length === 2 && sizeOf(from) === sizeOf(to);
  if (!offset || !isOneToOne) return every(to);
  return [isFour ? address - Number(from[0]) + Number(to[0]) : address - BigInt(from[0]) + BigInt(to[0])];
}

const sizeOf = ([first, last]: readonly Address[]): bigint => BigInt(last) - BigInt(first);

const PORTED = [6, 17, 33, 132, 136];

interface Travelling {
  readonly packet: Packet;
  readonly self: boolean;
  readonly translated: boolean;
}

/** Every packet that destination NAT may make of this one; none where it is dropped there. */
function arrivals({ nat }: Simulated, packet: Packet): Travelling[] {
  const entry = ending(nat['destination-nat'], packet, false, () => true);
  if (entry?.action === 'drop') return [];
  if (entry?.action !== 'translate' || !entry.translation)
    return [{ packet, self: false, translated: false }];
  const targets = outcomes(packet.destination, entry.match.destinations, entry.translation);
  const { ports } = entry.translation;
  const choices = ports && PORTED.includes(packet.protocol) ? (every(ports) as number[]) : [packet.port];
  return (targets ?? [packet.destination]).flatMap((destination) =>
    choices.map((port) => ({
      packet: { ...packet, destination, port },
      self: targets === undefined,
      translated: true,
    })),
  );
}

type Meeting = 'always' | 'sometimes' | 'never';

/** Whether an entry is met, over the device's choices of a source. */
function meeting(entry: PolicyEntry, at: Travelling, source: PolicyEntry | undefined): Meeting {
  const { packet } = at;
  if (!inState(entry, at.translated)) return 'never';
  const { translation } = source ?? {};
  if (!source || !translation) return inBox(entry.match, packet) ? 'always' : 'never';
  if (!besidesSource(entry.match, packet)) return 'never';
  const sources = outcomes(packet.source, source.match.sources, translation);
  const ports = translation.ports ? every(translation.ports) : [packet.sourcePort];
  const portsMet = ports.filter((port) => among(entry.match.sourcePorts, port)).length;
  if (portsMet === 0) return 'never';
  const isAllPorts = portsMet === ports.length;
  if (!sources) {
    const own = typeof packet.source === 'number' ? entry.match.sources.v4 : entry.match.sources.v6;
    if (own.length === 0) return 'never';
    const last = typeof packet.source === 'number' ? 2 ** 32 - 1 : 2n ** 128n - 1n;
    return isAllPorts && BigInt(own[0]) === 0n && own[1] === last ? 'always' : 'sometimes';
  }
  const met = sources.filter((address) => inSet(entry.match.sources, address)).length;
  if (met === 0) return 'never';
  return isAllPorts && met === sources.length ? 'always' : 'sometimes';
}

const isMapped = ({ match, translation }: PolicyEntry): boolean => {
  const [from, to] = [match.sources, translation?.addresses as AddressSet].map(({ v4, v6 }) => [
    ...v4,
    ...v6,
  ]);
  return from.length === 2 && to.length === 2 && sizeOf(from) === sizeOf(to);
};

type Verdict = 'passes' | 'may' | 'stops';

/** All filters must accept. What is open (unresolved, or met for some choices only) may let through, and stops nothing. */
function verdictOf(policies: readonly Ordered[], at: Travelling, source: PolicyEntry | undefined): Verdict {
  let isSure = true;
  for (const { policy, entries } of policies) {
    if (!applies(policy, at.packet)) continue;
    let accepts = policy.otherwise !== 'drop';
    let mayAccept = false;
    for (const entry of entries) {
      const met = meeting(entry, at, source);
      if (met === 'never') continue;
      if (met === 'always' && entry.unresolved.length === 0) {
        accepts = entry.action === 'accept';
        break;
      }
      mayAccept ||= entry.action === 'accept';
    }
    if (!accepts && !mayAccept) return 'stops';
    isSure &&= accepts;
  }
  return isSure ? 'passes' : 'may';
}

export function fatesOf(side: Simulated, arriving: Packet): Fate[] {
  const { nat, filters } = side;
  const early = verdictOf(filters.early, { packet: arriving, self: false, translated: false }, undefined);
  if (early === 'stops') return [];
  const fates: Fate[] = [];
  for (const at of arrivals(side, arriving)) {
    const { packet, self, translated } = at;
    const { destination, port } = packet;
    const way = { destination, port, translated, redirect: undefined, source: undefined };
    if (self) {
      fates.push({ ...way, destination: 'self', sure: early === 'passes' });
      continue;
    }
    const source = ending(nat['source-nat'], packet, translated, () => true);
    const masked = source?.action === 'translate' ? source : undefined;
    const verdicts = [early, verdictOf(filters.middle, at, undefined), verdictOf(filters.late, at, masked)];
    if (verdicts.includes('stops') || source?.action === 'drop') continue;
    const sure = !verdicts.includes('may');
    const route = ending(nat.redirect, packet, translated, (entry) => !isMirror(entry));
    if (route?.action !== 'drop')
      fates.push({
        ...way,
        redirect: route?.action === 'translate' ? route.translation : undefined,
        source: masked,
        sure,
      });
    for (const copy of copiesOf(side, at)) fates.push({ ...way, redirect: copy.translation, sure });
  }
  return fates;
}

function copiesOf({ nat }: Simulated, { packet, translated }: Travelling): PolicyEntry[] {
  const copies: PolicyEntry[] = [];
  for (const { policy, entries } of nat.redirect) {
    if (!applies(policy, packet)) continue;
    for (const entry of entries) {
      if (!inState(entry, translated) || !inBox(entry.match, packet)) continue;
      if (stops(entry) && entry.unresolved.length === 0) break;
      if (entry.action === 'translate' && isMirror(entry)) copies.push(entry);
    }
  }
  return copies;
}

const textOf = (translation: Translation | undefined): string =>
  translation === undefined
    ? ''
    : JSON.stringify(translation, (_, value) => (typeof value === 'bigint' ? `${value}` : value));

/** How the packet seems to be from: a translation that keeps each offset by what it makes of this source. */
function sourceText(entry: PolicyEntry | undefined, source: Address): string {
  if (!entry?.translation) return '';
  const { translation } = entry;
  if (!translation.offset || !isMapped(entry)) return textOf(translation);
  const [to] = outcomes(source, entry.match.sources, translation) ?? [];
  return `one to one ${to} ${translation.ports ?? ''}`;
}

const known = new WeakMap<Fate, string>();

/** Equal for fates that are the same to both ends and all between. */
export function fateText(fate: Fate, p: Packet): string {
  const text =
    known.get(fate) ??
    `${fate.destination}:${fate.port}|${textOf(fate.redirect)}|${sourceText(fate.source, p.source)}`;
  known.set(fate, text);
  return text;
}

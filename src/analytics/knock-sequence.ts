// contacts toward a host -> sequences of closed ports that one source (or several in turn) tried before a time
import { parseAddress } from '../model/addresses.ts';
import type { Contact } from '../model/host.ts';

/** One packet (with its retries, by whoever saw it) to a port that did not answer. */
export interface Hit {
  readonly atMs: number;
  readonly source: string;
  /** "tcp/7000", "udp/7000", "icmp". */
  readonly door: string;
  readonly port?: number;
  readonly contact: Contact;
}

export type SequenceKind =
  /** Enough different ports. */
  | 'ports'
  /** Enough hits, but on fewer ports: 7000, 8000, 7000. */
  | 'repeating'
  /** Hits without ports, alone or beside a few with one. */
  | 'icmp'
  /** So many ports, or so many more afterwards, that somebody looks for open ones. */
  | 'scan'
  /** Hits of several sources in turn: of one network, or unrelated. */
  | 'rotation-network'
  | 'rotation'
  /** One UDP packet (single-packet authorisation). */
  | 'packet';

export interface Sequence {
  readonly kind: SequenceKind;
  /** One, but for rotations. */
  readonly sources: readonly string[];
  readonly hits: readonly Hit[];
  /** Different doors in the order of their first hit. */
  readonly doors: readonly string[];
}

export interface SequenceLimits {
  /** What the sequence came before. */
  readonly beforeMs: number;
  readonly minLength: number;
  readonly maxLength: number;
  /** Most time between one hit and the next. */
  readonly toleranceMs: number;
  /** The first hit is at most so long before `beforeMs`. */
  readonly windowMs: number;
  /** Clocks of different sensors agree so well: a hit may seem to come so much after `beforeMs`. */
  readonly slackMs: number;
}

const CLOSED: ReadonlySet<Contact['outcome']> = new Set(['dropped', 'unknown', 'refused', 'unanswered']);
/** A SYN is sent again after 1, 3, 7, 15, 31 and 63 s (Linux tcp_syn_retries). */
const RETRIES_MS = 66_000;
/** The same packet as another sensor tells it: log lines often have whole seconds only. */
const SENSORS_MS = 2000;
const OPEN_MS = 3000;
/** How many sightings of a port before are compared with the next. */
const MAX_SIGHTINGS = 50;

/** By source, each in order of time; of equal times in the order given. Retries and second sightings are one hit. */
export function hitsOf(contacts: readonly Contact[]): Map<string, Hit[]> {
  const opened = new Map<string, Contact[]>();
  for (const contact of contacts)
    if (!CLOSED.has(contact.outcome)) append(opened, `${contact.source} ${doorOf(contact)}`, contact);
  const found = new Map<string, Hit[]>();
  const seen = new Map<string, Contact[]>();
  for (const contact of [...contacts].sort((a, b) => a.atMs - b.atMs)) {
    const door = doorOf(contact);
    const key = `${contact.source} ${door}`;
    if (!CLOSED.has(contact.outcome) || opened.get(key)?.some((one) => isSameTry(one, contact))) continue;
    const isAgain =
      seen
        .get(key)
        ?.slice(-MAX_SIGHTINGS)
        .some((one) => isSameHit(one, contact)) ?? false;
    append(seen, key, contact);
    if (isAgain) continue;
    append(found, contact.source, {
      atMs: contact.atMs,
      source: contact.source,
      door,
      port: contact.port,
      contact,
    });
  }
  return found;
}

const doorOf = ({ protocol, port }: Contact) => (port === undefined ? protocol : `${protocol}/${port}`);

/** Logged once by a rule that only notes it, and once by the one that lets it in. */
function isSameTry(open: Contact, closed: Contact): boolean {
  if (
    open.sourcePort !== undefined &&
    closed.sourcePort !== undefined &&
    open.sourcePort !== closed.sourcePort
  )
    return false;
  return closed.outcome === 'unknown' && Math.abs(open.atMs - closed.atMs) <= OPEN_MS;
}

function isSameHit(before: Contact, now: Contact): boolean {
  const gapMs = now.atMs - before.atMs;
  // Behind NAT the other sensor sees another source port.
  if (before.seenBy !== now.seenBy && gapMs <= SENSORS_MS) return true;
  if (now.port === undefined || before.sourcePort === undefined || now.sourcePort === undefined) return false;
  // A UDP socket may knock twice at one port on purpose; TCP does not reuse a source port so soon.
  return before.sourcePort === now.sourcePort && now.protocol === 'tcp' && gapMs <= RETRIES_MS;
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/**
 * The best sequence of each source: enough different doors before enough hits, the latest of equals. `isDoor`: false for ports
 * that are what the knock is to open. Order of sources as in `hits`.
 */
export function findSequences(
  hits: ReadonlyMap<string, readonly Hit[]>,
  limits: SequenceLimits,
  isDoor: (hit: Hit) => boolean = () => true,
): Sequence[] {
  return [...hits].flatMap(([source, all]) => {
    const own = all.filter(isDoor);
    const before = own.filter((hit) => isWithin(hit, limits));
    const best = runsOf(before, limits.toleranceMs)
      .map((run) => sequenceOf(run, [source], limits))
      .filter((one) => one !== undefined)
      .sort(
        (a, b) => RANK.indexOf(a.kind) - RANK.indexOf(b.kind) || lastOf(b.hits).atMs - lastOf(a.hits).atMs,
      )[0];
    if (!best) return [];
    return [isScan(own, before, best, limits) ? { ...best, kind: 'scan' as const } : best];
  });
}

const RANK: readonly SequenceKind[] = ['ports', 'repeating', 'icmp'];
const lastOf = (hits: readonly Hit[]) => hits[hits.length - 1];

const isWithin = ({ atMs }: Hit, { beforeMs, windowMs, slackMs }: SequenceLimits): boolean =>
  atMs >= beforeMs - windowMs && atMs <= beforeMs + slackMs;

/** Hits in order of time, parted where the next comes too late. */
function runsOf(hits: readonly Hit[], toleranceMs: number): Hit[][] {
  const runs: Hit[][] = [];
  for (const hit of hits) {
    const run = runs[runs.length - 1];
    if (run && hit.atMs - lastOf(run).atMs <= toleranceMs) run.push(hit);
    else runs.push([hit]);
  }
  return runs;
}

function sequenceOf(
  run: readonly Hit[],
  sources: readonly string[],
  { minLength }: SequenceLimits,
): Sequence | undefined {
  const doors = [...new Set(run.map(({ door }) => door))];
  const ports = new Set(run.filter(({ port }) => port !== undefined).map(({ door }) => door)).size;
  // Trying one port again is no further step; another ICMP packet is.
  const steps = run.filter(({ door, port }, i) => port === undefined || door !== run[i - 1]?.door).length;
  const hasIcmp = run.some(({ port }) => port === undefined);
  if (ports >= minLength) return { kind: 'ports', sources, hits: run, doors };
  if (steps < minLength || (!hasIcmp && doors.length < 2)) return undefined;
  return { kind: hasIcmp ? 'icmp' : 'repeating', sources, hits: run, doors };
}

/** A knock ends with what it asked for; who looks for open ports goes on, or has tried very many. */
function isScan(
  own: readonly Hit[],
  before: readonly Hit[],
  { doors }: Sequence,
  { beforeMs, slackMs, minLength, maxLength }: SequenceLimits,
): boolean {
  if (new Set(before.map(({ door }) => door)).size > maxLength) return true;
  const later = own.filter(({ atMs, door }) => atMs > beforeMs + slackMs && !doors.includes(door));
  return new Set(later.map(({ door }) => door)).size >= minLength;
}

/**
 * A sequence of several sources in turn, one of them `source` (whom the change or a connection names), each with few hits.
 * Undefined also where so many others are refused that any hits would look like one.
 */
export function findRotation(
  hits: ReadonlyMap<string, readonly Hit[]>,
  source: string,
  limits: SequenceLimits,
  isDoor: (hit: Hit) => boolean = () => true,
): Sequence | undefined {
  if (!hits.has(source)) return undefined;
  const few = [...hits.values()]
    .map((own) => own.filter((hit) => isDoor(hit) && hit.port !== undefined && isWithin(hit, limits)))
    .filter((own) => own.length > 0 && own.length < limits.minLength);
  for (const kind of ['rotation-network', 'rotation'] as const) {
    const sameNetwork = networkOf(source);
    const all = few
      .flat()
      .filter((hit) => kind === 'rotation' || networkOf(hit.source) === sameNetwork)
      .sort((a, b) => a.atMs - b.atMs);
    if (new Set(all.map(({ door }) => door)).size > limits.maxLength) continue;
    for (const run of runsOf(all, limits.toleranceMs).reverse()) {
      const sources = [...new Set(run.map((hit) => hit.source))];
      if (!sources.includes(source) || sources.length < 2) continue;
      const found = sequenceOf(run, sources, limits);
      if (found?.kind === 'ports') return { ...found, kind };
    }
  }
  return undefined;
}

/** The /24 of an IPv4 address, the /64 of an IPv6 one. */
function networkOf(address: string): string {
  try {
    const value = parseAddress(address);
    return typeof value === 'number' ? `4 ${value >>> 8}` : `6 ${value >> 64n}`;
  } catch {
    return address;
  }
}

/** The last single UDP packet of the source to a closed port at most `withinMs` before; undefined where it knocked at several. */
export function findPacket(
  hits: ReadonlyMap<string, readonly Hit[]>,
  source: string,
  limits: SequenceLimits,
  withinMs: number,
): Sequence | undefined {
  const own = (hits.get(source) ?? []).filter((hit) => isWithin(hit, { ...limits, windowMs: withinMs }));
  const doors = [...new Set(own.map(({ door }) => door))];
  if (doors.length !== 1 || own[0].contact.protocol !== 'udp') return undefined;
  return { kind: 'packet', sources: [source], hits: own.slice(-1), doors };
}

// `nat` statements of the ASA since 8.3, twice NAT and object NAT -> what they translate
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { type End, named } from './asa-match.ts';
import { serviceBox } from './asa-objects.ts';
import { asaPort, asaProtocols } from './asa-ports.ts';
import { type AsaScope, statements } from './asa-scope.ts';
import { type Cursor, setOf } from './cisco-address.ts';
import { lineOf, wordsOf } from './indent.ts';
import type { ServiceBox } from './objects.ts';

/** Addresses of a statement; undefined `set`: only the device knows them. */
export interface Operand {
  readonly set: addresses.AddressSet | undefined;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

export interface AsaNat {
  /** 1 and 3: twice NAT in the order of the text; 2: object NAT in an order of its own. */
  readonly section: 1 | 2 | 3;
  readonly isStatic: boolean;
  /** nameifs. */
  readonly from: string;
  readonly to: string;
  readonly real: Operand;
  readonly mapped: Operand;
  /** Packets from the real side have `mapped` as destination and get `real`. */
  readonly destination?: { readonly mapped: Operand; readonly real: Operand };
  /** Packets from the real side match the first and get the ports of the second. */
  readonly services?: { readonly before: ServiceBox; readonly after: ServiceBox };
  readonly serviceUnresolved: readonly string[];
  readonly enabled: boolean;
  readonly isOneWay: boolean;
  readonly object?: string;
  /** The statement without line number, section, state and description. */
  readonly text: string;
  readonly comment?: string;
  readonly lines: readonly SourceLine[];
}

/** In the order in which they are tried: section 1, objects, section 3 ("NAT Rule Order", CLI configuration guide). */
export function readAsaNat(scope: AsaScope): AsaNat[] {
  const twice = statements(scope, 'nat').flatMap(({ block, words }) => {
    const found = readTwice(scope, words, lineOf(block));
    if (!found) scope.assembly.notUnderstood(block);
    return found ?? [];
  });
  const ofObjects = scope.objects.nats.flatMap(({ name, line }) => {
    const found = readObjectNat(scope, name, line);
    if (!found) scope.assembly.notUnderstood(line);
    return found ?? [];
  });
  return [
    ...twice.filter(({ section }) => section === 1),
    ...inObjectOrder(ofObjects),
    ...twice.filter(({ section }) => section === 3),
  ];
}

/** Static before dynamic, fewer addresses first, then the lowest address, then the name. */
function inObjectOrder(statementsOfObjects: readonly AsaNat[]): AsaNat[] {
  const keyed = statementsOfObjects.map((nat) => ({
    nat,
    count: nat.real.set ? addresses.countAddresses(nat.real.set) : Number.POSITIVE_INFINITY,
    lowest: lowest(nat.real.set),
    name: nat.object ?? '',
  }));
  keyed.sort(
    (a, b) =>
      Number(b.nat.isStatic) - Number(a.nat.isStatic) ||
      a.count - b.count ||
      (a.lowest < b.lowest ? -1 : a.lowest > b.lowest ? 1 : 0) ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  return keyed.map(({ nat }) => nat);
}

const lowest = (set: addresses.AddressSet | undefined): bigint => BigInt(set?.v4[0] ?? set?.v6[0] ?? 0);

const NOTHING: readonly never[] = [];
const operand = (set: addresses.AddressSet | undefined): Operand => ({
  set,
  unresolved: NOTHING,
  lines: NOTHING,
});
const ofEnd = ({ set, unresolved, lines }: End): Operand => ({ set, unresolved, lines });

/** "(inside,outside)" at the cursor; without it any interface. */
function interfacesAt(cursor: Cursor): readonly [string, string] {
  const written = /^\(([^(),\s]{1,64}),([^(),\s]{1,64})\)$/.exec(cursor.words[cursor.at] ?? '');
  if (!written) return ['any', 'any'];
  cursor.at++;
  return [written[1], written[2]];
}

/** `any`, an object or a group. */
function nameAt(scope: AsaScope, cursor: Cursor): Operand | undefined {
  const word = cursor.words[cursor.at++];
  if (word === undefined) return undefined;
  if (word === 'any') return operand(scope.anyIsBoth ? addresses.ANY_ADDRESS : addresses.ANY_V4);
  if (word === 'any4') return operand(addresses.ANY_V4);
  if (word === 'any6') return operand(addresses.ANY_V6);
  return ofEnd(named(scope, word));
}

/** `interface [ipv6]`: the address of an interface, as it is now. */
function ownAddressAt(scope: AsaScope, cursor: Cursor, nameif: string): Operand {
  cursor.at++;
  const isV6 = cursor.words[cursor.at] === 'ipv6';
  if (isV6) cursor.at++;
  return operand(scope.interfaces.addressOf(nameif, isV6 ? 'v6' : 'v4'));
}

/** What dynamic and static sources become: an interface, a pool, or a name (`inline`: or an address). */
function mappedAt(scope: AsaScope, cursor: Cursor, nameif: string, inline: boolean): Operand | undefined {
  const word = cursor.words[cursor.at];
  if (word === 'interface') return ownAddressAt(scope, cursor, nameif);
  const isPool = word === 'pat-pool';
  if (isPool) cursor.at++;
  const address = inline && !isPool ? setOf(scope.objects.alias(word ?? '')) : undefined;
  if (address) cursor.at++;
  let found = address ? operand(address) : nameAt(scope, cursor);
  if (found && !isPool && cursor.words[cursor.at] === 'pat-pool') {
    cursor.at++;
    found = both(found, nameAt(scope, cursor));
  }
  while (POOL_OPTIONS.test(cursor.words[cursor.at] ?? '')) cursor.at++;
  // What is left of a pool that is used up: the interface's own address.
  if (found && cursor.words[cursor.at] === 'interface')
    found = both(found, ownAddressAt(scope, cursor, nameif));
  while (POOL_OPTIONS.test(cursor.words[cursor.at] ?? '')) cursor.at++;
  return found;
}

const POOL_OPTIONS = /^(?:round-robin|extended|flat|include-reserve|block-allocation)$/;

function both(a: Operand, b: Operand | undefined): Operand {
  if (!b) return a;
  return {
    set: a.set && b.set ? addresses.unionAddresses(a.set, b.set) : undefined,
    unresolved: [...a.unresolved, ...b.unresolved],
    lines: [...a.lines, ...b.lines],
  };
}

function readTwice(scope: AsaScope, words: readonly string[], line: SourceLine): AsaNat | undefined {
  const cursor = { words, at: 1 };
  const [from, to] = interfacesAt(cursor);
  const isLast = words[cursor.at] === 'after-auto' || words[cursor.at] === 'after-object';
  if (isLast) cursor.at++;
  if (/^\d{1,6}$/.test(words[cursor.at] ?? '')) cursor.at++;
  if (words[cursor.at] !== 'source') return undefined;
  const start = cursor.at;
  const kind = words[cursor.at + 1];
  if (kind !== 'static' && kind !== 'dynamic') return undefined;
  cursor.at += 2;
  const real = nameAt(scope, cursor);
  const mapped = mappedAt(scope, cursor, to, false);
  if (!real || !mapped) return undefined;
  let destination: AsaNat['destination'];
  if (words[cursor.at] === 'destination' && words[cursor.at + 1] === 'static') {
    cursor.at += 2;
    const asked =
      words[cursor.at] === 'interface'
        ? arriving(ownAddressAt(scope, cursor, from), from)
        : nameAt(scope, cursor);
    const becomes = nameAt(scope, cursor);
    if (!asked || !becomes) return undefined;
    destination = { mapped: asked, real: becomes };
  }
  const services = words[cursor.at] === 'service' ? servicesAt(scope, cursor) : undefined;
  if (services === null) return undefined;
  const matchEnd = cursor.at;
  const options = readOptions(cursor);
  if (!options) return undefined;
  const parts = [real, mapped, ...(destination ? [destination.mapped, destination.real] : [])];
  return {
    section: isLast ? 3 : 1,
    isStatic: kind === 'static',
    from,
    to,
    real,
    mapped,
    ...(destination ? { destination } : {}),
    ...(services ? { services } : {}),
    serviceUnresolved: services?.unresolved ?? [],
    ...options,
    text: [
      `(${from},${to})`,
      ...words.slice(start, matchEnd),
      ...(options.isOneWay ? ['unidirectional'] : []),
    ].join(' '),
    lines: [line, ...parts.flatMap(({ lines }) => lines), ...(services?.lines ?? [])],
  };
}

/** What a packet must have as destination; a superset where only the device knows it. */
const arriving = (found: Operand, nameif: string): Operand =>
  found.set
    ? found
    : {
        set: addresses.ANY_ADDRESS,
        unresolved: [`address of ${nameif} is not in the configuration`],
        lines: NOTHING,
      };

function servicesAt(
  scope: AsaScope,
  cursor: Cursor,
):
  | (NonNullable<AsaNat['services']> & { unresolved: readonly string[]; lines: readonly SourceLine[] })
  | null {
  const names = cursor.words.slice(cursor.at + 1, cursor.at + 3);
  const pair = names.map((name) => (name === 'any' ? undefined : scope.objects.services.resolve(name)));
  cursor.at += 3;
  if (names.length < 2) return null;
  const everything = serviceBox(asaProtocols('ip')!, undefined, undefined);
  const [before, after] = pair.map((found) => found?.value[0] ?? everything);
  return {
    before,
    after,
    unresolved: [
      ...names.flatMap((name, i) => (pair[i] || name === 'any' ? [] : [`service ${name} is not defined`])),
      ...pair.flatMap((found) => found?.unresolved ?? []),
    ],
    lines: pair.flatMap((found) => found?.lines ?? []),
  };
}

const SETTINGS = /^(?:dns|net-to-net|no-proxy-arp|route-lookup)$/;

/** To the end; free text begins at `description`. Undefined where a word is not understood. */
function readOptions(cursor: Cursor): Pick<AsaNat, 'enabled' | 'isOneWay' | 'comment'> | undefined {
  let [enabled, isOneWay] = [true, false];
  for (; cursor.at < cursor.words.length; cursor.at++) {
    const word = cursor.words[cursor.at];
    if (word === 'description') {
      const comment = cursor.words.slice(cursor.at + 1).join(' ');
      return { enabled, isOneWay, comment };
    }
    if (word === 'inactive') enabled = false;
    else if (word === 'unidirectional') isOneWay = true;
    else if (!SETTINGS.test(word)) return undefined;
  }
  return { enabled, isOneWay };
}

function readObjectNat(scope: AsaScope, name: string, line: SourceLine): AsaNat | undefined {
  const cursor = { words: wordsOf(line.text), at: 1 };
  const [from, to] = interfacesAt(cursor);
  const kind = cursor.words[cursor.at++];
  if (kind !== 'static' && kind !== 'dynamic') return undefined;
  const start = cursor.at;
  const real = ofEnd(named(scope, name));
  const isInline = setOf(scope.objects.alias(cursor.words[cursor.at] ?? '')) !== undefined;
  const written = mappedAt(scope, cursor, to, true);
  if (!written) return undefined;
  // An address of its own begins a range as large as the object.
  const mapped = kind === 'static' && isInline ? { ...written, set: grown(written.set, real.set) } : written;
  let services: AsaNat['services'];
  if (cursor.words[cursor.at] === 'service') {
    const [, protocol, inside, outside] = cursor.words.slice(cursor.at, cursor.at + 4);
    const [protocols, before, after] = [asaProtocols(protocol), asaPort(inside), asaPort(outside)];
    if (!protocols || before === undefined || after === undefined) return undefined;
    cursor.at += 4;
    services = {
      before: serviceBox(protocols, [[before, before]], undefined),
      after: serviceBox(protocols, [[after, after]], undefined),
    };
  }
  const matchEnd = cursor.at;
  const options = readOptions(cursor);
  if (!options) return undefined;
  return {
    section: 2,
    isStatic: kind === 'static',
    from,
    to,
    real,
    mapped,
    ...(services ? { services } : {}),
    serviceUnresolved: [],
    ...options,
    object: name,
    text: [`(${from},${to})`, kind, ...cursor.words.slice(start, matchEnd)].join(' '),
    lines: [line, ...real.lines, ...mapped.lines],
  };
}

function grown(
  first: addresses.AddressSet | undefined,
  like: addresses.AddressSet | undefined,
): addresses.AddressSet | undefined {
  if (!first || !like || addresses.noAddresses(first)) return first;
  const count = addresses.countAddresses(like);
  if (first.v4.length > 0) {
    // A subnet of the same size, also where an address within it is written.
    const base =
      Math.log2(count) % 1 === 0 && like.v4[0] % count === 0
        ? first.v4[0] - (first.v4[0] % count)
        : first.v4[0];
    return addresses.addressRanges([[base, Math.min(base + count - 1, 0xffff_ffff)]]);
  }
  const size = like.v6.length === 2 ? like.v6[1] - like.v6[0] : 0n;
  return addresses.addressRanges([], [[first.v6[0], first.v6[0] + size]]);
}

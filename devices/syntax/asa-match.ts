// words of an ASA access list entry -> services, addresses and interfaces that it matches
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import type { NameSet } from '../../src/model/traffic.ts';
import { predefined, serviceBox, subnet } from './asa-objects.ts';
import { asaIcmp, asaPort, asaPorts, asaProtocols } from './asa-ports.ts';
import { type AsaScope, linesOnce } from './asa-scope.ts';
import { type Cursor, type PortPairs, setOf, unionOfServices, v4 } from './cisco-address.ts';
import type { ServiceBox } from './objects.ts';

export interface End {
  readonly set: addresses.AddressSet;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

export interface AsaMatch {
  readonly services: readonly ServiceBox[];
  readonly source: End;
  readonly destination: End;
  readonly names: { readonly ingress?: NameSet; readonly egress?: NameSet };
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

/** From the protocol to the last word of the destination; undefined where it is not understood. */
export function readMatch(
  scope: AsaScope,
  cursor: Cursor,
  kind: 'extended' | 'standard',
  isV6: boolean,
): AsaMatch | undefined {
  const any = isV6
    ? addresses.ANY_V6
    : scope.anyIsBoth && kind === 'extended'
      ? addresses.ANY_ADDRESS
      : addresses.ANY_V4;
  if (kind === 'standard') {
    const bare =
      v4(scope.objects.alias(cursor.words[cursor.at] ?? '')) !== undefined &&
      cursor.words[cursor.at + 1] === undefined;
    // A standard list names destinations (split tunnels, routes); where it is used as a condition its user turns it.
    const end = bare
      ? ended(setOf(scope.objects.alias(cursor.words[cursor.at++])))
      : addressAt(scope, cursor, any);
    return (
      end && {
        services: [EVERY],
        source: ended(any)!,
        destination: end,
        names: {},
        unresolved: end.unresolved,
        lines: end.lines,
      }
    );
  }
  const asked = protocolAt(scope, cursor);
  if (!asked) return undefined;
  const conditions: string[] = [];
  usersAt(cursor, conditions);
  const ingress = interfaceAt(scope, cursor);
  usersAt(cursor, conditions);
  const source = addressAt(scope, cursor, any);
  const from = source && portsAt(scope, cursor, asked.protocols);
  if (!source || from === null) return undefined;
  usersAt(cursor, conditions);
  const egress = interfaceAt(scope, cursor);
  usersAt(cursor, conditions);
  const destination = addressAt(scope, cursor, any);
  const to = destination && portsAt(scope, cursor, asked.protocols);
  if (!destination || to === null) return undefined;
  const parts = [asked, source, from, destination, to].filter((part) => part !== undefined);
  return {
    services: asked.services ?? [serviceBox(asked.protocols, from?.ports, to?.ports)],
    source,
    destination,
    names: { ...(ingress ? { ingress } : {}), ...(egress ? { egress } : {}) },
    unresolved: [...parts.flatMap(({ unresolved }) => unresolved), ...conditions],
    lines: joined(parts.map(({ lines }) => lines)),
  };
}

/** Lists run to a million entries: what comes from one group is not copied. */
function joined(lists: readonly (readonly SourceLine[])[]): readonly SourceLine[] {
  const filled = lists.filter(({ length }) => length > 0);
  return filled.length <= 1 ? (filled[0] ?? NONE) : linesOnce(filled.flat());
}

const EVERY: ServiceBox = serviceBox(asaProtocols('ip')!, undefined, undefined);
const NONE: readonly never[] = [];
const ended = (set: addresses.AddressSet | undefined): End | undefined =>
  set && { set, unresolved: NONE, lines: NONE };

interface Protocol {
  readonly protocols: readonly number[];
  /** Instead of protocols and ports. */
  readonly services?: readonly ServiceBox[];
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

const ALL = asaProtocols('ip')!;

/** `tcp`, `object S`, `object-group P` (of protocols or of services) at the cursor. */
function protocolAt(scope: AsaScope, cursor: Cursor): Protocol | undefined {
  const [word, name] = cursor.words.slice(cursor.at, cursor.at + 2);
  if (word !== 'object' && word !== 'object-group') {
    cursor.at++;
    const protocols = asaProtocols(word);
    return protocols && { protocols, unresolved: NONE, lines: NONE };
  }
  if (name === undefined) return undefined;
  cursor.at += 2;
  const protocols = scope.objects.protocols.resolve(name);
  if (protocols)
    return {
      protocols: [...new Set(protocols.value)].sort((a, b) => a - b),
      unresolved: protocols.unresolved,
      lines: protocols.lines,
    };
  const services = scope.objects.services.resolve(name);
  if (services)
    return {
      protocols: ALL,
      services: services.value,
      unresolved: services.unresolved,
      lines: services.lines,
    };
  const known = predefined(name);
  if (known) return { protocols: ALL, services: known, unresolved: NONE, lines: NONE };
  const port = asaPort(name);
  if (port !== undefined)
    return {
      protocols: ALL,
      services: [serviceBox([6, 17], undefined, [[port, port]])],
      unresolved: NONE,
      lines: NONE,
    };
  return { protocols: ALL, services: [EVERY], unresolved: [`service ${name} is not defined`], lines: NONE };
}

/** FTD: `ifc inside` in front of an address. */
function interfaceAt(scope: AsaScope, cursor: Cursor): NameSet | undefined {
  if (cursor.words[cursor.at] !== 'ifc') return undefined;
  cursor.at += 2;
  const name = cursor.words[cursor.at - 1];
  return name === undefined || name === 'any' ? undefined : scope.interfaces.namesOf(name);
}

/** Users and security tags in front of an address: conditions that addresses cannot say. */
function usersAt(cursor: Cursor, conditions: string[]): void {
  for (;;) {
    const [word, second, third] = cursor.words.slice(cursor.at, cursor.at + 3);
    if (second === undefined) return;
    if (/^(?:user|user-group|object-group-user|object-group-security)$/.test(word)) {
      conditions.push(`${word} ${second}`);
      cursor.at += 2;
    } else if (word === 'security-group' && third !== undefined) {
      conditions.push(`${word} ${second} ${third}`);
      cursor.at += 3;
    } else return;
  }
}

/** `any`, `host A`, `A mask`, `P/length`, `interface N`, `object N`, `object-group N` at the cursor. */
function addressAt(scope: AsaScope, cursor: Cursor, any: addresses.AddressSet): End | undefined {
  const { words } = cursor;
  const word = words[cursor.at++];
  if (word === undefined) return undefined;
  if (word === 'any') return ended(any);
  if (word === 'any4') return ended(addresses.ANY_V4);
  if (word === 'any6') return ended(addresses.ANY_V6);
  const { alias } = scope.objects;
  const next = words[cursor.at] ?? '';
  if (/^(?:object|object-group|object-group-network-service|interface|host)$/.test(word)) cursor.at++;
  if (word === 'object' || word === 'object-group') return named(scope, next);
  if (word === 'object-group-network-service')
    return { set: addresses.ANY_ADDRESS, unresolved: [`network-service ${next}`], lines: NONE };
  if (word === 'host') return ended(setOf(alias(next)));
  if (word === 'interface') {
    const own = scope.interfaces.addressOf(next);
    return own
      ? ended(own)
      : { set: any, unresolved: [`address of ${next} is not in the configuration`], lines: NONE };
  }
  if (word.includes('/')) return ended(setOf(word));
  cursor.at++;
  return ended(subnet(alias(word), next));
}

/** An object or a group; one that nothing defines may stand for anything. */
export function named(scope: AsaScope, name: string): End {
  const found = scope.objects.addresses.resolve(name);
  return found
    ? { set: found.value, unresolved: found.unresolved, lines: found.lines }
    : { set: addresses.ANY_ADDRESS, unresolved: [`${name} is not defined`], lines: NONE };
}

interface Ports {
  readonly ports: PortPairs | undefined;
  readonly unresolved: readonly string[];
  readonly lines: readonly SourceLine[];
}

/** An operator, an ICMP type or a group of either; undefined where none stands there, null where it is not valid. */
function portsAt(scope: AsaScope, cursor: Cursor, protocols: readonly number[]): Ports | undefined | null {
  const [word, name] = cursor.words.slice(cursor.at, cursor.at + 2);
  const isIcmp = protocols.length === 1 && (protocols[0] === 1 || protocols[0] === 58);
  const kind = word === 'object-group' && name !== undefined ? scope.objects.kindOf(name) : undefined;
  if (kind === 'ports' || kind === 'icmp-type') {
    cursor.at += 2;
    const found = scope.objects.ports.resolve(name)!;
    return { ports: found.value as PortPairs, unresolved: found.unresolved, lines: found.lines };
  }
  const ports = isIcmp ? asaIcmp(protocols[0], cursor) : asaPorts(cursor);
  if (ports === null) return null;
  return ports && { ports, unresolved: NONE, lines: NONE };
}

/** One box for each set of source ports. */
export function mergedServices(boxes: readonly ServiceBox[]): ServiceBox[] {
  if (boxes.length === 1) return [boxes[0]];
  return [...Map.groupBy(boxes, ({ sourcePorts }) => sourcePorts.join()).values()].map((same) => ({
    sourcePorts: same[0].sourcePorts,
    services: unionOfServices(same.map(({ services }) => services)),
  }));
}

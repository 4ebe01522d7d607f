// words of VRP and Comware statements -> addresses, ports and services
import type { AddressSet } from '../../src/model/addresses.ts';
import { type ServiceSet, service, serviceSet } from '../../src/model/services.ts';
import { type Cursor, maskLength, type PortPairs, protocolOf, setOf, v4, wildcard } from './cisco-address.ts';
import { ICMP_TYPES, ICMPV6_TYPES, PORTS } from './cisco-ports.ts';
import { servicesByName } from './ports.ts';

/** "10.0.0.0 0.0.0.255", "10.0.0.1 0": as access lists write a network. */
export function wildcardNetwork(address: string | undefined, bits: string | undefined) {
  return wildcard(address, bits === '0' ? '0.0.0.0' : bits);
}

/** "10.0.0.0" with "255.255.255.0" or "24": as interfaces, routes and policies write a network. */
export function maskNetwork(address: string | undefined, mask: string | undefined): AddressSet | undefined {
  if (address === undefined || mask === undefined) return undefined;
  if (v4(address) === undefined) return /^\d{1,3}$/.test(mask) ? setOf(`${address}/${mask}`) : undefined;
  const length = /^\d{1,2}$/.test(mask) ? Number(mask) : maskLength(mask);
  return length === undefined ? undefined : setOf(`${address}/${length}`);
}

/** Names that only VRP and Comware know. */
const OWN_PORTS: Readonly<Record<string, number>> = {
  dns: 53,
  'mobilip-ag': 434,
  'mobilip-mn': 435,
  'tacacs-ds': 65,
  rsvd: 168,
};

/** A port by number or name. */
export function vrpPort(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (/^\d{1,5}$/.test(word)) return Number(word) <= 65_535 ? Number(word) : undefined;
  const name = word.toLowerCase();
  if (Object.hasOwn(OWN_PORTS, name)) return OWN_PORTS[name];
  if (Object.hasOwn(PORTS, name)) return PORTS[name];
  const named = servicesByName(name);
  return named && named[0] % 65_536;
}

/** `eq 80`, `range 80 90`, `gt`, `lt`, `neq` at the cursor; null where it is not valid. */
export function vrpPorts(cursor: Cursor): PortPairs | null {
  const operator = cursor.words[cursor.at++];
  const a = vrpPort(cursor.words[cursor.at++]);
  if (a === undefined) return null;
  if (operator === 'eq') return [[a, a]];
  if (operator === 'gt') return [[a + 1, 65_535]];
  if (operator === 'lt') return [[0, a - 1]];
  if (operator === 'neq') {
    const around: PortPairs = [
      [0, a - 1],
      [a + 1, 65_535],
    ];
    return around.filter(([first, last]) => first <= last);
  }
  const b = operator === 'range' ? vrpPort(cursor.words[cursor.at++]) : undefined;
  return b === undefined ? null : [[Math.min(a, b), Math.max(a, b)]];
}

/** `80 to 90 443 8000`: ports and ranges as service sets list them, up to a word that is none. */
export function portsTo(cursor: Cursor): PortPairs | null {
  const pairs: [number, number][] = [];
  for (;;) {
    const first = vrpPort(cursor.words[cursor.at]);
    if (first === undefined) break;
    cursor.at++;
    if (cursor.words[cursor.at] !== 'to') pairs.push([first, first]);
    else {
      const last = vrpPort(cursor.words[cursor.at + 1]);
      if (last === undefined || last < first) return null;
      pairs.push([first, last]);
      cursor.at += 2;
    }
  }
  return pairs.length === 0 ? null : pairs;
}

/** `echo`, `8 0`, `8` at the cursor. */
export function icmpAt(protocol: 1 | 58, cursor: Cursor): ServiceSet | undefined {
  const names = protocol === 1 ? ICMP_TYPES : ICMPV6_TYPES;
  const word = cursor.words[cursor.at] ?? '';
  if (Object.hasOwn(names, word)) {
    cursor.at++;
    const [type, code] = names[word];
    return service(protocol, [[type * 256 + (code ?? 0), type * 256 + (code ?? 255)]]);
  }
  if (!/^\d{1,3}$/.test(word) || Number(word) > 255) return undefined;
  cursor.at++;
  const type = Number(word) * 256;
  const code = cursor.words[cursor.at] ?? '';
  if (!/^\d{1,3}$/.test(code) || Number(code) > 255) return service(protocol, [[type, type + 255]]);
  cursor.at++;
  return service(protocol, [[type + Number(code), type + Number(code)]]);
}

const OWN_SERVICES: Readonly<Record<string, readonly string[]>> = {
  any: ['any'],
  icmp: ['icmp'],
  icmpv6: ['icmpv6'],
  ping: ['icmp/2048-2303'],
  'ping-v6': ['icmpv6/32768-33023'],
  tcp: ['tcp'],
  udp: ['udp'],
  gre: ['gre'],
  esp: ['esp'],
  ah: ['ah'],
  dns: ['tcp/53', 'udp/53'],
  'dns-tcp': ['tcp/53'],
  'dns-udp': ['udp/53'],
  http: ['tcp/80'],
  https: ['tcp/443'],
  rdp: ['tcp/3389'],
  'rdp-tcp': ['tcp/3389'],
};

/** Services that come with the system, by the names that policies use. */
export function vrpService(name: string): ServiceSet | undefined {
  const word = name.toLowerCase();
  if (Object.hasOwn(OWN_SERVICES, word)) return serviceSet(...OWN_SERVICES[word]);
  return servicesByName(word);
}

/** A protocol's number; undefined for all protocols, null for what is none. */
export const vrpProtocol = (word: string | undefined): number | undefined | null => protocolOf(word);

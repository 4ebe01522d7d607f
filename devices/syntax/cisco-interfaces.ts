// interface blocks of IOS -> addresses, NAT side, bound lists and route-maps, zone, tunnel
import * as addresses from '../../src/model/addresses.ts';
import type { DeviceInterface, SourceLine } from '../../src/model/rule.ts';
import { type Family, network, setOf, v4 } from './cisco-address.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';

export interface CiscoInterface {
  readonly name: string;
  readonly head: SourceLine;
  description?: string;
  vrf?: string;
  addresses: addresses.AddressSet;
  /** Connected networks. */
  networks: addresses.AddressSet;
  /** Gets an address that the configuration does not hold (DHCP, PPP, unnumbered). */
  dynamicAddress: boolean;
  shutdown: boolean;
  side?: 'inside' | 'outside' | 'both';
  readonly lists: { list: string; direction: 'in' | 'out'; family: Family }[];
  readonly routeMaps: { name: string; family: Family; line: SourceLine }[];
  zone?: string;
  readonly tunnel: {
    source?: string;
    /** More than one, parted by blanks, where a tunnel has several far ends. */
    destination?: string;
    mode?: string;
    /** Far ends that NHRP is told; it may learn others. */
    nbma?: string[];
  };
  cryptoMap?: string;
  /** Lines that make the tunnel. */
  readonly tunnelLines: SourceLine[];
}

const MAX_INTERFACES = 20_000;

/** The statements of interfaces that another operating system of the family has and IOS has not. */
export interface InterfaceDialect {
  readonly readers: readonly LineReader[];
  /** What may open or close a way and must not be passed over in silence. */
  readonly bearing: RegExp;
}

/** Interfaces in the order of the text; statements about NAT, lists, policy, zones or tunnels that are not understood are unread. */
export function readInterfaces(reading: Reading, dialect?: InterfaceDialect): CiscoInterface[] {
  const lines = dialect ? { ...dialect, readers: [...dialect.readers, ...READERS] } : IOS_LINES;
  const found = new Map<string, CiscoInterface>();
  for (const block of reading.blocks) {
    const [word, ...name] = wordsOf(block.text);
    if (word !== 'interface' || name.length === 0) continue;
    if (found.size >= MAX_INTERFACES) {
      for (const line of linesOf(block)) reading.notUnderstood(line);
      continue;
    }
    const fresh = newInterface(name.join(' '), block);
    const face = found.get(fresh.name) ?? fresh;
    found.set(face.name, face);
    for (const line of block.children) readLine(face, line, reading, lines);
  }
  return [...found.values()];
}

const newInterface = (name: string, head: SourceLine): CiscoInterface => ({
  name: name
    .replace(/^preconfigure /, '')
    .replace(/ (?:point-to-point|multipoint|l2transport|mode \S.*)$/, ''),
  head: lineOf(head),
  addresses: addresses.NO_ADDRESSES,
  networks: addresses.NO_ADDRESSES,
  dynamicAddress: false,
  shutdown: false,
  lists: [],
  routeMaps: [],
  tunnel: {},
  tunnelLines: [],
});

/** What may open or close a way and must not be passed over in silence. */
const BEARING =
  /^(?:ip nat|ip access-group|ip policy|ipv6 policy|ipv6 traffic-filter|ipv6 nat|nat64|zone-member|crypto map|ip wccp|ipv6 wccp|xconnect|tunnel (?:source|destination|mode)|ip address|ipv6 address|service-policy type (?:inspect|pbr|epbr|access-control))\b/;

function readLine(face: CiscoInterface, line: Block, reading: Reading, lines: InterfaceDialect): void {
  const words = wordsOf(line.text);
  const text = words.join(' ');
  if (words[0] === 'no') return;
  const reader = lines.readers.find(({ pattern }) => pattern.test(text));
  const understood = reader?.read(face, words, line);
  if (reader ? understood === false : lines.bearing.test(text)) reading.notUnderstood(line);
}

export interface LineReader {
  readonly pattern: RegExp;
  /** False where the statement is not understood after all. */
  readonly read: (face: CiscoInterface, words: readonly string[], line: Block) => boolean | undefined;
}

const READERS: readonly LineReader[] = [
  { pattern: /^description /, read: (face, words) => set(face, { description: words.slice(1).join(' ') }) },
  { pattern: /^shutdown$/, read: (face) => set(face, { shutdown: true }) },
  {
    pattern: /^(?:ip )?vrf forwarding \S+/,
    read: (face, words) => set(face, { vrf: words[words.indexOf('forwarding') + 1] }),
  },
  {
    pattern: /^ip (?:address (?:dhcp|negotiated|pool)|unnumbered)\b/,
    read: (face) => set(face, { dynamicAddress: true }),
  },
  { pattern: /^ip(?:v4)? address \d\S*\/\d+(?: |$)/, read: addPrefix },
  { pattern: /^ip(?:v4)? address \d/, read: (face, words) => addAddress(face, words[2], words[3]) },
  { pattern: /^ipv6 address (?:autoconfig|dhcp)\b/, read: () => true },
  { pattern: /^ipv6 address \S/, read: addAddress6 },
  {
    pattern: /^ip nat (?:inside|outside)$/,
    read: (face, words) => set(face, { side: words[2] as 'inside' | 'outside' }),
  },
  { pattern: /^ip nat enable$/, read: (face) => set(face, { side: 'both' }) },
  {
    pattern: /^(?:ip access-group|ipv6 traffic-filter) \S+ (?:in|out)$/,
    read: (face, words) =>
      void face.lists.push({
        list: words[2],
        direction: words[3] as 'in' | 'out',
        family: words[0] === 'ip' ? 'ip' : 'ip6',
      }),
  },
  {
    pattern: /^ip(?:v6)? policy route-map \S+$/,
    read: (face, words, line) =>
      void face.routeMaps.push({
        name: words[3],
        family: words[0] === 'ip' ? 'ip' : 'ip6',
        line: lineOf(line),
      }),
  },
  // Read by its own reader.
  { pattern: /^ip wccp (?:vrf \S+ )?(?:\S+ )?redirect (?:in|out|exclude in)$/, read: () => true },
  {
    pattern: /^crypto map \S+(?: redundancy \S+(?: stateful)?)?$/,
    read: (face, words) => set(face, { cryptoMap: words[2] }),
  },
  { pattern: /^ip(?:v6)? nhrp (?:map|nhs) /, read: nhrp },
  { pattern: /^zone-member security \S+$/, read: (face, words) => set(face, { zone: words[2] }) },
  { pattern: /^tunnel source \S+$/, read: (face, words, line) => tunnel(face, line, { source: words[2] }) },
  {
    pattern: /^tunnel destination \S+$/,
    read: (face, words, line) => tunnel(face, line, { destination: words[2] }),
  },
  {
    pattern: /^tunnel mode \S+/,
    read: (face, words, line) => tunnel(face, line, { mode: words.slice(2).join(' ') }),
  },
];

/** `ip nhrp map 10.0.0.1 198.51.100.1`, `ip nhrp map multicast 198.51.100.1`, `ip nhrp nhs 10.0.0.1 nbma 198.51.100.1`. */
function nhrp(face: CiscoInterface, words: readonly string[], line: SourceLine): undefined {
  const at = words[2] === 'map' ? 4 : words.indexOf('nbma') + 1;
  const address = at > 0 ? words[at]?.replace(/\/\d+$/, '') : undefined;
  if (address === undefined || !setOf(address)) return;
  face.tunnel.nbma ??= [];
  if (!face.tunnel.nbma.includes(address)) face.tunnel.nbma.push(address);
  face.tunnelLines.push(lineOf(line));
}

const IOS_LINES: InterfaceDialect = { readers: READERS, bearing: BEARING };

export function set(face: CiscoInterface, values: Partial<CiscoInterface>): undefined {
  Object.assign(face, values);
}

export function tunnel(face: CiscoInterface, line: SourceLine, values: CiscoInterface['tunnel']): undefined {
  Object.assign(face.tunnel, values);
  face.tunnelLines.push(lineOf(line));
}

/** "10.0.0.1", "255.255.255.0" or "/24"; false where it is no address. */
export function addAddress(face: CiscoInterface, address: string, mask: string): boolean {
  const connected = network(address, mask);
  if (v4(address) === undefined || !connected) return false;
  face.addresses = addresses.unionAddresses(face.addresses, addresses.addressSet(address));
  face.networks = addresses.unionAddresses(face.networks, connected);
  return true;
}

function addPrefix(face: CiscoInterface, words: readonly string[]): boolean {
  const [address, length] = words[2].split('/');
  return addAddress(face, address, `/${length}`);
}

export function addAddress6(face: CiscoInterface, words: readonly string[]): boolean {
  // `ipv6 address PROVIDER ::1/64` takes its prefix from elsewhere; link-local addresses route nothing.
  if (words[3] === 'link-local') return true;
  const text = words.find((word, i) => i > 1 && word.includes(':')) ?? '';
  const own = setOf(text.replace(/\/.*$/, ''));
  const connected = setOf(text);
  if (!own || !connected) return false;
  if (words.includes('eui-64') || words[2] !== text) {
    face.dynamicAddress = true;
    return true;
  }
  face.addresses = addresses.unionAddresses(face.addresses, own);
  face.networks = addresses.unionAddresses(face.networks, connected);
  return true;
}

export const asDeviceInterface = (face: CiscoInterface): DeviceInterface => ({
  name: face.name,
  addresses: face.addresses,
  ...(face.description === undefined ? {} : { description: face.description }),
});

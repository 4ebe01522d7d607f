// the output of ifconfig(8) of the BSDs -> interfaces, their addresses, networks and groups
import { type AddressSet, addressSet, unionAddresses } from '../../src/model/addresses.ts';

export interface PfInterface {
  readonly name: string;
  readonly addresses: AddressSet;
  readonly networks: AddressSet;
  readonly peers: AddressSet;
  readonly groups: readonly string[];
  readonly description?: string;
}

interface Open {
  name: string;
  addresses: AddressSet[];
  networks: AddressSet[];
  peers: AddressSet[];
  groups: string[];
  description?: string;
}

const MAX_INTERFACES = 10_000;

export function readIfconfig(lines: readonly string[]): PfInterface[] {
  const found: Open[] = [];
  for (const line of lines) {
    const head = /^([A-Za-z][\w.-]{0,31}): flags=/.exec(line);
    if (head && found.length < MAX_INTERFACES)
      found.push({ name: head[1], addresses: [], networks: [], peers: [], groups: [] });
    else if (found.length > 0) readDetail(line.trim(), found[found.length - 1]);
  }
  return found.map(({ addresses, networks, peers, ...rest }) => ({
    ...rest,
    addresses: unionAddresses(...addresses),
    networks: unionAddresses(...networks),
    peers: unionAddresses(...peers),
  }));
}

function readDetail(line: string, face: Open): void {
  const words = line.split(/\s+/);
  if (words[0] === 'groups:') face.groups.push(...words.slice(1));
  else if (words[0] === 'description:') face.description = line.slice('description:'.length).trim();
  else if (words[0] === 'inet' || words[0] === 'inet6') readAddress(words, face);
}

function readAddress(words: readonly string[], face: Open): void {
  const [text, given] = words[1]?.replace(/%[^/]*/, '').split('/') ?? [];
  const after = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
  const length = given ?? after('prefixlen') ?? lengthOf(after('netmask'));
  const peer = after('-->');
  try {
    face.addresses.push(addressSet(text));
    if (length !== undefined) face.networks.push(addressSet(`${text}/${length}`));
    if (peer !== undefined) face.peers.push(addressSet(peer));
  } catch {
    // Not an address: there is nothing to know about it.
  }
}

/** "0xffffff00" or "255.255.255.0" -> 24 */
function lengthOf(mask: string | undefined): number | undefined {
  if (mask === undefined) return undefined;
  const value = /^0x[0-9a-f]{8}$/i.test(mask)
    ? Number(mask)
    : mask.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const bits = Number.isInteger(value) ? (value >>> 0).toString(2).padStart(32, '0') : '';
  return /^1*0*$/.test(bits) && bits.length === 32 ? bits.replace(/0/g, '').length : undefined;
}

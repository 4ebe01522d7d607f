// address sets, service sets and object groups of VRP and Comware -> what each name stands for
import type { AddressSet } from '../../src/model/addresses.ts';
import { normalise } from '../../src/model/ranges.ts';
import { ANY_SERVICE, type ServiceSet, service } from '../../src/model/services.ts';
import { ANY_SOURCE_PORT } from '../../src/model/traffic.ts';
import { type PortPairs, setOf } from './cisco-address.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';
import { addressTable, type Definition, type NameTable, type ServiceBox, serviceTable } from './objects.ts';
import { icmpAt, maskNetwork, portsTo, vrpPorts, vrpProtocol, wildcardNetwork } from './vrp-words.ts';

export interface VrpObjects {
  readonly addresses: NameTable<AddressSet>;
  readonly services: NameTable<readonly ServiceBox[]>;
}

interface Draft<T> extends Definition<T> {
  readonly own: T[];
  readonly members: string[];
  readonly excluded: string[];
  readonly unresolved: string[];
}

/** Lines that are no member are noted as unread. */
export function readVrpObjects(reading: Reading): VrpObjects {
  const addresses = new Map<string, Definition<AddressSet>>();
  const services = new Map<string, Definition<readonly ServiceBox[]>>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    const text = words.join(' ');
    const set = /^ip(?:v6)? (address|service|domain)-set (\S+)/.exec(text);
    const group = /^object-group (ip|ipv6|service)(?: address)? (\S+)$/.exec(text);
    const kind = set?.[1] ?? (group?.[1] === 'service' ? 'service' : group ? 'address' : undefined);
    const name = set?.[2] ?? group?.[2] ?? '';
    if (kind === 'address') addresses.set(name, readMembers(block, reading, addressMember));
    else if (kind === 'service') services.set(name, readMembers(block, reading, serviceMember));
    else if (kind === 'domain')
      addresses.set(name, {
        own: [],
        members: [],
        unresolved: [`domain set ${name}`],
        lines: linesOf(block),
      });
    else if (words[0] === 'object-group') for (const line of linesOf(block)) reading.notUnderstood(line);
  }
  return { addresses: addressTable(addresses), services: serviceTable(services) };
}

/** Words without the member's number; false where the member is not understood. */
type MemberReader<T> = (draft: Draft<T>, words: readonly string[]) => boolean;

const NO_MEMBER = /^(?:description|security-zone|type)$/;

function readMembers<T>(block: Block, reading: Reading, read: MemberReader<T>): Draft<T> {
  const draft: Draft<T> = { own: [], members: [], excluded: [], unresolved: [], lines: linesOf(block) };
  for (const line of block.children) {
    const all = wordsOf(line.text);
    // Comware puts the number first, VRP behind the first word.
    const words = /^\d+$/.test(all[0] ?? '')
      ? all.slice(1)
      : /^\d+$/.test(all[1] ?? '')
        ? [all[0], ...all.slice(2)]
        : all;
    if (NO_MEMBER.test(words[0] ?? '')) continue;
    if (line.children.length > 0 || !read(draft, words)) reading.notUnderstood(line);
  }
  return draft;
}

/** VRP `address 10.0.0.0 mask 24`, `address range A B`, `address address-set N`; Comware `network subnet A M`, `network host address A`. */
function addressMember(draft: Draft<AddressSet>, words: readonly string[]): boolean {
  const [, a, b, c] = words;
  const add = (set: AddressSet | undefined) => (set ? draft.own.push(set) > 0 : false);
  if (words[0] === 'address') {
    if (a === 'address-set' && b !== undefined) return draft.members.push(b) > 0;
    if (a === 'range') return add(setOf(`${b}-${c}`));
    if (b === 'mask') return add(maskNetwork(a, c));
    if (b !== undefined && a?.includes(':')) return add(maskNetwork(a, b));
    return b === undefined ? add(setOf(a ?? '')) : add(wildcardNetwork(a, b)?.set);
  }
  if (words[0] !== 'network') return false;
  if (a === 'group-object' && b !== undefined) return draft.members.push(b) > 0;
  if (a === 'host' && b === 'address') return add(setOf(c ?? ''));
  if (a === 'host' && b === 'name') return draft.unresolved.push(`host name ${c}`) > 0;
  if (a === 'range') return add(setOf(`${b}-${c}`));
  if (a === 'subnet' && c === 'wildcard') return add(wildcardNetwork(b, words[4])?.set);
  if (a === 'subnet') return add(b?.includes('/') ? setOf(b) : maskNetwork(b, c));
  return a === 'exclude' && draft.unresolved.push(`without ${words.slice(2).join(' ')}`) > 0;
}

/** VRP `service protocol tcp destination-port 80 to 90`; Comware `service tcp destination eq 80`. */
function serviceMember(draft: Draft<readonly ServiceBox[]>, words: readonly string[]): boolean {
  if (words[0] !== 'service') return false;
  if ((words[1] === 'service-set' || words[1] === 'group-object') && words[2] !== undefined)
    return draft.members.push(words[2]) > 0;
  const box = serviceBox(words[1] === 'protocol' ? words.slice(2) : words.slice(1));
  if (box) draft.own.push([box]);
  return box !== undefined;
}

/** `tcp source-port 1 to 9 destination-port 80 443`, `udp destination range 1 9`, `icmp icmp-type echo`, `icmp 8 0`, `47`. */
export function serviceBox(words: readonly string[]): ServiceBox | undefined {
  const cursor = { words, at: 1 };
  const protocol = vrpProtocol(words[0]);
  if (protocol === null) return undefined;
  let services: ServiceSet = protocol === undefined ? ANY_SERVICE : service(protocol);
  let sourcePorts: readonly number[] = ANY_SOURCE_PORT;
  while (cursor.at < words.length) {
    const word = words[cursor.at++];
    let ports: PortPairs | null = null;
    if (word === 'source-port' || word === 'destination-port') ports = portsTo(cursor);
    else if (word === 'source' || word === 'destination') ports = vrpPorts(cursor);
    else if (protocol === 1 || protocol === 58) {
      if (!/^icmp(?:v?6)?-type$/.test(word)) cursor.at--;
      const found = icmpAt(protocol, cursor);
      if (!found) return undefined;
      services = found;
      continue;
    }
    if (!ports || protocol === undefined) return undefined;
    if (word.startsWith('source')) sourcePorts = normalise(ports, (port) => port + 1);
    else services = service(protocol, ports);
  }
  return { services, sourcePorts };
}

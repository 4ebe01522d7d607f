// ports, services and rich rules of firewalld -> boxes of traffic, translations and verdicts
import { type AddressSet, ANY_V4, ANY_V6, addressSet, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { PROTOCOLS, type ServiceSet, service } from '../../src/model/services.ts';
import { ANY_TRAFFIC, type Traffic } from '../../src/model/traffic.ts';
import { boxOf, portRanges, product, protocols } from './boxes.ts';
import { firewalldService } from './firewalld-services.ts';
import { ICMP_TYPES, ICMP6_TYPES, icmpRange } from './icmp.ts';

export type IpSets = ReadonlyMap<string, AddressSet | undefined>;
export interface Matched {
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
}

/** "8443/tcp", "5000-5010/udp" */
export function portService(text: string): ServiceSet | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?\/(\w{1,8})$/.exec(text);
  const protocol = match ? PROTOCOLS[match[3]] : undefined;
  if (!match || protocol === undefined) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first <= last && last <= 65_535 ? service(protocol, [[first, last]]) : undefined;
}

export const inServices = (services: ServiceSet | undefined, text: string): Matched =>
  services
    ? { boxes: [{ ...ANY_TRAFFIC, services }], unresolved: [] }
    : { boxes: [ANY_TRAFFIC], unresolved: [text] };

/** "68/udp" as the sender's port */
export function sourcePort(text: string): Matched {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?\/(\w{1,8})$/.exec(text);
  const protocol = match ? PROTOCOLS[match[3]] : undefined;
  if (!match || protocol === undefined) return { boxes: [ANY_TRAFFIC], unresolved: [`source port ${text}`] };
  const sourcePorts = portRanges([[Number(match[1]), Number(match[2] ?? match[1])]]);
  return { boxes: [{ ...ANY_TRAFFIC, services: protocols(protocol), sourcePorts }], unresolved: [] };
}

export const protocolService = (name: string): ServiceSet | undefined =>
  /^\d{1,3}$/.test(name) && Number(name) < 256
    ? service(Number(name))
    : Object.hasOwn(PROTOCOLS, name)
      ? service(PROTOCOLS[name])
      : undefined;

export interface ForwardPort extends Matched {
  readonly translation: Translation;
}

/** "port=443:proto=tcp:toport=8443:toaddr=10.0.0.1"; without an address the port is one of the device itself. */
export function forwardPort(text: string): ForwardPort | undefined {
  const match = /^port=([\d-]{1,11}):proto=(\w{1,8}):toport=([\d-]{0,11}):toaddr=(\S{0,64})$/.exec(text);
  return match ? forwardOf(match[1], match[2], match[3], match[4]) : undefined;
}

function forwardOf(
  port: string,
  protocol: string,
  toPort: string,
  toAddress: string,
): ForwardPort | undefined {
  const services = portService(`${port}/${protocol}`);
  const ports = toPort === '' ? undefined : /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(toPort);
  if (!services || ports === null) return undefined;
  try {
    const addresses = toAddress === '' ? undefined : addressSet(toAddress);
    const family = addresses && addresses.v6.length > 0 ? ANY_V6 : ANY_V4;
    return {
      boxes: [{ ...ANY_TRAFFIC, sources: family, destinations: family, services }],
      unresolved: [],
      translation: {
        kind: addresses ? 'destination' : 'redirect',
        ...(addresses ? { addresses } : {}),
        ...(ports ? { ports: [Number(ports[1]), Number(ports[2] ?? ports[1])] as const } : {}),
      },
    };
  } catch {
    return undefined;
  }
}

export interface RichRule extends Matched {
  readonly priority: number;
  readonly verdict?: 'accept' | 'drop' | 'mark';
  readonly translation?: Translation;
  readonly masquerades: boolean;
}

/** firewalld.richlanguage(5); undefined where a word of it is not known. */
export function richRule(text: string, ipsets: IpSets): RichRule | undefined {
  const words = [...text.matchAll(/([\w-]{1,32})(?:=(?:"([^"]{0,256})"|'([^']{0,256})'))?/g)].map(
    ([, name, double, single]) => ({ name, value: double ?? single }),
  );
  if (words[0]?.name !== 'rule') return undefined;
  const rich: Rich = { attributes: new Map(), negated: new Set(), ipsets, element: 'rule' };
  for (const word of words.slice(1)) if (!take(rich, word)) return undefined;
  return resultOf(rich);
}

interface RichWord {
  readonly name: string;
  readonly value?: string;
}

const ELEMENTS = new Set(
  'source destination service port protocol icmp-block icmp-type masquerade forward-port source-port log nflog audit limit'.split(
    ' ',
  ),
);
const VERDICTS: Readonly<Record<string, 'accept' | 'drop' | 'mark'>> = {
  accept: 'accept',
  reject: 'drop',
  drop: 'drop',
  mark: 'mark',
};

/** A rich rule's elements with their attributes. */
interface Rich {
  readonly attributes: Map<string, Map<string, string>>;
  readonly negated: Set<string>;
  readonly ipsets: IpSets;
  element: string;
  verdict?: 'accept' | 'drop' | 'mark';
}

/** False where the word is not known. */
function take(rich: Rich, { name, value }: RichWord): boolean {
  const { attributes, element } = rich;
  if (value !== undefined) {
    attributes.set(element, (attributes.get(element) ?? new Map<string, string>()).set(name, value));
  } else if (name === 'NOT') rich.negated.add(element);
  else if (ELEMENTS.has(name)) {
    // A limit belongs to what stands before it; that of a log is no condition of the verdict.
    rich.element = name === 'limit' ? `limit of ${element}` : name;
    attributes.set(rich.element, attributes.get(rich.element) ?? new Map());
  } else if (Object.hasOwn(VERDICTS, name)) {
    rich.verdict = VERDICTS[name];
    rich.element = name;
  } else return false;
  return true;
}

const of = ({ attributes }: Rich, element: string, name: string): string | undefined =>
  attributes.get(element)?.get(name);

function resultOf(rich: Rich): RichRule | undefined {
  const { attributes, verdict } = rich;
  const family = of(rich, 'rule', 'family');
  const within = family === 'ipv4' ? ANY_V4 : family === 'ipv6' ? ANY_V6 : ANY_TRAFFIC.sources;
  let boxes: readonly Traffic[] = [{ ...ANY_TRAFFIC, sources: within, destinations: within }];
  const unresolved: string[] = [];
  const narrow = ({ boxes: asked, unresolved: reasons }: Matched) => {
    boxes = product(boxes, asked) ?? boxes;
    unresolved.push(...reasons);
  };
  for (const end of ['source', 'destination'] as const)
    if (attributes.has(end)) narrow(sideOf(rich, end, within));
  const element = matchedBy(rich);
  if (!element) return undefined;
  narrow(element);
  const limit = [...attributes.keys()].find((name) => /^limit of (?:accept|reject|drop|mark)$/.test(name));
  if (limit !== undefined) unresolved.push(`limit ${of(rich, limit, 'value') ?? ''}`);
  return {
    boxes,
    unresolved,
    priority: Number(of(rich, 'rule', 'priority') ?? 0) || 0,
    masquerades: attributes.has('masquerade'),
    ...('translation' in element ? { translation: element.translation } : {}),
    ...(attributes.has('icmp-block') ? { verdict: 'drop' as const } : verdict ? { verdict } : {}),
  };
}

function sideOf(rich: Rich, end: 'source' | 'destination', within: AddressSet): Matched {
  const dimension = end === 'source' ? 'sources' : 'destinations';
  const [address, ipset, mac] = ['address', 'ipset', 'mac'].map((name) => of(rich, end, name));
  const negated = rich.negated.has(end) || of(rich, end, 'invert') === 'True';
  const named = ipset === undefined ? undefined : rich.ipsets.get(ipset);
  const known = address === undefined ? named : parsed(address);
  const what = address ?? (ipset === undefined ? `mac ${mac}` : `ipset ${ipset}`);
  if (!known) return { boxes: [ANY_TRAFFIC], unresolved: [`${end} ${negated ? 'not ' : ''}${what}`] };
  const whole = { ...ANY_TRAFFIC, sources: within, destinations: within };
  const box = boxOf({ dimension, within: whole, value: known }, negated);
  return { boxes: box ? [box] : [], unresolved: [] };
}

/** What the rule's one element matches; undefined where it cannot be read. */
function matchedBy(rich: Rich): Matched | ForwardPort | undefined {
  const has = (name: string) => rich.attributes.has(name);
  const value = (element: string, name: string) => of(rich, element, name) ?? '';
  const port = (element: string) => `${value(element, 'port')}/${value(element, 'protocol')}`;
  if (has('service')) {
    const name = value('service', 'name');
    return inServices(firewalldService(name), `service ${name}`);
  }
  if (has('port')) return inServices(portService(port('port')), `port ${port('port')}`);
  if (has('source-port')) return sourcePort(port('source-port'));
  if (has('protocol')) {
    const name = value('protocol', 'value');
    return inServices(protocolService(name), `protocol ${name}`);
  }
  if (has('icmp-block')) return icmp(value('icmp-block', 'name'));
  if (has('icmp-type')) return icmp(value('icmp-type', 'name'));
  if (has('forward-port')) {
    const [from, protocol, toPort, toAddress] = ['port', 'protocol', 'to-port', 'to-addr'].map((name) =>
      value('forward-port', name),
    );
    return forwardOf(from, protocol, toPort, toAddress);
  }
  return { boxes: [ANY_TRAFFIC], unresolved: [] };
}

function parsed(text: string): AddressSet | undefined {
  try {
    return unionAddresses(addressSet(text));
  } catch {
    return undefined;
  }
}

/** ICMP types by firewalld's names, in both families where both have them. */
export function icmp(name: string): Matched {
  const four = icmpRange(name, ICMP_TYPES);
  const six = icmpRange(name, ICMP6_TYPES);
  const boxes = [
    ...(four ? [{ ...ANY_TRAFFIC, services: service(1, [four]) }] : []),
    ...(six ? [{ ...ANY_TRAFFIC, services: service(58, [six]) }] : []),
  ];
  return boxes.length > 0
    ? { boxes, unresolved: [] }
    : { boxes: [ANY_TRAFFIC], unresolved: [`icmp ${name}`] };
}

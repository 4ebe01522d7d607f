// the value of an enumerated or flags element -> its name, for people (IANA IPFIX registry and its sub-registries)

type Names = Readonly<Record<number, string>>;

/** iana.org/assignments/protocol-numbers: those met in flow export. */
const PROTOCOLS: Names = {
  0: 'HOPOPT',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPv4',
  6: 'TCP',
  8: 'EGP',
  9: 'IGP',
  17: 'UDP',
  27: 'RDP',
  33: 'DCCP',
  41: 'IPv6',
  43: 'IPv6-Route',
  44: 'IPv6-Frag',
  46: 'RSVP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'IPv6-ICMP',
  59: 'IPv6-NoNxt',
  60: 'IPv6-Opts',
  88: 'EIGRP',
  89: 'OSPF',
  94: 'IPIP',
  97: 'ETHERIP',
  103: 'PIM',
  108: 'IPComp',
  112: 'VRRP',
  115: 'L2TP',
  124: 'IS-IS over IPv4',
  132: 'SCTP',
  136: 'UDPLite',
  137: 'MPLS-in-IP',
  143: 'Ethernet',
};

/** RFC 8158 section 5.1 and the registry after it. */
const NAT_EVENTS: Names = {
  1: 'NAT translation create (historic)',
  2: 'NAT translation delete (historic)',
  3: 'NAT addresses exhausted',
  4: 'NAT44 session create',
  5: 'NAT44 session delete',
  6: 'NAT64 session create',
  7: 'NAT64 session delete',
  8: 'NAT44 BIB create',
  9: 'NAT44 BIB delete',
  10: 'NAT64 BIB create',
  11: 'NAT64 BIB delete',
  12: 'NAT ports exhausted',
  13: 'quota exceeded',
  14: 'address binding create',
  15: 'address binding delete',
  16: 'port block allocation',
  17: 'port block de-allocation',
  18: 'threshold reached',
};

const FIREWALL_EVENTS: Names = {
  0: 'ignore',
  1: 'flow created',
  2: 'flow deleted',
  3: 'flow denied',
  4: 'flow alert',
  5: 'flow update',
};

/** RFC 7270 section 4.12: two bits of status, six of reason. */
const FORWARDING: Names = {
  0: 'unknown',
  64: 'forwarded',
  65: 'forwarded, fragmented',
  66: 'forwarded, not fragmented',
  128: 'dropped',
  129: 'dropped, ACL deny',
  130: 'dropped, ACL drop',
  131: 'dropped, unroutable',
  132: 'dropped, adjacency',
  133: 'dropped, fragmentation and DF set',
  134: 'dropped, bad header checksum',
  135: 'dropped, bad total length',
  136: 'dropped, bad header length',
  137: 'dropped, bad TTL',
  138: 'dropped, policer',
  139: 'dropped, WRED',
  140: 'dropped, RPF',
  141: 'dropped, for us',
  142: 'dropped, bad output interface',
  143: 'dropped, hardware',
  192: 'consumed',
  193: 'consumed, punt adjacency',
  194: 'consumed, incomplete adjacency',
  195: 'consumed, for us',
};

/** Cisco, ASA NetFlow Implementation Guide: the reason beside a denied flow. */
const ASA_EXTENDED_EVENTS: Names = {
  1001: 'denied by ingress ACL',
  1002: 'denied by egress ACL',
  1003: 'denied by the security appliance',
  1004: 'denied, first TCP packet is not SYN',
};

/** By element name. */
const VALUES: Readonly<Record<string, Names>> = {
  protocolIdentifier: PROTOCOLS,
  natEvent: NAT_EVENTS,
  firewallEvent: FIREWALL_EVENTS,
  firewallEventNsel: FIREWALL_EVENTS,
  fwExtEvent: ASA_EXTENDED_EVENTS,
  ciscoFwExtEvent: ASA_EXTENDED_EVENTS,
  forwardingStatus: FORWARDING,
  flowEndReason: {
    1: 'idle timeout',
    2: 'active timeout',
    3: 'end of flow detected',
    4: 'forced end',
    5: 'lack of resources',
  },
  flowDirection: { 0: 'ingress', 1: 'egress' },
  biflowDirection: { 0: 'arbitrary', 1: 'initiator', 2: 'reverse initiator', 3: 'perimeter' },
  samplingAlgorithm: { 1: 'deterministic', 2: 'random' },
  samplerMode: { 1: 'deterministic', 2: 'random' },
  selectorAlgorithm: {
    1: 'systematic count-based sampling',
    2: 'systematic time-based sampling',
    3: 'random n-out-of-N sampling',
    4: 'uniform probabilistic sampling',
    5: 'property match filtering',
    6: 'hash based filtering using BOB',
    7: 'hash based filtering using IPSX',
    8: 'hash based filtering using CRC',
    9: 'flow-state dependent selection',
  },
  natType: {
    0: 'unknown',
    1: 'NAT44',
    2: 'NAT64',
    3: 'NAT46',
    4: 'IPv4 no NAT',
    5: 'NAT66',
    6: 'IPv6 no NAT',
  },
  observationPointType: { 0: 'invalid', 1: 'physical port', 2: 'port channel', 3: 'vlan' },
  mplsTopLabelType: { 0: 'unknown', 1: 'TE-MIDPT', 2: 'Pseudowire', 3: 'VPN', 4: 'BGP', 5: 'LDP' },
  bgpValidityState: { 0: 'valid', 1: 'not found', 2: 'invalid' },
};

/** RFC 9565: from the lowest bit on; those above are written by number. */
const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];
const FLAGS = new Set(['tcpControlBits', 'initialTCPFlags', 'unionTCPFlags']);

type Namer = (value: number | string | boolean) => string | undefined;

/** By element name: the same few are asked for in every record. */
const namers = new Map<string, Namer | undefined>();
const MOST_NAMERS = 4_096;

/** What the values of this element mean; undefined where they are just values. The reverse elements mean the same (RFC 5103). */
export function namerOf(element: string): Namer | undefined {
  if (namers.has(element)) return namers.get(element);
  const namer = createNamer(element.replace(/^reverse./, (start) => start.slice(-1).toLowerCase()));
  if (namers.size < MOST_NAMERS) namers.set(element, namer);
  return namer;
}

export const valueName = (element: string, value: number | string | boolean): string | undefined =>
  namerOf(element)?.(value);

function createNamer(element: string): Namer | undefined {
  if (element === 'applicationId') return (value) => applicationName(String(value));
  if (FLAGS.has(element))
    return (value) =>
      typeof value === 'number' && value > 0 && value < 65_536 ? flagNames(value) : undefined;
  const names = Object.hasOwn(VALUES, element) ? VALUES[element] : undefined;
  return names && ((value) => (typeof value === 'number' ? names[value] : undefined));
}

function flagNames(value: number): string {
  const names: string[] = [];
  for (let bit = 0; bit < 16; bit++) if (value & (1 << bit)) names.push(TCP_FLAGS[bit] ?? `bit ${bit}`);
  return names.join(' ');
}

/** Classification engine whose selectors stand behind an enterprise number. */
const PANA_L7_PEN = 20;

/** RFC 6759 section 4: hex of engine and selector, the engine's owner between them where it names one. */
function applicationName(hex: string): string | undefined {
  if (!/^([0-9a-f]{2}){2,9}$/.test(hex)) return undefined;
  const engine = Number.parseInt(hex.slice(0, 2), 16);
  const hasOwner = engine === PANA_L7_PEN && hex.length > 10;
  const owner = hasOwner ? [Number.parseInt(hex.slice(2, 10), 16)] : [];
  return [engine, ...owner, BigInt(`0x${hex.slice(hasOwner ? 10 : 2)}`)].join(':');
}

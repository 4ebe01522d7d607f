// the match options of an iptables rule -> boxes of traffic, and what cannot be one as a condition in words
import { ANY_V4, ANY_V6, addressSet } from '../../src/model/addresses.ts';
import { PROTOCOLS, service } from '../../src/model/services.ts';
import { ANY_TRAFFIC, type Traffic } from '../../src/model/traffic.ts';
import {
  type Allowance,
  boxOf,
  type Dimension,
  NOTHING,
  portRanges,
  product,
  protocols,
  unionOf,
} from './boxes.ts';
import { ICMP_TYPES, ICMP6_TYPES, icmpRange } from './icmp.ts';
import type { ExpandName } from './interfaces.ts';
import { type IpSets, setBoxes } from './ipset.ts';
import { type Option, optionText } from './iptables-words.ts';

export interface MatchContext {
  readonly expand: ExpandName;
  readonly sets: IpSets;
  readonly allowance: Allowance;
}

/** undefined: the option cannot be said in boxes. */
type Boxes = readonly Traffic[] | undefined;

const PORTS = [6, 17, 33, 132, 136];
const WITH_PORTS: Traffic = { ...ANY_TRAFFIC, services: protocols(...PORTS) };
const NEVER: readonly Traffic[] = [NOTHING];
const EVERYTHING: readonly Traffic[] = [ANY_TRAFFIC];
/** Modules that say nothing without an option of theirs. */
const QUIET_MODULES = new Set(
  'tcp udp udplite sctp dccp icmp icmp6 icmpv6 multiport conntrack state set iprange comment mac mark connmark limit hashlimit addrtype string owner time physdev'.split(
    ' ',
  ),
);

/** Narrows `within` by every option in front of the target; `translated`: met only by packets that are, or are not, as `states` says in words. */
export function matchOptions(options: readonly Option[], within: Traffic, context: MatchContext) {
  let boxes: readonly Traffic[] = [within];
  const unresolved: string[] = [];
  const states: Option[] = [];
  for (const option of options) {
    if (option.name === '--comment' || option.name === '--update-counters') continue;
    if (option.name === '-m' || option.name === '--match') {
      if (!QUIET_MODULES.has(option.owner)) unresolved.push(optionText(option));
      continue;
    }
    if (asksTranslated(option)) {
      states.push(option);
      continue;
    }
    const asked = optionBoxes(option, context);
    const narrowed = asked && product(boxes, asked, context.allowance);
    if (narrowed) boxes = narrowed;
    else unresolved.push(optionText(option));
  }
  const wanted = new Set(states.map(({ negated }) => !negated));
  if (wanted.size > 1) boxes = [];
  const [translated] = wanted;
  return { boxes, unresolved, translated, states: states.map(optionText) };
}

/** `--ctstate DNAT`: iptables-extensions(8), a virtual state of packets whose destination was translated. */
function asksTranslated({ name, values }: Option): boolean {
  const states = (values[0] ?? '').split(',');
  return (
    name === '--ctstate' && states.includes('DNAT') && !states.includes('NEW') && !states.includes('SNAT')
  );
}

function optionBoxes(option: Option, context: MatchContext): Boxes {
  const { name, values, negated } = option;
  const value = values[0] ?? '';
  const compare = (
    dimension: Dimension,
    made: Traffic[Dimension] | undefined,
    within = ANY_TRAFFIC,
  ): Boxes => {
    const box = made && boxOf({ dimension, within, value: made }, negated);
    return made && (box ? [box] : []);
  };
  switch (name) {
    case '-s':
    case '--source':
    case '--src-range':
      return compare('sources', addressesOf(value), familyOf(value));
    case '-d':
    case '--destination':
    case '--dst-range':
      return compare('destinations', addressesOf(value), familyOf(value));
    case '-i':
    case '--in-interface':
      return compare('ingress', context.expand(value));
    case '-o':
    case '--out-interface':
      return compare('egress', context.expand(value));
    case '-p':
    case '--protocol':
      return compare('services', protocolOf(value));
    case '--icmp-type':
      return value === 'any' ? EVERYTHING : compare('services', icmpOf(1, value), ICMP);
    case '--icmpv6-type':
      return compare('services', icmpOf(58, value), ICMP6);
    case '--tcp-flags':
      return flagsMatch(values) !== negated ? TCP : NEVER;
    case '--syn':
      return negated ? NEVER : TCP;
    case '--ctstate':
    case '--state':
      return stateBoxes(value.split(','), negated);
    case '--ctdir':
      return (value === 'ORIGINAL') !== negated ? EVERYTHING : NEVER;
    case '--match-set':
      return setBoxes(value, values[1] ?? '', negated, context.sets, context.expand);
    default:
      return portBoxes(option, compare);
  }
}

type Compare = (dimension: Dimension, made: Traffic[Dimension] | undefined, within?: Traffic) => Boxes;

function portBoxes({ name, values, negated }: Option, compare: Compare): Boxes {
  const ranges = portsOf(values[0] ?? '');
  if (!ranges) return undefined;
  const asDestination = unionOf(
    'services',
    PORTS.map((number) => service(number, ranges)),
  );
  switch (name) {
    case '--dport':
    case '--destination-port':
    case '--dports':
    case '--destination-ports':
      return compare('services', asDestination, WITH_PORTS);
    case '--sport':
    case '--source-port':
    case '--sports':
    case '--source-ports':
      return compare('sourcePorts', portRanges(ranges), WITH_PORTS);
    case '--ports': {
      // Either end: the two boxes may overlap, which changes nothing for a rule with one outcome.
      const either = [
        compare('services', asDestination, WITH_PORTS),
        compare('sourcePorts', portRanges(ranges), WITH_PORTS),
      ];
      const [to = [], from = []] = either;
      return negated ? product(to, from) : [...to, ...from];
    }
    default:
      return undefined;
  }
}

/** "80", "1024:65535", ":1023", "80,443,8000:8100" */
function portsOf(text: string): [number, number][] | undefined {
  const ranges: [number, number][] = [];
  for (const part of text.split(',')) {
    const match = /^(\d{0,5})(?:([:-])(\d{0,5}))?$/.exec(part);
    if (!match || (match[1] === '' && !match[2])) return undefined;
    const first = Number(match[1] || 0);
    const last = match[2] ? Number(match[3] || 65_535) : first;
    if (first > last || last > 65_535) return undefined;
    ranges.push([first, last]);
  }
  return ranges;
}

const TCP: readonly Traffic[] = [{ ...ANY_TRAFFIC, services: protocols(6) }];
const ICMP: Traffic = { ...ANY_TRAFFIC, services: protocols(1) };
const ICMP6: Traffic = { ...ANY_TRAFFIC, services: protocols(58) };

function familyOf(text: string): Traffic {
  const family = text.includes(':') ? ANY_V6 : ANY_V4;
  return { ...ANY_TRAFFIC, sources: family, destinations: family };
}

function addressesOf(text: string) {
  // "10.0.0.0/255.0.0.0" in the form of old versions
  const masked = /^(.*)\/(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  try {
    if (!masked) return text === 'any' ? undefined : addressSet(text);
    const bits = masked[2]
      .split('.')
      .map((octet) => Number(octet).toString(2).padStart(8, '0'))
      .join('');
    return /^1*0*$/.test(bits) ? addressSet(`${masked[1]}/${bits.replace(/0/g, '').length}`) : undefined;
  } catch {
    return undefined;
  }
}

function protocolOf(text: string) {
  if (text === 'all' || text === '0') return ANY_TRAFFIC.services;
  if (/^\d{1,3}$/.test(text)) return Number(text) > 255 ? undefined : service(Number(text));
  const name = text.toLowerCase();
  return Object.hasOwn(PROTOCOLS, name) ? service(PROTOCOLS[name]) : undefined;
}

function icmpOf(protocol: number, text: string) {
  const range = icmpRange(text, protocol === 1 ? ICMP_TYPES : ICMP6_TYPES);
  return range && service(protocol, [range]);
}

/** Whether the first packet of a new TCP connection, SYN alone (RFC 9293 section 3.5), is met: "FIN,SYN,RST,ACK SYN". */
function flagsMatch([mask = '', wanted = '']: readonly string[]): boolean {
  const isMasked = mask === 'ALL' || mask.split(',').includes('SYN');
  const seen = isMasked ? 'SYN' : 'NONE';
  return (wanted === 'ALL' ? 'FIN,SYN,RST,PSH,ACK,URG' : wanted) === seen;
}

/** Rules are asked about the first packet of a new connection. What has both translations, or the source's, is not resolved. */
function stateBoxes(states: readonly string[], negated: boolean): Boxes {
  const isNew = states.includes('NEW');
  if (!isNew && (states.includes('DNAT') || states.includes('SNAT'))) return undefined;
  return isNew !== negated ? EVERYTHING : NEVER;
}

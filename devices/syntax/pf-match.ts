// what a pf rule matches -> boxes of traffic without the interface, and what cannot be one in words
import { type AddressSet, ANY_ADDRESS, ANY_V4, ANY_V6 } from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { PROTOCOLS, service, unionServices } from '../../src/model/services.ts';
import { ANY_TRAFFIC, type NameSet, type Traffic } from '../../src/model/traffic.ts';
import { type Allowance, boxOf, type Dimension, NOTHING, portRanges, product, protocols } from './boxes.ts';
import { hostsOf, namesOf, type PfNames } from './pf-hosts.ts';
import { PF_ICMP, PF_ICMP6, pfIcmp } from './pf-icmp.ts';
import type { PfRule, PfSide } from './pf-parse.ts';
import { PORT_NAMES } from './ports.ts';

export interface PfMatch {
  readonly boxes: readonly Traffic[];
  readonly on?: NameSet;
  readonly unresolved: readonly string[];
  /** Lines of the tables it names. */
  readonly lines: readonly SourceLine[];
}

const PORTS = [6, 17, 33, 132, 136];
const WITH_PORTS: Traffic = { ...ANY_TRAFFIC, services: protocols(...PORTS) };

export const familyOf = (family: PfRule['family']): AddressSet =>
  family === 'inet' ? ANY_V4 : family === 'inet6' ? ANY_V6 : ANY_ADDRESS;

export function matchOf(rule: PfRule, known: PfNames, allowance: Allowance): PfMatch {
  const unresolved = [...rule.conditions, ...rule.unknown.map((word) => `"${word}"`)];
  const lines: SourceLine[] = [];
  const family = familyOf(rule.family);
  let boxes: readonly Traffic[] = [{ ...ANY_TRAFFIC, sources: family, destinations: family }];
  const narrow = (asked: readonly Traffic[] | undefined, text: string) => {
    const narrowed = asked && product(boxes, asked, allowance);
    if (narrowed) boxes = narrowed;
    else unresolved.push(text.slice(0, 120));
  };
  const side = (from: PfSide, dimension: 'sources' | 'destinations') => {
    const { set, unresolved: reasons, lines: own } = hostsOf(from.hosts, known, family);
    lines.push(...own);
    unresolved.push(...reasons.map((reason) => `${dimension === 'sources' ? 'from' : 'to'} ${reason}`));
    if (set) narrow([{ ...ANY_TRAFFIC, [dimension]: set }], 'hosts');
    if (from.ports) narrow(portBoxes(from.ports, dimension), `port ${from.ports.flat().join(' ')}`);
  };
  if (rule.protocols) narrow(protocolBoxes(rule.protocols), `proto ${rule.protocols.join(' ')}`);
  side(rule.from, 'sources');
  side(rule.to, 'destinations');
  if (rule.icmp) narrow(icmpBoxes(rule.icmp), 'icmp-type');
  if (rule.flags !== undefined) narrow(flagBoxes(rule.flags, boxes), `flags ${rule.flags}`);
  if (rule.receivedOn) narrow([{ ...ANY_TRAFFIC, ingress: namesOf(rule.receivedOn, known) }], 'received-on');
  return {
    boxes,
    unresolved: unresolved.slice(0, 20),
    lines,
    ...(rule.on ? { on: namesOf(rule.on, known) } : {}),
  };
}

function protocolBoxes(names: readonly string[]): readonly Traffic[] | undefined {
  const numbers = names.map((name) =>
    /^\d{1,3}$/.test(name) && Number(name) < 256
      ? Number(name)
      : Object.hasOwn(PROTOCOLS, name.toLowerCase())
        ? PROTOCOLS[name.toLowerCase()]
        : undefined,
  );
  if (numbers.includes(undefined)) return undefined;
  return [{ ...ANY_TRAFFIC, services: protocols(...(numbers as number[])) }];
}

const LAST = 65_535;

function portBoxes(
  tests: readonly string[][],
  dimension: 'sources' | 'destinations',
): readonly Traffic[] | undefined {
  const ranges = tests.flatMap((test) => portTest(test) ?? [undefined]);
  if (ranges.includes(undefined)) return undefined;
  const known = portRanges(ranges as [number, number][]);
  const pairs = ranges as [number, number][];
  const asked: Traffic[Dimension] =
    dimension === 'sources' ? known : unionServices(...PORTS.map((number) => service(number, pairs)));
  const box = boxOf(
    { dimension: dimension === 'sources' ? 'sourcePorts' : 'services', within: WITH_PORTS, value: asked },
    false,
  );
  return box ? [box] : [NOTHING];
}

/** pf.conf(5): unary `=`, `!=`, `<`, `<=`, `>`, `>=`; `:` with its ends, `><` without them, `<>` all but the range. */
function portTest(words: readonly string[]): [number, number][] | undefined {
  const [first, operator, second] = words;
  if (words.length === 3) {
    const [low, high] = [portOf(first), portOf(second)];
    if (low === undefined || high === undefined) return undefined;
    if (operator === '><') return ordered([low + 1, high - 1]);
    return [...ordered([0, low - 1]), ...ordered([high + 1, LAST])];
  }
  if (words.length === 2) {
    const port = portOf(operator);
    if (port === undefined) return undefined;
    switch (first) {
      case '=':
        return [[port, port]];
      case '!=':
        return [...ordered([0, port - 1]), ...ordered([port + 1, LAST])];
      case '<':
        return ordered([0, port - 1]);
      case '<=':
        return [[0, port]];
      case '>':
        return ordered([port + 1, LAST]);
      default:
        return [[port, LAST]];
    }
  }
  return rangeOf(first);
}

const ordered = (range: [number, number]): [number, number][] => (range[0] <= range[1] ? [range] : []);

/** "80", "1000:2000", "1000:", ":1000", "ssh" */
export function rangeOf(text: string): [number, number][] | undefined {
  const colon = text.indexOf(':');
  const low = colon < 0 ? portOf(text) : colon === 0 ? 0 : portOf(text.slice(0, colon));
  const high = colon < 0 ? low : colon === text.length - 1 ? LAST : portOf(text.slice(colon + 1));
  return low === undefined || high === undefined ? undefined : ordered([low, high]);
}

function portOf(text: string): number | undefined {
  if (/^\d{1,5}$/.test(text)) return Number(text) <= LAST ? Number(text) : undefined;
  return Object.hasOwn(PORT_NAMES, text) ? PORT_NAMES[text] : undefined;
}

function icmpBoxes({ types, six }: NonNullable<PfRule['icmp']>): readonly Traffic[] | undefined {
  const protocol = six ? 58 : 1;
  const ranges = types.map(([type, code]) => pfIcmp(type, code, six ? PF_ICMP6 : PF_ICMP));
  if (ranges.includes(undefined)) return undefined;
  return [{ ...ANY_TRAFFIC, services: service(protocol, ranges as [number, number][]) }];
}

/** "S/SA": of SYN and ACK, SYN is set; the first packet of a connection has SYN alone (RFC 9293 section 3.5). */
function flagBoxes(written: string, boxes: readonly Traffic[]): readonly Traffic[] | undefined {
  if (written === 'any') return [ANY_TRAFFIC];
  const match = /^([FSRPAUEW]{0,8})\/([FSRPAUEW]{1,8})$/.exec(written);
  if (!match) return undefined;
  const wanted = [...match[1]].filter((flag) => match[2].includes(flag)).join('');
  if (wanted === (match[2].includes('S') ? 'S' : '')) return [ANY_TRAFFIC];
  // Only TCP is asked for its flags.
  return boxes.every(
    ({ services }) => services.length === 2 && services[0] >= 6 * 65_536 && services[1] < 7 * 65_536,
  )
    ? [NOTHING]
    : [{ ...ANY_TRAFFIC, services: [0, 6 * 65_536 - 1, 7 * 65_536, 256 * 65_536 - 1] }];
}

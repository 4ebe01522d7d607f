// applications and application sets of Junos -> services with the source ports that go with them
import {
  ANY_SERVICE,
  PROTOCOLS,
  type ServiceSet,
  service,
  serviceSet,
  unionServices,
} from '../../src/model/services.ts';
import { ANY_SOURCE_PORT } from '../../src/model/traffic.ts';
import { portRanges, protocols } from './boxes.ts';
import { ICMP_TYPES, ICMP6_TYPES, icmpRange } from './icmp.ts';
import { DEFAULT_APPLICATIONS, DEFAULT_SETS } from './junos-default-applications.ts';
import { parsePort } from './junos-ports.ts';
import { type Definition, type NameTable, type ServiceBox, serviceTable } from './objects.ts';
import { at, linesUnder, list, type WordTree, word, words } from './tree.ts';

export const EVERYTHING: readonly ServiceBox[] = [{ services: ANY_SERVICE, sourcePorts: ANY_SOURCE_PORT }];

/** `applications`, those of the device first, then the group junos-defaults. */
export function applicationTable(applications: WordTree | undefined): NameTable<readonly ServiceBox[]> {
  const found = new Map<string, Definition<readonly ServiceBox[]>>();
  for (const [name, text] of Object.entries(DEFAULT_APPLICATIONS))
    found.set(name, {
      own: [[{ services: serviceSet(...text.split(' ')), sourcePorts: ANY_SOURCE_PORT }]],
      members: [],
      lines: [],
    });
  for (const [name, text] of Object.entries(DEFAULT_SETS))
    found.set(name, { own: [], members: text.split(' '), lines: [] });
  for (const one of list(applications, 'application')) found.set(one.word, applicationOf(one));
  for (const set of list(applications, 'application-set'))
    found.set(set.word, {
      own: [],
      members: [...words(set, 'application'), ...words(set, 'application-set')],
      lines: linesUnder(set),
    });
  return serviceTable(found);
}

function applicationOf(node: WordTree): Definition<readonly ServiceBox[]> {
  const terms = list(node, 'term');
  const parts = (terms.length > 0 ? terms : [node]).map(unfolded);
  const unresolved: string[] = [];
  const own = parts.map((part) => [boxOf(node.word, part, unresolved)]);
  return { own, members: [], unresolved, lines: linesUnder(node) };
}

const PART = new Set(
  'protocol source-port destination-port icmp-type icmp-code icmp6-type icmp6-code rpc-program-number uuid alg'.split(
    ' ',
  ),
);

/** `term t1 protocol tcp destination-port 8443;` stands in one line: the words behind a value begin statements again. */
function unfolded(node: WordTree): WordTree {
  const children = new Map<string, WordTree>();
  const waiting = [...node.children.values()];
  for (let one = waiting.shift(); one; one = waiting.shift()) {
    const values = [...one.children.values()].map((value) => {
      const next = [...value.children.values()].filter(({ word: name }) => PART.has(name));
      waiting.push(...next);
      return next.length === 0
        ? value
        : { ...value, children: new Map([...value.children].filter(([name]) => !PART.has(name))) };
    });
    const known = children.get(one.word);
    const merged = new Map([
      ...(known?.children ?? []),
      ...values.map((value) => [value.word, value] as const),
    ]);
    children.set(one.word, { ...one, children: merged });
  }
  return { ...node, children };
}

function boxOf(name: string, part: WordTree, unresolved: string[]): ServiceBox {
  const protocol = word(part, 'protocol');
  const number = protocol === undefined ? undefined : protocolNumber(protocol);
  if (protocol !== undefined && number === undefined)
    unresolved.push(`application ${name}: protocol ${protocol}`);
  for (const kind of ['rpc-program-number', 'uuid'])
    if (at(part, kind)) unresolved.push(`application ${name}: ${kind} ${word(part, kind) ?? ''}`);
  const portsOf = (which: string) => {
    const ranges = list(part, which).flatMap((one) => {
      const range = parsePort(one);
      if (!range) unresolved.push(`application ${name}: ${which} ${one.word.slice(0, 64)}`);
      return range ? [range] : [];
    });
    return ranges.length > 0 ? ranges : undefined;
  };
  const ports = portsOf('destination-port');
  const sourcePorts = portsOf('source-port');
  const icmp = icmpOf(part, number);
  const numbers = number !== undefined ? [number] : ports || sourcePorts ? [6, 17] : undefined;
  const services: ServiceSet = icmp
    ? service(number!, [icmp])
    : numbers === undefined
      ? ANY_SERVICE
      : ports
        ? serviceSetOf(numbers, ports)
        : protocols(...numbers);
  return { services, sourcePorts: sourcePorts ? portRanges(sourcePorts) : ANY_SOURCE_PORT };
}

export const serviceSetOf = (
  numbers: readonly number[],
  ports: readonly (readonly [number, number])[],
): ServiceSet => unionServices(...numbers.map((number) => service(number, ports)));

/** `icmp-type` with `icmp-code`, by number or name. */
function icmpOf(part: WordTree, protocol: number | undefined): readonly [number, number] | undefined {
  const table = protocol === 1 ? ICMP_TYPES : protocol === 58 ? ICMP6_TYPES : undefined;
  const type = word(part, protocol === 58 ? 'icmp6-type' : 'icmp-type') ?? word(part, 'icmp-type');
  const code = word(part, protocol === 58 ? 'icmp6-code' : 'icmp-code') ?? word(part, 'icmp-code');
  if (!table || type === undefined) return undefined;
  return icmpRange(/^\d+$/.test(type) && /^\d+$/.test(code ?? '') ? `${type}/${code}` : type, table);
}

export function protocolNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= 255 ? Number(text) : undefined;
  return Object.hasOwn(PROTOCOLS, text) ? PROTOCOLS[text] : undefined;
}

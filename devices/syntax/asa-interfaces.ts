// interfaces of the ASA with their nameif -> the names that rules speak of
import * as addresses from '../../src/model/addresses.ts';
import type { DeviceInterface, SourceLine } from '../../src/model/rule.ts';
import { ANY_NAME, type NameSet, names } from '../../src/model/traffic.ts';
import { subnet } from './asa-objects.ts';
import { setOf } from './cisco-address.ts';
import { type Block, lineOf, wordsOf } from './indent.ts';

export interface AsaInterface extends DeviceInterface {
  readonly nameif?: string;
  readonly level: number;
  readonly isUp: boolean;
  readonly managementOnly: boolean;
  readonly networks: addresses.AddressSet;
  readonly bridgeGroup?: string;
  readonly routeMap?: string;
  /** Set for `interface Tunnel` only. */
  readonly tunnel?: { readonly destination?: string; readonly mode: string };
  /** Its own line and those that say what it is to rules. */
  readonly lines: readonly SourceLine[];
}

export interface AsaInterfaces {
  readonly all: readonly AsaInterface[];
  /** By nameif. */
  readonly byNameif: ReadonlyMap<string, AsaInterface>;
  /** "any" and nameifs -> interfaces that are up; a nameif that no interface has stands for itself. */
  readonly namesOf: (nameif: string) => NameSet;
  /** The interface's own address; undefined where only the device knows it. */
  readonly addressOf: (nameif: string, version?: 'v4' | 'v6') => addresses.AddressSet | undefined;
}

const BEARING =
  /^(?:nameif|security-level|ip address|ipv6 address|shutdown|no shutdown|management-only|bridge-group|policy-route|tunnel|zone-member)\b/;

/** `context` stands in front of names, since contexts may share an interface. */
export function readAsaInterfaces(
  blocks: readonly Block[],
  context: string | undefined,
  alias: (word: string) => string,
): AsaInterfaces {
  const prefix = context === undefined ? '' : `${context}/`;
  const read = blocks.flatMap((block) => {
    const [word, name] = wordsOf(block.text);
    return word === 'interface' && name !== undefined ? [interfaceOf(block, `${prefix}${name}`, alias)] : [];
  });
  const down = new Set(read.filter(({ isUp }) => !isUp).map(({ name }) => name));
  // A subinterface is down with the port that carries it.
  const all = read.map((one) => ({ ...one, isUp: one.isUp && !down.has(one.name.replace(/\.\d+$/, '')) }));
  const byNameif = new Map(
    all.flatMap((one) => (one.nameif === undefined ? [] : [[one.nameif, one] as const])),
  );
  const upNames = all.filter((one) => one.nameif !== undefined && one.isUp).map(({ name }) => name);
  const membersOf = (one: AsaInterface) => {
    const group = /(?:^|\/)BVI(\d+)$/.exec(one.name)?.[1];
    return group === undefined ? [] : all.filter((other) => other.bridgeGroup === group && other.isUp);
  };
  return {
    all,
    byNameif,
    namesOf: (nameif) => {
      if (nameif === 'any') return context === undefined ? ANY_NAME : names(...upNames);
      const one = byNameif.get(nameif);
      if (!one) return names(`${prefix}${nameif}`);
      return one.isUp ? names(one.name, ...membersOf(one).map(({ name }) => name)) : names();
    },
    addressOf: (nameif, version = 'v4') => {
      const own = byNameif.get(nameif)?.addresses;
      const found =
        own && addresses.intersectAddresses(own, version === 'v4' ? addresses.ANY_V4 : addresses.ANY_V6);
      return found && !addresses.noAddresses(found) ? found : undefined;
    },
  };
}

function interfaceOf(block: Block, name: string, alias: (word: string) => string): AsaInterface {
  const own: addresses.AddressSet[] = [];
  const networks: addresses.AddressSet[] = [];
  const found: {
    -readonly [K in 'nameif' | 'description' | 'bridgeGroup' | 'routeMap']?: string;
  } = {};
  let [level, isUp, managementOnly] = [0, true, false];
  const tunnel: { destination?: string; mode: string } = { mode: 'ipsec' };
  for (const { text } of block.children) {
    const words = wordsOf(text);
    const [first, second, third] = words;
    if (first === 'nameif') found.nameif = second;
    else if (first === 'description') found.description = words.slice(1).join(' ');
    else if (first === 'security-level') level = Number(second) || 0;
    else if (first === 'shutdown') isUp = false;
    else if (first === 'management-only' && second === undefined) managementOnly = true;
    else if (first === 'bridge-group') found.bridgeGroup = second;
    else if (first === 'policy-route' && second === 'route-map') found.routeMap = third;
    else if (first === 'tunnel' && second === 'destination') tunnel.destination = alias(third ?? '');
    else if (first === 'tunnel' && second === 'mode') tunnel.mode = words.slice(2).join(' ');
    else if ((first === 'ip' || first === 'ipv6') && second === 'address') {
      const address = alias(third ?? '');
      const host = setOf(address.split('/')[0]);
      if (host) own.push(host);
      const network = subnet(address, words[3]);
      if (host && network) networks.push(network);
    }
  }
  return {
    name,
    ...found,
    addresses: addresses.unionAddresses(...own),
    networks: addresses.unionAddresses(...networks),
    level,
    isUp,
    managementOnly,
    ...(/(?:^|\/)Tunnel\d/.test(name) ? { tunnel } : {}),
    lines: [lineOf(block), ...block.children.filter(({ text }) => BEARING.test(text.trim())).map(lineOf)],
  };
}

/** What a rule set holds of an interface. */
export const publicInterface = ({
  name,
  addresses: own,
  nameif,
  description,
}: AsaInterface): DeviceInterface => {
  const text = description ?? nameif;
  return { name, addresses: own, ...(text === undefined ? {} : { description: text }) };
};

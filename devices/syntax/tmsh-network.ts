// self addresses, tunnels and routes of TMOS -> interfaces, and tunnels with what is routed into them
import { type AddressSet, addressSet, NO_ADDRESSES, unionAddresses } from '../../src/model/addresses.ts';
import type { DeviceInterface, Translation } from '../../src/model/rule.ts';
import { ANY_TRAFFIC } from '../../src/model/traffic.ts';
import type { Assembly, PolicyBuilder } from './assemble.ts';
import { addressesOf, plainName, textBelow } from './tmsh-text.ts';
import { at, linesUnder, list, type WordTree, word } from './tree.ts';

const MOST_LINES = 60;

/** A VLAN or tunnel with the self addresses on it. */
export function interfacesOf(tree: WordTree): DeviceInterface[] {
  const own = new Map<string, AddressSet[]>();
  for (const self of list(tree, 'net', 'self')) {
    const vlan = word(self, 'vlan');
    const address = word(self, 'address')
      ?.replace(/%\d{1,5}/, '')
      .replace(/\/\d{1,3}$/, '');
    if (vlan === undefined || address === undefined) continue;
    try {
      own.set(vlan, [...(own.get(vlan) ?? []), addressSet(address)]);
    } catch {
      // Not an address: the line says nothing about forwarding.
    }
  }
  const nodes = [...list(tree, 'net', 'vlan'), ...list(tree, 'net', 'tunnels', 'tunnel')];
  const all = new Set([...nodes.map((node) => node.word), ...own.keys()]);
  return [...all].map((name) => {
    const description = textBelow(
      at(
        nodes.find((node) => node.word === name),
        'description',
      ),
    );
    return {
      name: plainName(name),
      addresses: unionAddresses(NO_ADDRESSES, ...(own.get(name) ?? [])),
      ...(description === undefined ? {} : { description }),
    };
  });
}

/** Each tunnel with a far end is a rule; a route into it takes what it leads there. */
export function readTunnels(tree: WordTree, assembly: Assembly, redirect: PolicyBuilder): void {
  const routes = list(tree, 'net', 'route').map((route) => ({
    route,
    into: word(route, 'interface') ?? word(route, 'vlan'),
    network: addressesOf(networkOf(word(route, 'network') ?? ''))?.addresses,
  }));
  for (const tunnel of list(tree, 'net', 'tunnels', 'tunnel')) {
    const far = addressesOf(word(tunnel, 'remote-address') ?? '');
    if (!far || far.bits === 0) continue;
    const translation: Translation = { kind: 'tunnel', addresses: far.addresses };
    const led = routes.filter(({ into, network }) => into === tunnel.word && network);
    const rule = assembly.rule({
      key: `tunnel:${plainName(tunnel.word)}`,
      kind: 'tunnel',
      list: 'tunnel',
      context: { interfaces: [plainName(tunnel.word)] },
      matches: led.length > 0 ? led.map(({ network }) => ({ ...ANY_TRAFFIC, destinations: network! })) : [],
      translation,
      action: `tunnel ${plainName(word(tunnel, 'profile') ?? '')}`.trim(),
      lines: [...linesUnder(tunnel, MOST_LINES), ...led.flatMap(({ route }) => linesUnder(route, 10))],
    });
    redirect.entry(rule, 'translate', { translation });
  }
}

const networkOf = (text: string): string =>
  text === 'default' ? '0.0.0.0/0' : text === 'default-inet6' ? '::/0' : text;

// interfaces of RouterOS: names, addresses, tunnels with their far ends
import { type AddressSet, NO_ADDRESSES, noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { DeviceInterface, SourceLine } from '../../src/model/rule.ts';
import { setOf } from './cisco-address.ts';
import { fieldOf, isDisabled, type RouterosConfig, type RouterosItem } from './routeros-config.ts';

export interface RouterosTunnel {
  readonly name: string;
  readonly type: string;
  readonly far?: AddressSet;
  /** As written, where it is no address: the host name of a server. */
  readonly farText: string;
  readonly isDisabled: boolean;
  readonly comment?: string;
  readonly lines: readonly SourceLine[];
}

export interface RouterosInterfaces {
  readonly list: readonly DeviceInterface[];
  readonly tunnels: ReadonlyMap<string, RouterosTunnel>;
  readonly isDown: (name: string) => boolean;
  /** Networks by interface, for gateways. */
  readonly networks: ReadonlyMap<string, AddressSet>;
  readonly addresses: AddressSet;
}

/** Menu of the interface, and the field that holds the far end. */
const TUNNELS: Readonly<Record<string, string>> = {
  'interface gre': 'remote-address',
  'interface gre6': 'remote-address',
  'interface eoip': 'remote-address',
  'interface eoipv6': 'remote-address',
  'interface ipip': 'remote-address',
  'interface ipipv6': 'remote-address',
  'interface 6to4': 'remote-address',
  'interface l2tp-client': 'connect-to',
  'interface pptp-client': 'connect-to',
  'interface sstp-client': 'connect-to',
  'interface ovpn-client': 'connect-to',
  'interface l2tp-ether': 'connect-to',
};

export function routerosInterfaces(config: RouterosConfig): RouterosInterfaces {
  const found = new Map<string, { comment?: string; addresses: AddressSet[]; isDown: boolean }>();
  for (const path of config.paths.filter((one) => /^interface \S+$/.test(one)))
    for (const item of config.items(path)) {
      const name = fieldOf(item, 'name') ?? fieldOf(item, 'default-name');
      if (name === undefined || path === 'interface list') continue;
      const comment = fieldOf(item, 'comment');
      found.set(name, {
        ...(comment === undefined ? {} : { comment }),
        addresses: [],
        isDown: isDisabled(item),
      });
    }
  const networks = new Map<string, AddressSet>();
  for (const path of ['ip address', 'ipv6 address'])
    for (const item of config.items(path)) {
      const [name, written] = [fieldOf(item, 'interface'), fieldOf(item, 'address') ?? ''];
      const [address, network] = [setOf(written.split('/')[0]), setOf(written)];
      if (name === undefined || !address || !network || isDisabled(item)) continue;
      const known = found.get(name) ?? { addresses: [], isDown: false };
      known.addresses.push(address);
      found.set(name, known);
      networks.set(name, unionAddresses(networks.get(name) ?? NO_ADDRESSES, network));
    }
  const tunnels = tunnelsOf(config);
  const list = [...found].map(([name, { comment, addresses }]) => ({
    name,
    addresses: unionAddresses(...addresses),
    ...(comment === undefined ? {} : { description: comment }),
  }));
  return {
    list,
    tunnels,
    isDown: (name) => found.get(name)?.isDown ?? false,
    networks,
    addresses: unionAddresses(...list.map(({ addresses }) => addresses)),
  };
}

function tunnelsOf(config: RouterosConfig): Map<string, RouterosTunnel> {
  const tunnels = new Map<string, RouterosTunnel>();
  for (const [path, field] of Object.entries(TUNNELS))
    for (const item of config.items(path)) {
      const name = fieldOf(item, 'name');
      if (name !== undefined)
        tunnels.set(name, tunnelOf(item, name, [fieldOf(item, field) ?? ''], item.lines));
    }
  for (const [path, peers, field] of [
    ['interface wireguard', 'interface wireguard peers', 'endpoint-address'],
    ['interface vxlan', 'interface vxlan vteps', 'remote-ip'],
  ])
    for (const item of config.items(path)) {
      const name = fieldOf(item, 'name');
      const own = config
        .items(peers)
        .filter((peer) => fieldOf(peer, 'interface') === name && !isDisabled(peer));
      const ends = own.flatMap((peer) => fieldOf(peer, field) || []);
      if (name !== undefined)
        tunnels.set(name, tunnelOf(item, name, ends, [...item.lines, ...own.flatMap((peer) => peer.lines)]));
    }
  return tunnels;
}

function tunnelOf(
  item: RouterosItem,
  name: string,
  ends: readonly string[],
  lines: readonly SourceLine[],
): RouterosTunnel {
  const sets = ends.flatMap((text) => setOf(text) ?? []);
  const far = unionAddresses(...sets);
  const isKnown = sets.length === ends.length && !noAddresses(far) && far.v4[0] !== 0 && far.v6[0] !== 0n;
  const comment = fieldOf(item, 'comment');
  return {
    name,
    type: item.path.replace('interface ', ''),
    ...(isKnown ? { far } : {}),
    farText: ends.join(' '),
    isDisabled: isDisabled(item),
    ...(comment === undefined ? {} : { comment }),
    lines,
  };
}

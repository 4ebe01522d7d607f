// `interfaces` of VyOS and EdgeOS -> names, addresses, tunnels, and what is bound to them
import { type AddressSet, NO_ADDRESSES, noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { DeviceInterface } from '../../src/model/rule.ts';
import { at, list, type WordTree, word, words } from './tree.ts';
import { addressOrUndefined } from './vyos-groups.ts';
import { has } from './vyos-text.ts';

/** One far end of a tunnel; `allowed`: destinations that go to it, undefined: all. */
export interface FarEnd {
  readonly name: string;
  readonly far?: AddressSet;
  readonly allowed?: AddressSet;
  readonly enabled: boolean;
  readonly node: WordTree;
}

export interface Face {
  readonly name: string;
  readonly type: string;
  readonly node: WordTree;
  readonly addresses: AddressSet;
  readonly networks: AddressSet;
  readonly enabled: boolean;
  readonly description?: string;
  readonly vrf?: string;
  /** Set where packets that leave by it go to somebody far away. */
  readonly tunnel?: { readonly mode: string; readonly ends: readonly FarEnd[] };
}

const TUNNELS = new Set('tunnel wireguard openvpn vti vxlan geneve l2tpv3 sstpc pptp-client'.split(' '));

export function readInterfaces(tree: WordTree): Face[] {
  const vti = vtiPeers(tree);
  const faces: Face[] = [];
  for (const type of list(tree, 'interfaces'))
    for (const node of type.children.values()) addFace(faces, type.word, node.word, node, vti, true);
  return faces;
}

const MAX_FACES = 20_000;

function addFace(
  faces: Face[],
  type: string,
  name: string,
  node: WordTree,
  vti: ReadonlyMap<string, FarEnd[]>,
  isUp: boolean,
): void {
  if (faces.length >= MAX_FACES) return;
  const enabled = isUp && !has(node, 'disable');
  const written = words(node, 'address').flatMap(
    (text) => addressOrUndefined(text.replace(/\/\d+$/, '')) ?? [],
  );
  const networks = words(node, 'address').flatMap((text) => addressOrUndefined(text) ?? []);
  const ends = TUNNELS.has(type) ? endsOf(type, name, node, vti) : undefined;
  faces.push({
    name,
    type,
    node,
    addresses: unionAddresses(...written),
    networks: unionAddresses(...networks),
    enabled,
    description: word(node, 'description'),
    vrf: word(node, 'vrf'),
    ...(ends ? { tunnel: { mode: modeOf(type, node), ends } } : {}),
  });
  for (const kind of ['vif', 'vif-s', 'vif-c'])
    for (const sub of list(node, kind)) addFace(faces, type, `${name}.${sub.word}`, sub, vti, enabled);
  // VyOS up to 1.2, EdgeOS: `ethernet eth0 pppoe 0`
  for (const sub of list(node, 'pppoe'))
    if (/^\d{1,5}$/.test(sub.word)) addFace(faces, 'pppoe', `pppoe${sub.word}`, sub, vti, enabled);
}

const modeOf = (type: string, node: WordTree): string => {
  const encapsulation = type === 'tunnel' ? word(node, 'encapsulation') : undefined;
  return encapsulation ? `tunnel ${encapsulation}` : type;
};

function endsOf(
  type: string,
  name: string,
  node: WordTree,
  vti: ReadonlyMap<string, FarEnd[]>,
): readonly FarEnd[] {
  if (type === 'wireguard') return list(node, 'peer').map(wireguardPeer);
  if (type === 'vti') return vti.get(name) ?? [];
  const remotes = ['remote', 'remote-ip', 'remote-host', 'server', 'server-ip'].flatMap((path) => {
    const child = at(node, path);
    return child ? words(child).map((text) => ({ text, child })) : [];
  });
  const group = word(node, 'group');
  const all = group === undefined ? remotes : [...remotes, { text: group, child: at(node, 'group')! }];
  return all.map(({ text, child }) => ({ name: text, ...farOf(text), enabled: true, node: child }));
}

const farOf = (text: string | undefined): { far?: AddressSet } => {
  const far = text === undefined ? undefined : addressOrUndefined(text);
  return far && !noAddresses(far) && text !== 'any' && text !== '0.0.0.0' && text !== '::' ? { far } : {};
};

/** VyOS: `peer NAME { address, port, allowed-ips }`; EdgeOS: `peer KEY { endpoint HOST:PORT, allowed-ips "A,B" }`. */
function wireguardPeer(node: WordTree): FarEnd {
  const endpoint = word(node, 'endpoint')
    ?.replace(/:\d{1,5}$/, '')
    .replace(/^\[(.*)\]$/, '$1');
  const allowed = words(node, 'allowed-ips')
    .flatMap((text) => text.split(','))
    .flatMap((text) => addressOrUndefined(text.trim()) ?? []);
  return {
    name: word(node, 'description') ?? node.word,
    ...farOf(word(node, 'address') ?? endpoint),
    allowed: allowed.length === 0 ? NO_ADDRESSES : unionAddresses(...allowed),
    enabled: !has(node, 'disable'),
    node,
  };
}

/** Far ends of `vpn ipsec site-to-site peer P vti bind vtiN`. */
function vtiPeers(tree: WordTree): Map<string, FarEnd[]> {
  const found = new Map<string, FarEnd[]>();
  for (const peer of list(tree, 'vpn', 'ipsec', 'site-to-site', 'peer')) {
    const name = word(peer, 'vti', 'bind');
    if (name === undefined) continue;
    const end: FarEnd = {
      name: peer.word,
      ...peerAddress(peer),
      enabled: !has(peer, 'disable'),
      node: peer,
    };
    found.set(name, [...(found.get(name) ?? []), end]);
  }
  return found;
}

/** `remote-address` since VyOS 1.4; before it the peer's name is its address. */
export const peerAddress = (peer: WordTree): { far?: AddressSet } =>
  farOf(word(peer, 'remote-address') ?? peer.word);

export const asDeviceInterface = ({ name, addresses, description }: Face): DeviceInterface => ({
  name,
  addresses,
  ...(description === undefined ? {} : { description }),
});

/** All of the device's own addresses. */
export const ownAddresses = (faces: readonly Face[]): AddressSet =>
  unionAddresses(...faces.map((face) => face.addresses));

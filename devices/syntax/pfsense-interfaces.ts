// interfaces, groups, virtual addresses and gateways of config.xml -> what names stand for
import { type AddressSet, addressSet, noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { DeviceInterface } from '../../src/model/rule.ts';
import {
  all,
  child,
  flag,
  isOn,
  type SenseText,
  shortly,
  textAt,
  wordsOf,
  type XmlNode,
} from './pfsense-xml.ts';

export interface SenseInterface {
  /** As rules name it: "wan", "opt1". */
  readonly id: string;
  /** As the kernel names it: "igb0". */
  readonly device: string;
  /** All of its addresses, virtual ones too. */
  readonly addresses: AddressSet;
  /** Its first addresses: what rules call "wanip". */
  readonly own: AddressSet;
  readonly network: AddressSet;
  /** Its addresses are not in the text (DHCP, PPPoE, tracked prefix). */
  readonly isDynamic: boolean;
  /** Connections leave the site by it. */
  readonly isWan: boolean;
  readonly node: XmlNode;
}

export interface Gateway {
  readonly name: string;
  /** Undefined: learnt from DHCP or the like. */
  readonly address: AddressSet | undefined;
  readonly device: string | undefined;
  readonly node: XmlNode;
}

export interface Places {
  readonly interfaces: ReadonlyMap<string, SenseInterface>;
  /** Devices that a name of an interface or group in a rule stands for. */
  readonly devicesOf: (name: string) => readonly string[];
  readonly isGroup: (name: string) => boolean;
  readonly gateways: ReadonlyMap<string, Gateway>;
  /** Gateways of a group by its name. */
  readonly groupsOfGateways: ReadonlyMap<string, readonly string[]>;
  /** All addresses of the device. */
  readonly self: AddressSet;
  readonly forResult: readonly DeviceInterface[];
}

/** A set from texts; what cannot be read is left out. */
export function setOf(...texts: readonly (string | undefined)[]): AddressSet {
  return unionAddresses(...texts.flatMap((text) => (text === undefined ? [] : (one(text) ?? []))));
}

export function one(text: string): AddressSet | undefined {
  if (!/^[\da-fA-F.:/%-]{2,100}$/.test(text) || !/[.:]/.test(text)) return undefined;
  try {
    return addressSet(text);
  } catch {
    return undefined;
  }
}

const withPrefix = (address: string | undefined, bits: string | undefined) =>
  address && bits ? `${address}/${bits}` : address;

export function readPlaces({ root, sense }: SenseText): Places {
  const virtual = all(root, 'virtualip', 'vip').filter((vip) => textAt(vip, 'subnet'));
  const interfaces = new Map<string, SenseInterface>();
  for (const node of child(root, 'interfaces')?.children ?? []) {
    const vips = virtual.filter((vip) => textAt(vip, 'interface') === node.name);
    interfaces.set(node.name, readInterface(node, vips));
  }
  const groups = groupsOf(root);
  const vpns = vpnDevices(root);
  const devicesOf = (name: string, depth = 0): readonly string[] => {
    const members = groups.get(name);
    if (members && depth < 4) return [...new Set(members.flatMap((member) => devicesOf(member, depth + 1)))];
    const device = interfaces.get(name)?.device;
    return device === undefined ? (vpns.get(name.toLowerCase()) ?? [name]) : [device];
  };
  const gateways = gatewaysOf(root, (name) => devicesOf(name)[0]);
  const groupsOfGateways = new Map(
    [...all(root, 'gateways', 'gateway_group'), ...all(root, 'OPNsense', 'Gateways', 'gateway_group')].map(
      (group): [string, string[]] => [
        textAt(group, 'name') ?? '',
        group.children.filter(({ name }) => name === 'item').map(({ text }) => text.split('|', 1)[0]),
      ],
    ),
  );
  const enabled = [...interfaces.values()];
  return {
    interfaces,
    devicesOf: (name) => devicesOf(name),
    isGroup: (name) => groups.has(name) || /^(?:openvpn|wireguard)$/i.test(name),
    gateways,
    groupsOfGateways,
    self: unionAddresses(
      ...enabled.map(({ addresses }) => addresses),
      ...virtual.map((vip) => setOf(textAt(vip, 'subnet'))),
    ),
    forResult: enabled.map(({ id, device, addresses, node }) => ({
      name: device,
      addresses,
      description: shortly(textAt(node, 'descr') ?? id),
    })),
  };

  function readInterface(node: XmlNode, vips: readonly XmlNode[]): SenseInterface {
    const texts = [
      [textAt(node, 'ipaddr'), textAt(node, 'subnet')],
      [textAt(node, 'ipaddrv6'), textAt(node, 'subnetv6')],
    ] as const;
    const own = texts.map(([address]) => setOf(address));
    const nets = texts.map(([address, bits]) => setOf(withPrefix(address, bits)));
    const extra = vips.map((vip) => setOf(textAt(vip, 'subnet')));
    // An alias in another network makes that one of the interface's networks as well.
    const aliases = vips.filter((vip) => textAt(vip, 'mode') === 'ipalias');
    const isDynamic = texts.some(([address]) => isGiven(address));
    return {
      id: node.name,
      device: textAt(node, 'if') ?? node.name,
      addresses: unionAddresses(...own, ...extra),
      own: unionAddresses(...own),
      network: unionAddresses(
        ...nets,
        ...aliases.map((vip) => setOf(withPrefix(textAt(vip, 'subnet'), textAt(vip, 'subnet_bits')))),
      ),
      isDynamic,
      isWan: isWan(node, sense),
      node,
    };
  }
}

/** An interface with a gateway of its own, or one whose address a provider gives. */
function isWan(node: XmlNode, sense: SenseText['sense']): boolean {
  const gateways = [textAt(node, 'gateway'), textAt(node, 'gatewayv6')];
  if (gateways.some((name) => name !== undefined && name !== 'none')) return true;
  if (/^ovpnc\d/.test(textAt(node, 'if') ?? '')) return true;
  return isGiven(textAt(node, 'ipaddr')) && !flag(node, 'virtual', sense);
}

/** "dhcp", "pppoe", "track6": somebody else decides on the address. */
const isGiven = (address: string | undefined): boolean =>
  address !== undefined && address !== 'none' && noAddresses(setOf(address));

function groupsOf(root: XmlNode | undefined): Map<string, string[]> {
  return new Map(
    all(root, 'ifgroups', 'ifgroupentry').map((entry): [string, string[]] => [
      textAt(entry, 'ifname') ?? '',
      wordsOf(textAt(entry, 'members')),
    ]),
  );
}

/** "openvpn", "wireguard" and "enc0" in rules are all interfaces of their kind. */
function vpnDevices(root: XmlNode | undefined): Map<string, string[]> {
  const ids = (name: string, prefix: string) =>
    all(root, 'openvpn', name).map((node) => `${prefix}${textAt(node, 'vpnid') ?? ''}`);
  const instances = all(root, 'OPNsense', 'OpenVPN', 'Instances', 'Instance').map(
    (node) => `ovpn${textAt(node, 'role') === 'client' ? 'c' : 's'}${textAt(node, 'vpnid') ?? ''}`,
  );
  const openvpn = [...ids('openvpn-server', 'ovpns'), ...ids('openvpn-client', 'ovpnc'), ...instances];
  const wireguard = [
    ...all(root, 'installedpackages', 'wireguard', 'tunnels', 'item').map(
      (node) => textAt(node, 'name') ?? '',
    ),
    ...all(root, 'OPNsense', 'wireguard', 'server', 'servers', 'server')
      .filter((node) => isOn(textAt(node, 'enabled')))
      .map((node) => `wg${textAt(node, 'instance') ?? ''}`),
  ];
  const found = new Map<string, string[]>();
  if (openvpn.length > 0) found.set('openvpn', openvpn);
  if (wireguard.length > 0) found.set('wireguard', wireguard);
  found.set('ipsec', ['enc0']);
  return found;
}

function gatewaysOf(
  root: XmlNode | undefined,
  deviceOf: (name: string) => string | undefined,
): Map<string, Gateway> {
  const nodes = [
    ...all(root, 'gateways', 'gateway_item'),
    ...all(root, 'OPNsense', 'Gateways', 'gateway_item'),
  ];
  return new Map(
    nodes.map((node): [string, Gateway] => {
      const name = textAt(node, 'name') ?? '';
      const on = textAt(node, 'interface');
      const address = setOf(textAt(node, 'gateway'));
      return [
        name,
        {
          name,
          address: noAddresses(address) ? undefined : address,
          device: on === undefined ? undefined : deviceOf(on),
          node,
        },
      ];
    }),
  );
}

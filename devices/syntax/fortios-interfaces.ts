// `config system interface` and tunnel sections of FortiOS -> interfaces with their addresses, and tunnels with their far ends
import {
  type AddressSet,
  addressSet,
  NO_ADDRESSES,
  noAddresses,
  unionAddresses,
} from '../../src/model/addresses.ts';
import type { DeviceInterface } from '../../src/model/rule.ts';
import { setOf } from './cisco-address.ts';
import { subnetOf } from './fortios-addresses.ts';
import {
  entriesOf,
  type FortiEntry,
  isEnabled,
  type Sections,
  settingOf,
  settingsOf,
} from './fortios-tree.ts';

export interface FortiInterface {
  readonly name: string;
  readonly vdom?: string;
  readonly isDown: boolean;
  readonly addresses: AddressSet;
  readonly network: AddressSet;
  readonly entry: FortiEntry;
}

export interface FortiTunnel {
  readonly name: string;
  readonly type: string;
  /** Undefined where the far end is not written down. */
  readonly far?: AddressSet;
  readonly isDown: boolean;
  readonly entry: FortiEntry;
}

export function fortiInterfaces(sections: Sections): Map<string, FortiInterface> {
  const found = new Map<string, FortiInterface>();
  for (const entry of entriesOf(sections, 'system interface')) {
    const ips = [entry, ...(entry.tables.get('secondaryip')?.entries.values() ?? [])].map((one) =>
      settingsOf(one, 'ip'),
    );
    const v6 = entry.tables.get('ipv6');
    const six = v6
      ? [settingOf(v6.own, 'ip6-address'), ...(v6.own.tables.get('ip6-extra-addr')?.entries.keys() ?? [])]
      : [];
    const parts = [...ips.map(v4Of), ...six.map(v6Of)];
    found.set(entry.name, {
      name: entry.name,
      ...(settingOf(entry, 'vdom') === undefined ? {} : { vdom: settingOf(entry, 'vdom') }),
      isDown: settingOf(entry, 'status') === 'down',
      addresses: unionAddresses(...parts.map(({ address }) => address)),
      network: unionAddresses(...parts.map(({ network }) => network)),
      entry,
    });
  }
  return found;
}

interface Place {
  readonly address: AddressSet;
  readonly network: AddressSet;
}
const NOWHERE: Place = { address: NO_ADDRESSES, network: NO_ADDRESSES };

/** "10.0.0.1 255.255.255.0" or "10.0.0.1/24"; 0.0.0.0 stands for none. */
function v4Of(values: readonly string[]): Place {
  const address = setOf((values[0] ?? '').split('/')[0]);
  const network = values.length === 0 ? undefined : subnetOf(values);
  return address && network && address.v4[0] !== 0 ? { address, network } : NOWHERE;
}

function v6Of(text: string | undefined): Place {
  const address = setOf((text ?? '').split('/')[0]);
  const network = text === undefined ? undefined : setOf(text);
  return address && network && address.v6.length > 0 && address.v6[0] !== 0n ? { address, network } : NOWHERE;
}

export function deviceInterfaces(interfaces: ReadonlyMap<string, FortiInterface>): DeviceInterface[] {
  return [...interfaces.values()].map(({ name, addresses, entry }) => {
    const description = settingOf(entry, 'alias') ?? settingOf(entry, 'description');
    return { name, addresses, ...(description === undefined ? {} : { description }) };
  });
}

/** Section, and the settings that hold the far end. */
const TUNNELS: readonly (readonly [string, string, readonly string[]])[] = [
  ['system gre-tunnel', 'gre', ['remote-gw', 'remote-gw6']],
  ['system ipip-tunnel', 'ipip', ['remote-gw']],
  ['system ipv6-tunnel', 'ipv6', ['destination']],
  ['system sit-tunnel', 'sit', ['destination']],
  ['system vxlan', 'vxlan', ['remote-ip', 'remote-ip6']],
  ['system geneve', 'geneve', ['remote-ip', 'remote-ip6']],
  ['vpn ipsec phase1-interface', 'ipsec', ['remote-gw', 'remote-gw6']],
  ['vpn ipsec phase1', 'ipsec', ['remote-gw', 'remote-gw6']],
];
const UNSPECIFIED = addressSet('0.0.0.0', '::');

export function fortiTunnels(
  sections: Sections,
  interfaces: ReadonlyMap<string, FortiInterface>,
): Map<string, FortiTunnel> {
  const found = new Map<string, FortiTunnel>();
  for (const [section, type, settings] of TUNNELS)
    for (const entry of entriesOf(sections, section)) {
      const written = settings
        .flatMap((name) => settingsOf(entry, name))
        .flatMap((text) => setOf(text) ?? []);
      const far = unionAddresses(...written.filter((set) => !sameAsUnspecified(set)));
      const isStatic = (settingOf(entry, 'type') ?? 'static') === 'static';
      found.set(entry.name, {
        name: entry.name,
        type,
        ...(isStatic && !noAddresses(far) ? { far } : {}),
        isDown: (interfaces.get(entry.name)?.isDown ?? false) || isDisabled(entry),
        entry,
      });
    }
  return found;
}

const sameAsUnspecified = ({ v4, v6 }: AddressSet): boolean =>
  v4[0] === UNSPECIFIED.v4[0] || v6[0] === UNSPECIFIED.v6[0];
const isDisabled = (entry: FortiEntry): boolean =>
  entry.settings.has('status') && !isEnabled(entry, 'status') && settingOf(entry, 'status') !== 'up';

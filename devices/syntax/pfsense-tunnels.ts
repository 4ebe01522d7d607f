// IPsec, OpenVPN, WireGuard, GRE, GIF and static routes of config.xml -> rules, and what goes into tunnels
import { type AddressSet, ANY_ADDRESS, noAddresses } from '../../src/model/addresses.ts';
import type { Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names, type Traffic } from '../../src/model/traffic.ts';
import type { PolicyBuilder } from './assemble.ts';
import { one, setOf } from './pfsense-interfaces.ts';
import type { SenseReader } from './pfsense-match.ts';
import { all, flag, isOn, shortly, textAt, uuidOf, wordsOf, type XmlNode } from './pfsense-xml.ts';

export interface SenseTunnel {
  readonly key: string;
  readonly kind: 'ipsec' | 'openvpn' | 'wireguard' | 'gre' | 'gif';
  /** "ovpnc1"; "" where only its selectors say what goes into it. */
  readonly device: string;
  readonly enabled: boolean;
  /** Undefined where it is a name, or whoever connects. */
  readonly farEnd: AddressSet | undefined;
  readonly farEndText: string;
  /** What goes into it; empty: all that leaves by its device. */
  readonly traffic: readonly Partial<Traffic>[];
  readonly comment: string | undefined;
  readonly lines: readonly SourceLine[];
}

/** Tunnels first, since rules may send packets to a gateway inside one. */
export function tunnelsOf(reader: SenseReader): SenseTunnel[] {
  return [
    ...ipsecOf(reader),
    ...swanctlOf(reader),
    ...openvpnOf(reader),
    ...wireguardOf(reader),
    ...plainOf(reader),
  ];
}

const farOf = (text: string | undefined) => {
  const set = text === undefined ? undefined : one(text);
  return {
    farEnd: set && !noAddresses(set) && !/^(?:0\.0\.0\.0|::)$/.test(text ?? '') ? set : undefined,
    farEndText: shortly(text ?? 'unknown'),
  };
};

function ipsecOf({ text, places }: SenseReader): SenseTunnel[] {
  const { root, sense, linesOf } = text;
  const phases = all(root, 'ipsec', 'phase2');
  return all(root, 'ipsec', 'phase1').map((node): SenseTunnel => {
    const id = textAt(node, 'ikeid') ?? '';
    const own = phases.filter((phase) => textAt(phase, 'ikeid') === id);
    const open = own.filter((phase) => !flag(phase, 'disabled', sense));
    const isRouted = open.some(
      (phase) => textAt(phase, 'mode') === 'vti' || textAt(phase, 'mode') === 'route-based',
    );
    const device = [...places.interfaces.values()].find(({ device }) =>
      new RegExp(`^ipsec${Number(id) || 0}(?:000)?$`).test(device),
    )?.device;
    return {
      key: `ipsec ${id}`,
      kind: 'ipsec',
      device: isRouted ? (device ?? `ipsec${id}`) : '',
      enabled: !flag(node, 'disabled', sense) && open.length > 0,
      ...farOf(textAt(node, 'remote-gateway')),
      traffic: isRouted ? [] : open.map((phase) => selectorsOf(phase, places)),
      comment: textAt(node, 'descr'),
      lines: [node, ...own].flatMap(linesOf),
    };
  });
}

function selectorsOf(phase: XmlNode, { interfaces }: SenseReader['places']): Partial<Traffic> {
  const side = (name: string): AddressSet => {
    const type = textAt(phase, name, 'type');
    const network = interfaces.get(type ?? '')?.network;
    const bits = textAt(phase, name, 'netbits');
    const address = textAt(phase, name, 'address');
    const set = network ?? setOf(address && bits ? `${address}/${bits}` : address);
    return noAddresses(set) ? ANY_ADDRESS : set;
  };
  return { sources: side('localid'), destinations: side('remoteid') };
}

/** OPNsense: `<Connection>` and its `<child>`. */
function swanctlOf({ text }: SenseReader): SenseTunnel[] {
  const { root, linesOf } = text;
  const children = all(root, 'OPNsense', 'Swanctl', 'children', 'child');
  return all(root, 'OPNsense', 'Swanctl', 'Connections', 'Connection').map((node): SenseTunnel => {
    const own = children.filter((one) => textAt(one, 'connection') === uuidOf(node));
    const open = own.filter((one) => isOn(textAt(one, 'enabled')));
    const remotes = wordsOf(textAt(node, 'remote_addrs'));
    const sets = (one: XmlNode, name: string) => {
      const found = setOf(...wordsOf(textAt(one, name)));
      return noAddresses(found) ? ANY_ADDRESS : found;
    };
    return {
      key: `ipsec ${uuidOf(node) ?? textAt(node, 'description') ?? ''}`,
      kind: 'ipsec',
      device: '',
      enabled: isOn(textAt(node, 'enabled')) && open.length > 0,
      ...farOf(remotes.length === 1 ? remotes[0] : undefined),
      farEndText: remotes.join(', ') || 'unknown',
      traffic: open.map((one) => ({ sources: sets(one, 'local_ts'), destinations: sets(one, 'remote_ts') })),
      comment: textAt(node, 'description'),
      lines: [node, ...own].flatMap(linesOf),
    };
  });
}

function openvpnOf({ text }: SenseReader): SenseTunnel[] {
  const { root, sense, linesOf } = text;
  const routes = (...texts: readonly (string | undefined)[]) => {
    const set = setOf(...texts.flatMap((one) => wordsOf(one)));
    return noAddresses(set) ? undefined : [{ destinations: set }];
  };
  const old = (['client', 'server'] as const).flatMap((role) =>
    all(root, 'openvpn', `openvpn-${role}`).map((node): SenseTunnel => {
      const id = textAt(node, 'vpnid') ?? '';
      const into = routes(textAt(node, 'remote_network'), textAt(node, 'remote_networkv6'));
      return {
        key: `openvpn ${role} ${id}`,
        kind: 'openvpn',
        // A server without networks behind its clients sends nothing out by itself.
        device: role === 'client' || into ? `ovpn${role[0]}${id}` : '',
        enabled: !flag(node, 'disable', sense),
        ...farOf(role === 'client' ? textAt(node, 'server_addr') : undefined),
        ...(role === 'server' ? { farEndText: 'clients' } : {}),
        traffic: into ?? [],
        comment: textAt(node, 'description'),
        lines: linesOf(node),
      };
    }),
  );
  const model = all(root, 'OPNsense', 'OpenVPN', 'Instances', 'Instance').map((node): SenseTunnel => {
    const isClient = textAt(node, 'role') === 'client';
    const remote = wordsOf(textAt(node, 'remote'))[0];
    const into = routes(textAt(node, 'route'));
    return {
      key: `openvpn ${uuidOf(node) ?? textAt(node, 'vpnid') ?? ''}`,
      kind: 'openvpn',
      device: isClient || into ? `ovpn${isClient ? 'c' : 's'}${textAt(node, 'vpnid') ?? ''}` : '',
      enabled: isOn(textAt(node, 'enabled')),
      ...farOf(isClient ? remote?.replace(/^\[?([^\]]*?)\]?(?::\d{1,5})?$/, '$1') : undefined),
      ...(isClient ? {} : { farEndText: 'clients' }),
      traffic: into ?? [],
      comment: textAt(node, 'description'),
      lines: linesOf(node),
    };
  });
  return [...old, ...model];
}

function wireguardOf({ text }: SenseReader): SenseTunnel[] {
  const { root, linesOf } = text;
  const ownTunnels = new Map(
    all(root, 'installedpackages', 'wireguard', 'tunnels', 'item').map((node) => [
      textAt(node, 'name') ?? '',
      node,
    ]),
  );
  const peers = all(root, 'installedpackages', 'wireguard', 'peers', 'item').map((node): SenseTunnel => {
    const device = textAt(node, 'tun') ?? '';
    const rows = all(node, 'allowedips', 'row').map(
      (row) => `${textAt(row, 'address') ?? ''}/${textAt(row, 'mask') ?? ''}`,
    );
    const tunnel = ownTunnels.get(device);
    return {
      key: `wireguard ${device} ${textAt(node, 'publickey') ?? ''}`,
      kind: 'wireguard',
      device,
      enabled: isOn(textAt(node, 'enabled')) && (tunnel === undefined || isOn(textAt(tunnel, 'enabled'))),
      ...farOf(textAt(node, 'endpoint')),
      traffic: [{ destinations: setOf(...rows) }],
      comment: textAt(node, 'descr'),
      lines: linesOf(node),
    };
  });
  const isUp = isOn(textAt(root, 'OPNsense', 'wireguard', 'general', 'enabled'));
  const servers = all(root, 'OPNsense', 'wireguard', 'server', 'servers', 'server');
  const model = all(root, 'OPNsense', 'wireguard', 'client', 'clients', 'client').flatMap((node) =>
    servers
      .filter((server) => wordsOf(textAt(server, 'peers')).includes(uuidOf(node) ?? ''))
      .map(
        (server): SenseTunnel => ({
          key: `wireguard ${uuidOf(node) ?? ''} ${uuidOf(server) ?? ''}`,
          kind: 'wireguard',
          device: `wg${textAt(server, 'instance') ?? ''}`,
          enabled: isUp && isOn(textAt(node, 'enabled')) && isOn(textAt(server, 'enabled')),
          ...farOf(textAt(node, 'serveraddress')),
          traffic: [{ destinations: setOf(...wordsOf(textAt(node, 'tunneladdress'))) }],
          comment: textAt(node, 'name'),
          lines: [...linesOf(node), ...linesOf(server)],
        }),
      ),
  );
  return [...peers, ...model];
}

function plainOf({ text }: SenseReader): SenseTunnel[] {
  const { root, linesOf } = text;
  return (['gre', 'gif'] as const).flatMap((kind) =>
    all(root, `${kind}s`, kind)
      .filter((node) => textAt(node, 'remote-addr') !== undefined)
      .map((node): SenseTunnel => {
        const device = textAt(node, `${kind}if`) ?? '';
        return {
          key: `${kind} ${device}`,
          kind,
          device,
          enabled: true,
          ...farOf(textAt(node, 'remote-addr')),
          traffic: [],
          comment: textAt(node, 'descr'),
          lines: linesOf(node),
        };
      }),
  );
}

/** Selectors and networks behind a tunnel are what it takes; without any, all that leaves by its device. */
export function readTunnels(tunnels: readonly SenseTunnel[], reader: SenseReader): void {
  const policy = reader.assembly.policy({
    id: 'tunnels',
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const tunnel of tunnels) {
    const by = tunnel.device ? { egress: names(tunnel.device) } : {};
    const boxes = (tunnel.traffic.length > 0 ? tunnel.traffic : [{}]).map((part) => ({
      ...ANY_TRAFFIC,
      ...by,
      ...part,
    }));
    const translation: Translation = {
      kind: 'tunnel',
      ...(tunnel.farEnd ? { addresses: tunnel.farEnd } : {}),
    };
    const made = reader.assembly.rule({
      key: tunnel.key,
      kind: 'tunnel',
      list: 'tunnels',
      enabled: tunnel.enabled,
      context: tunnel.device ? { interfaces: [tunnel.device] } : {},
      matches: boxes,
      unresolved: tunnel.farEnd ? [] : [`far end ${tunnel.farEndText}`],
      translation,
      action: `${tunnel.kind} to ${tunnel.farEndText}`,
      ...(tunnel.comment === undefined ? {} : { comment: shortly(tunnel.comment) }),
      lines: tunnel.lines.slice(0, 200),
    });
    const takes = tunnel.device !== '' || tunnel.traffic.length > 0;
    if (takes) policy.entry(made, 'translate', { translation, unresolved: [] });
  }
  readRoutes(tunnels, reader, policy);
}

function readRoutes(
  tunnels: readonly SenseTunnel[],
  { text, places, aliases, assembly }: SenseReader,
  policy: PolicyBuilder,
): void {
  const { root, sense, linesOf } = text;
  for (const node of all(root, 'staticroutes', 'route')) {
    const network = textAt(node, 'network');
    const name = textAt(node, 'gateway');
    if (network === undefined) continue;
    const gateway = places.gateways.get(name ?? '');
    const tunnel = tunnels.find(
      ({ device, enabled }) => enabled && device !== '' && device === gateway?.device,
    );
    const alias = aliases.addresses.resolve(network);
    const destinations = alias?.value ?? setOf(network);
    const translation: Translation | undefined = tunnel && {
      kind: 'tunnel',
      ...(tunnel.farEnd ? { addresses: tunnel.farEnd } : {}),
    };
    const context: Rule['context'] = gateway?.device === undefined ? {} : { interfaces: [gateway.device] };
    const isKnown = !noAddresses(destinations);
    const made = assembly.rule({
      key: `route ${uuidOf(node) ?? `${network} ${name ?? ''}`}`,
      kind: 'route',
      list: 'routes',
      enabled: !flag(node, 'disabled', sense),
      context,
      matches: [
        {
          ...ANY_TRAFFIC,
          ...(isKnown ? { destinations } : {}),
          ...(gateway?.device === undefined ? {} : { egress: names(gateway.device) }),
        },
      ],
      unresolved: isKnown ? [] : [`network ${network.slice(0, 200)} is not known`],
      ...(translation ? { translation } : {}),
      action: `route via ${name ?? 'nothing'}`,
      ...(textAt(node, 'descr') === undefined ? {} : { comment: shortly(textAt(node, 'descr')!) }),
      lines: linesOf(node),
    });
    if (translation) policy.entry(made, 'translate', { translation });
  }
}

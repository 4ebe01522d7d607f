// Squid and HAProxy of config.xml, as packages or models -> rules: who asks the device, and whom it asks in its place
import { type AddressSet, noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { SourceLine } from '../../src/model/rule.ts';
import { service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import { one, setOf } from './pfsense-interfaces.ts';
import type { SenseReader } from './pfsense-match.ts';
import { all, child, isOn, textAt, uuidOf, wordsOf, type XmlNode } from './pfsense-xml.ts';

interface Proxy {
  readonly key: string;
  readonly enabled: boolean;
  /** Interfaces that it listens on; empty: all. */
  readonly interfaces: readonly string[];
  /** Undefined: those of the interfaces. */
  readonly addresses: AddressSet | undefined;
  /** Takes connections to any address on these ports, instead of those to itself. */
  readonly takesAll: boolean;
  readonly ports: readonly number[];
  /** Undefined: whomever its clients want. */
  readonly servers: AddressSet | undefined;
  readonly action: string;
  readonly comment: string | undefined;
  readonly lines: readonly SourceLine[];
}

export function readProxies(reader: SenseReader): void {
  const policy = reader.assembly.policy({
    id: 'proxies',
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const proxy of [...squids(reader), ...haproxies(reader)]) {
    const devices = proxy.interfaces.flatMap((name) => reader.places.devicesOf(name));
    const own = unionAddresses(
      ...proxy.interfaces.map((name) => reader.places.interfaces.get(name)?.addresses ?? setOf()),
    );
    const listens = proxy.addresses ?? (devices.length > 0 ? own : reader.places.self);
    const box = {
      ...ANY_TRAFFIC,
      ...(devices.length > 0 ? { ingress: names(...devices) } : {}),
      ...(proxy.takesAll || noAddresses(listens) ? {} : { destinations: listens }),
      services: service(
        6,
        proxy.ports.map((port) => [port, port] as const),
      ),
    };
    const known = proxy.servers && !noAddresses(proxy.servers) ? { addresses: proxy.servers } : {};
    const translation = { kind: 'proxy' as const, ...known };
    const made = reader.assembly.rule({
      key: proxy.key,
      kind: 'proxy',
      list: 'proxies',
      enabled: proxy.enabled,
      context: proxy.interfaces.length > 0 ? { interfaces: proxy.interfaces } : {},
      matches: [box],
      translation,
      action: proxy.action,
      ...(proxy.comment === undefined ? {} : { comment: proxy.comment.slice(0, 1_024) }),
      lines: proxy.lines,
    });
    if (proxy.ports.length > 0) policy.entry(made, 'translate', { translation });
  }
}

const portOf = (text: string | undefined, usual: number): number =>
  text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : usual;

function squids({ text }: SenseReader): Proxy[] {
  const { root, linesOf } = text;
  const found: Proxy[] = [];
  const add = (
    node: XmlNode,
    key: string,
    enabled: boolean,
    on: string | undefined,
    port: number,
    takesAll: boolean,
  ) =>
    found.push({
      key,
      enabled,
      interfaces: wordsOf(on),
      addresses: undefined,
      takesAll,
      ports: [port],
      servers: undefined,
      action: takesAll ? 'squid, transparent' : 'squid',
      comment: undefined,
      lines: linesOf(node).slice(0, 200),
    });
  for (const node of all(root, 'installedpackages', 'squid', 'config').filter(
    ({ children }) => children.length > 0,
  )) {
    const enabled = isOn(textAt(node, 'enable_squid'));
    add(
      node,
      'squid',
      enabled,
      textAt(node, 'active_interface'),
      portOf(textAt(node, 'proxy_port'), 3128),
      false,
    );
    if (isOn(textAt(node, 'transparent_proxy')))
      add(node, 'squid transparent', enabled, textAt(node, 'transparent_active_interface'), 80, true);
    if (isOn(textAt(node, 'ssl_proxy')))
      add(node, 'squid transparent tls', enabled, textAt(node, 'ssl_active_interface'), 443, true);
  }
  const model = child(root, 'OPNsense', 'proxy', 'forward');
  if (model) {
    const enabled = isOn(textAt(root, 'OPNsense', 'proxy', 'general', 'enabled'));
    add(model, 'squid', enabled, textAt(model, 'interfaces'), portOf(textAt(model, 'port'), 3128), false);
    if (isOn(textAt(model, 'transparentMode')))
      add(model, 'squid transparent', enabled, textAt(model, 'interfaces'), 80, true);
  }
  return found;
}

function haproxies(reader: SenseReader): Proxy[] {
  return [...packageHaproxies(reader), ...modelHaproxies(reader)];
}

/** pfSense calls frontends backends and backends pools. */
function packageHaproxies({ text, places }: SenseReader): Proxy[] {
  const { root, linesOf } = text;
  const haproxy = child(root, 'installedpackages', 'haproxy');
  const isUp = child(haproxy, 'enable') !== undefined;
  const pools = new Map(all(haproxy, 'ha_pools', 'item').map((pool) => [textAt(pool, 'name') ?? '', pool]));
  return all(haproxy, 'ha_backends', 'item').map((node): Proxy => {
    const used = [
      textAt(node, 'backend_serverpool'),
      ...all(node, 'a_actionitems', 'item').map((action) => textAt(action, 'use_backendbackend')),
    ].flatMap((name) => (name === undefined ? [] : (pools.get(name) ?? [])));
    const servers = used.flatMap((pool) => all(pool, 'ha_servers', 'item'));
    const ends = all(node, 'a_extaddr', 'item');
    const listens = ends.map((end) => {
      const written = textAt(end, 'extaddr') ?? '';
      const custom = textAt(end, 'extaddr_custom');
      const place = places.interfaces.get(written.replace(/_ipv[46]$/, ''));
      return (custom ? one(custom) : undefined) ?? place?.addresses ?? one(written) ?? places.self;
    });
    return {
      key: `haproxy ${textAt(node, 'name') ?? ''}`,
      enabled: isUp && textAt(node, 'status') !== 'disabled',
      interfaces: [],
      addresses: unionAddresses(...listens),
      takesAll: false,
      ports: ends
        .flatMap((end) => wordsOf(textAt(end, 'extaddr_port')).map((port) => portOf(port, 0)))
        .filter(Boolean),
      servers: serversOf(servers.map((server) => textAt(server, 'address'))),
      action: `haproxy to ${namesOf(servers)}`,
      comment: textAt(node, 'desc') ?? textAt(node, 'descr'),
      lines: [node, ...used].flatMap(linesOf).slice(0, 200),
    };
  });
}

const namesOf = (servers: readonly XmlNode[]): string =>
  servers
    .slice(0, 20)
    .map((server) => [textAt(server, 'address'), textAt(server, 'port')].filter(Boolean).join(':'))
    .join(', ') || 'nowhere';

/** Undefined where one of them is a name. */
function serversOf(texts: readonly (string | undefined)[]): AddressSet | undefined {
  const sets = texts.map((text) => (text === undefined ? undefined : one(text)));
  return sets.length > 0 && sets.every((set) => set !== undefined)
    ? unionAddresses(...(sets as AddressSet[]))
    : undefined;
}

function modelHaproxies({ text, places }: SenseReader): Proxy[] {
  const { root, linesOf } = text;
  const model = child(root, 'OPNsense', 'HAProxy');
  const isUp = isOn(textAt(model, 'general', 'enabled'));
  const byUuid = (section: string, name: string) =>
    new Map(all(model, section, name).map((node) => [uuidOf(node) ?? '', node]));
  const backends = byUuid('backends', 'backend');
  const servers = byUuid('servers', 'server');
  return all(model, 'frontends', 'frontend').map((node): Proxy => {
    const backend = backends.get(textAt(node, 'defaultBackend') ?? '');
    const linked = wordsOf(textAt(backend, 'linkedServers')).flatMap((uuid) => servers.get(uuid) ?? []);
    const binds = wordsOf(textAt(node, 'bind')).map((bind) => /^(.{0,100}?):(\d{1,5})$/.exec(bind));
    const addresses = binds.map((bind) => one((bind?.[1] ?? '').replace(/^\[|\]$/g, '')));
    return {
      key: `haproxy ${uuidOf(node) ?? textAt(node, 'name') ?? ''}`,
      enabled: isUp && isOn(textAt(node, 'enabled')),
      interfaces: [],
      addresses: addresses.every((set) => set !== undefined)
        ? unionAddresses(...(addresses as AddressSet[]))
        : places.self,
      takesAll: false,
      ports: binds.flatMap((bind) => (bind ? [portOf(bind[2], 0)] : [])).filter(Boolean),
      servers: serversOf(linked.map((server) => textAt(server, 'address'))),
      action: `haproxy to ${namesOf(linked)}`,
      comment: textAt(node, 'description') ?? textAt(node, 'name'),
      lines: [node, ...(backend ? [backend] : []), ...linked].flatMap(linesOf).slice(0, 200),
    };
  });
}

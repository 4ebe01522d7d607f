// explicit proxies, forward servers, WCCP and policy-based IPsec of FortiOS -> what is taken aside by a proxy or a tunnel
import { type AddressSet, noAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { service, unionServices } from '../../src/model/services.ts';
import {
  ANY_NAME,
  ANY_SOURCE_PORT,
  ANY_TRAFFIC,
  names,
  noNames,
  type Traffic,
} from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { setOf } from './cisco-address.ts';
import { anyOf, subnetOf } from './fortios-addresses.ts';
import { conditionsOf } from './fortios-conditions.ts';
import { sidesOf } from './fortios-match.ts';
import { commentOf, type FortiPolicy, linesWith } from './fortios-policies.ts';
import { wayOut } from './fortios-routes.ts';
import { contextOf, type FortiScope, scoped } from './fortios-scope.ts';
import { portPair } from './fortios-services.ts';
import { entriesOf, type FortiEntry, isEnabled, settingOf, settingsOf } from './fortios-tree.ts';
import { MAX_LINES } from './objects.ts';

const TCP = 6;

/** What clients send to a proxy of the device itself. The filter has to let it in, though no policy speaks of it. */
export interface OwnTraffic {
  readonly rule: Assembled;
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly isAccept: boolean;
}

interface Proxy {
  /** As proxy policies call it, in new and old versions. */
  readonly names: readonly string[];
  readonly section: string;
  readonly flag: string;
  /** Settings that hold its ports, and the port where nothing is set. */
  readonly ports: readonly (readonly [string, string])[];
}

const PROXIES: readonly Proxy[] = [
  {
    names: ['explicit-web', 'web'],
    section: 'web-proxy explicit',
    flag: 'explicit-web-proxy',
    ports: [
      ['http-incoming-port', '8080'],
      ['https-incoming-port', ''],
      ['ftp-incoming-port', ''],
      ['socks-incoming-port', ''],
    ],
  },
  {
    names: ['ftp'],
    section: 'ftp-proxy explicit',
    flag: 'explicit-ftp-proxy',
    ports: [['incoming-port', '21']],
  },
];

/** Proxy policies say who may go where by the proxy; without one, `sec-default-action` does. */
export function explicitProxies(scope: FortiScope, redirect: PolicyBuilder): OwnTraffic[] {
  const policies = ['firewall proxy-policy', 'firewall explicit-proxy-policy'].flatMap((section) =>
    entriesOf(scope.sections, section).map((entry) => ({ entry, section })),
  );
  const read = new Set<FortiEntry>();
  const own = PROXIES.flatMap((proxy) => {
    const listening = listeningOf(scope, proxy);
    const ruled = policies
      .filter(({ entry }) => proxy.names.includes(settingOf(entry, 'proxy') ?? 'explicit-web'))
      .map(({ entry, section }) => {
        read.add(entry);
        return proxyPolicy(scope, entry, section, listening, redirect);
      });
    const otherwise = listening && [defaultOf(scope, proxy, listening, redirect)];
    return [...ruled, ...(otherwise ?? [])];
  });
  // Transparent and SSH proxies take forwarded packets, which policies decide about; only what they ask is kept.
  for (const { entry, section } of policies)
    if (!read.has(entry)) proxyPolicy(scope, entry, section, undefined, redirect);
  return own;
}

interface Listening {
  readonly section: FortiEntry;
  readonly isOn: boolean;
  readonly box: Traffic;
  readonly unresolved: readonly string[];
}

function listeningOf(scope: FortiScope, { section, flag, ports }: Proxy): Listening | undefined {
  const own = scope.sections.get(section)?.own;
  if (!own) return undefined;
  const faces = [...scope.interfaces.values()].filter(
    (face) =>
      isEnabled(face.entry, flag) && !face.isDown && (scope.vdom === undefined || face.vdom === scope.vdom),
  );
  const addresses = unionAddresses(...faces.map((face) => face.addresses));
  const isKnown = !noAddresses(addresses);
  const pairs = ports.flatMap(([name, otherwise]) =>
    (settingOf(own, name) ?? otherwise).split(/[ ,]+/).flatMap((text) => {
      const pair = portPair(text);
      return pair ? [pair] : [];
    }),
  );
  return {
    section: own,
    isOn: isEnabled(own, 'status'),
    box: {
      ingress: names(...faces.map((face) => face.name)),
      egress: ANY_NAME,
      sources: anyOf('ip'),
      destinations: isKnown ? addresses : anyOf('ip'),
      services: unionServices(...pairs.map((pair) => service(TCP, [pair]))),
      sourcePorts: ANY_SOURCE_PORT,
    },
    unresolved: isKnown ? [] : ["the device's own address"],
  };
}

function proxyPolicy(
  scope: FortiScope,
  entry: FortiEntry,
  section: string,
  listening: Listening | undefined,
  redirect: PolicyBuilder,
): OwnTraffic {
  const isAccept = (settingOf(entry, 'action') ?? 'deny') === 'accept';
  const [side] = sidesOf(scope, entry, 'firewall proxy-policy');
  const conditions = conditionsOf(scope, entry);
  const reached = side.destinations?.all ?? anyOf('ip');
  const doubts = [...conditions, ...side.sources.unresolved, ...(side.destinations?.unresolved ?? [])];
  const forwarded = {
    ...ANY_TRAFFIC,
    ingress: scope.namesOf(settingsOf(entry, 'srcintf')),
    destinations: reached,
  };
  const match = { ...(listening?.box ?? forwarded), sources: side.sources.all };
  const forward = forwardServer(scope, entry);
  const translation: Translation = { kind: 'proxy', addresses: forward?.addresses ?? reached };
  const unresolved = [
    ...new Set([...doubts, ...(listening?.unresolved ?? []), ...(forward?.unresolved ?? [])]),
  ];
  const isMet = listening?.isOn === true && !noNames(match.ingress);
  const rule = scope.assembly.rule({
    key: settingOf(entry, 'uuid') ?? scoped(scope, `${section.replace('firewall ', '')} ${entry.name}`),
    kind: 'proxy',
    list: scoped(scope, 'proxy-policy'),
    enabled: settingOf(entry, 'status') !== 'disable',
    context: contextOf(scope, { list: 'proxy-policy' }),
    matches: [match],
    unresolved,
    ...(isAccept ? { translation } : {}),
    action: `${settingOf(entry, 'proxy') ?? 'explicit-web'} ${isAccept ? 'accept' : 'deny'}`,
    ...commentOf(entry),
    lines: linesWith(entry, [...side.sources.lines, ...(side.destinations?.lines ?? [])]),
  });
  const boxes = isMet ? [match] : [];
  // A deny for some destinations leaves others to the next policy.
  const isWhole = side.destinations === undefined || reached.v4.join() === anyOf('ip').v4.join();
  const reasons = isAccept || isWhole ? unresolved : [...unresolved, 'what is asked of the proxy'];
  redirect.entry(rule, isAccept ? 'translate' : 'exempt', {
    matches: boxes,
    unresolved: reasons,
    ...(isAccept ? { translation } : {}),
  });
  return { rule, boxes, unresolved: reasons, isAccept };
}

/** The proxy itself, and what it does with clients that no policy speaks of. */
function defaultOf(
  scope: FortiScope,
  { names: [name], section }: Proxy,
  listening: Listening,
  redirect: PolicyBuilder,
): OwnTraffic {
  const isAccept = settingOf(listening.section, 'sec-default-action') === 'accept';
  const isMet = listening.isOn && !noNames(listening.box.ingress);
  const translation: Translation = { kind: 'proxy' };
  const rule = scope.assembly.rule({
    key: scoped(scope, section),
    kind: 'proxy',
    list: scoped(scope, 'proxy'),
    enabled: listening.isOn,
    context: contextOf(scope, { list: section }),
    matches: [listening.box],
    unresolved: listening.unresolved,
    ...(isAccept ? { translation } : {}),
    action: `${name} proxy, by default ${isAccept ? 'accept' : 'deny'}`,
    lines: listening.section.lines.slice(0, MAX_LINES),
  });
  const boxes = isMet ? [listening.box] : [];
  if (isAccept) redirect.entry(rule, 'translate', { matches: boxes, translation });
  return { rule, boxes, unresolved: listening.unresolved, isAccept };
}

/** A proxy that packets of a policy are handed on to. */
function forwardServer(
  scope: FortiScope,
  entry: FortiEntry,
): { readonly addresses?: AddressSet; readonly unresolved: readonly string[] } | undefined {
  const name = settingOf(entry, 'webproxy-forward-server');
  if (name === undefined || name === '') return undefined;
  const group = entriesOf(scope.sections, 'web-proxy forward-server-group').find((one) => one.name === name);
  const members = group ? [...(group.tables.get('server-list')?.entries.keys() ?? [])] : [name];
  const servers = entriesOf(scope.sections, 'web-proxy forward-server').filter((one) =>
    members.includes(one.name),
  );
  const sets = servers.flatMap((one) => {
    const set = settingOf(one, 'addr-type') === 'fqdn' ? undefined : setOf(settingOf(one, 'ip') ?? '');
    return set ?? [];
  });
  const isKnown = servers.length > 0 && sets.length === servers.length;
  const names = servers.flatMap((one) => settingOf(one, 'fqdn') ?? []);
  return isKnown
    ? { addresses: unionAddresses(...sets), unresolved: [] }
    : { unresolved: [`the address of proxy ${[name, ...names].join(' ')}`] };
}

/** Forward servers, WCCP and policy-based IPsec: what a policy that lets through does besides. */
export function policyRedirects(
  scope: FortiScope,
  policies: readonly FortiPolicy[],
  redirect: PolicyBuilder,
): void {
  for (const { entry, rule, parts, isAccept } of policies) {
    if (!isAccept) continue;
    const aside = asideOf(scope, entry);
    if (!aside) continue;
    for (const { boxes, unresolved } of parts)
      redirect.entry(rule, 'translate', {
        matches: boxes,
        unresolved: [...unresolved, ...aside.unresolved],
        translation: aside.translation,
      });
  }
}

function asideOf(scope: FortiScope, entry: FortiEntry) {
  const server = forwardServer(scope, entry);
  if (server) {
    const { addresses, unresolved } = server;
    const translation: Translation = { kind: 'proxy', ...(addresses ? { addresses } : {}) };
    return { translation, unresolved: [...unresolved, 'HTTP'] };
  }
  if (isEnabled(entry, 'wccp')) {
    const lists = entriesOf(scope.sections, 'system wccp').flatMap((one) => {
      const written = settingsOf(one, 'server-list');
      return written.length > 0 ? (subnetOf(written) ?? []) : [];
    });
    const addresses = lists.length > 0 ? { addresses: unionAddresses(...lists) } : {};
    return { translation: { kind: 'proxy', ...addresses } satisfies Translation, unresolved: ['WCCP'] };
  }
  const tunnel = settingOf(entry, 'vpntunnel');
  if (settingOf(entry, 'action') === 'ipsec' && tunnel !== undefined) return wayOut(scope, [tunnel]);
  return undefined;
}

// proxies, forwarding over SSH, sniffing and mirroring of RouterOS: what lets others through without a firewall rule
import { noAddresses } from '../../src/model/addresses.ts';
import type { RuleKind, Translation } from '../../src/model/rule.ts';
import { service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_TRAFFIC, names, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled, Assembly, PolicyBuilder } from './assemble.ts';
import { setOf } from './cisco-address.ts';
import type { ChainRule } from './flatten.ts';
import { fieldOf, isDisabled, isYes, type RouterosConfig, type RouterosItem } from './routeros-config.ts';
import type { RouterosInterfaces } from './routeros-interfaces.ts';
import { portsOf } from './routeros-match.ts';
import { writtenFields } from './routeros-routes.ts';

const TCP = 6;

/** Services of the device that hand on what is sent to them: menu, field that switches it on, default port. */
const PROXIES: readonly (readonly [
  menu: string,
  isOn: (item: RouterosItem) => boolean,
  port: string,
  what: string,
])[] = [
  ['ip socks', (item) => isYes(item, 'enabled'), '1080', 'socks'],
  ['ip proxy', (item) => isYes(item, 'enabled'), '8080', 'web proxy'],
  [
    'ip ssh',
    // v6 has yes and no, later versions which way (both, local, remote).
    (item) => !/^(?:no|)$/.test(fieldOf(item, 'forwarding-enabled') ?? ''),
    '22',
    'ssh forwarding',
  ],
];

/** `parent-proxy` names where a web proxy hands requests on to. The rules given back are for the forward filter. */
export function proxies(
  config: RouterosConfig,
  interfaces: RouterosInterfaces,
  redirect: PolicyBuilder,
  assembly: Assembly,
): ChainRule[] {
  return PROXIES.flatMap(([menu, isOn, port, what]) => {
    const items = config.items(menu);
    if (items.length === 0) return [];
    const merged = mergedItem(items);
    const asked = what === 'ssh forwarding' ? sshPort(config) : (fieldOf(merged, 'port') ?? port);
    const ports = portsOf(asked) ?? [0, 65_535];
    const hasOwn = !noAddresses(interfaces.addresses);
    const box: Traffic = {
      ...ANY_TRAFFIC,
      ...(hasOwn ? { destinations: interfaces.addresses } : {}),
      services: service(TCP, [[ports[0], ports[1]]]),
    };
    const parent = setOf(fieldOf(merged, 'parent-proxy') ?? '');
    const isParent = parent !== undefined && parent.v4[0] !== 0 && parent.v6[0] !== 0n;
    const translation: Translation = { kind: 'proxy', ...(isParent ? { addresses: parent } : {}) };
    const rule = assembly.rule({
      key: menu,
      kind: 'proxy',
      list: 'services',
      enabled: isOn(merged),
      context: { list: menu },
      matches: [box],
      unresolved: hasOwn ? [] : ["the device's own address"],
      translation,
      action: what === 'ssh forwarding' ? `${what} ${fieldOf(merged, 'forwarding-enabled') ?? 'no'}` : what,
      lines: merged.lines,
    });
    redirect.entry(rule, 'translate', { translation });
    return rule.rule.enabled ? [acceptOf(rule)] : [];
  });
}

/** To a service of the device itself packets do not go by the forward chain. */
const acceptOf = ({ rule, matches }: Assembled): ChainRule => ({
  lines: rule.lines,
  branches: matches.map((match) => ({
    ruleKey: rule.key,
    match,
    unresolved: rule.unresolved,
    outcome: { kind: 'accept' },
  })),
});

function mergedItem(items: readonly RouterosItem[]): RouterosItem {
  const fields = new Map(items.flatMap((item) => [...item.fields]));
  return { path: items[0].path, fields, lines: items.flatMap((item) => item.lines) };
}

const sshPort = (config: RouterosConfig): string =>
  config
    .items('ip service')
    .filter((item) => fieldOf(item, 'name') === 'ssh')
    .flatMap((item) => fieldOf(item, 'port') ?? [])
    .at(-1) ?? '22';

/** The packet sniffer that streams, and mirrored switch ports. */
export function mirrors(config: RouterosConfig, redirect: PolicyBuilder, assembly: Assembly): void {
  const sniffer = config.items('tool sniffer');
  if (sniffer.length > 0) {
    const merged = mergedItem(sniffer);
    const server = setOf((fieldOf(merged, 'streaming-server') ?? '').split(':')[0]);
    const inside = (fieldOf(merged, 'filter-interface') ?? 'all').split(',');
    const ingress = inside.includes('all') ? ANY_NAME : names(...inside);
    const filters = writtenFields(merged).filter((text) => /^filter-(?!interface|stream)/.test(text));
    if (fieldOf(merged, 'streaming-server') !== undefined)
      mirrorRule(assembly, redirect, merged, {
        key: 'tool sniffer',
        matches: [{ ...ANY_TRAFFIC, ingress }],
        enabled: isYes(merged, 'streaming-enabled'),
        action: 'sniffer streaming',
        translation: { kind: 'mirror', ...(server && server.v4[0] !== 0 ? { addresses: server } : {}) },
        unresolved: ['while the sniffer runs', ...filters],
      });
  }
  for (const item of config.items('interface ethernet switch')) {
    const [source, target] = [fieldOf(item, 'mirror-source'), fieldOf(item, 'mirror-target')];
    if (!source || source === 'none' || !target || target === 'none') continue;
    mirrorRule(assembly, redirect, item, {
      key: `mirror ${fieldOf(item, 'name') ?? 'switch'}`,
      matches: [{ ...ANY_TRAFFIC, ingress: names(source) }],
      enabled: true,
      action: `mirror to ${target}`,
      translation: { kind: 'mirror' },
      unresolved: [],
    });
  }
}

function mirrorRule(
  assembly: Assembly,
  redirect: PolicyBuilder,
  item: RouterosItem,
  draft: {
    readonly key: string;
    readonly matches: readonly Traffic[];
    readonly enabled: boolean;
    readonly action: string;
    readonly translation: Translation;
    readonly unresolved: readonly string[];
  },
): void {
  const rule = assembly.rule({ ...draft, kind: 'mirror', list: 'mirror', lines: item.lines });
  redirect.entry(rule, 'translate', { translation: draft.translation });
}

/** What opens ways on its own accord, listed without traffic: hosts ask for forwards, guests pass by. */
const OPENERS: readonly (readonly [menu: string, kind: RuleKind, what: string])[] = [
  ['ip upnp', 'nat', 'upnp'],
  ['ip nat-pmp', 'nat', 'nat-pmp'],
  ['ip hotspot walled-garden', 'filter', 'walled garden'],
  ['ip hotspot walled-garden ip', 'filter', 'walled garden'],
  ['ip proxy access', 'proxy', 'web proxy access'],
  ['ip socks access', 'proxy', 'socks access'],
];

export function openers(config: RouterosConfig, assembly: Assembly): void {
  for (const [menu, kind, what] of OPENERS)
    for (const item of config.items(menu)) {
      const [source, destination] = ['src-address', 'dst-address'].map((name) =>
        setOf(fieldOf(item, name) ?? 'any'),
      );
      const action = fieldOf(item, 'action');
      const comment = fieldOf(item, 'comment');
      assembly.rule({
        key: `${menu} ${writtenFields(item).join(' ')}`.trimEnd(),
        kind,
        list: menu,
        enabled: item.fields.has('enabled') ? isYes(item, 'enabled') : !isDisabled(item),
        context: { list: menu },
        matches: [
          {
            ...ANY_TRAFFIC,
            ...(source ? { sources: source } : {}),
            ...(destination ? { destinations: destination } : {}),
          },
        ],
        unresolved: writtenFields(item).filter((text) =>
          /^(?:dst-host|path|url|server|dst-port)=/.test(text),
        ),
        action: action === undefined ? what : `${what} ${action}`,
        ...(comment === undefined ? {} : { comment }),
        lines: item.lines,
      });
    }
}

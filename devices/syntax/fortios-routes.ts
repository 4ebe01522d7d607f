// `config router static` of FortiOS and its tunnels -> tunnels with their far ends, and what is routed into them
import { type AddressSet, formatAddresses, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import { anyOf, type Family, subnetOf } from './fortios-addresses.ts';
import { commentOf, linesWith } from './fortios-policies.ts';
import { addressesOf, contextOf, type FortiScope, scoped, sdwanMembers } from './fortios-scope.ts';
import { entriesOf, type FortiEntry, isEnabled, settingOf, settingsOf } from './fortios-tree.ts';
import { MAX_LINES } from './objects.ts';
import { type TableRoute, tunnelEntries } from './route-table.ts';

/** A way out: where packets go that take one of these interfaces. */
export interface Way {
  readonly translation: Translation;
  readonly isTunnel: boolean;
  readonly unresolved: readonly string[];
}

/** `names`: interfaces of which the device chooses one. Undefined where all of them are down. */
export function wayOut(scope: FortiScope, names: readonly string[], gateway?: AddressSet): Way | undefined {
  const up = names.filter((name) => !scope.interfaces.get(name)?.isDown && !scope.tunnels.get(name)?.isDown);
  if (names.length > 0 && up.length === 0) return undefined;
  const tunnels = up.flatMap((name) => scope.tunnels.get(name) ?? []);
  if (tunnels.length === 0)
    return {
      translation: { kind: 'policy-route', ...(gateway ? { addresses: gateway } : {}) },
      isTunnel: false,
      unresolved: [],
    };
  const choice = tunnels.length < up.length ? [`the device chooses among ${up.join(' ')}`] : [];
  const isKnown = tunnels.every(({ far }) => far);
  const far = tunnels.flatMap((tunnel) => tunnel.far ?? []);
  return {
    translation: { kind: 'tunnel', ...(isKnown ? { addresses: unionAddresses(...far) } : {}) },
    isTunnel: true,
    unresolved: isKnown ? choice : [...choice, 'the far end of the tunnel is not in the configuration'],
  };
}

/** Each tunnel as a rule of its own, so that a moved far end shows even where nothing is routed into it. */
export function tunnelRules(scope: FortiScope): void {
  for (const { name, type, far, isDown, entry } of scope.tunnels.values()) {
    if (scope.vdom !== undefined && !belongs(scope, name)) continue;
    scope.assembly.rule({
      key: scoped(scope, `tunnel ${name}`),
      kind: 'tunnel',
      list: scoped(scope, 'tunnel'),
      enabled: !isDown,
      context: contextOf(scope, { interfaces: [name] }),
      matches: [ANY_TRAFFIC],
      unresolved: far ? [] : ['the far end of the tunnel is not in the configuration'],
      translation: { kind: 'tunnel', ...(far ? { addresses: far } : {}) },
      action: `tunnel ${type}`,
      ...commentOf(entry),
      lines: entry.lines.slice(0, MAX_LINES),
    });
  }
}

/** In `config global` stand tunnels of all VDOMs; their interface says of which. */
const belongs = ({ interfaces, vdom }: FortiScope, name: string): boolean => {
  const own = interfaces.get(name)?.vdom;
  return own === undefined || own === vdom;
};

export function staticRoutes(scope: FortiScope): void {
  const routes = (['ip', 'ip6'] as const).flatMap((family) =>
    entriesOf(scope.sections, family === 'ip' ? 'router static' : 'router static6').map((entry) =>
      readRoute(scope, entry, family),
    ),
  );
  const policy = scope.assembly.policy({
    id: scoped(scope, 'tunnels'),
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.everywhere, egress: ANY_NAME },
    otherwise: 'none',
  });
  const connected = unionAddresses(...[...scope.interfaces.values()].map(({ network }) => network));
  tunnelEntries(routes, connected, policy);
}

function readRoute(scope: FortiScope, entry: FortiEntry, family: Family): TableRoute {
  const object = settingsOf(entry, 'dstaddr');
  const named = object.length > 0 ? addressesOf(scope, family, object) : undefined;
  const hasService = ['internet-service', 'internet-service-custom'].some((name) => entry.settings.has(name));
  const written = settingsOf(entry, 'dst');
  const prefix = named?.all ?? (family === 'ip' ? subnetOf(written) : setOf(written[0] ?? '::/0'));
  if (!prefix) scope.assembly.notUnderstood(...(entry.linesOf.get('dst') ?? []));
  const isBlackhole = isEnabled(entry, 'blackhole');
  const gatewayText = settingOf(entry, 'gateway');
  const device = settingOf(entry, 'device');
  const names = isBlackhole ? [] : device === undefined ? sdwanNames(scope, entry) : [device];
  const way = isBlackhole ? undefined : wayOut(scope, names, setOf(gatewayText ?? ''));
  const via = isBlackhole ? 'blackhole' : [gatewayText, ...names].filter(Boolean).join(' ');
  const destinations = prefix ?? anyOf(family);
  const unresolved = [
    ...(named?.unresolved ?? []),
    ...(hasService ? ['internet service'] : []),
    ...(isEnabled(entry, 'link-monitor-exempt') ? [] : (way?.unresolved ?? [])),
  ];
  const rule = scope.assembly.rule({
    key: scoped(scope, `route ${formatAddresses(destinations).join()} via ${via}`),
    kind: 'route',
    list: scoped(scope, 'static'),
    // A route over an interface that is down is not in the table.
    enabled: settingOf(entry, 'status') !== 'disable' && (isBlackhole || way !== undefined),
    context: contextOf(scope, { list: 'static', family }),
    matches: [{ ...ANY_TRAFFIC, sources: anyOf(family), destinations }],
    unresolved,
    ...(way?.isTunnel ? { translation: way.translation } : {}),
    action: `via ${via}`,
    ...commentOf(entry),
    lines: linesWith(entry, named?.lines ?? []),
  });
  const distance = Number(settingOf(entry, 'distance') ?? '10');
  const tunnel = way?.isTunnel ? { translation: way.translation, unresolved } : undefined;
  return { rule, prefix: destinations, distance, ...(tunnel ? { tunnel } : {}), via };
}

/** A route without a device goes over the members of SD-WAN. */
function sdwanNames(scope: FortiScope, entry: FortiEntry): string[] {
  const zones = settingsOf(entry, 'sdwan-zone');
  return sdwanMembers(scope.sections)
    .filter(({ zone }) => zones.length === 0 || zones.includes(zone))
    .map((member) => member.interface);
}

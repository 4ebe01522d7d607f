// `config firewall ippool` and `central-snat-map` of FortiOS -> source NAT
import { type AddressSet, unionAddresses } from '../../src/model/addresses.ts';
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_SERVICE, service } from '../../src/model/services.ts';
import { ANY_NAME, ANY_SOURCE_PORT } from '../../src/model/traffic.ts';
import { portRanges, protocols } from './boxes.ts';
import { setOf } from './cisco-address.ts';
import type { Family } from './fortios-addresses.ts';
import { matchOf, whereOf } from './fortios-match.ts';
import { commentOf, linesWith, type Pools } from './fortios-policies.ts';
import { addressesOf, contextOf, type FortiScope, scoped } from './fortios-scope.ts';
import { portPair } from './fortios-services.ts';
import { entriesOf, type FortiEntry, settingOf, settingsOf } from './fortios-tree.ts';

/** All types of pool give addresses from the first to the last; which of them is the device's choice. */
export function fortiPools(scope: FortiScope): Pools {
  const byName = new Map<
    string,
    { readonly set: AddressSet | undefined; readonly lines: readonly SourceLine[] }
  >();
  for (const section of ['firewall ippool', 'firewall ippool6'])
    for (const entry of entriesOf(scope.sections, section)) {
      const [first, last] = [settingOf(entry, 'startip'), settingOf(entry, 'endip')];
      const set = first === undefined ? undefined : setOf(`${first}-${last ?? first}`);
      if (!set) scope.assembly.notUnderstood(...(entry.linesOf.get('startip') ?? entry.lines.slice(0, 1)));
      byName.set(entry.name, { set, lines: entry.lines });
    }
  return {
    sourceOf: (names) => {
      const found = names.map((name) => byName.get(name));
      const sets = found.flatMap((one) => one?.set ?? []);
      return {
        ...(sets.length > 0 ? { addresses: unionAddresses(...sets) } : {}),
        unresolved: names.filter((_, i) => !found[i]?.set).map((name) => `pool ${name} is not defined`),
        lines: found.flatMap((one) => one?.lines ?? []),
      };
    },
  };
}

/** The central table, in its order; `nat disable` keeps packets from being translated. */
export function centralNat(scope: FortiScope, pools: Pools): void {
  const nat = scope.assembly.policy({
    id: scoped(scope, 'central-snat-map'),
    stage: 'source-nat',
    evaluation: 'first-match',
    appliesTo: { ingress: scope.everywhere, egress: ANY_NAME },
    otherwise: 'none',
  });
  for (const entry of entriesOf(scope.sections, 'firewall central-snat-map')) {
    const family: Family = settingOf(entry, 'type') === 'ipv6' ? 'ip6' : 'ip';
    const six = family === 'ip6' ? '6' : '';
    const sources = addressesOf(scope, family, settingsOf(entry, `orig-addr${six}`));
    const destinations = addressesOf(scope, family, settingsOf(entry, `dst-addr${six}`));
    const services = servicesOfRow(scope, entry);
    const sorted = { known: services, all: services, unresolved: [], lines: [] };
    const match = matchOf(whereOf(scope, entry), [{ family, sources, destinations, vips: [] }], sorted, []);
    const isExempt = settingOf(entry, 'nat') === 'disable';
    const pool = pools.sourceOf(settingsOf(entry, `nat-ippool${six}`));
    const ports = portPair(settingOf(entry, 'nat-port') ?? '0');
    const translation: Translation = {
      kind: 'source',
      ...(pool.addresses ? { addresses: pool.addresses } : {}),
      ...(ports && ports[1] > 0 ? { ports } : {}),
    };
    const rule = scope.assembly.rule({
      key: settingOf(entry, 'uuid') ?? scoped(scope, `central-snat-map ${entry.name}`),
      kind: 'nat',
      list: scoped(scope, 'central-snat-map'),
      // Without central NAT the table is not looked at.
      enabled: settingOf(entry, 'status') !== 'disable',
      context: contextOf(scope, { list: 'central-snat-map', family }),
      matches: match.parts.flatMap(({ boxes }) => boxes),
      unresolved: [...match.unresolved, ...pool.unresolved],
      ...(isExempt ? {} : { translation }),
      action: isExempt ? 'no nat' : 'snat',
      ...commentOf(entry),
      lines: linesWith(entry, [...match.lines, ...pool.lines]),
    });
    if (!scope.isCentralNat) continue;
    for (const { boxes, unresolved } of match.parts)
      nat.entry(rule, isExempt ? 'exempt' : 'translate', {
        matches: boxes,
        unresolved,
        ...(isExempt ? {} : { translation }),
      });
  }
}

/** `protocol` (0: any), `orig-port` (of the source), `dst-port`. */
function servicesOfRow(scope: FortiScope, entry: FortiEntry) {
  const number = Number(settingOf(entry, 'protocol') ?? '0');
  const source = pairOf(scope, entry, 'orig-port');
  const destination = pairOf(scope, entry, 'dst-port');
  const services =
    number > 0 && number < 256
      ? destination
        ? service(number, [destination])
        : protocols(number)
      : ANY_SERVICE;
  return [{ services, sourcePorts: source ? portRanges([source]) : ANY_SOURCE_PORT }];
}

function pairOf(scope: FortiScope, entry: FortiEntry, name: string): readonly [number, number] | undefined {
  const text = settingOf(entry, name);
  if (text === undefined || text === '0') return undefined;
  const pair = portPair(text);
  if (!pair) scope.assembly.notUnderstood(...(entry.linesOf.get(name) ?? []));
  return pair;
}

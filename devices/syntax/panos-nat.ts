// NAT rules of PAN-OS -> rules, and the two NAT policies that one ordered list makes
import {
  type AddressSet,
  ANY_ADDRESS,
  ANY_V4,
  ANY_V6,
  countAddresses,
  noAddresses,
  sameAddresses,
} from '../../src/model/addresses.ts';
import type { DeviceInterface, EntryAction, Translation } from '../../src/model/rule.ts';
import { ANY_SERVICE, sameServices, withPorts } from '../../src/model/services.ts';
import { ANY_NAME, type Traffic } from '../../src/model/traffic.ts';
import type { Assembled, PolicyBuilder } from './assemble.ts';
import { portRanges } from './boxes.ts';
import { addressesOf } from './panos-address.ts';
import { isYes, last } from './panos-config.ts';
import { conditionsOf, enter, type Match, matchOf, zoneNames } from './panos-match.ts';
import {
  makeRule,
  once,
  QUIET_WORDS,
  type Reader,
  reportUnknown,
  rulesOf,
  type WrittenRule,
} from './panos-reader.ts';
import type { Scope } from './panos-scope.ts';
import { servicesOf } from './panos-service.ts';
import { at, type WordTree, words } from './tree.ts';

const KNOWN = new Set(
  (
    `${QUIET_WORDS} nat-type from to to-interface source destination service source-translation destination-translation ` +
    'dynamic-destination-translation active-active-device-binding'
  ).split(' '),
);

export interface NatOptions {
  readonly interfaces: ReadonlyMap<string, DeviceInterface>;
  /** "0" or "1" of an active-active pair. */
  readonly deviceId: string | undefined;
}

/** What a rule makes of a packet that it matches, as one scope sees it. */
interface Step {
  readonly rule: WrittenRule;
  readonly made: Assembled;
  /** As the packet arrives, without its egress. */
  readonly match: Match;
  readonly egress: Match;
  readonly destination: Translation | undefined;
  readonly source: Translation | undefined;
  readonly bound: boolean;
  readonly back:
    | { readonly made: Assembled; readonly match: Match; readonly destination: Translation }
    | undefined;
}

/**
 * The first rule that matches ends the list, even one without translation. `to` is the zone of the destination before
 * translation: where that is translated, the packet leaves through another zone.
 */
export function readNat(scope: Scope, reader: Reader, options: NatOptions): void {
  const steps = rulesOf(scope, 'nat').map((rule) => stepOf(rule, scope, reader, options));
  const counted = steps.filter(({ rule, bound }) => rule.enabled && bound);
  const lastDestination = counted.findLastIndex((step) => step.destination || step.back);
  const lastSource = counted.findLastIndex((step) => step.source);
  const head = {
    evaluation: 'first-match',
    appliesTo: { ingress: scope.ingress, egress: ANY_NAME },
    otherwise: 'none',
  } as const;
  const inwards = reader.assembly.policy({
    id: `nat ${scope.id} destination`,
    stage: 'destination-nat',
    ...head,
  });
  const outwards = reader.assembly.policy({ id: `nat ${scope.id} source`, stage: 'source-nat', ...head });
  const translates = lastDestination >= 0;
  counted.forEach((step, i) => {
    if (i <= lastDestination) enterDestination(inwards, step);
    if (i <= lastSource) enterSource(outwards, step, translates);
  });
}

function enterDestination(policy: PolicyBuilder, { made, match, egress, destination, back }: Step): void {
  if (destination) enter(policy, made, 'translate', match, { translation: destination });
  else enter(policy, made, 'exempt', egress);
  if (back) enter(policy, back.made, 'translate', back.match, { translation: back.destination });
}

/** Rules match packets as they came; source NAT here meets them after the destination was translated. */
function enterSource(policy: PolicyBuilder, step: Step, translates: boolean): void {
  const { made, match, egress, destination, source } = step;
  const action: EntryAction = source ? 'translate' : 'exempt';
  const translation = source ? { translation: source } : {};
  if (destination)
    enter(policy, made, action, seenAfter(match, destination), {
      ...translation,
      translated: true,
    });
  else
    enter(policy, made, action, egress, {
      ...translation,
      ...(translates ? { translated: false } : {}),
    });
}

function seenAfter(match: Match, { addresses, ports }: Translation): Match {
  const after = (boxes: readonly Traffic[]) =>
    boxes.map((box) => ({
      ...box,
      destinations: addresses && !noAddresses(addresses) ? addresses : ANY_ADDRESS,
      services:
        ports && !sameServices(box.services, ANY_SERVICE) ? withPorts(box.services, ...ports) : box.services,
    }));
  return { ...match, sure: after(match.sure), possible: after(match.possible) };
}

function stepOf(rule: WrittenRule, scope: Scope, reader: Reader, options: NatOptions): Step {
  const { node, owner } = rule;
  const type = last(node, 'nat-type') ?? 'ipv4';
  const here = readAs(node, scope, type, options);
  const written = scope === owner ? here : readAs(node, owner, type, options);
  const binding = last(node, 'active-active-device-binding');
  const bound =
    type !== 'nat64' &&
    (binding === undefined ||
      !/^[01]$/.test(binding) ||
      options.deviceId === undefined ||
      binding === options.deviceId);
  const made = once(reader, node, () => {
    reportUnknown(reader, node, KNOWN);
    const translation = written.destination ?? written.source;
    return makeRule(rule, reader, {
      kind: 'nat',
      match: written.destination ? written.match : written.egress,
      action: actionText(node, type, bound ? undefined : (binding ?? type)),
      ...(translation ? { translation } : {}),
    });
  });
  return { rule, made, ...here, bound, back: backOf(rule, made, here) };
}

type Reading = Pick<Step, 'match' | 'egress' | 'destination' | 'source'>;

function readAs(node: WordTree, scope: Scope, type: string, options: NatOptions): Reading {
  const conditions = conditionsOf(node);
  const binding = last(node, 'active-active-device-binding');
  if (binding === 'primary') conditions.push('on the active-primary device');
  const ask = (egress: Traffic['egress'], more: readonly string[]) =>
    matchOf(scope, node, {
      ways: [{ ingress: zoneNames(scope, words(node, 'from')), egress }],
      services: serviceIn(scope, node),
      conditions: [...conditions, ...more],
      within: type === 'ipv4' ? ANY_V4 : ANY_V6,
    });
  const to = toNames(node, scope);
  const asked = addressesOf(words(node, 'destination'), scope.addresses);
  // Where no destination is asked for, the zone alone says which packets are meant, and routes decide that.
  const byZone =
    !asked && !to.except ? [`bound for zone ${words(node, 'to').join(', ')} before translation`] : [];
  const match = ask(ANY_NAME, byZone);
  return {
    match,
    egress: ask(to, []),
    destination: destinationOf(node, scope, match),
    source: sourceOf(node, scope, match, options),
  };
}

/** A NAT rule has one service: one that is set again takes the place of the other. */
const serviceIn = (scope: Scope, node: WordTree) =>
  servicesOf({ services: words(node, 'service').slice(-1), applications: [] }, scope.services, true);

function toNames(node: WordTree, scope: Scope): Traffic['egress'] {
  const through = last(node, 'to-interface');
  if (through !== undefined && through !== 'any') return { except: false, names: [through] };
  return zoneNames(scope, words(node, 'to'));
}

function destinationOf(node: WordTree, scope: Scope, match: Match): Translation | undefined {
  const own = at(node, 'destination-translation');
  const spread = at(node, 'dynamic-destination-translation');
  const to = own ?? spread;
  if (!to) return undefined;
  const text = last(to, 'translated-address');
  const port = last(to, 'translated-port');
  const found = text === undefined ? undefined : addressesOf([text], scope.addresses);
  const addresses = found && found.unresolved.length === 0 ? found.sure : undefined;
  // Without a new address only the port changes.
  const kept = text === undefined ? match.possible[0]?.destinations : undefined;
  const number = port !== undefined && /^\d{1,5}$/.test(port) ? Number(port) : undefined;
  return {
    kind: 'destination',
    ...place(addresses ?? kept),
    ...(number === undefined ? {} : { ports: [number, number] as const }),
    ...(own && keepsOffset(match, 'destinations', addresses ?? kept) ? { offset: true } : {}),
  };
}

const place = (addresses: AddressSet | undefined) => (addresses ? { addresses } : {});

/** Static translation of a range into one of the same size is one to one. */
function keepsOffset(match: Match, side: 'sources' | 'destinations', to: AddressSet | undefined): boolean {
  const from = match.possible[0]?.[side];
  if (!from || !to) return false;
  const count = countAddresses(to);
  return count > 1 && count === countAddresses(from);
}

function sourceOf(node: WordTree, scope: Scope, match: Match, options: NatOptions): Translation | undefined {
  const from = at(node, 'source-translation');
  if (!from) return undefined;
  const kind = last(from);
  const body = kind ? at(from, kind) : undefined;
  const names = words(body, 'translated-address');
  if (kind === 'static-ip') {
    const addresses = resolved(names.slice(-1), scope);
    return {
      kind: 'source',
      ...place(addresses),
      ...(keepsOffset(match, 'sources', addresses) ? { offset: true } : {}),
    };
  }
  if (names.length > 0) return { kind: 'source', ...place(resolved(names, scope)) };
  return { kind: 'source', ...place(interfaceAddress(body, scope, options)) };
}

function interfaceAddress(
  body: WordTree | undefined,
  scope: Scope,
  { interfaces }: NatOptions,
): AddressSet | undefined {
  const written = last(body, 'interface-address', 'ip') ?? last(body, 'interface-address', 'floating-ip');
  if (written !== undefined) return resolved([written.split('/')[0]], scope) ?? resolved([written], scope);
  const known = interfaces.get(last(body, 'interface-address', 'interface') ?? '')?.addresses;
  return known && !noAddresses(known) ? known : undefined;
}

function resolved(names: readonly string[], scope: Scope): AddressSet | undefined {
  const found = addressesOf(names, scope.addresses);
  return found && found.unresolved.length === 0 && !noAddresses(found.sure) ? found.sure : undefined;
}

/** `bi-directional`: connections toward the translated address come in from any zone. */
function backOf({ node }: WrittenRule, made: Assembled, { egress, source }: Reading): Step['back'] {
  const isTwoWay = isYes(node, 'source-translation', 'static-ip', 'bi-directional');
  const inside = egress.possible[0]?.sources;
  if (!isTwoWay || !source?.addresses || !inside || sameAddresses(inside, ANY_V4)) return undefined;
  const box: Traffic = {
    ingress: ANY_NAME,
    egress: ANY_NAME,
    sources: source.addresses.v4.length > 0 ? ANY_V4 : ANY_V6,
    destinations: source.addresses,
    services: ANY_SERVICE,
    sourcePorts: portRanges([[0, 65_535]]),
  };
  const unresolved = egress.unresolved;
  const match: Match = { sure: unresolved.length === 0 ? [box] : [], possible: [box], unresolved, lines: [] };
  const destination: Translation = {
    kind: 'destination',
    addresses: inside,
    ...(source.offset ? { offset: true } : {}),
  };
  return { made, match, destination };
}

function actionText(node: WordTree, type: string, unbound: string | undefined): string {
  const own = at(node, 'destination-translation') ?? at(node, 'dynamic-destination-translation');
  const from = at(node, 'source-translation');
  const kind = last(from);
  const parts = [
    ...(type === 'ipv4' ? [] : [type]),
    ...(from ? [['source to', kind, ...translatedNames(at(from, kind ?? ''), kind)].join(' ')] : []),
    ...(own
      ? [
          ['destination to', last(own, 'translated-address'), last(own, 'translated-port')]
            .filter(Boolean)
            .join(' '),
        ]
      : []),
  ];
  const text = parts.length > 0 ? parts.join(', ') : 'no translation';
  return unbound === undefined ? text : `${text} (not on this device: ${unbound})`;
}

function translatedNames(body: WordTree | undefined, kind: string | undefined): string[] {
  const names = words(body, 'translated-address');
  if (kind === 'static-ip')
    return [...names.slice(-1), ...(isYes(body, 'bi-directional') ? ['both ways'] : [])];
  if (names.length > 0) return names.slice(0, 20);
  const through = at(body, 'interface-address');
  return [last(through, 'interface'), last(through, 'ip'), last(through, 'floating-ip')].filter(
    (name) => name !== undefined,
  );
}

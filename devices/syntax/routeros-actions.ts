// the action of a firewall rule of RouterOS -> what it does to the packet
import type { AddressSet } from '../../src/model/addresses.ts';
import type { RuleKind, Translation } from '../../src/model/rule.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import type { Branch, Outcome } from './flatten.ts';
import { fieldOf, type RouterosItem } from './routeros-config.ts';
import { portsOf } from './routeros-match.ts';

/** After these the packet goes on to the next rule. */
const GOES_ON = new Set(
  `log passthrough fasttrack-connection add-src-to-address-list add-dst-to-address-list mark-connection mark-packet
   change-dscp change-mss change-ttl change-hop-limit set-priority strip-ipv4-options clear-df notrack`.split(
    /\s+/,
  ),
);
const DROPS = new Set(['drop', 'reject', 'tarpit']);

export interface RouterosAction {
  readonly kind: RuleKind;
  /** What becomes of one box of the rule's traffic. */
  readonly outcomesOf: (box: Traffic) => readonly Outcome[];
  /** Where it goes depends on more than the rule: parts of the box, each with its own way. */
  readonly branchesOf?: (box: Traffic) => readonly Pick<Branch, 'match' | 'unresolved' | 'outcome'>[];
  readonly translation?: Translation;
}

/** `chainId` of a jump's target; `direction`: of the chain that the rule stands in. Undefined where the action is not known. */
export function actionOf(
  item: RouterosItem,
  direction: 'in' | 'out' | 'either',
  chainId: (name: string) => string,
): RouterosAction | undefined {
  const action = fieldOf(item, 'action') ?? 'accept';
  const filter = (...outcomes: Outcome[]): RouterosAction => ({ kind: 'filter', outcomesOf: () => outcomes });
  if (action === 'accept') return filter({ kind: 'accept' });
  if (DROPS.has(action)) return filter({ kind: 'drop' });
  if (action === 'return') return filter({ kind: 'return' });
  if (GOES_ON.has(action)) return filter();
  if (action === 'jump') {
    const target = fieldOf(item, 'jump-target');
    return target === undefined ? undefined : filter({ kind: 'jump', chain: chainId(target) });
  }
  return translating(item, action, direction);
}

function translating(
  item: RouterosItem,
  action: string,
  direction: 'in' | 'out' | 'either',
): RouterosAction | undefined {
  // IPv6 has `to-address`.
  const to = fieldOf(item, 'to-addresses') ?? fieldOf(item, 'to-address');
  const addresses = to === undefined || to === '' ? undefined : setOf(to);
  if (to && !addresses) return undefined;
  const isSet = addresses !== undefined && addresses.v4[0] !== 0;
  const ports = portPair(fieldOf(item, 'to-ports'));
  if (ports === null) return undefined;
  const place = { ...(isSet ? { addresses } : {}), ...(ports ? { ports } : {}) };
  switch (action) {
    case 'dst-nat':
      return isSet ? nat('destination-nat', { kind: 'destination', ...place }) : sameAddress(place);
    case 'redirect':
      return nat('destination-nat', { kind: 'redirect', ...(ports ? { ports } : {}) });
    case 'masquerade':
      return nat('source-nat', { kind: 'source', ...(ports ? { ports } : {}) });
    case 'src-nat':
    case 'same':
    case 'endpoint-independent-nat':
      return nat('source-nat', { kind: 'source', ...place });
    case 'netmap':
      return isSet ? netmap(addresses, direction) : undefined;
    case 'sniff-tzsp':
    case 'sniff-pc': {
      const target = setOf(fieldOf(item, 'sniff-target') ?? '');
      const translation: Translation = { kind: 'mirror', ...(target ? { addresses: target } : {}) };
      return { ...nat('redirect', translation, false), kind: 'mirror' };
    }
    case 'route': {
      const target = setOf(fieldOf(item, 'route-dst') ?? '');
      const translation: Translation = { kind: 'policy-route', ...(target ? { addresses: target } : {}) };
      return { ...nat('redirect', translation), kind: 'policy-route' };
    }
    default:
      return undefined;
  }
}

type NatStage = Extract<Outcome, { kind: 'translate' }>['stage'];

const nat = (stage: NatStage, translation: Translation, final = true): RouterosAction => ({
  kind: 'nat',
  outcomesOf: () => [{ kind: 'translate', stage, translation, final }],
  translation,
});

/** dst-nat without an address moves the port only: each range of destinations stays where it is. */
function sameAddress(place: { readonly ports?: readonly [number, number] }): RouterosAction {
  const translation: Translation = { kind: 'destination', ...place };
  return {
    kind: 'nat',
    translation,
    outcomesOf: () => [],
    branchesOf: (box) =>
      rangesOf(box.destinations).map((destinations) => ({
        match: { ...box, destinations },
        unresolved: [],
        outcome: {
          kind: 'translate',
          stage: 'destination-nat',
          translation: { ...translation, addresses: destinations, offset: true },
          final: true,
        },
      })),
  };
}

const MAX_RANGES = 256;

function rangesOf({ v4, v6 }: AddressSet): AddressSet[] {
  const sets: AddressSet[] = [];
  for (let i = 0; i < v4.length && sets.length < MAX_RANGES; i += 2)
    sets.push({ v4: v4.slice(i, i + 2), v6: [] });
  for (let i = 0; i < v6.length && sets.length < MAX_RANGES; i += 2)
    sets.push({ v4: [], v6: v6.slice(i, i + 2) });
  return sets;
}

/** In a chain of one's own both ways are possible: each stage takes the translation that is meant for it. */
function netmap(addresses: AddressSet, direction: 'in' | 'out' | 'either'): RouterosAction {
  const inwards: Translation = { kind: 'destination', addresses, offset: true };
  const outwards: Translation = { kind: 'source', addresses, offset: true };
  const outcomes: Outcome[] = [];
  if (direction !== 'out')
    outcomes.push({
      kind: 'translate',
      stage: 'destination-nat',
      translation: inwards,
      final: direction === 'in',
    });
  if (direction !== 'in')
    outcomes.push({ kind: 'translate', stage: 'source-nat', translation: outwards, final: true });
  return { kind: 'nat', outcomesOf: () => outcomes, translation: direction === 'out' ? outwards : inwards };
}

/** null: not readable. */
function portPair(text: string | undefined): readonly [number, number] | undefined | null {
  if (text === undefined || text === '' || text === '0-65535') return undefined;
  const flat = portsOf(text);
  return flat?.length === 2 ? [flat[0], flat[1]] : null;
}

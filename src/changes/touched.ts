// policies before and after -> the entries that differ, and the region of traffic that they can reach
import * as addresses from '../model/addresses.ts';
import { type Policy, type RuleSet, STAGES, type Stage } from '../model/rule.ts';
import { ANY_SERVICE, unionServices } from '../model/services.ts';
import {
  ANY_NAME,
  ANY_SOURCE_PORT,
  ANY_TRAFFIC,
  intersectRegion,
  intersectTraffic,
  type Region,
  subtractTraffic,
  type Traffic,
} from '../model/traffic.ts';
import { appliesBox, usable } from './decide.ts';
import { disjoint } from './effect.ts';
import { addressesOverlap, type Decider, mayOverlap } from './piece.ts';
import type { Signatures } from './signature.ts';

/** One entry, or one policy's default, as a packet meets it. */
interface Step {
  readonly signature: string;
  readonly decider: Decider;
  readonly stage: Stage;
  readonly sees: Policy['sees'];
  readonly box: Traffic;
}

export type SideName = 'before' | 'after';

export interface Touched {
  readonly before: ReadonlySet<Decider>;
  readonly after: ReadonlySet<Decider>;
  /** Touched entries that stand on both sides, in another order. */
  readonly moved: ReadonlySet<Decider>;
  /** What of the arriving traffic each of them can reach. */
  readonly reach: ReadonlyMap<Decider, readonly Traffic[]>;
  /** Disjoint; outside of it both sides do the same to every packet. */
  readonly region: readonly Traffic[];
}

/** More boxes than this are replaced by the one box around them. */
const MAX_BOXES = 3_000;

/** Packets have one family: IPv4 or IPv6 in both addresses. */
export const FAMILIES: Region = [addresses.ANY_V4, addresses.ANY_V6].map((family) => ({
  ...ANY_TRAFFIC,
  sources: family,
  destinations: family,
}));

/** Entries of a common subsequence decide alike for every packet that no entry outside of it matches. */
export function findTouched(before: RuleSet, after: RuleSet, signatures: Signatures): Touched {
  const ordinals = pairPolicies(before.policies, after.policies, signatures);
  const old = stepsOf(before, ordinals, signatures);
  const now = stepsOf(after, ordinals, signatures);
  const { onlyA, onlyB } = differing(old, now);
  const again = new Set(onlyA.map((step) => step.signature));
  const movedNow = onlyB.filter((step) => again.has(step.signature));
  const movedSignatures = new Set(movedNow.map((step) => step.signature));
  const movedOld = onlyA.filter((step) => movedSignatures.has(step.signature));
  const reach = reachOf([...onlyA, ...onlyB], [...old, ...now]);
  return {
    before: new Set(onlyA.map((step) => step.decider)),
    after: new Set(onlyB.map((step) => step.decider)),
    moved: new Set([...movedOld, ...movedNow].map((step) => step.decider)),
    reach,
    region: regionOf([...reach.values()].flat(), signatures),
  };
}

/** Pairs policies by stage and id, then by what they hold (a renamed chain); a pair shares its number. */
function pairPolicies(before: readonly Policy[], after: readonly Policy[], signatures: Signatures) {
  const ordinals = new Map<Policy, number>();
  let next = 0;
  const content = (policy: Policy) =>
    [headOf(policy, signatures), ...policy.entries.map((entry) => signatures.entry(entry))].join('\n');
  const bind = (keyOf: (policy: Policy) => string) => {
    const waiting = Map.groupBy(
      before.filter((policy) => !ordinals.has(policy)),
      keyOf,
    );
    for (const policy of after) {
      if (ordinals.has(policy)) continue;
      const partner = waiting.get(keyOf(policy))?.shift();
      if (!partner) continue;
      ordinals.set(partner, next);
      ordinals.set(policy, next++);
    }
  };
  // The same object on both sides is its own partner.
  const shared = new Set(after);
  for (const policy of before) if (shared.has(policy)) ordinals.set(policy, next++);
  bind((policy) => `${policy.stage}|${policy.id}`);
  if (before.length + after.length > ordinals.size) bind(content);
  for (const policy of [...before, ...after]) if (!ordinals.has(policy)) ordinals.set(policy, next++);
  return ordinals;
}

const headOf = (policy: Policy, signatures: Signatures) =>
  `${policy.stage}${policy.sees ?? ''}|${policy.evaluation}|${signatures.names(policy.appliesTo.ingress)}|${signatures.names(policy.appliesTo.egress)}`;

function stepsOf(ruleSet: RuleSet, ordinals: ReadonlyMap<Policy, number>, signatures: Signatures): Step[] {
  const steps: Step[] = [];
  for (const stage of STAGES) {
    for (const policy of ruleSet.policies) {
      if (policy.stage !== stage) continue;
      const head = `${ordinals.get(policy)}|${headOf(policy, signatures)}`;
      const box = appliesBox(policy);
      for (const entry of policy.entries) {
        const own = usable(entry) ? intersectTraffic(entry.match, box) : undefined;
        if (own) {
          const signature = `${head}|${signatures.entry(entry)}`;
          steps.push({ signature, decider: entry, stage, sees: policy.sees, box: own });
        }
      }
      if (stage === 'filter' && policy.otherwise !== 'none')
        steps.push({
          signature: `${head}|${policy.otherwise}`,
          decider: policy,
          stage,
          sees: policy.sees,
          box,
        });
    }
  }
  return steps;
}

/** Steps outside of one long common subsequence: equal steps paired in order of appearance, then the longest rising run. */
function differing(a: readonly Step[], b: readonly Step[]): { onlyA: Step[]; onlyB: Step[] } {
  const places = new Map<string, number[]>();
  for (const [i, step] of a.entries()) {
    const list = places.get(step.signature);
    if (list) list.push(i);
    else places.set(step.signature, [i]);
  }
  const used = new Map<string, number>();
  const partner = b.map((step) => {
    const nth = used.get(step.signature) ?? 0;
    used.set(step.signature, nth + 1);
    return places.get(step.signature)?.[nth] ?? -1;
  });
  const kept = longestRising(partner);
  const keptA = new Set([...kept].map((i) => partner[i]));
  return { onlyA: a.filter((_, i) => !keptA.has(i)), onlyB: b.filter((_, i) => !kept.has(i)) };
}

/** Indices of a longest strictly rising subsequence; negative values are left out. */
function longestRising(values: readonly number[]): Set<number> {
  const tails: number[] = [];
  const previous = new Array<number>(values.length).fill(-1);
  for (const [i, value] of values.entries()) {
    if (value < 0) continue;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[tails[middle]] < value) low = middle + 1;
      else high = middle;
    }
    if (low > 0) previous[i] = tails[low - 1];
    tails[low] = i;
  }
  const kept = new Set<number>();
  for (let i = tails.at(-1) ?? -1; i >= 0; i = previous[i]) kept.add(i);
  return kept;
}

/** Boxes as packets arrive: behind destination NAT, and source NAT, also what is translated into a box. */
function reachOf(changed: readonly Step[], all: readonly Step[]): Map<Decider, Traffic[]> {
  const translating = all.filter((step) => step.stage === 'destination-nat');
  const masking = all.filter((step) => step.stage === 'source-nat');
  const reach = new Map<Decider, Traffic[]>();
  for (const { decider, stage, sees, box } of changed) {
    const routed = sees === 'translated' ? [box, ...maskedInto(box, masking)] : [box];
    const isEarly = stage === 'destination-nat' || sees === 'untranslated';
    const arriving = isEarly ? [] : routed.flatMap((one) => translatedInto(one, translating));
    // Readers may share one entry between policies.
    reach.set(decider, [...(reach.get(decider) ?? []), ...routed, ...arriving]);
  }
  return reach;
}

function regionOf(reached: readonly Traffic[], signatures: Signatures): Traffic[] {
  const boxes = new Map(reached.map((box) => [signatures.traffic(box), box]));
  let list = [...boxes.values()];
  if (list.length > MAX_BOXES) list = [hull(list)];
  // Wide boxes first: they swallow the narrow ones.
  list.sort((a, b) => width(b) - width(a));
  return disjoint(intersectRegion(list, FAMILIES));
}

/** What some translation may turn into packets of `box`, where it lies outside of the box; never too little. */
function translatedInto(box: Traffic, translating: readonly Step[]): Traffic[] {
  const result: Traffic[] = [];
  for (const { decider, box: match } of translating) {
    const translation = 'ruleKey' in decider ? decider.translation : undefined;
    if (!translation?.addresses || !addressesOverlap(translation.addresses, box.destinations)) continue;
    const services = translation.ports ? ANY_SERVICE : box.services;
    const wide = { ...box, destinations: addresses.ANY_ADDRESS, services };
    const common = mayOverlap(wide, match) ? intersectTraffic(wide, match) : undefined;
    if (common && subtractTraffic(common, box).length > 0) result.push(common);
  }
  return result;
}

/** The same for source NAT. */
function maskedInto(box: Traffic, masking: readonly Step[]): Traffic[] {
  return masking.flatMap(({ decider, box: match }) => {
    const translation = 'ruleKey' in decider ? decider.translation : undefined;
    const known = translation?.addresses && !addresses.noAddresses(translation.addresses);
    if (!translation || (known && !addressesOverlap(translation.addresses, box.sources))) return [];
    const sourcePorts = translation.ports ? ANY_SOURCE_PORT : box.sourcePorts;
    const wide = { ...box, sources: addresses.ANY_ADDRESS, sourcePorts };
    return intersectTraffic(wide, match) ?? [];
  });
}

/** One box around all of them. */
export function hull(boxes: readonly Traffic[]): Traffic {
  return {
    ingress: ANY_NAME,
    egress: ANY_NAME,
    sources: addresses.unionAddresses(...boxes.map((box) => box.sources)),
    destinations: addresses.unionAddresses(...boxes.map((box) => box.destinations)),
    services: unionServices(...boxes.map((box) => box.services)),
    sourcePorts: ANY_SOURCE_PORT,
  };
}

const width = (box: Traffic) =>
  addresses.countAddresses(box.sources) * addresses.countAddresses(box.destinations) * box.services.length;

// rule sets before and after -> the entries that differ, and the region of traffic in which they can tell
import * as addresses from '../model/addresses.ts';
import { covers } from '../model/ranges.ts';
import type { RuleSet, Stage, Translation } from '../model/rule.ts';
import { ANY_SERVICE, unionServices } from '../model/services.ts';
import {
  ANY_NAME,
  ANY_SOURCE_PORT,
  ANY_TRAFFIC,
  intersectRegion,
  intersectTraffic,
  type Region,
  type Traffic,
} from '../model/traffic.ts';
import { indexBoxes } from './box-index.ts';
import { appliesBox, usable } from './decide.ts';
import { disjoint } from './effect.ts';
import { type Ladder, laddersOf, type SideName } from './ladders.ts';
import { mergeBoxes } from './merge.ts';
import { differingOn } from './narrow.ts';
import { addressesOverlap, type Decider, mayOverlap } from './piece.ts';
import type { Signatures } from './signature.ts';
import { portsTranslated } from './translate.ts';

export interface Touched {
  readonly before: ReadonlySet<Decider>;
  readonly after: ReadonlySet<Decider>;
  /** Touched entries that stand on both sides, in another order. */
  readonly moved: ReadonlySet<Decider>;
  /** What of the arriving traffic a touched decider can reach. */
  readonly reachOf: (decider: Decider) => readonly Traffic[];
  /** Disjoint, wide boxes first; outside of it both sides do the same to every packet. */
  readonly region: readonly Traffic[];
}

/** More boxes than this are replaced by the one box around them. */
const MAX_BOXES = 5_000;

/** Packets have one family: IPv4 or IPv6 in both addresses. */
export const FAMILIES: Region = [addresses.ANY_V4, addresses.ANY_V6].map((family) => ({
  ...ANY_TRAFFIC,
  sources: family,
  destinations: family,
}));

export function findTouched(before: RuleSet, after: RuleSet, signatures: Signatures): Touched {
  const ladders = laddersOf(before, after, signatures);
  const arrival = arrivalOf([before, after], signatures);
  const all = (side: SideName) =>
    new Set(ladders.flatMap(({ touched }) => touched[side].map(({ decider }) => decider)));
  const reached = ladders.flatMap((ladder) => {
    const differing = differingOn(ladder, signatures);
    // Behind source NAT packets are seen as what they were not: there the rungs are taken whole.
    const masked = ladder.sees === 'translated' ? maskedInto(boxesOf(ladder), arrival) : [];
    return arriving(ladder, [...differing, ...masked], arrival);
  });
  return {
    before: all('before'),
    after: all('after'),
    moved: new Set(ladders.flatMap(({ moved }) => moved)),
    reachOf: reachFinder(ladders, arrival),
    region: regionOf(reached, signatures),
  };
}

const boxesOf = ({ rungs, beyond }: Ladder): Region => [
  ...rungs.filter(({ on }) => on !== 'both').map(({ box }) => box),
  ...beyond,
];

function reachFinder(ladders: readonly Ladder[], arrival: Arrival): Touched['reachOf'] {
  // Readers may share one entry between policies.
  const places = new Map<Decider, { ladder: Ladder; box: Traffic }[]>();
  for (const ladder of ladders)
    for (const { decider, box } of [...ladder.touched.before, ...ladder.touched.after]) {
      const list = places.get(decider);
      if (list) list.push({ ladder, box });
      else places.set(decider, [{ ladder, box }]);
    }
  return (decider) =>
    (places.get(decider) ?? []).flatMap(({ ladder, box }) => {
      const match = 'ruleKey' in decider ? decider.match : ANY_TRAFFIC;
      const seen = [box, ...intersectRegion([match], ladder.beyond)];
      const masked = ladder.sees === 'translated' ? maskedInto(seen, arrival) : [];
      return arriving(ladder, [...seen, ...masked], arrival);
    });
}

/** What may turn packets into others, on either side. */
interface Arrival {
  readonly masking: readonly Translating[];
  /** Destination translations out of which packets of the box may come. */
  readonly into: (box: Traffic) => readonly Translating[];
}

interface Translating {
  readonly translation: Translation;
  readonly match: Traffic;
}

function arrivalOf(sides: readonly RuleSet[], signatures: Signatures): Arrival {
  const at = (stage: Stage): Translating[] => {
    const found = new Map<string, Translating>();
    for (const { policies } of sides)
      for (const policy of policies)
        for (const entry of policy.stage === stage ? policy.entries : []) {
          const { action, translation } = entry;
          if (action !== 'translate' || !translation || !usable(entry)) continue;
          const match = intersectTraffic(entry.match, appliesBox(policy));
          if (!match) continue;
          found.set(`${signatures.traffic(match)}|${signatures.translation(translation)}`, {
            translation,
            match,
          });
        }
    return [...found.values()];
  };
  const translating = at('destination-nat').filter(({ translation }) => translation.addresses);
  const comingOut = translating.map(
    ({ translation: { addresses: to, ports }, match }): Traffic => ({
      ...match,
      destinations: to as addresses.AddressSet,
      services: ports ? portsTranslated(match.services, ports) : match.services,
    }),
  );
  const index = indexBoxes(comingOut);
  return {
    masking: at('source-nat'),
    into: (box) =>
      index
        .near(box)
        .filter((position) => mayOverlap(comingOut[position], box))
        .map((position) => translating[position]),
  };
}

/** Boxes of packets as they are seen on a ladder -> boxes that hold them as they arrive; never too little. */
function arriving({ stage, sees }: Ladder, boxes: Region, arrival: Arrival): Region {
  if (stage === 'destination-nat' || sees === 'untranslated') return boxes;
  return [...boxes, ...boxes.flatMap((box) => translatedInto(box, arrival))];
}

/** What some translation may turn into packets of `box`, where it lies outside of the box. */
function translatedInto(box: Traffic, { into }: Arrival): Region {
  return into(box).flatMap(({ translation, match }) => {
    if (isWithin(match, box)) return [];
    const services = translation.ports ? ANY_SERVICE : box.services;
    return intersectTraffic({ ...box, destinations: addresses.ANY_ADDRESS, services }, match) ?? [];
  });
}

/** Whether packets of the match arrive in the box, as far as a translation can tell; cheap, and most do. */
const isWithin = ({ destinations, services }: Traffic, box: Traffic): boolean =>
  covers(box.services, services) &&
  covers(box.destinations.v4, destinations.v4) &&
  covers(box.destinations.v6, destinations.v6);

/** The same for source NAT. */
function maskedInto(boxes: Region, { masking }: Arrival): Region {
  return boxes.flatMap((box) =>
    masking.flatMap(({ translation, match }) => {
      const { addresses: to, ports } = translation;
      if (to && !addresses.noAddresses(to) && !addressesOverlap(to, box.sources)) return [];
      const sourcePorts = ports ? ANY_SOURCE_PORT : box.sourcePorts;
      const wide = { ...box, sources: addresses.ANY_ADDRESS, sourcePorts };
      return intersectTraffic(wide, match) ?? [];
    }),
  );
}

function regionOf(reached: Region, signatures: Signatures): Traffic[] {
  let list = mergeBoxes(reached, signatures);
  if (list.length > MAX_BOXES) list = [hull(list)];
  // Wide boxes first: they swallow the narrow ones.
  list.sort((a, b) => width(b) - width(a));
  return disjoint(intersectRegion(list, FAMILIES));
}

/** One box around all of them. */
export function hull(boxes: Region): Traffic {
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

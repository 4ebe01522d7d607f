// a ladder -> boxes around the packets that fare differently on it, as they are seen there
import { intersectTraffic, type Region, subtractTraffic, type Traffic } from '../model/traffic.ts';
import { type BoxIndex, indexBoxes } from './box-index.ts';
import { type Budget, CUT_COST, spend, TooManyPieces } from './decide.ts';
import { AS_IT_IS, DROP, type Ladder, MAYBE, PASS, type Rung, type SideName } from './ladders.ts';
import { mergeBoxes } from './merge.ts';
import { mayOverlap } from './piece.ts';
import { everyItem, isEmpty, listsNear, type Pool, poolOf, put } from './pool.ts';
import { runsOf } from './runs.ts';
import type { Signatures } from './signature.ts';

/** Comparisons that one ladder, and one box on it, may take; beyond, the box is taken whole. */
const MAX_COMPARISONS = 8_000_000;
const MAX_BOX_COMPARISONS = 400_000;
/** A box that falls into more differences is taken whole. */
const MAX_DIFFERENCES = 500;

/** What became of some packets on each side by now; undefined: nothing yet. */
interface Climber {
  readonly box: Traffic;
  readonly fate: Readonly<Record<SideName, string | undefined>>;
}

/**
 * Every packet that one side treats otherwise than the other lies in the result; what else does is treated alike. A packet is
 * looked at for each rung of one side alone that matches it.
 */
export function differingOn(ladder: Ladder, signatures: Signatures): Region {
  const changed = placesOf(ladder);
  const boxes = [...new Map(changed.map(({ box }) => [signatures.traffic(box), box])).values()];
  if (!ladder.isPlain || changed.length === 0) return [...boxes, ...ladder.beyond];
  const index = indexBoxes(ladder.rungs.map(({ box }) => box));
  const states = ladder.rungs.some(({ translated }) => translated !== undefined)
    ? [true, false]
    : [undefined];
  const all: Budget = { left: MAX_COMPARISONS };
  const found = changed.flatMap((change) => {
    const budget = { left: Math.min(all.left, MAX_BOX_COMPARISONS) };
    const granted = budget.left;
    try {
      if (change.isMoved) return passedBy(ladder, index, change, budget);
      return states.flatMap((translated) => climb(ladder, index, change.box, translated, budget));
    } catch (error) {
      if (!(error instanceof TooManyPieces)) throw error;
      return [change.box];
    } finally {
      all.left -= granted - budget.left;
    }
  });
  return [...mergeBoxes(found, signatures), ...ladder.beyond];
}

/** Where rungs that say the same stand on one side or the other. */
interface Places {
  readonly box: Traffic;
  readonly outcome: string;
  first: number;
  last: number;
  before: number;
  after: number;
  isMoved: boolean;
}

function placesOf({ rungs }: Ladder): Places[] {
  const known = new Map<string, Places>();
  for (const [at, { on, signature, box, outcome }] of rungs.entries()) {
    if (on === 'both') continue;
    const places = known.get(signature) ?? {
      box,
      outcome,
      first: at,
      last: at,
      before: 0,
      after: 0,
      isMoved: false,
    };
    places.last = at;
    places[on]++;
    places.isMoved = places.before === places.after;
    known.set(signature, places);
  }
  return [...known.values()];
}

/** A rung that moved decides on both sides, but for what stands between its places and does otherwise. */
function passedBy({ rungs }: Ladder, index: BoxIndex, { box, outcome, first, last }: Places, budget: Budget) {
  const near = index.near(box);
  spend(budget, near.length);
  const others = near.filter((at) => at > first && at < last && rungs[at].outcome !== outcome);
  if (others.length > MAX_DIFFERENCES) throw new TooManyPieces();
  return others.flatMap((at) =>
    mayOverlap(box, rungs[at].box) ? (intersectTraffic(box, rungs[at].box) ?? []) : [],
  );
}

function climb(
  ladder: Ladder,
  index: BoxIndex,
  box: Traffic,
  translated: boolean | undefined,
  budget: Budget,
): Traffic[] {
  const near = index.near(box);
  spend(budget, near.length);
  const met = near
    .map((position) => ladder.rungs[position])
    .filter((rung) => rung.translated === undefined || rung.translated === translated);
  const first = met.findIndex(({ on }) => on !== 'both');
  if (first < 0) return [];
  const open = { before: undefined, after: undefined };
  const pool = poolOf<Climber>([{ box, fate: open }], (climber) => climber.box.services);
  const differing: Traffic[] = [];
  const kindOf = ({ on, outcome }: Rung) => `${on} ${outcome}`;
  for (const run of runsOf(met.slice(first), box, (rung) => rung.box, kindOf)) {
    const rung = { ...run.steps[0], box: run.box };
    take(pool, rung, budget, ({ box: hit, fate }) => {
      const next = { before: passOn(fate, 'before', rung), after: passOn(fate, 'after', rung) };
      if (!isDecided(next.before) || !isDecided(next.after)) put(pool, { box: hit, fate: next });
      else if (next.before !== next.after) differing.push(hit);
    });
    if (differing.length > MAX_DIFFERENCES) throw new TooManyPieces();
    if (isEmpty(pool)) return differing;
  }
  const end = (fate: string | undefined) => atEnd(fate, ladder.stage === 'filter' ? PASS : AS_IT_IS);
  for (const { box: left, fate } of everyItem(pool))
    if (end(fate.before) !== end(fate.after)) differing.push(left);
  return differing;
}

/** Cuts out of the pool what the rung says something new about. */
function take(pool: Pool<Climber>, rung: Rung, budget: Budget, hand: (hit: Climber) => void): void {
  const hits: Climber[] = [];
  for (const list of listsNear(pool, rung.box.services)) {
    spend(budget, list.length);
    const isMet = (climber: Climber) => concerns(rung, climber) && mayOverlap(climber.box, rung.box);
    if (!list.some(isMet)) continue;
    const climbers = [...list];
    list.length = 0;
    for (const climber of climbers) {
      const common = isMet(climber) ? intersectTraffic(climber.box, rung.box) : undefined;
      if (!common) {
        list.push(climber);
        continue;
      }
      for (const box of subtractTraffic(climber.box, rung.box, common)) put(pool, { ...climber, box });
      hits.push({ ...climber, box: common });
    }
  }
  spend(budget, hits.length * CUT_COST);
  for (const hit of hits) hand(hit);
}

const isDecided = (fate: string | undefined): boolean => fate !== undefined && fate !== MAYBE;

/** A condition that both sides meet undecided tells them apart no more than they are. */
function concerns({ on, outcome }: Rung, { fate }: Climber): boolean {
  const isOpen = (side: SideName) => (on === 'both' || on === side) && !isDecided(fate[side]);
  if (outcome !== MAYBE) return isOpen('before') || isOpen('after');
  const waits = (side: SideName) => isOpen(side) && fate[side] !== MAYBE;
  const bothWait = on === 'both' && waits('before') && waits('after');
  return !bothWait && (waits('before') || waits('after'));
}

function passOn(fate: Climber['fate'], side: SideName, { on, outcome }: Rung): string | undefined {
  const own = fate[side];
  if (isDecided(own) || (on !== 'both' && on !== side)) return own;
  return own === MAYBE && outcome === DROP ? CONDITIONALLY : outcome;
}

/** Dropped unless a condition held. */
const CONDITIONALLY = 'conditionally';

const atEnd = (fate: string | undefined, otherwise: string): string =>
  fate === undefined || fate === MAYBE ? otherwise : fate;

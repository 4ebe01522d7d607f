// steps in order -> runs of steps that do the same, as few boxes
import type { Traffic } from '../model/traffic.ts';
import { intersectTraffic } from '../model/traffic.ts';
import { uniteAlong } from './merge.ts';
import { mayOverlap } from './piece.ts';

/** What several steps match together, where it does not matter which of them is met first. */
export interface Run<T> {
  readonly box: Traffic;
  readonly steps: readonly T[];
}

type Dimension = keyof Traffic;
const DIMENSIONS: readonly Dimension[] = [
  'services',
  'destinations',
  'sources',
  'sourcePorts',
  'ingress',
  'egress',
];

/**
 * Of the packets in `around`, what each run matches, in order. Thousands of permits for one source each are one box where only
 * their sources tell them apart. Steps of which `kindOf` gives undefined stay alone.
 */
export function runsOf<T>(
  steps: readonly T[],
  around: Traffic,
  boxOf: (step: T) => Traffic,
  kindOf: (step: T) => string | undefined,
): Run<T>[] {
  const runs: Run<T>[] = [];
  let waiting: Run<T>[] = [];
  let kind: string | undefined;
  const end = () => {
    for (const run of together(waiting, around)) runs.push(run);
    waiting = [];
  };
  for (const step of steps) {
    const match = boxOf(step);
    const box = mayOverlap(around, match) ? intersectTraffic(around, match) : undefined;
    if (!box) continue;
    const own = kindOf(step);
    if (own !== kind || own === undefined) end();
    kind = own;
    waiting.push({ box, steps: [step] });
  }
  end();
  return runs;
}

/** Boxes that are all of `around` but in one dimension are united along it; the others stay. */
function together<T>(runs: readonly Run<T>[], around: Traffic): readonly Run<T>[] {
  if (runs.length < 2) return runs;
  const alone: Run<T>[] = [];
  const alike = new Map<Dimension, Run<T>[]>();
  for (const run of runs) {
    const [dimension, ...others] = DIMENSIONS.filter((one) => run.box[one] !== around[one]);
    if (dimension === undefined) return [run];
    const list = others.length === 0 ? alike.get(dimension) : alone;
    if (list) list.push(run);
    else alike.set(dimension, [run]);
  }
  const united = [...alike].map(
    ([dimension, list]): Run<T> => ({
      box: uniteAlong(
        dimension,
        list.map(({ box }) => box),
      ),
      steps: list.flatMap(({ steps }) => steps),
    }),
  );
  return [...united, ...alone];
}

// who may go now: one at a time for a key, so many at once in all

/** Runs the functions of one key one after the other; different keys do not wait for each other. */
export function createTurns(): <T>(key: string, run: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (key, run) => {
    const before = last.get(key);
    const mine = (async () => {
      await before?.catch(() => {});
      return run();
    })();
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}

/** Runs at most `limit` functions at once; the others wait in order. */
export function createSlots(limit: number): <T>(run: () => Promise<T>) => Promise<T> {
  if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`not a number of slots: ${limit}`);
  const waiting: (() => void)[] = [];
  let free = limit;
  return async (run) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      // A slot is handed on, not given back, so that nobody overtakes.
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

// seed -> the same draws every time
export interface Random {
  /** An integer from 0 to n - 1. */
  below: (n: number) => number;
  chance: (share: number) => boolean;
  pick: <T>(list: readonly T[]) => T;
}

/** A linear congruential generator modulo 2^32; its upper bits are good enough to draw test cases. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  return {
    below: (n) => Math.floor(next() * n),
    chance: (share) => next() < share,
    pick: (list) => list[Math.floor(next() * list.length)],
  };
}

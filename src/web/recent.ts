// a question that takes long -> its last answer at once, while a newer one is got

export interface Recent<T> {
  /** `nowMs` is of the question. Rejects with what `answer` rejects with where there is no answer to give yet. */
  get(key: string, nowMs: number, answer: () => Promise<T>): Promise<T>;
}

interface Entry<T> {
  readonly value: T;
  readonly atMs: number;
  readonly costMs: number;
}

/** What is answered within this is asked anew each time. */
const QUICK_MS = 25;
/** An answer holds so many times as long as it took: at most a twentieth of a processor goes into keeping it new. */
const HOLDS = 20;
const MAX_AGE_MS = 300_000;
const MAX_ENTRIES = 16;

export function createRecent<T>(): Recent<T> {
  const entries = new Map<string, Entry<T>>();
  const running = new Map<string, Promise<T>>();
  const renew = (key: string, nowMs: number, answer: () => Promise<T>): Promise<T> => {
    const known = running.get(key);
    if (known) return known;
    const began = performance.now();
    const asked = answer()
      .then((value) => {
        entries.delete(key);
        const costMs = performance.now() - began;
        if (costMs > QUICK_MS) entries.set(key, { value, atMs: nowMs, costMs });
        for (const oldest of entries.keys()) if (entries.size > MAX_ENTRIES) entries.delete(oldest);
        return value;
      })
      .finally(() => running.delete(key));
    running.set(key, asked);
    return asked;
  };
  return {
    get: async (key, nowMs, answer) => {
      const entry = entries.get(key);
      const ageMs = entry ? Math.abs(nowMs - entry.atMs) : Number.POSITIVE_INFINITY;
      if (!entry || ageMs > MAX_AGE_MS) return renew(key, nowMs, answer);
      if (ageMs > entry.costMs * HOLDS) renew(key, nowMs, answer).catch(() => entries.delete(key));
      return entry.value;
    },
  };
}

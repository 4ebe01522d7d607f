// what a rule says, as written -> the key under which it is known
import { createHash } from 'node:crypto';

/**
 * A stable key for rules without a name or uid of their own: a hash over context, match and action as they are written,
 * with the names of sets, groups and maps left unresolved. Never put a position, handle or counter in.
 */
export function ruleKey(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part};`);
  return hash.digest('hex').slice(0, 16);
}

/** Makes keys unique in a rule set: the second rule that says the very same gets "~2", and so on. */
export function uniqueKeys(): (key: string) => string {
  const seen = new Map<string, number>();
  return (key) => {
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? key : `${key}~${count}`;
  };
}

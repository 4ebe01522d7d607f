// values with bigints (address sets) <-> JSON text

/** JSON.stringify that writes a bigint as {"$n":"123"}. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? { $n: item.toString() } : item));
}

/** The inverse of encodeJson; also takes the value that a driver already parsed. */
export function decodeJson<T>(value: unknown): T {
  return revive(typeof value === 'string' ? JSON.parse(value) : value) as T;
}

function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0][0] === '$n') return BigInt(entries[0][1] as string);
  return Object.fromEntries(entries.map(([key, item]) => [key, revive(item)]));
}

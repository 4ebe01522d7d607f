// several values under one key

/** Adds to the values of a key, in place: lists that are copied for each value cost more than linear time. */
export function addTo<K, V>(map: Map<K, V[]>, key: K, ...values: readonly V[]): void {
  const known = map.get(key);
  if (known) for (const value of values) known.push(value);
  else map.set(key, [...values]);
}

// many patterns -> one cheap question: can any of them match this line?

/** True for every line that one of the patterns matches; patterns with back references are asked one by one. */
export function prefilter(patterns: readonly RegExp[]): (line: string) => boolean {
  const byFlags = new Map<string, string[]>();
  for (const pattern of patterns) {
    const flags = pattern.flags.replace(/[gyd]/g, '');
    byFlags.set(flags, [...(byFlags.get(flags) ?? []), pattern.source]);
  }
  const unions: RegExp[] = [];
  for (const [flags, sources] of byFlags) {
    const numbered = sources.filter((source) => /\\(?:[1-9]|k<)/.test(source));
    const plain = sources.filter((source) => !numbered.includes(source));
    for (const source of numbered) unions.push(new RegExp(source, flags));
    if (plain.length > 0) unions.push(new RegExp(plain.map((source) => `(?:${source})`).join('|'), flags));
  }
  return (line) => unions.some((union) => union.test(line));
}

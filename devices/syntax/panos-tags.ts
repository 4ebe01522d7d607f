// "'web' and ('prod' or 'test')" of a dynamic address group -> whether an object with such tags is in it

export type TagFilter = (tags: readonly string[]) => boolean;

const MAX_TOKENS = 400;
const MAX_DEPTH = 20;

/** Undefined where it cannot be read. `and` binds closer than `or`. */
export function tagFilter(text: string): TagFilter | undefined {
  const tokens = text.match(/'[^']*'|"[^"]*"|[()]|[^\s()'"]+/g) ?? [];
  if (tokens.length === 0 || tokens.length > MAX_TOKENS) return undefined;
  let at = 0;
  const any = (depth: number): TagFilter | undefined => chain('or', depth, () => all(depth));
  const all = (depth: number): TagFilter | undefined => chain('and', depth, () => one(depth));
  const chain = (word: 'and' | 'or', depth: number, part: () => TagFilter | undefined) => {
    if (depth > MAX_DEPTH) return undefined;
    const parts = [part()];
    while (tokens[at]?.toLowerCase() === word) {
      at++;
      parts.push(part());
    }
    if (!parts.every((one) => one !== undefined)) return undefined;
    const known = parts as TagFilter[];
    return word === 'or'
      ? (tags: readonly string[]) => known.some((one) => one(tags))
      : (tags: readonly string[]) => known.every((one) => one(tags));
  };
  const one = (depth: number): TagFilter | undefined => {
    const token = tokens[at++];
    if (token === undefined || token === ')') return undefined;
    if (token === '(') {
      const inner = any(depth + 1);
      return tokens[at++] === ')' ? inner : undefined;
    }
    const tag = /^['"]/.test(token) ? token.slice(1, -1) : token;
    return (tags) => tags.includes(tag);
  };
  const filter = any(0);
  return at === tokens.length ? filter : undefined;
}

// tree with configuration groups -> tree that inherited them; what is inactive is left out, or marked where it is a rule
import { grow, type JunosNode, node } from './junos-text.ts';

/** Nodes that groups may add to one text, and groups that one place may inherit from. */
const MAX_INHERITED = 500_000;
const MAX_SOURCES = 256;
const MAX_DEPTH = 64;

interface Source {
  readonly group: string;
  readonly from: JunosNode;
}

interface Budget {
  left: number;
}

/**
 * CLI User Guide, "Use Configuration Groups": the nearest `apply-groups` counts first, then the order of its names; what is
 * written in the place itself counts before both and stands first. Wildcards only meet what is there already.
 */
export function inherit(root: JunosNode): { readonly tree: JunosNode; readonly isWhole: boolean } {
  const groups = root.children.get('groups');
  const tree = node('');
  for (const [word, child] of root.children) if (word !== 'groups') tree.children.set(word, child);
  const budget: Budget = { left: MAX_INHERITED };
  expand(tree, [], [], groups ?? node('groups'), budget);
  return { tree, isWhole: budget.left > 0 };
}

const isApply = (word: string): boolean => word === 'apply-groups' || word === 'apply-groups-except';
const activeNames = (from: JunosNode, word: string): string[] => {
  const found = from.children.get(word);
  return !found || found.inactive
    ? []
    : [...found.children.values()].filter(({ inactive }) => !inactive).map((child) => child.word);
};

function expand(
  into: JunosNode,
  path: readonly string[],
  outer: readonly Source[],
  groups: JunosNode,
  budget: Budget,
): void {
  const except = new Set(activeNames(into, 'apply-groups-except'));
  const sources = [...applied(into, path, groups), ...outer].filter(({ group }) => !except.has(group));
  for (let i = 0; i < sources.length && sources.length < MAX_SOURCES; i++)
    for (const nested of applied(sources[i].from, path, groups))
      if (!sources.some(({ from }) => from === nested.from)) sources.push(nested);
  into.children.delete('apply-groups');
  into.children.delete('apply-groups-except');
  if (budget.left <= 0 || path.length > MAX_DEPTH) return;
  for (const { from } of sources) copyNames(into, from, budget);
  for (const child of into.children.values()) {
    const inner = sources.flatMap(({ group, from }) =>
      matching(from, child.word).map((next) => ({ group, from: next })),
    );
    budget.left -= sources.length;
    if (inner.length === 0 && !hasApply(child)) continue;
    for (const { from } of inner)
      for (const line of from.lines) if (child.lines.length === 0) child.lines.push(line);
    expand(child, [...path, child.word], inner.slice(0, MAX_SOURCES), groups, budget);
  }
}

/** Whether groups are applied anywhere in it; told once for each node. */
const applies = new WeakMap<JunosNode, boolean>();
function hasApply(tree: JunosNode): boolean {
  const known = applies.get(tree);
  if (known !== undefined) return known;
  let found = tree.children.has('apply-groups');
  for (const child of tree.children.values()) if (hasApply(child)) found = true;
  applies.set(tree, found);
  return found;
}

function copyNames(into: JunosNode, from: JunosNode, budget: Budget): void {
  for (const [word, child] of from.children) {
    if (child.inactive || isWildcard(word) || isApply(word) || into.children.has(word)) continue;
    if (--budget.left <= 0) return;
    const made = grow(into, [word]);
    made.lines.push(...child.lines);
  }
}

function applied(place: JunosNode, path: readonly string[], groups: JunosNode): Source[] {
  return activeNames(place, 'apply-groups')
    .flatMap((name) => (name === '$' + '{node}' ? ['node0', 'node1'] : [name]))
    .flatMap((name) => {
      const group = groups.children.get(name);
      if (!group || group.inactive) return [];
      let found: JunosNode[] = [group];
      for (const word of path) found = found.flatMap((from) => matching(from, word)).slice(0, MAX_SOURCES);
      return found.map((from) => ({ group: name, from }));
    });
}

const isWildcard = (word: string): boolean => word.startsWith('<') && word.endsWith('>');

function matching(from: JunosNode, word: string): JunosNode[] {
  const exact = from.children.get(word);
  const found = exact && !exact.inactive ? [exact] : [];
  for (const [pattern, child] of wildcardsOf(from))
    if (!child.inactive && word.length <= 256 && pattern.test(word)) found.push(child);
  return found;
}

const wildcards = new WeakMap<JunosNode, readonly (readonly [RegExp, JunosNode])[]>();
function wildcardsOf(from: JunosNode): readonly (readonly [RegExp, JunosNode])[] {
  let known = wildcards.get(from);
  if (!known) {
    known = [...from.children.values()]
      .filter(({ word }) => isWildcard(word))
      .map((child) => [wildcard(child.word.slice(1, -1)), child] as const);
    wildcards.set(from, known);
  }
  return known;
}

/** `*`, `?`, `[a-c]` and `[!a]`; a pattern with more than a few stars stands for everything. */
function wildcard(text: string): RegExp {
  if (text.length > 128 || text.split('*').length > 4) return /^/;
  const pattern = text
    .replace(/[.+^$(){}|\\]/g, '\\$&')
    .replace(/\*{1,8}/g, '.*')
    .replaceAll('?', '.')
    .replaceAll('[!', '[^');
  try {
    return new RegExp(`^${pattern}$`);
  } catch {
    return /^(?!)/;
  }
}

const RULES = new Set('policy rule term route vpn analyzer tunnel'.split(' '));

/**
 * What is inactive does not count. Rules are kept and marked, as are those within an inactive place; what is inactive inside
 * of a rule is left out.
 */
export function withoutInactive(tree: JunosNode, isRule = false, inRule = false, marked = false): JunosNode {
  const kept = node(tree.word);
  kept.inactive = marked;
  kept.lines = tree.lines;
  for (const child of tree.children.values()) {
    const childIsRule = RULES.has(tree.word);
    if (child.inactive && (inRule || isRule || !(childIsRule || holdsRules(child)))) continue;
    kept.children.set(
      child.word,
      withoutInactive(child, childIsRule, inRule || isRule, marked || child.inactive),
    );
  }
  return kept;
}

function holdsRules(tree: JunosNode): boolean {
  if (RULES.has(tree.word)) return true;
  for (const child of tree.children.values()) if (holdsRules(child)) return true;
  return false;
}

// the tree of a PAN-OS text -> its sections, wherever the form puts them
import { type Growing, grow, under } from './panos-text.ts';
import { at, linesUnder, type WordTree, words } from './tree.ts';

/** Sections by name: network, deviceconfig, vsys, shared, pushed, device-group, template, template-stack, readonly. */
export type PanosSections = WordTree;

/** Set lines of a device with one virtual system leave it out. */
const OF_VSYS = new Set(
  (
    'address address-group application application-filter application-group application-status display-name dynamic-user-group ' +
    'external-list import pre-rulebase post-rulebase profile-group profiles region route rulebase schedule service service-group ' +
    'tag threats url-override user-id-agent zone'
  ).split(' '),
);
/** What only wraps others. */
const WRAPPERS = new Set(['response', 'result', 'config']);

export function sectionsOf(tree: WordTree): PanosSections {
  const root = grow('');
  settle(root, tree, 0);
  return root;
}

function settle(root: Growing, node: WordTree, depth: number): void {
  if (depth > 8) return;
  for (const child of node.children.values()) {
    if (WRAPPERS.has(child.word)) settle(root, child, depth + 1);
    else if (child.word === 'devices')
      for (const device of child.children.values()) settle(root, device, depth + 1);
    else if (child.word === 'policy') settlePushed(root, child, depth);
    else if (child.word === 'panorama' && isPolicy(child)) graft(under(root, 'pushed'), child);
    else if (child.word === 'template' && (child.children.has('config') || child.children.has('devices')))
      // `show config pushed-template`: what Panorama lays under the device's own.
      settle(root, child, depth + 1);
    else if (OF_VSYS.has(child.word)) graft(under(under(under(root, 'vsys'), 'vsys1'), child.word), child);
    else graft(under(root, child.word), child);
  }
}

/** `policy { panorama { ... } }`: what Panorama pushed to the device. */
function settlePushed(root: Growing, policy: WordTree, depth: number): void {
  for (const child of policy.children.values()) {
    if (child.word === 'panorama') graft(under(root, 'pushed'), child);
    else if (WRAPPERS.has(child.word)) settle(root, child, depth + 1);
  }
}

const isPolicy = (node: WordTree): boolean =>
  node.children.has('pre-rulebase') || node.children.has('post-rulebase');

/** Adds what is under `from` to `to`; what is there already stays in front. */
function graft(to: Growing, from: WordTree): void {
  to.lines.push(...from.lines);
  for (const [name, child] of from.children) {
    const known = to.children.get(name);
    if (known) graft(known, child);
    else to.children.set(name, child as Growing);
  }
}

/** The last word under a path: what is set twice holds as it was set last. */
export const last = (tree: WordTree | undefined, ...path: readonly string[]): string | undefined =>
  words(tree, ...path).at(-1);

export const has = (tree: WordTree | undefined, ...path: readonly string[]): boolean =>
  at(tree, ...path) !== undefined;

export const isYes = (tree: WordTree | undefined, ...path: readonly string[]): boolean =>
  last(tree, ...path) === 'yes';

/** Text without a path's word where it is "any" or nothing. */
export function chosen(tree: WordTree | undefined, ...path: readonly string[]): string[] {
  const found = words(tree, ...path);
  return found.includes('any') ? [] : found;
}

export { linesUnder, words };

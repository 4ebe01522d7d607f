// `router static` of IOS-XR -> static routes as IOS has them
import type { Reading } from './cisco-lines.ts';
import { readRoute, type StaticRoute } from './cisco-routes.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';

/** Address families stand under the router itself, or under one of its VRFs. */
export function readXrRoutes(reading: Reading): StaticRoute[] {
  const routes: StaticRoute[] = [];
  for (const block of reading.blocks) {
    if (wordsOf(block.text).join(' ') !== 'router static') continue;
    for (const inner of block.children) {
      const words = wordsOf(inner.text);
      if (words[0] === 'address-family') readFamily(inner, undefined, reading, routes);
      else if (words[0] === 'vrf' && words[1] !== undefined)
        for (const family of inner.children) readFamily(family, words[1], reading, routes);
      else if (!SETTINGS.test(words[0] ?? '')) for (const line of linesOf(inner)) reading.notUnderstood(line);
    }
  }
  return routes;
}

const SETTINGS = /^(?:maximum|bfd)$/;

function readFamily(block: Block, vrf: string | undefined, reading: Reading, routes: StaticRoute[]): void {
  const [word, family, cast] = wordsOf(block.text);
  if (word !== 'address-family' || cast === 'multicast') return;
  const head = [family === 'ipv6' ? 'ipv6' : 'ip', 'route', ...(vrf === undefined ? [] : ['vrf', vrf])];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    if (SETTINGS.test(words[0] ?? '')) continue;
    const route = line.children.length === 0 ? readRoute([...head, ...plain(words)], line) : undefined;
    if (route) routes.push(route);
    else for (const each of linesOf(line)) reading.notUnderstood(each);
  }
}

/** The words of a route without the VRF of its next hop and its watching; a description is its name. */
function plain(words: readonly string[]): string[] {
  const end = words.findIndex((word) => /^(?:bfd|object-track|vrflabel|metric)$/.test(word));
  const kept = end < 0 ? [...words] : words.slice(0, end);
  if (kept[1] === 'vrf') kept.splice(1, 2);
  const description = kept.indexOf('description');
  return description < 0
    ? kept
    : [...kept.slice(0, description), 'name', kept.slice(description + 1).join(' ')];
}

// the lines of `ipset save` -> sets, and what "--match-set" asks of them as boxes
import { addressSet } from '../../src/model/addresses.ts';
import { PROTOCOLS, service } from '../../src/model/services.ts';
import { ANY_TRAFFIC, type Traffic } from '../../src/model/traffic.ts';
import { boxOf, type Dimension, MAX_BOXES, portRanges, product, protocols, unionOf } from './boxes.ts';
import type { ExpandName } from './interfaces.ts';

interface IpSet {
  /** From "hash:net,port": ["net", "port"]. */
  readonly parts: readonly string[];
  readonly elements: string[];
  /** Elements that are exceptions (nomatch) make the set unresolvable here. */
  hasExceptions: boolean;
}

export interface IpSets {
  readonly sets: ReadonlyMap<string, IpSet>;
  readonly cache: Map<string, readonly Traffic[] | undefined>;
}

/** Reads "create NAME TYPE ..." and "add NAME ELEMENT ..."; gives the sets and the numbers (0-based) of the lines that were understood. */
export function readIpSets(lines: readonly string[]): {
  readonly sets: IpSets;
  readonly read: ReadonlySet<number>;
} {
  const sets = new Map<string, IpSet>();
  const read = new Set<number>();
  lines.forEach((line, i) => {
    if (!line.startsWith('create ') && !line.startsWith('add ')) return;
    const [verb, name, rest, ...options] = line.trimEnd().split(' ');
    const set = sets.get(name);
    if (verb === 'create' && /^(hash|bitmap|list):/.test(rest ?? '')) {
      sets.set(name, {
        parts: rest.slice(rest.indexOf(':') + 1).split(','),
        elements: [],
        hasExceptions: false,
      });
    } else if (verb === 'add' && set && rest) {
      set.elements.push(rest);
      if (options.includes('nomatch')) set.hasExceptions = true;
    } else return;
    read.add(i);
  });
  return { sets: { sets, cache: new Map() }, read };
}

/** "--match-set NAME src,dst"; undefined where the set is not in the text or holds what ranges cannot say. */
export function setBoxes(
  name: string,
  flags: string,
  negated: boolean,
  { sets, cache }: IpSets,
  expand: ExpandName,
): readonly Traffic[] | undefined {
  const cacheKey = `${name} ${flags} ${negated}`;
  if (cache.has(cacheKey)) return cache.get(cacheKey);
  const set = sets.get(name);
  const boxes = set && resolve(set, flags.split(','), negated, expand);
  cache.set(cacheKey, boxes);
  return boxes;
}

type Part = { readonly dimension: Dimension; readonly value: Traffic[Dimension]; readonly within: Traffic };

function resolve(
  { parts, elements, hasExceptions }: IpSet,
  flags: readonly string[],
  negated: boolean,
  expand: ExpandName,
): readonly Traffic[] | undefined {
  if (hasExceptions || flags.length < parts.length) return undefined;
  if (parts.length === 1) return single(parts[0], elements, flags[0], negated, expand);
  if (negated || elements.length > MAX_BOXES) return undefined;
  const boxes: Traffic[] = [];
  for (const element of elements) {
    const words = element.split(',');
    let made: readonly Traffic[] | undefined = words.length === parts.length ? [ANY_TRAFFIC] : undefined;
    for (let i = 0; i < parts.length && made; i++) {
      const part = partOf(parts[i], words[i], flags[i], expand);
      const box = part && boxOf(part, false);
      made = box && product(made, [box]);
    }
    if (!made) return undefined;
    boxes.push(...made);
  }
  return boxes;
}

function single(
  part: string,
  elements: readonly string[],
  flag: string,
  negated: boolean,
  expand: ExpandName,
): readonly Traffic[] | undefined {
  const made: Part[] = [];
  for (const element of elements) {
    const one = partOf(part, element, flag, expand);
    if (!one) return undefined;
    made.push(one);
  }
  if (made.length === 0) return negated ? [ANY_TRAFFIC] : [];
  const { dimension, within } = made[0];
  const value = unionOf(
    dimension,
    made.map((one) => one.value),
  );
  const box = boxOf({ dimension, within, value }, negated);
  return box ? [box] : [];
}

function partOf(part: string, text: string, flag: string, expand: ExpandName): Part | undefined {
  const isSource = flag === 'src';
  if (part === 'ip' || part === 'net') {
    try {
      const value = addressSet(text);
      return { dimension: isSource ? 'sources' : 'destinations', value, within: ANY_TRAFFIC };
    } catch {
      return undefined;
    }
  }
  if (part === 'iface')
    return { dimension: isSource ? 'ingress' : 'egress', value: expand(text), within: ANY_TRAFFIC };
  if (part !== 'port') return undefined;
  const match = /^(?:([a-z0-9]+):)?(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const number = match && (match[1] ? PROTOCOLS[match[1]] : 6);
  if (!match || number === undefined || number === null) return undefined;
  const range = [Number(match[2]), Number(match[3] ?? match[2])] as const;
  const numbers = match[1] ? [number] : [6, 17];
  const within = { ...ANY_TRAFFIC, services: protocols(...numbers) };
  return isSource
    ? { dimension: 'sourcePorts', value: portRanges([range]), within }
    : { dimension: 'services', value: numbers.flatMap((n) => service(n, [range])), within };
}

// TMOS configuration (bigip.conf, `tmsh list`) -> a tree of words by full path, and addresses as TMOS writes them
import { type AddressSet, ANY_V4, ANY_V6, addressSet } from '../../src/model/addresses.ts';
import { PORT_NAMES } from './ports.ts';
import { braceStatements, type WordTree, wordTree } from './tree.ts';

/** Scripts are Tcl, whose quotes and brackets are no words of the configuration. */
const SCRIPTS = /^(?:ltm|gtm|sys|cli|apm|security) (?:rule|icall script|script|icall|policy-script) \S+ \{/;

export function readTmsh(text: string): WordTree {
  let isScript = false;
  const plain = text.split('\n').map((line) => {
    if (isScript) {
      if (line.startsWith('}')) isScript = false;
      return '';
    }
    if (SCRIPTS.test(line)) isScript = !/\}\s*$/.test(line);
    return isScript ? '' : line;
  });
  return wordTree(braceStatements(plain.join('\n'), { ends: 'line' }));
}

/** Every word below a node: lists stand on one line or on several. */
export function wordsBelow(node: WordTree | undefined): string[] {
  const found: string[] = [];
  const waiting = [...(node?.children.values() ?? [])].reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    found.push(next.word);
    waiting.push(...[...next.children.values()].reverse());
  }
  return found;
}

/** The rest of a line as one text: "description web tier". */
export const textBelow = (node: WordTree | undefined): string | undefined =>
  node && node.children.size > 0 ? wordsBelow(node).join(' ') : undefined;

/** "/Common/vlan1" -> "vlan1": what is of the common partition is known by its bare name. */
export const plainName = (path: string): string => path.replace(/^\/Common\//, '');

export interface Endpoint {
  readonly addresses: AddressSet;
  /** Route domain: %n behind an address; 0 without. */
  readonly domain: number;
  /** undefined: any port. */
  readonly port?: number;
  /** Bits of the prefix: TMOS prefers the longest. */
  readonly bits: number;
}

/** "10.0.0.1%2:443", "2001:db8::1.80", "0.0.0.0:any", "any6.0"; a mask may come apart. undefined: no address. */
export function endpointOf(text: string, mask?: string): Endpoint | undefined {
  const bare = text.slice(text.lastIndexOf('/') + 1);
  const isV6 = (bare.match(/:/g)?.length ?? 0) > 1 || bare.startsWith('any6');
  const at = bare.lastIndexOf(isV6 ? '.' : ':');
  const [place, port] = at < 0 ? [bare, ''] : [bare.slice(0, at), bare.slice(at + 1)];
  const domain = Number(/%(\d{1,5})/.exec(place)?.[1] ?? 0);
  const address = place.replace(/%\d{1,5}/, '');
  const number = portOf(port);
  if (number === null) return undefined;
  const known = addressesOf(address, mask);
  return known && { ...known, domain, ...(number === undefined ? {} : { port: number }) };
}

/** undefined: any; null: no port. */
export function portOf(text: string): number | undefined | null {
  if (text === '' || text === 'any' || text === '0' || text === '*') return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text);
  return Object.hasOwn(PORT_NAMES, text) ? PORT_NAMES[text] : null;
}

/** "10.0.0.0/8", "10.0.0.1-10.0.0.9", "any", "any6", with route domains left out. */
export function addressesOf(
  text: string,
  mask?: string,
): { addresses: AddressSet; bits: number } | undefined {
  const plain = text.replaceAll(/%\d{1,5}/g, '');
  const isOpen = mask === 'any' || mask === '0.0.0.0' || mask === 'any6' || mask === '::';
  if (plain === 'any' || plain === '0.0.0.0/0' || (plain === '0.0.0.0' && mask !== '255.255.255.255'))
    return { addresses: ANY_V4, bits: 0 };
  if (plain === 'any6' || plain === '::/0' || (plain === '::' && isOpen))
    return { addresses: ANY_V6, bits: 0 };
  const prefix = mask === undefined || isOpen ? undefined : maskBits(mask);
  const whole = plain.includes('/') || prefix === undefined ? plain : `${plain}/${prefix}`;
  const bits = Number(/\/(\d{1,3})$/.exec(whole)?.[1] ?? (plain.includes(':') ? 128 : 32));
  try {
    return { addresses: addressSet(whole), bits: isOpen ? 0 : bits };
  } catch {
    return undefined;
  }
}

function maskBits(mask: string): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask);
  const parts = mask.split('.');
  if (parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part)))
    return parts.reduce((sum, part) => sum + Number(part).toString(2).replaceAll('0', '').length, 0);
  // ffff:ffff:: as a mask of IPv6
  const ones = mask.replace(/::.*$/, '').split(':').filter(Boolean);
  if (ones.length > 0 && ones.every((part) => /^[0-9a-f]{1,4}$/i.test(part)))
    return ones.reduce(
      (sum, part) => sum + Number.parseInt(part, 16).toString(2).replaceAll('0', '').length,
      0,
    );
  return undefined;
}

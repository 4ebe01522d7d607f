// element id -> name, type, unit: tables of data, read for printing only
import { ENTERPRISE_ELEMENTS, ENTERPRISES, V9_BASES, V9_ELEMENTS, V9_SCOPES } from './elements/enterprise.ts';
import { IANA_HIGH } from './elements/iana-high.ts';
import { IANA_LOW } from './elements/iana-low.ts';
import { REVERSE_ENTERPRISE } from './targets.ts';

/**
 * u and i: integers, of at most that many bits; ip4, ip6, mac, text, bytes, bool, float; seconds to nanoseconds: absolute
 * times in the encodings of RFC 7011 sections 6.1.7 to 6.1.10; the lists of RFC 6313.
 */
export const ELEMENT_TYPES = [
  'u8',
  'u16',
  'u32',
  'u64',
  'u256',
  'i8',
  'i16',
  'i32',
  'i64',
  'float',
  'bool',
  'mac',
  'ip4',
  'ip6',
  'text',
  'bytes',
  'seconds',
  'milliseconds',
  'microseconds',
  'nanoseconds',
  'basicList',
  'subTemplateList',
  'subTemplateMultiList',
] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

export interface Element {
  readonly name: string;
  /** undefined where the element is not known: its bytes are shown as hex. */
  readonly type?: ElementType;
  readonly unit?: string;
}

let tables:
  | { iana: Map<number, Element>; v9: Map<number, Element>; enterprise: Map<string, Element> }
  | undefined;

function loadTables() {
  if (tables) return tables;
  const iana = new Map<number, Element>();
  const v9 = new Map<number, Element>();
  const enterprise = new Map<string, Element>();
  for (const [id, ...rest] of rows(IANA_LOW + IANA_HIGH)) iana.set(Number(id), elementOf(rest));
  for (const [id, ...rest] of rows(V9_ELEMENTS)) v9.set(Number(id), elementOf(rest));
  for (const [owner, id, ...rest] of ENTERPRISE_ELEMENTS.flatMap(rows))
    enterprise.set(`${owner}/${id}`, elementOf(rest));
  tables = { iana, v9, enterprise };
  return tables;
}

function rows(table: string): string[][] {
  return table
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '));
}

const elementOf = ([name, type, unit]: readonly string[]): Element => ({
  name,
  type: type as ElementType,
  ...(unit && { unit }),
});

/** Every element has a name: those not in the tables are called by owner and number. */
export function elementByNumber(version: number, id: number, enterprise: number): Element {
  const { iana, v9, enterprise: owned } = loadTables();
  if (enterprise === 0) {
    // Above 127, v9 follows IANA; the vendors' own numbers are mostly above 32767 (RFC 3954 section 8 and RFC 5102).
    const known = iana.get(id) ?? (version === 9 ? (v9.get(id) ?? vendorOf(owned, id)) : undefined);
    return known ?? { name: `element${id}` };
  }
  const known = owned.get(`${enterprise}/${id}`);
  if (known) return known;
  const forward = forwardOf(iana, owned, id, enterprise);
  if (forward) return { ...forward, name: `reverse${forward.name[0].toUpperCase()}${forward.name.slice(1)}` };
  return { name: `${ENTERPRISES[enterprise] ?? `enterprise${enterprise}`}.${id}` };
}

/** An element that its vendor numbers in NetFlow v9 by its enterprise's id and a base. */
function vendorOf(owned: ReadonlyMap<string, Element>, id: number): Element | undefined {
  for (const { enterprise, base, last } of V9_BASES) {
    const known = id >= base && id <= last ? owned.get(`${enterprise}/${id - base}`) : undefined;
    if (known) return known;
  }
  return undefined;
}

/** YAF marks the reverse of its own elements by a bit (RFC 5103 section 6.2 leaves that to the enterprise). */
const CERT_ENTERPRISE = 6_871;
const CERT_REVERSE_BIT = 0x4000;

function forwardOf(
  iana: ReadonlyMap<number, Element>,
  owned: ReadonlyMap<string, Element>,
  id: number,
  enterprise: number,
): Element | undefined {
  if (enterprise === REVERSE_ENTERPRISE) return iana.get(id);
  const isReverse = enterprise === CERT_ENTERPRISE && (id & CERT_REVERSE_BIT) !== 0;
  return isReverse ? owned.get(`${enterprise}/${id & ~CERT_REVERSE_BIT}`) : undefined;
}

/** Name of a NetFlow v9 scope type. */
export const scopeName = (type: number): string => V9_SCOPES[type] ?? `scope${type}`;

/** All IANA elements that the table knows, by id. */
export const ianaElements = (): ReadonlyMap<number, Element> => loadTables().iana;

/** All elements of enterprises that the tables know, by `enterprise/id`. */
export const enterpriseElements = (): ReadonlyMap<string, Element> => loadTables().enterprise;

/** The ids of NetFlow v9 that no IANA element and no base explains. */
export const v9Elements = (): ReadonlyMap<number, Element> => loadTables().v9;

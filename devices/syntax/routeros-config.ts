// statements of RouterOS -> the items of each menu, with `set` applied
import type { SourceLine } from '../../src/model/rule.ts';
import type { RouterosStatement } from './routeros-text.ts';

export interface RouterosItem {
  readonly path: string;
  readonly fields: Map<string, string>;
  readonly lines: SourceLine[];
}

export interface RouterosConfig {
  /** Added items of a menu, in order; of menus without items the one that `set` speaks of. */
  readonly items: (path: string) => readonly RouterosItem[];
  readonly paths: readonly string[];
}

interface Menu {
  readonly items: RouterosItem[];
  /** Items by a field and its value: a list of ten thousand is set item by item. */
  readonly byField: Map<string, RouterosItem[]>;
}

const MENU = '(menu)';
/** Items of one value that are looked through for the one that has all values asked for. */
const MAX_CANDIDATES = 64;

const keyOf = (name: string, value: string): string => `${name}=${value}`;

/** `set` of an item that is not written (a default one, an Ethernet port) makes it. */
export function routerosConfig(statements: Iterable<RouterosStatement>): RouterosConfig {
  const menus = new Map<string, Menu>();
  for (const statement of statements) {
    const { path, verb } = statement;
    const menu = menus.get(path) ?? { items: [], byField: new Map() };
    menus.set(path, menu);
    if (verb === 'add') addItem(menu, { path, fields: new Map(), lines: [] }, statement.fields, statement);
    else if (verb === 'set' || verb === 'enable' || verb === 'disable') setItem(menu, statement);
  }
  return { items: (path) => menus.get(path)?.items ?? [], paths: [...menus.keys()] };
}

function addItem(
  menu: Menu,
  item: RouterosItem,
  fields: Iterable<readonly [string, string]>,
  { lines }: RouterosStatement,
): RouterosItem {
  menu.items.push(item);
  change(menu, item, fields);
  item.lines.push(...lines);
  return item;
}

/** Only names are looked up by; other values are many and long. */
const isLookedUp = (name: string): boolean =>
  /^(?:name|default-name|default|interface|list|\(menu\))$/.test(name);

function change({ byField }: Menu, item: RouterosItem, fields: Iterable<readonly [string, string]>): void {
  for (const [name, value] of fields) {
    item.fields.set(name, value);
    if (!isLookedUp(name)) continue;
    const known = byField.get(keyOf(name, value));
    if (!known) byField.set(keyOf(name, value), [item]);
    else if (known.length < MAX_CANDIDATES) known.push(item);
  }
}

function setItem(menu: Menu, statement: RouterosStatement): void {
  const { path, verb, find, target, fields, lines } = statement;
  const changes = new Map(fields);
  if (verb !== 'set') changes.set('disabled', verb === 'disable' ? 'yes' : 'no');
  const isNumber = target !== undefined && /^\d{1,6}$/.test(target);
  const wanted = new Map([...find, ...(target === undefined || isNumber ? [] : [['name', target] as const])]);
  if (wanted.size === 0 && !isNumber) wanted.set(MENU, 'yes');
  const [first] = [...wanted].filter(([name]) => isLookedUp(name));
  const candidates = isNumber
    ? menu.items.slice(Number(target), Number(target) + 1)
    : first
      ? (menu.byField.get(keyOf(...first)) ?? [])
      : menu.items.slice(0, MAX_CANDIDATES);
  const item = candidates.find((one) => [...wanted].every(([name, value]) => one.fields.get(name) === value));
  if (item) {
    change(menu, item, changes);
    item.lines.push(...lines);
  } else addItem(menu, { path, fields: new Map(), lines: [] }, [...wanted, ...changes], statement);
}

export const fieldOf = ({ fields }: RouterosItem, name: string): string | undefined => fields.get(name);
export const isDisabled = ({ fields }: RouterosItem): boolean =>
  fields.get('disabled') === 'yes' || fields.get('disabled') === 'true';
export const isYes = ({ fields }: RouterosItem, name: string): boolean =>
  fields.get(name) === 'yes' || fields.get(name) === 'true';

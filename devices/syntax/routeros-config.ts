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

/** `set` of an item that is not written (a default one, an Ethernet port) makes it. */
export function routerosConfig(statements: Iterable<RouterosStatement>): RouterosConfig {
  const menus = new Map<string, RouterosItem[]>();
  for (const statement of statements) {
    const { path, verb } = statement;
    let menu = menus.get(path);
    if (!menu) {
      menu = [];
      menus.set(path, menu);
    }
    if (verb === 'add') menu.push({ path, fields: new Map(statement.fields), lines: [...statement.lines] });
    else if (verb === 'set' || verb === 'enable' || verb === 'disable') setItem(menu, statement);
  }
  return { items: (path) => menus.get(path) ?? [], paths: [...menus.keys()] };
}

function setItem(menu: RouterosItem[], { path, verb, find, target, fields, lines }: RouterosStatement): void {
  const changes = new Map(fields);
  if (verb !== 'set') changes.set('disabled', verb === 'disable' ? 'yes' : 'no');
  const named = target === undefined || /^\d+$/.test(target) ? undefined : target;
  const number = target !== undefined && named === undefined ? Number(target) : undefined;
  const wanted = new Map([...find, ...(named === undefined ? [] : [['name', named] as const])]);
  const isOne = wanted.size === 0 && number === undefined;
  let item = isOne
    ? menu.find(({ fields: known }) => known.get('(menu)') === 'yes')
    : number === undefined
      ? menu.find(({ fields: known }) => [...wanted].every(([name, value]) => known.get(name) === value))
      : menu[number];
  if (!item) {
    item = { path, fields: isOne ? new Map([['(menu)', 'yes']]) : new Map(wanted), lines: [] };
    menu.push(item);
  }
  for (const [name, value] of changes) item.fields.set(name, value);
  item.lines.push(...lines);
}

export const fieldOf = ({ fields }: RouterosItem, name: string): string | undefined => fields.get(name);
export const isDisabled = ({ fields }: RouterosItem): boolean =>
  fields.get('disabled') === 'yes' || fields.get('disabled') === 'true';
export const isYes = ({ fields }: RouterosItem, name: string): boolean =>
  fields.get(name) === 'yes' || fields.get(name) === 'true';

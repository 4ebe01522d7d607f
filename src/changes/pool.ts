// pieces kept by service -> those that a box can meet, without looking at all of them
import { unionAddresses } from '../model/addresses.ts';
import { contains } from '../model/ranges.ts';
import { ANY_SERVICE, type ServiceSet, unionServices } from '../model/services.ts';
import { ANY_TRAFFIC, type Traffic } from '../model/traffic.ts';

/** Large rule sets cut traffic into many items of one service each; those are found by it, the few wide ones always. */
export interface Pool<T> {
  readonly wide: T[];
  readonly narrow: Map<number, T[]>;
  /** Services, or other numbers to find items by. */
  readonly servicesOf: (item: T) => ServiceSet;
}

export function poolOf<T>(items: Iterable<T>, servicesOf: (item: T) => ServiceSet): Pool<T> {
  const pool: Pool<T> = { wide: [], narrow: new Map(), servicesOf };
  for (const item of items) put(pool, item);
  return pool;
}

const isNarrow = (services: ServiceSet): boolean => services.length === 2 && services[0] === services[1];

export function put<T>(pool: Pool<T>, item: T): void {
  const services = pool.servicesOf(item);
  if (!isNarrow(services)) {
    pool.wide.push(item);
    return;
  }
  const list = pool.narrow.get(services[0]);
  if (list) list.push(item);
  else pool.narrow.set(services[0], [item]);
}

/** Lists that together hold every item that can have one of the services. */
export function listsNear<T>({ wide, narrow }: Pool<T>, services: ServiceSet): T[][] {
  if (isNarrow(services)) {
    const list = narrow.get(services[0]);
    return list ? [wide, list] : [wide];
  }
  if (services.length === 2 && services[1] - services[0] === ANY_SERVICE[1])
    return [wide, ...narrow.values()];
  const lists = [wide];
  for (const [value, list] of narrow) if (contains(services, value)) lists.push(list);
  return lists;
}

export const everyItem = <T>({ wide, narrow }: Pool<T>): T[] => [wide, ...narrow.values()].flat();

/** May say no of a pool with many lists. */
export const isEmpty = ({ wide, narrow }: Pick<Pool<unknown>, 'wide' | 'narrow'>): boolean =>
  wide.length === 0 && narrow.size < 8 && narrow.values().every((list) => list.length === 0);

/** A box around others as far as addresses and services go. */
export function boxAround(boxes: readonly Traffic[]): Traffic {
  return {
    ...ANY_TRAFFIC,
    sources: unionAddresses(...new Set(boxes.map((box) => box.sources))),
    destinations: unionAddresses(...new Set(boxes.map((box) => box.destinations))),
    services: unionServices(...new Set(boxes.map((box) => box.services))),
  };
}

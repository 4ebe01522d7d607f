// alerts as they come in -> whoever waits for one

export interface Inbox<Item> {
  readonly put: (item: Item) => void;
  /** The first item that fits, from before or to come. Rejects with the signal's reason. */
  readonly until: (fits: (item: Item) => boolean, signal: AbortSignal) => Promise<Item>;
}

export function createInbox<Item>(): Inbox<Item> {
  const items: Item[] = [];
  const waiting = new Set<(item: Item) => void>();
  return {
    put: (item) => {
      items.push(item);
      for (const look of [...waiting]) look(item);
    },
    until: (fits, signal) =>
      new Promise((resolve, reject) => {
        const known = items.find(fits);
        if (known !== undefined) return resolve(known);
        if (signal.aborted) return reject(signal.reason);
        const look = (item: Item) => {
          if (!fits(item)) return;
          end();
          resolve(item);
        };
        const give = () => {
          end();
          reject(signal.reason);
        };
        const end = () => {
          waiting.delete(look);
          signal.removeEventListener('abort', give);
        };
        waiting.add(look);
        signal.addEventListener('abort', give, { once: true });
      }),
  };
}

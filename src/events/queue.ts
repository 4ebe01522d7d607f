// events one by one -> batches for the store, at most one a second, kept until they are stored
import type { Event } from '../model/event.ts';

export interface EventQueue {
  /** False where there is no room for the sender and the event was not taken; `isHeld` takes it all the same, its source being made to wait. */
  add(event: Event, isHeld: boolean): boolean;
  /** False where the queue is full, or the sender has as much waiting in it as is left for all others. */
  hasRoomFor(sender: string): boolean;
  /** Stores what waits now; resolves when that was tried. */
  flush(): Promise<void>;
}

export interface QueueOptions {
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly store: (batch: readonly Event[]) => Promise<void>;
  /** Called once with every event, before it is stored. */
  readonly onEvents: (batch: readonly Event[]) => void;
  readonly onError: (error: unknown) => void;
  /** Called whenever a batch has left. */
  readonly onRoom: () => void;
}

const MAX_BATCH = 20_000;
/** What an event takes besides its texts. */
const EVENT_BYTES = 300;

interface Share {
  events: number;
  bytes: number;
}

const NOTHING: Readonly<Share> = { events: 0, bytes: 0 };

/**
 * A batch that cannot be stored is tried again at the next flush, before what came later. One sender alone gets half of the
 * queue, two get a third each, and so on: there is always room for those who send little.
 */
export function createEventQueue(options: QueueOptions): EventQueue {
  let waiting: Event[] = [];
  let waitingBytes = 0;
  let announced = 0;
  let flushing: Promise<void> | undefined;
  let hasFailed = false;
  const manyEvents = Math.min(MAX_BATCH, options.maxEvents / 4);
  const shares = new Map<string, Share>();

  const storeWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH);
      if (announced < batch.length) options.onEvents(batch.slice(announced));
      announced = Math.max(announced, batch.length);
      try {
        await options.store(batch);
      } catch (error) {
        hasFailed = true;
        options.onError(error);
        return;
      }
      waiting = waiting.slice(batch.length);
      for (const event of batch) leave(event);
      announced -= batch.length;
      options.onRoom();
    }
  };
  const enter = (event: Event) => {
    const bytes = sizeOf(event);
    waiting.push(event);
    waitingBytes += bytes;
    const share = shares.get(event.sender);
    if (share) {
      share.events++;
      share.bytes += bytes;
    } else shares.set(event.sender, { events: 1, bytes });
  };
  const leave = (event: Event) => {
    const bytes = sizeOf(event);
    waitingBytes -= bytes;
    const share = shares.get(event.sender);
    if (!share || share.events === 1) {
      shares.delete(event.sender);
      return;
    }
    share.events--;
    share.bytes -= bytes;
  };
  const hasRoomFor = (sender: string) => {
    const { events, bytes } = shares.get(sender) ?? NOTHING;
    return events < options.maxEvents - waiting.length && bytes < options.maxBytes - waitingBytes;
  };
  const flush = () => {
    flushing ??= storeWaiting().finally(() => {
      flushing = undefined;
    });
    return flushing;
  };
  return {
    add: (event, isHeld) => {
      if (!isHeld && !hasRoomFor(event.sender)) return false;
      enter(event);
      // A store that failed is asked again when its time comes.
      if (waiting.length >= manyEvents && !hasFailed) void flush();
      return true;
    },
    hasRoomFor,
    flush: () => {
      hasFailed = false;
      return flush();
    },
  };
}

/** UTF-16 at worst; the command and the rest are parts of the message. */
const sizeOf = (event: Event) => EVENT_BYTES + 2 * (event.raw.length + event.message.length);

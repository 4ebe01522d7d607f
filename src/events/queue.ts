// events one by one -> batches for the store, at most one a second, kept until they are stored
import type { Event } from '../model/event.ts';

export interface EventQueue {
  /** False where the queue is full and the event was not taken; `isHeld` takes it all the same, its source being made to wait. */
  add(event: Event, isHeld: boolean): boolean;
  readonly isFull: boolean;
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
  /** Called when a full queue has room again. */
  readonly onRoom: () => void;
}

const MAX_BATCH = 20_000;
/** What an event takes besides its texts. */
const EVENT_BYTES = 300;

/** A batch that cannot be stored is tried again at the next flush, before what came later. */
export function createEventQueue(options: QueueOptions): EventQueue {
  let waiting: Event[] = [];
  let waitingBytes = 0;
  let announced = 0;
  let flushing: Promise<void> | undefined;
  const isFull = () => waiting.length >= options.maxEvents || waitingBytes >= options.maxBytes;

  const storeWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH);
      if (announced < batch.length) options.onEvents(batch.slice(announced));
      announced = Math.max(announced, batch.length);
      try {
        await options.store(batch);
      } catch (error) {
        options.onError(error);
        return;
      }
      const wasFull = isFull();
      waiting = waiting.slice(batch.length);
      waitingBytes -= batch.reduce((sum, event) => sum + sizeOf(event), 0);
      announced -= batch.length;
      if (wasFull && !isFull()) options.onRoom();
    }
  };
  return {
    add: (event, isHeld) => {
      if (!isHeld && isFull()) return false;
      waiting.push(event);
      waitingBytes += sizeOf(event);
      return true;
    },
    get isFull() {
      return isFull();
    },
    flush: () => {
      flushing ??= storeWaiting().finally(() => {
        flushing = undefined;
      });
      return flushing;
    },
  };
}

/** UTF-16 at worst; the command and the rest are parts of the message. */
const sizeOf = (event: Event) => EVENT_BYTES + 2 * (event.raw.length + event.message.length);

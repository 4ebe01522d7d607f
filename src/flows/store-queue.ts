// batches of conversations -> the store, in order, through its pauses; bounded, and what does not fit is counted
import type { ConversationBatch } from './batch.ts';

/** One statement takes this many, so that a repeated attempt never stores a part twice. */
const INSERT_ROWS = 50_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

export interface StoreQueueOptions {
  readonly maxRows: number;
  /** Stores all or throws. */
  readonly insert: (batches: readonly ConversationBatch[]) => Promise<void>;
  /** A batch found no room, or was left when the time to stop was over. */
  readonly onDropped: (batch: ConversationBatch) => void;
  readonly onError: (error: unknown, waitingRows: number) => void;
}

export interface StoreQueue {
  push(batch: ConversationBatch): void;
  /** Rows that are not stored yet. */
  waitingRows(): number;
  storedRows(): number;
  /** Resolves when nothing waits, or after `timeoutMs`, with what is left dropped. Nothing may be pushed after. */
  close(timeoutMs: number): Promise<void>;
}

interface Queue {
  readonly options: StoreQueueOptions;
  readonly batches: ConversationBatch[];
  waitingRows: number;
  storedRows: number;
  isClosing: boolean;
  /** Ends a pause between two attempts. */
  wake: () => void;
  running: Promise<void> | undefined;
}

export function createStoreQueue(options: StoreQueueOptions): StoreQueue {
  const queue: Queue = {
    options,
    batches: [],
    waitingRows: 0,
    storedRows: 0,
    isClosing: false,
    wake: () => {},
    running: undefined,
  };
  return {
    push: (batch) => push(queue, batch),
    waitingRows: () => queue.waitingRows,
    storedRows: () => queue.storedRows,
    close: (timeoutMs) => close(queue, timeoutMs),
  };
}

function push(queue: Queue, batch: ConversationBatch): void {
  if (queue.waitingRows + batch.count > queue.options.maxRows) {
    queue.options.onDropped(batch);
    return;
  }
  queue.batches.push(batch);
  queue.waitingRows += batch.count;
  queue.running ??= work(queue).finally(() => {
    queue.running = undefined;
  });
}

async function work(queue: Queue): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (queue.batches.length > 0) {
    const part = firstPart(queue.batches);
    try {
      await queue.options.insert(part);
    } catch (error) {
      queue.options.onError(error, queue.waitingRows);
      if (queue.isClosing) return;
      await pause(queue, retryMs * (0.75 + Math.random() / 2));
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
      continue;
    }
    retryMs = FIRST_RETRY_MS;
    // The time to stop is over, and this part was given up meanwhile.
    if (queue.batches[0] !== part[0]) return;
    const rows = part.reduce((sum, batch) => sum + batch.count, 0);
    queue.batches.splice(0, part.length);
    queue.waitingRows -= rows;
    queue.storedRows += rows;
  }
}

function firstPart(batches: readonly ConversationBatch[]): ConversationBatch[] {
  let rows = 0;
  const end = batches.findIndex((batch, i) => {
    rows += batch.count;
    return i > 0 && rows > INSERT_ROWS;
  });
  return batches.slice(0, end < 0 ? batches.length : end);
}

function pause(queue: Queue, timeMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeMs);
    queue.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

async function close(queue: Queue, timeoutMs: number): Promise<void> {
  queue.isClosing = true;
  queue.wake();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([queue.running, deadline]);
  clearTimeout(timer);
  for (const batch of queue.batches.splice(0)) queue.options.onDropped(batch);
  queue.waitingRows = 0;
}

// batches of rows -> the store, in order, through its pauses; first in memory, then on disk, and what does not fit is counted
import { randomUUID } from 'node:crypto';
import type { ConversationBatch } from './batch.ts';
import type { Spool } from './spool.ts';

/** Anything that can be counted in rows. */
interface Rows {
  readonly count: number;
}

/** What is stored as one. A repeated attempt has the same id, by which the store knows it, after a restart, too. */
export interface Part<Batch extends Rows = ConversationBatch> {
  readonly id: string;
  readonly batches: readonly Batch[];
  /** Rows of all of them. */
  readonly count: number;
}

const INSERT_ROWS = 50_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

export interface StoreQueueOptions<Batch extends Rows = ConversationBatch> {
  /** In memory; beyond it they go to the spool, or are dropped where there is none. */
  readonly maxRows: number;
  readonly spool?: Spool<Part<Batch>>;
  /** Asked once three quarters of the room are taken: what to keep of a batch of which so many rows may stay. */
  readonly thin?: (batch: Batch, most: number) => { readonly kept: Batch; readonly dropped: Batch };
  /** Stores all, once however often it is asked to, or throws. */
  readonly insert: (batches: readonly Batch[], id: string) => Promise<void>;
  /** A batch found no room, or was left when the time to stop was over and there is no spool for it. */
  readonly onDropped: (batch: Batch) => void;
  readonly onError: (error: unknown, waitingRows: number) => void;
}

export interface StoreQueue<Batch extends Rows = ConversationBatch> {
  push(batch: Batch): void;
  /** Rows that are not stored yet, in memory. */
  waitingRows(): number;
  /** On disk. */
  spooledRows(): number;
  spooledBytes(): number;
  storedRows(): number;
  /** Resolves when nothing waits in memory, or after `timeoutMs`, with what is left spooled or dropped. Nothing may be pushed after. */
  close(timeoutMs: number): Promise<void>;
}

interface Queue<Batch extends Rows> {
  readonly options: StoreQueueOptions<Batch>;
  readonly batches: Batch[];
  /** The oldest of what waits in memory, once somebody tried to store it. */
  part: Part<Batch> | undefined;
  waitingRows: number;
  storedRows: number;
  isClosing: boolean;
  /** Ends a pause between two attempts. */
  wake: () => void;
  running: Promise<void> | undefined;
}

export function createStoreQueue<Batch extends Rows = ConversationBatch>(
  options: StoreQueueOptions<Batch>,
): StoreQueue<Batch> {
  const queue: Queue<Batch> = {
    options,
    batches: [],
    part: undefined,
    waitingRows: 0,
    storedRows: 0,
    isClosing: false,
    wake: () => {},
    running: undefined,
  };
  // What an earlier process left on disk.
  if (options.spool && !options.spool.isEmpty()) start(queue);
  return {
    push: (batch) => push(queue, batch),
    waitingRows: () => queue.waitingRows,
    spooledRows: () => options.spool?.rows() ?? 0,
    spooledBytes: () => options.spool?.byteCount() ?? 0,
    storedRows: () => queue.storedRows,
    close: (timeoutMs) => close(queue, timeoutMs),
  };
}

/** The nearer to the bound, the less is taken, so that there is room left for exporters that send little. */
function thinned<Batch extends Rows>(queue: Queue<Batch>, batch: Batch): Batch {
  const { maxRows, spool, onDropped, thin } = queue.options;
  const taken = spool ? spool.byteCount() / spool.maxBytes : queue.waitingRows / maxRows;
  if (!thin || taken < 0.75) return batch;
  const { kept, dropped } = thin(batch, Math.ceil(batch.count * (4 * Math.max(0, 1 - taken)) ** 2));
  if (dropped.count > 0) onDropped(dropped);
  return kept;
}

function push<Batch extends Rows>(queue: Queue<Batch>, pushed: Batch): void {
  const { maxRows, spool, onDropped } = queue.options;
  const batch = thinned(queue, pushed);
  if (batch.count === 0) return;
  // Behind what is on disk already, so that all is stored in order.
  if ((spool && !spool.isEmpty()) || queue.waitingRows + batch.count > maxRows) {
    if (!spool?.push(partOf([batch]))) onDropped(batch);
  } else {
    queue.batches.push(batch);
    queue.waitingRows += batch.count;
  }
  start(queue);
}

function start<Batch extends Rows>(queue: Queue<Batch>): void {
  queue.running ??= work(queue).finally(() => {
    queue.running = undefined;
  });
}

async function work<Batch extends Rows>(queue: Queue<Batch>): Promise<void> {
  const { spool, insert, onError } = queue.options;
  let retryMs = FIRST_RETRY_MS;
  for (;;) {
    const part = takePart(queue) ?? wholePart(await spool?.first());
    if (!part) return;
    const isSpooled = part !== queue.part;
    try {
      await insert(part.batches, part.id);
    } catch (error) {
      onError(error, queue.waitingRows + (spool?.rows() ?? 0));
      if (queue.isClosing) return;
      await pause(queue, retryMs * (0.75 + Math.random() / 2));
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
      continue;
    }
    retryMs = FIRST_RETRY_MS;
    if (isSpooled) {
      queue.storedRows += part.count;
      await spool?.shift();
      // What is on disk waits there for the next start.
      if (queue.isClosing) return;
      continue;
    }
    // The time to stop is over, and this part was given up meanwhile.
    if (queue.part !== part) return;
    queue.part = undefined;
    queue.waitingRows -= part.count;
    queue.storedRows += part.count;
  }
}

function takePart<Batch extends Rows>(queue: Queue<Batch>): Part<Batch> | undefined {
  const { batches } = queue;
  if (queue.part || batches.length === 0) return queue.part;
  let rows = 0;
  const end = batches.findIndex((batch, i) => {
    rows += batch.count;
    return i > 0 && rows > INSERT_ROWS;
  });
  queue.part = partOf(batches.splice(0, end < 0 ? batches.length : end));
  return queue.part;
}

const partOf = <Batch extends Rows>(batches: readonly Batch[]): Part<Batch> => ({
  id: randomUUID(),
  batches,
  count: batches.reduce((sum, batch) => sum + batch.count, 0),
});

/** What earlier versions left on disk is a batch by itself. */
const wholePart = <Batch extends Rows>(stored: Part<Batch> | Batch | undefined): Part<Batch> | undefined =>
  stored && ('batches' in stored ? stored : partOf([stored]));

function pause(queue: Pick<Queue<Rows>, 'wake'>, timeMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeMs);
    queue.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

async function close<Batch extends Rows>(queue: Queue<Batch>, timeoutMs: number): Promise<void> {
  queue.isClosing = true;
  queue.wake();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([queue.running, deadline]);
  clearTimeout(timer);
  const { spool, onDropped } = queue.options;
  const left = queue.batches.splice(0).map((batch) => partOf([batch]));
  if (queue.part) left.unshift(queue.part);
  queue.part = undefined;
  for (const part of left.reverse())
    if (!spool?.unshift(part)) for (const batch of part.batches) onDropped(batch);
  queue.waitingRows = 0;
  await spool?.settled();
}

// statements -> the engine in this process, by threads of their own: in order of arrival, as many at a time as there are threads
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FromEngine, Task, ThreadOptions, ToEngine } from './engine-thread.ts';

export interface LaneOptions extends ThreadOptions {
  /** Started when they are needed. */
  readonly maxThreads: number;
}

export interface Lane {
  /** Resolves when a thread has the engine open; rejects with what the engine says. */
  open(): Promise<void>;
  /** The result as the engine writes it. Rejects with the engine's message, or the signal's reason. */
  run(task: Omit<Task, 'id'>, signal?: AbortSignal): Promise<Uint8Array>;
  /** What waits is refused; what runs may end within `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

interface Waiting {
  readonly task: Task;
  readonly signal?: AbortSignal;
  readonly done: (bytes: Uint8Array) => void;
  readonly failed: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  isOpen: boolean;
  running: Waiting | undefined;
}

/** Others are copied: small ones lie together in a buffer of Node's. */
const isWhole = ({ buffer, byteLength }: Uint8Array) => buffer.byteLength === byteLength;

const CLOSED = 'the ClickHouse engine is closed';

export function createLane(options: LaneOptions): Lane {
  const threads = new Set<Thread>();
  const waiting: Waiting[] = [];
  let nextId = 1;
  let isClosed = false;

  const next = (thread: Thread) => {
    const one = waiting.shift();
    thread.running = one;
    if (!one) {
      // An idle thread keeps nobody from ending.
      thread.worker.unref();
      return;
    }
    thread.worker.ref();
    thread.worker.postMessage(
      one.task satisfies ToEngine,
      one.task.parts?.filter(isWhole).map(({ buffer }) => buffer as ArrayBuffer),
    );
  };
  const hear = (thread: Thread, message: FromEngine) => {
    const { running } = thread;
    if (message.kind === 'done') running?.done(message.bytes);
    else if (message.kind === 'failed') running?.failed(new Error(message.message));
    if (message.kind === 'refused') return;
    thread.isOpen = true;
    next(thread);
  };
  const start = (): Promise<void> => {
    const { path, engineArguments, niceness, settings } = options;
    const workerData: ThreadOptions = { path, engineArguments, niceness, settings };
    const worker = new Worker(new URL('./engine-thread.ts', import.meta.url), { workerData, execArgv: [] });
    const thread: Thread = { worker, isOpen: false, running: undefined };
    threads.add(thread);
    return new Promise((opened, refused) => {
      const lose = (error: Error) => {
        threads.delete(thread);
        refused(error);
        thread.running?.failed(error);
        thread.running = undefined;
        if (threads.size === 0) for (const one of waiting.splice(0)) one.failed(error);
      };
      worker.on('message', (message: FromEngine) => {
        if (message.kind === 'refused') lose(new Error(message.message));
        if (message.kind === 'open') opened();
        hear(thread, message);
      });
      worker.on('error', (error) => lose(error as Error));
      worker.on('exit', () => lose(new Error(CLOSED)));
    });
  };
  return {
    open: start,
    run: (task, signal) =>
      new Promise((done, failed) => {
        signal?.throwIfAborted();
        if (isClosed) throw new Error(CLOSED);
        const one: Waiting = { task: { ...task, id: nextId++ }, signal, done, failed };
        signal?.addEventListener(
          'abort',
          () => {
            const at = waiting.indexOf(one);
            if (at >= 0) waiting.splice(at, 1);
            failed(signal.reason);
          },
          { once: true },
        );
        waiting.push(one);
        const idle = [...threads].find((thread) => thread.isOpen && !thread.running);
        if (idle) next(idle);
        else if (threads.size < options.maxThreads) start().catch(() => undefined);
      }),
    close: async (timeoutMs) => {
      isClosed = true;
      for (const one of waiting.splice(0)) one.failed(new Error(CLOSED));
      await Promise.all([...threads].map((thread) => end(thread, timeoutMs)));
    },
  };
}

/** A statement cannot be broken off: after the time its thread is left to itself. */
async function end({ worker }: Thread, timeoutMs: number): Promise<void> {
  worker.ref();
  const gone = once(worker, 'exit');
  worker.postMessage({ close: true } satisfies ToEngine);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((settle) => {
    timer = setTimeout(settle, timeoutMs);
  });
  await Promise.race([gone, late]);
  clearTimeout(timer);
  worker.unref();
}

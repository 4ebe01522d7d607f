// a thread that asks the engine in this process, one statement after the other
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { ConversationBatch } from '../../flows/batch.ts';
import { setThreadPriority } from '../../model/thread-priority.ts';
import { conversationBlock } from './conversation-native.ts';

export interface ThreadOptions {
  readonly path: string;
  readonly engineArguments: readonly string[];
  readonly niceness: number;
  /** Of every statement of this thread. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/** `file` is written before, with `parts` or blocks of conversations, and removed after. */
export interface Task {
  readonly id: number;
  readonly sql: string;
  readonly file?: string;
  readonly parts?: readonly Uint8Array[];
  readonly conversations?: readonly ConversationBatch[];
}

export type ToEngine = Task | { readonly close: true };
export type FromEngine =
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'done'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };

// Nothing starts on import from the main thread or a test.
if (parentPort) run(workerData as ThreadOptions);

function run(options: ThreadOptions): void {
  // Threads that the engine makes for this one have its priority: sockets and answers come before merges.
  setThreadPriority(options.niceness);
  const require = createRequire(import.meta.url);
  const { Session } = require('chdb') as typeof import('chdb');
  let session: InstanceType<typeof Session>;
  try {
    session = new Session(options.path, { connectionArgs: [...options.engineArguments] });
    for (const [name, value] of Object.entries(options.settings)) session.query(`SET ${name} = ${value}`);
  } catch (error) {
    send({ kind: 'refused', message: messageOf(error) });
    return;
  }
  parentPort?.on('message', (message: ToEngine) => {
    if ('close' in message) {
      session.close();
      parentPort?.close();
      return;
    }
    try {
      const bytes = new TextEncoder().encode(runTask(session, message));
      send({ kind: 'done', id: message.id, bytes }, [bytes.buffer]);
    } catch (error) {
      send({ kind: 'failed', id: message.id, message: messageOf(error) });
    }
  });
  send({ kind: 'open' });
}

/** The file is gone before anybody hears of the result. */
function runTask(
  session: { query(sql: string): string },
  { sql, file, parts = [], conversations = [] }: Task,
): string {
  if (!file) return session.query(sql);
  try {
    const blocks = conversations.map((batch) => conversationBlock(batch, 0, batch.count));
    writeFileSync(file, Buffer.concat([...parts, ...blocks]), { mode: 0o600 });
    return session.query(sql);
  } finally {
    rmSync(file, { force: true });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function send(message: FromEngine, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

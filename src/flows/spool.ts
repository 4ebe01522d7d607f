// batches that the store has no time for -> files, and back in order; bounded in bytes, and there after a restart
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

interface Rows {
  readonly count: number;
}

export interface SpoolOptions<Batch extends Rows> {
  readonly folder: string;
  readonly maxBytes: number;
  /** A file could not be written, or not read: its rows are lost. `batch` where it is known what they were. */
  readonly onLost: (error: unknown, batch: Batch | undefined) => void;
}

/** First in, first out; `unshift` is for what is older than everything in it. */
export interface Spool<Batch extends Rows> {
  /** False where there is no room: the batch is not kept. */
  push(batch: Batch): boolean;
  unshift(batch: Batch): boolean;
  /** The oldest batch, which stays until shift(); undefined where there is none. */
  first(): Promise<Batch | undefined>;
  shift(): Promise<void>;
  isEmpty(): boolean;
  /** Rows that were pushed here, and bytes of all files. */
  rows(): number;
  byteCount(): number;
  readonly maxBytes: number;
  /** Resolves when all is on the disk. */
  settled(): Promise<void>;
}

interface Entry<Batch> {
  readonly number: number;
  byteCount: number;
  rowCount: number;
  /** Until it is written. */
  batch: Batch | undefined;
  isLost: boolean;
}

/** Names sort as numbers do; new ones are above, older ones below. */
const MIDDLE = 5_000_000_000;
const NAME = /^(\d{10})\.batch$/;
/** Written, but not to the disk yet: as much as this waits in memory. */
const MAX_WRITING_BYTES = 134_217_728;
/** Overhead of a serialized batch, about. */
const HEAD_BYTES = 4096;

/** Takes up what an earlier process left. Rejects where the folder cannot be used. */
export async function openSpool<Batch extends Rows>(options: SpoolOptions<Batch>): Promise<Spool<Batch>> {
  const { folder } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const entries: Entry<Batch>[] = await found(folder);
  let byteCount = entries.reduce((sum, entry) => sum + entry.byteCount, 0);
  let rowCount = 0;
  let writingBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const fileOf = ({ number }: Pick<Entry<Batch>, 'number'>) =>
    join(folder, `${String(number).padStart(10, '0')}.batch`);

  const write = async (entry: Entry<Batch>, bytes: Buffer) => {
    // It was read and stored before its turn came.
    if (!entries.includes(entry)) return;
    const file = fileOf(entry);
    try {
      await writeFile(`${file}.new`, bytes, { mode: 0o600 });
      await rename(`${file}.new`, file);
    } catch (error) {
      entry.isLost = true;
      options.onLost(error, entry.batch);
    } finally {
      entry.batch = undefined;
    }
  };
  const keep = (batch: Batch, number: number): Entry<Batch> | undefined => {
    const bytes = serialize(batch);
    if (byteCount + bytes.length > options.maxBytes) return undefined;
    if (writingBytes + bytes.length > MAX_WRITING_BYTES) return undefined;
    const entry = { number, byteCount: bytes.length, rowCount: batch.count, batch, isLost: false };
    byteCount += bytes.length;
    rowCount += batch.count;
    writingBytes += bytes.length;
    writing = writing
      .then(() => write(entry, bytes))
      .finally(() => {
        writingBytes -= bytes.length;
      });
    return entry;
  };
  const drop = async (entry: Entry<Batch>) => {
    byteCount -= entry.byteCount;
    rowCount -= entry.rowCount;
    await rm(fileOf(entry), { force: true });
  };
  return {
    push: (batch) => {
      const entry = keep(batch, (entries.at(-1)?.number ?? MIDDLE) + 1);
      if (entry) entries.push(entry);
      return entry !== undefined;
    },
    unshift: (batch) => {
      const entry = keep(batch, (entries[0]?.number ?? MIDDLE) - 1);
      if (entry) entries.unshift(entry);
      return entry !== undefined;
    },
    first: async () => {
      for (let entry = entries[0]; entry; entry = entries[0]) {
        const batch = entry.batch ?? (entry.isLost ? undefined : await read<Batch>(fileOf(entry), options));
        if (batch) return batch;
        entries.shift();
        await drop(entry);
      }
      return undefined;
    },
    shift: async () => {
      const entry = entries.shift();
      if (!entry) return;
      // A write that is under way would put the file back.
      if (entry.batch) await writing;
      await drop(entry);
    },
    isEmpty: () => entries.length === 0,
    rows: () => rowCount,
    byteCount: () => byteCount,
    maxBytes: options.maxBytes,
    settled: () => writing,
  };
}

async function found<Batch>(folder: string): Promise<Entry<Batch>[]> {
  const entries: Entry<Batch>[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const number = Number(NAME.exec(name)?.[1] ?? Number.NaN);
    const file = join(folder, name);
    if (Number.isNaN(number)) {
      // Half a file of a process that was killed.
      if (name.endsWith('.batch.new')) await rm(file, { force: true });
      continue;
    }
    const { size } = await stat(file);
    entries.push({ number, byteCount: size + HEAD_BYTES, rowCount: 0, batch: undefined, isLost: false });
  }
  return entries;
}

async function read<Batch extends Rows>(
  file: string,
  { onLost }: SpoolOptions<Batch>,
): Promise<Batch | undefined> {
  try {
    const batch = deserialize(await readFile(file)) as Batch;
    if (typeof batch?.count !== 'number') throw new TypeError(`${file} holds no batch`);
    return batch;
  } catch (error) {
    onLost(error, undefined);
    return undefined;
  }
}

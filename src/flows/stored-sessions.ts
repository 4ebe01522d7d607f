// templates of all sessions <-> one file, so that a restart does not wait half an hour for templates
import { readFile, rename, writeFile } from 'node:fs/promises';

/** By exporter address and source port, as sessionKey writes them. */
export type StoredSessions = ReadonlyMap<string, unknown>;

/** Older ones may have been given another meaning meanwhile; exporters send theirs anew within half an hour. */
const MAX_AGE_MS = 3_600_000;
/** A session of the usual exporter takes 1 to 10 kB. */
const MAX_SESSION_BYTES = 262_144;
const MAX_FILE_BYTES = 67_108_864;
/** Made into text between two turns of whatever else this thread serves. */
const SESSIONS_A_TURN = 100;

export const sessionKey = (address: string, port: number): string => `${address} ${port}`;

/** Whether a session had shown that it is no passing stranger; `stored` comes from a file. */
export const isStoredProven = (stored: unknown): boolean =>
  stored !== null && typeof stored === 'object' && 'isProven' in stored && stored.isProven === true;

/** Sessions over the bounds are left out: they wait for their templates, as without a file. */
export async function writeSessions(
  path: string,
  sessions: StoredSessions,
  savedAtMs: number,
): Promise<void> {
  const parts: string[] = [];
  let byteCount = 0;
  let turn = 0;
  for (const entry of sessions) {
    if (++turn % SESSIONS_A_TURN === 0) await new Promise(setImmediate);
    const text = JSON.stringify(entry);
    if (text.length > MAX_SESSION_BYTES || byteCount + text.length > MAX_FILE_BYTES) continue;
    byteCount += text.length + 1;
    parts.push(text);
  }
  await writeFile(`${path}.new`, `{"savedAtMs":${savedAtMs},"sessions":[${parts.join()}]}\n`, {
    mode: 0o600,
  });
  await rename(`${path}.new`, path);
}

/** Besides what sessions know now, what those knew that were not heard since the start; not for ever. */
export function withUnheard(now: StoredSessions, before: StoredSessions, ageMs: number): StoredSessions {
  if (ageMs > MAX_AGE_MS) return now;
  return new Map([...now, ...[...before].filter(([key]) => !now.has(key))]);
}

/** Empty where there is no file, or one that is too old or damaged. */
export async function readSessions(path: string, nowMs: number): Promise<StoredSessions> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    const { savedAtMs, sessions } = JSON.parse(text) as { savedAtMs: number; sessions: unknown[] };
    if (!(Math.abs(nowMs - savedAtMs) <= MAX_AGE_MS)) return new Map();
    return new Map(sessions.filter((entry): entry is [string, unknown] => Array.isArray(entry)));
  } catch {
    return new Map();
  }
}

// first and later start of the service -> seconds until ready, and memory at rest
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startService, temporaryFolder } from '../store/temporary.ts';

const REST_MS = 5000;

/** MiB of a process and the PostgreSQL below it, each shared page counted once (PSS). */
function memoryMiB(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const own = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)![1]) / 1024;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  const below = children.filter((child) => child > 0 && command(child) === 'postgres');
  return below.reduce((sum, child) => sum + memoryMiB(child), own);
}

function command(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

const cleanups: (() => unknown)[] = [];
const scope = { after: (run: () => unknown) => cleanups.push(run) };
const folders: (() => unknown)[] = [];
const data = join(temporaryFolder({ after: (run) => folders.push(run) }), 'data');
const rows: Record<string, string>[] = [];
try {
  for (const start of ['first', 'later']) {
    const beganAt = performance.now();
    const { child, finished } = await startService(scope, { POSTERN_DATA: data });
    const readySeconds = (performance.now() - beganAt) / 1000;
    await sleep(REST_MS);
    const total = memoryMiB(child.pid!);
    const resident =
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024;
    const stoppedAt = performance.now();
    child.kill('SIGTERM');
    await finished;
    rows.push({
      start,
      'ready s': readySeconds.toFixed(2),
      'service RSS MiB': resident.toFixed(0),
      'with PostgreSQL, PSS MiB': total.toFixed(0),
      'stop s': ((performance.now() - stoppedAt) / 1000).toFixed(2),
    });
  }
} finally {
  for (const cleanup of [...cleanups, ...folders]) await cleanup();
}
console.table(rows);

// how soon the calling thread is served beside the other threads of this machine
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * From -20 (first) to 19 (last), for this thread and those that it makes; a Linux thread has a priority of its own. Anybody may
 * step back, and only the privileged ahead (CAP_SYS_NICE): where that is refused, or without /proc, all stays as it is.
 */
export function setThreadPriority(niceness: number): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), niceness);
  } catch {
    // A wish, not a need.
  }
}

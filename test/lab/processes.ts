// commands -> their output, and daemons that end with the lab
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunOptions {
  /** Network namespace to run in. */
  readonly netns?: string;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

const inside = (netns: string | undefined, command: readonly string[]) =>
  netns === undefined ? [...command] : ['nsenter', `--net=/run/netns/${netns}`, ...command];

/** Standard output of a command. Throws with its standard error where it fails. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [file, ...args] = inside(options.netns, command);
  return new Promise((settle, reject) => {
    const child = execFile(
      file,
      args,
      { timeout: options.timeoutMs ?? 30_000, env: options.env, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${command.join(' ').slice(0, 200)}: ${stderr || error.message}`));
        else settle(stdout);
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}

export interface Daemons {
  /** In a process group of its own; its output goes to `<folder>/<name>.log`. */
  start(name: string, command: readonly string[], options?: RunOptions): ChildProcess;
  log(name: string): string;
  /** SIGTERM, SIGKILL for what is left, and waits; the last started goes first. */
  stopAll(): Promise<void>;
}

export function createDaemons(folder: string): Daemons {
  const children: ChildProcess[] = [];
  const logPath = (name: string) => join(folder, `${name}.log`);
  return {
    start(name, command, options = {}) {
      const [file, ...args] = inside(options.netns, command);
      const log = openSync(logPath(name), 'a');
      const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true, env: options.env });
      closeSync(log);
      child.on('error', () => {});
      children.push(child);
      return child;
    },
    log: (name) => (existsSync(logPath(name)) ? readFileSync(logPath(name), 'utf8') : ''),
    async stopAll() {
      const running = children.splice(0).reverse();
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        for (const child of running) signalGroup(child, signal);
        await waitFor('processes to end', () => running.every(hasEnded), 10_000).catch(() => {});
      }
    },
  };
}

const hasEnded = (child: ChildProcess) =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nothing is left of the group.
  }
}

/** Asks until the answer is neither undefined, null nor false; a question that throws is asked again. Throws with its last fault. */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs: number,
  everyMs = 200,
): Promise<NonNullable<T>> {
  const endAt = performance.now() + timeoutMs;
  let fault: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<T>;
    } catch (error) {
      fault = error;
    }
    if (performance.now() > endAt)
      throw new Error(`waited ${timeoutMs / 1000} s for ${what}`, { cause: fault });
    await sleep(everyMs);
  }
}

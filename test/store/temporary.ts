// folders and processes for tests, gone when the test ends
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Test {
  after: (run: () => unknown) => void;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const READY_TIMEOUT_MS = 30_000;

/** A folder that the user of PostgreSQL can enter too, because tests may run as root. */
export function temporaryFolder(test: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-test-'));
  chmodSync(folder, 0o755);
  test.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return folder;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** What it wrote to standard output until it was ready. */
  readonly greeting: string;
  readonly url: string;
  readonly finished: Promise<Finished>;
}

/** Nothing of this process's settings, no fixed port and no fetch from the internet. */
const ENVIRONMENT = {
  PATH: process.env.PATH,
  POSTERN_API_PORT: '0',
  POSTERN_NETFLOW_PORT: '0',
  POSTERN_IPFIX_PORT: '0',
  POSTERN_SFLOW_PORT: '0',
  POSTERN_IPFIX_TCP_PORT: '0',
  POSTERN_SYSLOG_PORT: '0',
  POSTERN_ENRICHMENT_FETCH: 'off',
};

/** Runs `postern ARGS` to its end. */
export function runPostern(
  test: Test,
  args: string[],
  environment: Record<string, string> = {},
): Promise<Finished> {
  return watch(test, args, environment).finished;
}

/** Starts `postern serve` and waits until it is ready; throws what it complained of where it ends instead. */
export async function startService(test: Test, environment: Record<string, string>): Promise<Running> {
  const { child, finished, output } = watch(test, ['serve'], environment);
  const endAt = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const found = /^Postern listens on (http:\/\/\S+)\n(?:Admin key.*\n)?/.exec(output.stdout);
    if (found) {
      // The key is on the line after: wait for what was written at once.
      await new Promise((settle) => setTimeout(settle, 100));
      return { child, finished, url: found[1], greeting: output.stdout };
    }
    if (child.exitCode !== null || performance.now() > endAt) {
      child.kill('SIGKILL');
      throw new Error(`the service did not start: ${output.stderr}`);
    }
    await new Promise((settle) => setTimeout(settle, 20));
  }
}

function watch(test: Test, args: string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...ENVIRONMENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  test.after(() => child.kill('SIGTERM'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk;
  });
  const finished = new Promise<Finished>((settle) => {
    child.once('close', (code, signal) => settle({ code, signal, ...output }));
  });
  test.after(() => finished);
  return { child, finished, output };
}

// `postern decode` in a process of its own, as users run it
import { spawnSync } from 'node:child_process';

export const COMMAND = new URL('../../src/packets/command.ts', import.meta.url).href;
export const CODE = `const { command } = await import('${COMMAND}'); process.exitCode = await command.run(process.argv.slice(1));`;

/** `input` goes to standard input. */
export function decodeWith(input: Uint8Array, ...args: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', CODE, '--', ...args],
    { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { status, stderr, records: lines.map((line) => JSON.parse(line)) };
}

export const decode = (...args: readonly string[]) => decodeWith(new Uint8Array(0), ...args);

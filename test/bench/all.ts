// runs the benchmarks, one after the other; audit.ts, fuzz.ts and store.ts are apart: they take many minutes
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const BENCHMARKS = [
  'decode',
  'collect',
  'limits',
  'exporter-scale',
  'floods',
  'api',
  'events',
  'enrich',
  'diff',
  'pulls',
  'hosts',
  'start',
];

for (const name of BENCHMARKS) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}

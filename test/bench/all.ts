// runs every benchmark, one after the other: each prints its table with the peer beside it
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const BENCHMARKS = ['decode', 'collect', 'enrich', 'changes', 'start'];

for (const name of BENCHMARKS) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}

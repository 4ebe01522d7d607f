// ten million hostile datagrams: no exception, none over a millisecond, memory under its bound
//
//   node test/bench/fuzz.ts [--datagrams 10000000] [--seed 1]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fuzz } from '../packets/fuzz.ts';

const { values } = parseArgs({
  options: { datagrams: { type: 'string', default: '10000000' }, seed: { type: 'string', default: '1' } },
});
// Without a bound of its own the heap grows as far as the machine lets it; what is held has to fit into this.
const HEAP = '--max-old-space-size=256';
if (!process.execArgv.includes(HEAP)) {
  const { status } = spawnSync(process.execPath, [HEAP, ...process.argv.slice(1)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}
const SHARE = 500_000;
const total = Number(values.datagrams);
const began = performance.now();
let [records, malformed, slowestMs, done] = [0, 0, 0, 0];
while (done < total) {
  const result = fuzz(Math.min(SHARE, total - done), Number(values.seed) + done);
  done += result.datagrams;
  records += result.records;
  malformed += result.malformed;
  slowestMs = Math.max(slowestMs, result.slowestMs);
  process.stderr.write(`\r${done} of ${total}`);
}
process.stdout.write(
  `\n${done} datagrams in ${((performance.now() - began) / 1000).toFixed(0)} s: ${records} records, ${malformed} faults counted, ` +
    `slowest ${slowestMs.toFixed(2)} ms, at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
);
if (slowestMs > 1) process.exitCode = 1;

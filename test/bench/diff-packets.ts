// the property test of test/changes at length: node test/bench/diff-packets.ts [CASES] [SEED]
import { checkCase, nothingSeen } from '../changes/claims.ts';
import { seeded } from '../changes/random.ts';

const PACKETS_A_CASE = 400;
const [cases = 20_000, seed = 1] = process.argv.slice(2).map(Number);

const random = seeded(seed);
const seen = nothingSeen();
const start = performance.now();
for (let n = 0; n < cases; n++) checkCase(random, PACKETS_A_CASE, seen);
const { kinds, ...counts } = seen;
console.table([{ seed, ...counts, seconds: Math.round((performance.now() - start) / 1000) }]);
console.table([Object.fromEntries(kinds)]);

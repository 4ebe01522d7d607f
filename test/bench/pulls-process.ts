// pulls simulated routers as the service would, so many at once, and says what it cost
import { createHmac, randomBytes } from 'node:crypto';
import { ciscoIos } from '../../devices/cisco-ios.ts';
import { pull } from '../../src/snapshots/pull.ts';
import { take } from '../../src/snapshots/take.ts';
import { createSlots } from '../../src/snapshots/turns.ts';

export interface PullsDone {
  readonly seconds: number;
  readonly pulled: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly ruleCount: number;
  /** VmHWM and /proc/<pid>/stat say the rest. */
  readonly peakMiB: number;
}

const [addresses, port, concurrency] = process.argv.slice(2);

async function run(): Promise<PullsDone> {
  const slots = createSlots(Number(concurrency));
  const key = randomBytes(32);
  const hash = (secret: string) => createHmac('sha256', key).update(secret).digest('hex').slice(0, 16);
  const failures: Record<string, number> = {};
  let [pulled, ruleCount] = [0, 0];
  const began = performance.now();
  await Promise.all(
    addresses.split(',').map((address) =>
      slots(async () => {
        const target = {
          name: address,
          address,
          port: Number(port),
          username: 'reader',
          credential: { password: 'correct-horse' },
        };
        try {
          const { text } = await pull(target, ciscoIos, { now: () => performance.now() });
          const { complete, text: redacted } = take(text, ciscoIos, hash);
          if (!complete) throw Object.assign(new Error('incomplete'), { code: 'incomplete' });
          ruleCount += ciscoIos.read(redacted).rules.length;
          pulled++;
        } catch (error) {
          const code = (error as { code?: string }).code ?? String(error);
          failures[code] = (failures[code] ?? 0) + 1;
        }
      }),
    ),
  );
  const seconds = (performance.now() - began) / 1000;
  return { seconds, pulled, failures, ruleCount, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

process.send?.(await run());
// The parent reads what was spent, then lets go.
process.on('message', () => process.exit());

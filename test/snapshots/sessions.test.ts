// every vendor's recorded session, played by a real SSH server to the real driver
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { definitions } from '../../devices/index.ts';
import { PosternError } from '../../src/model/errors.ts';
import { type PullResult, pull } from '../../src/snapshots/pull.ts';
import { take } from '../../src/snapshots/take.ts';
import {
  type Cut,
  ENABLE_PASSWORD,
  PASSWORD,
  type PlayedSession,
  playSession,
  type Recorded,
  recordedSessions,
  USER,
} from './session.ts';

const fixtures = join(import.meta.dirname, '../devices');
const hash = (secret: string) => `h${secret.length}`;
/** Long enough for a busy machine. */
const BOUNDS = { connectMs: 10_000, loginMs: 20_000, promptMs: 20_000, commandMs: 20_000, settleMs: 20 };
const PLACES = [0.03, 0.3, 0.6, 0.9];

async function playTo(
  definition: DeviceDefinition,
  recorded: Recorded,
  cut?: Cut,
): Promise<{ readonly result?: PullResult; readonly error?: unknown; readonly playing: PlayedSession }> {
  const { channel, loginSuffix } = definition.session;
  const playing = await playSession(recorded, { cut, loginSuffix: channel === 'shell' ? loginSuffix : '' });
  const target = {
    name: recorded.name,
    address: '127.0.0.1',
    port: playing.port,
    username: USER,
    credential: { password: PASSWORD, enablePassword: ENABLE_PASSWORD },
  };
  try {
    const result = await pull(target, definition, { now: () => performance.now(), bounds: BOUNDS });
    return { result, playing };
  } catch (error) {
    return { error, playing };
  } finally {
    await playing.stop();
  }
}

/** Blank lines at the end are the terminal's, not the configuration's. */
const linesOf = (text: string): string[] => text.trimEnd().split('\n');

async function playWhole(definition: DeviceDefinition, recorded: Recorded): Promise<void> {
  const { result, error, playing } = await playTo(definition, recorded);
  if (error) throw error;
  assert.deepEqual(playing.unexpected, [], 'only what the session knows is typed');
  const expected = take(readFileSync(join(recorded.folder, 'snapshot.cfg'), 'utf8'), definition, hash);
  const taken = take(result!.text, definition, hash);
  assert.deepEqual(linesOf(taken.text), linesOf(expected.text));
  assert.equal(taken.complete, true);
  assert.equal(taken.compareHash, expected.compareHash);
}

/** Where the parts of the configuration break off: four places along it, and in front of its last line. */
function cutsOf(definition: DeviceDefinition, recorded: Recorded): Cut[] {
  const { session, texts } = recorded;
  const kept = configurationCommands(definition);
  const steps = [...session.steps.keys()].filter((i) => kept.some((isRun) => isRun(session.steps[i].on)));
  const total = steps.reduce((sum, step) => sum + texts[step].length, 0);
  const at = (place: number): Omit<Cut, 'drops'> => {
    let left = Math.floor(total * place);
    for (const step of steps) {
      if (left < texts[step].length) return { step, length: left };
      left -= texts[step].length;
    }
    throw new RangeError('no such place');
  };
  const last = steps.at(-1)!;
  const length = texts[last].trimEnd().lastIndexOf('\n') + 1;
  const lineEnd = ({ step, length: end }: Omit<Cut, 'drops'>) =>
    texts[step].slice(0, end).lastIndexOf('\n') + 1;
  // A connection breaks anywhere, a device that gives up does so at the end of a line.
  return [...PLACES.map(at), { step: last, length }].map((cut, i) =>
    i % 2 === 1 ? { ...cut, drops: true } : { ...cut, length: lineEnd(cut), drops: false },
  );
}

/** Tells the commands whose output the snapshot holds; a name in them may be anything. */
function configurationCommands({ session }: DeviceDefinition): ((run: string) => boolean)[] {
  const all = (commands: typeof session.commands): typeof session.commands =>
    commands.flatMap((command) => [command, ...all(command.followedBy ?? [])]);
  return all(session.commands)
    .filter(({ yields }) => (yields ?? 'configuration') === 'configuration')
    .map(({ run }) => {
      const [before, ...after] = run.split('{name}');
      return (typed: string) => typed.startsWith(before) && typed.endsWith(after.at(-1) ?? before);
    });
}

async function playCut(definition: DeviceDefinition, recorded: Recorded, cut: Cut): Promise<void> {
  const { result, error } = await playTo(definition, recorded, cut);
  const where = `cut at ${cut.length} of \`${recorded.session.steps[cut.step].on}\``;
  assert.equal(result?.text, undefined, `${where}: no snapshot`);
  assert.ok(error instanceof PosternError, String(error));
  assert.match(error.code, /^(?:truncated|command-refused|connection-lost)$/, `${where}: ${error.message}`);
}

describe('recorded sessions of the vendors', { concurrency: 2 }, () => {
  for (const definition of definitions) {
    const recorded = recordedSessions(join(fixtures, definition.vendor));
    test(`${definition.vendor} has a recorded session`, () =>
      assert.ok(recorded.length > 0, 'no session.yaml stands beside its fixtures'));
    for (const each of recorded) {
      test(`${definition.vendor}/${each.name} is pulled whole`, () => playWhole(definition, each));
      test(`${definition.vendor}/${each.name} cut short is no snapshot`, async () => {
        const cuts = cutsOf(definition, each);
        assert.equal(cuts.length, 5);
        for (const cut of cuts) await playCut(definition, each, cut);
      });
    }
  }
});

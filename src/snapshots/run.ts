// a definition's commands, what each one shows -> the outputs, in order: conditions and repetitions are decided here
import type { DeviceCommand, DeviceDefinition } from '../../devices/definition.ts';
import { found } from './clean.ts';

export interface Output {
  /** As it was typed. */
  readonly command: string;
  readonly text: string;
  readonly yields: NonNullable<DeviceCommand['yields']>;
  readonly heading?: string;
}

/** Runs one command; undefined where the device refused one that is optional. */
export type RunOne = (command: DeviceCommand, run: string) => Promise<string | undefined>;

const MOST_NAMES = 512;
const LONGEST_NAME = 128;

/** Throws what `runOne` throws, and what `fail` makes of names that cannot be typed. */
export async function runCommands(
  commands: readonly DeviceCommand[],
  runOne: RunOne,
  fail: (message: string) => Error,
): Promise<Output[]> {
  const outputs: Output[] = [];
  /** The latest of each command, by its `run` as the definition has it. */
  const latest = new Map<string, string>();
  const runAll = async (list: readonly DeviceCommand[], name: string | undefined): Promise<void> => {
    for (const command of list) {
      if (!isWanted(command, latest)) continue;
      for (const each of command.forEach ? namesIn(command, latest, fail) : [name]) {
        const run = withName(command.run, each);
        const text = await runOne(command, run);
        if (text === undefined) continue;
        latest.set(command.run, text);
        const heading = command.heading === undefined ? undefined : withName(command.heading, each);
        outputs.push({ command: run, text, yields: command.yields ?? 'configuration', heading });
        await runAll(command.followedBy ?? [], each);
      }
    }
  };
  await runAll(commands, undefined);
  return outputs;
}

function isWanted({ when }: DeviceCommand, latest: ReadonlyMap<string, string>): boolean {
  if (!when) return true;
  const output = latest.get(when.command);
  if (output === undefined) return false;
  return (!when.shows || found(when.shows, output)) && !(when.lacks && found(when.lacks, output));
}

function namesIn(
  { forEach, run }: DeviceCommand,
  latest: ReadonlyMap<string, string>,
  fail: (message: string) => Error,
): string[] {
  const { command, name } = forEach!;
  const names = new Set<string>();
  // Only the first of a line: a name is what stands in its own place.
  const pattern = new RegExp(name.source, name.flags.replace(/[gy]/g, ''));
  for (const line of (latest.get(command) ?? '').split('\n')) {
    const found = pattern.exec(line)?.[1];
    if (found === undefined || found === '') continue;
    // What a device prints must not become another command.
    if (found.length > LONGEST_NAME || /\p{Cc}/u.test(found))
      throw fail(`\`${command}\` shows a name that cannot be typed for \`${run}\``);
    names.add(found);
    if (names.size > MOST_NAMES)
      throw fail(`\`${command}\` shows more than ${MOST_NAMES} names for \`${run}\``);
  }
  return [...names];
}

const withName = (text: string, name: string | undefined): string =>
  name === undefined ? text : text.replaceAll('{name}', () => name);

/** The end markers of which a complete snapshot has every one, or, where all depend on something, at least one. */
export function isComplete(definition: DeviceDefinition, texts: readonly string[]): boolean {
  const { commands } = definition.session;
  const always = kept(commands, ({ when, forEach, optional }) => !when && !forEach && !optional);
  const isThere = ({ endMarker }: DeviceCommand) => texts.some((text) => found(endMarker, text));
  return always.length > 0 ? always.every(isThere) : kept(commands, () => true).some(isThere);
}

/** Those of a kind whose output the snapshot holds, and those that follow them. */
const kept = (
  commands: readonly DeviceCommand[],
  isWanted: (command: DeviceCommand) => boolean,
): DeviceCommand[] =>
  commands
    .filter(isWanted)
    .flatMap((command) => [
      ...((command.yields ?? 'configuration') === 'configuration' ? [command] : []),
      ...kept(command.followedBy ?? [], isWanted),
    ]);

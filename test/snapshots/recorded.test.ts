// recorded sessions of real devices, played back to the driver; what another collector made of them; secrets and prompts
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import type { DeviceCommand, DeviceDefinition } from '../../devices/definition.ts';
import { definitionOf } from '../../devices/index.ts';
import { cleanLine, found } from '../../src/snapshots/clean.ts';
import { comparable } from '../../src/snapshots/compare.ts';
import { pull } from '../../src/snapshots/pull.ts';
import { take } from '../../src/snapshots/take.ts';
import { PASSWORD, USER } from './session.ts';
import { answerTo, outputOf, playSimulation, readSimulation, type Simulation } from './simulation.ts';
import { failsWith, OPTIONS, targetAt } from './targets.ts';

const FOLDER = new URL('../../../shared/corpora/transcripts/', import.meta.url);
const files = existsSync(FOLDER) ? readdirSync(FOLDER) : [];
const read = (file: string): string => readFileSync(new URL(encodeURIComponent(file), FOLDER), 'utf8');

interface Family {
  /** Our names for it; the first that has a definition counts. Empty: no vendor of ours. */
  readonly vendors: readonly string[];
  /** Outputs of commands of ours that the other collector does not run. */
  readonly instead?: Readonly<Record<string, string>>;
  /** A shell's prompt where an exec channel was recorded. */
  readonly prompt?: string;
  /** Played in the place of the recorded prompt, which is that of another shell of the device. */
  readonly promptInstead?: string;
  /** Lines that the other collector leaves out or rewrites, and we keep. */
  readonly theirs?: RegExp;
}

/** By the first word of a file's name. */
const FAMILIES: Readonly<Record<string, Family>> = {
  asa: { vendors: ['cisco-asa'] },
  eos: { vendors: ['arista-eos'] },
  // The LINA text of Firepower Threat Defense.
  firelinuxos: {
    vendors: ['cisco-asa'],
    instead: { 'show mode': 'Security context mode: single\n' },
    // Recorded in the shell around LINA, whose prompt is "> ".
    promptInstead: 'firepower# ',
    theirs: /^:(?: |$)/,
  },
  fortigate: { vendors: ['fortios'] },
  fortios: { vendors: ['fortios'] },
  h3c: { vendors: ['h3c-comware'] },
  ios: { vendors: ['cisco-ios'], theirs: /^ {2}expression / },
  junos: { vendors: ['junos'], prompt: 'ops@srx300> ' },
  linuxgeneric: { vendors: ['linux-nftables'] },
  nxos: { vendors: ['cisco-nxos'] },
  opnsense: { vendors: ['opnsense'] },
  pfsense: { vendors: ['pfsense'], theirs: /^\s*<\/?revision>|^\s*<(?:time|description|username)>/ },
  routeros: {
    vendors: ['mikrotik-routeros'],
    prompt: '[admin@MikroTik] > ',
    theirs: /^# (?:end of export|poe-out status: .*)$|^#? ?.{0,40}by RouterOS [\d.]+$/,
  },
  vyos: { vendors: ['vyos'] },
  aoscx: { vendors: [] },
  garderos: { vendors: [] },
  mlnxos: { vendors: [] },
  sonicos: { vendors: [] },
  tnsr: { vendors: [] },
};

const familyOf = (file: string): Family => FAMILIES[file.split('#')[0]] ?? { vendors: [] };
const definitionFor = ({ vendors }: Family): DeviceDefinition | undefined =>
  vendors.map(definitionOf).find((definition) => definition !== undefined);

/** Why a file is not played; false where it is. */
function skipOf(file: string): string | false {
  const family = familyOf(file);
  const name = file.split('#')[0];
  if (family.vendors.length === 0) return `${name} is none of the vendors`;
  return definitionFor(family) ? false : `there is no definition of ${family.vendors.join(' or ')} yet`;
}

function simulationOf(file: string): Simulation {
  const simulation = readSimulation(new URL(encodeURIComponent(file), FOLDER));
  const { promptInstead } = familyOf(file);
  if (promptInstead === undefined) return simulation;
  const { prompt } = simulation;
  const changed = (text: string) =>
    text.endsWith(prompt) ? text.slice(0, -prompt.length) + promptInstead : text;
  return {
    opening: changed(simulation.opening),
    prompt: promptInstead,
    steps: simulation.steps.map((step) => ({ ...step, shows: changed(step.shows) })),
  };
}

const isKept = ({ yields }: DeviceCommand): boolean => (yields ?? 'configuration') === 'configuration';

/** The command whose output is the configuration: the first of those that were recorded. */
function configurationOf(definition: DeviceDefinition, simulation: Simulation): DeviceCommand | undefined {
  const all = (commands: readonly DeviceCommand[]): DeviceCommand[] =>
    commands.flatMap((command) => [command, ...all(command.followedBy ?? [])]);
  return all(definition.session.commands).find(
    (command) => isKept(command) && answerTo(simulation, command.run) !== undefined,
  );
}

/** Pulls by the one command, with the end marker or without. */
async function pullOne(
  context: TestContext,
  file: string,
  simulation: Simulation,
  { run, endMarker }: DeviceCommand,
): Promise<string> {
  const family = familyOf(file);
  const definition = definitionFor(family)!;
  const playing = await playSimulation(simulation, {}, family.prompt ?? 'device> ');
  context.after(playing.stop);
  const target = targetAt(playing.port, { username: USER, credential: { password: PASSWORD } });
  const one = { ...definition, session: { ...definition.session, commands: [{ run, endMarker }] } };
  const { text } = await pull(target, one, OPTIONS);
  assert.deepEqual(playing.unexpected, []);
  return text;
}

/** As both sides mean it: without what changes by itself, what the other collector rewrites, and how lines are folded. */
function linesOf(text: string, definition: DeviceDefinition, theirs: RegExp = /^(?!)/): string[] {
  const unfolded = text.replace(/\r/g, '').replace(/\\\n {4}/g, '');
  return comparable(unfolded, definition)
    .split('\n')
    .map((line) => line.replace(/<!--.{0,200}-->$/, '').trimEnd())
    .filter((line) => line !== '' && !theirs.test(line));
}

/** Where the lines stand one after the other; the first that breaks the longest run is told. */
function assertContains(whole: readonly string[], part: readonly string[]): void {
  let best = -1;
  for (let from = 0; from <= whole.length; from++) {
    let length = 0;
    while (length < part.length && whole[from + length] === part[length]) length++;
    if (length === part.length) return;
    best = Math.max(best, length);
  }
  assert.fail(`line ${best + 1} of ${part.length} has no place there: ${part[best]}`);
}

const simulations = files.filter((name) => name.endsWith('simulation.yaml'));
const skip = simulations.length === 0 ? 'no recorded sessions here' : false;

describe('recorded sessions', { skip, concurrency: 2 }, () => {
  for (const file of simulations) {
    const stem = file.replace(/#(\w+_)?simulation\.yaml$/, (_all, prefix = '') => `#${prefix}`);
    test(file, { skip: skipOf(file) }, async (t) => {
      const family = familyOf(file);
      const definition = definitionFor(family)!;
      const simulation = simulationOf(file);
      const command = configurationOf(definition, simulation);
      if (!command) {
        const runs = definition.session.commands.filter(isKept).map(({ run }) => run);
        return t.skip(`what ${definition.vendor} runs was not recorded: ${runs.join('; ')}`);
      }
      const recorded = outputOf(simulation, answerTo(simulation, command.run)!);
      const isWhole = found(command.endMarker, recorded);
      // Some were cut for their publication: then the driver must refuse them.
      if (!isWhole)
        await assert.rejects(pullOne(t, file, simulation, command), failsWith('truncated', /lacks its end/));
      const text = await pullOne(t, file, simulation, isWhole ? command : { ...command, endMarker: /^/ });
      assertContains(
        linesOf(read(`${stem}output.txt`), definition, family.theirs),
        linesOf(text, definition, family.theirs),
      );
      t.diagnostic(`${command.run}: ${text.split('\n').length} lines${isWhole ? '' : ', of a part'}`);
      const secrets = `${stem}secret.yaml`;
      if (files.includes(secrets)) checkSecrets(secrets, text, definition);
      const changes = `${stem}significant_changes.yaml`;
      if (files.includes(changes)) checkChanges(changes, text, definition);
    });

    test(`${file}, all commands`, { skip: skipOf(file) }, async (t) => {
      const family = familyOf(file);
      const definition = definitionFor(family)!;
      const simulation = simulationOf(file);
      const { instead = {} } = family;
      const lacking = definition.session.commands.find((command) => {
        if (command.optional || command.when || command.forEach || command.run in instead) return false;
        const answer = answerTo(simulation, command.run);
        return !answer || !found(command.endMarker, outputOf(simulation, answer));
      });
      if (lacking) return t.skip(`\`${lacking.run}\` was not recorded, or only in part`);
      const optional = definition.session.commands.filter((command) => command.optional);
      const unknown = Object.fromEntries(optional.map(({ run }) => [run, undefined]));
      const playing = await playSimulation(
        simulation,
        { ...unknown, ...instead },
        family.prompt ?? 'device> ',
      );
      t.after(playing.stop);
      const target = targetAt(playing.port, { username: USER, credential: { password: PASSWORD } });
      const { text } = await pull(target, definition, OPTIONS);
      assert.deepEqual(playing.unexpected, []);
      assert.equal(take(text, definition, () => 'h').complete, true);
    });
  }
});

interface Lists {
  readonly pass?: readonly string[];
  readonly pass_with_expect?: readonly string[];
  readonly fail?: readonly string[];
}

/** What must not survive; and what must stand there in its place, whatever it is replaced by. */
function checkSecrets(file: string, text: string, definition: DeviceDefinition): void {
  const { pass = [], fail = [] } = parse(read(file)) as Lists;
  const { text: redacted } = take(text, definition, () => 'h');
  assert.ok(fail.length > 0);
  for (const secret of fail) assert.equal(redacted.includes(secret), false, `${secret} survives`);
  for (const pattern of pass) {
    const ours = pattern.replace(/<[\w ]+ (?:hidden|removed)>/g, '"?<removed:h>"?');
    assert.match(redacted, new RegExp(ours));
  }
}

/** Of what our command shows: `fail` must not count as a change, `pass` must. */
function checkChanges(file: string, text: string, definition: DeviceDefinition): void {
  const { pass = [], fail = [] } = parse(read(file)) as Lists;
  const counted = comparable(take(text, definition, () => 'h').text, definition);
  for (const part of fail) assert.equal(counted.includes(part), false, `${part} counts as a change`);
  for (const part of pass.filter((each) => text.includes(each)))
    assert.ok(counted.includes(part), `${part} counts as no change`);
}

describe('recorded prompts', { skip }, () => {
  for (const file of files.filter((name) => name.endsWith('#prompt.yaml')))
    test(file, { skip: skipOf(file) }, () => {
      const { prompt } = definitionFor(familyOf(file))!.session;
      const { pass = [], pass_with_expect = [], fail = [] } = parse(read(file)) as Lists;
      const isPrompt = (screen: string) => found(prompt, cleanLine(screen) ?? '');
      for (const screen of [...pass, ...pass_with_expect])
        assert.ok(isPrompt(screen), JSON.stringify(screen));
      for (const screen of fail) assert.ok(!isPrompt(screen), JSON.stringify(screen));
    });
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DeviceCommand, DeviceDefinition } from '../../devices/definition.ts';
import { definitionOf, definitions, recognise } from '../../devices/index.ts';
import { type Described, describeRuleSet } from '../../src/rules/describe.ts';
import { readRules } from '../../src/rules/read.ts';

const here = import.meta.dirname;
const root = join(here, '../..');

/** Lines of every day that no definition may take for a change of configuration. */
const ORDINARY_LINES = [
  'Nov 21 01:00:00 gw sshd[812]: Accepted publickey for ops from 10.0.0.7 port 50122 ssh2',
  'Nov 21 01:00:00 gw CRON[99]: (root) CMD (run-parts /etc/cron.hourly)',
  '%LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to up',
];

interface Fixture {
  readonly name: string;
  readonly folder: string;
  readonly text: string;
}

interface Expected {
  readonly rules: readonly Described[];
  readonly policies?: readonly Described[];
  readonly unread: readonly number[];
}

function fixturesOf(vendor: string): Fixture[] {
  const folder = join(here, vendor);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => statSync(join(folder, name)).isDirectory())
    .sort()
    .map((name) => ({
      name,
      folder: join(folder, name),
      text: readFileSync(join(folder, name, 'snapshot.cfg'), 'utf8'),
    }));
}

for (const definition of definitions) {
  test(`definition ${definition.vendor} keeps the invariants`, () => checkDefinition(definition));
  for (const fixture of fixturesOf(definition.vendor)) {
    test(`fixture ${definition.vendor}/${fixture.name} reads as expected`, () =>
      checkRules(definition, fixture));
    test(`fixture ${definition.vendor}/${fixture.name} is complete, and cut short it is not`, () => {
      const end = configurationCommands(definition).at(-1)!.endMarker;
      assert.match(fixture.text, end);
      const lines = fixture.text.trimEnd().split('\n');
      assert.doesNotMatch(lines.slice(0, -1).join('\n'), end);
    });
    test(`fixture ${definition.vendor}/${fixture.name} keeps no secret`, async (t) => {
      if (!existsSync(join(root, 'src/snapshots/redact.ts')))
        return t.skip('src/snapshots/redact.ts is missing');
      await checkRedaction(definition, fixture);
    });
  }
}

test('each vendor has one definition', () => {
  assert.equal(new Set(definitions.map(({ vendor }) => vendor)).size, definitions.length);
  for (const definition of definitions) assert.equal(definitionOf(definition.vendor), definition);
});

const withThose = (command: DeviceCommand): DeviceCommand[] => [
  command,
  ...(command.followedBy ?? []).flatMap(withThose),
];

/** Those whose output every snapshot has. */
const configurationCommands = ({ session }: DeviceDefinition) =>
  session.commands.filter(
    ({ yields, when, forEach }) => (yields ?? 'configuration') === 'configuration' && !when && !forEach,
  );

function checkDefinition(definition: DeviceDefinition): void {
  const { vendor, session } = definition;
  const source = readFileSync(join(root, 'devices', `${vendor}.ts`), 'utf8');
  assert.ok(source.trimEnd().split('\n').length <= 120, 'a definition has at most 120 lines');
  assert.match(vendor, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  assert.ok(definition.recognise.length > 0 && session.commands.length > 0);
  assert.ok(definition.volatile.length > 0 && definition.secrets.length > 0);
  assert.ok(definition.changedBy.length > 0 && definition.knownGaps.length > 0);
  if (session.channel === 'shell') assert.doesNotMatch('interface Ethernet0', session.prompt);
  assert.ok(configurationCommands(definition).length > 0);
  for (const { run, endMarker, yields } of session.commands.flatMap(withThose)) {
    if (yields !== 'nothing') assert.doesNotMatch('', endMarker, `${run}: an empty output is never complete`);
    assert.doesNotMatch(run, /[\r\n]/);
  }
  const fixtures = fixturesOf(vendor);
  assert.ok(fixtures.length > 0, 'a definition is proven by fixtures');
  for (const { pattern, example } of definition.secrets) {
    assert.ok(example.search(pattern) >= 0, `${pattern} does not match its example`);
    const proven = fixtures.some(({ text }) => text.split('\n').some((line) => line.search(pattern) >= 0));
    assert.ok(proven, `no fixture has a line for ${pattern}`);
  }
  for (const pattern of definition.changedBy)
    for (const line of ORDINARY_LINES) assert.ok(line.search(pattern) < 0, `${pattern} matches: ${line}`);
  for (const { name, text } of fixtures) {
    assert.equal(recognise(text)?.vendor, vendor, `${name} is not recognised`);
    if (definition.layout) assert.equal(definition.layout(text), text, `${name} is not laid out`);
  }
}

/** Compares what the expected file states: a field that it leaves out is not compared; a rule or line that it leaves out is a failure. */
function checkRules(definition: DeviceDefinition, { folder, text }: Fixture): void {
  const expected = JSON.parse(readFileSync(join(folder, 'rules.json'), 'utf8')) as Expected;
  const { ruleSet } = readRules(text);
  const actual = describeRuleSet(ruleSet);
  assert.deepEqual(projectAll(actual.rules, expected.rules), expected.rules);
  if (expected.policies) assert.deepEqual(projectAll(actual.policies, expected.policies), expected.policies);
  assert.deepEqual(actual.unread, expected.unread);
  const lines = text.split('\n');
  const keys = new Set(ruleSet.rules.map(({ key }) => key));
  assert.equal(keys.size, ruleSet.rules.length, 'keys are unique');
  for (const { lines: standing } of [...ruleSet.rules, { lines: ruleSet.unread }])
    for (const line of standing) assert.equal(line.text, lines[line.number - 1]);
  for (const { entries } of ruleSet.policies)
    for (const { ruleKey } of entries) assert.ok(keys.has(ruleKey), `no rule has the key ${ruleKey}`);
  assert.deepEqual(definition.read(text), ruleSet);
}

function projectAll(actual: readonly Described[], expected: readonly Described[]): unknown[] {
  return actual.map((item, i) => project(item, expected[i]));
}

function project(actual: unknown, expected: unknown): unknown {
  if (!isRecord(actual) || !isRecord(expected)) return actual;
  return Object.fromEntries(
    Object.keys(expected).map((name) => [name, project(actual[name], expected[name])]),
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function checkRedaction(definition: DeviceDefinition, { folder, text }: Fixture): Promise<void> {
  const { redact } = await import('../../src/snapshots/redact.ts');
  const hash = (secret: string) => `h${secret.length}`;
  const redacted = redact(text, definition, hash);
  assert.equal(redact(redacted, definition, hash), redacted, 'redaction is idempotent');
  assert.equal(redacted.split('\n').length, text.split('\n').length, 'line numbers stay');
  const secretsFile = join(folder, 'secrets.txt');
  if (!existsSync(secretsFile)) return;
  for (const secret of readFileSync(secretsFile, 'utf8').split('\n').filter(Boolean)) {
    assert.ok(text.includes(secret), `${secret} is not in the fixture`);
    assert.ok(!redacted.includes(secret), `${secret} survives`);
  }
}

test('the README lists each vendor by its name and title', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const { vendor, title } of definitions)
    assert.ok(readme.includes(`| \`${vendor}\` | ${title} |`), `README.md lacks ${vendor}: ${title}`);
});

// what holds for the configuration of any vendor: every fixture of test/devices
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { definitions } from '../../devices/index.ts';
import { diffRuleSets } from '../../src/changes/diff.ts';
import { describeOpening } from '../../src/changes/present.ts';
import type { Opening } from '../../src/model/change.ts';
import type { RuleSet } from '../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';

const site = { internal: DEFAULT_INTERNAL };
const devices = join(import.meta.dirname, '../devices');
const NOTHING: RuleSet = { rules: [], policies: [], interfaces: [], unread: [] };
const texts = (openings: readonly Opening[]) => openings.map(describeOpening).sort();

for (const definition of definitions) {
  const folder = join(devices, definition.vendor);
  const fixtures = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of fixtures) {
    const file = join(folder, name, 'snapshot.cfg');
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const read = () => definition.read(definition.layout?.(text) ?? text);

    test(`${definition.vendor}/${name}: read twice it differs in nothing`, () => {
      assert.deepEqual(diffRuleSets(read(), read(), site), []);
    });

    test(`${definition.vendor}/${name}: what all of it together opens, taking it away closes`, () => {
      const ruleSet = read();
      const all = (changes: ReturnType<typeof diffRuleSets>, list: 'opens' | 'closes') =>
        texts(changes.flatMap((change) => change[list]));
      const [added, removed] = [diffRuleSets(NOTHING, ruleSet, site), diffRuleSets(ruleSet, NOTHING, site)];
      for (const change of [...added, ...removed])
        assert.equal(change.approximate, undefined, change.ruleKey);
      assert.deepEqual(new Set(all(removed, 'closes')), new Set(all(added, 'opens')));
      assert.deepEqual(new Set(all(removed, 'opens')), new Set(all(added, 'closes')));
    });
  }
}

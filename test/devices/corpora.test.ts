// configurations of others: each is read, and how much of what bears rules is not understood
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { definitionOf, definitions, recognise } from '../../devices/index.ts';

const CORPORA = join(import.meta.dirname, '../../../shared/corpora/configs');
/** Folders whose name is not the vendor's. */
const FOLDERS: Readonly<Record<string, string>> = {
  juniper_junos: 'junos',
  paloalto_panos: 'panos',
  fortinet_fortios: 'fortios',
};
/** No reader is planned for these (Check Point's rules come from its management API). */
const WITHOUT_READER = ['a10', 'checkpoint'];
const MOST_UNREAD = 0.02;

test('configurations of others are read, and under 2% of the lines of sections that bear rules are not understood', (t) => {
  if (!existsSync(CORPORA)) return t.skip('the corpora are not beside this checkout');
  let [unreadOfAll, linesOfAll] = [0, 0];
  for (const folder of readdirSync(CORPORA).filter((name) => !WITHOUT_READER.includes(name))) {
    const vendor = FOLDERS[folder] ?? folder.replaceAll('_', '-');
    const definition = definitionOf(vendor);
    assert.ok(definition, `nothing reads ${folder}`);
    let [unreadCount, lineCount, ruleCount] = [0, 0, 0];
    const strangers: string[] = [];
    for (const name of readdirSync(join(CORPORA, folder), { recursive: true, encoding: 'utf8' })) {
      const file = join(CORPORA, folder, name);
      if (!statSync(file).isFile()) continue;
      const text = readFileSync(file, 'utf8');
      const laidOut: string = definition.layout?.(text) ?? text;
      const { rules, unread } = definition.read(laidOut);
      const bearing = new Set(rules.flatMap(({ lines }) => lines.map(({ number }) => number)));
      for (const { number } of unread) {
        assert.ok(number >= 1 && number <= laidOut.split('\n').length);
        bearing.add(number);
      }
      if (recognise(text) !== definition) strangers.push(`${name} (${recognise(text)?.vendor})`);
      unreadCount += unread.length;
      lineCount += bearing.size;
      ruleCount += rules.length;
    }
    t.diagnostic(
      `${vendor}: ${ruleCount} rules on ${lineCount} lines, ${unreadCount} unread${
        strangers.length > 0 ? `; not recognised by itself: ${strangers.join(', ')}` : ''
      }`,
    );
    unreadOfAll += unreadCount;
    linesOfAll += lineCount;
  }
  t.diagnostic(`all: ${unreadOfAll} of ${linesOfAll} lines unread, of ${definitions.length} vendors`);
  assert.ok(unreadOfAll < linesOfAll * MOST_UNREAD, `${unreadOfAll} of ${linesOfAll} lines are unread`);
});

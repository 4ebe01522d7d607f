import assert from 'node:assert/strict';
import { test } from 'node:test';
import { an0926 } from '../../src/analytics/an0926.ts';
import { evidence, facts, group, question } from './fixtures.ts';

test('an alert says which exporter was left out, and for which', () => {
  const judge = (shownTwice?: Parameters<typeof evidence>[1]) =>
    an0926.judge(facts(), question, evidence([group(30_000, 10)], shownTwice), an0926.parameters as never)
      .notes;
  const of = { exporter: '192.0.2.2', interface: 3, elected: { exporter: '192.0.2.1', interface: 7 } };
  const note =
    'what 192.0.2.2 shows on interface 3 is left out where 192.0.2.1 shows the same on interface 7';
  assert.ok(judge({ shownTwice: [of] }).includes(note), judge({ shownTwice: [of] }).join());
  assert.ok(!judge().join().includes('left out'));
});

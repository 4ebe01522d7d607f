import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { analytics } from '../../src/analytics/index.ts';
import { readParameters } from '../../src/analytics/parameters.ts';

const folder = mkdtempSync(join(tmpdir(), 'postern-parameters-'));
after(() => rmSync(folder, { recursive: true }));
const file = (text: string) => {
  const path = join(folder, 'parameters.json');
  writeFileSync(path, text);
  return path;
};

test('a file replaces the parameters that it names', () => {
  const of = readParameters(file('{"AN0926": {"FlowThreshold": {"packetsPerMinute": 7}}}'));
  assert.deepEqual(of(analytics[0]).FlowThreshold, { packetsPerMinute: 7 });
  assert.equal(of(analytics[0]).WatchHours, 24);
  assert.equal(readParameters(undefined)(analytics[0]).WatchHours, 24);
});

test('unknown analytics and parameters, and a file that is none, are refused by name', () => {
  assert.throws(() => readParameters(file('{"AN9999": {}}')), { code: 'bad-setting', message: /AN9999/ });
  assert.throws(() => readParameters(file('{"AN0926": {"Flow": 1}}')), {
    code: 'bad-setting',
    message: /Flow/,
  });
  assert.throws(() => readParameters(file('[]')), { code: 'bad-setting' });
  assert.throws(() => readParameters(join(folder, 'nowhere')), { code: 'bad-setting', message: /nowhere/ });
});

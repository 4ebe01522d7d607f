// imports go one way: model <- devices, enrichment, rules, packets <- the stages <- jobs <- app <- main; types may go up
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');

/** A file may import values from its own layer and from lower ones. */
const LAYERS: readonly (readonly [RegExp, number])[] = [
  [/^src\/model\//, 0],
  [/^(devices|enrichment|src\/rules|src\/packets)\//, 1],
  [/^src\/(settings|services)\.ts$/, 3],
  [/^src\/web\/plugin\.ts$/, 4],
  [/^src\/[a-z]+\/(plugin|settings)\.ts$/, 3],
  [/^enrichment\/plugin\.ts$/, 3],
  [/^src\/(audit|web)\//, 4],
  [/^jobs\//, 4],
  [/^src\/(app|serve)\.ts$/, 5],
  [/^src\/demo\//, 5],
  [/^src\/main\.ts$/, 6],
  [/^src\/postern\.mjs$/, 7],
  [/^src\//, 2],
];

const layerOf = (file: string): number => LAYERS.find(([pattern]) => pattern.test(file))?.[1] ?? 9;

function sources(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(join(root, path)).isDirectory()) return sources(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

/** Relative imports of values; `import type` and imports of types only do not count. */
function valueImports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found: string[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(?!type\b)([^;'"]*?)\s*from\s+'(\.[^']+)'/gms)) {
    const names = /\{([^}]*)\}/
      .exec(match[1])?.[1]
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    const isTypesOnly =
      names !== undefined && !/^\w/.test(match[1].trim()) && names.every((name) => name.startsWith('type '));
    if (!isTypesOnly) found.push(relative(root, resolve(root, dirname(file), match[2])));
  }
  return found;
}

const files = ['src', 'devices', 'enrichment', 'jobs'].flatMap(sources);

test('every file has a layer', () => {
  assert.ok(files.length > 50);
  assert.deepEqual(
    files.filter((file) => layerOf(file) === 9),
    [],
  );
});

test('values are imported from the same layer or a lower one', () => {
  const upward = files.flatMap((file) =>
    valueImports(file)
      .filter((target) => layerOf(target) > layerOf(file))
      .map((target) => `${file} imports ${target}`),
  );
  assert.deepEqual(upward, []);
});

// src/snapshots/command.ts reads the one variable that the person names for a password.
test('only src/settings.ts and the launcher read the environment', () => {
  const readers = files.filter((file) => /\bprocess\.env\b/.test(readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(
    readers.filter((file) => file !== 'src/settings.ts' && file !== 'src/snapshots/command.ts'),
    [],
  );
});

test('no source file is longer than 400 lines', () => {
  const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 400);
  assert.deepEqual(long, []);
});

// configurations cut, mangled and grown: no reader throws, none takes more than linear time, no cut text is complete
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { definitions } from '../../devices/index.ts';
import { redact } from '../../src/snapshots/redact.ts';
import { take } from '../../src/snapshots/take.ts';

const MUTATIONS = 40;
const CUTS = 60;
/** Lines of this many characters must not cost more than eight times what an eighth of them does, and some noise. */
const LONG = 131_072;
const SHORT = LONG / 8;
const SUSPECT_MS = 60;
const MOST_GROWTH = 8 * 3;

function fixtures(vendor: string): { name: string; text: string }[] {
  const folder = join(import.meta.dirname, vendor);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, text: readFileSync(join(folder, name, 'snapshot.cfg'), 'utf8') }));
}

/** A linear congruential generator: the same numbers on every run. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const hash = (secret: string) => `h${secret.length}`;

for (const definition of definitions) {
  const all = fixtures(definition.vendor);
  test(`${definition.vendor}: no text that is cut counts as complete with rules missing`, () => {
    const random = generator(1);
    const keysOf = (text: string) => definition.read(text).rules.map(({ key }) => key);
    for (const { name, text } of all) {
      // A cut that takes away nothing but comments takes away nothing.
      const lines = text.split('\n');
      while (lines.length > 1 && /^\s*(?:[#!;:/].*)?$/.test(lines[lines.length - 1])) lines.pop();
      const end = lines.join('\n').length;
      const lastLine = text.lastIndexOf('\n', end - 1);
      for (let i = 0; i < CUTS; i++) {
        const at = i < 10 ? Math.max(0, lastLine - i * 3) : random(Math.max(1, lastLine));
        const cut = text.slice(0, at);
        if (!take(cut, definition, hash).complete) continue;
        // Complete it may be only where nothing of the configuration is gone.
        assert.deepEqual(keysOf(cut), keysOf(text), `${name} cut at ${at} of ${end}`);
      }
    }
  });
  test(`${definition.vendor}: mangled texts are read without an exception`, () => {
    const random = generator(2);
    for (const { name, text } of all)
      for (let i = 0; i < MUTATIONS; i++) {
        const mangled = mangle(text, random);
        try {
          const { unread, rules } = definition.read(mangled);
          const lineCount = mangled.split('\n').length;
          for (const { number } of unread) assert.ok(number >= 1 && number <= lineCount);
          assert.equal(new Set(rules.map(({ key }) => key)).size, rules.length, 'keys are unique');
          redact(mangled, definition, hash);
        } catch (error) {
          throw new Error(`${name}, mutation ${i}: ${(error as Error).stack}`);
        }
      }
  });
  test(`${definition.vendor}: no line takes more than linear time`, (t) => checkGrowth(definition, all, t));
}

function mangle(text: string, random: (below: number) => number): string {
  const lines = text.split('\n');
  for (let step = random(6) + 1; step > 0; step--) {
    const at = random(lines.length);
    switch (random(7)) {
      case 0:
        lines.splice(at, random(20) + 1);
        break;
      case 1:
        lines[at] = flip(lines[at] ?? '', random);
        break;
      case 2:
        lines.splice(at, 0, ...lines.slice(random(lines.length)).slice(0, 30));
        break;
      case 3:
        lines[at] = (lines[at] ?? '').slice(0, random(40));
        break;
      case 4:
        lines[at] = `${lines[at]} ${lines[random(lines.length)]}`;
        break;
      case 5:
        lines[at] = (lines[at] ?? '').split(' ').reverse().join(' ');
        break;
      default:
        lines[at] = `${lines[at]?.replace(/\d+/g, () => String(random(2) ? 4_294_967_296 : -1))}`;
    }
    if (lines.length === 0) lines.push('');
  }
  return lines.join('\n');
}

function flip(line: string, random: (below: number) => number): string {
  if (line === '') return '\u0000';
  const at = random(line.length);
  const flipped = String.fromCharCode(line.charCodeAt(at) ^ (1 << random(8)));
  return line.slice(0, at) + flipped + line.slice(at + 1);
}

/** Every line, and every one of its words and blanks, repeated up to a length. */
function checkGrowth(
  definition: DeviceDefinition,
  all: readonly { readonly text: string }[],
  t: { diagnostic: (text: string) => void },
): void {
  const shapes = new Map<string, string>();
  for (const { text } of all)
    for (const line of text.split('\n')) {
      const shape = line
        .trim()
        .replace(/[\d.]+/g, '0')
        .split(/\s+/)
        .slice(0, 3)
        .join(' ');
      if (line.trim() !== '' && shapes.size < 80) shapes.set(shape, line);
    }
  let slowest = 0;
  for (const line of shapes.values()) {
    const words = line.trim().split(/\s+/);
    const grown = (length: number) => [
      `${line}${` ${words.at(-1)}`.repeat(Math.ceil(length / (words.at(-1)!.length + 1)))}`.slice(0, length),
      `${words[0]}${' '.repeat(length)}${words.at(-1)}`,
      `${line} `.repeat(Math.ceil(length / (line.length + 1))).slice(0, length),
      `${line.slice(0, -1)}${line.slice(-1).repeat(length)}`,
    ];
    const long = grown(LONG);
    const short = grown(SHORT);
    for (const [index, text] of long.entries()) {
      const tookMs = least(definition, text, 1);
      slowest = Math.max(slowest, tookMs);
      if (tookMs < SUSPECT_MS) continue;
      const ratio = least(definition, text, 3) / Math.max(least(definition, short[index], 3), 0.5);
      assert.ok(
        ratio < MOST_GROWTH,
        `${ratio.toFixed(0)} times as long for eight times of: ${text.slice(0, 120)}`,
      );
    }
  }
  t.diagnostic(`${shapes.size} lines grown to ${LONG} characters, the slowest took ${slowest.toFixed(0)} ms`);
}

function least(definition: DeviceDefinition, text: string, times: number): number {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    definition.read(text);
    redact(text, definition, hash);
    for (const pattern of [...definition.volatile, ...definition.changedBy]) text.search(pattern);
    for (const { pattern } of definition.recognise) text.search(pattern);
    leastMs = Math.min(leastMs, performance.now() - began);
  }
  return leastMs;
}

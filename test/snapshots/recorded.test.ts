// recorded sessions of real routers, played back
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { definitionOf } from '../../devices/index.ts';
import { pull } from '../../src/snapshots/pull.ts';
import { take } from '../../src/snapshots/take.ts';
import { play } from './play.ts';

const FOLDER = new URL('../../../shared/corpora/transcripts/', import.meta.url);
const files = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => name.startsWith('ios#') && name.endsWith('#simulation.yaml'))
  : [];
const skip = files.length === 0 ? 'no recorded sessions here' : false;

describe('recorded sessions', { skip }, () => {
  for (const file of files) {
    for (const pager of [
      undefined,
      { question: ' --More-- ', lines: 23, erase: '\b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b' },
    ])
      test(`${file}${pager ? ', paged' : ''}`, async (t) => {
        const { greeting, prompt, output } = recorded(
          readFileSync(new URL(encodeURIComponent(file), FOLDER), 'utf8'),
        );
        assert.match(output, /^end$/m);
        const playing = await play({
          hostName: prompt.slice(0, -1),
          username: 'reader',
          password: 'correct horse',
          greeting,
          commands: { 'show running-config': output },
          pager,
        });
        t.after(playing.stop);
        const definition = definitionOf('cisco-ios')!;
        const { text } = await pull(
          {
            name: 'recorded',
            address: '127.0.0.1',
            port: playing.port,
            username: 'reader',
            credential: { password: 'correct horse' },
          },
          definition,
          { now: () => performance.now() },
        );
        assert.deepEqual(text.trimEnd().split('\n'), output.trimEnd().split('\n'));
        const { complete, compareHash } = take(text, definition, () => 'h');
        assert.equal(complete, true);
        assert.equal(compareHash, take(output, definition, () => 'h').compareHash);
      });
  }
});

/** Reads the two blocks of the file that are needed; it is YAML with block texts whose characters may be escaped. */
function recorded(yaml: string): { greeting: string; prompt: string; output: string } {
  const lines = yaml.split('\n');
  const block = (head: string) => {
    const start = lines.findIndex((line) => line.includes(head)) + 1;
    const indent = /^ */.exec(lines.slice(start).find((line) => line.trim() !== '') ?? '')![0];
    const body: string[] = [];
    for (let i = start; i < lines.length && (lines[i].trim() === '' || lines[i].startsWith(indent)); i++)
      body.push(lines[i].slice(indent.length));
    return body
      .map((line) => line.replace(/\\x([0-9a-f]{2})|\\(.)/gi, unescaped))
      .join('\n')
      .trimEnd();
  };
  const screen = block('init_prompt:');
  const at = screen.lastIndexOf('\n') + 1;
  const shown = block('"show running-config\\n":');
  // Without the echo in front and the prompt behind.
  const output = shown.slice(shown.indexOf('\n') + 1, shown.lastIndexOf('\n') + 1);
  return { greeting: screen.slice(0, at), prompt: screen.slice(at), output };
}

function unescaped(_all: string, hex: string | undefined, character: string): string {
  if (hex) return String.fromCharCode(Number.parseInt(hex, 16));
  return { r: '\r', n: '\n', t: '\t', b: '\b', e: '\x1b', a: '\x07' }[character] ?? character;
}

// configuration text of Junos -> its policies as lines of text, and its other form, for the tests here
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { junos } from '../../../devices/junos.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { entryText } from '../../../src/rules/describe.ts';

export const read = (text: string) => junos.read(text);
export const fixture = (name: string) => readFileSync(join(import.meta.dirname, name, 'snapshot.cfg'), 'utf8');
const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
export const diff = (before: string, after: string) => diffRuleSets(read(before), read(after), site);
export const kinds = (before: string, after: string) =>
  diff(before, after).map(({ ruleKey, kind }) => `${kind} ${ruleKey}`);

export const ZONES = `
set interfaces ge-0/0/0 unit 0 family inet address 198.51.100.2/24
set interfaces ge-0/0/1 unit 0 family inet address 10.1.0.1/16
set security zones security-zone out interfaces ge-0/0/0.0
set security zones security-zone in interfaces ge-0/0/1.0
`;

export function entries(text: string, stage: Stage): string[] {
  return read(ZONES + text)
    .policies.filter((policy) => policy.stage === stage)
    .flatMap((policy) => policy.entries.map(entryText));
}

export const unread = (text: string): string[] => read(text).unread.map((line) => line.text.trim());

/** What `| display set` shows of a configuration in braces that has a statement a line. */
export function displaySet(braces: string): string {
  const path: string[] = [];
  const lines: string[] = [];
  const off: string[] = [];
  for (const line of braces.split('\n')) {
    let text = line.replace(/## SECRET-DATA$/, '').trim();
    if (text === '' || text.startsWith('#') || text.startsWith('/*')) continue;
    if (text === '}') {
      path.pop();
      continue;
    }
    const isOff = text.startsWith('inactive: ');
    text = text.replace(/^(?:inactive|protect|replace): /, '');
    const words = text.replace(/[;{]$/, '').trim();
    const list = /^(.*?) \[ (.*) \]$/.exec(words);
    const here = [...path, list ? list[1] : words].join(' ');
    if (isOff) off.push(`deactivate ${here}`);
    if (text.endsWith('{')) path.push(words);
    else if (list) for (const item of list[2].split(' ')) lines.push(`set ${here} ${item}`);
    else lines.push(`set ${here}`);
  }
  return [...lines, ...off, '[edit]', ''].join('\n');
}

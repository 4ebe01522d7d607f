// configuration text of PAN-OS -> its policies as lines of text, for the tests here
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { panos } from '../../../devices/panos.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { entryText } from '../../../src/rules/describe.ts';

export const read = (text: string) => panos.read(text);
export const fixture = (name: string) => readFileSync(join(import.meta.dirname, name, 'snapshot.cfg'), 'utf8');
const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
export const diff = (before: string, after: string) => diffRuleSets(read(before), read(after), site);

export const ZONES = `
set network interface ethernet ethernet1/1 layer3 ip 198.51.100.2/24
set network interface ethernet ethernet1/2 layer3 ip 10.1.0.1/16
set zone out network layer3 ethernet1/1
set zone in network layer3 ethernet1/2
`;

export function entries(text: string, stage: Stage): string[] {
  return read(ZONES + text)
    .policies.filter((policy) => policy.stage === stage)
    .flatMap((policy) => policy.entries.map(entryText));
}

export const unread = (text: string): string[] => read(text).unread.map((line) => line.text.trim());

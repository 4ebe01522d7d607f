// configuration text -> its policies as lines of text, for the tests here
import { ciscoAsa } from '../../../devices/cisco-asa.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../../src/model/site.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';

export const SIDES = `ASA Version 9.8(4)
interface Gi1
 nameif outside
 security-level 0
 ip address 203.0.113.1 255.255.255.0
interface Gi2
 nameif inside
 security-level 100
 ip address 10.0.0.1 255.255.255.0
object network A
 host 10.0.0.5
object network B
 host 203.0.113.5
object network LOCAL
 host 10.0.0.250
object network FAR
 host 192.0.2.77
`;

export const read = (text: string) => ciscoAsa.read(text);

export const entries = (text: string, stage: Stage): string[] =>
  describeRuleSet(read(text))
    .policies.filter((policy) => policy.stage === stage)
    .flatMap(({ entries: steps }) => steps as string[]);

export const unread = (text: string): string[] => read(text).unread.map((line) => line.text.trim());

/** "added egress-relay", one for each change. */
export const changes = (before: string, after: string): string[] =>
  diffRuleSets(read(before), read(after), { internal: DEFAULT_INTERNAL }).map(
    (change) => `${change.kind} ${change.class}`,
  );

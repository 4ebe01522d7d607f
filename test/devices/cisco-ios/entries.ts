// configuration text -> its policies as lines of text, for the tests here
import { ciscoIos } from '../../../devices/cisco-ios.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';

export const SIDES = `
interface Gi1
 ip address 10.0.0.1 255.255.255.0
 ip nat inside
interface Gi2
 ip address 203.0.113.1 255.255.255.0
 ip nat outside
`;

export const read = (text: string) => ciscoIos.read(text);

/** "Gi1 > Gi2: translate ..." for each entry of a stage. */
export function entries(text: string, stage: Stage): string[] {
  return describeRuleSet(read(text))
    .policies.filter((policy) => policy.stage === stage)
    .flatMap(({ ingress, egress, entries: steps }) =>
      (steps as string[]).map((step) => `${ingress} > ${egress}: ${step}`),
    );
}

export const unread = (text: string): string[] => read(text).unread.map((line) => line.text.trim());

// pieces of RouterOS exports, and what is read of them, for the tests here
import { mikrotikRouteros } from '../../../devices/mikrotik-routeros.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';

export const read = (text: string) => mikrotikRouteros.read(text);

export function entries(text: string, stage: Stage): string[] {
  return describeRuleSet(read(text))
    .policies.filter((one) => one.stage === stage)
    .flatMap((one) => one.entries as string[]);
}

export const unread = (text: string): string[] => read(text).unread.map((line) => line.text.trim());

/** A menu with items, one a line. */
export const menu = (path: string, ...items: string[]): string => [`/${path}`, ...items, ''].join('\n');
export const filter = (...items: string[]): string =>
  menu('ip firewall filter', ...items.map((item) => `add ${item}`));
export const nat = (...items: string[]): string =>
  menu('ip firewall nat', ...items.map((item) => `add ${item}`));

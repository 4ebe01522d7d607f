// pieces of FortiOS configuration, and what is read of them, for the tests here
import { fortios } from '../../../devices/fortios.ts';
import type { Stage } from '../../../src/model/rule.ts';
import { describeRuleSet } from '../../../src/rules/describe.ts';

export const read = (text: string) => fortios.read(text);

/** "config <section>" with entries: name -> settings, one a line. */
export const section = (name: string, entries: Readonly<Record<string, string>>): string =>
  [
    `config ${name}`,
    ...Object.entries(entries).flatMap(([entry, settings]) => [
      `    edit ${entry}`,
      ...settings
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
        .map((line) => (/^(?:config|edit|next|end|unset)/.test(line) ? line : `        set ${line}`)),
      '    next',
    ]),
    'end',
    '',
  ].join('\n');

/** Settings of a policy from `srcintf` to `dstintf`; `more` is added, one setting a line. */
export const policy = (from: string, to: string, srcaddr: string, dstaddr: string, more = ''): string =>
  `srcintf ${from}\ndstintf ${to}\nsrcaddr ${srcaddr}\ndstaddr ${dstaddr}\naction accept\nschedule always\nservice ALL\n${more}`;

export function entries(text: string, stage: Stage): string[] {
  return describeRuleSet(read(text))
    .policies.filter((one) => one.stage === stage)
    .flatMap((one) => one.entries as string[]);
}

export const unread = (text: string): string[] => read(text).unread.map((line) => line.text.trim());

export const ADDRESSES = section('firewall address', {
  lan: 'subnet 10.1.0.0 255.255.255.0',
  server: 'subnet 10.2.0.80 255.255.255.255',
});

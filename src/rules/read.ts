// configuration text -> rules, policies and unread lines, by the vendor's own definition
import type { DeviceDefinition } from '../../devices/definition.ts';
import { definitionOf, definitions, recognise } from '../../devices/index.ts';
import { PosternError } from '../model/errors.ts';
import type { RuleSet } from '../model/rule.ts';

export interface ReadConfiguration {
  readonly definition: DeviceDefinition;
  readonly ruleSet: RuleSet;
  /** The text that line numbers refer to: the input, laid out in lines where the vendor has a layout. */
  readonly text: string;
}

/**
 * Reads a configuration with the definition of `vendor`, or with the one that recognises the text.
 * Throws PosternError `unknown-vendor` or `unrecognised-configuration`; a recognised text never throws.
 */
export function readRules(text: string, vendor?: string): ReadConfiguration {
  const definition = vendor === undefined ? recognise(text) : definitionOf(vendor);
  if (!definition && vendor !== undefined)
    throw new PosternError(
      'unknown-vendor',
      `no vendor is called ${JSON.stringify(vendor.slice(0, 64))}; known: ${definitions.map((d) => d.vendor).join(', ')}`,
    );
  if (!definition)
    throw new PosternError(
      'unrecognised-configuration',
      `this is not the output of a command that Postern reads; name the vendor, or give what one of these prints: ${commandList(definitions)}`,
    );
  const laidOut = definition.layout?.(text) ?? text;
  const ruleSet = definition.read(laidOut);
  if (vendor !== undefined && ruleSet.rules.length === 0 && recognise(text) !== definition)
    throw new PosternError(
      'unrecognised-configuration',
      `nothing in this text reads as ${definition.vendor}; give what this prints: ${definition.title}`,
    );
  return { definition, ruleSet, text: laidOut };
}

function commandList(of: readonly DeviceDefinition[]): string {
  return of.map(({ title, vendor }) => `${title} (${vendor})`).join('; ');
}

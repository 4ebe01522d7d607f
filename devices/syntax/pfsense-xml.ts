// config.xml of pfSense and OPNsense: its elements, flags and lines
import type { SourceLine } from '../../src/model/rule.ts';
import { numberedLines } from './indent.ts';
import { MAX_LINES } from './objects.ts';
import { withoutMarks } from './panos-text.ts';
import { child, children, readXml, textAt, type XmlNode } from './xml.ts';

export type Sense = 'pfsense' | 'opnsense';

export interface SenseText {
  readonly sense: Sense;
  readonly root: XmlNode | undefined;
  readonly linesOf: (node: XmlNode | undefined) => SourceLine[];
  /** Lines at which the text stops being XML. */
  readonly broken: readonly SourceLine[];
}

export function readSenseText(text: string, sense: Sense): SenseText {
  const lines = numberedLines(text);
  const { root, error } = readXml(withoutMarks(text));
  const broken = error && lines[error.number - 1];
  return {
    sense,
    root,
    linesOf: (node) =>
      node ? lines.slice(node.number - 1, Math.min(node.endNumber, node.number - 1 + MAX_LINES)) : [],
    broken: broken ? [broken] : [],
  };
}

/** pfSense says yes by an element's presence; OPNsense by a value that PHP takes for true. */
export function flag(node: XmlNode | undefined, name: string, sense: Sense): boolean {
  const found = child(node, name);
  if (!found) return false;
  return sense === 'pfsense' ? !/^(?:no|0|off)$/i.test(found.text) : !/^(?:0|no|off)?$/i.test(found.text);
}

/** Whether an OPNsense model or a package has its `enabled` set. */
export const isOn = (text: string | undefined): boolean => /^(?:1|yes|on|true|enabled)$/i.test(text ?? '');

/** "a,b c" -> words; a line end or `||` parts them as well. */
export const wordsOf = (text: string | undefined): string[] =>
  (text ?? '').split(/[\s,|]+/, 20_000).filter((word) => word !== '');

/** Elements of a name directly under a path. */
export const all = (node: XmlNode | undefined, ...path: readonly string[]): XmlNode[] =>
  children(child(node, ...path.slice(0, -1)), path.at(-1) ?? '');

export const uuidOf = (node: XmlNode): string | undefined => node.attributes.uuid || undefined;

/** Everything of a text that could be long is cut for people. */
export const shortly = (text: string): string => text.slice(0, 1_024);

export { child, children, textAt, type XmlNode };

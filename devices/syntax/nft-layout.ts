// `nft -j` output (one long line) -> one object a line, one set or map element a line
import type { SourceLine } from '../../src/model/rule.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** One object of the "nftables" array with the line that it begins on, and the lines of its elements where it has any. */
export interface NftObject {
  readonly kind: string;
  readonly body: JsonObject;
  readonly line: SourceLine;
  readonly elementLines: readonly SourceLine[];
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Laid out anew; what does not parse as nftables JSON is given back as it is. */
export function layoutNftJson(output: string): string {
  const objects = parseNftJson(output);
  if (!objects) return output;
  const lines = ['{"nftables":['];
  objects.forEach(({ line, elementLines }, i) => {
    lines.push(line.text);
    for (const { text } of elementLines) lines.push(text);
    if (elementLines.length > 0) lines.push(i + 1 < objects.length ? CLOSE_ELEMENTS_COMMA : CLOSE_ELEMENTS);
  });
  lines.push(']}', '');
  return lines.join('\n');
}

const CLOSE_ELEMENTS = ']}}';
const CLOSE_ELEMENTS_COMMA = `${CLOSE_ELEMENTS},`;

/** The objects with the lines they have in the laid out text; undefined where the text is no nftables JSON. */
export function parseNftJson(text: string): NftObject[] | undefined {
  const list = rootList(text);
  if (!list) return undefined;
  let number = 2;
  return list.map((item, i) => {
    const comma = i + 1 < list.length ? ',' : '';
    const [kind, body] = isObject(item) ? (Object.entries(item)[0] ?? ['', null]) : ['', null];
    const elements =
      isObject(body) && isObject(item) && Object.keys(item).length === 1 ? body.elem : undefined;
    const first = number++;
    if (!isObject(body) || !isList(elements) || elements.length === 0) {
      const line = { number: first, text: JSON.stringify(item) + comma };
      return { kind, body: isObject(body) ? body : {}, line, elementLines: [] };
    }
    // "elem" goes last, so that its elements can follow one a line.
    const { elem: _, ...rest } = body;
    const head = JSON.stringify({ [kind]: { ...rest, elem: [] } }).slice(0, -CLOSE_ELEMENTS.length);
    const elementLines = elements.map((element, j) => ({
      number: number++,
      text: JSON.stringify(element) + (j + 1 < elements.length ? ',' : ''),
    }));
    number++;
    return { kind, body, line: { number: first, text: head }, elementLines };
  });
}

function rootList(text: string): readonly Json[] | undefined {
  // Behind the JSON stands the line that proves the command's end.
  const end = text.lastIndexOf('}');
  try {
    const root = JSON.parse(text.slice(0, end + 1)) as Json;
    return isObject(root) && isList(root.nftables) ? root.nftables : undefined;
  } catch {
    return undefined;
  }
}

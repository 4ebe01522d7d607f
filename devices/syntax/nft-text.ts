// `nft list ruleset` or nftables.conf -> objects as parseNftJson gives them, with the lines of the text
import type { SourceLine } from '../../src/model/rule.ts';
import { numberedLines } from './indent.ts';
import type { Json, JsonObject, NftObject } from './nft-layout.ts';
import { elementOf, parseRule } from './nft-text-rule.ts';
import { braced, type Cursor, isAtEnd, next, peek, skip, type Word, wordsOf } from './nft-text-words.ts';

/** A statement up to the end of its line, or a block in braces with its statements. */
interface Part {
  readonly words: readonly Word[];
  readonly parts?: Part[];
}

const MAX_DEPTH = 8;
/** Blocks whose braces hold statements; all other braces are sets and maps. */
const BLOCKS = /^(?:table|chain|set|map|flowtable|counter|quota|limit|ct|secmark|synproxy|meter)$/;

/** Undefined where the text has no table. `unread`: statements outside of tables, which nft would run one by one. */
export function parseNftText(
  text: string,
): { readonly objects: NftObject[]; readonly unread: SourceLine[] } | undefined {
  if (!/^\s*table\s/m.test(text)) return undefined;
  const objects: NftObject[] = [];
  const unread: SourceLine[] = [];
  for (const part of partsOf(text)) {
    if (part.words[0]?.text !== 'table' || !part.parts) {
      if (!/^(?:flush|destroy)$/.test(part.words[0]?.text ?? '')) unread.push(...linesOf(part));
      continue;
    }
    const [family, name] =
      part.words.length > 2 ? [part.words[1].text, part.words[2].text] : ['ip', part.words[1]?.text ?? ''];
    tableObjects(family, name, part, objects, unread);
  }
  return {
    objects: [...objects.filter(isDeclaration), ...objects.filter((one) => !isDeclaration(one))],
    unread,
  };
}

/** A rule may stand before the chain or the set that it names. */
const isDeclaration = ({ kind }: NftObject): boolean => kind !== 'rule';

function linesOf({ words, parts }: Part): SourceLine[] {
  const own = [...new Map(words.map(({ line }) => [line.number, line])).values()];
  return parts ? [...own, ...parts.flatMap(linesOf)] : own;
}

function partsOf(text: string): Part[] {
  const top: Part[] = [];
  const open: Part[][] = [top];
  let words: Word[] = [];
  let depth = 0;
  const end = () => {
    if (words.length > 0) open[open.length - 1].push({ words });
    words = [];
    depth = 0;
  };
  for (const line of numberedLines(text)) {
    for (const word of wordsOf(line)) {
      const mark = word.quoted ? undefined : word.text;
      if (mark === '{' && depth === 0 && opensBlock(words, open.length)) {
        const parts: Part[] = [];
        open[open.length - 1].push({ words, parts });
        open.push(parts);
        words = [];
      } else if (mark === '}' && depth === 0) {
        end();
        if (open.length > 1) open.pop();
      } else if (mark === ';' && depth === 0) end();
      else {
        if (mark === '{') depth++;
        if (mark === '}') depth--;
        words.push(word);
      }
    }
    if (depth === 0) end();
  }
  end();
  return top;
}

/** In a table its objects, at the top the table: a chain's statements have sets only. */
const opensBlock = (words: readonly Word[], level: number): boolean =>
  level < Math.min(3, MAX_DEPTH) && BLOCKS.test(words[0]?.text ?? '') && words.length <= 4;

function tableObjects(
  family: string,
  table: string,
  part: Part,
  objects: NftObject[],
  unread: SourceLine[],
): void {
  const flags = part
    .parts!.filter(({ words }) => words[0]?.text === 'flags')
    .flatMap(({ words }) => words.slice(1));
  const body = { family, name: table, flags: flags.map(({ text }) => text).filter((text) => text !== ',') };
  objects.push(object('table', body, part));
  for (const inner of part.parts!) {
    const [kind, name] = inner.words.map(({ text }) => text);
    if (!inner.parts) {
      if (!/^(?:flags|comment)$/.test(kind)) unread.push(...linesOf(inner));
    } else if (kind === 'chain') chainObjects({ family, table }, name, inner, objects);
    else if (kind === 'set' || kind === 'map') objects.push(setObject({ family, table }, kind, name, inner));
    else objects.push(object(kind === 'ct' ? `ct ${name}` : kind, { family, table, name }, inner));
  }
}

const object = (kind: string, body: JsonObject, { words }: Part): NftObject => ({
  kind,
  body,
  line: words[0].line,
  elementLines: [],
});

interface Place {
  readonly family: string;
  readonly table: string;
}

function chainObjects(place: Place, name: string, part: Part, objects: NftObject[]): void {
  const heads = part.parts!.filter(({ words }) => /^(?:type|policy|comment)$/.test(words[0]?.text ?? ''));
  const hook = heads.find(({ words }) => words[0].text === 'type');
  const policy = heads.find(({ words }) => words[0].text === 'policy')?.words[1]?.text;
  objects.push(
    object(
      'chain',
      { ...place, name, ...(hook ? hookOf(hook.words) : {}), ...(policy ? { policy } : {}) },
      part,
    ),
  );
  for (const inner of part.parts!) {
    if (heads.includes(inner)) continue;
    const { statements, comment } = parseRule(inner.words);
    const body = { ...place, chain: name, expr: statements, ...(comment === undefined ? {} : { comment }) };
    objects.push(object('rule', body, inner));
  }
}

/** linux/netfilter_ipv4.h, enum nf_ip_hook_priorities; nft(8): names in the bridge family are others, and none is read here. */
const PRIORITIES: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
  out: 100,
};

/** `type filter hook forward priority filter + 10`, `device "eth0"`, `devices = { eth0, eth1 }` */
function hookOf(words: readonly Word[]): JsonObject {
  const cursor: Cursor = { words, at: 1 };
  const type = next(cursor);
  const body: Record<string, Json> = { type };
  while (!isAtEnd(cursor)) {
    if (skip(cursor, 'hook')) body.hook = next(cursor);
    else if (skip(cursor, 'device')) body.dev = next(cursor);
    else if (skip(cursor, 'devices')) {
      skip(cursor, '=');
      body.dev = braced(cursor)
        .flat()
        .map(({ text }) => text);
    } else if (skip(cursor, 'priority')) body.prio = priorityOf(cursor);
    else cursor.at++;
  }
  return body;
}

function priorityOf(cursor: Cursor): number {
  const first = next(cursor);
  const base = Object.hasOwn(PRIORITIES, first) ? PRIORITIES[first] : Number(first);
  const sign = peek(cursor) === '+' ? 1 : peek(cursor) === '-' ? -1 : 0;
  if (sign === 0) return Number.isFinite(base) ? base : 0;
  cursor.at++;
  const offset = Number(next(cursor));
  return base + sign * (Number.isFinite(offset) ? offset : 0);
}

function setObject(place: Place, kind: string, name: string, part: Part): NftObject {
  const type = part.parts!.find(({ words }) => words[0]?.text === 'type')?.words.slice(1) ?? [];
  const elements = part.parts!.find(({ words }) => words[0]?.text === 'elements');
  const at = elements?.words.findIndex(({ text, quoted }) => text === '{' && !quoted) ?? -1;
  const items = elements && at >= 0 ? braced({ words: elements.words, at }) : [];
  return {
    kind,
    body: { ...place, name, type: type.map(({ text }) => text), elem: items.map(elementOf) },
    line: part.words[0].line,
    elementLines: items.map((item) => item[0].line),
  };
}

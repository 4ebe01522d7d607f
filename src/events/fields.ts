// "key=value key="value" msg='key=value'" -> fields; the form of audit records and of several firewalls

const MAX_FIELDS = 1000;
const [SPACE, EQUALS, COMMA] = [0x20, 0x3d, 0x2c];

/**
 * The first of each key, as written, quotes included only in `quoted`. Linear in the text. A value in single quotes holds
 * fields itself; they come under their own keys. A bracketed word behind a value belongs to it: `subj=docker (enforce)`.
 */
export function readFields(text: string, quoted: Set<string> = new Set()): Map<string, string> {
  const fields = new Map<string, string>();
  readInto(fields, quoted, text, 0, true);
  return fields;
}

function readInto(
  fields: Map<string, string>,
  quoted: Set<string>,
  text: string,
  from: number,
  isOuter: boolean,
) {
  for (let at = from; at < text.length && fields.size < MAX_FIELDS; ) {
    const equals = text.indexOf('=', at);
    if (equals < 0) return;
    let start = equals;
    while (start > at && !isBetween(text.charCodeAt(start - 1))) start--;
    const key = text.slice(text[start] === '(' ? start + 1 : start, equals);
    const mark = text[equals + 1];
    if (mark === "'" && isOuter && key === 'msg') {
      const close = text.lastIndexOf("'");
      const end = close > equals + 1 ? close : text.length;
      readInto(fields, quoted, text.slice(equals + 2, end), 0, false);
      at = end + 1;
      continue;
    }
    const end = valueEnd(text, equals + 1);
    const isQuoted = mark === '"';
    if (key !== '' && !fields.has(key)) {
      fields.set(key, isQuoted ? text.slice(equals + 2, end - 1) : text.slice(equals + 1, end));
      if (isQuoted) quoted.add(key);
    }
    at = Math.max(end, equals + 1);
  }
}

const isBetween = (code: number) => code === SPACE || code === COMMA || code === EQUALS;

function valueEnd(text: string, start: number): number {
  if (text[start] === '"') {
    const close = text.indexOf('"', start + 1);
    return close < 0 ? text.length + 1 : close + 1;
  }
  // Enriched fields may stand right behind.
  if (text.startsWith('(null)', start)) return start + 6;
  const space = text.indexOf(' ', start);
  if (space < 0) return text.length;
  if (text[space + 1] !== '(') return space;
  const close = text.indexOf(')', space);
  const isWord = close > 0 && close - space < 40 && !text.slice(space, close).includes('=');
  return isWord ? close + 1 : space;
}

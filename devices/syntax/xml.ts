// XML -> a tree of elements with the lines on which they stand
import sax from 'sax';

export interface XmlNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Its own text, trimmed. */
  readonly text: string;
  /** 1-based lines of its first and last tag. */
  readonly number: number;
  readonly endNumber: number;
  readonly children: readonly XmlNode[];
}

interface Open extends XmlNode {
  text: string;
  endNumber: number;
  readonly children: Open[];
}

export interface XmlText {
  /** What was read up to the first error; undefined where there is no element at all. */
  readonly root?: XmlNode;
  readonly error?: { readonly message: string; readonly number: number };
}

const MAX_DEPTH = 200;
const MAX_NODES = 3_000_000;

/** Never throws. Entities other than those of XML itself are not resolved, so nothing outside of the text is read. */
export function readXml(text: string): XmlText {
  const parser = sax.parser(true, { position: true });
  const open: Open[] = [];
  let root: Open | undefined;
  let count = 0;
  let number = 1;
  let error: XmlText['error'];
  // Nothing behind an error is read: the parser would find another at every character.
  const fail = (message: string): never => {
    error = { message: message.split('\n', 1)[0], number: parser.line + 1 };
    throw STOP;
  };
  parser.onopentagstart = () => {
    number = parser.line + 1;
  };
  parser.onopentag = ({ name, attributes }) => {
    if (++count > MAX_NODES) fail('too many elements');
    if (open.length >= MAX_DEPTH) fail('elements too deep');
    const node: Open = {
      name,
      attributes: attributes as Record<string, string>,
      text: '',
      number,
      endNumber: number,
      children: [],
    };
    if (open.length > 0) open[open.length - 1].children.push(node);
    else root ??= node;
    open.push(node);
  };
  const addText = (part: string) => {
    if (open.length > 0) open[open.length - 1].text += part;
  };
  parser.ontext = addText;
  parser.oncdata = addText;
  parser.onclosetag = () => {
    const node = open.pop();
    if (!node) return;
    node.text = node.text.trim();
    node.endNumber = parser.line + 1;
  };
  parser.onerror = (cause) => fail(cause.message);
  try {
    for (let at = 0; at < text.length; at += CHUNK) parser.write(text.slice(at, at + CHUNK));
    parser.close();
  } catch (cause) {
    if (cause !== STOP) throw cause;
  }
  for (const node of open) node.text = node.text.trim();
  return { ...(root ? { root } : {}), ...(error ? { error } : {}) };
}

/** Less than the parser keeps of one text. */
const CHUNK = 32_768;
const STOP = Symbol('stop');

/** The first element down a path of names. */
export function child(node: XmlNode | undefined, ...path: readonly string[]): XmlNode | undefined {
  let found = node;
  for (const name of path) found = found?.children.find((one) => one.name === name);
  return found;
}

/** All elements of a name directly under one. */
export const children = (node: XmlNode | undefined, name: string): XmlNode[] =>
  node?.children.filter((one) => one.name === name) ?? [];

/** The text of the first element down a path; undefined where there is none or it is empty. */
export const textAt = (node: XmlNode | undefined, ...path: readonly string[]): string | undefined =>
  child(node, ...path)?.text || undefined;

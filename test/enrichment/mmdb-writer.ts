// records by prefix -> a MaxMind DB file (format 2.0), enough of it to test readers with
import { addressSet, mapped } from '../../src/model/addresses.ts';

export interface MmdbRow {
  /** IPv4 or IPv6 prefix; later rows win. */
  readonly prefix: string;
  readonly record: Readonly<Record<string, string | number>>;
}

type Node = [Child, Child];
/** A node, a data offset, or nothing. */
type Child = Node | number | undefined;

/** Writes an IPv6 tree of 32-bit records, IPv4 below ::/96 as the format has it. */
export function writeMmdb(rows: readonly MmdbRow[], databaseType = 'Test-ASN'): Buffer {
  const data: Buffer[] = [];
  const offsets = new Map<string, number>();
  let dataLength = 0;
  const offsetOf = (record: MmdbRow['record']): number => {
    const key = JSON.stringify(record);
    const known = offsets.get(key);
    if (known !== undefined) return known;
    const bytes = encodeMap(record);
    offsets.set(key, dataLength);
    data.push(bytes);
    dataLength += bytes.length;
    return offsets.get(key) as number;
  };
  const root: Node = [undefined, undefined];
  for (const { prefix, record } of rows) insert(root, prefix, offsetOf(record));
  const nodes = number(root);
  const tree = writeTree(nodes);
  const metadata = encodeMap({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: databaseType,
    ip_version: 6,
    node_count: nodes.size,
    record_size: 32,
  });
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    metadata,
  ]);
}

function insert(root: Node, prefix: string, offset: number): void {
  const { v4, v6 } = addressSet(prefix);
  const first = v4.length > 0 ? mapped(v4[0]) & 0xffff_ffffn : v6[0];
  const size = v4.length > 0 ? BigInt(v4[1] - v4[0] + 1) : v6[1] - v6[0] + 1n;
  const length = 128 - (size.toString(2).length - 1);
  let node = root;
  for (let depth = 0; depth < length; depth++) {
    const bit = Number((first >> BigInt(127 - depth)) & 1n);
    if (depth === length - 1) node[bit] = offset;
    else {
      const child = node[bit];
      const next: Node = Array.isArray(child) ? child : [child, child];
      node[bit] = next;
      node = next;
    }
  }
}

function number(root: Node): Map<Node, number> {
  const numbers = new Map<Node, number>([[root, 0]]);
  for (const node of numbers.keys())
    for (const child of node) if (Array.isArray(child)) numbers.set(child, numbers.size);
  return numbers;
}

function writeTree(nodes: Map<Node, number>): Buffer {
  const tree = Buffer.alloc(nodes.size * 8);
  for (const [node, index] of nodes)
    node.forEach((child, side) => {
      const value =
        child === undefined
          ? nodes.size
          : typeof child === 'number'
            ? nodes.size + 16 + child
            : (nodes.get(child) as number);
      tree.writeUInt32BE(value, index * 8 + side * 4);
    });
  return tree;
}

function encodeMap(record: Readonly<Record<string, string | number>>): Buffer {
  const parts = Object.entries(record).flatMap(([key, value]) => [
    encodeString(key),
    typeof value === 'string' ? encodeString(value) : encodeUint32(value),
  ]);
  return Buffer.concat([Buffer.from([0xe0 | Object.keys(record).length]), ...parts]);
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const head = bytes.length < 29 ? [0x40 | bytes.length] : [0x5d, bytes.length - 29];
  return Buffer.concat([Buffer.from(head), bytes]);
}

function encodeUint32(value: number): Buffer {
  const bytes = Buffer.from([0xc4, 0, 0, 0, 0]);
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

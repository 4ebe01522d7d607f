// pieces of IP datagrams -> whole ones, in bounded memory (RFC 791 section 3.2, RFC 8200 section 4.5)

export interface Fragments {
  /** Takes one piece; returns the whole body when it is the last that was missing. */
  add(id: string, offset: number, hasMore: boolean, body: Uint8Array, atMs: number): Uint8Array | undefined;
  /** Datagrams given up (incomplete for too long, overlapping, pushed out), and those still incomplete. */
  lost(): number;
}

interface Pieces {
  readonly firstAtMs: number;
  readonly parts: { readonly offset: number; readonly body: Uint8Array }[];
  /** Known once the last piece came. */
  totalBytes: number;
  bytes: number;
  /** What came of it: kept for a while, because copies of its pieces may follow. */
  whole: Uint8Array | undefined;
}

const MOST_DATAGRAMS = 256;
const MOST_PARTS = 256;
const MOST_BYTES = 65_535;
/** RFC 8200 section 4.5. */
const WAIT_MS = 60_000;

export function createFragments(): Fragments {
  const open = new Map<string, Pieces>();
  let lost = 0;
  const giveUp = (id: string): undefined => {
    if (!open.get(id)?.whole) lost++;
    open.delete(id);
  };
  return {
    add(id, offset, hasMore, body, atMs) {
      for (const [key, pieces] of open) {
        if (atMs - pieces.firstAtMs <= WAIT_MS && open.size <= MOST_DATAGRAMS) break;
        giveUp(key);
      }
      const known = open.get(id);
      const end = offset + body.length;
      // A copy of the same piece is no overlap (RFC 8200 section 4.5): captures on several interfaces hold each twice.
      if (known?.whole && isSame(known.whole.subarray(offset, end), body)) return undefined;
      if (known?.whole) open.delete(id);
      const pieces =
        known && !known.whole
          ? known
          : { firstAtMs: atMs, parts: [], totalBytes: -1, bytes: 0, whole: undefined };
      if (pieces.parts.some((part) => part.offset === offset && isSame(part.body, body))) return undefined;
      open.set(id, pieces);
      const overlaps = pieces.parts.some(
        (part) => offset < part.offset + part.body.length && part.offset < end,
      );
      if (overlaps || end > MOST_BYTES || body.length === 0 || pieces.parts.length >= MOST_PARTS)
        return giveUp(id);
      pieces.parts.push({ offset, body: body.slice() });
      pieces.bytes += body.length;
      if (!hasMore) pieces.totalBytes = end;
      if (pieces.bytes !== pieces.totalBytes) return undefined;
      pieces.whole = join(pieces);
      if (!pieces.whole) return giveUp(id);
      pieces.parts.length = 0;
      return pieces.whole;
    },
    lost: () => lost + [...open.values()].filter(({ whole }) => !whole).length,
  };
}

/** undefined where a piece lies behind the last one. */
function join({ parts, totalBytes }: Pieces): Uint8Array | undefined {
  const whole = new Uint8Array(totalBytes);
  for (const part of parts) {
    if (part.offset + part.body.length > totalBytes) return undefined;
    whole.set(part.body, part.offset);
  }
  return whole;
}

const isSame = (a: Uint8Array, b: Uint8Array) => a.length === b.length && Buffer.compare(a, b) === 0;

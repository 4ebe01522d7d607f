// pieces of IP datagrams -> whole ones, in bounded memory (RFC 791 section 3.2, RFC 8200 section 4.5)

export interface Fragments {
  /** Takes one piece; returns the whole body when it is the last that was missing. */
  add(id: string, offset: number, hasMore: boolean, body: Uint8Array, atMs: number): Uint8Array | undefined;
  /** Datagrams given up: incomplete for too long, overlapping, or pushed out. */
  lost(): number;
}

interface Pieces {
  readonly firstAtMs: number;
  readonly parts: { readonly offset: number; readonly body: Uint8Array }[];
  /** Known once the last piece came. */
  totalBytes: number;
  bytes: number;
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
    open.delete(id);
    lost++;
  };
  return {
    add(id, offset, hasMore, body, atMs) {
      for (const [key, pieces] of open) {
        if (atMs - pieces.firstAtMs <= WAIT_MS && open.size <= MOST_DATAGRAMS) break;
        giveUp(key);
      }
      const pieces = open.get(id) ?? { firstAtMs: atMs, parts: [], totalBytes: -1, bytes: 0 };
      open.set(id, pieces);
      const end = offset + body.length;
      const overlaps = pieces.parts.some(
        (part) => offset < part.offset + part.body.length && part.offset < end,
      );
      if (overlaps || end > MOST_BYTES || body.length === 0 || pieces.parts.length >= MOST_PARTS)
        return giveUp(id);
      pieces.parts.push({ offset, body: body.slice() });
      pieces.bytes += body.length;
      if (!hasMore) pieces.totalBytes = end;
      if (pieces.bytes !== pieces.totalBytes) return undefined;
      open.delete(id);
      const whole = new Uint8Array(pieces.totalBytes);
      for (const part of pieces.parts) {
        if (part.offset + part.body.length > whole.length) return undefined;
        whole.set(part.body, part.offset);
      }
      return whole;
    },
    lost: () => lost,
  };
}

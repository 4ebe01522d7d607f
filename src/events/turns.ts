// pieces of many senders -> worked one after the other, each sender in its turn, so that no sender delays the others
export interface Turns<Piece> {
  /** False where the sender has its share waiting and the piece was not taken; `isHeld` takes it all the same. */
  push(sender: string, piece: Piece, byteCount: number, isHeld: boolean): boolean;
  /** Looks again at senders whose pieces could not be worked. */
  wake(): void;
  /** Works all that waits, whether there is room or not. */
  end(): void;
}

export interface TurnOptions<Piece> {
  /** Of all that waits; a sender may have as much waiting as is left. */
  readonly maxBytes: number;
  /** False leaves the piece, and all of the sender behind it, until `wake`. */
  readonly mayWork: (sender: string, piece: Piece) => boolean;
  readonly work: (sender: string, piece: Piece) => void;
}

interface Line<Piece> {
  pieces: { readonly piece: Piece; readonly byteCount: number }[];
  head: number;
  byteCount: number;
}

/** Worked of one sender before the next has its turn. */
const TURN_BYTES = 4096;
/** Worked before the sockets are looked at again: what their buffers hold meanwhile must not run over. */
const RUN_BYTES = 16_384;
/** What a piece takes besides its bytes. */
const PIECE_BYTES = 200;
const SHORTEN_AT = 1024;

export function createTurns<Piece>({ maxBytes, mayWork, work }: TurnOptions<Piece>): Turns<Piece> {
  /** In the order of their turns. */
  const lines = new Map<string, Line<Piece>>();
  const stalled = new Map<string, Line<Piece>>();
  let waitingBytes = 0;
  let isDue = false;

  const schedule = () => {
    if (isDue || lines.size === 0) return;
    isDue = true;
    setImmediate(run);
  };
  /** Bytes worked. */
  const workOne = (sender: string, line: Line<Piece>): number => {
    const { piece, byteCount } = line.pieces[line.head];
    // Before the work: that may ask for what waits.
    line.head++;
    line.byteCount -= byteCount;
    waitingBytes -= byteCount;
    if (line.head >= SHORTEN_AT) {
      line.pieces = line.pieces.slice(line.head);
      line.head = 0;
    }
    work(sender, piece);
    return byteCount;
  };
  const turn = (sender: string, line: Line<Piece>): number => {
    let worked = 0;
    while (line.head < line.pieces.length && worked < TURN_BYTES) {
      if (!mayWork(sender, line.pieces[line.head].piece)) {
        lines.delete(sender);
        stalled.set(sender, line);
        return worked;
      }
      worked += workOne(sender, line);
    }
    lines.delete(sender);
    if (line.head < line.pieces.length) lines.set(sender, line);
    return worked;
  };
  const run = () => {
    isDue = false;
    let left = RUN_BYTES;
    for (const [sender, line] of lines) {
      left -= turn(sender, line);
      if (left <= 0) break;
    }
    schedule();
  };
  const wake = () => {
    for (const [sender, line] of stalled) lines.set(sender, line);
    stalled.clear();
    schedule();
  };
  return {
    push: (sender, piece, pieceBytes, isHeld) => {
      const byteCount = pieceBytes + PIECE_BYTES;
      let line = lines.get(sender) ?? stalled.get(sender);
      if (!isHeld && (line?.byteCount ?? 0) + byteCount > maxBytes - waitingBytes) return false;
      if (!line) {
        line = { pieces: [], head: 0, byteCount: 0 };
        lines.set(sender, line);
      }
      line.pieces.push({ piece, byteCount });
      line.byteCount += byteCount;
      waitingBytes += byteCount;
      schedule();
      return true;
    },
    wake,
    end: () => {
      wake();
      for (const [sender, line] of lines) {
        lines.delete(sender);
        while (line.head < line.pieces.length) workOne(sender, line);
      }
    },
  };
}

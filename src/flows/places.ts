// sessions of exporters -> who keeps a place when more come than there are: those that proved themselves before strangers
//
// Anybody can forge source addresses. A session is silent until it hands out a record, then new; it is proven when it still
// does so a minute later. For a newcomer a proven one goes that was silent for an hour, else the longest unheard silent one,
// else the longest unheard new one, so a flood of strangers moves nobody who was there before it. What is taken up after a
// restart was proven before. Connections end by themselves and are bounded where they are accepted.
import type { ExporterSession } from '../packets/session.ts';
import type { Exporter } from './exporters.ts';

export type Standing = 'silent' | 'new' | 'proven' | 'connection';

export interface Session {
  readonly exporter: Exporter;
  readonly port: number;
  readonly decoder: ExporterSession;
  lastSeenMs: number;
  /** When it first handed out a record; 0: it never did. */
  firstRecordMs: number;
  standing: Standing;
  /** Its lastSeenMs when it was last put at the end of its line. */
  placedMs: number;
  before: Session | undefined;
  behind: Session | undefined;
}

/** The longest unheard first, but for those that were heard since they were placed. */
interface Line {
  first: Session | undefined;
  last: Session | undefined;
  count: number;
}

export interface Places {
  readonly most: number;
  readonly lines: Readonly<Record<Standing, Line>>;
  /** Evictions of this second. */
  second: number;
  inSecond: number;
}

const PROOF_MS = 60_000;
/** Exporters of quiet sites are silent for minutes, and their templates come every half hour. */
const PROVEN_SILENCE_MS = 3_600_000;
/** A flood of strangers moves this many of its own; the rest of it is refused, which costs least. */
const EVICTIONS_A_SECOND = 1000;
/** Sessions heard since they were placed that one search puts back. Each was paid for by a datagram. */
const MOST_PUT_BACK = 64;

export function createPlaces(most: number): Places {
  const line = (): Line => ({ first: undefined, last: undefined, count: 0 });
  return {
    most,
    lines: { silent: line(), new: line(), proven: line(), connection: line() },
    second: 0,
    inSecond: 0,
  };
}

export function sessionCount({ lines }: Places): number {
  return lines.silent.count + lines.new.count + lines.proven.count + lines.connection.count;
}

/** Strangers need some room to prove themselves in. */
const mostProven = ({ most }: Places) => most - Math.ceil(most / 8);

/** Whether there is a place for one more; `evict` is called with who has to go for it. */
export function makePlace(places: Places, nowMs: number, evict: (session: Session) => void): boolean {
  const { silent, new: fresh, proven } = places.lines;
  if (silent.count + fresh.count + proven.count < places.most) return true;
  const second = Math.floor(nowMs / 1000);
  if (second !== places.second) {
    places.second = second;
    places.inSecond = 0;
  }
  if (places.inSecond >= EVICTIONS_A_SECOND) return false;
  const session = longestSilent(proven, nowMs) ?? longestUnheard(silent) ?? longestUnheard(fresh);
  if (!session) return false;
  places.inSecond++;
  evict(session);
  return true;
}

export function placeSession(places: Places, session: Session): void {
  append(places.lines[session.standing], session);
}

export function leavePlace(places: Places, session: Session): void {
  remove(places.lines[session.standing], session);
}

/** Called with each datagram of a session that is not proven, after it was read. True where it has shown what it takes. */
export function judge(places: Places, session: Session, records: number): boolean {
  if (records === 0) return false;
  const isConnection = session.standing === 'connection';
  if (session.firstRecordMs === 0) {
    session.firstRecordMs = session.lastSeenMs;
    if (!isConnection) move(places, session, 'new');
    return false;
  }
  if (session.lastSeenMs - session.firstRecordMs < PROOF_MS) return false;
  if (isConnection) return true;
  if (!hasProvenPlace(places)) return false;
  move(places, session, 'proven');
  return true;
}

/** Whether a session that was proven before a restart finds its place again. */
export const hasProvenPlace = (places: Places): boolean => places.lines.proven.count < mostProven(places);

function move(places: Places, session: Session, standing: Standing): void {
  remove(places.lines[session.standing], session);
  session.standing = standing;
  append(places.lines[standing], session);
}

function append(line: Line, session: Session): void {
  session.placedMs = session.lastSeenMs;
  session.before = line.last;
  session.behind = undefined;
  if (line.last) line.last.behind = session;
  else line.first = session;
  line.last = session;
  line.count++;
}

function remove(line: Line, session: Session): void {
  const { before, behind } = session;
  if (before) before.behind = behind;
  else line.first = behind;
  if (behind) behind.before = before;
  else line.last = before;
  session.before = undefined;
  session.behind = undefined;
  line.count--;
}

function longestUnheard(line: Line): Session | undefined {
  for (let turn = 0; turn < MOST_PUT_BACK; turn++) {
    const session = line.first;
    if (!session || session.lastSeenMs <= session.placedMs) return session;
    remove(line, session);
    append(line, session);
  }
  return line.first;
}

function longestSilent(line: Line, nowMs: number): Session | undefined {
  const session = longestUnheard(line);
  return session && nowMs - session.lastSeenMs > PROVEN_SILENCE_MS ? session : undefined;
}

// what all sessions hold together -> whether one of them may hold more
import type { ExporterSession } from './session.ts';

/**
 * What sessions share: each alone is bounded by SessionLimits, all of them by this. Those of strangers have a room of their own, so
 * that they cannot take what the known ones need.
 */
export interface Room {
  readonly maxBytes: number;
  /** Of templates, domains, rates and waiting sets. */
  bytes: number;
  readonly readersPerMinute: number;
  readerMinute: number;
  readersInMinute: number;
}

export const createRoom = (maxBytes: number, readersPerMinute: number): Room => ({
  maxBytes,
  bytes: 0,
  readersPerMinute,
  readerMinute: 0,
  readersInMinute: 0,
});

/** Takes bytes of the room; false where there are none left, or where half of what is left would not do for all it holds. */
export function hold(session: ExporterSession, byteCount: number): boolean {
  const { room } = session;
  if (session.heldBytes + byteCount > (room.maxBytes - room.bytes) / 2) return false;
  session.heldBytes += byteCount;
  room.bytes += byteCount;
  return true;
}

export function release(session: ExporterSession, byteCount: number): void {
  session.heldBytes -= byteCount;
  session.room.bytes -= byteCount;
}

/** Takes along what it holds, even where it fits ill. */
export function changeRoom(session: ExporterSession, room: Room): void {
  session.room.bytes -= session.heldBytes;
  session.room = room;
  room.bytes += session.heldBytes;
}

/** The session is over. */
export function leaveRoom(session: ExporterSession): void {
  release(session, session.heldBytes);
}

/** A session that had all of its readers made in this minute is not even asked for their layout. */
export const isSpent = (session: ExporterSession, minute: number): boolean =>
  session.readerMinute === minute && session.readersInMinute >= session.limits.readersPerMinute;

/** Whether one more reader may be made for a session, and counts it. */
export function mayMakeReader(session: ExporterSession, nowMs: number): boolean {
  const minute = Math.floor(nowMs / 60_000);
  const { room, limits } = session;
  for (const one of [session, room])
    if (one.readerMinute !== minute) {
      one.readerMinute = minute;
      one.readersInMinute = 0;
    }
  if (session.readersInMinute >= limits.readersPerMinute) return false;
  if (room.readersInMinute >= room.readersPerMinute) return false;
  session.readersInMinute++;
  room.readersInMinute++;
  return true;
}

// data sets whose template has not come yet, in a bounded room
import type { Domain } from './domain.ts';
import type { Packet } from './packet.ts';
import { hold, release } from './room.ts';
import type { ExporterSession } from './session.ts';

export interface WaitingSet {
  readonly packet: Packet;
  readonly domain: Domain;
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly atMs: number;
}

export interface WaitingRoom {
  /** By domain and template id, each list in order of arrival. */
  readonly byTemplate: Map<string, WaitingSet[]>;
  sets: number;
  bytes: number;
}

export const createWaitingRoom = (): WaitingRoom => ({ byTemplate: new Map(), sets: 0, bytes: 0 });

/** Of a set's objects, besides its bytes. */
const SET_BYTES = 512;

const roomKey = (domain: Domain, id: number) => `${domain.key}:${id}`;

/** Keeps a copy of the set's bytes [start, end), pushing out the oldest where the room is full. */
export function wait(
  session: ExporterSession,
  packet: Packet,
  domain: Domain,
  id: number,
  start: number,
  end: number,
): void {
  const { waiting, limits, counters } = session;
  counters.missedTemplates++;
  const byteCount = end - start;
  if (byteCount === 0) return;
  if (byteCount > limits.waitingBytes || limits.waitingSets === 0) {
    counters.dropped++;
    return;
  }
  dropOld(session, packet.receivedAtMs);
  while (waiting.sets >= limits.waitingSets || waiting.bytes + byteCount > limits.waitingBytes)
    dropFirst(session);
  while (!hold(session, byteCount + SET_BYTES)) {
    if (waiting.sets === 0) {
      counters.dropped++;
      return;
    }
    dropFirst(session);
  }
  const bytes = packet.bytes.slice(start, end);
  const copy: Packet = {
    ...packet,
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
  const key = roomKey(domain, id);
  let list = waiting.byTemplate.get(key);
  if (!list) {
    list = [];
    waiting.byTemplate.set(key, list);
  }
  list.push({ packet: copy, domain, id, start: 0, end: byteCount, atMs: packet.receivedAtMs });
  waiting.sets++;
  waiting.bytes += byteCount;
  counters.buffered = waiting.sets;
}

/** Takes out what waited for a template and is not too old, in order of arrival. */
export function takeWaiting(
  session: ExporterSession,
  domain: Domain,
  id: number,
  nowMs: number,
): WaitingSet[] {
  const { waiting, limits, counters } = session;
  if (waiting.sets === 0) return [];
  const key = roomKey(domain, id);
  const list = waiting.byTemplate.get(key);
  if (!list) return [];
  waiting.byTemplate.delete(key);
  for (const set of list) {
    waiting.sets--;
    waiting.bytes -= set.end;
    release(session, set.end + SET_BYTES);
  }
  counters.buffered = waiting.sets;
  const fresh = list.filter((set) => nowMs - set.atMs <= limits.waitingMs);
  counters.dropped += list.length - fresh.length;
  return fresh;
}

function dropOld(session: ExporterSession, nowMs: number): void {
  for (const list of session.waiting.byTemplate.values()) {
    if (nowMs - list[0].atMs <= session.limits.waitingMs) return;
    dropFirst(session);
  }
}

/** Drops the oldest set of the template that has waited longest. */
function dropFirst(session: ExporterSession): void {
  const { waiting } = session;
  const first = waiting.byTemplate.entries().next().value;
  if (!first) return;
  const [key, list] = first;
  const set = list.shift() as WaitingSet;
  if (list.length === 0) waiting.byTemplate.delete(key);
  waiting.sets--;
  waiting.bytes -= set.end;
  release(session, set.end + SET_BYTES);
  session.counters.dropped++;
  session.counters.buffered = waiting.sets;
}

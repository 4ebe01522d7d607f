// recorded log files -> events: "<arrival time> <sender> <line as received>"
import { createReadStream } from 'node:fs';
import { isIP } from 'node:net';
import { createInterface } from 'node:readline';
import { parseEvent } from '../events/parse.ts';
import { PosternError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';

/** Kinds that say nothing about a change are counted, not kept. */
const MAX_EVENTS = 2_000_000;

/** Lines without time and sender in front are counted as malformed. */
export async function recordedEvents(
  files: readonly string[],
): Promise<{ events: Event[]; lineCount: number; malformedCount: number }> {
  const events: Event[] = [];
  let lineCount = 0;
  let malformedCount = 0;
  for (const file of files) {
    try {
      for await (const line of createInterface({
        input: createReadStream(file),
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        if (line === '') continue;
        lineCount++;
        const match = /^(\S{10,40}) ([0-9a-fA-F.:]{2,45}) (.*)$/s.exec(line);
        const receivedAtMs = match ? Date.parse(match[1]) : Number.NaN;
        if (!match || Number.isNaN(receivedAtMs) || isIP(match[2]) === 0) {
          malformedCount++;
          continue;
        }
        const event = parseEvent(match[3], match[2], receivedAtMs);
        if (event.kind === 'other' && events.length >= MAX_EVENTS) continue;
        events.push(event);
      }
    } catch (cause) {
      throw new PosternError('unreadable', `cannot read ${file}: ${(cause as Error).message}`, {
        subject: file,
        cause,
      });
    }
  }
  return { events, lineCount, malformedCount };
}

// recorded log files -> events: "<arrival time> <sender> <line as received>"
import { createReadStream } from 'node:fs';
import { isIP } from 'node:net';
import { createInterface } from 'node:readline';
import { createAuditJoiner } from '../events/audit-join.ts';
import { parseEvent } from '../events/parse.ts';
import { PosternError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';

/** Beyond the first bound only events that say something are kept, beyond the second none. */
const MAX_EVENTS = 2_000_000;
const MAX_TOLD_EVENTS = 6_000_000;

export interface RecordedEvents {
  /** As the receiver would have made them: records of one audit event are joined, in order of their last line. */
  readonly events: Event[];
  readonly lineCount: number;
  /** Lines without time and sender in front. */
  readonly malformedCount: number;
  /** Events that the bounds left out. */
  readonly leftOutCount: number;
}

/** The arrival times pass for the receiver's clock. `maxEvents` stands for MAX_EVENTS. */
export async function recordedEvents(
  files: readonly string[],
  maxEvents = MAX_EVENTS,
): Promise<RecordedEvents> {
  const events: Event[] = [];
  let lineCount = 0;
  let malformedCount = 0;
  let leftOutCount = 0;
  const joiner = createAuditJoiner((event) => {
    const bound = event.kind === 'other' ? maxEvents : maxEvents * (MAX_TOLD_EVENTS / MAX_EVENTS);
    if (events.length >= bound) leftOutCount++;
    else events.push(event);
  });
  for (const file of files) {
    try {
      for await (const line of createInterface({
        input: createReadStream(file),
        crlfDelay: Number.POSITIVE_INFINITY,
      })) {
        if (line === '') continue;
        lineCount++;
        const event = recordedEvent(line);
        if (event) joiner.push(event, event.receivedAtMs);
        else malformedCount++;
      }
    } catch (cause) {
      throw new PosternError('unreadable', `cannot read ${file}: ${(cause as Error).message}`, {
        subject: file,
        cause,
      });
    }
    // The next file may be another host's of the same hours.
    joiner.end();
  }
  return { events, lineCount, malformedCount, leftOutCount };
}

function recordedEvent(line: string): Event | undefined {
  const match = /^(\S{10,40}) ([0-9a-fA-F.:]{2,45}) (.*)$/s.exec(line);
  const receivedAtMs = match ? Date.parse(match[1]) : Number.NaN;
  if (!match || Number.isNaN(receivedAtMs) || isIP(match[2]) === 0) return undefined;
  return parseEvent(match[3], match[2], receivedAtMs);
}

// the time elements of a template -> statements that give startMs and endMs in epoch milliseconds

import { type FieldPlace, int, type Layout, unsigned } from './reader-layout.ts';
import { HAS } from './records.ts';

type Side = 'start' | 'end';

/** Seconds from 1900 to 1970 (RFC 7011 section 6.1.9: NTP timestamps). */
const NTP_EPOCH = 2_208_988_800;

/** Both times of a record; where only one is exported the other follows from the duration or is the same. */
export function readTimes(layout: Layout, bits: string[]): string[] {
  const lines = uptimeLines(layout);
  const start = timeOf(layout, 'start');
  const end = timeOf(layout, 'end');
  const duration = durationOf(layout);
  if (!start && !end) {
    const observed = observedTime(layout);
    if (observed) bits.push(int(HAS.times));
    lines.push(`const moment = ${observed ?? 'exportMs'};`, 'startMs[n] = moment; endMs[n] = moment;');
    return lines;
  }
  bits.push(int(HAS.times));
  if (start) lines.push(`const first = ${start};`);
  if (end) lines.push(`const last = ${end};`);
  lines.push(`startMs[n] = ${start ? 'first' : `last - ${duration}`};`);
  lines.push(`endMs[n] = ${end ? 'last' : endOfStarted(layout, duration)};`);
  return lines;
}

/** NSEL states when a connection began and when its event happened (IE 152, 323), but not how long it was. */
function endOfStarted(layout: Layout, duration: string): string {
  const observed = duration === '0' ? observedTime(layout) : undefined;
  return observed ? `Math.max(first, ${observed})` : `first + ${duration}`;
}

/** The most exact element that the template has, as an expression; undefined where it has none. */
function timeOf(layout: Layout, side: Side): string | undefined {
  const ms = layout.at(`${side}Ms`);
  if (ms) return unsigned(ms);
  const micros = layout.at(`${side}Micros`);
  if (micros) return ntp(micros, 1e3);
  const nanos = layout.at(`${side}Nanos`);
  if (nanos) return ntp(nanos, 1e6);
  const seconds = layout.at(`${side}Seconds`);
  if (seconds) return `${unsigned(seconds)} * 1000`;
  const uptime = layout.at(`${side}Uptime`);
  // A signed 32-bit distance: right across the wrap after 49.7 days, and for flows a few ms ahead of the header.
  if (uptime) return `exportMs - ((uptime - view.getInt32(${uptime.offset})) | 0)`;
  const delta = layout.at(`${side}Delta`);
  return delta && `exportMs - ${unsigned(delta)} / 1000`;
}

/** Some exporters send plain micro- or nanoseconds since 1970 instead; no NTP time since 1970 is that small before 2036. */
function ntp({ offset }: FieldPlace, perMs: number): string {
  const seconds = `view.getUint32(${offset})`;
  const fraction = `view.getUint32(${offset} + 4)`;
  return `(${seconds} < ${int(NTP_EPOCH)}
      ? (${seconds} * 4294967296 + ${fraction}) / ${int(perMs)}
      : (${seconds} - ${int(NTP_EPOCH)}) * 1000 + ${fraction} / 4294967.296)`;
}

/** The exporter's uptime at the export time: of the header, of the record's own IE 160, or taken to be the record's end. */
function uptimeLines(layout: Layout): string[] {
  const last = layout.at('endUptime') ?? layout.at('startUptime');
  if (!last) return [];
  const init = layout.at('systemInitMs');
  if (init) return [`const uptime = (exportMs - ${unsigned(init)}) | 0;`];
  // Whole 32-bit numbers throughout: a choice here would cost as much as all the rest of a record.
  return [`const uptime = (uptimeMs + (view.getInt32(${last.offset}) & ownUptime)) | 0;`];
}

function durationOf(layout: Layout): string {
  const ms = layout.at('durationMs');
  if (ms) return unsigned(ms);
  const micros = layout.at('durationMicros');
  return micros ? `${unsigned(micros)} / 1000` : '0';
}

function observedTime(layout: Layout): string | undefined {
  const ms = layout.at('observedMs');
  if (ms) return unsigned(ms);
  const seconds = layout.at('observedSeconds');
  return seconds && `${unsigned(seconds)} * 1000`;
}

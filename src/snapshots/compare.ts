// configuration text -> the part of it that only a change of configuration changes
import type { DeviceDefinition } from '../../devices/definition.ts';
import { LOG_LINE } from './clean.ts';
import { prefilter } from './prefilter.ts';

/**
 * The text without the definition's volatile lines (and parts of lines), log messages that fell into the session,
 * trailing blanks and line end variants. For comparing only; the kept text has them all.
 */
export function comparable(text: string, definition: Pick<DeviceDefinition, 'volatile'>): string {
  const patterns = definition.volatile.map(
    ({ source, flags }) => new RegExp(source, [...new Set(`${flags.replace('y', '')}g`)].join('')),
  );
  const mayMatch = prefilter(definition.volatile);
  const lines: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd();
    if (!mayMatch(line)) {
      if (!(line.includes('%') && LOG_LINE.test(line))) lines.push(line);
      continue;
    }
    const rest = patterns.reduce((left, pattern) => left.replace(pattern, ''), line).trimEnd();
    if (rest.trim() !== '') lines.push(rest);
  }
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop();
  return lines.join('\n');
}

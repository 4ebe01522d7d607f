// the Tor project's list of exit addresses: one address a line
import { HOUR_MS, linesOf, MIB, prefixRanges, type SourceDefinition, unreadable } from '../source.ts';

export const tor: SourceDefinition = {
  name: 'tor-exits',
  kind: 'tor',
  urlSetting: 'POSTERN_TOR_EXITS_URL',
  defaultUrl: 'https://check.torproject.org/torbulkexitlist',
  maxBytes: 4 * MIB,
  refreshEveryMs: HOUR_MS,
  parse: (bytes) => {
    const lines = linesOf(bytes);
    if (lines.length === 0) throw unreadable('the list is empty');
    return prefixRanges(lines, 'tor-exit');
  },
};

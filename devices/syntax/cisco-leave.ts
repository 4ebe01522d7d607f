// steps of policy routing in order -> the same without those that leave a packet to routing
import type { PolicyEntry } from '../../src/model/rule.ts';
import { subtractTraffic, type Traffic } from '../../src/model/traffic.ts';

const MAX_STEPS = 20_000;

/**
 * What policy routing leaves alone is routed as usual, perhaps into a tunnel: no exemption may end the stage for it, so that
 * later steps are narrowed instead. Where that is too much to work out, the exemptions stay.
 */
export function withoutExemptions(entries: readonly PolicyEntry[]): PolicyEntry[] {
  const exempt: Traffic[] = [];
  const kept: PolicyEntry[] = [];
  let steps = 0;
  for (const entry of entries) {
    if (entry.action === 'exempt') {
      // One under a condition that is not known here may not apply.
      if (entry.unresolved.length === 0) exempt.push(entry.match);
      continue;
    }
    let pieces: Traffic[] = [entry.match];
    for (const box of exempt) {
      steps += pieces.length;
      if (steps > MAX_STEPS) return trimmed(entries);
      pieces = pieces.flatMap((piece) => subtractTraffic(piece, box));
    }
    for (const match of pieces) kept.push({ ...entry, match });
  }
  return kept;
}

function trimmed(entries: readonly PolicyEntry[]): PolicyEntry[] {
  const end = entries.findLastIndex(({ action }) => action !== 'exempt');
  return entries.slice(0, end + 1);
}

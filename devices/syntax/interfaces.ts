// interface names with wildcards -> the names that a rule set speaks of
import { ANY_NAME, type NameSet } from '../../src/model/traffic.ts';

/** Turns a name as written into the set of names it stands for. */
export type ExpandName = (written: string) => NameSet;

/** Names that wildcards are tried on; Linux hosts have a few dozen. */
const MAX_NAMES = 1_024;

/**
 * "tun+" (iptables) or "tun*" (nftables) stands for every name of the rule set that begins so, and, under its own text,
 * for all those that no rule names.
 */
export function nameExpander(seen: Iterable<string>, wildcard: '+' | '*'): ExpandName {
  const all = new Set<string>();
  for (const name of seen) if (all.size < MAX_NAMES) all.add(name);
  return (written) => {
    if (!written.endsWith(wildcard)) return { except: false, names: [written] };
    const start = written.slice(0, -1);
    if (start === '') return ANY_NAME;
    const covered = [...all].filter((name) => name.startsWith(start));
    return { except: false, names: [...new Set([written, ...covered])].sort() };
  };
}

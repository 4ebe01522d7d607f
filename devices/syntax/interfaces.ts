// interface names with wildcards -> the names that a rule set speaks of
import { ANY_NAME, type NameSet, names } from '../../src/model/traffic.ts';

/** Turns a name as written into the set of names it stands for. */
export type ExpandName = (written: string) => NameSet;

/**
 * "tun+" (iptables) or "tun*" (nftables) stands for every name of the rule set that begins so, and, under its own text,
 * for all those that no rule names.
 */
export function nameExpander(seen: Iterable<string>, wildcard: '+' | '*'): ExpandName {
  const all = [...new Set(seen)];
  return (written) => {
    if (!written.endsWith(wildcard)) return names(written);
    const start = written.slice(0, -1);
    if (start === '') return ANY_NAME;
    return names(written, ...all.filter((name) => name.startsWith(start)));
  };
}

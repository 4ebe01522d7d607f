// resolved sets -> short strings that are equal exactly where the sets are equal
import type { AddressSet } from '../model/addresses.ts';
import type { PolicyEntry, Translation } from '../model/rule.ts';
import type { NameSet, Traffic } from '../model/traffic.ts';

/** Interns sets for the length of one diff: large groups are written out once, however many rules name them. */
export interface Signatures {
  readonly addresses: (set: AddressSet | undefined) => string;
  readonly ranges: (set: readonly (number | bigint)[]) => string;
  readonly names: (set: NameSet) => string;
  readonly traffic: (traffic: Traffic) => string;
  readonly translation: (translation: Translation | undefined) => string;
  readonly entry: (entry: PolicyEntry) => string;
}

/** Conditions are not told apart: an unresolved accept may let through, whatever it waits for. */
const headOf = ({ action, unresolved, translated }: PolicyEntry): string =>
  `${action}${action === 'accept' && unresolved.length > 0 ? '?' : ''}${translated ?? ''}`;

export function createSignatures(): Signatures {
  const known = new WeakMap<object, string>();
  const ids = new Map<string, string>();
  const intern = (owner: object, write: () => string): string => {
    const found = known.get(owner);
    if (found !== undefined) return found;
    const text = write();
    const id = ids.get(text) ?? ids.size.toString(36);
    ids.set(text, id);
    known.set(owner, id);
    return id;
  };
  const ranges = (set: readonly (number | bigint)[]) => intern(set, () => set.join());
  const addresses = (set: AddressSet | undefined) =>
    set ? intern(set, () => `${set.v4.join()};${set.v6.join()}`) : '';
  const names = (set: NameSet) => `${set.except ? '!' : ''}${[...set.names].sort().join(',')}`;
  const traffic = (box: Traffic) =>
    intern(box, () =>
      [
        ranges(box.services),
        addresses(box.destinations),
        addresses(box.sources),
        ranges(box.sourcePorts),
        names(box.ingress),
        names(box.egress),
      ].join('/'),
    );
  const translation = (of: Translation | undefined) =>
    of ? `${of.kind}>${addresses(of.addresses)}:${of.ports?.join('-') ?? ''}${of.offset ? '+' : ''}` : '';
  const entry = (of: PolicyEntry) =>
    `${headOf(of)}|${of.action === 'translate' ? translation(of.translation) : ''}|${traffic(of.match)}`;
  return { addresses, ranges, names, traffic, translation, entry };
}

// interfaces before and after -> those that are the same under another name, and a rule set that speaks of them by the new one
import { noAddresses } from '../model/addresses.ts';
import type { DeviceInterface, PolicyEntry, RuleSet } from '../model/rule.ts';
import type { NameSet } from '../model/traffic.ts';
import type { Signatures } from './signature.ts';

export interface RenamedInterface {
  readonly before: string;
  readonly after: string;
}

/** An interface that is gone and one that is new are one where just these two have the same addresses. */
export function renamedInterfaces(
  before: RuleSet,
  after: RuleSet,
  signatures: Signatures,
): RenamedInterface[] {
  const only = (own: readonly DeviceInterface[], other: readonly DeviceInterface[]) => {
    const known = new Set(other.map(({ name }) => name));
    const gone = own.filter(({ name, addresses }) => !known.has(name) && !noAddresses(addresses));
    return Map.groupBy(gone, ({ addresses }) => signatures.addresses(addresses));
  };
  const now = only(after.interfaces, before.interfaces);
  return [...only(before.interfaces, after.interfaces)].flatMap(([addresses, old]) => {
    const others = now.get(addresses) ?? [];
    return old.length === 1 && others.length === 1 ? [{ before: old[0].name, after: others[0].name }] : [];
  });
}

/** The rule set with each interface under its new name. */
export function withNames(ruleSet: RuleSet, renamed: readonly RenamedInterface[]): RuleSet {
  if (renamed.length === 0) return ruleSet;
  const names = new Map(renamed.map(({ before, after }) => [before, after]));
  const inList = (list: readonly string[]) => list.map((name) => names.get(name) ?? name);
  const inSet = (set: NameSet): NameSet =>
    set.names.some((name) => names.has(name)) ? { ...set, names: inList(set.names).sort() } : set;
  const sides = <T extends { readonly ingress: NameSet; readonly egress: NameSet }>(of: T): T => {
    const [ingress, egress] = [inSet(of.ingress), inSet(of.egress)];
    return ingress === of.ingress && egress === of.egress ? of : { ...of, ingress, egress };
  };
  const entry = (of: PolicyEntry): PolicyEntry => {
    const match = sides(of.match);
    return match === of.match ? of : { ...of, match };
  };
  return {
    ...ruleSet,
    rules: ruleSet.rules.map((rule) => {
      const { interfaces } = rule.context;
      const match = sides(rule.match);
      if (match === rule.match && !interfaces?.some((name) => names.has(name))) return rule;
      const context = interfaces ? { ...rule.context, interfaces: inList(interfaces) } : rule.context;
      return { ...rule, match, context };
    }),
    policies: ruleSet.policies.map((policy) => ({
      ...policy,
      appliesTo: sides(policy.appliesTo),
      entries: policy.entries.map(entry),
    })),
  };
}

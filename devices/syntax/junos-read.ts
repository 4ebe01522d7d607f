// configuration text of Junos (braces or `set` lines) -> rules
import type { DeviceInterface, RuleSet } from '../../src/model/rule.ts';
import { allNamesBut, names } from '../../src/model/traffic.ts';
import { assemble } from './assemble.ts';
import { readFilters } from './junos-filters.ts';
import { inherit, withoutInactive } from './junos-groups.ts';
import { readMirrors, readProxies } from './junos-mirrors.ts';
import { readNat } from './junos-nat.ts';
import { readPolicies } from './junos-policies.ts';
import { interfacesOf, ownUnits, type Scope, scopeOf, unitsOf } from './junos-scope.ts';
import { readServices } from './junos-services.ts';
import { readJunosText } from './junos-text.ts';
import { readRoutes, tunnelsOf } from './junos-tunnels.ts';
import { linesUnder, list } from './tree.ts';

const MOST_BOUND = 400_000;

/** Never throws. Logical systems and tenants are systems of their own whose keys begin with their name. */
export function readJunos(text: string): RuleSet {
  const { tree: written, strange } = readJunosText(text);
  const { tree: inherited, isWhole } = inherit(written);
  const tree = withoutInactive(inherited);
  const assembly = assemble();
  const shared = { assembly, allowance: { left: MOST_BOUND } };
  assembly.notUnderstood(...strange);
  const groups = written.children.get('groups');
  if (!isWhole && groups) assembly.notUnderstood(...linesUnder(groups, 1));
  const parts = ['logical-systems', 'tenants'].flatMap((kind) =>
    list(tree, kind).map((part) => ({ part, own: ownUnits(part) })),
  );
  const units = unitsOf(tree);
  const scopes = [
    scopeOf(tree, '', { ingress: allNamesBut(...parts.flatMap(({ own }) => own)), units }, shared),
    ...parts
      .filter(({ part }) => !part.inactive)
      .map(({ part, own }) => {
        const outer = own.flatMap((name) => units.get(name) ?? []).map((unit) => [unit.name, unit] as const);
        const all = new Map([...outer, ...unitsOf(part)]);
        return scopeOf(part, `${part.word}:`, { ingress: names(...own), units: all }, shared);
      }),
  ];
  for (const scope of scopes) readScope(scope);
  const interfaces = new Map<string, DeviceInterface>();
  for (const scope of scopes)
    for (const one of interfacesOf(scope.units)) if (!interfaces.has(one.name)) interfaces.set(one.name, one);
  return assembly.result([...interfaces.values()]);
}

/** In the order in which packets meet stages; policy routing is asked before routes. */
function readScope(scope: Scope): void {
  const tunnels = tunnelsOf(scope);
  readNat(scope);
  readServices(scope);
  readFilters(scope, tunnels);
  readPolicies(scope, tunnels);
  readRoutes(scope, tunnels);
  readMirrors(scope);
  readProxies(scope);
}

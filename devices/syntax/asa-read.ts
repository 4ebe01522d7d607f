// configuration of an ASA, of one context or of several -> RuleSet
import type { DeviceInterface, RuleSet } from '../../src/model/rule.ts';
import { readAsaLists } from './asa-acl.ts';
import { buildAsaFilters, readBindings } from './asa-filter.ts';
import { publicInterface } from './asa-interfaces.ts';
import { buildAsaNat } from './asa-nat.ts';
import { readAsaNat } from './asa-nat-words.ts';
import { buildOldNat } from './asa-old-nat.ts';
import { asaScope } from './asa-scope.ts';
import { readAsaText } from './asa-text.ts';
import { buildAsaCrypto, buildAsaPolicyRoutes, buildAsaRoutes, listUnreadWays } from './asa-ways.ts';
import { assemble } from './assemble.ts';

/** Never throws: what it cannot read it lists. */
export function readAsa(text: string): RuleSet {
  const assembly = assemble();
  const { parts, missing } = readAsaText(text);
  const interfaces: DeviceInterface[] = [];
  for (const part of parts) {
    // The system owns ports and names contexts; nothing passes through it.
    if (part.context === 'system') continue;
    const scope = asaScope(part, assembly);
    const lists = readAsaLists(scope);
    if (scope.isOld) buildOldNat(scope, lists);
    else buildAsaNat(scope, readAsaNat(scope));
    buildAsaPolicyRoutes(scope, lists);
    const bypasses = buildAsaCrypto(scope, lists);
    buildAsaRoutes(scope);
    buildAsaFilters(scope, lists, readBindings(scope), bypasses);
    listUnreadWays(scope);
    interfaces.push(...scope.interfaces.all.map(publicInterface));
  }
  assembly.notUnderstood(...missing);
  return assembly.result(interfaces);
}

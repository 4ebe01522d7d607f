// `/export` of RouterOS 6 and 7 -> rules, policies and unread lines
import type { RuleSet } from '../../src/model/rule.ts';
import { ANY_NAME } from '../../src/model/traffic.ts';
import { assemble } from './assemble.ts';
import { numberedLines } from './indent.ts';
import { netfilterPolicies } from './netfilter.ts';
import { isDisabled, routerosConfig } from './routeros-config.ts';
import { firewallChains, hasNotrack } from './routeros-firewall.ts';
import { routerosInterfaces } from './routeros-interfaces.ts';
import { addressLists, interfaceNames } from './routeros-lists.ts';
import { ipsecPolicies, mainTable, readRoutes, routingRules, tunnelRules } from './routeros-routes.ts';
import { mirrors, openers, proxies } from './routeros-services.ts';
import { routerosStatements } from './routeros-text.ts';

/** Menus whose statements bear on where packets go. */
const RULE_BEARING =
  /^(?:ip(?:v6)? firewall (?:filter|nat|mangle|raw|address-list)|interface list(?: member)?|ip(?:v6)? route(?: rule)?|routing rule|interface bridge (?:filter|nat))$/;
/** Read by nobody here. */
const UNREAD_MENUS = ['interface bridge filter', 'interface bridge nat', 'interface ethernet switch rule'];

/** Never throws. */
export function readRouteros(text: string): RuleSet {
  const assembly = assemble();
  const statements = routerosStatements(numberedLines(text), (path, lines) => {
    if (RULE_BEARING.test(path)) assembly.notUnderstood(...lines);
  });
  const config = routerosConfig(statements);
  const interfaces = routerosInterfaces(config);
  const names = interfaceNames(config, interfaces.isDown);
  tunnelRules(interfaces, assembly);
  const routes = readRoutes(config, interfaces, assembly);
  const redirect = assembly.policy({
    id: 'services',
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: { ingress: ANY_NAME, egress: ANY_NAME },
    otherwise: 'none',
  });
  const own = proxies(config, interfaces, redirect, assembly);
  // `ipsec-secret` of a tunnel protects what the device itself sends, not what it forwards.
  const hasIpsec = ['ip ipsec identity', 'ip ipsec peer'].some((path) =>
    config.items(path).some((item) => !isDisabled(item)),
  );
  const chains = (['ip', 'ip6'] as const).flatMap((family) => {
    const listOf = addressLists(config, family, assembly.notUnderstood);
    const tables = {
      family,
      listOf,
      interfaces: names,
      own: interfaces.addresses,
      hasIpsec,
      hasNotrack: hasNotrack(config),
    };
    return firewallChains({ config, assembly, routes }, tables, own);
  });
  routingRules(config, routes, names, assembly);
  ipsecPolicies(config, assembly);
  mainTable(routes, interfaces, assembly);
  mirrors(config, redirect, assembly);
  openers(config, assembly);
  for (const path of UNREAD_MENUS)
    for (const item of config.items(path)) assembly.notUnderstood(...item.lines);
  const { policies, unread } = netfilterPolicies(chains);
  assembly.notUnderstood(...unread);
  const result = assembly.result(interfaces.list);
  // Proxies of the device come before everything that is forwarded.
  const [services, others] = [
    result.policies.filter(({ id }) => id === 'services'),
    result.policies.filter(({ id }) => id !== 'services'),
  ];
  return { ...result, policies: [...services, ...policies, ...others] };
}

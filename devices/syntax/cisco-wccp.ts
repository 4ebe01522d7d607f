// `ip wccp` of IOS and NX-OS: services, and interfaces whose packets they take -> proxy rules and redirect policies
import * as addresses from '../../src/model/addresses.ts';
import type { Policy, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { type ServiceSet, serviceSet } from '../../src/model/services.ts';
import { ANY_NAME, intersectTraffic, names, type Traffic } from '../../src/model/traffic.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { type Condition, everything, hull } from './cisco-region.ts';
import { listCondition } from './cisco-route-maps.ts';
import { lineOf, wordsOf } from './indent.ts';

interface Service {
  readonly id: string;
  readonly vrf?: string;
  readonly redirectList?: string;
  readonly groupList?: string;
  readonly line: SourceLine;
}

interface Binding {
  readonly id: string;
  readonly interface: string;
  /** `exclude`: what enters here is not taken anywhere. */
  readonly way: 'in' | 'out' | 'exclude';
  readonly line: SourceLine;
}

/**
 * Caches announce themselves, so that their addresses are known only where a group list names them. The well-known service
 * `web-cache` takes TCP port 80; a numbered one takes what its caches ask for, which the configuration does not say.
 */
export function buildWccp(reading: Reading, config: Config): Built {
  const { services, bindings } = readWccp(reading, config);
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  const excluded = bindings.filter(({ way }) => way === 'exclude').map((binding) => binding.interface);
  for (const service of services.values()) {
    const own = bindings.filter(({ id }) => id === idOf(service.vrf, service.id));
    const condition = conditionOf(service, config);
    const rule = ruleOf(service, own, condition, config, rules.length);
    rules.push(rule);
    for (const way of ['in', 'out'] as const) {
      const bound = own.filter((binding) => binding.way === way).map((binding) => binding.interface);
      if (bound.length === 0) continue;
      policies.push({
        id: `${rule.key}:${way}`,
        stage: 'redirect',
        evaluation: 'first-match',
        appliesTo:
          way === 'in'
            ? { ingress: names(...bound), egress: ANY_NAME }
            : { ingress: { except: true, names: [...new Set(excluded)].sort() }, egress: names(...bound) },
        otherwise: 'none',
        entries: condition.boxes.map((match) => ({
          ruleKey: rule.key,
          match,
          unresolved: rule.unresolved,
          action: 'translate' as const,
          translation: rule.translation,
        })),
      });
    }
  }
  return { rules, policies };
}

const idOf = (vrf: string | undefined, id: string): string => `${vrf ?? ''} ${id}`;

function readWccp(reading: Reading, config: Config) {
  const services = new Map<string, Service>();
  const bindings: Binding[] = [];
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] === 'interface') {
      const face = config.byName.get(words.slice(1).join(' '));
      for (const line of block.children) {
        const found = /^ip wccp (?:vrf (\S+) )?(?:(\S+) )?redirect (in|out|exclude)(?: in)?$/.exec(
          wordsOf(line.text).join(' '),
        );
        if (!found || !face || face.shutdown) continue;
        const id = idOf(found[1], found[2] ?? '');
        bindings.push({ id, interface: face.name, way: found[3] as Binding['way'], line: lineOf(line) });
      }
    } else if (words[0] === 'ip' && words[1] === 'wccp') {
      const service = readService(words.slice(2), lineOf(block));
      if (service) services.set(idOf(service.vrf, service.id), service);
      else if (service === undefined) reading.notUnderstood(block);
    }
  }
  return { services, bindings };
}

/** null for settings; undefined where it is not understood. */
function readService(words: readonly string[], line: SourceLine): Service | null | undefined {
  if (/^(?:version|check|source-interface|outbound-acl-check)$/.test(words[0] ?? '')) return null;
  let at = 0;
  const vrf = words[0] === 'vrf' ? words[1] : undefined;
  if (vrf !== undefined) at += 2;
  const id = words[at++];
  if (id === undefined || !/^(?:web-cache|\d{1,3})$/.test(id)) return undefined;
  const service = { id, vrf, line } as { -readonly [K in keyof Service]: Service[K] };
  for (; at < words.length; at++) {
    const value = words[at + 1];
    if (words[at] === 'redirect-list' && value) service.redirectList = words[++at];
    else if (words[at] === 'group-list' && value) service.groupList = words[++at];
    else if (/^(?:group-address|service-list|hia-timeout)$/.test(words[at]) && value) at++;
    else if (words[at] === 'password') at += 2;
    else if (!/^(?:mode|open|closed)$/.test(words[at])) return undefined;
  }
  return service;
}

function conditionOf(service: Service, config: Config): Condition {
  const isWeb = service.id === 'web-cache';
  const all: Traffic = { ...everything('ip'), ...(isWeb ? { services: WEB } : {}) };
  const unknown = isWeb ? [] : [`what the caches of service ${service.id} ask for`];
  if (service.redirectList === undefined) return { boxes: [all], unresolved: unknown, lines: [] };
  const list = listCondition(service.redirectList, config.lists, 'ip', config.conditions);
  return {
    boxes: list.boxes.flatMap((box) => intersectTraffic(box, all) ?? []),
    unresolved: [...unknown, ...list.unresolved],
    lines: list.lines,
  };
}

const WEB: ServiceSet = serviceSet('tcp/80');

function ruleOf(
  service: Service,
  bindings: readonly Binding[],
  condition: Condition,
  config: Config,
  position: number,
): Rule {
  const { vrf, id, groupList } = service;
  const group =
    groupList === undefined ? undefined : listCondition(groupList, config.lists, 'ip', config.conditions);
  const caches = group && addresses.unionAddresses(...group.boxes.slice(0, 1000).map((box) => box.sources));
  const known = caches && addresses.countAddresses(caches) < 2 ** 32;
  const translation: Translation = { kind: 'proxy', ...(known ? { addresses: caches } : {}) };
  const faces = [...new Set(bindings.map((binding) => binding.interface))];
  return {
    key: config.unique(`wccp:${vrf === undefined ? '' : `${vrf}:`}${id}`),
    kind: 'proxy',
    enabled: true,
    position,
    context: {
      ...(vrf === undefined ? {} : { vrf }),
      family: 'ip',
      ...(faces.length ? { interfaces: faces } : {}),
    },
    match: hull(condition.boxes),
    unresolved: condition.unresolved,
    translation,
    action: `wccp ${id}`,
    lines: [
      service.line,
      ...bindings.map(({ line }) => line),
      ...condition.lines,
      ...(group?.lines ?? []),
    ].slice(0, MAX_LINES),
  };
}

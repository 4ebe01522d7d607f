// `service cgn` (NAT44 on a service card) of IOS-XR -> NAT rules and policies
import type { AddressSet } from '../../src/model/addresses.ts';
import type { Policy, PolicyEntry, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { type ServiceSet, service } from '../../src/model/services.ts';
import { ANY_NAME, names, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import { portOf, protocolOf, setOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import type { Reading } from './cisco-lines.ts';
import { everything } from './cisco-region.ts';
import { type Block, lineOf, linesOf, wordsOf } from './indent.ts';

interface InsideVrf {
  readonly id: string;
  readonly vrf: string;
  outsideVrf?: string;
  pool?: AddressSet;
  poolLine?: SourceLine;
  readonly forwards: { address: string; port?: number; protocol: string; line: SourceLine }[];
}

const CHOSEN = 'the card chooses the outside address and port';
const ROUTED = 'only what is routed into the service card';

export function buildCgn(reading: Reading, config: Config): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'service' || words[1] !== 'cgn' || words[2] === undefined) continue;
    for (const inside of readCgn(block, words[2], reading)) {
      const built = buildInside(inside, config, rules.length);
      for (const rule of built.rules) rules.push(rule);
      policies.push(...built.policies);
    }
  }
  return { rules, policies };
}

function readCgn(block: Block, name: string, reading: Reading): InsideVrf[] {
  const found: InsideVrf[] = [];
  for (const line of block.children) {
    const words = wordsOf(line.text);
    if (words[0] !== 'service-type') continue;
    if (words[1] !== 'nat44') {
      for (const each of linesOf(line)) reading.notUnderstood(each);
      continue;
    }
    for (const inner of line.children) {
      const [word, vrf] = wordsOf(inner.text);
      if (word !== 'inside-vrf' || vrf === undefined) continue;
      const inside: InsideVrf = { id: `${name}:${words[2]}:${vrf}`, vrf, forwards: [] };
      for (const statement of inner.children) readInside(inside, statement, reading);
      found.push(inside);
    }
  }
  return found;
}

const SETTINGS =
  /^(?:external-logging|portlimit|bulk-port-alloc|outside-interface|fragment-timeout|datapath-test|filter-policy|nat-mode|firewall|session|mss|tcp|alg|timeout|refresh-direction)/;

function readInside(inside: InsideVrf, statement: Block, reading: Reading): void {
  const text = wordsOf(statement.text).join(' ');
  const map =
    /^map (?:ip [a-z-]+ )?(?:outside-vrf (\S+) )?(?:outsideServiceApp \S+ )?address-pool (\S+)$/.exec(text);
  const pool = map && setOf(map[2]);
  if (map && pool) {
    inside.outsideVrf = map[1];
    inside.pool = pool;
    inside.poolLine = lineOf(statement);
  } else if (/^protocol (?:tcp|udp|icmp)$/.test(text))
    readProtocol(inside, statement, text.slice(9), reading);
  else if (!SETTINGS.test(text)) for (const line of linesOf(statement)) reading.notUnderstood(line);
}

function readProtocol(inside: InsideVrf, block: Block, protocol: string, reading: Reading): void {
  for (const line of block.children) {
    if (!/^\s*static-forward inside\s*$/.test(line.text)) {
      if (!SETTINGS.test(wordsOf(line.text)[0] ?? ''))
        for (const each of linesOf(line)) reading.notUnderstood(each);
      continue;
    }
    for (const inner of line.children) {
      const [word, address, portWord, port] = wordsOf(inner.text);
      if (
        word !== 'address' ||
        !setOf(address ?? '') ||
        (portWord !== undefined && portOf(port) === undefined)
      ) {
        reading.notUnderstood(inner);
        continue;
      }
      inside.forwards.push({ address, port: portOf(port), protocol, line: lineOf(inner) });
    }
  }
}

function buildInside(inside: InsideVrf, config: Config, position: number): Built {
  const within = (vrf: string | undefined) =>
    config.interfaces
      .filter((face) => !face.shutdown && (face.vrf ?? 'default') === (vrf ?? 'default'))
      .map((face) => face.name);
  const [from, outside] = [within(inside.vrf), within(inside.outsideVrf)];
  const out: Rule = {
    key: config.unique(`cgn:${inside.id}`),
    kind: 'nat',
    enabled: inside.pool !== undefined,
    position,
    context: { vrf: inside.vrf, family: 'ip', interfaces: from },
    match: everything('ip'),
    unresolved: [ROUTED],
    translation: { kind: 'source', ...(inside.pool ? { addresses: inside.pool } : {}) },
    action: 'nat44',
    lines: inside.poolLine ? [inside.poolLine] : [],
  };
  const forwards = inside.forwards.map((forward, i) =>
    forwardRule(inside, forward, outside, position + 1 + i, config),
  );
  const entry = (rule: Rule): PolicyEntry => ({
    ruleKey: rule.key,
    match: rule.match,
    unresolved: rule.unresolved,
    action: 'translate',
    translation: rule.translation,
  });
  const policy = (
    stage: 'source-nat' | 'destination-nat',
    bound: readonly string[],
    rules: readonly Rule[],
  ): Policy => ({
    id: `cgn:${inside.id}:${stage}`,
    stage,
    evaluation: 'first-match',
    appliesTo: { ingress: names(...bound), egress: ANY_NAME },
    otherwise: 'none',
    entries: rules.map(entry),
  });
  return {
    rules: [out, ...forwards],
    policies: [
      ...(forwards.length > 0 && outside.length > 0 ? [policy('destination-nat', outside, forwards)] : []),
      ...(out.enabled && from.length > 0 ? [policy('source-nat', from, [out])] : []),
    ],
  };
}

function forwardRule(
  inside: InsideVrf,
  forward: InsideVrf['forwards'][number],
  interfaces: readonly string[],
  position: number,
  config: Config,
): Rule {
  const base: Traffic = everything('ip');
  const services: ServiceSet = service(protocolOf(forward.protocol) as number);
  const translation: Translation = {
    kind: 'destination',
    addresses: setOf(forward.address),
    ...(forward.port === undefined ? {} : { ports: [forward.port, forward.port] as const }),
  };
  return {
    key: config.unique(
      `cgn:${inside.id}:${ruleKey(forward.protocol, forward.address, String(forward.port))}`,
    ),
    kind: 'nat',
    enabled: true,
    position,
    context: {
      ...(inside.outsideVrf === undefined ? {} : { vrf: inside.outsideVrf }),
      family: 'ip',
      interfaces,
    },
    match: { ...base, destinations: inside.pool ?? base.destinations, services },
    unresolved: [CHOSEN],
    translation,
    action: 'static-forward inside',
    lines: [forward.line, ...(inside.poolLine ? [inside.poolLine] : [])],
  };
}

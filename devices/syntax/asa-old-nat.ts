// `static`, `nat` and `global` of ASA 8.2 and earlier -> rules, and the two NAT policies that their order makes
import * as addresses from '../../src/model/addresses.ts';
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_SERVICE, service } from '../../src/model/services.ts';
import { ANY_SOURCE_PORT, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { AsaList } from './asa-acl.ts';
import { enterSteps, keepsOffset, type NatEntry, type NatStep } from './asa-nat.ts';
import { subnet } from './asa-objects.ts';
import { asaPort } from './asa-ports.ts';
import { type AsaScope, linesOnce, statements } from './asa-scope.ts';
import { conditionOf } from './asa-ways.ts';
import { setOf } from './cisco-address.ts';
import type { Condition } from './cisco-region.ts';
import { lineOf } from './indent.ts';

interface Statement {
  /** Exemptions, statics, dynamic ones by list, dynamic ones by network ("NAT Order of Operation", 8.2 configuration guide). */
  readonly rank: 0 | 1 | 2 | 3;
  /** Among those of rank 3 the narrowest network comes first. */
  readonly size: number;
  readonly step: NatStep;
}

export function buildOldNat(scope: AsaScope, lists: ReadonlyMap<string, AsaList>): void {
  const globals = globalsOf(scope);
  const found: Statement[] = [];
  for (const { block, words } of statements(scope, 'static')) {
    const step = staticOf(scope, lists, words, lineOf(block));
    if (step) found.push({ rank: 1, size: 0, step });
    else scope.assembly.notUnderstood(block);
  }
  for (const { block, words } of statements(scope, 'nat')) {
    const statement = natOf(scope, lists, globals, words, lineOf(block));
    if (statement) found.push(statement);
    else scope.assembly.notUnderstood(block);
  }
  found.sort((a, b) => a.rank - b.rank || a.size - b.size);
  enterSteps(
    scope,
    found.map(({ step }) => step),
  );
}

interface Pool {
  readonly nameif: string;
  readonly set: addresses.AddressSet | undefined;
  readonly line: SourceLine;
}

/** `global (outside) 1 203.0.113.5-203.0.113.9 netmask M`, `global (outside) 1 interface`, by number. */
function globalsOf(scope: AsaScope): Map<string, Pool[]> {
  const pools = new Map<string, Pool[]>();
  for (const { block, words } of statements(scope, 'global')) {
    const nameif = /^\(([^()\s]{1,64})\)$/.exec(words[1] ?? '')?.[1];
    const range = words[3]?.split('-').map(scope.objects.alias).join('-');
    const set = words[3] === 'interface' ? scope.interfaces.addressOf(nameif ?? '') : setOf(range ?? '');
    if (nameif === undefined || (words[3] !== 'interface' && !set)) {
      scope.assembly.notUnderstood(block);
      continue;
    }
    pools.set(words[2], [...(pools.get(words[2]) ?? []), { nameif, set, line: lineOf(block) }]);
  }
  return pools;
}

/** `static (real,mapped) [tcp|udp] mapped [port] real [port] [netmask M] ...` or `... mapped access-list L`. */
function staticOf(
  scope: AsaScope,
  lists: ReadonlyMap<string, AsaList>,
  words: readonly string[],
  line: SourceLine,
): NatStep | undefined {
  const ends = /^\(([^(),\s]{1,64}),([^(),\s]{1,64})\)$/.exec(words[1] ?? '');
  if (!ends) return undefined;
  const { alias } = scope.objects;
  const protocol = words[2] === 'tcp' ? 6 : words[2] === 'udp' ? 17 : undefined;
  let at = protocol === undefined ? 2 : 3;
  const mappedWord = words[at++];
  const own = mappedWord === 'interface' ? scope.interfaces.addressOf(ends[2]) : undefined;
  const mappedPort = protocol === undefined ? undefined : asaPort(words[at++]);
  const mask = words.indexOf('netmask', at);
  const maskText = mask < 0 ? '255.255.255.255' : words[mask + 1];
  const mapped = mappedWord === 'interface' ? own : subnet(alias(mappedWord ?? ''), maskText);
  if (!mapped && mappedWord !== 'interface') return undefined;
  let condition: Condition | undefined;
  let real: addresses.AddressSet | undefined;
  let realPort: number | undefined;
  if (words[at] === 'access-list') {
    condition = conditionOf(lists, words[at + 1]);
    real = addresses.unionAddresses(...condition.boxes.map(({ sources }) => sources));
  } else {
    real = subnet(alias(words[at++] ?? ''), maskText);
    if (protocol !== undefined) realPort = asaPort(words[at]);
  }
  if (
    !real ||
    (protocol !== undefined && (mappedPort === undefined || (!condition && realPort === undefined)))
  )
    return undefined;
  const [from, to] = [scope.interfaces.namesOf(ends[1]), scope.interfaces.namesOf(ends[2])];
  const isBound = from.except || to.except || (from.names.length > 0 && to.names.length > 0);
  const peers = condition
    ? addresses.unionAddresses(...condition.boxes.map(({ destinations }) => destinations))
    : addresses.ANY_V4;
  const match: Traffic = {
    ingress: to,
    egress: from,
    sources: peers,
    destinations: mapped ?? addresses.ANY_V4,
    services: protocol === undefined ? ANY_SERVICE : service(protocol, [[mappedPort!, mappedPort!]]),
    sourcePorts: ANY_SOURCE_PORT,
  };
  const isIdentity = mapped !== undefined && addresses.sameAddresses(mapped, real) && mappedPort === realPort;
  const offset = keepsOffset(mapped, real) ? { offset: true } : {};
  const translation: Translation = {
    kind: 'destination',
    addresses: real,
    ...(realPort === undefined ? {} : { ports: [realPort, realPort] as const }),
    ...offset,
  };
  const out: Translation = {
    kind: 'source',
    ...(mapped ? { addresses: mapped } : {}),
    ...(mappedPort === undefined ? {} : { ports: [mappedPort, mappedPort] as const }),
    ...offset,
  };
  const outward: Traffic = {
    ...match,
    ingress: from,
    egress: to,
    sources: real,
    destinations: peers,
    services: protocol === undefined ? ANY_SERVICE : service(protocol),
    sourcePorts: realPort === undefined ? ANY_SOURCE_PORT : [realPort, realPort],
  };
  const made = scope.assembly.rule({
    key: scope.own(`static:${ruleKey(matchText(words))}`),
    kind: 'nat',
    list: scope.own('static'),
    context: scope.ruleContext({ list: 'static', interfaces: [...from.names, ...to.names] }),
    matches: [match],
    unresolved: [
      ...(condition?.unresolved ?? []),
      ...(mapped ? [] : [`address of ${ends[2]} is not in the configuration`]),
    ],
    ...(isIdentity ? {} : { translation }),
    action: matchText(words),
    lines: linesOnce([line, ...(condition?.lines ?? [])]),
  });
  const keep = { match, ...(isIdentity ? {} : { translation }) };
  return {
    made,
    destination: isBound ? [keep] : [],
    source: isBound ? [{ match: outward, ...(isIdentity ? {} : { translation: out }) }] : [],
  };
}

/** Connection limits and the like change nothing of what is translated. */
function matchText(words: readonly string[]): string {
  const end = words.findIndex((word, i) => i > 3 && /^(?:dns|tcp|udp|norandomseq)$/.test(word));
  return words.slice(0, end < 0 ? words.length : end).join(' ');
}

/** `nat (inside) 1 10.0.0.0 255.0.0.0 [outside]`, `nat (inside) 1 access-list L`, `nat (inside) 0 ...`. */
function natOf(
  scope: AsaScope,
  lists: ReadonlyMap<string, AsaList>,
  globals: ReadonlyMap<string, readonly Pool[]>,
  words: readonly string[],
  line: SourceLine,
): Statement | undefined {
  const nameif = /^\(([^()\s]{1,64})\)$/.exec(words[1] ?? '')?.[1];
  const number = words[2];
  if (nameif === undefined || !/^\d{1,10}$/.test(number ?? '')) return undefined;
  const byList = words[3] === 'access-list';
  const written = byList
    ? undefined
    : subnet(scope.objects.alias(words[3] ?? ''), words[3] === '0' ? '0.0.0.0' : words[4]);
  const network = words[3] === '0' || words[3] === '0.0.0.0' ? addresses.ANY_V4 : written;
  if (!byList && !network) return undefined;
  const condition = byList ? conditionOf(lists, words[4]) : undefined;
  const ingress = scope.interfaces.namesOf(nameif);
  const isBound = ingress.except || ingress.names.length > 0;
  const plain: Traffic = {
    ingress,
    egress: scope.everywhere.egress,
    sources: network ?? addresses.ANY_V4,
    destinations: addresses.ANY_V4,
    services: ANY_SERVICE,
    sourcePorts: ANY_SOURCE_PORT,
  };
  const boxes = condition
    ? condition.boxes.map((box) => ({ ...box, ingress, egress: plain.egress }))
    : [plain];
  const pools = number === '0' ? [] : (globals.get(number) ?? []);
  const source = number === '0' ? boxes.map((match): NatEntry => ({ match })) : pooled(scope, boxes, pools);
  const made = scope.assembly.rule({
    key: scope.own(`nat:${ruleKey(words.slice(1, 5).join(' '), ...pools.map(({ nameif: to }) => to))}`),
    kind: 'nat',
    list: scope.own('nat'),
    context: scope.ruleContext({ list: 'nat', interfaces: [...ingress.names] }),
    matches: boxes,
    unresolved: condition?.unresolved ?? [],
    ...(source[0]?.translation ? { translation: source[0].translation } : {}),
    action: words.slice(0, 5).join(' '),
    lines: linesOnce([line, ...pools.map((pool) => pool.line), ...(condition?.lines ?? [])]),
  });
  // An exemption holds for both ways.
  const exempt =
    number === '0' && condition ? condition.boxes.map((box) => turnedExemption(box, ingress, plain)) : [];
  const step: NatStep = { made, destination: isBound ? exempt : [], source: isBound ? source : [] };
  const size = network ? addresses.countAddresses(network) : 0;
  return { rank: number === '0' && byList ? 0 : byList ? 2 : 3, size, step };
}

const turnedExemption = (
  box: Traffic,
  egress: Traffic['egress'],
  { egress: ingress }: Traffic,
): NatEntry => ({
  match: { ...box, ingress, egress, sources: box.destinations, destinations: box.sources },
});

/** One entry for each interface that packets may leave by. */
function pooled(scope: AsaScope, boxes: readonly Traffic[], pools: readonly Pool[]): NatEntry[] {
  return [...Map.groupBy(pools, ({ nameif }) => nameif)].flatMap(([nameif, own]) => {
    const egress = scope.interfaces.namesOf(nameif);
    if (!egress.except && egress.names.length === 0) return [];
    const known = own.every(({ set }) => set !== undefined);
    const translation: Translation = {
      kind: 'source',
      ...(known ? { addresses: addresses.unionAddresses(...own.map(({ set }) => set!)) } : {}),
    };
    return boxes.map((match) => ({ match: { ...match, egress }, translation }));
  });
}

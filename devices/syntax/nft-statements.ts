// the statements of an nftables rule -> what it does, to which part of its traffic
import { addressSet, NO_ADDRESSES, unionAddresses } from '../../src/model/addresses.ts';
import type { SourceLine, Stage, Translation } from '../../src/model/rule.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import { product, spend } from './boxes.ts';
import type { Outcome } from './flatten.ts';
import { targetOf as iptablesTarget } from './iptables-target.ts';
import { familyTraffic } from './netfilter.ts';
import { numberRange } from './nft-fields.ts';
import { isList, isObject, type Json, type JsonObject } from './nft-layout.ts';
import { addressText, bare, keyBoxes, type MatchContext, textOf } from './nft-match.ts';

/** One thing that a rule does; `boxes` undefined: to all of its traffic. */
export interface Effect {
  readonly boxes?: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly outcome: Outcome;
  /** The map element behind it, as written; each is a rule of its own. */
  readonly element?: { readonly text: string; readonly lines: readonly SourceLine[] };
}

export interface NamedMap {
  readonly line: SourceLine;
  readonly elements: readonly { readonly value: Json; readonly line: SourceLine }[];
}

export interface StatementContext extends MatchContext {
  readonly mapOf: (name: string) => NamedMap | undefined;
  readonly chainId: (name: string) => string;
}

export type Read =
  | {
      readonly kind: 'effects';
      readonly action: string;
      readonly effects: readonly Effect[];
      /** What was left of it is not all; the line counts as unread. */
      readonly isPartial?: boolean;
    }
  /** Narrows the traffic in a way that ranges cannot say. */
  | { readonly kind: 'condition'; readonly unresolved: string }
  | { readonly kind: 'nothing'; readonly action?: string }
  | { readonly kind: 'unknown' };

/** Statements that neither decide about a packet nor send it elsewhere. */
const WITHOUT_EFFECT = new Set([
  'counter',
  'log',
  'mangle',
  'notrack',
  'flow',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'last',
  'comment',
  'continue',
  'ct',
]);
const CONDITIONS = new Set(['limit', 'quota', 'meter', 'ct count', 'connlimit', 'synproxy', 'socket', 'osf']);

/** A statement other than "match". */
export function readStatement(kind: string, body: Json, context: StatementContext): Read {
  if (WITHOUT_EFFECT.has(kind)) return { kind: 'nothing', action: kind === 'mangle' ? 'mangle' : undefined };
  if (CONDITIONS.has(kind)) return { kind: 'condition', unresolved: `${kind} ${textOf(body)}`.slice(0, 120) };
  switch (kind) {
    case 'set':
    case 'map':
      return isObject(body) && isList(body.stmt) && body.stmt.length > 0
        ? { kind: 'condition', unresolved: `${kind} ${textOf(body.set)}` }
        : { kind: 'nothing', action: `${isObject(body) ? body.op : ''} ${kind}`.trim() };
    case 'accept':
    case 'drop':
      return one(kind, { kind });
    case 'reject':
      return one('reject', { kind: 'drop' });
    case 'queue':
      return one('queue', { kind: 'accept' }, ['queue']);
    case 'return':
      return one('return', { kind: 'return' });
    case 'jump':
    case 'goto':
      return isObject(body)
        ? one(`${kind} ${body.target}`, { kind, chain: context.chainId(String(body.target)) })
        : { kind: 'unknown' };
    case 'xt':
      return isObject(body) ? readExtension(body) : { kind: 'unknown' };
    case 'vmap':
      return isObject(body) ? readVerdictMap(body, context) : { kind: 'unknown' };
    default:
      return readTranslation(kind, isObject(body) ? body : {}, context);
  }
}

const one = (action: string, outcome: Outcome, unresolved: readonly string[] = []): Read => ({
  kind: 'effects',
  action,
  effects: [{ unresolved, outcome }],
});

/**
 * What iptables-nft leaves in a ruleset and nft cannot say: only the extension's name is known, so the target of a
 * translation is not. Such hosts are read in full by iptables-save.
 */
function readExtension({ type, name }: JsonObject): Read {
  const word = String(name);
  if (type === 'match') return word === 'comment' ? { kind: 'nothing' } : { kind: 'unknown' };
  const known = iptablesTarget(word, [], 'either');
  if (!known) return { kind: 'unknown' };
  if (known.outcomes.length === 0) return { kind: 'nothing', action: word };
  const isTranslation = known.outcomes.some(({ kind }) => kind === 'translate') && word !== 'MASQUERADE';
  const unresolved = isTranslation ? [`xt ${word}`] : known.unresolved;
  const effects = known.outcomes.map((outcome) => ({ unresolved, outcome }));
  return { kind: 'effects', action: word, effects, isPartial: isTranslation };
}

function readVerdictMap(body: JsonObject, context: StatementContext): Read {
  const map = mapElements(body.data, context);
  if (!map) return { kind: 'unknown' };
  const effects: Effect[] = [];
  for (const { value } of map.elements) {
    const [key, verdict] = isList(value) ? value : [];
    if (!isObject(verdict)) return { kind: 'unknown' };
    const [[kind, target]] = Object.entries(verdict);
    if (kind === 'continue') continue;
    const read = readStatement(kind, target, context);
    if (read.kind !== 'effects') return { kind: 'unknown' };
    const where = whereOf(body.key, bare(key), context);
    for (const effect of read.effects) effects.push({ ...effect, ...where });
  }
  return { kind: 'effects', action: `vmap ${textOf(body.key)}`, effects };
}

/** The boxes of a map's key, or the condition in words. */
function whereOf(key: Json, value: Json, context: MatchContext): Pick<Effect, 'boxes' | 'unresolved'> {
  const boxes = value === '*' ? undefined : keyBoxes(key, value, context);
  return boxes ? { boxes, unresolved: [] } : { unresolved: [`${textOf(key)} ${textOf(value)}`] };
}

const STAGE: Readonly<Record<string, readonly [Exclude<Stage, 'filter'>, Translation['kind'], boolean]>> = {
  dnat: ['destination-nat', 'destination', true],
  redirect: ['destination-nat', 'redirect', true],
  snat: ['source-nat', 'source', true],
  masquerade: ['source-nat', 'source', true],
  tproxy: ['redirect', 'proxy', true],
  dup: ['redirect', 'mirror', false],
  fwd: ['redirect', 'policy-route', true],
};

function readTranslation(kind: string, body: JsonObject, context: StatementContext): Read {
  if (!Object.hasOwn(STAGE, kind)) return { kind: 'unknown' };
  const [stage, translationKind, final] = STAGE[kind];
  const effect: MakeEffect = (target, port) => {
    const parts = targetOf(target, port);
    if (!parts) return undefined;
    const offset =
      body.type_flags === 'prefix' ||
      body.flags === 'netmap' ||
      (isList(body.flags) && body.flags.includes('netmap'));
    const translation: Translation = {
      kind: translationKind,
      ...parts.where,
      ...(offset ? { offset: true } : {}),
    };
    const boxes = familyBoxes(body.family ?? null, translation);
    return { boxes, unresolved: parts.unresolved, outcome: { kind: 'translate', stage, translation, final } };
  };
  // In the netdev family a copy goes out of a device, with the packet as it is.
  const toDevice = kind === 'fwd' || (kind === 'dup' && !isAddress(body.addr));
  const target = toDevice ? null : (body.addr ?? null);
  if (isObject(target) && isObject(target.map))
    return readMapped(kind, target.map, body.port ?? null, effect, context);
  const made = effect(target, body.port ?? null);
  return made ? { kind: 'effects', action: kind, effects: [made] } : { kind: 'unknown' };
}

const isAddress = (value: Json | undefined): boolean =>
  value !== undefined && targetOf(value, null) !== undefined;

/** A translation to an address acts on packets of that family only. */
function familyBoxes(family: Json, { addresses }: Translation): readonly Traffic[] | undefined {
  if (family === 'ip' || (addresses?.v4.length && !addresses.v6.length)) return [familyTraffic('ip')];
  if (family === 'ip6' || (addresses?.v6.length && !addresses.v4.length)) return [familyTraffic('ip6')];
  return undefined;
}

type MakeEffect = (target: Json, port: Json) => Effect | undefined;

/** A translation through a map: each element is a port forward of its own. */
function readMapped(
  kind: string,
  map: JsonObject,
  port: Json,
  make: MakeEffect,
  context: StatementContext,
): Read {
  const found = mapElements(map.data, context);
  if (!found) return { kind: 'unknown' };
  // Load balancing: any of the targets may be taken.
  if (isObject(map.key) && CHOICES.some((name) => name in (map.key as JsonObject)))
    return readChoice(kind, found, port, make);
  const effects: Effect[] = [];
  for (const { value, line } of found.elements) {
    const [key, target] = isList(value) ? value : [];
    const made = target === undefined ? undefined : make(bare(target), port);
    if (!made) return { kind: 'unknown' };
    const where = whereOf(map.key, bare(key), context);
    const boxes = where.boxes && made.boxes ? product(where.boxes, made.boxes) : where.boxes;
    const lines = found.line ? (line ? [found.line, line] : [found.line]) : [];
    effects.push({
      outcome: made.outcome,
      boxes,
      unresolved: [...made.unresolved, ...where.unresolved],
      element: { text: JSON.stringify([bare(key), bare(target)]), lines },
    });
  }
  return { kind: 'effects', action: kind, effects };
}

const CHOICES = ['numgen', 'jhash', 'symhash'];

function readChoice(kind: string, found: FoundMap, port: Json, make: MakeEffect): Read {
  // Nothing to choose from yet: the map is filled at run time.
  if (found.elements.length === 0) return { kind: 'effects', action: kind, effects: [] };
  const made = found.elements.map(({ value }) => (isList(value) ? make(bare(value[1]), port) : undefined));
  const translations = made.flatMap((effect) =>
    effect?.outcome.kind === 'translate' ? [effect.outcome.translation] : [],
  );
  const [first] = made;
  if (first?.outcome.kind !== 'translate' || translations.length < made.length) return { kind: 'unknown' };
  const ports = translations.flatMap((translation) => translation.ports ?? []);
  const translation: Translation = {
    ...first.outcome.translation,
    addresses: unionAddresses(...translations.map(({ addresses }) => addresses ?? NO_ADDRESSES)),
    ...(ports.length > 0 ? { ports: [Math.min(...ports), Math.max(...ports)] } : {}),
  };
  return {
    kind: 'effects',
    action: kind,
    effects: [{ ...first, outcome: { ...first.outcome, translation } }],
  };
}

interface FoundMap {
  readonly line?: SourceLine;
  readonly elements: readonly { readonly value: Json; readonly line?: SourceLine }[];
}

function mapElements(data: Json, context: StatementContext): FoundMap | undefined {
  const named = typeof data === 'string' && data.startsWith('@') ? context.mapOf(data.slice(1)) : undefined;
  const found =
    isObject(data) && isList(data.set) ? { elements: data.set.map((value) => ({ value })) } : named;
  return found && spend(context.allowance, found.elements.length) ? found : undefined;
}

interface Target {
  readonly where: Pick<Translation, 'addresses' | 'ports'>;
  readonly unresolved: readonly string[];
}

/** An address (prefix, range) with or without ports; undefined where it cannot be read. */
function targetOf(target: Json, port: Json): Target | undefined {
  const [address, portPart] = isObject(target) && isList(target.concat) ? target.concat : [target, port];
  const ports = portPart === null || portPart === undefined ? undefined : numberRange(portPart);
  const unresolved =
    portPart !== null && portPart !== undefined && !ports ? [`port ${textOf(portPart)}`] : [];
  if (address === null || address === undefined)
    return { where: { ...(ports ? { ports } : {}) }, unresolved };
  try {
    const addresses = addressSet(addressText(address));
    return { where: { addresses, ...(ports ? { ports } : {}) }, unresolved };
  } catch {
    return undefined;
  }
}

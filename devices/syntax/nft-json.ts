// `nft -j list ruleset`, `nft list ruleset` -> rules, policies and unread lines

import type { Rule, RuleContext, RuleKind, RuleSet, SourceLine } from '../../src/model/rule.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import { ruleKey, uniqueKeys } from '../../src/rules/key.ts';
import { hullOf, newAllowance, oneFamily, product } from './boxes.ts';
import type { Branch, ChainRule } from './flatten.ts';
import { nameExpander } from './interfaces.ts';
import {
  type BaseChain,
  type Chain,
  type Family,
  familyTraffic,
  type Hook,
  netfilterPolicies,
  policyRule,
} from './netfilter.ts';
import { isList, isObject, type Json, type JsonObject, type NftObject, parseNftJson } from './nft-layout.ts';
import { bare, matchOf } from './nft-match.ts';
import { type Effect, readStatement, type StatementContext } from './nft-statements.ts';
import { parseNftText } from './nft-text.ts';

/** Objects without rules in them. */
const SILENT = new Set([
  'metainfo',
  'set',
  'map',
  'element',
  'counter',
  'quota',
  'limit',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'synproxy',
  'meter',
]);

/** JSON, whose lines are those of layoutNftJson, or nft's own language. Text that is neither is all unread. */
export function readNft(text: string): RuleSet {
  const json = parseNftJson(text);
  const written = json ? undefined : parseNftText(text);
  const objects = json ?? written?.objects;
  if (!objects) {
    const unread = text
      .split('\n')
      .flatMap((line, i) => (line.trim() ? [{ number: i + 1, text: line }] : []));
    return { rules: [], policies: [], interfaces: [], unread };
  }
  const reading = newReading(objects);
  for (const line of written?.unread ?? []) reading.unread.add(line);
  for (const object of objects) {
    if (object.kind === 'rule') readRule(object, reading);
    else if (object.kind === 'chain') readChain(object, reading);
    else if (object.kind === 'table' ? hasUnknownFlags(object.body) : !SILENT.has(object.kind))
      reading.unread.add(object.line);
  }
  const chains = [...reading.chains.values()].filter(({ tableId }) => !reading.dormant.has(tableId));
  const { policies, unread } = netfilterPolicies(chains);
  for (const line of unread) reading.unread.add(line);
  const sorted = [...reading.unread].sort((a, b) => a.number - b.number);
  return { rules: reading.rules, policies, interfaces: [], unread: sorted };
}

interface OpenChain extends Chain {
  readonly tableId: string;
  readonly rules: ChainRule[];
  position: number;
}

interface Reading {
  readonly rules: Rule[];
  readonly chains: Map<string, OpenChain>;
  readonly unread: Set<SourceLine>;
  /** Tables with the dormant flag: nothing in them acts. */
  readonly dormant: ReadonlySet<string>;
  readonly unique: (key: string) => string;
  readonly contextOf: (tableId: string) => StatementContext;
  /** The line on which a set or map of a table begins. */
  readonly lineOf: (tableId: string, name: string) => SourceLine | undefined;
}

const tableIdOf = (body: JsonObject, name = body.table): string => `${body.family} ${name}`;
const has = (value: Json | undefined, word: string): boolean =>
  value === word || (isList(value) && value.includes(word));

/** Up to version 1.0.6, nft prints the table's name where the flags should stand. */
function hasUnknownFlags({ flags }: JsonObject): boolean {
  const list = isList(flags) ? flags : flags === undefined ? [] : [flags];
  return list.some((flag) => flag !== 'dormant' && flag !== 'owner' && flag !== 'persist');
}

function newReading(objects: readonly NftObject[]): Reading {
  const named = new Map<string, NftObject>();
  const dormant = new Set<string>();
  for (const object of objects) {
    if (object.kind === 'set' || object.kind === 'map')
      named.set(`${tableIdOf(object.body)} ${object.body.name}`, object);
    if (object.kind === 'table' && has(object.body.flags, 'dormant'))
      dormant.add(tableIdOf(object.body, object.body.name));
  }
  const expand = nameExpander(interfaceNames(objects), '*');
  const allowance = newAllowance();
  const contexts = new Map<string, StatementContext>();
  const newContext = (tableId: string): StatementContext => ({
    expand,
    allowance,
    cache: new Map(),
    chainId: (name) => `${tableId} ${name}`,
    elementsOf: (name) => {
      const set = named.get(`${tableId} ${name}`);
      return set && (isList(set.body.elem) ? set.body.elem.map(bare) : []);
    },
    mapOf: (name) => {
      const map = named.get(`${tableId} ${name}`);
      const values = map && isList(map.body.elem) ? map.body.elem : [];
      return (
        map && { line: map.line, elements: values.map((value, i) => ({ value, line: map.elementLines[i] })) }
      );
    },
  });
  const contextOf = (tableId: string): StatementContext => {
    const context = contexts.get(tableId) ?? newContext(tableId);
    contexts.set(tableId, context);
    return context;
  };
  const lineOf = (tableId: string, name: string) => named.get(`${tableId} ${name}`)?.line;
  return {
    rules: [],
    chains: new Map(),
    unread: new Set(),
    dormant,
    unique: uniqueKeys(),
    contextOf,
    lineOf,
  };
}

/** Every interface name that a rule or a set of names holds; needed to know what "tun*" covers. */
function interfaceNames(objects: readonly NftObject[]): Set<string> {
  const found = new Set<string>();
  const collect = (value: Json): void => {
    if (typeof value === 'string') found.add(value);
    else if (isList(value)) for (const item of value) collect(item);
    else if (isObject(value)) for (const item of Object.values(value)) collect(item);
  };
  for (const { kind, body } of objects) {
    if (has(body.type, 'ifname') && isList(body.elem)) collect(body.elem);
    if (kind !== 'rule' || !isList(body.expr)) continue;
    for (const statement of body.expr) {
      if (!isObject(statement)) continue;
      const asked = isObject(statement.match)
        ? statement.match
        : isObject(statement.vmap)
          ? statement.vmap
          : undefined;
      if (asked && /"[io]if(name)?"/.test(JSON.stringify(asked.left ?? asked.key)))
        collect(asked.right ?? asked.data);
    }
  }
  return found;
}

function readChain({ body, line }: NftObject, reading: Reading): void {
  const tableId = tableIdOf(body);
  const id = `${tableId} ${body.name}`;
  const family = body.family as Family;
  const isBase = typeof body.hook === 'string';
  const policy = body.policy === 'drop' ? 'drop' : 'accept';
  const policyKey = reading.unique(ruleKey('nft policy', id));
  const devices = isList(body.dev)
    ? body.dev.map(String)
    : typeof body.dev === 'string'
      ? [body.dev]
      : undefined;
  const base: BaseChain | undefined = isBase
    ? {
        type: body.type as BaseChain['type'],
        hook: body.hook as Hook,
        priority: typeof body.prio === 'number' ? body.prio : 0,
        policy,
        policyKey,
        devices,
      }
    : undefined;
  reading.chains.set(id, { id, tableId, family, base, rules: [], position: 0 });
  if (base && base.type !== 'nat' && (policy === 'drop' || base.hook === 'forward')) {
    const rule = policyRule(contextOf(body), policyKey, family, policy, 0, [line]);
    reading.rules.push({ ...rule, enabled: !reading.dormant.has(tableId) });
  }
}

const contextOf = (body: JsonObject): RuleContext => ({
  family: body.family as RuleContext['family'],
  table: String(body.table),
  chain: String(body.chain ?? body.name),
});

function readRule(object: NftObject, reading: Reading): void {
  const { body, line } = object;
  const tableId = tableIdOf(body);
  const chain = reading.chains.get(`${tableId} ${body.chain}`);
  const statements = isList(body.expr) ? body.expr.filter(isObject) : [];
  const parts = readStatements(statements, body.family as Family, reading.contextOf(tableId));
  if (!chain || parts.isUnknown) reading.unread.add(line);
  if (!chain) return;
  const written = [tableId, String(body.chain), asWritten(statements)];
  const draft = {
    enabled: !reading.dormant.has(tableId),
    position: chain.position++,
    context: contextOf(body),
    ...(typeof body.comment === 'string' ? { comment: body.comment } : {}),
    action: parts.actions.join(', ') || 'none',
  };
  const whole = parts.effects.filter(({ element }) => !element);
  const mapped = parts.effects.filter(({ element }) => element);
  const branches: Branch[] = [];
  const standing = [line, ...namedSets(statements, (name) => reading.lineOf(tableId, name))];
  const add = (effects: readonly Effect[], key: string, lines: readonly SourceLine[]) => {
    const made = effects.map((effect) => branchesOf(effect, parts, key));
    const boxes = made.length > 0 ? made.flatMap((list) => list.map(({ match }) => match)) : parts.boxes;
    const words = parts.state ? [parts.state.words] : [];
    const conditions = effects.flatMap((effect) => effect.unresolved);
    const unresolved = [...new Set([...words, ...parts.unresolved, ...conditions])];
    const translation = effects
      .map(({ outcome }) => outcome)
      .find((outcome) => outcome.kind === 'translate')?.translation;
    const match = oneFamily(hullOf(boxes));
    reading.rules.push({
      key,
      kind: kindOf(effects, chain.base?.type === 'nat' ? 'nat' : 'filter'),
      ...draft,
      match,
      unresolved,
      ...(translation ? { translation } : {}),
      lines,
    });
    for (const list of made) for (const branch of list) branches.push(branch);
  };
  if (whole.length > 0 || mapped.length === 0)
    add(whole, reading.unique(ruleKey('nft', ...written)), standing);
  for (const effect of mapped) {
    const { text, lines } = effect.element!;
    add([effect], reading.unique(ruleKey('nft', ...written, text)), [...new Set([...standing, ...lines])]);
  }
  chain.rules.push({ lines: [line], branches });
}

/** As many sets as one rule's lines name. */
const MAX_SET_LINES = 16;

/** Where the named sets and maps of a rule begin: it stands on them too. */
function namedSets(
  statements: readonly JsonObject[],
  lineOf: (name: string) => SourceLine | undefined,
): SourceLine[] {
  const text = JSON.stringify(statements);
  if (!text.includes('"@')) return [];
  const names = new Set([...text.matchAll(/"@([^"]+)"/g)].map(([, name]) => name));
  return [...names].slice(0, MAX_SET_LINES).flatMap((name) => lineOf(name) ?? []);
}

/** Whether a packet is translated is no box: the rule says it in words, its branches as a field. */
interface TranslationState {
  readonly translated: boolean;
  readonly words: string;
}

interface RuleParts {
  readonly boxes: readonly Traffic[];
  readonly unresolved: readonly string[];
  readonly state?: TranslationState;
  readonly effects: readonly Effect[];
  readonly actions: readonly string[];
  readonly isUnknown: boolean;
}

function readStatements(
  statements: readonly JsonObject[],
  family: Family,
  context: StatementContext,
): RuleParts {
  let boxes: readonly Traffic[] = [familyTraffic(family)];
  const unresolved: string[] = [];
  const effects: Effect[] = [];
  const actions: string[] = [];
  let isUnknown = false;
  let state: TranslationState | undefined;
  for (const statement of statements) {
    const [[kind, content] = ['', null]] = Object.entries(statement);
    if (kind === 'match') {
      const matched = matchOf(content, context);
      if ('translated' in matched) {
        if (state && state.translated !== matched.translated) boxes = [];
        state = matched;
        continue;
      }
      const narrowed = 'boxes' in matched ? product(boxes, matched.boxes, context.allowance) : undefined;
      if (narrowed) boxes = narrowed;
      else
        unresolved.push(
          'unresolved' in matched ? matched.unresolved : 'more combinations than are kept apart',
        );
      continue;
    }
    const read = readStatement(kind, content, context);
    if (read.kind === 'effects') {
      for (const effect of read.effects) effects.push(effect);
      actions.push(read.action);
      isUnknown ||= read.isPartial === true;
    } else if (read.kind === 'condition') unresolved.push(read.unresolved);
    else if (read.kind === 'nothing') actions.push(...(read.action ? [read.action] : []));
    else {
      unresolved.push(
        kind === 'xt' && isObject(content) ? `xt ${content.name}` : kind || 'an empty statement',
      );
      isUnknown = true;
    }
  }
  return { boxes: boxes.map(oneFamily), unresolved, state, effects, actions, isUnknown };
}

function branchesOf(effect: Effect, parts: RuleParts, key: string): Branch[] {
  const boxes = effect.boxes ? product(parts.boxes, effect.boxes) : parts.boxes;
  const unresolved = [...parts.unresolved, ...effect.unresolved];
  if (!boxes) unresolved.push('more combinations than are kept apart');
  return (boxes ?? parts.boxes).map((match) => ({
    ruleKey: key,
    match: oneFamily(match),
    unresolved,
    ...(parts.state ? { translated: parts.state.translated } : {}),
    outcome: effect.outcome,
  }));
}

const KINDS: Readonly<Record<string, RuleKind>> = {
  mirror: 'mirror',
  proxy: 'proxy',
  'policy-route': 'policy-route',
};

function kindOf(effects: readonly Effect[], otherwise: RuleKind): RuleKind {
  for (const { outcome } of effects)
    if (outcome.kind === 'translate') return KINDS[outcome.translation.kind] ?? 'nat';
  return otherwise;
}

/** The statements without counters, and without the elements of a translation's own map: those are rules of their own. */
function asWritten(statements: readonly JsonObject[]): string {
  return JSON.stringify(statements, (name, value) => {
    if (name === 'counter' || name === 'last') return isObject(value) ? null : value;
    // The kernel keeps the elements of a set in no order of their own.
    if (name === 'set' && Array.isArray(value)) return value.map((item) => JSON.stringify(item)).sort();
    if (name === 'quota' && isObject(value)) return { ...value, used: undefined, used_unit: undefined };
    if (name === 'map' && isObject(value))
      return typeof value.data === 'string' ? value : { ...value, data: null };
    return value;
  });
}

// virtual servers of TMOS -> rules, and what packets meet: the most specific listener takes a connection, else none does
import type { SourceLine, Translation } from '../../src/model/rule.ts';
import { withPorts } from '../../src/model/services.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import type { Assembled, Assembly, PolicyBuilder } from './assemble.ts';
import { byPrecedence, type Listener, listenerOf } from './tmsh-listeners.ts';
import { type Pool, poolOf, snatPoolOf } from './tmsh-pools.ts';
import { plainName, textBelow, wordsBelow } from './tmsh-text.ts';
import { at, linesUnder, list, type WordTree, word } from './tree.ts';

export interface Stages {
  readonly destinationNat: PolicyBuilder;
  readonly redirect: PolicyBuilder;
  readonly filter: PolicyBuilder;
  readonly sourceNat: PolicyBuilder;
}

interface Virtual {
  readonly node: WordTree;
  readonly listener: Listener;
  readonly rule: Assembled;
  readonly pool?: Pool;
}

const MOST_LINES = 120;

/** In order of precedence, so that the first match decides. */
export function readVirtuals(tree: WordTree, assembly: Assembly, stages: Stages): void {
  const virtuals = list(tree, 'ltm', 'virtual').flatMap((node): Virtual[] => {
    const listener = listenerOf(tree, node);
    if (listener) return [ruleOf(tree, node, listener, assembly)];
    assembly.notUnderstood(...linesUnder(node, MOST_LINES));
    return [];
  });
  virtuals.sort((a, b) => byPrecedence(a.listener, b.listener));
  for (const one of virtuals) meet(tree, one, stages);
  readMirrors(tree, virtuals, assembly, stages.redirect);
}

const isForwarding = (node: WordTree) => Boolean(at(node, 'ip-forward') ?? at(node, 'l2-forward'));

function ruleOf(tree: WordTree, node: WordTree, listener: Listener, assembly: Assembly): Virtual {
  const poolName = word(node, 'pool');
  const pool = poolName === undefined ? undefined : poolOf(tree, poolName);
  const unresolved = [
    ...listener.unresolved,
    ...(pool?.unresolved ?? []),
    ...(poolName !== undefined && !pool ? [`pool ${plainName(poolName)} is not defined`] : []),
    ...wordsBelow(at(node, 'rules')).map((name) => `iRule ${plainName(name)}`),
    ...list(node, 'policies').map(({ word: name }) => `policy ${plainName(name)}`),
  ];
  const translation = translationOf(node, pool);
  const description = textBelow(at(node, 'description'));
  const lines: SourceLine[] = [...linesUnder(node, MOST_LINES), ...listener.lines, ...(pool?.lines ?? [])];
  const rule = assembly.rule({
    key: `virtual:${plainName(node.word)}`,
    kind: translation ? 'nat' : 'filter',
    list: 'virtual',
    enabled: !at(node, 'disabled'),
    context: {
      ...(listener.domain > 0 ? { vrf: String(listener.domain) } : {}),
      direction: 'in',
    },
    matches: [listener.match],
    unresolved,
    ...(translation ? { translation } : {}),
    action: actionOf(node),
    ...(description === undefined ? {} : { comment: description }),
    lines: lines.slice(0, MOST_LINES),
  });
  return { node, listener, rule, ...(pool ? { pool } : {}) };
}

function actionOf(node: WordTree): string {
  for (const type of ['ip-forward', 'l2-forward', 'reject', 'internal', 'stateless', 'dhcp-relay'])
    if (at(node, type)) return `virtual ${type}`;
  return 'virtual';
}

/** With `translate-address disabled` the member is only the next hop. */
const keepsAddress = (node: WordTree) => word(node, 'translate-address') === 'disabled';

function translationOf(node: WordTree, pool: Pool | undefined): Translation | undefined {
  if (!pool || isForwarding(node) || at(node, 'reject')) return undefined;
  if (keepsAddress(node)) return { kind: 'policy-route', addresses: pool.addresses };
  return {
    kind: 'destination',
    addresses: pool.addresses,
    ...(pool.ports && word(node, 'translate-port') !== 'disabled' ? { ports: pool.ports } : {}),
  };
}

function meet(tree: WordTree, { node, listener, rule, pool }: Virtual, stages: Stages): void {
  const translation = translationOf(node, pool);
  const { unresolved } = rule.rule;
  if (at(node, 'internal')) return;
  stages.filter.entry(rule, at(node, 'reject') ? 'drop' : 'accept', { unresolved: [] });
  if (translation?.kind === 'destination') stages.destinationNat.entry(rule, 'translate', { translation });
  else stages.destinationNat.entry(rule, 'exempt', { unresolved });
  // What another virtual server translated is not for this one.
  if (translation?.kind === 'policy-route')
    stages.redirect.entry(rule, 'translate', { translation, translated: false });
  const seen = seenBehind(listener.match, translation);
  const source = sourceOf(tree, node);
  const options = { matches: [seen], translated: translation?.kind === 'destination', unresolved };
  if (source) stages.sourceNat.entry(rule, 'translate', { ...options, translation: source });
  // Without one of its own a SNAT of the source applies, unless the pool refuses that.
  else if (word(at(tree, 'ltm', 'pool', word(node, 'pool') ?? ''), 'allow-snat') === 'no')
    stages.sourceNat.entry(rule, 'exempt', options);
}

/** As source translation sees a packet of the listener. */
function seenBehind(match: Traffic, translation: Translation | undefined): Traffic {
  if (translation?.kind !== 'destination' || !translation.addresses) return match;
  const { addresses, ports } = translation;
  return {
    ...match,
    destinations: addresses,
    services: ports ? withPorts(match.services, ports[0], ports[1]) : match.services,
  };
}

/** `source-address-translation { type automap | snat | none pool P }`; the old `snat automap` and `snatpool P`. */
function sourceOf(tree: WordTree, node: WordTree): Translation | undefined {
  const setting = at(node, 'source-address-translation');
  const type = word(setting, 'type') ?? word(node, 'snat');
  const name = word(setting, 'pool') ?? word(node, 'snatpool');
  if (name !== undefined) {
    const pool = snatPoolOf(tree, name);
    return { kind: 'source', ...(pool?.addresses ? { addresses: pool.addresses } : {}) };
  }
  return type === 'automap' || type === 'lsn' ? { kind: 'source' } : undefined;
}

/** Clone pools get a copy of every packet of a virtual server. */
function readMirrors(
  tree: WordTree,
  virtuals: readonly Virtual[],
  assembly: Assembly,
  redirect: PolicyBuilder,
): void {
  for (const { node, listener } of virtuals)
    for (const clone of list(node, 'clone-pools')) {
      const pool = poolOf(tree, clone.word);
      const translation: Translation = { kind: 'mirror', ...(pool ? { addresses: pool.addresses } : {}) };
      const rule = assembly.rule({
        key: `clone:${plainName(node.word)}:${plainName(clone.word)}`,
        kind: 'mirror',
        list: 'clone-pools',
        enabled: !at(node, 'disabled'),
        matches: [listener.match],
        unresolved: pool?.unresolved ?? [`pool ${plainName(clone.word)} is not defined`],
        translation,
        action: 'clone pool',
        lines: [...linesUnder(clone, 20), ...(pool?.lines ?? [])].slice(0, MOST_LINES),
      });
      redirect.entry(rule, 'translate', { translation });
    }
}

// observe ports and mirroring groups of VRP and Comware -> mirror rules and policies
import type { Policy, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { lineOf, linesOf, wordsOf } from './indent.ts';
import { addTo } from './multimap.ts';
import type { VrpBindings } from './vrp-interfaces.ts';

/** Where copies go, by number or name of the observe port or mirroring group. */
export type Observers = ReadonlyMap<
  string,
  { readonly text: string; readonly far?: string; readonly lines: readonly SourceLine[] }
>;

/** `observe-port 1 interface I`, `observe-port 1 destination-ip A source-ip B`; `mirroring-group 1 monitor-port I [destination-ip A ...]`. */
export function readObservers(reading: Reading, bindings: VrpBindings): Observers {
  const found = new Map<string, { text: string; far?: string; lines: SourceLine[] }>();
  const add = (id: string, words: readonly string[], lines: SourceLine[]) => {
    const far = words[words.indexOf('destination-ip') + 1];
    const hasFar = words.includes('destination-ip') && setOf(far ?? '') !== undefined;
    const known = found.get(id);
    found.set(id, {
      text: words.join(' ') || known?.text || '',
      ...(hasFar ? { far } : known?.far === undefined ? {} : { far: known.far }),
      lines: [...(known?.lines ?? []), ...lines].slice(0, MAX_LINES),
    });
  };
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] === 'observe-port' && words[1] !== undefined)
      add(
        words[1],
        [...words.slice(2), ...block.children.flatMap((line) => wordsOf(line.text))],
        linesOf(block),
      );
    else if (
      words[0] === 'mirroring-group' &&
      /^(?:monitor-port|monitor-egress|reflector-port|remote-probe)$/.test(words[2] ?? '')
    )
      add(words[1], words.slice(2), [lineOf(block)]);
  }
  for (const { face, words, line } of bindings.mirrors)
    if (words[0] === 'mirroring-group' && words[2] === 'monitor-port')
      add(words[1], ['monitor-port', face?.name ?? ''], [line]);
  return found;
}

export function observerOf(id: string, observers: Observers): Translation {
  const far = observers.get(id)?.far;
  return { kind: 'mirror', ...(far === undefined ? {} : { addresses: setOf(far) }) };
}

interface Source {
  readonly face: string;
  readonly direction: 'rx' | 'tx' | 'both';
  readonly line: SourceLine;
}

/** A rule for each observe port or group that has sources. */
export function buildVrpMirrors(
  reading: Reading,
  bindings: VrpBindings,
  observers: Observers,
  config: Config,
): Built {
  const sources = readSources(reading, bindings);
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const [id, own] of sources) {
    const observer = observers.get(id);
    const translation = observerOf(id, observers);
    const rule: Rule = {
      key: config.unique(`mirror:${id}`),
      kind: 'mirror',
      enabled: true,
      position: rules.length,
      context: { interfaces: [...new Set(own.map(({ face }) => face))] },
      match: ANY_TRAFFIC,
      unresolved: [],
      translation,
      action: `mirror to ${observer?.text ?? 'nowhere'}`,
      lines: [...(observer?.lines ?? []), ...own.map(({ line }) => line)].slice(0, MAX_LINES),
    };
    rules.push(rule);
    if (!translation.addresses) continue;
    for (const way of ['rx', 'tx'] as const) {
      const bound = own
        .filter(({ direction }) => direction === 'both' || direction === way)
        .map(({ face }) => face);
      if (bound.length === 0) continue;
      const set = names(...bound);
      policies.push({
        id: `${rule.key}:${way}`,
        stage: 'redirect',
        evaluation: 'first-match',
        appliesTo: way === 'rx' ? { ingress: set, egress: ANY_NAME } : { ingress: ANY_NAME, egress: set },
        otherwise: 'none',
        entries: [
          { ruleKey: rule.key, match: ANY_TRAFFIC, unresolved: [], action: 'translate', translation },
        ],
      });
    }
  }
  return { rules, policies };
}

const DIRECTIONS: Readonly<Record<string, Source['direction']>> = {
  inbound: 'rx',
  outbound: 'tx',
  both: 'both',
};

/** `port-mirroring to observe-port 1 both`; `mirroring-group 1 mirroring-port [I ...] both`. */
function readSources(reading: Reading, bindings: VrpBindings): Map<string, Source[]> {
  const found = new Map<string, Source[]>();
  const add = (id: string | undefined, face: string, way: string | undefined, line: SourceLine) => {
    const direction = DIRECTIONS[way ?? ''];
    if (id === undefined || direction === undefined) return reading.notUnderstood(line);
    addTo(found, id, { face, direction, line });
  };
  for (const { face, words, line } of bindings.mirrors) {
    if (!face || face.shutdown) continue;
    if (words[0] === 'port-mirroring') add(words[3], face.name, words[4], line);
    else if (words[2] === 'mirroring-port') add(words[1], face.name, words[3], line);
  }
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'mirroring-group') continue;
    if (words[2] === 'mirroring-port')
      for (const name of words.slice(3, -1)) add(words[1], name, words.at(-1), lineOf(block));
    else if (
      !/^(?:local|remote-source|remote-destination|monitor-port|monitor-egress|reflector-port|remote-probe|sampler)$/.test(
        words[2] ?? '',
      )
    )
      reading.notUnderstood(block);
  }
  return found;
}

// `monitor-session` blocks of IOS-XR and the interfaces that name them -> mirror rules and policies
import type { Policy, Rule, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import type { Built, Config } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';
import type { MirrorBinding, XrBindings } from './iosxr-interfaces.ts';

/** A session that ends in a tunnel leaves for the tunnel's far end; one that ends in a port has no policy. */
export function buildXrMirrors(reading: Reading, config: Config, bindings: XrBindings): Built {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  const bySession = Map.groupBy(bindings.mirrors, ({ session }) => session);
  for (const block of reading.blocks) {
    const [word, name] = wordsOf(block.text);
    if (word !== 'monitor-session' || name === undefined) continue;
    const bound = (bySession.get(name) ?? []).filter(({ face }) => !face.shutdown);
    const end = endOf(block, config, reading);
    const rule = ruleOf(config.unique(`monitor-session:${name}`), block, bound, end, rules.length);
    rules.push(rule);
    if (end.far !== undefined) policies.push(...policiesOf(rule, bound));
  }
  return { rules, policies };
}

interface End {
  readonly text: string;
  readonly far?: string;
}

function endOf(block: Block, config: Config, reading: Reading): End {
  let end: End = { text: 'nowhere' };
  for (const line of block.children) {
    const words = wordsOf(line.text);
    const at = words.indexOf('destination');
    if (at < 0) {
      if (
        !/^(?:traffic-class|discard-class|description|mirror|inject-interface|router-id)$/.test(
          words[0] ?? '',
        )
      )
        reading.notUnderstood(line);
      continue;
    }
    const name = words.slice(at + 2).join(' ');
    const far = words[at + 1] === 'interface' ? config.byName.get(name)?.tunnel.destination : words.at(-1);
    end = { text: words.slice(at + 1).join(' '), ...(setOf(far ?? '') ? { far } : {}) };
  }
  return end;
}

function ruleOf(
  key: string,
  block: Block,
  bound: readonly MirrorBinding[],
  end: End,
  position: number,
): Rule {
  const translation: Translation = {
    kind: 'mirror',
    ...(end.far === undefined ? {} : { addresses: setOf(end.far) }),
  };
  return {
    key,
    kind: 'mirror',
    enabled: true,
    position,
    context: { interfaces: [...new Set(bound.map(({ face }) => face.name))] },
    match: ANY_TRAFFIC,
    unresolved: bound.some(({ list }) => list) ? ['only what the access list of the interface captures'] : [],
    translation,
    action: `mirror to ${end.text}`,
    lines: [...linesOf(block), ...bound.map(({ line }) => line)].slice(0, MAX_LINES),
  };
}

function policiesOf(rule: Rule, bound: readonly MirrorBinding[]): Policy[] {
  return (['rx', 'tx'] as const).flatMap((way) => {
    const faces = bound.filter(({ direction }) => direction === 'both' || direction === way);
    if (faces.length === 0) return [];
    const set = names(...faces.map(({ face }) => face.name));
    const { key, match, unresolved, translation } = rule;
    return [
      {
        id: `${key}:${way}`,
        stage: 'redirect' as const,
        evaluation: 'first-match' as const,
        appliesTo: way === 'rx' ? { ingress: set, egress: ANY_NAME } : { ingress: ANY_NAME, egress: set },
        otherwise: 'none' as const,
        entries: [{ ruleKey: key, match, unresolved, action: 'translate' as const, translation }],
      },
    ];
  });
}

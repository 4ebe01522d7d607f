// short ways to write rule sets by hand; each rule also gets its entry
import { addressSet } from '../../src/model/addresses.ts';
import type {
  EntryAction,
  Policy,
  PolicyEntry,
  Rule,
  RuleKind,
  RuleSet,
  Stage,
  Translation,
} from '../../src/model/rule.ts';
import { serviceSet } from '../../src/model/services.ts';
import { ANY_TRAFFIC, type NameSet, names, type Traffic } from '../../src/model/traffic.ts';

export interface Line {
  key: string;
  action: EntryAction;
  from?: string;
  to?: string;
  service?: string;
  in?: string;
  out?: string;
  translate?: Translation;
  enabled?: boolean;
  comment?: string;
  unresolved?: string[];
  translated?: boolean;
}

export interface Chain {
  id: string;
  stage?: Stage;
  sees?: Policy['sees'];
  evaluation?: Policy['evaluation'];
  otherwise?: Policy['otherwise'];
  ingress?: NameSet;
  lines: Line[];
}

export const destination = (address?: string, port?: number): Translation => ({
  kind: 'destination',
  ...(address ? { addresses: addressSet(...address.split(' ')) } : {}),
  ...(port === undefined ? {} : { ports: [port, port] as const }),
});

export function box(line: Pick<Line, 'from' | 'to' | 'service' | 'in' | 'out'>): Traffic {
  return {
    ...ANY_TRAFFIC,
    ...(line.from ? { sources: addressSet(...line.from.split(' ')) } : {}),
    ...(line.to ? { destinations: addressSet(...line.to.split(' ')) } : {}),
    ...(line.service ? { services: serviceSet(...line.service.split(' ')) } : {}),
    ...(line.in ? { ingress: names(line.in) } : {}),
    ...(line.out ? { egress: names(line.out) } : {}),
  };
}

const KINDS: Record<Stage, RuleKind> = {
  'destination-nat': 'nat',
  'source-nat': 'nat',
  filter: 'filter',
  redirect: 'policy-route',
};

export function ruleSet(...chains: Chain[]): RuleSet {
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  let number = 0;
  for (const chain of chains) {
    const stage = chain.stage ?? 'filter';
    const entries: PolicyEntry[] = [];
    for (const [position, line] of chain.lines.entries()) {
      const common = {
        match: box(line),
        unresolved: line.unresolved ?? [],
        translation: line.translate,
        action: line.action,
      };
      number++;
      rules.push({
        ...common,
        key: line.key,
        kind: KINDS[stage],
        enabled: line.enabled ?? true,
        position,
        context: { chain: chain.id },
        comment: line.comment,
        lines: [{ number, text: `${line.key} ${line.action}` }],
      });
      const { translated } = line;
      if (line.enabled !== false)
        entries.push({ ...common, ...(translated === undefined ? {} : { translated }), ruleKey: line.key });
    }
    policies.push({
      id: chain.id,
      stage,
      ...(chain.sees ? { sees: chain.sees } : {}),
      evaluation: chain.evaluation ?? 'first-match',
      appliesTo: { ingress: chain.ingress ?? ANY_TRAFFIC.ingress, egress: ANY_TRAFFIC.egress },
      otherwise: chain.otherwise ?? (stage === 'filter' ? 'drop' : 'none'),
      entries,
    });
  }
  return { rules, policies, interfaces: [], unread: [] };
}

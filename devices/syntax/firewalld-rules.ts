// a zone or policy of firewalld -> its rules, and what chains need of them
import type { RuleKind, SourceLine, Translation } from '../../src/model/rule.ts';
import type { Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Assembled, Assembly } from './assemble.ts';
import { product } from './boxes.ts';
import {
  forwardPort,
  type IpSets,
  icmp,
  inServices,
  type Matched,
  portService,
  protocolService,
  richRule,
  sourcePort,
} from './firewalld-match.ts';
import { firewalldService } from './firewalld-services.ts';
import { firstOf, type Item, type Stanza, valuesOf } from './firewalld-text.ts';
import { familyTraffic } from './netfilter.ts';

export interface FirewalldReading {
  readonly assembly: Assembly;
  readonly ipsets: IpSets;
  /** "permanent" for what acts only after a reload. */
  readonly list?: string;
}

/** A rule with what it matches, not yet narrowed to where the zone or policy acts. */
export interface Part extends Matched {
  readonly made: Assembled;
  readonly verdict?: 'accept' | 'drop';
  readonly translation?: Translation;
  /** As firewalld orders rules of one kind: below 0 first. */
  readonly priority: number;
}

export interface Parts {
  /** Verdicts on packets: services, ports, rich rules. */
  readonly filter: readonly Part[];
  readonly forwards: readonly Part[];
  readonly masquerades: readonly Part[];
  readonly target: Part;
}

interface Making extends FirewalldReading {
  readonly kind: 'zone' | 'policy';
  readonly stanza: Stanza;
  /** Boxes that the rules are listed with; `out`: those of packets that masquerading is about. */
  readonly where: readonly Traffic[];
  readonly out: readonly Traffic[];
}

interface What {
  readonly kind?: RuleKind;
  readonly action: string;
  readonly translation?: Translation;
  readonly verdict?: 'accept' | 'drop';
  readonly priority?: number;
}

function make(item: Item, name: string, matched: Matched, what: What, making: Making): Part {
  const where = what.action === 'masquerade' ? making.out : making.where;
  const full = `${name} ${item.text}`.trim();
  const made = listRule(making.kind, making.stanza.name, full, matched, where, [item.line], what, making);
  return { made, ...matched, priority: what.priority ?? 0, ...pick(what) };
}

/** Elements that accept what they name, by the field they stand in. */
const ACCEPTING: readonly (readonly [field: string, name: string, matched: (text: string) => Matched])[] = [
  ['services', 'service', (text) => inServices(firewalldService(text), `service ${text}`)],
  ['ports', 'port', (text) => inServices(portService(text), `port ${text}`)],
  ['protocols', 'protocol', (text) => inServices(protocolService(text), `protocol ${text}`)],
  ['source-ports', 'source-port', sourcePort],
];
const MASQUERADE = { kind: 'nat', action: 'masquerade', translation: { kind: 'source' } } as const;

export function partsOf(
  kind: 'zone' | 'policy',
  stanza: Stanza,
  where: readonly Traffic[],
  out: readonly Traffic[],
  reading: FirewalldReading,
): Parts {
  const making: Making = { ...reading, kind, stanza, where, out };
  const accepting = ACCEPTING.flatMap(([field, name, matched]) =>
    valuesOf(stanza, field).map((item) =>
      make(item, name, matched(item.text), { action: 'accept', verdict: 'accept' }, making),
    ),
  );
  const inverts = firstOf(stanza, 'icmp-block-inversion') === 'yes';
  const blocks = valuesOf(stanza, 'icmp-blocks').map((item) => {
    const action = inverts ? 'icmp accept' : 'icmp block';
    return make(
      item,
      'icmp-block',
      icmp(item.text),
      { action, verdict: inverts ? 'accept' : 'drop' },
      making,
    );
  });
  const forwards = valuesOf(stanza, 'forward-ports').flatMap((item): Part[] => {
    const forward = forwardPort(item.text);
    if (!forward) reading.assembly.notUnderstood(item.line);
    const what = { kind: 'nat', action: 'forward-port', translation: forward?.translation } as const;
    return forward ? [make(item, 'forward-port', forward, what, making)] : [];
  });
  const four = { boxes: [familyTraffic('ip')], unresolved: [] };
  const masquerades = valuesOf(stanza, 'masquerade')
    .filter(({ text }) => text === 'yes')
    .map((item) => make({ ...item, text: '' }, 'masquerade', four, MASQUERADE, making));
  const rich = richParts(making);
  return {
    filter: inOrder([...accepting, ...blocks, ...rich.filter]),
    forwards: inOrder([...forwards, ...rich.forwards]),
    masquerades: [...masquerades, ...rich.masquerades],
    target: targetOf(kind, stanza, where, reading),
  };
}

function richParts(making: Making): { filter: Part[]; forwards: Part[]; masquerades: Part[] } {
  const parts = { filter: [] as Part[], forwards: [] as Part[], masquerades: [] as Part[] };
  for (const item of valuesOf(making.stanza, 'rich rules')) {
    const rich = richRule(item.text, making.ipsets);
    if (!rich) {
      making.assembly.notUnderstood(item.line);
      continue;
    }
    const { translation, verdict, priority, masquerades } = rich;
    const named = { ...item, text: ruleKey(withoutLog(item.text)) };
    if (translation)
      parts.forwards.push(
        make(
          named,
          'rich rule',
          rich,
          { kind: 'nat', action: 'forward-port', translation, priority },
          making,
        ),
      );
    else if (masquerades)
      parts.masquerades.push(make(named, 'rich rule', rich, { ...MASQUERADE, priority }, making));
    else {
      const decides = verdict === 'accept' || verdict === 'drop' ? { verdict } : {};
      parts.filter.push(
        make(named, 'rich rule', rich, { action: verdict ?? 'log', priority, ...decides }, making),
      );
    }
  }
  return parts;
}

/** What is logged is no part of what a rule does. */
const withoutLog = (text: string): string =>
  text
    .replace(
      / n?f?log(?: (?:prefix|level|group|queue-size)="[^"]{0,256}")*(?: limit value="[^"]{0,32}")?/,
      '',
    )
    .replace(/ audit(?: limit value="[^"]{0,32}")?/, '');

const pick = ({ translation, verdict }: { translation?: Translation; verdict?: 'accept' | 'drop' }) => ({
  ...(translation ? { translation } : {}),
  ...(verdict ? { verdict } : {}),
});

/** Rules with a priority of their own, then those that drop, then those that accept, then priorities above 0. */
function inOrder(parts: readonly Part[]): Part[] {
  const rank = ({ priority, verdict }: Part) => (priority !== 0 ? priority : verdict === 'drop' ? 0.1 : 0.2);
  return [...parts].sort((a, b) => rank(a) - rank(b));
}

/** firewalld.zone(5), firewalld.policies(5): "default" of a zone rejects what it does not accept. */
function targetOf(
  kind: 'zone' | 'policy',
  stanza: Stanza,
  where: readonly Traffic[],
  reading: FirewalldReading,
): Part {
  const [item] = valuesOf(stanza, 'target');
  const text = item?.text.replace(/%/g, '') ?? 'default';
  const verdict = text === 'ACCEPT' ? 'accept' : text === 'CONTINUE' ? undefined : 'drop';
  const matched: Matched = { boxes: [familyTraffic('inet')], unresolved: [] };
  const made = listRule(
    kind,
    stanza.name,
    'target',
    matched,
    where,
    [item?.line ?? stanza.line],
    { action: `target ${text}` },
    reading,
  );
  return { made, ...matched, priority: 0, ...(verdict ? { verdict } : {}) };
}

export function listRule(
  kind: string,
  name: string,
  what: string,
  { boxes, unresolved }: Matched,
  where: readonly Traffic[],
  lines: readonly SourceLine[],
  {
    kind: ruleKind = 'filter',
    action,
    translation,
  }: { kind?: RuleKind; action: string; translation?: Translation },
  { assembly, list }: FirewalldReading,
): Assembled {
  return assembly.rule({
    key: `${list === undefined ? '' : `${list} `}${kind} ${name} ${what}`,
    kind: ruleKind,
    list: `${list ?? ''} ${kind} ${name}`,
    context: { ...(list === undefined ? {} : { list }), chain: `${kind} ${name}` },
    matches: product(where, boxes) ?? boxes,
    unresolved,
    ...(translation ? { translation } : {}),
    action,
    lines,
  });
}

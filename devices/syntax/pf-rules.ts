// statements of pf -> rules of the model, in the order of the ruleset
import * as addresses from '../../src/model/addresses.ts';
import type { Rule, RuleKind, Translation } from '../../src/model/rule.ts';
import { ANY_TRAFFIC, type NameSet, type Traffic } from '../../src/model/traffic.ts';
import { ruleKey } from '../../src/rules/key.ts';
import type { Assembly } from './assemble.ts';
import type { Allowance } from './boxes.ts';
import { hostsOf, namesOf, type PfNames } from './pf-hosts.ts';
import { familyOf, matchOf, rangeOf } from './pf-match.ts';
import type { Item } from './pf-order.ts';
import { type PfRule, parseRule, type Target } from './pf-parse.ts';
import type { Statement, Word } from './pf-text.ts';

export interface PfReading {
  readonly known: PfNames;
  readonly assembly: Assembly;
  readonly allowance: Allowance;
  /** "pf.conf" for rules of the file where the loaded ones are known too. */
  readonly list?: string;
  readonly enabled: boolean;
  /** Labels that stand at one rule only. */
  readonly labels: ReadonlyMap<string, number>;
  /** `load anchor`: the file an anchor's rules come from. */
  readonly loads: ReadonlyMap<string, string>;
}

const DECIDING = /^(?:pass|block|match)$/;
const ANCHOR = /^(?:anchor|nat-anchor|rdr-anchor|binat-anchor)$/;
const NAT = /^(?:nat|rdr|binat)$/;
/** Statements that say nothing of which packets pass, or that are read elsewhere. */
const QUIET =
  /^(?:set|table|scrub|no-scrub|altq|queue|state-defaults|scrub-anchor|dummynet-anchor|load|antispoof)$/;

/** Rules in their order; whatever is not understood is listed as unread. */
export function itemsOf(statements: readonly Statement[], reading: PfReading, anchor = ''): Item[] {
  return statements.flatMap((statement): Item[] => {
    const [first, second] = statement.words.map(({ text }) => text);
    const verb = first === 'no' ? second : first;
    if (first === 'antispoof') return antispoof(statement, reading, anchor);
    if (first === 'no' && verb === 'scrub') return [];
    if (!DECIDING.test(verb ?? '') && !ANCHOR.test(verb ?? '') && !NAT.test(verb ?? '')) {
      if (!QUIET.test(first ?? '')) reading.assembly.notUnderstood(...statement.lines);
      return [];
    }
    const rule = parseRule(statement.words);
    if (rule.unknown.length > 0) reading.assembly.notUnderstood(...statement.lines);
    return [makeItem(rule, statement, reading, anchor)];
  });
}

function makeItem(rule: PfRule, statement: Statement, reading: PfReading, anchor: string): Item {
  const match = matchOf(rule, reading.known, reading.allowance);
  const translation = translationOf(rule, reading);
  const isAnchor = rule.verb.endsWith('anchor');
  const path = isAnchor ? `${anchor}${anchor ? '/' : ''}${rule.anchor ?? ''}` : anchor;
  const items = statement.block ? itemsOf(statement.block, reading, path) : undefined;
  const file = reading.loads.get(path);
  const unresolved = [
    ...match.unresolved,
    ...(translation?.unresolved ?? []),
    ...(isAnchor && !items ? [`rules of anchor ${path}${file ? ` (${file})` : ''}`] : []),
    ...(rule.rtable === undefined ? [] : [`routing table ${rule.rtable}`]),
  ];
  const made = reading.assembly.rule({
    key: keyOf(statement.words, rule.label, reading, anchor),
    kind: kindOf(rule),
    list: `${reading.list ?? ''} ${anchor}`,
    enabled: reading.enabled,
    context: contextOf(rule, match.on, reading, anchor),
    matches: listed(rule, match.boxes, match.on),
    unresolved,
    ...(translation ? { translation: translation.value } : {}),
    action: actionOf(rule, statement.words),
    ...(rule.label === undefined ? {} : { comment: rule.label }),
    lines: [...statement.lines, ...match.lines].slice(0, 200),
  });
  return {
    rule,
    made,
    boxes: match.boxes,
    on: match.on,
    unresolved: [...match.unresolved, ...(isAnchor && !items ? unresolved.slice(-1) : [])],
    ...(items ? { items } : {}),
  };
}

function listed(rule: PfRule, boxes: readonly Traffic[], on: NameSet | undefined): Traffic[] {
  if (!on) return [...boxes];
  const isOut = rule.direction === 'out' || rule.verb === 'nat';
  if (!isOut && rule.direction !== 'in' && rule.verb !== 'rdr') return [...boxes];
  return boxes.map((box) => ({ ...box, [isOut ? 'egress' : 'ingress']: on }));
}

function contextOf(
  rule: PfRule,
  on: NameSet | undefined,
  { list }: PfReading,
  anchor: string,
): Rule['context'] {
  return {
    ...(list === undefined ? {} : { list }),
    ...(anchor === '' ? {} : { chain: anchor }),
    ...(rule.family ? { family: rule.family === 'inet' ? 'ip' : 'ip6' } : {}),
    ...(on && !on.except ? { interfaces: on.names } : {}),
    ...(rule.direction ? { direction: rule.direction } : {}),
  };
}

function kindOf(rule: PfRule): RuleKind {
  if (rule.rdrTo || rule.natTo || rule.binatTo || rule.afTo || NAT.test(rule.verb)) return 'nat';
  if (/^(?:nat|rdr|binat)-anchor$/.test(rule.verb)) return 'nat';
  if (rule.routes.some(({ kind }) => kind === 'dup-to')) return 'mirror';
  if (rule.routes.some(({ kind }) => kind === 'route-to') || rule.rtable !== undefined) return 'policy-route';
  return rule.divertTo ? 'proxy' : 'filter';
}

/** Words that change nothing of what a rule does to packets. */
function significant(words: readonly Word[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const { text, quoted } = words[i];
    if (quoted || !/^(?:log|label|ridentifier)$/.test(text)) kept.push(text);
    else if (text !== 'log') i++;
    else if (words[i + 1]?.text === '(') i = words.findIndex((word, at) => at > i && word.text === ')');
    if (i < 0) break;
  }
  return kept;
}

function keyOf(
  words: readonly Word[],
  label: string | undefined,
  reading: PfReading,
  anchor: string,
): string {
  const where = whereOf(reading, anchor);
  if (label !== undefined && reading.labels.get(`${anchor} ${label}`) === 1) return `${where}:${label}`;
  return `${where}:${ruleKey(where, ...significant(words))}`;
}

const whereOf = ({ list }: PfReading, anchor: string): string =>
  `${list ?? 'pf'}${anchor === '' ? '' : `/${anchor}`}`;

/** The verb, and what is done besides letting pass; hosts and ports are the match. */
function actionOf(rule: PfRule, words: readonly Word[]): string {
  const parts = [
    rule.no ? 'no' : '',
    rule.verb,
    rule.pass ? 'pass' : '',
    rule.direction ?? '',
    rule.quick ? 'quick' : '',
  ];
  if (rule.anchor !== undefined) parts.push(rule.anchor);
  const texts = words.map(({ text }) => text);
  const at = texts.findIndex((text) =>
    /^(?:rdr-to|nat-to|binat-to|af-to|route-to|reply-to|dup-to|divert-to|divert-packet|->)$/.test(text),
  );
  const end = texts.findIndex(
    (text, i) =>
      i > at && /^(?:from|to|inet6?|proto|flags|keep|no|label|tag|port)$/.test(text) && text !== 'port',
  );
  if (at >= 0) parts.push(...texts.slice(at, end < 0 ? at + 24 : Math.min(end, at + 24)));
  return parts.filter(Boolean).join(' ').replaceAll('( ', '(').replaceAll(' )', ')');
}

export interface PfTranslation {
  readonly value: Translation;
  readonly unresolved: readonly string[];
}

/** What a rule makes of an address, the destination's translation before the source's. */
export function translationOf(rule: PfRule, reading: Pick<PfReading, 'known'>): PfTranslation | undefined {
  if (rule.no) return undefined;
  const to = (kind: Translation['kind'], target: Target) => place(kind, target, rule, reading);
  if (rule.rdrTo) return to('destination', rule.rdrTo);
  if (rule.afTo) return rule.afTo.to ? to('destination', rule.afTo.to) : UNKNOWN;
  if (rule.natTo) return to('source', rule.natTo);
  if (rule.binatTo) return to('source', rule.binatTo);
  if (rule.old) return to(rule.verb === 'rdr' ? 'destination' : 'source', rule.old);
  const [route] = rule.routes.filter(({ kind }) => kind !== 'reply-to');
  if (route) return to(route.kind === 'dup-to' ? 'mirror' : 'policy-route', { hosts: route.hosts });
  if (rule.rtable !== undefined) return { value: { kind: 'policy-route' }, unresolved: [] };
  return rule.divertTo ? to('proxy', rule.divertTo) : undefined;
}

const UNKNOWN: PfTranslation = { value: { kind: 'destination' }, unresolved: [] };
const LOOPBACK = addresses.addressSet('127.0.0.0/8', '::1');

function place(
  kind: Translation['kind'],
  { hosts, port }: Target,
  rule: PfRule,
  { known }: Pick<PfReading, 'known'>,
): PfTranslation {
  const family = rule.afTo ? addresses.ANY_ADDRESS : familyOf(rule.family);
  const { set, unresolved } = hostsOf(hosts, known, family);
  // A gateway that is an interface, an address that the device has at the time: it is the device's own.
  const isOwn = kind === 'policy-route' || unresolved.every((reason) => reason.startsWith('the address of '));
  const isTold = set !== undefined && hosts.length > 0 && !addresses.noAddresses(set);
  const isLocal = isTold && addresses.noAddresses(addresses.subtractAddresses(set, LOOPBACK));
  const ports = port === undefined ? undefined : portsOf(port, rule);
  return {
    value: {
      kind: isLocal && kind === 'destination' ? 'redirect' : kind,
      ...(isTold && !isLocal ? { addresses: set } : {}),
      ...(ports ? { ports } : {}),
    },
    unresolved: isOwn ? [] : unresolved.map((reason) => `translation to ${reason}`),
  };
}

/** "80", "6000:6010"; "6000:*" goes as far as the range of ports that the rule meets. */
function portsOf(text: string, rule: PfRule): [number, number] | undefined {
  if (!text.endsWith(':*')) return rangeOf(text)?.[0];
  const low = rangeOf(text.slice(0, -2))?.[0]?.[0];
  const met = rangeOf(rule.to.ports?.[0]?.at(-1) ?? '')?.[0];
  return low === undefined || !met ? undefined : [low, Math.min(65_535, low + met[1] - met[0])];
}

/** `antispoof for em0`: nothing with em0's networks may come from elsewhere, nothing with its own addresses may come at all. */
function antispoof(statement: Statement, reading: PfReading, anchor: string): Item[] {
  const at = statement.words.findIndex(({ text }) => text === 'for');
  const rule: PfRule = {
    ...parseRule([
      { text: 'block', quoted: false },
      { text: 'in', quoted: false },
    ]),
  };
  const texts = statement.words.map(({ text }) => text);
  rule.quick = texts.includes('quick');
  const faces = texts.slice(at + 1).filter((text) => !/^[{},]$|^(?:inet6?|label)$/.test(text));
  if (at < 0 || faces.length === 0) {
    reading.assembly.notUnderstood(...statement.lines);
    return [];
  }
  const unresolved: string[] = [];
  const boxes = faces.flatMap((face): Traffic[] => {
    const networks = hostsOf(
      [{ text: `(${face}:network)`, negated: false }],
      reading.known,
      addresses.ANY_ADDRESS,
    );
    const own = hostsOf([{ text: `(${face})`, negated: false }], reading.known, addresses.ANY_ADDRESS);
    if (!networks.set || !own.set) {
      unresolved.push(`the networks of ${face}`);
      return [];
    }
    const elsewhere = namesOf([{ text: face, negated: true }], reading.known);
    return [
      { ...ANY_TRAFFIC, ingress: elsewhere, sources: networks.set },
      { ...ANY_TRAFFIC, sources: own.set },
    ];
  });
  const made = reading.assembly.rule({
    key: `${whereOf(reading, anchor)}:antispoof ${faces.join(' ')}`,
    kind: 'filter',
    list: `${reading.list ?? ''} ${anchor}`,
    enabled: reading.enabled,
    context: { ...(reading.list === undefined ? {} : { list: reading.list }), direction: 'in' },
    matches: unresolved.length > 0 ? [...boxes, ANY_TRAFFIC] : boxes,
    unresolved,
    action: `block in${rule.quick ? ' quick' : ''} (antispoof)`,
    lines: statement.lines,
  });
  return [{ rule, made, boxes: unresolved.length > 0 ? [...boxes, ANY_TRAFFIC] : boxes, unresolved }];
}

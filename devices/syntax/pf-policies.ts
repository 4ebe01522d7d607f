// rules of pf in their order -> what packets meet: translations, redirects, and a filter for each direction
import * as addresses from '../../src/model/addresses.ts';
import type { EntryAction, Stage, Translation } from '../../src/model/rule.ts';
import { intersectServices, protocolsOf, service, unionServices } from '../../src/model/services.ts';
import { ANY_NAME, type Traffic } from '../../src/model/traffic.ts';
import type { EntryOptions, PolicyBuilder } from './assemble.ts';
import { protocols } from './boxes.ts';
import { hostsOf } from './pf-hosts.ts';
import { familyOf } from './pf-match.ts';
import { type Direction, type Item, inOrder, type Met } from './pf-order.ts';
import type { PfRule } from './pf-parse.ts';
import { type PfReading, translationOf } from './pf-rules.ts';

const ANYWHERE = { ingress: ANY_NAME, egress: ANY_NAME };
const DIRECTIONS: readonly Direction[] = ['in', 'out'];

export function buildPolicies(items: readonly Item[], reading: PfReading): void {
  const orders = new Map(DIRECTIONS.map((direction) => [direction, inOrder(items, direction)]));
  const old = flat(items).filter(({ rule }) => /^(?:nat|rdr|binat)$/.test(rule.verb));
  destinationNat(old, orders, reading);
  for (const direction of DIRECTIONS) redirects(orders.get(direction)!, direction, reading);
  filters(old, orders, reading);
  sourceNat(old, orders, reading);
}

/** Old NAT rules of every anchor, in order. */
const flat = (items: readonly Item[]): Item[] =>
  items.flatMap((item) => (item.items ? flat(item.items) : [item]));

type Orders = ReadonlyMap<Direction, ReturnType<typeof inOrder>>;

const begin = (reading: PfReading, id: string, stage: Stage): PolicyBuilder =>
  reading.assembly.policy({ id, stage, evaluation: 'first-match', appliesTo: ANYWHERE, otherwise: 'none' });

function destinationNat(old: readonly Item[], orders: Orders, reading: PfReading): void {
  firstMatching('rdr', old, reading, 'destination-nat');
  const policy = begin(reading, 'binat in', 'destination-nat');
  for (const item of old) if (item.rule.verb === 'binat') inwards(item, item.rule.old, policy, reading);
  for (const direction of DIRECTIONS) {
    const { deciding, matching } = orders.get(direction)!;
    const binat = begin(reading, `binat-to ${direction}`, 'destination-nat');
    if (direction === 'in')
      for (const { item } of [...matching, ...deciding])
        if (item.rule.binatTo) inwards(item, item.rule.binatTo, binat, reading);
    stageOf(
      deciding,
      matching,
      (rule) => rule.rdrTo !== undefined || rule.afTo !== undefined,
      `rdr-to ${direction}`,
      'destination-nat',
      reading,
    );
  }
}

function sourceNat(old: readonly Item[], orders: Orders, reading: PfReading): void {
  firstMatching('binat', old, reading, 'source-nat');
  firstMatching('nat', old, reading, 'source-nat');
  for (const direction of ['out', 'in'] as const) {
    const { deciding, matching } = orders.get(direction)!;
    const translates = (rule: PfRule) =>
      rule.natTo !== undefined || (direction === 'out' && rule.binatTo !== undefined);
    stageOf(deciding, matching, translates, `nat-to ${direction}`, 'source-nat', reading);
  }
}

/** `nat`, `rdr` and `binat` of old: the first match, also one that says `no`. */
function firstMatching(verb: string, old: readonly Item[], reading: PfReading, stage: Stage): void {
  const policy = begin(reading, verb, stage);
  const end = stage === 'destination-nat' ? 'ingress' : 'egress';
  for (const { rule, made, boxes, on, unresolved } of old) {
    if (rule.verb !== verb) continue;
    const translation = translationOf(rule, reading);
    const matches = on ? boxes.map((box) => ({ ...box, [end]: on })) : boxes;
    add(policy, made, rule.no ? 'exempt' : 'translate', {
      matches,
      unresolved,
      translation: translation?.value,
    });
  }
}

function add(
  policy: PolicyBuilder,
  made: Item['made'],
  action: EntryAction,
  { translation, ...options }: EntryOptions,
): void {
  policy.entry(made, action, {
    ...options,
    ...(action === 'translate' && translation ? { translation } : {}),
  });
}

/** The way in of a one-to-one translation: to the outside address, from those that the rule goes to. */
function inwards(item: Item, target: PfRule['binatTo'], policy: PolicyBuilder, reading: PfReading): void {
  const { rule, made, on } = item;
  const family = familyOf(rule.family);
  const outside = target && hostsOf(target.hosts, reading.known, addresses.ANY_ADDRESS).set;
  const inside = hostsOf(rule.from.hosts, reading.known, family).set;
  if (!outside || !inside || rule.no) return;
  const matches = item.boxes.map(
    (box): Traffic => ({
      ...box,
      sources: box.destinations,
      destinations: outside,
      ...(on ? { ingress: on, egress: ANY_NAME } : {}),
    }),
  );
  const offset = addresses.countAddresses(inside) > 1 ? { offset: true } : {};
  const translation: Translation = { kind: 'destination', addresses: inside, ...offset };
  policy.entry(made, 'translate', { matches, unresolved: item.unresolved, translation });
}

/**
 * Translations of `match` rules hold whatever decides later; those of pass rules only where that rule decides. Rules that
 * decide otherwise are exempt, as far as they stand in front of one that translates.
 */
function stageOf(
  deciding: readonly Met[],
  matching: readonly Met[],
  translates: (rule: PfRule) => boolean,
  id: string,
  stage: Stage,
  reading: PfReading,
): void {
  const policy = begin(reading, id, stage);
  const asked = [
    ...matching.filter(({ item }) => translates(item.rule)),
    ...deciding.slice(0, deciding.findLastIndex(({ item }) => translates(item.rule)) + 1),
  ];
  for (const { item, boxes, unresolved } of asked) {
    // What is blocked is not redirected either.
    if (stage === 'redirect' && item.rule.verb === 'block') continue;
    const translation = translates(item.rule) ? translationOf(item.rule, reading) : undefined;
    const action = translation ? 'translate' : 'exempt';
    const reasons = [...unresolved, ...(translation?.unresolved ?? [])];
    add(policy, item.made, action, { matches: boxes, unresolved: reasons, translation: translation?.value });
  }
}

function redirects(
  { deciding, matching }: ReturnType<typeof inOrder>,
  direction: Direction,
  reading: PfReading,
): void {
  const routes = (kind: string) => (rule: PfRule) => rule.routes.some((route) => route.kind === kind);
  const mirrors = begin(reading, `dup-to ${direction}`, 'redirect');
  for (const { item, boxes, unresolved } of [...matching, ...deciding]) {
    if (!routes('dup-to')(item.rule)) continue;
    const translation = translationOf(item.rule, reading)?.value;
    if (translation) policyEntry(mirrors, item, boxes, unresolved, translation);
  }
  const leads = (rule: PfRule) =>
    rule.verb !== 'block' &&
    (routes('route-to')(rule) || rule.divertTo !== undefined || rule.rtable !== undefined);
  stageOf(deciding, matching, leads, `route-to ${direction}`, 'redirect', reading);
}

const policyEntry = (
  policy: PolicyBuilder,
  item: Item,
  matches: readonly Traffic[],
  unresolved: readonly string[],
  translation: Translation,
) => policy.entry(item.made, 'translate', { matches, unresolved, translation });

/**
 * pf asks its rules when a packet comes in and again when it goes out; both must let it pass, and what no rule matches
 * passes. Rules see packets after the translations of the same direction, so the way out is judged after source NAT.
 */
function filters(old: readonly Item[], orders: Orders, reading: PfReading): void {
  const all = [...orders.values()].flatMap(({ deciding, matching }) => [...deciding, ...matching]);
  const hasNat =
    old.some(({ rule }) => rule.verb !== 'rdr') ||
    all.some(({ item }) => item.rule.natTo ?? item.rule.binatTo);
  for (const direction of DIRECTIONS) {
    const policy = reading.assembly.policy({
      id: `filter ${direction}`,
      stage: 'filter',
      evaluation: 'first-match',
      appliesTo: ANYWHERE,
      ...(direction === 'out' && hasNat ? { sees: 'translated' as const } : {}),
      otherwise: 'accept',
    });
    for (const item of old) passed(item, direction, policy, reading);
    for (const { item, boxes, unresolved } of orders.get(direction)!.deciding) {
      const { rule, made } = item;
      const action = rule.verb === 'block' ? 'drop' : 'accept';
      const own = rule.rdrTo || rule.afTo ? destinationOf(rule, boxes, reading) : undefined;
      const matches = own ?? (rule.natTo && direction === 'out' ? sourceOf(rule, boxes, reading) : boxes);
      policy.entry(made, action, { matches, unresolved, ...(own ? { translated: true } : {}) });
    }
  }
}

/** `rdr pass`, `nat pass`: what is translated passes in that direction whatever the filter says. */
function passed(item: Item, direction: Direction, policy: PolicyBuilder, reading: PfReading): void {
  const { rule, made, boxes, on, unresolved } = item;
  const own = rule.verb === 'rdr' ? 'in' : 'out';
  if (!rule.pass || rule.no || direction !== own) return;
  const bound = on ? boxes.map((box) => ({ ...box, [own === 'in' ? 'ingress' : 'egress']: on })) : boxes;
  if (own === 'in')
    policy.entry(made, 'accept', {
      matches: destinationOf(rule, bound, reading),
      unresolved,
      translated: true,
    });
  else policy.entry(made, 'accept', { matches: sourceOf(rule, bound, reading), unresolved });
}

/** Boxes as they are after the rule's own translation of the destination. */
function destinationOf(rule: PfRule, boxes: readonly Traffic[], reading: PfReading): Traffic[] {
  const translation = translationOf(rule, reading)?.value;
  return boxes.map((box) => {
    const { ports } = translation ?? {};
    const moved = ports && protocolsOf(intersectServices(box.services, protocols(6, 17)));
    return {
      ...box,
      destinations: translation?.addresses ?? addresses.ANY_ADDRESS,
      services:
        moved && moved.length > 0
          ? unionServices(...moved.map((number) => service(number, [ports])))
          : box.services,
    };
  });
}

const sourceOf = (rule: PfRule, boxes: readonly Traffic[], reading: PfReading): Traffic[] =>
  boxes.map((box) => ({
    ...box,
    sources: translationOf(rule, reading)?.value.addresses ?? addresses.ANY_ADDRESS,
  }));

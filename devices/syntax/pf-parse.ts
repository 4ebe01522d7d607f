// one statement of pf.conf(5) -> what it says, word by word, names not resolved yet
import type { Host } from './pf-hosts.ts';
import type { Word } from './pf-text.ts';

/** A reader's place in the words of a statement. */
export interface Cursor {
  readonly words: readonly Word[];
  at: number;
}

export interface PortTest {
  /** Inclusive; several are alternatives. */
  readonly ranges: readonly (readonly [number, number])[];
}

export interface Target {
  readonly hosts: readonly Host[];
  readonly port?: string;
}

export interface PfSide {
  readonly hosts: readonly Host[];
  /** Undefined: any port; 'unreadable': names that are not known. */
  readonly ports?: readonly string[][];
}

export interface PfRule {
  readonly verb: string;
  /** In front of nat, rdr and binat. */
  no: boolean;
  pass: boolean;
  direction?: 'in' | 'out';
  quick: boolean;
  on?: readonly Host[];
  receivedOn?: readonly Host[];
  family?: 'inet' | 'inet6';
  protocols?: readonly string[];
  from: PfSide;
  to: PfSide;
  label?: string;
  flags?: string;
  icmp?: { readonly types: readonly string[][]; readonly six: boolean };
  rdrTo?: Target;
  natTo?: Target;
  binatTo?: Target;
  afTo?: { readonly family: string; readonly from?: Target; readonly to?: Target };
  divertTo?: Target;
  routes: { readonly kind: 'route-to' | 'reply-to' | 'dup-to'; readonly hosts: readonly Host[] }[];
  /** Behind `->` in the old NAT rules. */
  old?: Target;
  anchor?: string;
  rtable?: string;
  readonly conditions: string[];
  readonly unknown: string[];
}

const MAX_DEPTH = 16;
const ANY: PfSide = { hosts: [{ text: 'any', negated: false }] };
const plain = (cursor: Cursor): string | undefined => {
  const word = cursor.words[cursor.at];
  return word && !word.quoted ? word.text : undefined;
};
const next = (cursor: Cursor): string => cursor.words[cursor.at++]?.text ?? '';

export function parseRule(words: readonly Word[]): PfRule {
  const cursor: Cursor = { words, at: 0 };
  const no = plain(cursor) === 'no';
  if (no) cursor.at++;
  const rule: PfRule = {
    verb: next(cursor),
    no,
    pass: false,
    quick: false,
    from: ANY,
    to: ANY,
    routes: [],
    conditions: [],
    unknown: [],
  };
  while (cursor.at < words.length) {
    const start = cursor.at;
    const word = next(cursor);
    const read = words[start].quoted ? undefined : OPTIONS.get(word);
    if (read) Object.assign(rule, read(rule, cursor, word));
    else if (rule.verb.endsWith('anchor') && rule.anchor === undefined) rule.anchor = word;
    else rule.unknown.push(word);
  }
  return rule;
}

/** What the option adds to the rule; the cursor stands behind the option's own word. */
type Option = (rule: PfRule, cursor: Cursor, word: string) => Partial<PfRule> | undefined;
const nothing: Option = () => {};
const skipGroup: Option = (_, cursor) => {
  group(cursor);
};
const skipItems: Option = (_, cursor) => {
  itemsOf(cursor);
};
const skipOne: Option = (_, cursor) => {
  cursor.at++;
};
const condition: Option = (rule, cursor, word) => {
  rule.conditions.push(`${word} ${itemsOf(cursor).join(' ')}`);
};

/** Words behind a translation that say which of several addresses is taken. */
const POOL_WORDS: readonly string[] =
  'round-robin random bitmask least-states sticky-address static-port endpoint-independent'.split(' ');

const OPTIONS: ReadonlyMap<string, Option> = new Map<string, Option>([
  ['in', () => ({ direction: 'in' })],
  ['out', () => ({ direction: 'out' })],
  ['quick', () => ({ quick: true })],
  ['pass', () => ({ pass: true })],
  ['log', skipGroup],
  ['drop', nothing],
  ['return', nothing],
  ['return-rst', skipGroup],
  ['return-icmp', skipGroup],
  ['return-icmp6', skipGroup],
  ['all', nothing],
  ['on', readOn],
  ['received-on', (_, cursor) => ({ receivedOn: hostList(cursor) })],
  ['inet', () => ({ family: 'inet' })],
  ['inet6', () => ({ family: 'inet6' })],
  ['proto', (_, cursor) => ({ protocols: itemsOf(cursor) })],
  ['from', (_, cursor) => ({ from: sideOf(cursor) })],
  ['to', (_, cursor) => ({ to: sideOf(cursor) })],
  ['port', (rule, cursor) => ({ to: { ...rule.to, ports: portTests(cursor) } })],
  ['label', (_, cursor) => ({ label: next(cursor) })],
  ['flags', (_, cursor) => ({ flags: next(cursor) })],
  ['icmp-type', (_, cursor) => ({ icmp: { types: icmpTypes(cursor), six: false } })],
  ['icmp6-type', (_, cursor) => ({ icmp: { types: icmpTypes(cursor), six: true } })],
  ['rdr-to', (_, cursor) => ({ rdrTo: targetOf(cursor) })],
  ['nat-to', (_, cursor) => ({ natTo: targetOf(cursor) })],
  ['binat-to', (_, cursor) => ({ binatTo: targetOf(cursor) })],
  ['->', (_, cursor) => ({ old: targetOf(cursor) })],
  ['af-to', readAfTo],
  ['divert-to', (_, cursor) => ({ divertTo: targetOf(cursor) })],
  ['divert-reply', nothing],
  ['divert-packet', packetCondition],
  ...(['route-to', 'reply-to', 'dup-to'] as const).map((kind): [string, Option] => [
    kind,
    (rule, cursor) => void rule.routes.push({ kind, hosts: routeHosts(cursor) }),
  ]),
  ['keep', readState],
  ['modulate', readState],
  ['synproxy', readState],
  ['no', readState],
  ['sloppy', nothing],
  ['tag', skipOne],
  ['tagged', condition],
  [
    '!',
    (rule, cursor) =>
      void (next(cursor) === 'tagged'
        ? rule.conditions.push(`not tagged ${next(cursor)}`)
        : rule.unknown.push('!')),
  ],
  ['user', userCondition],
  ['group', userCondition],
  ['os', condition],
  ['probability', condition],
  ['tos', condition],
  ['dscp', condition],
  ['prio', condition],
  ['ttl', condition],
  ['min-ttl', skipOne],
  ['rtable', (_, cursor) => ({ rtable: next(cursor) })],
  ['max-pkt-rate', condition],
  ['fragment', (rule) => void rule.conditions.push('fragment')],
  ['allow-opts', nothing],
  ['once', (rule) => void rule.conditions.push('once')],
  ['set', readSet],
  ['queue', skipItems],
  ['dnpipe', skipItems],
  ['dnqueue', skipItems],
  ['ridentifier', skipOne],
  ['scrub', skipGroup],
  ...POOL_WORDS.map((word): [string, Option] => [word, nothing]),
  ['source-hash', (_, cursor) => void (/^0x|^[0-9a-f]{32}$/.test(plain(cursor) ?? '') ? cursor.at++ : 0)],
]);

function packetCondition(rule: PfRule, cursor: Cursor, word: string): undefined {
  if (plain(cursor) === 'port') cursor.at++;
  rule.conditions.push(`${word} port ${itemsOf(cursor).join(' ')}`);
}

function userCondition(rule: PfRule, cursor: Cursor, word: string): undefined {
  const operator = /^(?:=|!=|<|<=|>|>=)$/.test(plain(cursor) ?? '') ? `${next(cursor)} ` : '';
  rule.conditions.push(`${word} ${operator}${itemsOf(cursor).join(' ')}`);
}

function readOn(rule: PfRule, cursor: Cursor): undefined {
  if (plain(cursor) === 'rdomain') {
    cursor.at++;
    rule.conditions.push(`rdomain ${next(cursor)}`);
  } else rule.on = hostList(cursor);
}

/** `keep state (max 100, ..)`, `no state`: how answers are let through. */
function readState(rule: PfRule, cursor: Cursor, word: string): undefined {
  if (plain(cursor) === 'state') cursor.at++;
  else if (word === 'no' && plain(cursor) === 'tagged') cursor.at++;
  else rule.unknown.push(word);
  group(cursor);
}

/** `set ( prio 5, queue x, tos .. )`, `set prio 5` */
function readSet(_: PfRule, cursor: Cursor): undefined {
  if (!group(cursor)) {
    cursor.at++;
    itemsOf(cursor);
  }
}

function readAfTo(rule: PfRule, cursor: Cursor): undefined {
  const family = next(cursor);
  let from: Target | undefined;
  let to: Target | undefined;
  if (plain(cursor) === 'from') {
    cursor.at++;
    from = targetOf(cursor);
  }
  if (plain(cursor) === 'to') {
    cursor.at++;
    to = targetOf(cursor);
  }
  rule.afTo = { family, ...(from ? { from } : {}), ...(to ? { to } : {}) };
}

/** Words in parentheses, if some stand here. */
function group(cursor: Cursor): string[] | undefined {
  if (plain(cursor) !== '(') return undefined;
  const words: string[] = [];
  let depth = 0;
  while (cursor.at < cursor.words.length) {
    const word = next(cursor);
    if (word === '(') depth++;
    if (word === ')' && --depth === 0) break;
    if (word !== '(' || depth > 1) words.push(word);
  }
  return words;
}

/** One word, or the words of a list in braces. */
function itemsOf(cursor: Cursor): string[] {
  if (plain(cursor) !== '{') return cursor.at < cursor.words.length ? [next(cursor)] : [];
  return braced(cursor, () => [next(cursor)]).flat();
}

/** Reads items of `{ a, b { c } }` with `read` until its brace is closed. */
function braced<T>(cursor: Cursor, read: () => T): T[] {
  const items: T[] = [];
  let depth = 0;
  do {
    const word = plain(cursor);
    if (word === '{') depth++;
    else if (word === '}') depth--;
    else if (word !== ',') {
      const before = cursor.at;
      items.push(read());
      if (cursor.at > before) continue;
    }
    cursor.at++;
  } while (depth > 0 && cursor.at < cursor.words.length);
  return items;
}

/** `em0`, `! em0`, `(em0:network)`, `10.0.0.1 - 10.0.0.9`, `<table>`, or a list of such in braces. */
export function hostList(cursor: Cursor, depth = 0): Host[] {
  let negated = false;
  while (plain(cursor) === '!') {
    cursor.at++;
    negated = !negated;
  }
  if (plain(cursor) !== '{' || depth > MAX_DEPTH) return [host(cursor, negated)];
  return braced(cursor, () => hostList(cursor, depth + 1)).flatMap((items) =>
    items.map((item) => ({ ...item, negated: item.negated !== negated })),
  );
}

function host(cursor: Cursor, negated: boolean): Host {
  const inside = group(cursor);
  if (inside) {
    const suffix = (plain(cursor) ?? '').startsWith('/') ? next(cursor) : '';
    return { text: `(${inside.join('')})${suffix}`, negated };
  }
  const first = next(cursor);
  if (first === 'route') return { text: `route ${next(cursor)}`, negated };
  if (plain(cursor) === '-') {
    cursor.at++;
    return { text: `${first}-${next(cursor)}`, negated };
  }
  return { text: first, negated };
}

const ENDS_HOSTS = /^(?:port|os|user|group|to)$/;

function sideOf(cursor: Cursor): PfSide {
  const hosts = ENDS_HOSTS.test(plain(cursor) ?? '') ? ANY.hosts : hostList(cursor);
  if (plain(cursor) !== 'port') return { hosts };
  cursor.at++;
  return { hosts, ports: portTests(cursor) };
}

/** Each test as its words: ["80"], ["!=", "22"], ["1024", "><", "2048"]. */
function portTests(cursor: Cursor): string[][] {
  return plain(cursor) === '{' ? braced(cursor, () => portTest(cursor)) : [portTest(cursor)];
}

function portTest(cursor: Cursor): string[] {
  const first = next(cursor);
  if (/^(?:=|!=|<|<=|>|>=)$/.test(first)) return [first, next(cursor)];
  const operator = plain(cursor);
  if (operator === '><' || operator === '<>') {
    cursor.at++;
    return [first, operator, next(cursor)];
  }
  return [first];
}

function icmpTypes(cursor: Cursor): string[][] {
  const one = (): string[] => {
    const type = next(cursor);
    if (plain(cursor) !== 'code') return [type];
    cursor.at++;
    return [type, next(cursor)];
  };
  return plain(cursor) === '{' ? braced(cursor, one) : [one()];
}

function targetOf(cursor: Cursor): Target {
  const hosts = plain(cursor) === 'port' ? [] : hostList(cursor);
  let port: string | undefined;
  const isPool = new Set(POOL_WORDS);
  while (cursor.at < cursor.words.length) {
    const word = plain(cursor);
    if (word === 'port') {
      cursor.at++;
      port = next(cursor);
    } else if (word !== undefined && isPool.has(word)) cursor.at++;
    else break;
  }
  return { hosts, ...(port === undefined ? {} : { port }) };
}

/** New: `10.0.0.1@em0`, `10.0.0.1`; old: `(em0 10.0.0.1)`, `em0`, lists of them. The gateway, or the interface alone. */
function routeHosts(cursor: Cursor): Host[] {
  const one = (): Host => {
    const inside = group(cursor);
    const written = inside ? (inside[1] ?? inside[0] ?? '') : next(cursor);
    return { text: written.replace(/@.*$/, ''), negated: false };
  };
  const hosts = plain(cursor) === '{' ? braced(cursor, one) : [one()];
  while (POOL_WORDS.includes(plain(cursor) ?? '')) cursor.at++;
  return hosts;
}

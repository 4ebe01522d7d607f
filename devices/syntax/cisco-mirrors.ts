// `monitor session` statements (SPAN, ERSPAN) -> mirror rules
import type { Policy, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import type { Built } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { lineOf, linesOf, wordsOf } from './indent.ts';

type Direction = 'rx' | 'tx' | 'both';

interface Session {
  readonly lines: SourceLine[];
  readonly sources: { readonly name: string; readonly direction: Direction }[];
  readonly unresolved: string[];
  far?: string;
  port?: string;
  enabled: boolean;
}

/** ERSPAN sessions carry the far end's address; a local one copies to a port and has no policy. */
export function buildMirrors(reading: Reading, isDownAtFirst = false): Built {
  const sessions = new Map<string, Session>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'monitor' || words[1] !== 'session' || words[2] === undefined) continue;
    const session = sessions.get(words[2]) ?? newSession();
    sessions.set(words[2], session);
    // An ERSPAN session (and any of NX-OS) is shut down until `no shutdown` says otherwise.
    if (isDownAtFirst && words.length === 3) session.enabled = false;
    else if (words[3] === 'type') session.enabled = false;
    else if (!readLine(session, words.slice(3))) reading.notUnderstood(block);
    for (const line of linesOf(block)) {
      if (line.number !== block.number && !readLine(session, wordsOf(line.text))) reading.notUnderstood(line);
      if (session.lines.length < MAX_LINES) session.lines.push(lineOf(line));
    }
  }
  const rules: Rule[] = [];
  const policies: Policy[] = [];
  for (const [number, session] of sessions) {
    const rule = mirrorRule(number, session, rules.length);
    rules.push(rule);
    if (rule.enabled && session.far !== undefined) policies.push(...mirrorPolicies(rule, session));
  }
  return { rules, policies };
}

const newSession = (): Session => ({
  lines: [],
  sources: [],
  unresolved: [],
  enabled: true,
});

function readLine(session: Session, words: readonly string[]): boolean {
  const text = words.join(' ');
  // EOS leaves out the word `interface`, and may name a list that says what is copied.
  const source =
    /^source (?:interface (\S.*?)|((?!interface |vlan |remote |cpu)\S+(?: ?[,-] ?\S+)*?))(?: (rx|tx|both))?(?: (?:ip|ipv6|mac) access-group \S+)?$/.exec(
      text,
    );
  if (source) {
    const direction = (source[3] as Direction | undefined) ?? 'both';
    for (const name of expandPorts(source[1] ?? source[2])) session.sources.push({ name, direction });
    if (text.includes(' access-group '))
      session.unresolved.push(text.replace(/^.* (?=\S+ access-group)/, ''));
  } else if (/^(?:source (?:vlan|remote|cpu)|filter) /.test(text)) session.unresolved.push(text);
  else if (/^destination (?:interface|remote|Cpu|[A-Z][A-Za-z-]{1,30}\d)/.test(text))
    session.port = words.slice(1).join(' ');
  else if (/^ip(?:v6)? address \S+$/.test(text)) session.far = words[2];
  else if (/^destination ip \S+$/.test(text)) session.far = words[2];
  else if (/^destination tunnel mode gre source \S+ destination \S+/.test(text)) session.far = words[7];
  else if (/^(?:ip|ipv6|mac) access-group \S+/.test(text)) session.unresolved.push(text);
  else if (/^no shut(?:down)?$/.test(text)) session.enabled = true;
  else if (/^shut(?:down)?$/.test(text)) session.enabled = false;
  else
    return /^(?:destination|(?:erspan-id|origin|mtu|vrf|description|ip (?:ttl|dscp|prec)|header-type|plim|name|rate-limit|mode|switch-id|marker-packet|origin-ip|source-ip|egress-interface|truncate|encapsulation|sample|header|forwarding-drop|metadata|timestamp).*)$/.test(
      text,
    );
  return true;
}

/** Ports of ranges that are written out, for one statement. */
const MAX_PORTS = 256;

/** "Ethernet1-3, Ethernet7", "Gi0/1 , Gi0/4 - 5" -> the names of the ports. */
function expandPorts(text: string): string[] {
  const ports: string[] = [];
  for (const part of text.split(/ ?, ?/)) {
    const found = /^([A-Za-z-]{1,32} ?(?:\d{1,4}\/){0,4})(\d{1,4}) ?- ?(\d{1,4})$/.exec(part);
    if (!found) ports.push(part);
    else
      for (let i = Number(found[2]); i <= Number(found[3]) && ports.length < MAX_PORTS; i++)
        ports.push(`${found[1]}${i}`);
  }
  return ports;
}

/** One word where all sources say the same. */
const directionOf = ({ sources }: Session): Direction =>
  new Set(sources.map(({ direction }) => direction)).size === 1 ? sources[0].direction : 'both';

function mirrorRule(number: string, session: Session, position: number): Rule {
  const far = setOf(session.far ?? '');
  const translation: Translation = { kind: 'mirror', ...(far ? { addresses: far } : {}) };
  return {
    key: `monitor-session:${number}`,
    kind: 'mirror',
    enabled: session.enabled,
    position,
    context: { interfaces: session.sources.map((source) => source.name) },
    match: ANY_TRAFFIC,
    unresolved: session.unresolved,
    translation,
    action: `mirror ${directionOf(session)}${session.port === undefined ? '' : ` to ${session.port}`}`,
    lines: session.lines,
  };
}

function mirrorPolicies(rule: Rule, session: Session): Policy[] {
  const { key, match, unresolved, translation } = rule;
  const policy = (way: 'rx' | 'tx'): Policy[] => {
    const taken = session.sources.filter(({ direction }) => direction === 'both' || direction === way);
    if (taken.length === 0 && session.sources.length > 0) return [];
    const bound = taken.length > 0 ? names(...taken.map((source) => source.name)) : ANY_NAME;
    return [
      {
        id: `${key}:${way}`,
        stage: 'redirect',
        evaluation: 'first-match',
        appliesTo: way === 'rx' ? { ingress: bound, egress: ANY_NAME } : { ingress: ANY_NAME, egress: bound },
        otherwise: 'none',
        entries: [{ ruleKey: key, match, unresolved, action: 'translate', translation }],
      },
    ];
  };
  return [...policy('rx'), ...policy('tx')];
}

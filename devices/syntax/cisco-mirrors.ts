// `monitor session` statements (SPAN, ERSPAN) -> mirror rules
import type { Policy, Rule, SourceLine, Translation } from '../../src/model/rule.ts';
import { ANY_NAME, ANY_TRAFFIC, names } from '../../src/model/traffic.ts';
import { setOf } from './cisco-address.ts';
import type { Built } from './cisco-config.ts';
import { MAX_LINES } from './cisco-groups.ts';
import type { Reading } from './cisco-lines.ts';
import { lineOf, linesOf, wordsOf } from './indent.ts';

interface Session {
  readonly lines: SourceLine[];
  readonly sources: string[];
  readonly unresolved: string[];
  direction: 'rx' | 'tx' | 'both';
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
  direction: 'both',
  enabled: true,
});

function readLine(session: Session, words: readonly string[]): boolean {
  const text = words.join(' ');
  const source = /^source interface (\S.*?)(?: (rx|tx|both))?$/.exec(text);
  if (source) {
    session.sources.push(...source[1].split(/ ?, ?/));
    session.direction = (source[2] as Session['direction']) ?? 'both';
  } else if (/^(?:source (?:vlan|remote|cpu)|filter) /.test(text)) session.unresolved.push(text);
  else if (/^destination (?:interface|remote) /.test(text)) session.port = words.slice(1).join(' ');
  else if (/^ip(?:v6)? address \S+$/.test(text)) session.far = words[2];
  else if (/^destination ip \S+$/.test(text)) session.far = words[2];
  else if (/^no shut(?:down)?$/.test(text)) session.enabled = true;
  else if (/^shut(?:down)?$/.test(text)) session.enabled = false;
  else
    return /^(?:destination|(?:erspan-id|origin|mtu|vrf|description|ip (?:ttl|dscp|prec)|header-type|plim|name|rate-limit|mode|switch-id|marker-packet|origin-ip|source-ip|egress-interface) .*)$/.test(
      text,
    );
  return true;
}

function mirrorRule(number: string, session: Session, position: number): Rule {
  const far = setOf(session.far ?? '');
  const translation: Translation = { kind: 'mirror', ...(far ? { addresses: far } : {}) };
  return {
    key: `monitor-session:${number}`,
    kind: 'mirror',
    enabled: session.enabled,
    position,
    context: { interfaces: session.sources },
    match: ANY_TRAFFIC,
    unresolved: session.unresolved,
    translation,
    action: `mirror ${session.direction}${session.port === undefined ? '' : ` to ${session.port}`}`,
    lines: session.lines,
  };
}

function mirrorPolicies(rule: Rule, session: Session): Policy[] {
  const { key, match, unresolved, translation } = rule;
  const bound = session.sources.length > 0 ? names(...session.sources) : ANY_NAME;
  const policy = (way: 'rx' | 'tx'): Policy => ({
    id: `${key}:${way}`,
    stage: 'redirect',
    evaluation: 'first-match',
    appliesTo: way === 'rx' ? { ingress: bound, egress: ANY_NAME } : { ingress: ANY_NAME, egress: bound },
    otherwise: 'none',
    entries: [{ ruleKey: key, match, unresolved, action: 'translate', translation }],
  });
  return (['rx', 'tx'] as const)
    .filter((way) => session.direction === 'both' || session.direction === way)
    .map(policy);
}

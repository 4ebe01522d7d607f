// AN0926's verdict in words: title, one sentence, stages
import { formatAddresses, noAddresses, subtractAddresses } from '../model/addresses.ts';
import type { Opening } from '../model/change.ts';
import type { Rule } from '../model/rule.ts';
import { formatServices } from '../model/services.ts';
import { DEFAULT_INTERNAL } from '../model/site.ts';
import type { AlertStage, ChangeFacts, Evidence, GroupEvidence } from '../model/watch.ts';
import { trafficText as describeTraffic, translationText } from '../rules/describe.ts';
import type { TrafficFinding } from './an0926.ts';

/** How people say the metrics of FlowThreshold. */
export const UNITS = {
  packetsPerMinute: 'packets a minute',
  bytesPerMinute: 'bytes a minute',
  flowsPerMinute: 'flows a minute',
} as const;

const CHANGE = 'rule change';
const SPIKE = 'outbound spike';
const FEW_RETURNS = 'few return packets';

export function titleOf(facts: ChangeFacts, finding: TrafficFinding | undefined): string {
  if (!finding || finding.returns.kind === 'normal') return `${facts.device}: new ${facts.class} rule`;
  const to = placeOf(finding.group);
  return `${facts.device}: new ${facts.class} rule, then egress to ${to}${finding.returns.kind === 'few' ? ' that few packets answer' : ''}`;
}

/** One sentence: who, what, when, with which ticket, and what the traffic did. */
export function narrate(facts: ChangeFacts, finding: TrafficFinding | undefined): string {
  const changed = facts.change.after ?? facts.change.before;
  const rule = changed ? ruleText(changed) : facts.change.ruleKey;
  const actor = [...facts.actors].sort((a, b) => b.confidence - a.confidence)[0];
  const who = actor?.user
    ? `${actor.user}${actor.sourceAddress ? ` from ${actor.sourceAddress}` : ''}`
    : 'someone';
  const ticket =
    facts.ticket.state === 'approved'
      ? `with ticket ${facts.ticket.number}`
      : facts.ticket.state === 'none'
        ? 'without a ticket'
        : `(${facts.ticket.reason})`;
  const gravest = gravestOpening(facts);
  const opened = gravest ? `; it lets ${openingText(gravest)}` : '';
  const when = `between ${time(facts.occurredBetween.fromMs)} and ${time(facts.occurredBetween.toMs)}`;
  return `Probably ${who} ${facts.change.kind} "${shorten(rule)}" on ${facts.device} ${when} ${ticket}${opened}${trafficText(finding)}.`;
}

/** Of what the change is graded by, rather than its return direction; where it can be told, what it opens for inside hosts. */
function gravestOpening({ change, class: graded }: ChangeFacts): Opening | undefined {
  const grave = change.opens.filter((opening) => opening.class === graded);
  const isInside = ({ traffic }: Opening) =>
    noAddresses(subtractAddresses(traffic.sources, DEFAULT_INTERNAL));
  return grave.find(isInside) ?? grave[0] ?? change.opens[0];
}

/** The rule's own line; for machine-made ones (JSON) what they say. */
export function ruleText(rule: Rule): string {
  const line = rule.lines[0]?.text.trim() ?? rule.key;
  if (!line.startsWith('{')) return line;
  const where = [rule.context.family, rule.context.table, rule.context.chain].filter(Boolean).join(' ');
  const target = rule.translation ? ` to ${translationText(rule.translation)}` : '';
  return `${where}: ${rule.action} ${describeTraffic(rule.match)}${target}`;
}

function trafficText(finding: TrafficFinding | undefined): string {
  if (!finding) return '';
  const { group, spike, returns } = finding;
  const to = `${placeOf(group)}${networkOf(group)}`;
  const back =
    'ratio' in returns
      ? ` and ${(returns.ratio * 100).toFixed(1)}% as many packets came back`
      : ' and the return path is not visible';
  return `; then ${Math.round(spike.peak)} ${UNITS[spike.metric]} went to ${to}, against ${spike.baselineMean.toFixed(1)} before${back}`;
}

/** Where the traffic of a group goes, in words. */
function placeOf({ level, key }: GroupEvidence): string {
  if (level === 'question') return 'outside';
  return level === 'category' ? `addresses of category ${key}` : key;
}

function networkOf({ level, asn, name, category }: GroupEvidence): string {
  if (level === 'question' || level === 'category') return '';
  if (level === 'asn') return ` (${name}, ${category})`;
  return asn > 0 ? ` (AS${asn} ${name}, ${category})` : ` (${category})`;
}

export function openingText(opening: Opening): string {
  const { traffic, destinationTranslation, sourceTranslation } = opening;
  const list = (texts: string[]) =>
    texts.length > 4 ? `${texts.slice(0, 4).join(', ')} and ${texts.length - 4} more` : texts.join(', ');
  const target = destinationTranslation
    ? `${destinationTranslation.addresses ? list(formatAddresses(destinationTranslation.addresses)) : 'the device itself'}${destinationTranslation.ports ? ` port ${[...new Set(destinationTranslation.ports)].join('-')}` : ''} by ${destinationTranslation.kind === 'destination' ? 'destination NAT' : destinationTranslation.kind} of ${list(formatAddresses(traffic.destinations))}`
    : list(formatAddresses(traffic.destinations));
  const source = sourceTranslation
    ? `, as ${sourceTranslation.addresses ? list(formatAddresses(sourceTranslation.addresses)) : "the device's own address"}`
    : '';
  return `${list(formatAddresses(traffic.sources))} reach ${target} (${list(formatServices(traffic.services))})${source}`;
}

/** What was seen in order, and what was not. */
export function stagesOf(
  facts: ChangeFacts,
  evidence: Evidence,
  finding: TrafficFinding | undefined,
): { stages: AlertStage[]; missingStages: string[] } {
  const rule = facts.change.after ?? facts.change.before;
  const stages: AlertStage[] = [
    {
      name: CHANGE,
      atMs: facts.occurredBetween.toMs,
      source: `configuration of ${facts.device}`,
      detail: `${facts.change.kind} ${facts.class}`,
      raw: rule?.lines.map((line) => `${line.number}: ${line.text}`).join('\n'),
    },
    ...facts.actors.slice(0, 5).map((actor) => ({
      name: 'actor',
      atMs: actor.atMs ?? facts.occurredBetween.toMs,
      source: actor.source,
      detail: [actor.user, actor.sourceAddress].filter(Boolean).join(' from '),
      raw: actor.raw,
    })),
  ];
  const missingStages: string[] = [];
  if (finding) {
    stages.push({
      name: SPIKE,
      atMs: finding.spike.peakMinuteMs,
      source: 'flows',
      detail: `${Math.round(finding.spike.peak)} ${UNITS[finding.spike.metric]}, baseline ${finding.spike.baselineMean.toFixed(1)}`,
    });
    if (finding.returns.kind === 'few')
      stages.push({
        name: FEW_RETURNS,
        atMs: finding.spike.peakMinuteMs,
        source: 'flows',
        detail: `return ratio ${finding.returns.ratio.toFixed(4)}`,
      });
    else
      missingStages.push(
        `${FEW_RETURNS}: ${finding.returns.kind === 'normal' ? 'returns are normal' : finding.returns.kind}`,
      );
  } else {
    missingStages.push(`${SPIKE}: none by ${time(evidence.askedAtMs)}`, FEW_RETURNS);
  }
  return { stages, missingStages };
}

const time = (ms: number) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
const shorten = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}...` : text);

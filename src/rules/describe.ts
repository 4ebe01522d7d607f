// rules, policies and unread lines -> plain data and lines of text, for people, programs and fixtures
import { formatAddresses } from '../model/addresses.ts';
import type { Policy, PolicyEntry, Rule, RuleSet, Translation } from '../model/rule.ts';
import { formatServices } from '../model/services.ts';
import type { NameSet, Traffic } from '../model/traffic.ts';

export type Described = Readonly<Record<string, unknown>>;

/** Everything in text form; `lines` and `unread` are line numbers. */
export function describeRuleSet(ruleSet: RuleSet): {
  readonly rules: readonly Described[];
  readonly policies: readonly Described[];
  readonly unread: readonly number[];
} {
  return {
    rules: ruleSet.rules.map(describeRule),
    policies: ruleSet.policies.map(describePolicy),
    unread: ruleSet.unread.map(({ number }) => number),
  };
}

export function describeRule(rule: Rule): Described {
  const { ingress, egress, sourcePorts } = rule.match;
  return {
    key: rule.key,
    kind: rule.kind,
    enabled: rule.enabled,
    position: rule.position,
    action: rule.action,
    context: rule.context,
    ...(isAnyName(ingress) ? {} : { ingress: nameText(ingress) }),
    ...(isAnyName(egress) ? {} : { egress: nameText(egress) }),
    sources: formatAddresses(rule.match.sources),
    destinations: formatAddresses(rule.match.destinations),
    services: formatServices(rule.match.services),
    ...(isAnyPort(sourcePorts) ? {} : { sourcePorts: portText(sourcePorts) }),
    ...(rule.unresolved.length ? { unresolved: rule.unresolved } : {}),
    ...(rule.translation ? { translation: describeTranslation(rule.translation) } : {}),
    ...(rule.comment === undefined ? {} : { comment: rule.comment }),
    lines: rule.lines.map(({ number }) => number),
  };
}

function describeTranslation({ kind, addresses, ports, offset }: Translation): Described {
  return {
    kind,
    ...(addresses ? { addresses: formatAddresses(addresses) } : {}),
    ...(ports ? { ports: portText(ports) } : {}),
    ...(offset ? { offset } : {}),
  };
}

function describePolicy(policy: Policy): Described {
  return {
    id: policy.id,
    stage: policy.stage,
    evaluation: policy.evaluation,
    ingress: nameText(policy.appliesTo.ingress),
    egress: nameText(policy.appliesTo.egress),
    otherwise: policy.otherwise,
    entries: policy.entries.map(entryText),
  };
}

/** "accept tcp/443 from any to 10.0.0.0/8 in lan0 => destination 192.0.2.1:443 if mark 1": one line a policy step. */
export function entryText({ action, match, translation, translated, unresolved }: PolicyEntry): string {
  const parts = [`${action} ${trafficText(match)}`];
  if (translation) parts.push(`=> ${translationText(translation)}`);
  if (translated !== undefined) parts.push(translated ? 'if translated' : 'unless translated');
  if (unresolved.length) parts.push(`if ${unresolved.join(' and ')}`);
  return parts.join(' ');
}

export function trafficText(match: Traffic): string {
  const parts = [
    formatServices(match.services).join(',') || 'nothing',
    `from ${formatAddresses(match.sources).join(',') || 'nowhere'}`,
  ];
  if (!isAnyPort(match.sourcePorts)) parts.push(`port ${portText(match.sourcePorts)}`);
  parts.push(`to ${formatAddresses(match.destinations).join(',') || 'nowhere'}`);
  if (!isAnyName(match.ingress)) parts.push(`in ${nameText(match.ingress)}`);
  if (!isAnyName(match.egress)) parts.push(`out ${nameText(match.egress)}`);
  return parts.join(' ');
}

/** "destination 192.0.2.1:443", "source" (an address only the device knows), "destination 10.0.0.0/24 with offset". */
export function translationText({ kind, addresses, ports, offset }: Translation): string {
  const to = addresses ? ` ${formatAddresses(addresses).join(',')}` : '';
  const port = ports ? `${addresses ? '' : ' '}:${portText(ports)}` : '';
  return `${kind}${to}${port}${offset ? ' with offset' : ''}`;
}

function portText(flat: readonly number[]): string {
  const texts: string[] = [];
  for (let i = 0; i < flat.length; i += 2)
    texts.push(flat[i] === flat[i + 1] ? `${flat[i]}` : `${flat[i]}-${flat[i + 1]}`);
  return texts.join(',');
}

const isAnyName = (set: NameSet): boolean => set.except && set.names.length === 0;
const isAnyPort = (flat: readonly number[]): boolean =>
  flat.length === 2 && flat[0] === 0 && flat[1] === 65_535;

function nameText(set: NameSet): string {
  if (isAnyName(set)) return 'any';
  return (set.except ? 'any but ' : '') + (set.names.join(',') || 'none');
}

// AN0407's verdict in words: title, one sentence, stages
import type { HostEvidence, HostQuestion, RulesetState } from '../model/host.ts';
import type { AlertStage } from '../model/watch.ts';
import type { Finding } from './an0407-weigh.ts';
import type { ImpairmentClass } from './firewall-impairment.ts';
import { type Lineage, processFacts } from './host-process.ts';
import { baseName } from './simple-commands.ts';

const TITLES: Readonly<Record<ImpairmentClass, string>> = {
  disable: 'host firewall disabled',
  flush: 'host firewall flushed',
  accept: 'host firewall set to accept by default',
  stop: 'host firewall service stopped',
  openAll: 'host firewall opened for everything',
  unload: 'packet filter unloaded or bypassed',
  netlink: 'firewall rules removed or replaced in the kernel',
  flushOther: 'firewall rules flushed',
  unitDisabled: 'host firewall will not start again',
  failed: 'host firewall service failed',
  remove: 'firewall rule removed',
  load: 'firewall ruleset loaded',
  open: 'firewall rule opened',
  block: 'firewall rule blocks traffic',
  otherEdit: 'host firewall edited',
};

export function titleOf({ host }: HostQuestion, { operation, rulesets }: Finding): string {
  if (!operation) return `${host.name}: active firewall rules fell, nobody is known to have changed them`;
  const fell = rulesets.kind === 'fell' && rulesets.drop.rulesFell ? ', active rules fell' : '';
  return `${host.name}: ${TITLES[operation.impairment.class]}${fell}`;
}

/** One sentence: who, what, from where, when, with which ticket, and what became of the rules. */
export function narrate({ host, trigger }: HostQuestion, evidence: HostEvidence, finding: Finding): string {
  const { operation } = finding;
  const { ticket } = evidence;
  const withTicket =
    ticket.state === 'approved'
      ? `with ticket ${ticket.number}`
      : ticket.state === 'none'
        ? 'without a ticket'
        : `(${ticket.reason})`;
  const rules = rulesText(finding);
  if (!operation)
    return `On ${host.name}, seen at ${time(trigger.atMs)}, ${rules || trigger.detail}; no event tells who did it ${withTicket}.`;
  const { user, loginUser, tty } = processFacts(operation.lineage);
  const named = (one: string | undefined) =>
    one === '0' ? 'root' : /^\d/.test(one ?? '') ? `user ${one}` : one;
  const who = named(user ?? loginUser) ?? 'Someone';
  const login = loginUser !== undefined && loginUser !== user ? `, logged in as ${named(loginUser)}` : '';
  const where = tty === undefined ? '' : ` on ${tty}`;
  const chain = chainOf(operation.lineage);
  const what = shorten(operation.impairment.detail, 160);
  const below = chain.includes(' > ') ? ` (${chain})` : '';
  return `${who}${login}${where} changed the firewall of ${host.name} at ${time(operation.atMs)} ${withTicket}: ${what}${below}${rules ? `; ${rules}` : ''}.`;
}

function rulesText({ rulesets }: Finding): string {
  switch (rulesets.kind) {
    case 'fell': {
      const { before, after, turned, rulesFell, natFell } = rulesets.drop;
      const parts = [
        ...(rulesFell ? [`active rules fell from ${before.activeRules} to ${after.activeRules}`] : []),
        ...(natFell ? [`NAT rules fell from ${before.natRules} to ${after.natRules}`] : []),
        ...(turned.length > 0
          ? [`${turned.slice(0, 3).join(', ')} no longer drop${turned.length === 1 ? 's' : ''} by default`]
          : []),
      ];
      return parts.join(' and ');
    }
    case 'kept':
      return `${rulesets.drop.after.activeRules} active rules stand, as before`;
    case 'restored':
      return `${rulesets.restored.activeRules} active rules were back soon`;
    default:
      return '';
  }
}

/** Ancestors first: "sshd > bash > sudo > iptables". */
export function chainOf({ event, ancestors }: Lineage): string {
  const names = [...ancestors]
    .reverse()
    .map(({ executable }) => (executable.startsWith('/') ? baseName(executable) : executable));
  return [...names, ...(event.executable ? [baseName(event.executable)] : [])].join(' > ');
}

export function stagesOf(
  { trigger, host }: HostQuestion,
  evidence: HostEvidence,
  { operation, rulesets }: Finding,
): { stages: AlertStage[]; missingStages: string[] } {
  const stages: AlertStage[] = [];
  const missingStages: string[] = [];
  const ruleset = (name: string, state: RulesetState): AlertStage => ({
    name,
    atMs: state.takenAtMs,
    source: `ruleset pulled from ${host.name}`,
    detail: `${state.activeRules} active rules, ${state.natRules ?? 0} NAT rules; dropping by default: ${(state.dropping ?? []).slice(0, 8).join(', ') || 'none'}`,
  });
  const before =
    'drop' in rulesets ? rulesets.drop.before : rulesets.kind === 'no-after' ? rulesets.before : undefined;
  const after =
    'drop' in rulesets ? rulesets.drop.after : rulesets.kind === 'no-before' ? rulesets.after : undefined;
  if (before) stages.push(ruleset('ruleset before', before));
  else missingStages.push('ruleset before: none was pulled');
  if (operation) {
    const { event } = operation.impairment;
    stages.push({
      name: 'firewall change',
      atMs: operation.atMs,
      source: sourceOf(event.program, event.message),
      detail: shorten(operation.impairment.detail, 300),
      raw: event.raw,
    });
  } else missingStages.push('firewall change: no event tells of it');
  if (operation?.lineage.ancestors.length) {
    const parent = operation.lineage.ancestors.find((ancestor) => ancestor.event)?.event;
    stages.push({
      name: 'process',
      atMs: parent?.observedAtMs ?? operation.atMs,
      source: 'process executions',
      detail: chainOf(operation.lineage),
      ...(parent ? { raw: parent.raw } : {}),
    });
  } else missingStages.push('process: what started it is not known');
  if (after) stages.push(ruleset('ruleset after', after));
  else missingStages.push(`ruleset after: none was pulled by ${time(evidence.askedAtMs)}`);
  if (rulesets.kind === 'restored' || (rulesets.kind === 'fell' && rulesets.restored))
    stages.push(ruleset('ruleset restored', rulesets.restored!));
  if (stages.length === 0)
    stages.push({ name: 'trigger', atMs: trigger.atMs, source: 'trigger', detail: trigger.detail });
  return { stages: stages.sort((a, b) => a.atMs - b.atMs), missingStages };
}

const sourceOf = (program: string | undefined, message: string): string =>
  /audit\(/.test(message) ? 'audit' : (program ?? 'syslog');
const time = (ms: number) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
const shorten = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}...` : text);

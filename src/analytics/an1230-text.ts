// AN1230's verdict in words: title, one sentence, stages, the process
import { happenedAt } from '../model/event.ts';
import type { HostEvidence, HostQuestion, ProcessFacts } from '../model/host.ts';
import type { AlertStage, Verdict } from '../model/watch.ts';
import type { Finding } from './an1230-findings.ts';
import { MODE_TEXT } from './an1230-reasons.ts';
import { endpointText } from './tunnel-command.ts';

const PROCESS = 'process';
const CONNECTION = 'connection';
const FLOW = 'flow';

export function titleOf({ use, isOutside, event }: Finding, { host }: HostQuestion): string {
  const peer = use.via ?? use.leadsTo;
  const to = peer ? ` to ${endpointText(peer)}` : use.listens?.port ? ` on port ${use.listens.port}` : '';
  const who = event.effectiveUser ?? event.user;
  return `${host.name}: ${use.tool} ${use.mode}${to}${isOutside ? ' (outside)' : ''}${who ? ` by ${who}` : ''}`;
}

/** One sentence: who ran what, for what, and what came of it. */
export function narrate(finding: Finding, { host }: HostQuestion): string {
  const { event, use, parents, connections, destinations, shells, clients } = finding;
  const user = event.effectiveUser ?? event.user ?? 'someone';
  const login = event.loginUser && event.loginUser !== user ? ` (logged in as ${event.loginUser})` : '';
  const parent = parents[0]?.executable ?? event.parentExecutable;
  const from = parent ? ` from ${parent}` : '';
  const line = shorten(event.command ?? event.arguments?.join(' ') ?? event.executable ?? use.text);
  const shell = shells.length > 0 && finding.suspect.kind === 'use' ? '; a shell started beside it' : '';
  const connected = connections[0]
    ? `; it connected to ${connections[0].destinationAddress} port ${connections[0].destinationPort}`
    : '';
  const [top] = destinations;
  const flows = top
    ? `; ${Math.round(top.outBytes)} bytes went to ${top.address}${top.asn > 0 ? ` (AS${top.asn} ${top.name}, ${top.category})` : ''} and ${Math.round(top.inBytes)} came back`
    : '';
  const used = clients.length > 0 ? `; ${clients.slice(0, 3).join(', ')} connected to it` : '';
  return `At ${time(happenedAt(event))} ${user}${login} ran "${line}" on ${host.name}${from}, which is ${MODE_TEXT[use.mode]}${shell}${connected}${flows}${used}.`;
}

/** What was seen in order, and what was not. */
export function stagesOf(
  finding: Finding,
  question: HostQuestion,
  evidence: HostEvidence,
): Pick<Verdict, 'stages' | 'missingStages'> {
  const { event, use, connections, destinations, shells, clients } = finding;
  const source = `${event.program ?? 'log'} of ${question.host.name}`;
  const stages: AlertStage[] = [
    {
      name: event.kind === 'listen' ? 'listener' : event.kind === 'connect' ? CONNECTION : PROCESS,
      atMs: happenedAt(event),
      source,
      detail: `${use.mode}: ${shorten(use.text)}`,
      raw: event.raw,
    },
    ...shells
      .filter((shell) => shell.raw !== event.raw)
      .slice(0, 3)
      .map((shell) => ({
        name: 'shell',
        atMs: happenedAt(shell),
        source,
        detail: shorten(shell.command ?? shell.executable ?? ''),
        raw: shell.raw,
      })),
    ...connections
      .filter((connection) => connection.raw !== event.raw)
      .slice(0, 3)
      .map((connection) => ({
        name: CONNECTION,
        atMs: happenedAt(connection),
        source,
        detail: `${connection.executable ?? 'process'} to ${connection.destinationAddress} port ${connection.destinationPort}`,
        raw: connection.raw,
      })),
    ...destinations.slice(0, 3).map((one) => ({
      name: FLOW,
      atMs: one.firstMinuteMs,
      source: 'flows',
      detail: `${one.address} port ${one.port}: ${Math.round(one.outPackets)} packets out, ${Math.round(one.inPackets)} back`,
    })),
    ...evidence.contacts
      .filter(
        ({ port, outcome, source: from, atMs }) =>
          port === use.listens?.port &&
          (outcome === 'accepted' || outcome === 'established') &&
          clients.includes(from) &&
          atMs >= happenedAt(event) - 1000,
      )
      .slice(0, 3)
      .map((contact) => ({
        name: 'client',
        atMs: contact.atMs,
        source: contact.seenBy,
        detail: `${contact.source} to port ${contact.port}`,
        raw: contact.raw,
      })),
  ].sort((a, b) => a.atMs - b.atMs);
  const has = (name: string) => stages.some((stage) => stage.name === name);
  const by = time(evidence.askedAtMs);
  const missingStages = [
    ...(has(PROCESS) ? [] : [`${PROCESS}: its execution was not logged, or names no tunnel`]),
    ...(has(CONNECTION) ? [] : [`${CONNECTION}: no connect of this process by ${by}`]),
    ...(has(FLOW) ? [] : [`${FLOW}: none to its destination by ${by}`]),
  ];
  return { stages, missingStages };
}

export function processFacts({ event, parents }: Finding): ProcessFacts {
  return {
    executable: event.executable,
    arguments: event.arguments,
    command: event.command,
    pid: event.pid,
    parentPid: event.parentPid,
    parentExecutable: event.parentExecutable ?? parents[0]?.executable,
    user: event.effectiveUser ?? event.user,
    loginUser: event.loginUser,
    tty: event.tty,
  };
}

/** Nothing worth an alert. */
export function noTunnel(question: HostQuestion, evidence: HostEvidence): Verdict {
  return {
    score: 0,
    reasons: [],
    stages: [],
    missingStages: [],
    dataGaps: evidence.dataGaps,
    notes: [],
    observedAtMs: question.trigger.atMs,
    title: `${question.host.name}: ${question.trigger.detail}`.slice(0, 300),
    narrative: 'Nothing beside it makes it a tunnel.',
  };
}

const time = (ms: number) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
const shorten = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}...` : text);

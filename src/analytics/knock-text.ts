// a knock in words: title, one sentence, stages
import type { HostEvidence, HostQuestion, ProcessFacts } from '../model/host.ts';
import type { AlertStage, Verdict } from '../model/watch.ts';
import type { Finding, KnockParameters } from './knock.ts';
import type { HostChange } from './knock-change.ts';
import type { Hit, Sequence } from './knock-sequence.ts';

export const KNOCK = 'closed-port sequence';
export const CHANGE = 'firewall change or new listener';
export const CONNECTION = 'connection from the same source';
const MAX_HITS = 12;
const MAX_RAW = 4000;

export function tell(
  { host, trigger }: HostQuestion,
  evidence: HostEvidence,
  finding: Finding | undefined,
  p: KnockParameters,
): Verdict {
  if (!finding) {
    return {
      score: 0,
      reasons: [],
      stages: [],
      missingStages: [`${KNOCK}: none within ${p.TimeWindow} s before ${trigger.detail}`, CONNECTION],
      dataGaps: evidence.dataGaps,
      notes: [],
      observedAtMs: trigger.atMs,
      title: `${host.name}: ${trigger.detail}`,
      narrative: `${trigger.detail} on ${host.name}; nobody knocked before it.`,
    };
  }
  const { change, sequence, connection, severity, score, reasons } = finding;
  const source = connection?.source ?? sequence?.sources[0] ?? 'someone';
  const what =
    change.kind === 'listener'
      ? 'a new listener'
      : change.kind === 'service-start'
        ? 'a service start'
        : 'a firewall change';
  const opening = sequence
    ? `${TITLES[sequence.kind]} from ${source}, then ${what}`
    : `${what} for ${source}`;
  return {
    severity,
    score,
    reasons,
    stages: stagesOf(finding),
    missingStages: [
      ...(sequence ? [] : [`${KNOCK}: no closed port of ${host.name} was told of by anybody`]),
      ...(connection ? [] : [`${CONNECTION}: none by ${time(evidence.askedAtMs)}`]),
    ],
    dataGaps: sequence
      ? evidence.dataGaps
      : [...evidence.dataGaps, `nobody tells of packets that ${host.name} refuses: knocks are not seen`],
    notes: notesOf(finding, evidence),
    observedAtMs: connection?.atMs ?? change.atMs,
    title: `${host.name}: ${opening}${connection ? ' and a connection' : ''}`.slice(0, 300),
    narrative: narrate(finding, host.name, evidence),
    process: processOf(change, evidence),
  };
}

const TITLES: Readonly<Record<Sequence['kind'], string>> = {
  ports: 'port knock',
  repeating: 'port knock',
  icmp: 'ICMP knock',
  scan: 'port scan',
  'rotation-network': 'port knock of several sources',
  rotation: 'port knock of several sources',
  packet: 'single packet',
};

/** "203.0.113.9 knocked at tcp/7000, udp/8000 in 4 s" */
export function sequenceText({ kind, sources, hits, doors }: Sequence): string {
  const who =
    sources.length > 3
      ? `${sources.slice(0, 3).join(', ')} and ${sources.length - 3} more`
      : sources.join(', ');
  const at = hits.map(({ door }) => door);
  const shown =
    at.length > MAX_HITS
      ? `${at.slice(0, MAX_HITS).join(', ')} and ${at.length - MAX_HITS} more`
      : at.join(', ');
  const seconds = ((hits[hits.length - 1].atMs - hits[0].atMs) / 1000).toFixed(1).replace(/\.0$/, '');
  if (kind === 'packet') return `${who} sent one packet to closed ${doors[0]}`;
  if (kind === 'scan') return `${who} tried many closed ports (${shown}): more like a scan than a knock`;
  return `${who} knocked at closed ${shown} in ${seconds} s`;
}

function narrate(finding: Finding, host: string, evidence: HostEvidence): string {
  const { change, sequence, connection } = finding;
  const process = processOf(change, evidence);
  const by = [
    process?.executable ? ` by ${process.executable}` : '',
    process?.parentExecutable ? ` (from ${process.parentExecutable})` : '',
    process?.loginUser ? ` of ${process.loginUser}` : process?.user ? ` as ${process.user}` : '',
  ].join('');
  const first = sequence ? `${sequenceText(sequence)} on ${host}; then, at ` : `On ${host} at `;
  const last = connection
    ? `, and ${connection.source} ${connection.isLogin ? `logged in${connection.user ? ` as ${connection.user}` : ''}` : 'connected'}${connection.port === undefined ? '' : ` at port ${connection.port}`} ${seconds(connection.atMs - change.atMs)} later`
    : '';
  return `${first}${time(change.atMs)}, "${change.text.slice(0, 200)}"${by}${last}.`;
}

const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 100) / 10)} s`;

function stagesOf({ change, sequence, connection }: Finding): AlertStage[] {
  const stages: AlertStage[] = (sequence?.hits.slice(0, MAX_HITS) ?? []).map((hit) => ({
    name: KNOCK,
    atMs: hit.atMs,
    source: sensorOf(hit),
    detail: `${hit.source} at ${hit.door}: ${hit.contact.outcome}`,
    raw: hit.contact.raw.slice(0, MAX_RAW),
  }));
  stages.push({
    name: CHANGE,
    atMs: change.atMs,
    source: change.event.program ?? 'host log',
    detail: change.text,
    raw: change.event.raw.slice(0, MAX_RAW),
  });
  if (connection)
    stages.push({
      name: CONNECTION,
      atMs: connection.atMs,
      source: connection.from,
      detail: `${connection.source}${connection.port === undefined ? '' : ` to port ${connection.port}`}${connection.isLogin ? `, login${connection.user ? ` of ${connection.user}` : ''}` : ''}`,
      raw: connection.raw.slice(0, MAX_RAW),
    });
  return stages;
}

const sensorOf = ({ contact }: Hit): string =>
  ({ 'host-log': 'packet filter', 'device-log': 'firewall', flow: 'flows', zeek: 'Zeek' })[contact.seenBy];

function notesOf({ sequence, connection, viaNat }: Finding, { clockOffsetMs }: HostEvidence): string[] {
  const notes: string[] = [];
  if (Math.abs(clockOffsetMs) >= 1000)
    notes.push(
      `a sender's clock is ${Math.abs(clockOffsetMs / 1000).toFixed(1)} s ${clockOffsetMs > 0 ? 'ahead' : 'behind'}; times are by our clock`,
    );
  if (viaNat)
    notes.push(
      `NAT considered: ${sequence?.sources.join(', ')} knocked${connection ? `, ${connection.source} connected` : ''}; one of them is an address of a router`,
    );
  if (sequence?.kind === 'packet') notes.push('one packet that opens is single-packet authorisation');
  if (sequence?.kind.startsWith('rotation'))
    notes.push(`the sequence is put together from ${sequence.sources.length} sources`);
  return notes;
}

export function processOf({ event }: HostChange, { processes }: HostEvidence): ProcessFacts | undefined {
  const { executable, command, pid, parentPid, effectiveUser, loginUser, tty } = event;
  if (executable === undefined && command === undefined && pid === undefined) return undefined;
  return {
    executable,
    arguments: event.arguments,
    command,
    pid,
    parentPid,
    parentExecutable: event.parentExecutable ?? processes.get(parentPid ?? -1)?.executable,
    user: effectiveUser ?? event.user,
    loginUser,
    tty,
  };
}

const time = (ms: number) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

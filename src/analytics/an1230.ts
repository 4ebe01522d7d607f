// AN1230 Proxy (T1090, Linux): socat, ncat, ssh, iptables and their like as reverse shells, forwards and tunnels
import { type Event, happenedAt } from '../model/event.ts';
import type { Host, HostEvidence, HostQuestion } from '../model/host.ts';
import type { Severity, Verdict } from '../model/watch.ts';
import { type Finding, findingOf } from './an1230-findings.ts';
import { narrate, noTunnel, processFacts, stagesOf, titleOf } from './an1230-text.ts';
import { triggered } from './an1230-trigger.ts';
import type { HostAnalytic } from './definition.ts';

/** ATT&CK's own names first; then what the judgement needs besides. Weights are points of a score from 0 to 100. */
export interface An1230Parameters extends Record<string, unknown> {
  /**
   * The site's own patterns besides what is read anyway: each is words parted by blanks that must fit words of the command line in
   * this order; * stands for anything within a word. "socat *EXEC:*", "nc -e".
   */
  readonly CommandLinePattern: readonly string[];
  /** Ports of outside addresses that are uncommon: numbers and ranges, without those of UsualPorts. */
  readonly OutboundPortRange: readonly string[];
  readonly UsualPorts: readonly string[];
  /** Users, by name or number, that have no business with network tools. Numbers from 1 to 999 (systems' own) count as well. */
  readonly ProcessUserContext: readonly string[];
  readonly DestinationCategory: readonly string[];
  readonly WatchHours: number;
  readonly BaselineDays: number;
  /** Seen on so many days before: usual. */
  readonly UsualDays: number;
  readonly RareHourShare: number;
  readonly Weights: Readonly<Record<string, number>>;
  readonly SeverityFrom: Readonly<{ low: number; medium: number; high: number; critical: number }>;
}

const parameters: An1230Parameters = {
  CommandLinePattern: [],
  OutboundPortRange: ['1024-65535'],
  UsualPorts: [
    '1194',
    '1883',
    '2049',
    '2376',
    '3000',
    '3128',
    '3306',
    '3478',
    '4500',
    '5000',
    '5222',
    '5223',
    '5228',
    '5349',
    '5432',
    '6443',
    '6514',
    '8000',
    '8080',
    '8443',
    '8883',
    '9418',
    '9443',
    '11371',
    '27017',
    '51820',
  ],
  ProcessUserContext: [
    'www-data',
    'apache',
    'nginx',
    'httpd',
    'http',
    'nobody',
    'daemon',
    'bin',
    'games',
    'mail',
    'postgres',
    'mysql',
    'redis',
    'mongodb',
    'tomcat',
    'jboss',
    'jenkins',
    'elasticsearch',
    'memcache',
    'rabbitmq',
    'postfix',
    'ftp',
    'proxy',
    '65534',
  ],
  DestinationCategory: ['vps', 'tor-exit', 'anonymous-hosting', 'vpn'],
  WatchHours: 4,
  BaselineDays: 14,
  UsualDays: 3,
  RareHourShare: 0.01,
  Weights: {
    'reverse-shell': 60,
    'bind-shell': 50,
    'local-forward': 20,
    'remote-forward': 30,
    'dynamic-forward': 20,
    tun: 30,
    jump: 0,
    relay: 22,
    redirect: 12,
    'proxy-client': 35,
    'proxy-server': 22,
    pipe: -20,
    listener: 0,
    pattern: 25,
    fed: 20,
    usualPort: -15,
    outside: 12,
    placeUnknown: 4,
    uncommonPort: 8,
    rareDestination: 6,
    category: 6,
    connected: 8,
    unexpectedUser: 18,
    noLogin: 6,
    temporaryProgram: 12,
    otherName: 10,
    patternMatches: 8,
    serverParent: 15,
    usedFromOutside: 15,
    listensToAll: 4,
    sshdForward: 14,
    developer: -12,
    usual: -30,
    ticketApproved: -15,
  },
  SeverityFrom: { low: 20, medium: 40, high: 65, critical: 90 },
};

const HOUR_MS = 3_600_000;
/** Shells and parents start moments before what they are used for. */
const LOOK_BACK_MS = 10 * 60_000;

export const an1230: HostAnalytic<An1230Parameters> = {
  subject: 'host',
  id: 'AN1230',
  title: 'Tool used as a reverse shell, forward or tunnel',
  strategy: 'DET0445',
  techniques: ['T1090'],
  dataComponents: ['DC0032', 'DC0078'],
  platforms: ['linux'],
  needs: [
    { telemetry: 'process-log', why: 'command lines are what is read', required: true },
    {
      telemetry: 'flow-export',
      why: 'whether and where it connected, and how much it moved',
      required: false,
    },
    { telemetry: 'asn-data', why: 'the kind of network that it leads to', required: false },
    { telemetry: 'firewall-log', why: 'who used a listener', required: false },
  ],
  parameters,
  mergedParameters: ['Weights', 'SeverityFrom'],
  falsePositives: [
    "forwards of administrators and developers (approve the use, or mark the host as a developer's)",
    'tunnels that a service keeps up, in their first days',
    'penetration tests',
  ],
  blindSpots: [
    'forwards in ~/.ssh/config and those added with ~C or ssh -O are in no command line: only a listener of ssh tells, and -R has none here',
    'pipes between commands typed at a terminal: only that a shell and a network tool started together tells',
    'programs whose connections are built into them and whose arguments say nothing, unless they run from a temporary folder',
    'hosts that log no executions',
  ],
  triggerKinds: ['command', 'connect', 'listen', 'firewall-changed'],
  asks: {
    events: ['command', 'connect', 'listen', 'firewall-changed'],
    contacts: true,
    destinations: true,
    history: ['command', 'firewall-changed', 'listen'],
  },
  watchMs: (p) => p.WatchHours * HOUR_MS,
  lookBackMs: () => LOOK_BACK_MS,
  // What joins a question must still be looked at by it.
  joinMs: (p) => p.WatchHours * HOUR_MS,
  triggeredBy: (event: Event, host: Host, p: An1230Parameters) => triggered(event, host, p),
  judge,
};

/** Of all that belongs to the question what looks worst. */
function judge(question: HostQuestion, evidence: HostEvidence, p: An1230Parameters): Verdict {
  const isOver = evidence.askedAtMs >= question.untilMs;
  const findings = occurrencesOf(question, evidence, p)
    .flatMap((event) => findingOf(event, question, evidence, p) ?? [])
    .sort((a, b) => rankOf(b, p) - rankOf(a, p) || happenedAt(a.event) - happenedAt(b.event));
  const worst = findings[0];
  if (!worst) return { ...noTunnel(question, evidence), isSettled: isOver };
  return {
    severity: severityOf(worst, p),
    score: worst.score,
    reasons: worst.reasons,
    ...stagesOf(worst, question, evidence),
    dataGaps: evidence.dataGaps,
    notes: notesOf(worst, findings),
    observedAtMs: worst.connections[0] ? happenedAt(worst.connections[0]) : happenedAt(worst.event),
    title: titleOf(worst, question),
    narrative: narrate(worst, question),
    process: processFacts(worst),
    destinations: worst.destinations,
    // What was approved stays so: another use has another key.
    isSettled: isOver || findings.every(({ approval }) => approval !== undefined),
  };
}

/** Events of the window that would have opened the same question; the trigger is one of them although the store may not have it yet. */
function occurrencesOf(question: HostQuestion, evidence: HostEvidence, p: An1230Parameters): Event[] {
  const found = evidence.events.filter((event) => triggered(event, question.host, p)?.key === question.key);
  const { event } = question.trigger;
  const isThere =
    event && found.some((one) => one.raw === event.raw && one.observedAtMs === event.observedAtMs);
  return event && !isThere ? [event, ...found] : found;
}

const LEVELS: readonly (Severity | undefined)[] = [
  undefined,
  'informational',
  'low',
  'medium',
  'high',
  'critical',
];
const rankOf = (finding: Finding, p: An1230Parameters) =>
  LEVELS.indexOf(severityOf(finding, p)) * 1000 + finding.score;

function severityOf(
  { use, score, approval, isOutside, connections, isUsual }: Finding,
  p: An1230Parameters,
): Severity | undefined {
  if (approval) return undefined;
  const from = p.SeverityFrom;
  if (use.runsShell && isOutside && connections.length > 0 && score >= from.critical) return 'critical';
  if (score >= from.high) {
    // Where nothing outside is involved, or it has been so for days, the pattern is not whole.
    if (isOutside || (use.runsShell && !isUsual)) return 'high';
    return 'medium';
  }
  if (score >= from.medium) return 'medium';
  return score >= from.low ? 'low' : undefined;
}

function notesOf(worst: Finding, findings: readonly Finding[]): string[] {
  const notes: string[] = [];
  if (findings.length > 1) notes.push(`seen ${findings.length} times in this question's time`);
  if (worst.nearMiss) notes.push(`not covered by the approved use ${worst.nearMiss}`);
  if (worst.use.via && !worst.isOutside && worst.placeIsUnknown)
    notes.push(`where ${worst.use.via.host} is was not seen`);
  return notes;
}

// audit records and log lines of a host, written by hand, and the evidence that they make
import { createAuditJoiner } from '../../src/events/audit-join.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { type Event, happenedAt } from '../../src/model/event.ts';
import type { HistoryRow, Host, HostEvidence, RulesetState } from '../../src/model/host.ts';

export const T0 = Date.parse('2026-11-02T03:00:00Z');
export const SECOND = 1000;

export const host: Host = {
  name: 'web1',
  platform: 'linux',
  addresses: ['10.20.0.5'],
  aliases: [],
  isDeveloper: false,
  timeZone: 'UTC',
};

export interface Run {
  readonly atMs?: number;
  readonly exe: string;
  readonly args: readonly string[];
  readonly pid?: number;
  readonly ppid?: number;
  readonly auid?: string;
  readonly uid?: string;
  readonly tty?: string;
}

let serial = 1000;
const stamp = (atMs: number) => `${(atMs / 1000).toFixed(3)}:${++serial}`;
const prefix = '<182>Nov  2 03:00:00 web1 audispd: ';
const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase();

/** Lines of an execve as auditd forwards them. `auid` unset: nobody logged in. */
export function ran({ atMs = T0, exe, args, pid = 4000, ppid = 3999, auid, uid = '0', tty }: Run): string[] {
  const at = `msg=audit(${stamp(atMs)})`;
  const call = `type=SYSCALL ${at}: arch=c000003e syscall=59 success=yes exit=0 ppid=${ppid} pid=${pid} auid=${auid ?? '4294967295'} uid=${uid} gid=0 euid=${uid} tty=${tty ?? '(none)'} ses=1 comm="x" exe="${exe}" key="postern_fw"`;
  const list = args.map((word, i) => `a${i}=${/^[\w./=-]+$/.test(word) ? `"${word}"` : hex(word)}`).join(' ');
  return [
    call,
    `type=EXECVE ${at}: argc=${args.length} ${list}`,
    `type=PROCTITLE ${at}: proctitle=${hex(args.join('\0'))}`,
  ].map((line) => prefix + line);
}

/** Records of a commit of the packet filter, with the call where `exe` is given. */
export function committed(
  records: readonly string[],
  {
    atMs = T0,
    exe,
    pid = 4000,
    ppid = 3999,
    auid,
    uid = '0',
    tty,
    title,
    comm = 'x',
  }: Partial<Run> & { title?: string; comm?: string } = {},
): string[] {
  const at = `msg=audit(${stamp(atMs)})`;
  return [
    ...records.map(
      (record) => `type=NETFILTER_CFG ${at}: ${record} pid=${pid} subj=unconfined comm="${comm}"`,
    ),
    ...(exe
      ? [
          `type=SYSCALL ${at}: arch=c000003e syscall=46 success=yes exit=100 ppid=${ppid} pid=${pid} auid=${auid ?? '4294967295'} uid=${uid} euid=${uid} tty=${tty ?? '(none)'} ses=1 comm="${comm}" exe="${exe}" key=(null)`,
        ]
      : []),
    ...(title ? [`type=PROCTITLE ${at}: proctitle=${hex(title.replaceAll(' ', '\0'))}`] : []),
  ].map((line) => prefix + line);
}

export const unitRecord = (
  type: 'SERVICE_START' | 'SERVICE_STOP',
  unit: string,
  atMs = T0,
  result = 'success',
): string[] => [
  `${prefix}type=${type} msg=audit(${stamp(atMs)}): pid=1 uid=0 auid=4294967295 ses=4294967295 msg='unit=${unit} comm="systemd" exe="/usr/lib/systemd/systemd" hostname=? addr=? terminal=? res=${result}'`,
];

/** In order of time; the lines of one list belong together. */
export function eventsOf(...lines: readonly (readonly string[])[]): Event[] {
  const events: Event[] = [];
  const joiner = createAuditJoiner((event) => events.push({ ...event, origin: host.name }));
  for (const line of lines.flat())
    joiner.push(parseEvent(line, '10.20.0.5', T0, { toleranceMs: Number.POSITIVE_INFINITY }), T0);
  joiner.end();
  return events.sort((a, b) => a.observedAtMs - b.observedAtMs);
}

export function rulesets(
  ...counts: readonly (readonly [
    secondsFromT0: number,
    activeRules: number,
    dropping?: readonly string[],
    natRules?: number,
  ])[]
): RulesetState[] {
  return counts.map(([seconds, activeRules, dropping = ['ip filter INPUT'], natRules = 4]) => ({
    takenAtMs: T0 + seconds * SECOND,
    activeRules,
    accepting: [],
    policies: 3,
    dropping,
    natRules,
  }));
}

/** As the machinery gathers it. */
export function evidenceOf(events: readonly Event[], more: Partial<HostEvidence> = {}): HostEvidence {
  const processes = new Map<number, Event>();
  for (const event of events) if (event.pid !== undefined && event.arguments) processes.set(event.pid, event);
  return {
    askedAtMs: T0 + 300 * SECOND,
    events: events.filter(({ kind }) => /^(?:firewall-changed|service-started|service-stopped)$/.test(kind)),
    processes,
    contacts: [],
    rulesets: [],
    destinations: [],
    history: [],
    historyDays: 14,
    approvedUses: [],
    ticket: { state: 'none', reason: 'no matching ticket' },
    internal: addressSet('10.0.0.0/8'),
    natAddresses: addressSet(),
    clockOffsetMs: 0,
    dataGaps: [],
    ...more,
  };
}

/** What history would say of these events, seen on so many days. */
export function historyOf(events: readonly Event[], days: number, hourMs = 0): HistoryRow[] {
  return events.map((event) => ({
    kind: event.kind,
    executable: event.executable ?? '',
    parentExecutable: event.parentExecutable ?? '',
    effectiveUser: event.effectiveUser ?? '',
    loginUser: event.loginUser ?? '',
    unit: event.unit ?? '',
    command: (event.command ?? '').slice(0, 200),
    count: days,
    days,
    firstAtMs: happenedAt(event) - days * 86_400_000 + hourMs,
    lastAtMs: happenedAt(event) - 86_400_000 + hourMs,
  }));
}

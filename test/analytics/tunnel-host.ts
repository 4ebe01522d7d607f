// audit records of a host, as auditd forwards them, and the judgements that they lead to
import { an1230 } from '../../src/analytics/an1230.ts';
import { withOverrides } from '../../src/analytics/definition.ts';
import { createAuditJoiner } from '../../src/events/audit-join.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { addressSet, NO_ADDRESSES } from '../../src/model/addresses.ts';
import type { Event } from '../../src/model/event.ts';
import type { Host, HostDestination, HostEvidence } from '../../src/model/host.ts';
import type { Verdict } from '../../src/model/watch.ts';
import { createHostOpener } from '../../src/watches/host-open.ts';

export const T0 = Date.parse('2026-11-02T03:00:00Z');
export const web1: Host = {
  name: 'web1',
  platform: 'linux',
  addresses: ['10.20.0.10'],
  aliases: [],
  isDeveloper: false,
  timeZone: 'UTC',
};

export interface Process {
  readonly args?: readonly string[];
  readonly exe: string;
  readonly pid?: number;
  readonly ppid?: number;
  /** Effective user and who logged in; "unset" for a daemon. */
  readonly user?: string;
  readonly login?: string;
  readonly tty?: string;
  readonly atMs?: number;
  /** Long arguments in pieces, and all of them as hexadecimal. */
  readonly isSplit?: boolean;
}

let serial = 1000;

function lines(records: readonly string[], atMs: number): string[] {
  const stamp = `audit(${Math.floor(atMs / 1000)}.${String(atMs % 1000).padStart(3, '0')}:${++serial})`;
  return records.map((record) => {
    const [type, ...rest] = record.split(' ');
    return `<182>${new Date(atMs).toISOString()} web1 audispd: type=${type} msg=${stamp}: ${rest.join(' ')}`;
  });
}

const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase();
const word = (text: string, isSplit: boolean) =>
  isSplit || /[\s"]/.test(text) || text === '' ? hex(text) : `"${text}"`;
const isEncoded = (text: string) => /[\s"]/.test(text);

function callOf(
  call: string,
  { exe, pid = 500, ppid = 400, user = 'root', login = 'unset', tty = '(none)' }: Process,
): string {
  return `SYSCALL arch=c000003e syscall=${call} success=yes exit=0 a0=1 a1=2 a2=10 a3=8 items=2 ppid=${ppid} pid=${pid} auid=1000 uid=0 gid=0 euid=0 tty=${tty} ses=1 comm="x" exe="${exe}" subj=unconfined key="k" AUID="${login}" UID="${user}" EUID="${user}"`;
}

export function execution(process: Process): Event {
  const args = process.args ?? [process.exe];
  const fields = args.map((text, index) => {
    if (process.isSplit && text.length > 8) {
      const encoded = hex(text);
      const half = 2 * Math.floor(encoded.length / 4);
      return `a${index}_len=${encoded.length} a${index}[0]=${encoded.slice(0, half)} a${index}[1]=${encoded.slice(half)}`;
    }
    return `a${index}=${word(text, process.isSplit === true && isEncoded(text))}`;
  });
  return joined(
    [
      callOf('59', process),
      `EXECVE argc=${args.length} ${fields.join(' ')}`,
      `PROCTITLE proctitle=${hex(args.join('\0'))}`,
    ],
    process.atMs,
  );
}

const socketAddress = (address: string, port: number) =>
  `0200${port.toString(16).padStart(4, '0')}${address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}0000000000000000`.toUpperCase();

export const connection = (process: Process, address: string, port: number): Event =>
  joined(
    [
      callOf('42', process),
      `SOCKADDR saddr=${socketAddress(address, port)}`,
      `PROCTITLE proctitle=${hex((process.args ?? [process.exe]).join('\0'))}`,
    ],
    process.atMs,
  );

export const listener = (process: Process, address: string, port: number): Event =>
  joined(
    [
      callOf('49', process),
      `SOCKADDR saddr=${socketAddress(address, port)}`,
      `PROCTITLE proctitle=${hex((process.args ?? [process.exe]).join('\0'))}`,
    ],
    process.atMs,
  );

function joined(records: readonly string[], atMs = T0): Event {
  const events: Event[] = [];
  const joiner = createAuditJoiner((event) => events.push(event));
  for (const line of lines(records, atMs))
    joiner.push(parseEvent(line, '10.20.0.10', atMs + 500), atMs + 500);
  joiner.end();
  if (events.length !== 1) throw new Error(`${events.length} events of one`);
  return { ...events[0], origin: 'web1' };
}

export const flowTo = (
  address: string,
  port: number,
  overrides: Partial<HostDestination> = {},
): HostDestination => ({
  address,
  port,
  protocol: 'tcp',
  asn: 64500,
  name: 'EXAMPLE-VPS',
  category: 'vps',
  firstMinuteMs: T0,
  outPackets: 900,
  inPackets: 400,
  outBytes: 900_000,
  inBytes: 40_000,
  addressHourShare: 0,
  asnHourShare: 0,
  otherInternals: 0,
  ...overrides,
});

/** The worst verdict over all questions that these events open; undefined where none is opened. */
export function judged(
  events: readonly Event[],
  overrides: Partial<HostEvidence> = {},
  { host = web1, parameters = {} }: { host?: Host; parameters?: Record<string, unknown> } = {},
): Verdict | undefined {
  const p = withOverrides(an1230, parameters);
  const opener = createHostOpener([{ analytic: an1230 as never, parameters: p }]);
  const questions = events.flatMap((event) => opener.event(event, host));
  const processes = new Map(
    events.flatMap((event) =>
      event.kind === 'command' && event.pid !== undefined ? [[event.pid, event] as const] : [],
    ),
  );
  const rank = ['informational', 'low', 'medium', 'high', 'critical'];
  const verdicts = questions.map((question) =>
    an1230.judge(
      question,
      {
        askedAtMs: T0 + 300_000,
        events,
        processes,
        contacts: [],
        rulesets: [],
        destinations: [],
        history: [],
        historyDays: 14,
        approvedUses: [],
        ticket: { state: 'none', reason: 'no matching ticket' },
        internal: addressSet('10.0.0.0/8'),
        natAddresses: NO_ADDRESSES,
        clockOffsetMs: 0,
        dataGaps: [],
        ...overrides,
      },
      p,
    ),
  );
  return verdicts.sort(
    (a, b) => rank.indexOf(b.severity ?? '') - rank.indexOf(a.severity ?? '') || b.score - a.score,
  )[0];
}

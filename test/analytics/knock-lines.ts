// log lines of a knocked host, as evidence: each test says what happened when

import type { HostAnalytic, Parameters } from '../../src/analytics/definition.ts';
import { withOverrides } from '../../src/analytics/definition.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { addressSet } from '../../src/model/addresses.ts';
import { type Event, happenedAt } from '../../src/model/event.ts';
import type { Contact, Host, HostEvidence } from '../../src/model/host.ts';
import type { Verdict } from '../../src/model/watch.ts';
import { byTime, contactOf } from '../../src/watches/contacts.ts';
import { createHostOpener } from '../../src/watches/host-open.ts';

export const T0 = Date.parse('2026-11-02T02:10:00Z');
export const KNOCKER = '203.0.113.9';

export const linux: Host = {
  name: 'web1',
  platform: 'linux',
  addresses: ['10.20.0.10', '192.0.2.10'],
  aliases: [],
  isDeveloper: false,
  timeZone: 'UTC',
};
export const mac: Host = { ...linux, name: 'mac1', platform: 'macos' };

/** `seconds` after T0. */
export function line(seconds: number, text: string, host = linux, origin = host.name): Event {
  const atMs = T0 + seconds * 1000;
  const header = `<13>1 ${new Date(atMs).toISOString()} ${host.name} `;
  return { ...parseEvent(header + text, host.addresses[0], atMs), origin };
}

/** The packet filter drops (or what `prefix` says). */
export function packet(
  seconds: number,
  port: number | undefined,
  more: {
    source?: string;
    protocol?: string;
    sourcePort?: number;
    prefix?: string;
    host?: Host;
    origin?: string;
  } = {},
): Event {
  const { source = KNOCKER, protocol = 'TCP', prefix = '[UFW BLOCK]', host = linux } = more;
  const sourcePort = more.sourcePort ?? 40_000 + Math.round(seconds * 10) + ((port ?? 0) % 7);
  const ports = port === undefined ? 'TYPE=8 CODE=0 ID=7 SEQ=1' : `SPT=${sourcePort} DPT=${port}`;
  const text = `kernel - - - ${prefix} IN=eth0 OUT= MAC= SRC=${source} DST=${host.addresses[0]} LEN=60 TOS=0x00 PREC=0x00 TTL=54 ID=1 PROTO=${protocol} ${ports}`;
  return line(seconds, text, host, more.origin);
}

export const flow = (
  seconds: number,
  port: number | undefined,
  outcome: Contact['outcome'],
  more: Partial<Contact> = {},
): Contact => ({
  atMs: T0 + seconds * 1000,
  source: KNOCKER,
  destination: '10.20.0.10',
  port,
  protocol: 'tcp',
  outcome,
  seenBy: 'flow',
  packets: 1,
  raw: 'flow',
  ...more,
});

/** sudo tells the command; the kernel would tell it by EXECVE. */
export const runs = (seconds: number, command: string, host = linux): Event =>
  line(seconds, `sudo - - - alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=${command}`, host);

export const login = (seconds: number, source = KNOCKER, user = 'bob', host = linux): Event =>
  line(seconds, `sshd 77 - - Accepted password for ${user} from ${source} port 50022 ssh2`, host);

export const OPEN_SSH = `/usr/sbin/iptables -I INPUT 1 -s ${KNOCKER} -p tcp --dport 22 -j ACCEPT`;
export const OPEN_SSH_TO_ALL = '/usr/sbin/iptables -I INPUT 1 -p tcp --dport 22 -j ACCEPT';

export interface Story {
  readonly host?: Host;
  readonly events?: readonly Event[];
  readonly flows?: readonly Contact[];
  readonly evidence?: Partial<HostEvidence>;
  readonly parameters?: Parameters;
  readonly askedAt?: number;
}

/** The verdicts of all questions that the host's own events open, worst first, asked when all is over. */
export function verdictsOf(definition: unknown, story: Story): Verdict[] {
  const analytic = definition as HostAnalytic;
  const { host = linux, events = [], flows = [] } = story;
  const parameters = withOverrides(analytic, story.parameters);
  const opener = createHostOpener([{ analytic, parameters }]);
  const own = events.filter(({ origin }) => origin === host.name);
  const sorted = [...own].sort((a, b) => a.receivedAtMs - b.receivedAtMs);
  return sorted
    .flatMap((event) => opener.event(event, host))
    .map((question) => {
      const isAsked = (atMs: number) => atMs >= question.fromMs && atMs <= question.untilMs;
      const evidence: HostEvidence = {
        askedAtMs: story.askedAt === undefined ? question.untilMs : T0 + story.askedAt * 1000,
        events: own.filter((one) => analytic.asks.events.includes(one.kind) && isAsked(happenedAt(one))),
        processes: new Map(own.flatMap((one) => (one.pid === undefined ? [] : [[one.pid, one]]))),
        contacts: byTime([...events.flatMap((one) => contactOf(one, host) ?? []), ...flows]).filter(
          ({ atMs }) => isAsked(atMs),
        ),
        rulesets: [],
        destinations: [],
        history: [],
        historyDays: 14,
        approvedUses: [],
        ticket: { state: 'none', reason: 'no matching ticket' },
        internal: addressSet('10.0.0.0/8'),
        natAddresses: addressSet('192.0.2.1'),
        clockOffsetMs: 0,
        dataGaps: [],
        ...story.evidence,
      };
      return analytic.judge(question, evidence, parameters);
    })
    .sort((a, b) => b.score - a.score);
}

export const severityOf = (definition: unknown, story: Story) => {
  const order = ['informational', 'low', 'medium', 'high', 'critical'];
  return verdictsOf(definition, story)
    .map(({ severity }) => severity)
    .sort((a, b) => order.indexOf(b ?? '') - order.indexOf(a ?? ''))[0];
};

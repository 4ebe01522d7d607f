// devices, hosts + what arrived lately -> for each analytic whether it can see them, and why not
import type { AnalyticDefinition, ChangeAnalytic, HostAnalytic, Telemetry } from '../analytics/definition.ts';

/** How long a stream may be silent before it counts as gone. */
const FLOW_SILENCE_MS = 15 * 60_000;
/** A host may have nothing to say for longer than an exporter that many speak through. */
export const HOST_FLOW_SILENCE_MS = 86_400_000;
export const RETURN_WINDOW_MS = 3_600_000;
export const SYSLOG_SILENCE_MS = 7 * 86_400_000;
const PULL_SLACK_MS = 5 * 60_000;

/** What is known of one device and of the site. */
export interface Arrivals {
  readonly nowMs: number;
  readonly pullIntervalMs: number;
  readonly lastPullMs?: number;
  readonly lastPullError?: string;
  readonly lastFlowMs?: number;
  /** Undefined where there were no flows at all in RETURN_WINDOW_MS. */
  readonly returnsSeen?: boolean;
  readonly lastEventMs?: number;
  readonly networkEntries: number;
  readonly anyTicket: boolean;
}

/** What is known of one host and of the site; `pulls` of the devices that are the same machine. */
export interface HostArrivals
  extends Pick<Arrivals, 'nowMs' | 'lastFlowMs' | 'lastEventMs' | 'networkEntries' | 'anyTicket'> {
  readonly lastProcessMs?: number;
  readonly lastFirewallMs?: number;
  readonly lastLoginMs?: number;
  readonly pulls: readonly Pick<Arrivals, 'pullIntervalMs' | 'lastPullMs' | 'lastPullError'>[];
}

export interface Stream {
  readonly telemetry: Telemetry;
  readonly required: boolean;
  readonly why: string;
  readonly arrives: boolean;
  readonly reason: string;
}

export interface Sight {
  readonly analytic: string;
  readonly title: string;
  readonly sight: 'sees' | 'partly' | 'blind';
  readonly streams: readonly Stream[];
}

export const sightOf = (analytic: ChangeAnalytic, arrivals: Arrivals): Sight =>
  sightBy(analytic, (telemetry) => judge(telemetry, arrivals));
export const hostSightOf = (analytic: HostAnalytic, arrivals: HostArrivals): Sight =>
  sightBy(analytic, (telemetry) => judgeHost(telemetry, arrivals));

function sightBy(analytic: AnalyticDefinition, judgeStream: (telemetry: Telemetry) => Judgement): Sight {
  const streams = analytic.needs.map((need) => ({ ...need, ...judgeStream(need.telemetry) }));
  const missing = streams.filter(({ arrives }) => !arrives);
  const sight = missing.length === 0 ? 'sees' : missing.some(({ required }) => required) ? 'blind' : 'partly';
  return { analytic: analytic.id, title: analytic.title, sight, streams };
}

type Judgement = Pick<Stream, 'arrives' | 'reason'>;

function judge(telemetry: Telemetry, at: Arrivals): Judgement {
  switch (telemetry) {
    case 'config-pull':
      return judgePull(at);
    case 'flow-export':
      return judgeAge(at, at.lastFlowMs, FLOW_SILENCE_MS, 'flows from its exporters');
    case 'return-flows':
      if (at.returnsSeen === undefined)
        return { arrives: false, reason: 'no flows in the last hour, so none that return' };
      return at.returnsSeen
        ? { arrives: true, reason: 'packets that return were seen in the last hour' }
        : { arrives: false, reason: 'no packet that returns in the last hour: export both directions' };
    case 'syslog':
      return judgeAge(at, at.lastEventMs, SYSLOG_SILENCE_MS, 'syslog lines');
    case 'asn-data':
      return judgeNetworks(at);
    case 'tickets':
      return judgeTickets(at);
    case 'process-log':
    case 'firewall-log':
    case 'login-log':
    case 'host-ruleset':
      return { arrives: false, reason: 'not of a network device' };
  }
}

function judgeHost(telemetry: Telemetry, at: HostArrivals): Judgement {
  switch (telemetry) {
    case 'process-log':
      return judgeAge(at, at.lastProcessMs, SYSLOG_SILENCE_MS, 'lines that say what was run');
    case 'firewall-log':
      return judgeAge(at, at.lastFirewallMs, SYSLOG_SILENCE_MS, 'lines of its packet filter');
    case 'login-log':
      return judgeAge(at, at.lastLoginMs, SYSLOG_SILENCE_MS, 'lines about logins');
    case 'syslog':
      return judgeAge(at, at.lastEventMs, SYSLOG_SILENCE_MS, 'lines from it');
    case 'flow-export':
      return judgeAge(at, at.lastFlowMs, HOST_FLOW_SILENCE_MS, 'flows of its addresses');
    case 'host-ruleset':
    case 'config-pull':
      return judgePulls(at);
    case 'asn-data':
      return judgeNetworks(at);
    case 'tickets':
      return judgeTickets(at);
    case 'return-flows':
      return { arrives: false, reason: 'not told of a single host' };
  }
}

const judgeNetworks = ({ networkEntries }: Pick<Arrivals, 'networkEntries'>): Judgement =>
  networkEntries > 0
    ? { arrives: true, reason: `${networkEntries} networks are known` }
    : { arrives: false, reason: 'no table of networks is loaded' };

const judgeTickets = ({ anyTicket }: Pick<Arrivals, 'anyTicket'>): Judgement =>
  anyTicket
    ? { arrives: true, reason: 'tickets are there' }
    : { arrives: false, reason: 'no ticket was ever sent' };

function judgePulls({ nowMs, pulls }: HostArrivals): Judgement {
  const judged = pulls.map((pulled) => judgePull({ nowMs, ...pulled }));
  const none = {
    arrives: false,
    reason: 'no device of its name or address is registered, so none is pulled',
  };
  return judged.find(({ arrives }) => arrives) ?? judged[0] ?? none;
}

type Pulled = Pick<Arrivals, 'nowMs' | 'pullIntervalMs' | 'lastPullMs' | 'lastPullError'>;

function judgePull({ nowMs, pullIntervalMs, lastPullMs, lastPullError }: Pulled): Judgement {
  const because = lastPullError ? `: ${lastPullError}` : '';
  if (lastPullMs === undefined) return { arrives: false, reason: `never pulled${because}` };
  const arrives = nowMs - lastPullMs <= 2 * pullIntervalMs + PULL_SLACK_MS;
  const reason = `last pulled ${time(lastPullMs)}`;
  return { arrives, reason: arrives ? reason : `${reason}${because}` };
}

function judgeAge(
  { nowMs }: Pick<Arrivals, 'nowMs'>,
  lastMs: number | undefined,
  silenceMs: number,
  what: string,
): Judgement {
  if (lastMs === undefined) return { arrives: false, reason: `no ${what}` };
  return { arrives: nowMs - lastMs <= silenceMs, reason: `last ${what} ${time(lastMs)}` };
}

const time = (ms: number) => new Date(ms).toISOString();

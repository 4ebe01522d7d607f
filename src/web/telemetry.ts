// devices + what arrived lately -> for each analytic whether it can see the device, and why not
import type { AnalyticDefinition, Telemetry } from '../analytics/definition.ts';

/** How long a stream may be silent before it counts as gone. */
const FLOW_SILENCE_MS = 15 * 60_000;
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

export function sightOf(analytic: AnalyticDefinition, arrivals: Arrivals): Sight {
  const streams = analytic.needs.map((need) => ({ ...need, ...judge(need.telemetry, arrivals) }));
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
      return at.networkEntries > 0
        ? { arrives: true, reason: `${at.networkEntries} networks are known` }
        : { arrives: false, reason: 'no table of networks is loaded' };
    case 'tickets':
      return at.anyTicket
        ? { arrives: true, reason: 'tickets are there' }
        : { arrives: false, reason: 'no ticket was ever sent' };
    case 'process-log':
    case 'firewall-log':
    case 'login-log':
    case 'host-ruleset':
      return { arrives: false, reason: 'not of a network device' };
  }
}

function judgePull({ nowMs, pullIntervalMs, lastPullMs, lastPullError }: Arrivals): Judgement {
  const because = lastPullError ? `: ${lastPullError}` : '';
  if (lastPullMs === undefined) return { arrives: false, reason: `never pulled${because}` };
  const arrives = nowMs - lastPullMs <= 2 * pullIntervalMs + PULL_SLACK_MS;
  const reason = `last pulled ${time(lastPullMs)}`;
  return { arrives, reason: arrives ? reason : `${reason}${because}` };
}

function judgeAge(
  { nowMs }: Arrivals,
  lastMs: number | undefined,
  silenceMs: number,
  what: string,
): Judgement {
  if (lastMs === undefined) return { arrives: false, reason: `no ${what}` };
  return { arrives: nowMs - lastMs <= silenceMs, reason: `last ${what} ${time(lastMs)}` };
}

const time = (ms: number) => new Date(ms).toISOString();

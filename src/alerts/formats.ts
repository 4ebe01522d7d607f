// Alert -> the body that an endpoint of each format takes
import type { Alert, AlertDestination, HostAlert } from '../model/alert.ts';
import type { ProcessFacts } from '../model/host.ts';

export const FORMATS = ['postern', 'ocsf', 'splunk-hec', 'slack', 'pagerduty'] as const;
export type Format = (typeof FORMATS)[number];

/** OCSF 1.x severity_id and PagerDuty Events API v2 severity. */
const OCSF_SEVERITY = { informational: 1, low: 2, medium: 3, high: 4, critical: 5 } as const;
const PAGERDUTY_SEVERITY = {
  informational: 'info',
  low: 'info',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
} as const;
/** activity_id of a finding. */
const [CREATE, UPDATE, CLOSE] = [1, 2, 3];
const OCSF_STATUS = { open: 1, acknowledged: 2, closed: 4 } as const;

export function formatAlert(alert: Alert, format: Format): string {
  return JSON.stringify(bodyOf(alert, format));
}

function bodyOf(alert: Alert, format: Format): unknown {
  switch (format) {
    case 'postern':
      return alert;
    case 'ocsf':
      return ocsf(alert);
    case 'splunk-hec':
      return {
        time: Date.parse(alert.observedAt) / 1000,
        source: 'postern',
        sourcetype: 'postern:alert',
        host: machineOf(alert),
        event: alert,
      };
    case 'slack':
      return slack(alert);
    case 'pagerduty':
      return pagerduty(alert);
  }
}

/** Detection Finding, class 2004 of category 2 (https://schema.ocsf.io/classes/detection_finding). */
function ocsf(alert: Alert) {
  const activity = alert.status === 'closed' ? CLOSE : alert.revision === 1 ? CREATE : UPDATE;
  const process = processOf(alert);
  return {
    class_uid: 2004,
    category_uid: 2,
    activity_id: activity,
    type_uid: 200_400 + activity,
    time: Date.parse(alert.observedAt),
    severity_id: OCSF_SEVERITY[alert.severity],
    severity: alert.severity,
    status_id: OCSF_STATUS[alert.status],
    message: alert.narrative,
    metadata: {
      version: '1.3.0',
      uid: `${alert.id}:${alert.revision}`,
      product: { name: 'Postern', vendor_name: 'Postern' },
    },
    finding_info: {
      uid: alert.id,
      title: alert.title,
      desc: alert.narrative,
      analytic: { uid: alert.analytic, type_id: 1, name: alert.analytic },
      attacks: alert.technique.map(attackOf),
      created_time: Date.parse(alert.openedAt),
      modified_time: Date.parse(alert.observedAt),
    },
    confidence_score: Math.round(alert.score),
    device: { hostname: machineOf(alert), type_id: 0 },
    evidences: [
      ...(process ? [evidenceOfProcess(process)] : []),
      ...alert.destinations.map(evidenceOfDestination),
      // A device's stages are its rule and its flows, which `unmapped` has whole.
      ...(alert.host === undefined ? [] : alert.stages.map((stage) => ({ data: stage }))),
    ],
    unmapped: { alert },
  };
}

const machineOf = (alert: Alert): string => alert.device ?? alert.host;
const processOf = (alert: Alert): ProcessFacts | undefined =>
  alert.host === undefined ? undefined : alert.process;

const evidenceOfDestination = (destination: AlertDestination) => ({
  dst_endpoint: {
    ip: destination.address,
    autonomous_system: { number: destination.asn, name: destination.name },
  },
  data: {
    category: destination.category,
    outPackets: destination.outPackets,
    returnPackets: destination.returnPackets,
  },
});

/**
 * The actor is who logged in, the process's own user whom it acts as. A process has a pid
 * (https://schema.ocsf.io/objects/process): one without is data.
 */
function evidenceOfProcess(facts: ProcessFacts) {
  const { pid, parentPid, parentExecutable, user, loginUser } = facts;
  const parent = { pid: parentPid, ...programOf(parentExecutable) };
  const process = {
    pid,
    cmd_line: commandOf(facts),
    ...programOf(facts.executable),
    user: user === undefined ? undefined : { name: user },
    parent_process: parentPid === undefined ? undefined : parent,
  };
  return {
    process: pid === undefined ? undefined : process,
    actor: loginUser === undefined ? undefined : { user: { name: loginUser } },
    data: facts,
  };
}

/** A regular file has type 1 (https://schema.ocsf.io/objects/file). */
function programOf(path: string | undefined) {
  if (path === undefined) return {};
  const name = path.slice(path.lastIndexOf('/') + 1) || path;
  return { name, file: { name, path, type_id: 1 } };
}

const commandOf = ({ command, arguments: words }: ProcessFacts): string | undefined =>
  command ?? words?.join(' ');

/** T1090.002 is a sub-technique of T1090. */
function attackOf(uid: string) {
  const [technique] = uid.split('.');
  return { technique: { uid: technique }, ...(technique === uid ? {} : { sub_technique: { uid } }) };
}

/** Slack's mrkdwn takes three escapes (https://api.slack.com/reference/surfaces/formatting): device text must not become markup. */
const escapeSlack = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** A section takes 3,000 characters (https://docs.slack.dev/reference/block-kit/blocks/section-block). */
const MAX_SLACK_TEXT = 3000;
const MAX_SLACK_TITLE = 200;

const cut = (text: string, length: number) =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;

/**
 * Text of strangers must neither begin lines of its own nor turn the direction of what follows: C0, C1, line and paragraph
 * separators, and the controls of bidirectional text (Unicode UAX #9) become blanks.
 */
const plain = (text: string) =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, ' ');

function slack(alert: Alert) {
  const state = alert.status === 'closed' ? alert.status : alert.severity;
  const title = plain(`${state.toUpperCase()}: ${alert.title}`);
  const header = escapeSlack(cut(title, MAX_SLACK_TITLE));
  const link = alert.link ? `\n<${alert.link}|Open in Postern>` : '';
  // What is shortened is the narrative, never the link.
  const room = MAX_SLACK_TEXT - header.length - link.length - 3;
  const narrative = fitSlack(alert.narrative.split('\n').map(plain).join('\n'), room);
  const facts = alert.host === undefined ? '' : fitSlack(factsOf(alert).join('\n'), MAX_SLACK_TEXT);
  return {
    text: header,
    blocks: [
      {
        type: 'section',
        // Verbatim: names and addresses in the text become no links.
        text: { type: 'mrkdwn', text: `*${header}*\n${narrative}${link}`, verbatim: true },
      },
      // Plain, since a command is full of characters that would be markup.
      ...(facts ? [{ type: 'section', text: { type: 'plain_text', text: facts, emoji: false } }] : []),
    ],
  };
}

/** Escapes are at most five times as long as what they stand for, and none is cut. */
function fitSlack(text: string, room: number): string {
  const whole = escapeSlack(text);
  return whole.length <= room ? whole : escapeSlack(cut(text, Math.floor(room / 5)));
}

/** A line each, so that a long command leaves room for what comes after it. */
const MAX_FACT = 600;

/** Where, what, as whom, and what was seen in what order; what is not known is left out. */
function factsOf({ host, process = {}, stages }: HostAlert): string[] {
  const { executable, parentExecutable, user, loginUser, pid } = process;
  const as =
    loginUser === undefined || loginUser === user ? user : `${user ?? '?'}, logged in as ${loginUser}`;
  const by = parentExecutable === undefined ? '' : `, started by ${parentExecutable}`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Host', host],
    ['Process', executable && `${executable}${pid === undefined ? '' : ` (${pid})`}${by}`],
    ['Command', commandOf(process)],
    ['User', as],
    ...stages.map(({ name, at, detail }) => [`${at} ${name}`, detail] as const),
  ];
  return facts.flatMap(([what, text]) => (text ? [cut(plain(`${what}: ${text}`), MAX_FACT)] : []));
}

/** Events API v2; the routing key is added at sending, since it is a secret of the endpoint. */
function pagerduty(alert: Alert) {
  const component = processOf(alert)?.executable;
  return {
    event_action: alert.status === 'closed' ? 'resolve' : 'trigger',
    dedup_key: alert.dedupeKey.slice(0, 255),
    payload: {
      summary: cut(plain(`${alert.title}: ${alert.narrative}`), 1024),
      source: machineOf(alert),
      ...(component ? { component } : {}),
      severity: PAGERDUTY_SEVERITY[alert.severity],
      timestamp: alert.observedAt,
      class: alert.analytic,
      custom_details: alert,
    },
    ...(alert.link ? { links: [{ href: alert.link, text: 'Open in Postern' }] } : {}),
  };
}

/** What an endpoint signs with, and the token that its receiver asks for; stored sealed. */
export interface EndpointSecret {
  /** "whsec_" and base64. */
  readonly signing: string;
  /** Splunk's HEC token or PagerDuty's routing key. */
  readonly token?: string;
}

/** The stored body with what only the receiver may see: added at sending, so that no stored delivery holds a credential. */
export function withToken(
  format: Format,
  body: string,
  token: string | undefined,
): { body: string; headers: Record<string, string> } {
  if (token === undefined) return { body, headers: {} };
  if (format === 'splunk-hec') return { body, headers: { authorization: `Splunk ${token}` } };
  if (format === 'pagerduty')
    return { body: JSON.stringify({ routing_key: token, ...JSON.parse(body) }), headers: {} };
  return { body, headers: {} };
}

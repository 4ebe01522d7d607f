// Alert -> the body that an endpoint of each format takes
import type { Alert } from '../model/alert.ts';

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
        host: alert.device ?? alert.host,
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
  const isFirst = alert.revision === 1;
  return {
    class_uid: 2004,
    category_uid: 2,
    activity_id: isFirst ? 1 : 2,
    type_uid: 200_400 + (isFirst ? 1 : 2),
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
    device: alert.device ? { hostname: alert.device, type_id: 0 } : undefined,
    evidences: alert.destinations.map((destination) => ({
      dst_endpoint: {
        ip: destination.address,
        autonomous_system: { number: destination.asn, name: destination.name },
      },
      data: {
        category: destination.category,
        outPackets: destination.outPackets,
        returnPackets: destination.returnPackets,
      },
    })),
    unmapped: { alert },
  };
}

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

function slack(alert: Alert) {
  const header = escapeSlack(cut(`${alert.severity.toUpperCase()}: ${alert.title}`, MAX_SLACK_TITLE));
  const link = alert.link ? `\n<${alert.link}|Open in Postern>` : '';
  // Escapes are at most five times as long as what they stand for: what is shortened is the narrative, never an escape or the link.
  const room = MAX_SLACK_TEXT - header.length - link.length - 3;
  const whole = escapeSlack(alert.narrative);
  const narrative = whole.length <= room ? whole : escapeSlack(cut(alert.narrative, Math.floor(room / 5)));
  return {
    text: header,
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text: `*${header}*\n${narrative}${link}` } }],
  };
}

/** Events API v2; the routing key is added at sending, since it is a secret of the endpoint. */
function pagerduty(alert: Alert) {
  return {
    event_action: alert.status === 'closed' ? 'resolve' : 'trigger',
    dedup_key: alert.dedupeKey.slice(0, 255),
    payload: {
      summary: `${alert.title}: ${alert.narrative}`.slice(0, 1024),
      source: alert.device ?? alert.host ?? 'postern',
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

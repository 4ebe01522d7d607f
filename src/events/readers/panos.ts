// PAN-OS TRAFFIC, CONFIG and SYSTEM logs: comma-separated ("Syslog Field Descriptions", 10.2)
import { addressText, portNumber, protocolName, type Reader, type Reading } from './reader.ts';

const START = /^\d{1,10},\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d,\w{0,40},(TRAFFIC|CONFIG|SYSTEM),/;
const MAX_LENGTH = 8192;
const MAX_FIELDS = 64;
/** Field numbers; CONFIG's path follows the result. */
const TRAFFIC = {
  source: 7,
  destination: 8,
  user: 12,
  sourcePort: 24,
  destinationPort: 25,
  protocol: 29,
  action: 30,
};
const CONFIG = { host: 7, command: 9, admin: 10, result: 12, path: 13 };

export const panos: Reader = {
  knows: () => true,
  readerFor: () => (message) => {
    const match = message.charCodeAt(0) <= 0x39 ? START.exec(message) : null;
    if (!match) return undefined;
    const fields = csv(message.slice(0, MAX_LENGTH));
    if (match[1] === 'SYSTEM') return system(fields);
    return match[1] === 'TRAFFIC' ? traffic(fields) : config(fields);
  },
};

function traffic(fields: readonly string[]): Reading {
  const action = fields[TRAFFIC.action] || fields[4];
  return {
    kind: /^(?:allow|start|end)$/.test(action) ? 'firewall-accept' : 'firewall-drop',
    action,
    user: fields[TRAFFIC.user] || undefined,
    sourceAddress: addressText(fields[TRAFFIC.source]),
    destinationAddress: addressText(fields[TRAFFIC.destination]),
    sourcePort: portNumber(fields[TRAFFIC.sourcePort]),
    destinationPort: portNumber(fields[TRAFFIC.destinationPort]),
    protocol: protocolName(fields[TRAFFIC.protocol]),
  };
}

function config(fields: readonly string[]): Reading {
  const command = fields[CONFIG.command];
  const path = fields[CONFIG.path] ?? '';
  const isDone = /^(?:Succeeded|Submitted)$/i.test(fields[CONFIG.result] ?? '');
  return {
    kind: isDone ? 'config-changed' : 'command',
    action: command || undefined,
    user: fields[CONFIG.admin] || undefined,
    sourceAddress: addressText(fields[CONFIG.host]),
    command: `${command} ${path}`.trim() || undefined,
  };
}

/** "routed-BGP-peer-left-established"; "path-monitor-failure" takes a static route away. */
const ROUTES = /^(?:routed-(?:BGP|OSPF|OSPFv3|RIP)-|path-monitor-|routed-.{1,40}-route)/i;

function system(fields: readonly string[]): Reading | undefined {
  const [subtype, event] = [fields[4], fields[8] ?? ''];
  if (subtype === 'routing' && ROUTES.test(event))
    return { kind: 'route-changed', action: event.slice(0, 100) };
  return undefined;
}

/** RFC 4180: a field in quotes may hold commas, and quotes doubled. */
function csv(text: string): string[] {
  const fields: string[] = [];
  for (let at = 0; at <= text.length && fields.length < MAX_FIELDS; ) {
    if (text[at] !== '"') {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      fields.push(text.slice(at, end));
      at = end + 1;
      continue;
    }
    let close = text.indexOf('"', at + 1);
    while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
    const end = close < 0 ? text.length : close;
    fields.push(text.slice(at + 1, end).replaceAll('""', '"'));
    const comma = text.indexOf(',', end);
    at = comma < 0 ? text.length + 1 : comma + 1;
  }
  return fields;
}

// FortiOS: key=value lines ("FortiOS Log Message Reference")
import { readFields } from '../fields.ts';
import { addressText, portNumber, protocolName, type Reader, type Reading } from './reader.ts';

const START =
  /^(?:(?:logver|timestamp|tz|devname|devid)=\S{1,80} ){0,6}date=\d{4}-\d\d-\d\d time=\d\d:\d\d:\d\d /;
const MAX_LENGTH = 8192;

export const fortios: Reader = {
  knows: () => true,
  readerFor: () => (message) => {
    if (!message.includes('date=') || !START.test(message)) return undefined;
    const fields = readFields(message.slice(0, MAX_LENGTH));
    const reading = readFortios(fields);
    const at = eventTime(fields.get('eventtime'));
    if (!reading) return undefined;
    // Its header names no host, and a relay may have sent it.
    const host = fields.get('devname') || undefined;
    return { ...reading, ...(host && { host }), ...(at !== undefined && { observedAtMs: at }) };
  },
};

function readFortios(fields: ReadonlyMap<string, string>): Reading | undefined {
  const identity = (fields.get('logid') ?? '').slice(-5);
  const user = fields.get('user') || undefined;
  const action = fields.get('action') || undefined;
  if (fields.get('type') === 'traffic') {
    const isDenied = action === 'deny' || action === 'blocked';
    return {
      kind: isDenied ? 'firewall-drop' : FAILED.has(action ?? '') ? 'other' : 'firewall-accept',
      action,
      user,
      sourceAddress: addressText(fields.get('srcip')),
      sourcePort: portNumber(fields.get('srcport')),
      destinationAddress: addressText(fields.get('dstip')),
      destinationPort: portNumber(fields.get('dstport')),
      protocol: protocolName(fields.get('proto')),
    };
  }
  // Where the administrator sits: ui="GUI(192.0.2.9)", "ssh(192.0.2.9)", "jsconsole".
  const sourceAddress = addressText(
    fields.get('srcip') ?? /\(([0-9A-Fa-f.:]{2,45})\)/.exec(fields.get('ui') ?? '')?.[1],
  );
  if (CHANGES.has(identity)) {
    const what = [action, fields.get('cfgpath'), fields.get('cfgobj'), fields.get('cfgattr')];
    return {
      kind: 'config-changed',
      user,
      sourceAddress,
      action,
      command: what.filter(Boolean).join(' ') || undefined,
    };
  }
  if (ROUTING.test(fields.get('subtype') ?? '') || ROUTES.test(fields.get('logdesc') ?? ''))
    return { kind: 'route-changed', action: (fields.get('logdesc') ?? action)?.slice(0, 100) };
  if (identity === '32001') return { kind: 'login-accepted', user, sourceAddress };
  if (identity === '32002') return { kind: 'login-failed', user, sourceAddress };
  return undefined;
}

const ROUTING = /^router$/;
/** "BGP neighbor status changed", "Static route is removed" where a link monitor does that. */
const ROUTES =
  /\b(?:BGP|OSPF|RIP|IS-IS|ISIS) neighbor|[Rr]oute (?:is )?(?:added|removed|changed)|^Routing information changed/;

/** Object, attribute and object attribute configured. */
const CHANGES: ReadonlySet<string> = new Set(['44545', '44546', '44547']);
/** Passed, but nobody answered. */
const FAILED: ReadonlySet<string> = new Set(['ip-conn', 'dns', 'timeout']);

/** Seconds in old versions, nanoseconds since 6.2. */
function eventTime(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d{10}|\d{13}|\d{16}|\d{19})$/.test(text)) return undefined;
  return Number(text.padEnd(13, '0').slice(0, 13));
}

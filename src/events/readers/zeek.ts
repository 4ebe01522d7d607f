// Zeek conn.log as JSON (base/protocols/conn; LogAscii::use_json) -> a connection and its state
import { addressText, portNumber, protocolName, type Reading } from './reader.ts';
import { type Fields, isoOf, secondsOf, textOf } from './values.ts';

/** `action` is conn_state: S0, REJ, SF and so on. For ICMP the ports are type and code, and no ports. */
export function zeekReading(fields: Fields): Reading | undefined {
  const source = addressText(textOf(fields['id.orig_h']));
  const destination = addressText(textOf(fields['id.resp_h']));
  const action = textOf(fields.conn_state);
  if (source === undefined || destination === undefined || !/^[A-Z\d]{2,6}$/.test(action ?? ''))
    return undefined;
  const protocol = protocolName(textOf(fields.proto));
  const hasPorts = protocol !== 'icmp';
  return {
    kind: 'connect',
    program: 'zeek',
    action,
    observedAtMs: secondsOf(fields.ts) ?? isoOf(fields.ts),
    sourceAddress: source,
    sourcePort: hasPorts ? portNumber(textOf(fields['id.orig_p'])) : undefined,
    destinationAddress: destination,
    destinationPort: hasPorts ? portNumber(textOf(fields['id.resp_p'])) : undefined,
    // Zeek calls both versions icmp.
    protocol: protocol === 'icmp' && source.includes(':') ? 'icmpv6' : protocol,
  };
}

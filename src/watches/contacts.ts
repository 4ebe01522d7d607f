// log lines about packets toward a host -> contacts: who tried which port, and what became of it
import { type Event, happenedAt } from '../model/event.ts';
import type { Contact, ContactOutcome, Host } from '../model/host.ts';

/** Zeek's conn_state (base/protocols/conn): what a connection looked like to who watched the wire. */
const ZEEK_OUTCOMES: Readonly<Record<string, ContactOutcome>> = {
  S0: 'unanswered',
  SH: 'unanswered',
  REJ: 'refused',
  RSTOS0: 'refused',
  RSTRH: 'refused',
  S1: 'established',
  S2: 'established',
  S3: 'established',
  SF: 'established',
  RSTO: 'established',
  RSTR: 'established',
};

/** Undefined for events that are about no packet toward the host. */
export function contactOf(event: Event, host: Host): Contact | undefined {
  const outcome = outcomeOf(event);
  const { sourceAddress, destinationAddress } = event;
  if (outcome === undefined || sourceAddress === undefined) return undefined;
  const isOwn = event.origin === host.name;
  const destination = destinationAddress ?? (isOwn ? host.addresses[0] : undefined);
  if (destination === undefined || host.addresses.includes(sourceAddress)) return undefined;
  // The host's own filter may see an address that it is translated to; others' lines must name one that is known.
  if (!isOwn && !host.addresses.includes(destination)) return undefined;
  return {
    atMs: happenedAt(event),
    source: sourceAddress,
    sourcePort: event.sourcePort,
    destination,
    port: event.destinationPort,
    protocol: event.protocol ?? 'tcp',
    outcome,
    seenBy: event.program === 'zeek' ? 'zeek' : isOwn ? 'host-log' : 'device-log',
    packets: 1,
    raw: event.raw,
  };
}

function outcomeOf(event: Event): ContactOutcome | undefined {
  switch (event.kind) {
    case 'firewall-drop':
      return 'dropped';
    case 'firewall-accept':
      return 'accepted';
    case 'firewall-packet':
      return 'unknown';
    case 'connect':
      return event.program === 'zeek' ? ZEEK_OUTCOMES[event.action ?? ''] : undefined;
    default:
      return undefined;
  }
}

/** In order of time; of equal times in the order given. */
export const byTime = (contacts: readonly Contact[]): Contact[] =>
  [...contacts].sort((a, b) => a.atMs - b.atMs);

// pf: filterlog of pfSense and OPNsense ("Raw Filter Log Format"), and what tcpdump prints of pflog0
import type { EventKind } from '../../model/event.ts';
import { addressText, portNumber, protocolName, type Reader, type Reading, tableReader } from './reader.ts';

const KINDS: Readonly<Record<string, EventKind>> = {
  block: 'firewall-drop',
  reject: 'firewall-drop',
  pass: 'firewall-accept',
  nat: 'firewall-accept',
  rdr: 'firewall-accept',
  binat: 'firewall-accept',
};

const PFLOG =
  /\brule \S{1,60} (?:\[[^\]]{0,80}\] )?(?<action>block|pass|match) (?:in|out) on \S{1,30}: (?:\([^)]{0,300}\) )?(?:IP6? )?(?<source>\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]{2,40})(?:\.(?<sourcePort>\d{1,5}))? > (?<destination>\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]{2,40})(?:\.(?<destinationPort>\d{1,5}))?: (?<rest>.{0,80})/;

const pflog = tableReader([
  {
    program: /^(?:pf|pflog|pflogd|tcpdump|logger|)$/,
    pattern: PFLOG,
    kind: (_command, { action }) => KINDS[action ?? ''] ?? 'firewall-packet',
  },
]);

export const pf: Reader = {
  knows: (program) => program === 'filterlog' || pflog.knows(program),
  readerFor: (program) => {
    if (program === 'filterlog') return readFilterlog;
    const table = pflog.readerFor(program);
    return (message, name, line) => {
      const reading = message.includes('rule ') ? table(message, name, line) : undefined;
      return reading && { ...reading, protocol: protocolOf(PFLOG.exec(message)?.groups?.rest ?? '') };
    };
  },
};

function protocolOf(rest: string): string | undefined {
  if (rest.startsWith('Flags [') || /^[SFPRWE.]{1,6} /.test(rest)) return 'tcp';
  if (/^ICMP6\b|^icmp6\b/.test(rest)) return 'icmpv6';
  if (/^ICMP\b|^icmp\b/.test(rest)) return 'icmp';
  return /^UDP\b|^udp\b|^\d{1,5}[+*%-]* /.test(rest) ? 'udp' : undefined;
}

/** rule,subrule,anchor,tracker,interface,reason,action,direction,version, then by the version of IP. */
function readFilterlog(message: string): Reading | undefined {
  const fields = message.slice(0, 2048).split(',');
  const [action, version] = [fields[6], fields[8]];
  const kind = KINDS[action];
  const at = { 4: { protocol: 16, source: 18 }, 6: { protocol: 12, source: 15 } }[Number(version)];
  if (kind === undefined || at === undefined) return undefined;
  const source = addressText(fields[at.source]);
  const protocol = protocolName(fields[at.protocol]) ?? '';
  if (source === undefined) return undefined;
  const hasPorts = protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp';
  return {
    kind,
    action,
    sourceAddress: source,
    destinationAddress: addressText(fields[at.source + 1]),
    protocol: protocol || undefined,
    sourcePort: hasPorts ? portNumber(fields[at.source + 2]) : undefined,
    destinationPort: hasPorts ? portNumber(fields[at.source + 3]) : undefined,
  };
}

// packets that netfilter logs: iptables LOG, nft log, ufw, firewalld, Shorewall, ulogd (Linux net/netfilter/nf_log_syslog.c)
import type { EventKind } from '../../model/event.ts';
import { addressText, portNumber, protocolName, type Reader } from './reader.ts';

const MAX_LENGTH = 2048;
const SPACE = 0x20;
/** The rule's prefix says what becomes of the packet, if anything does. */
const DROP = /(?:DROP|REJECT|BLOCK|DEN(?:Y|IED)|DISCARD|INVALID)/i;
const ACCEPT = /(?:ACCEPT|ALLOW|PASS|PERMIT)/i;

/** A prefix may stand for the program where nobody wrote "kernel:"; so any program, and the fields decide. */
export const netfilter: Reader = {
  knows: () => true,
  readerFor: () => (message, program) => {
    const start = message.indexOf('IN=');
    if (start < 0 || start > 200 || !isFieldStart(message, start)) return undefined;
    // An ICMP error holds the packet that it is about: [SRC=... ]
    const inner = message.indexOf('[SRC=', start);
    const end = Math.min(inner < 0 ? message.length : inner, start + MAX_LENGTH);
    const fields = message.slice(start, end);
    const source = addressText(field(fields, 'SRC='));
    const destination = addressText(field(fields, 'DST='));
    if (source === undefined || destination === undefined || field(fields, 'OUT=') === undefined)
      return undefined;
    const prefix = `${program === 'kernel' ? '' : program} ${message.slice(0, start)}`;
    return {
      kind: kindOf(prefix),
      sourceAddress: source,
      destinationAddress: destination,
      sourcePort: portNumber(field(fields, 'SPT=')),
      destinationPort: portNumber(field(fields, 'DPT=')),
      protocol: protocolName(field(fields, 'PROTO=')),
      action: (DROP.exec(prefix) ?? ACCEPT.exec(prefix) ?? /AUDIT/i.exec(prefix))?.[0],
    };
  },
};

/** "[UFW BLOCK]IN=" is glued, "MAIN=" is another word. */
const isFieldStart = (message: string, at: number) => at === 0 || !/[A-Za-z0-9_=]/.test(message[at - 1]);

function kindOf(prefix: string): EventKind {
  if (DROP.test(prefix)) return 'firewall-drop';
  return ACCEPT.test(prefix) ? 'firewall-accept' : 'firewall-packet';
}

/** The first of its name, given with the equals sign: LEN and ID come again for UDP and ICMP. */
function field(text: string, name: string): string | undefined {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (at > 0 && text.charCodeAt(at - 1) !== SPACE) continue;
    const end = text.indexOf(' ', at);
    return text.slice(at + name.length, end < 0 ? text.length : end);
  }
  return undefined;
}

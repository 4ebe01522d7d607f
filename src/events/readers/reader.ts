// what a reader is: the lines of one program that mean something, as a table
import { formatAddress, parseAddress } from '../../model/addresses.ts';
import type { Event, EventKind } from '../../model/event.ts';

/** What a message says; `observedAtMs`, `host` and `program` where the message itself states them, better than the header. */
export type Reading = { readonly kind: EventKind } & Partial<
  Omit<Event, 'kind' | 'receivedAtMs' | 'sender' | 'severity' | 'facility' | 'message' | 'raw'>
>;

export interface Row {
  /** Of the whole name; '' where the line names none. */
  readonly program: RegExp;
  /**
   * Named groups that are taken over: user, source, sourcePort, destination, destinationPort, protocol, action, command, unit,
   * executable, pid, effectiveUser, tty.
   */
  readonly pattern: RegExp;
  /** A kind, or what the command says, or what the groups say. */
  readonly kind: EventKind | ((command: string, groups: Groups) => EventKind);
}

export type Groups = Readonly<Record<string, string | undefined>>;

/** `line` is the whole line without control characters; `message` what stands behind its header. */
export type Read = (message: string, program: string, line: string) => Reading | undefined;

export interface Reader {
  /** Whether the program's lines are this reader's; cheap, its answer is remembered. '' for a line that names no program. */
  readonly knows: (program: string) => boolean;
  /** What is left to try for a program that it knows. */
  readonly readerFor: (program: string) => Read;
}

/** The longest message that patterns are tried on; longer ones are cut for that. */
const MAX_LENGTH = 8192;

/** The first row that fits. */
export function tableReader(rows: readonly Row[]): Reader {
  return {
    knows: (program) => rows.some((row) => row.program.test(program)),
    readerFor: (program) => {
      const own = rows.filter((row) => row.program.test(program));
      return (message) => {
        const text = message.length > MAX_LENGTH ? message.slice(0, MAX_LENGTH) : message;
        for (const { pattern, kind } of own) {
          const match = pattern.exec(text);
          if (match) return readingOf(kind, match.groups ?? {});
        }
        return undefined;
      };
    },
  };
}

function readingOf(kind: Row['kind'], groups: Groups): Reading {
  return {
    kind: typeof kind === 'string' ? kind : kind(groups.command ?? '', groups),
    user: groups.user || undefined,
    sourceAddress: sourceText(groups.source),
    command: groups.command?.trim() || undefined,
    destinationAddress: addressText(groups.destination),
    sourcePort: portNumber(groups.sourcePort),
    destinationPort: portNumber(groups.destinationPort),
    protocol: protocolName(groups.protocol),
    action: groups.action || undefined,
    unit: groups.unit || undefined,
    executable: groups.executable || undefined,
    effectiveUser: groups.effectiveUser || undefined,
    tty: groups.tty || undefined,
    pid: groups.pid === undefined ? undefined : Number(groups.pid),
  };
}

/** In the one form that other lines have too: without a zone, IPv4 as itself. A name stays one. */
function sourceText(text: string | undefined): string | undefined {
  if (!text || V4.test(text)) return text || undefined;
  const zone = text.indexOf('%');
  const address = zone < 0 ? text : text.slice(0, zone);
  return addressText(address.replace(/^::ffff:(?=\d{1,3}\.)/i, '')) ?? text;
}

const V4 = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/;

/** Its one form; undefined for what is no address. */
export function addressText(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text.length > 45) return undefined;
  try {
    const address = parseAddress(text);
    return V4.test(text) ? text : formatAddress(address);
  } catch {
    return undefined;
  }
}

export function portNumber(text: string | undefined): number | undefined {
  const port = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : 65_536;
  return port < 65_536 ? port : undefined;
}

/** IANA protocol numbers of what firewalls log. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  1: 'icmp',
  2: 'igmp',
  6: 'tcp',
  17: 'udp',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'icmpv6',
  89: 'ospf',
  132: 'sctp',
  'ipv6-icmp': 'icmpv6',
};

/** Of a name or a number; undefined for what is neither. */
export function protocolName(text: string | undefined): string | undefined {
  if (!text || !/^[\w-]{1,20}$/.test(text)) return undefined;
  const name = text.toLowerCase();
  return PROTOCOLS[name] ?? name;
}

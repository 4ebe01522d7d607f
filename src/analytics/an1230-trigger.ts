// an event of a host -> whether it opens a question of AN1230, and under which key
import { type AddressSet, hasAddress, parseAddress } from '../model/addresses.ts';
import type { Event } from '../model/event.ts';
import type { Host } from '../model/host.ts';
import { DEFAULT_INTERNAL } from '../model/site.ts';
import type { An1230Parameters } from './an1230.ts';
import type { Triggered } from './definition.ts';
import {
  endpointText,
  isBareShell,
  isShell,
  isTunnelTool,
  readTunnels,
  readTunnelText,
  type TunnelUse,
  toolName,
} from './tunnel-command.ts';

/** What an event was taken for. */
export type Suspect =
  /** A command line that makes a tunnel. */
  | { readonly kind: 'use'; readonly uses: readonly TunnelUse[] }
  /** A shell without a terminal that reads its input. */
  | { readonly kind: 'shell' }
  /** A shell, or a program of a temporary folder, connected outside by itself. */
  | { readonly kind: 'connection' }
  /** ssh took a port that its command line does not name; sshd one for its client; a temporary program one for itself. */
  | { readonly kind: 'listener' }
  | { readonly kind: 'pattern'; readonly pattern: string };

/** A program where anybody can put one, or hidden in a home. */
export const isTemporary = (executable: string | undefined): boolean =>
  executable !== undefined &&
  /^(?:\/tmp|\/var\/tmp|\/dev\/shm|\/run\/user|\/run\/shm)\/|^memfd:|^\/memfd:/.test(executable);

export function triggered(event: Event, _host: Host, p: An1230Parameters): Triggered | undefined {
  const suspect = suspectOf(event, p);
  if (!suspect) return undefined;
  // Whoever logged in, whatever he became since: sudo's line, its execution and the tool's are one use.
  const user = event.loginUser ?? event.user ?? event.effectiveUser ?? '';
  const key = `${keyOf(suspect, event)}|${user}`.slice(0, 200);
  const kind =
    event.kind === 'listen' ? 'listener' : event.kind === 'firewall-changed' ? 'firewall-change' : 'process';
  return { kind, key, detail: detailOf(suspect, event) };
}

/** Cheap for what it is mostly given: an execution of something else, or a connection by something else. */
export function suspectOf(event: Event, p: An1230Parameters): Suspect | undefined {
  if (event.program === 'zeek') return undefined;
  const uses = usesOf(event);
  if (uses.length > 0) return { kind: 'use', uses };
  if (event.kind === 'connect') return isLoneConnection(event, p) ? { kind: 'connection' } : undefined;
  if (event.kind === 'listen') return isLoneListener(event) ? { kind: 'listener' } : undefined;
  const words = wordsOf(event);
  if (words && isShellOnInput(event, words)) return { kind: 'shell' };
  const pattern = p.CommandLinePattern.find((one) =>
    fitsPattern(one, words ?? (event.command ?? '').split(/\s+/, 256)),
  );
  return pattern === undefined ? undefined : { kind: 'pattern', pattern };
}

const wordsOf = (event: Event) =>
  event.arguments && event.arguments.length > 0 ? event.arguments : undefined;

/** Tunnels of its command line; mere jumps, redirections inside and remote commands are none. */
export function usesOf(event: Event): TunnelUse[] {
  const words = wordsOf(event);
  if (!words && event.command === undefined) return [];
  // A connection's or listener's line is only looked at where its program is one of these tools.
  const isSocket = event.kind === 'connect' || event.kind === 'listen';
  if (isSocket && !isTunnelTool(toolName(event.executable ?? '')) && !isTemporary(event.executable))
    return [];
  const uses = words ? readTunnels(words, event.executable) : readTunnelText(event.command!);
  return uses.filter((use) => {
    if (use.mode === 'jump') return false;
    return (
      (use.mode !== 'redirect' && use.tool !== 'systemd-socket-proxyd') ||
      (use.leadsTo !== undefined && isOutsideAddress(use.leadsTo.host, DEFAULT_INTERNAL))
    );
  });
}

/** An address, and none of the internal or special ones. */
export function isOutsideAddress(text: string, internal: AddressSet): boolean {
  let address: number | bigint;
  try {
    address = parseAddress(text);
  } catch {
    return false;
  }
  if (hasAddress(internal, address) || hasAddress(DEFAULT_INTERNAL, address)) return false;
  // This host, multicast, broadcast (RFC 6890); the same of IPv6.
  if (typeof address === 'number') return address >= 0x0100_0000 && address < 0xe000_0000;
  return address > 1n && address >> 120n !== 0xffn;
}

export function isUncommonPort(port: number | undefined, p: An1230Parameters): boolean {
  const within = (range: string) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
    return match !== null && port! >= Number(match[1]) && port! <= Number(match[2] ?? match[1]);
  };
  return port !== undefined && p.OutboundPortRange.some(within) && !p.UsualPorts.some(within);
}

function isLoneConnection(event: Event, p: An1230Parameters): boolean {
  const { executable, destinationAddress, destinationPort } = event;
  // Port 53 and what logs are sent by are no tunnels of a shell.
  if (executable === undefined || destinationAddress === undefined || destinationPort === 53) return false;
  if (isShell(executable)) return destinationAddress !== '127.0.0.1' && destinationAddress !== '::1';
  return (
    isTemporary(executable) &&
    isOutsideAddress(destinationAddress, DEFAULT_INTERNAL) &&
    (isUncommonPort(destinationPort, p) || event.loginUser === undefined)
  );
}

function isLoneListener(event: Event): boolean {
  const { executable, destinationPort: port } = event;
  if (executable === undefined || port === undefined) return false;
  const name = toolName(executable);
  if (name === 'ssh' || name === 'dbclient') return true;
  // X11 forwarding takes 6010 and up; without a login it is the daemon itself.
  if (/^sshd(?:-session)?$/.test(name)) return event.loginUser !== undefined && (port < 6000 || port > 6999);
  return isTemporary(executable) || isShell(executable);
}

/** `sh -i` without a terminal; or a shell on its standard input that nobody logged in for. */
function isShellOnInput(event: Event, words: readonly string[]): boolean {
  if (
    !isShell(event.executable ?? words[0]) ||
    !isBareShell([event.executable ?? words[0], ...words.slice(1)])
  )
    return false;
  if (event.tty !== undefined || !/\btty=\(none\)/.test(event.raw)) return false;
  return words.some((word) => /^-[a-z]{0,4}i/.test(word)) || event.loginUser === undefined;
}

/** Words of the pattern in this order among the words; linear for each word. */
export function fitsPattern(pattern: string, words: readonly string[]): boolean {
  const wanted = pattern.trim().split(/\s+/).slice(0, 20);
  let at = 0;
  for (const word of words.slice(0, 256)) {
    if (
      at < wanted.length &&
      fitsWord(wanted[at], at === 0 ? word.slice(word.lastIndexOf('/', 200) + 1) : word, word)
    )
      at++;
    if (at === wanted.length) return pattern.trim() !== '';
  }
  return false;
}

/** `*` as anything: the pieces between them, each found behind the one before. */
function fitsWord(pattern: string, short: string, whole: string): boolean {
  return glob(pattern, short.slice(0, 1000)) || glob(pattern, whole.slice(0, 1000));
}

function glob(pattern: string, word: string): boolean {
  const pieces = pattern.split('*').slice(0, 10);
  if (pieces.length === 1) return word === pattern;
  const last = pieces[pieces.length - 1];
  if (!word.startsWith(pieces[0]) || !word.endsWith(last) || word.length < pieces[0].length + last.length)
    return false;
  let at = pieces[0].length;
  for (const piece of pieces.slice(1, -1)) {
    const found = word.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= word.length - last.length;
}

function keyOf(suspect: Suspect, event: Event): string {
  switch (suspect.kind) {
    case 'use': {
      const [use] = suspect.uses;
      const to = use.via ?? use.leadsTo;
      const waits = use.listens?.port ?? use.listens?.path ?? '';
      return `${use.tool}|${use.mode}|${to ? endpointText(to) : waits}${use.via && use.leadsTo ? `|${endpointText(use.leadsTo)}` : ''}`;
    }
    case 'shell':
      return `shell|${event.parentPid ?? ''}`;
    case 'connection':
      return `connection|${toolName(event.executable ?? '')}|${event.destinationAddress}:${event.destinationPort}`;
    case 'listener':
      return `listener|${toolName(event.executable ?? '')}|${event.destinationPort}`;
    case 'pattern':
      return `pattern|${suspect.pattern}`;
  }
}

function detailOf(suspect: Suspect, event: Event): string {
  if (suspect.kind === 'use') return `${suspect.uses[0].mode}: ${suspect.uses[0].text}`;
  if (suspect.kind === 'connection')
    return `${event.executable} connects to ${event.destinationAddress} port ${event.destinationPort}`;
  if (suspect.kind === 'listener') return `${event.executable} listens on port ${event.destinationPort}`;
  return event.command ?? event.executable ?? event.message.slice(0, 200);
}

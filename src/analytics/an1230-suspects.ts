// a suspicious event and what happened beside it -> the tunnel that it makes, if any
import { type Event, happenedAt } from '../model/event.ts';
import type { HostEvidence } from '../model/host.ts';
import type { An1230Parameters } from './an1230.ts';
import { isTemporary, isUncommonPort, type Suspect, suspectOf } from './an1230-trigger.ts';
import { isBareShell, isShell, isTunnelTool, type TunnelUse, toolName } from './tunnel-command.ts';

const BESIDE_MS = 5000;
/** A connection stands before what is started upon it. */
export const CONNECT_BEFORE_MS = 120_000;

export interface Seen {
  readonly use: TunnelUse;
  readonly uses: readonly TunnelUse[];
  readonly shells: readonly Event[];
}

export function whatItIs(
  event: Event,
  suspect: Suspect,
  evidence: HostEvidence,
  p: An1230Parameters,
): Seen | undefined {
  const only = (use: TunnelUse | undefined, shells: readonly Event[] = []): Seen | undefined =>
    use && { use, uses: [use], shells };
  switch (suspect.kind) {
    case 'use': {
      const [use] = suspect.uses;
      if (use.mode !== 'pipe' && use.mode !== 'listener') return { use, uses: suspect.uses, shells: [] };
      const shells = shellsBeside(event, evidence);
      if (shells.length === 0) return { use, uses: suspect.uses, shells };
      return only(
        { ...use, mode: use.mode === 'pipe' ? 'reverse-shell' : 'bind-shell', runsShell: true },
        shells,
      );
    }
    case 'shell':
      return only(shellOn(event, evidence, p), [event]);
    case 'connection':
      return only(loneConnection(event, evidence));
    case 'listener':
      return only(loneListener(event, evidence));
    case 'pattern':
      return only({
        tool: toolName(event.executable ?? event.arguments?.[0] ?? ''),
        mode: 'relay',
        runsShell: false,
        text: event.command ?? '',
      });
  }
}

const hasTerminal = (event: Event) => event.tty !== undefined;
const isInteractive = (event: Event) => (event.arguments ?? []).some((word) => /^-[a-z]{0,4}i/.test(word));
const runsBareShell = (event: Event): boolean =>
  event.kind === 'command' && event.arguments !== undefined && isBareShell(event.arguments);

/** Of one pipeline: children of the same process within moments; or its own children. A shell of somebody's terminal is none. */
function shellsBeside(event: Event, evidence: HostEvidence): Event[] {
  const atMs = happenedAt(event);
  const near = (other: Event, ms: number) => Math.abs(happenedAt(other) - atMs) <= ms;
  const siblings = evidence.events.filter(
    (other) =>
      other.pid !== event.pid && event.parentPid !== undefined && other.parentPid === event.parentPid,
  );
  const hasFifo = siblings.some(
    (other) =>
      near(other, 12 * BESIDE_MS) &&
      /^(?:mkfifo|mknod)$/.test(toolName(other.executable ?? other.arguments?.[0] ?? '')),
  );
  const beside = siblings.filter(
    (other) =>
      runsBareShell(other) &&
      near(other, BESIDE_MS) &&
      (isInteractive(other) || !hasTerminal(other) || hasFifo),
  );
  const children = evidence.events.filter(
    (other) => event.pid !== undefined && other.parentPid === event.pid && runsBareShell(other),
  );
  return [...beside, ...children].slice(0, 5);
}

/** What the shell's input comes from: a connection that its process or its parent made, or a listener of its parent. */
function shellOn(event: Event, evidence: HostEvidence, p: An1230Parameters): TunnelUse | undefined {
  const parent = event.parentPid === undefined ? undefined : evidence.processes.get(event.parentPid);
  const parentName = toolName(parent?.executable ?? event.parentExecutable ?? '');
  if (/^(?:sshd|sshd-session|sshd-auth|login|cron|crond|systemd|su|sudo)$/.test(parentName)) return undefined;
  const parentUses = parent?.arguments ? (suspectUses(parent) ?? []) : [];
  // The command line of the parent, or of a neighbour in the pipeline, told it already.
  if (parentUses.some(({ runsShell }) => runsShell)) return undefined;
  const isBeside = (other: Event) =>
    other.parentPid === event.parentPid && Math.abs(happenedAt(other) - happenedAt(event)) <= BESIDE_MS;
  if (
    evidence.events.some(
      (other) => other.pid !== event.pid && isBeside(other) && suspectUses(other) !== undefined,
    )
  )
    return undefined;
  const pids = [event.pid, event.parentPid].filter((pid) => pid !== undefined);
  const connection = evidence.events.find(
    (other) =>
      other.kind === 'connect' &&
      pids.includes(other.pid ?? -1) &&
      isToOthers(other) &&
      isRecent(other, event) &&
      (other.pid === event.pid || handsOn(other, event, p)),
  );
  const base = {
    tool: parentName || toolName(connection?.executable ?? 'sh'),
    runsShell: true,
    text: parent?.command ?? event.command ?? '',
  };
  if (connection)
    return {
      ...base,
      mode: 'reverse-shell',
      leadsTo: { host: connection.destinationAddress!, port: connection.destinationPort },
    };
  const listener = evidence.events.find(
    (other) =>
      other.kind === 'listen' &&
      pids.includes(other.pid ?? -1) &&
      other.destinationPort !== undefined &&
      isRecent(other, event),
  );
  if (listener)
    return {
      ...base,
      mode: 'bind-shell',
      listens: { address: listener.destinationAddress, port: listener.destinationPort },
    };
  const [use] = parentUses;
  return use && (use.mode === 'pipe' || use.mode === 'listener')
    ? { ...use, mode: use.mode === 'pipe' ? 'reverse-shell' : 'bind-shell', runsShell: true }
    : undefined;
}

/** What runs builds also keeps a connection and starts shells: only what scripts and tools do, or the port, tells them apart. */
function handsOn(connection: Event, shell: Event, p: An1230Parameters): boolean {
  const { executable = '', destinationPort } = connection;
  if (isTunnelTool(toolName(executable)) || isShell(executable) || isTemporary(executable)) return true;
  return isInteractive(shell) || isUncommonPort(destinationPort, p);
}

/** Of a process that is asked about as a parent or neighbour. */
function suspectUses(event: Event): readonly TunnelUse[] | undefined {
  if (event.kind !== 'command') return undefined;
  const suspect = suspectOf(event, NO_PATTERNS);
  return suspect?.kind === 'use' ? suspect.uses : undefined;
}
const NO_PATTERNS = {
  CommandLinePattern: [],
  OutboundPortRange: [],
  UsualPorts: [],
} as unknown as An1230Parameters;

const isRecent = (other: Event, event: Event) => {
  const before = happenedAt(event) - happenedAt(other);
  return before >= -BESIDE_MS && before <= CONNECT_BEFORE_MS;
};

const isLoopback = (address: string): boolean => /^127\.|^::1$/.test(address);

/** Not to a name server, not to itself. */
export const isToOthers = (event: Event) =>
  event.destinationPort !== 53 &&
  event.destinationAddress !== undefined &&
  !/^127\.|^::1$|^0\.0\.0\.0$/.test(event.destinationAddress);

function loneConnection(event: Event, evidence: HostEvidence): TunnelUse | undefined {
  const executable = event.executable ?? '';
  const leadsTo = { host: event.destinationAddress!, port: event.destinationPort };
  const base = { tool: toolName(executable), leadsTo, text: event.command ?? executable };
  if (isShell(executable)) {
    const started = event.pid === undefined ? undefined : evidence.processes.get(event.pid);
    // A script that looks whether a port answers connects too; a shell that reads commands does not look.
    const reads =
      started !== undefined && runsBareShell(started) && (isInteractive(started) || !hasTerminal(started));
    return reads
      ? { ...base, mode: 'reverse-shell', runsShell: true }
      : { ...base, mode: 'pipe', runsShell: false };
  }
  const listener = evidence.events.find(
    (other) =>
      other.kind === 'listen' &&
      other.pid === event.pid &&
      other.destinationPort !== undefined &&
      !isLoopback(other.destinationAddress ?? ''),
  );
  return listener
    ? {
        ...base,
        mode: 'relay',
        runsShell: false,
        listens: { address: listener.destinationAddress, port: listener.destinationPort },
      }
    : { ...base, mode: 'pipe', runsShell: false };
}

function loneListener(event: Event, evidence: HostEvidence): TunnelUse {
  const name = toolName(event.executable ?? '');
  const listens = { address: event.destinationAddress, port: event.destinationPort };
  const base = { tool: name, listens, runsShell: false, text: event.command ?? event.executable ?? '' };
  if (/^sshd/.test(name)) return { ...base, tool: 'sshd', mode: 'remote-forward' };
  const connection = evidence.events.find(
    (other) =>
      other.kind === 'connect' && other.pid !== undefined && other.pid === event.pid && isToOthers(other),
  );
  const to = connection && { host: connection.destinationAddress!, port: connection.destinationPort };
  if (!isTemporary(event.executable) && !isShell(event.executable ?? ''))
    return { ...base, mode: 'local-forward', via: to };
  return to && !isLoopback(event.destinationAddress ?? '')
    ? { ...base, mode: 'relay', leadsTo: to }
    : { ...base, mode: 'listener' };
}

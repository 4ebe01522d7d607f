// an event of a host -> the change that a knock could have asked for: a filter that lets more in, a listener, a service
import { type AddressSet, addressSet, countAddresses, hasAddress, parseAddress } from '../model/addresses.ts';
import { type Event, happenedAt } from '../model/event.ts';
import type { HostTriggerKind } from '../model/host.ts';
import {
  type FirewallCommand,
  firewallCommandsOf,
  serviceActions,
  simpleCommands,
} from './firewall-command.ts';

/** What becomes possible: more for sure, more perhaps, only less, or it is not told. */
export type Opening = 'opens' | 'may-open' | 'closes' | 'not-told';

export interface HostChange {
  readonly kind: Extract<HostTriggerKind, 'firewall-change' | 'listener' | 'service-start'>;
  readonly atMs: number;
  readonly opening: Opening;
  readonly event: Event;
  /** Undefined where the event is not told by a command. */
  readonly commands: readonly FirewallCommand[];
  /** Destination ports that it opens or takes, as [first, last]. */
  readonly ports: readonly (readonly [number, number])[];
  /** Sources that it lets in, where it names few. */
  readonly sources: readonly AddressSet[];
  readonly text: string;
}

/** What is not worth reading word by word is left at this. */
const WORTH_READING =
  /tables|nft|ufw|firewall|pfctl|\bpf\b|pf\.|ipset|shorewall|csf|systemctl|launchctl|service|init\.d|rc-|systemsetup|sshd|telnet|dropbear|alf/i;
/** Daemons that let people in. */
const REMOTE_ACCESS =
  /^(?:com\.(?:openssh|apple)\.)?(?:ssh|sshd|openssh-server|openssh|dropbear|telnet|telnetd|in\.telnetd|utelnetd|xinetd|inetd|openbsd-inetd|rlogin|rsh|vncserver|tigervncserver|x11vnc|screensharing|xrdp|teleport|ssh-proxy)(?:@.{0,60})?$/;
const DAEMON = /^(?:sshd|dropbear|telnetd|in\.telnetd|utelnetd|busybox-telnetd)$/;
const OPENS: ReadonlySet<string> = new Set([
  'opens',
  'redirects',
  'accepts-by-default',
  'flushes',
  'disables',
  'stops',
]);
const MAY_OPEN: ReadonlySet<string> = new Set([
  'adds',
  'removes',
  'replaces',
  'loads-file',
  'reloads',
  'restarts',
  'enables',
  'starts',
]);
const BAN_SET =
  /(?:^|[-_.])(?:f2b|fail2ban|ban|banned|block|blocked|blocklist|black|blacklist|deny|drop|crowdsec)/i;
/** UDP ports from here on are taken by whoever asks something. */
const EPHEMERAL = 32_768;
/** Names of services that filters' rules use. */
const NAMES: Readonly<Record<string, number>> = {
  ssh: 22,
  openssh: 22,
  telnet: 23,
  ftp: 21,
  http: 80,
  https: 443,
  'vnc-server': 5900,
  rdp: 3389,
  'ms-wbt-server': 3389,
};

/** Undefined for an event that changes neither filter nor listeners, or only elsewhere (another namespace). */
export function changeOf(event: Event, isServicePort: (port: number) => boolean): HostChange | undefined {
  const base = { atMs: happenedAt(event), event, commands: [], ports: [], sources: [] };
  switch (event.kind) {
    case 'listen':
      return listenerOf(event, base, isServicePort);
    case 'service-started': {
      const unit = event.unit ?? '';
      if (!isRemoteAccess(unit)) return undefined;
      return { ...base, kind: 'service-start', opening: 'opens', text: `service ${unit} started` };
    }
    case 'firewall-changed':
    case 'command':
      return commandChange(event, base);
    default:
      return undefined;
  }
}

const isRemoteAccess = (unit: string): boolean =>
  /\.socket$/.test(unit) || REMOTE_ACCESS.test(unit.replace(/\.(?:service|plist)$/, ''));

type Base = Pick<HostChange, 'atMs' | 'event' | 'commands' | 'ports' | 'sources'>;

function listenerOf(
  event: Event,
  base: Base,
  isServicePort: (port: number) => boolean,
): HostChange | undefined {
  const { destinationPort: port, destinationAddress: address, protocol = 'tcp' } = event;
  // systemd says which unit it listens for, not where.
  if (!port && event.unit?.endsWith('.socket'))
    return { ...base, kind: 'service-start', opening: 'opens', text: `${event.unit} listens` };
  if (!port || /^(?:127\.|::1$)/.test(address ?? '')) return undefined;
  if (protocol === 'udp' && port >= EPHEMERAL && !isServicePort(port)) return undefined;
  const who = event.executable ? ` by ${event.executable}` : '';
  return {
    ...base,
    kind: 'listener',
    opening: 'opens',
    ports: [[port, port]],
    text: `${protocol}/${port} taken${who}`,
  };
}

function commandChange(event: Event, base: Base): HostChange | undefined {
  const words = event.arguments?.join(' ') ?? event.command ?? '';
  const commands = WORTH_READING.test(words)
    ? firewallCommandsOf(event).filter((one) => one.namespace === undefined && !one.isPermanentOnly)
    : [];
  const text = (event.command ?? event.message).slice(0, 300);
  const openings = commands.map(openingOf);
  const opening = (['opens', 'may-open', 'closes'] as const).find((one) => openings.includes(one));
  if (opening) {
    const lets = commands.filter((one) => openingOf(one) === opening);
    return {
      ...base,
      kind: 'firewall-change',
      opening,
      commands,
      ports: lets.flatMap(({ ports = [] }) => ports.flatMap(portRange)),
      sources: lets.flatMap((one) => sourcesOf(one, words).flatMap(fewAddresses)),
      text,
    };
  }
  const started = WORTH_READING.test(words) ? startedBy(event) : undefined;
  if (started) return { ...base, kind: 'service-start', opening: 'opens', ...started, text };
  // Looking on is no change, whatever its words look like; what the kernel or the daemon told without a command is one.
  const isTold = isCommit(event) || (event.command === undefined && event.arguments === undefined);
  if (event.kind !== 'firewall-changed' || !isTold) return undefined;
  return { ...base, kind: 'firewall-change', opening: toldOpening(event), text };
}

/** NETFILTER_CFG: its first generation has no `op`. */
export const isCommit = ({ action, entryCount }: Event): boolean =>
  entryCount !== undefined || /^(?:xt|nft)_/.test(action ?? '');

/** Sets' elements, rich rules and what pfctl is fed name theirs in text of their own. */
function sourcesOf({ sources, object, tool, text, file }: FirewallCommand, words: string): readonly string[] {
  if (sources && sources.length > 0) return sources;
  if (object !== 'element' && tool !== 'firewall-cmd' && !(tool === 'pfctl' && file === '-')) return [];
  const all = (file === '-' ? words : text).slice(0, 2000).split(/[^0-9A-Fa-f.:/]+/);
  return all.filter((word) =>
    /^\d{1,3}(?:\.\d{1,3}){3}(?:\/\d+)?$|^[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f]*(?:\/\d+)?$/.test(word),
  );
}

function toldOpening({ action = '' }: Event): Opening {
  if (/^(?:add(?:Port|Service|RichRule|Rule|SourcePort|ForwardPort|Source|Interface))/.test(action))
    return 'opens';
  if (/^(?:Stopping|Stopped|disablePanic)/.test(action)) return 'opens';
  return action.startsWith('enablePanic') ? 'closes' : 'not-told';
}

function openingOf(command: FirewallCommand): Opening | undefined {
  const { effect, object, target = '', name = '', table = '', chain = '', text } = command;
  if (/^(?:output|postrouting|outgoing)$/i.test(chain)) return undefined;
  if (effect === 'adds' && object === 'element')
    return [name, table, chain].some((one) => BAN_SET.test(one)) ? 'closes' : 'may-open';
  if (command.tool === 'firewall-cmd' && effect === 'adds' && text.includes('rich-rule'))
    return /\baccept\b/.test(text) ? 'opens' : 'closes';
  if (effect === 'removes' && /^(?:accept|allow)$/i.test(target)) return 'closes';
  if (effect === 'removes' && /^(?:drop|reject|deny)$/i.test(target)) return 'opens';
  if (OPENS.has(effect)) return 'opens';
  if (MAY_OPEN.has(effect)) return 'may-open';
  return effect === 'closes' || effect === 'drops-by-default' ? 'closes' : undefined;
}

/** A service manager that starts, or a daemon that is itself run; sshd runs itself again for each who connects (-R). */
function startedBy(event: Event): Pick<HostChange, 'ports'> | undefined {
  for (const simple of simpleCommands(event.arguments ?? event.command ?? '')) {
    if (serviceActions(simple).some(({ unit, effect }) => isStart(effect) && isRemoteAccess(unit)))
      return { ports: [] };
    if (!DAEMON.test(simple.name) || simple.args.some((word) => /^-(?:R|i|t|T|V|h)$/.test(word))) continue;
    return { ports: simple.args.flatMap((word, i) => (simple.args[i - 1] === '-p' ? portRange(word) : [])) };
  }
  return undefined;
}

const isStart = (effect: string): boolean =>
  effect === 'starts' || effect === 'enables' || effect === 'restarts';

function portRange(text: string): [number, number][] {
  const match = /^(?:.{0,40}:)?(\d{1,5})$|^(\d{1,5})[:-](\d{1,5})/.exec(text.replace(/\/(?:tcp|udp)$/, ''));
  const name = text.replace(/\/(?:tcp|udp)$/, '').toLowerCase();
  if (!match) return Object.hasOwn(NAMES, name) ? [[NAMES[name], NAMES[name]]] : [];
  if (match[2] !== undefined) return [[Number(match[2]), Number(match[3])]];
  return [[Number(match[1]), Number(match[1])]];
}

/** Whom a rule is meant for: a network of at most 256 addresses. */
function fewAddresses(text: string): AddressSet[] {
  if (text.startsWith('!')) return [];
  try {
    const set = addressSet(text);
    return countAddresses(set) <= 256 ? [set] : [];
  } catch {
    return [];
  }
}

export function namesSource(change: HostChange, source: string): boolean {
  try {
    const address = parseAddress(source);
    return change.sources.some((set) => hasAddress(set, address));
  } catch {
    return false;
  }
}

export const opensPort = (change: HostChange, port: number): boolean =>
  change.ports.some(([first, last]) => port >= first && port <= last);

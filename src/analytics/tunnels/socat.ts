// words of socat -> what its two addresses join (socat(1), ADDRESS TYPES)
import {
  type Endpoint,
  endpointOf,
  hostOf,
  portOf,
  type ReadTool,
  startsShell,
  type TunnelUse,
  textOf,
} from './use.ts';

type Kind = 'listen' | 'connect' | 'exec' | 'tun' | 'local' | 'unix-listen' | 'unix-connect' | 'proxy';

/** By the name without digits and shortened forms, as socat reads it in any case. */
const TYPES: readonly (readonly [RegExp, Kind])[] = [
  [
    /^(?:(?:tcp|sctp|dccp|udp|udplite)[46]?-l(?:isten)?|(?:openssl|ssl)(?:-dtls-server|-listen|-l)|openssl-dtls-listen|dtls-l(?:isten)?|udp[46]?-recv(?:from)?|vsock-l(?:isten)?|socks5-l(?:isten)?)$/,
    'listen',
  ],
  [
    /^(?:(?:tcp|sctp|dccp|udp|udplite)[46]?(?:-connect)?|(?:openssl|ssl)(?:-connect|-dtls-client)?|openssl-dtls-connect|dtls|udp[46]?-(?:sendto|datagram)|vsock(?:-connect)?)$/,
    'connect',
  ],
  [/^(?:socks4a?|socks|socks5(?:-connect)?|proxy(?:-connect)?)$/, 'proxy'],
  [/^(?:exec|system|shell)$/, 'exec'],
  [/^tun$/, 'tun'],
  [/^(?:unix-l(?:isten)?|abstract-l(?:isten)?|unix-recv(?:from)?)$/, 'unix-listen'],
  [/^(?:unix(?:-connect|-client|-sendto)?|abstract(?:-connect|-client|-sendto)?|local)$/, 'unix-connect'],
  [
    /^(?:stdio|stdin|stdout|stderr|fd|file|open|create|gopen|pipe|fifo|pty|readline|ip[46]?-\w{1,20}|interface|null)$/,
    'local',
  ],
];

interface Address {
  readonly kind: Kind;
  readonly type: string;
  /** Behind the colon of the type, without options. */
  readonly rest: string;
  readonly options: readonly string[];
}

const TAKES_VALUE = /^-(?:b|t|T|lf|lp|lu|r|R|L|W|lm|S)$/;

export const readSocat: ReadTool = (words, tool) => {
  const addresses = operandsOf(words).flatMap((word) => addressesIn(word));
  return usesOf(addresses, tool, textOf(words));
};

/** Under any name: two words that are addresses of socat, one of them of a network. */
export const looksLikeSocat = (words: readonly string[]): boolean => {
  const operands = operandsOf(words);
  if (operands.length !== 2 || !operands.every((word) => /^[A-Za-z][\w-]{1,24}:|^-$|^stdio$/i.test(word)))
    return false;
  const kinds = operands.flatMap((word) => addressesIn(word));
  return (
    kinds.length === 2 &&
    kinds.some(({ kind, rest }) => isNetwork(kind) && portOf(rest.split(':').at(-1)) !== undefined)
  );
};

const isNetwork = (kind: Kind) => kind === 'listen' || kind === 'connect' || kind === 'proxy';

function operandsOf(words: readonly string[]): string[] {
  const operands: string[] = [];
  for (let at = 1; at < words.length; at++) {
    const word = words[at];
    if (TAKES_VALUE.test(word)) at++;
    else if (word === '-' || !word.startsWith('-')) operands.push(word);
  }
  return operands;
}

/** "A!!B" is one address for each direction; "-" is standard input and output. */
function addressesIn(word: string): Address[] {
  return word
    .slice(0, 4000)
    .split('!!')
    .slice(0, 2)
    .flatMap((text) => addressOf(text) ?? []);
}

function addressOf(text: string): Address | undefined {
  if (text === '-') return { kind: 'local', type: 'stdio', rest: '', options: [] };
  const match = /^([A-Za-z][\w-]{0,30})(?::|,|$)/.exec(text);
  if (!match) return undefined;
  const type = match[1].toLowerCase();
  const kind = TYPES.find(([pattern]) => pattern.test(type))?.[1];
  if (!kind) return undefined;
  // In what EXEC and SYSTEM run, commas inside quotes do not part; only the beginning matters here.
  const [rest, ...options] = text.slice(match[1].length).replace(/^:/, '').split(',');
  return { kind, type, rest: unquoted(rest), options: options.map((option) => option.toLowerCase()) };
}

const unquoted = (text: string) => text.replace(/^\\?["']/, '').replace(/\\?["']$/, '');

function usesOf(addresses: readonly Address[], tool: string, text: string): TunnelUse[] {
  const find = (...kinds: Kind[]) => addresses.find(({ kind }) => kinds.includes(kind));
  const listener = find('listen');
  const connector = find('connect', 'proxy');
  const run = find('exec');
  const hidden = find('unix-listen', 'unix-connect');
  const base = { tool, text, runsShell: false };
  const leadsTo = connector && destinationOf(connector);
  const listens = listener && listenerOf(listener);
  if (run) {
    // SYSTEM: is given to a shell whatever it says; what matters is whether one talks to the other end.
    const runsShell =
      startsShell(run.rest) ||
      /(?:^|[\s/;&|'"])(?:ba|da|z|k|a)?sh(?:[\s;&|'",]|$)/.test(run.rest.slice(0, 1000));
    const shell = { ...base, runsShell };
    if (connector) return [{ ...shell, mode: runsShell ? 'reverse-shell' : 'relay', leadsTo }];
    if (listener) return [{ ...shell, mode: runsShell ? 'bind-shell' : 'relay', listens }];
    return [];
  }
  if (find('tun') && (listener || connector)) return [{ ...base, mode: 'tun', listens, leadsTo }];
  if (listener && (connector || hidden?.kind === 'unix-connect'))
    return [{ ...base, mode: 'relay', listens, leadsTo: leadsTo ?? (hidden && { host: hidden.rest }) }];
  if (listener && addresses.filter(({ kind }) => kind === 'listen').length === 2)
    return [{ ...base, mode: 'relay', listens }];
  if (connector && addresses.filter(({ kind }) => kind === 'connect').length === 2)
    return addresses.map((address) => ({ ...base, mode: 'relay' as const, leadsTo: destinationOf(address) }));
  if (connector && hidden) return [{ ...base, mode: 'relay', listens: { path: hidden.rest }, leadsTo }];
  // A terminal handed out: socat file:`tty`,raw,echo=0 is the attacker's side, PTY the other's.
  if (connector) return [{ ...base, mode: 'pipe', leadsTo }];
  return listener ? [{ ...base, mode: 'listener', listens }] : [];
}

function listenerOf({ rest, options }: Address): TunnelUse['listens'] {
  const bind = options.find((option) => option.startsWith('bind='))?.slice(5);
  return { address: bind && hostOf(bind), port: portOf(rest.split(':').at(-1)) };
}

/** PROXY:<proxy>:<host>:<port>, SOCKS4A:<server>:<host>:<port>, SOCKS5:<server>:<port>:<host>:<port>; else <host>:<port>. */
function destinationOf({ kind, rest }: Address): Endpoint | undefined {
  if (kind !== 'proxy') return endpointOf(rest);
  const parts = rest.match(/\[[^\]]{0,64}\]|[^:]{1,253}/g) ?? [];
  return endpointOf(parts.slice(-2).join(':'));
}

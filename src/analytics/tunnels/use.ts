// what a command line says about a tunnel, relay or forward that it makes; and small readers that all tools share

export type TunnelMode =
  /** A shell for whom the command connects to, or for whom connects to it. */
  | 'reverse-shell'
  | 'bind-shell'
  | 'local-forward'
  | 'remote-forward'
  | 'dynamic-forward'
  | 'tun'
  /** Login to a host through another one: nothing is opened to anybody else. */
  | 'jump'
  /** One end to another, without a shell. */
  | 'relay'
  /** A packet filter sends traffic on. */
  | 'redirect'
  /** A tunnelling program that connects to its server, or waits for its clients. */
  | 'proxy-client'
  | 'proxy-server'
  /** A bare connection or listener of a tool that passes on standard input: with a shell beside it, a shell. */
  | 'pipe'
  | 'listener';

export interface Endpoint {
  readonly host: string;
  readonly port?: number;
}

export interface TunnelUse {
  /** Its usual name: "ssh", "socat", "nc", "python". */
  readonly tool: string;
  readonly mode: TunnelMode;
  /** Where it waits; a path for a Unix socket. */
  readonly listens?: { readonly address?: string; readonly port?: number; readonly path?: string };
  /** Where what enters it ends. */
  readonly leadsTo?: Endpoint;
  /** The server that carries it, where that is another one. */
  readonly via?: Endpoint;
  readonly runsShell: boolean;
  /** The output of another command goes into it: "cat". */
  readonly fedBy?: string;
  /** Whom it logs in as. */
  readonly user?: string;
  /** The words that say so. */
  readonly text: string;
}

/** The base name of a path, without a login shell's dash and without the version that systems put behind it. */
export function toolName(path: string): string {
  const known = NAMES.get(path);
  if (known !== undefined) return known;
  const name = nameOf(path);
  if (path.length <= 100) {
    if (NAMES.size >= MAX_NAMES) NAMES.clear();
    NAMES.set(path, name);
  }
  return name;
}

/** A host runs the same few programs over and over. */
const NAMES = new Map<string, string>();
const MAX_NAMES = 5000;

function nameOf(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
  const plain = base
    .replace(/\.exe$/i, '')
    .toLowerCase()
    .slice(0, 40);
  const alias = ALIASES[plain];
  if (alias) return alias;
  const unversioned = /^(python|perl|ruby|php|lua|luajit|node|socat|gawk|tclsh|plink)[\d.-]{1,10}$/.exec(
    plain,
  );
  return unversioned ? unversioned[1] : plain;
}

const ALIASES: Readonly<Record<string, string>> = {
  netcat: 'nc',
  'nc.openbsd': 'nc',
  'nc.traditional': 'nc',
  'netcat.openbsd': 'nc',
  'netcat.traditional': 'nc',
  nc6: 'nc',
  nc110: 'nc',
  pnetcat: 'nc',
  cryptcat: 'nc',
  slogin: 'ssh',
  nodejs: 'node',
  gawk: 'awk',
  mawk: 'awk',
  nawk: 'awk',
  'original-awk': 'awk',
  'php-cli': 'php',
  jruby: 'ruby',
  pypy: 'python',
  pypy3: 'python',
};

const SHELLS = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'mksh', 'csh', 'tcsh', 'fish', 'rbash']);
export const isShell = (path: string): boolean => SHELLS.has(toolName(path));

/** Whether a text that a tool executes begins with a shell: "/bin/bash -li", "sh -c ...", "exec bash". */
export function startsShell(text: string): boolean {
  const words = text
    .trim()
    .replace(/^["']/, '')
    .slice(0, 200)
    .split(/[\s,"';]+/);
  let at = 0;
  while (at < words.length - 1 && /^(?:exec|env|sudo|setsid|nohup|busybox|\w{1,30}=.*|-\w)$/.test(words[at]))
    at++;
  return isShell(words[at] ?? '');
}

export function portOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port > 0 && port < 65_536 ? port : undefined;
}

/** A host name or address as a person would type one; undefined for what cannot be one. */
export function hostOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 253) return undefined;
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  return /^[\w.%:-]{1,253}$/.test(bare) && !bare.startsWith('-') ? bare : undefined;
}

/** "host:port", "[2001:db8::1]:port", "host"; undefined for what is none. */
export function endpointOf(text: string): Endpoint | undefined {
  const match = /^(\[[0-9A-Fa-f:.%\w]{2,64}\]|[^\s:/[\]]{0,253}):(\d{1,5})$/.exec(text.slice(0, 300));
  if (!match) {
    const host = text.includes(':') && !/^[0-9a-fA-F:.]{2,45}$/.test(text) ? undefined : hostOf(text);
    return host === undefined ? undefined : { host };
  }
  const port = portOf(match[2]);
  const host = hostOf(match[1]) ?? (match[1] === '' ? 'localhost' : undefined);
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** What is no base64 becomes some text that says nothing. */
export const decodeBase64 = (text: string): string =>
  Buffer.from(text.slice(0, 16_384), 'base64').toString('utf8').replaceAll('\0', '');

/** As an alert shows it. */
export const endpointText = ({ host, port }: Endpoint): string =>
  port === undefined ? host : host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** The words of a command line in one line, cut. */
export const textOf = (words: readonly string[]): string => words.join(' ').slice(0, 500);

/** What is done when words are read: every tool's file has one such function. */
export type ReadTool = (words: readonly string[], tool: string) => TunnelUse[];

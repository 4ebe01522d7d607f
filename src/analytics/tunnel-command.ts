// words of a command, or the text of one -> the tunnels, relays and forwards that it makes
import { type SimpleCommand, simpleCommands } from './simple-commands.ts';
import { readNetcat, readOpenssl, readTelnet } from './tunnels/netcat.ts';
import { PROXY_TOOLS, readProxy, readProxyArguments } from './tunnels/proxies.ts';
import { REDIRECT_TOOLS, readRedirect } from './tunnels/redirects.ts';
import { endpointIn, readScript, SCRIPT_TOOLS } from './tunnels/scripts.ts';
import { looksLikeSocat, readSocat } from './tunnels/socat.ts';
import { commandsWithin, readSsh, SSH_TOOLS } from './tunnels/ssh.ts';
import {
  decodeBase64,
  isShell,
  portOf,
  type ReadTool,
  type TunnelMode,
  type TunnelUse,
  textOf,
  toolName,
} from './tunnels/use.ts';

export type { Endpoint, TunnelMode, TunnelUse } from './tunnels/use.ts';
export { endpointText, isShell, toolName } from './tunnels/use.ts';

const READERS: ReadonlyMap<string, ReadTool> = new Map([
  ...SSH_TOOLS.map((tool) => [tool, readSsh] as const),
  ...SCRIPT_TOOLS.map((tool) => [tool, readScript] as const),
  ...PROXY_TOOLS.map((tool) => [tool, readProxy] as const),
  ...REDIRECT_TOOLS.map((tool) => [tool, readRedirect] as const),
  ['socat', readSocat],
  ['nc', readNetcat],
  ['ncat', readNetcat],
  ['telnet', readTelnet],
  ['openssl', readOpenssl],
]);

const MAX_WORDS = 256;
const MAX_WORD = 16_384;
const MAX_DEPTH = 4;

/** Whether a program of this name is one whose arguments may make a tunnel. */
export const isTunnelTool = (name: string): boolean => READERS.has(name);

/** Of worse to better. */
const GRAVITY: readonly TunnelMode[] = [
  'reverse-shell',
  'bind-shell',
  'tun',
  'remote-forward',
  'proxy-client',
  'relay',
  'dynamic-forward',
  'proxy-server',
  'local-forward',
  'redirect',
  'listener',
  'pipe',
  'jump',
];

/** The gravest of what the words make; undefined where they make nothing. Never throws. */
export function readTunnel(words: readonly string[], executable?: string): TunnelUse | undefined {
  return readTunnels(words, executable)[0];
}

/**
 * All of it, the gravest first. `words[0]` is what the program calls itself; `executable` what it is, where that is known.
 * Linear in the length of the words, of which the first 256 count.
 */
export function readTunnels(words: readonly string[], executable?: string): TunnelUse[] {
  return ordered(
    readWords(
      words.slice(0, MAX_WORDS).map((word) => word.slice(0, MAX_WORD)),
      executable,
      0,
    ),
  );
}

/** Of a command line as text: what cron runs, sudo logged, or a process title says. */
export function readTunnelText(text: string): TunnelUse[] {
  return ordered(readText(text, 0));
}

function ordered(uses: readonly TunnelUse[]): TunnelUse[] {
  const seen = new Set<string>();
  const distinct = uses.filter((use) => {
    const key = JSON.stringify({ ...use, text: '' });
    return !seen.has(key) && seen.add(key);
  });
  return distinct.sort((a, b) => GRAVITY.indexOf(a.mode) - GRAVITY.indexOf(b.mode)).slice(0, 20);
}

function readWords(given: readonly string[], executable: string | undefined, depth: number): TunnelUse[] {
  if (given.length === 0 || depth > MAX_DEPTH) return [];
  // A link or another name in words[0] deceives; the file that runs does not. busybox is all tools in one.
  const real = executable === undefined ? '' : toolName(executable);
  const isKnown = READERS.has(real) || isShell(real);
  if (!READERS.has(real) && !READERS.has(toolName(given[0])) && !mayHold(given.join(' '))) return [];
  const words = isKnown ? [executable!, ...given.slice(1)] : given;
  return readCommands(simpleCommands(words), textOf(given), depth);
}

/** Without one of these no program of another name makes a tunnel: addresses of socat, remotes of chisel, proxies.ts's other grammars. */
const ARGUMENT = /:| (?:client|server|local) |--?(?:da|vkey|connect|dns|s)[ =]/;

const DEVICES = /\/dev\/(?:tcp|udp)\/|\/inet[46]?\/|ztcp|base64/i;
const TOOL_WORD = new RegExp(
  `(?:^|[^\\w-])(?:${[...READERS.keys(), 'netcat', 'slogin', 'nodejs', 'pypy', '[gmn]awk'].join('|')})(?![A-Za-z])`,
);

/** Most command lines hold nothing of it, and are not read further. */
const mayHold = (text: string): boolean => TOOL_WORD.test(text) || ARGUMENT.test(text) || DEVICES.test(text);

function readText(text: string, depth: number): TunnelUse[] {
  const cut = text.slice(0, MAX_WORD);
  if (depth > MAX_DEPTH || !mayHold(cut)) return [];
  return readCommands(simpleCommands(cut), cut, depth);
}

function readCommands(commands: readonly SimpleCommand[], text: string, depth: number): TunnelUse[] {
  return [
    ...pipelinesOf(commands).flatMap((pipeline) => readPipeline(pipeline, text, depth)),
    ...readDevices(commands, text),
  ];
}

function pipelinesOf(commands: readonly SimpleCommand[]): SimpleCommand[][] {
  const pipelines: SimpleCommand[][] = [];
  for (const command of commands) {
    const last = pipelines.at(-1);
    if (last && command.pipedFrom && last.includes(command.pipedFrom)) last.push(command);
    else pipelines.push([command]);
  }
  return pipelines;
}

/** `nc host port < fifo | sh > fifo`, `sh -i 2>&1 | openssl s_client ...`, `telnet h 1 | sh | telnet h 2`: one shell among them. */
function readPipeline(pipeline: readonly SimpleCommand[], text: string, depth: number): TunnelUse[] {
  const shellAt = pipeline.findIndex(({ path, args }) => isBareShell([path, ...args]));
  return pipeline.flatMap((command, index) =>
    readCommand(command, depth).map((use): TunnelUse => {
      const isServer = use.mode === 'listener';
      if (use.mode !== 'pipe' && !isServer) return use;
      if (shellAt < 0 || index === shellAt) {
        const from = command.pipedFrom?.name;
        return from === undefined || use.mode !== 'pipe' || SAYS.has(from) ? use : { ...use, fedBy: from };
      }
      const mode = isServer ? 'bind-shell' : 'reverse-shell';
      return { ...use, mode, runsShell: true, text: text.slice(0, 500) };
    }),
  );
}

/** A word to a service, or an end to its waiting: nothing that anybody takes away. */
const SAYS = new Set(['echo', 'printf', 'true', 'yes', 'sleep']);

/** Programs that run what stands somewhere behind their options. */
const WRAPPERS = new Set([
  'screen',
  'tmux',
  'sshpass',
  'proxychains',
  'proxychains4',
  'torsocks',
  'torify',
  'rlwrap',
  'daemonize',
]);

function readCommand(command: SimpleCommand, depth: number): TunnelUse[] {
  const { path, args } = command;
  const words = [path, ...args];
  if (isBareShell(words)) return readText(scriptFed(command), depth + 1);
  const tool = toolName(path);
  if (WRAPPERS.has(tool)) return readWithin(args, depth);
  const reader = READERS.get(tool);
  if (!reader) return looksLikeSocat(words) ? readSocat(words, 'socat') : readProxyArguments(words);
  const within = commandsWithin(words, tool).flatMap((text) => readText(text, depth + 1));
  // The way to a host through another is what a ProxyCommand is for, and socat and nc are what it is made of.
  return [
    ...reader(words, tool),
    ...within.filter(({ mode, runsShell }) => runsShell || (mode !== 'pipe' && mode !== 'jump')),
  ];
}

/** `echo ... | sh`, `echo ... | base64 -d | sh`, `sh <<< ...`: the script is in the command line. */
function scriptFed({ fed, pipedFrom }: SimpleCommand): string {
  if (fed !== undefined) return fed;
  const decodes =
    pipedFrom?.name === 'base64' && pipedFrom.args.some((word) => /^(?:-[dD]|-di|--decode)$/.test(word));
  return decodes && pipedFrom.fed !== undefined ? decodeBase64(pipedFrom.fed) : '';
}

/** screen -dm nc ..., tmux new -d 'nc ...' */
function readWithin(words: readonly string[], depth: number): TunnelUse[] {
  for (let at = 0; at < Math.min(words.length, 16); at++) {
    if (READERS.has(toolName(words[at])) || isShell(words[at]))
      return readWords(words.slice(at), undefined, depth + 1);
    const uses = words[at].includes(' ') ? readText(words[at], depth + 1) : [];
    if (uses.length > 0) return uses;
  }
  return [];
}

/** A shell that takes its commands from its input. */
export function isBareShell(words: readonly string[]): boolean {
  return (
    words.length > 0 &&
    isShell(words[0]) &&
    words.slice(1).every((word) => /^[-+][A-Zabd-z]{1,8}$|^--?$|^--(?:no\w{1,12}|login|posix)$/.test(word))
  );
}

const DEVICE = /\/dev\/(?:tcp|udp)\/[\w.:-]{1,253}\/\d{1,5}/;

/** bash's own connections: `sh -i >& /dev/tcp/host/port 0>&1`, `exec 5<>/dev/tcp/...; cat <&5 | sh >&5`; zsh's ztcp. */
function readDevices(commands: readonly SimpleCommand[], text: string): TunnelUse[] {
  const opener = commands.find(({ redirections }) =>
    redirections.some((redirection) => DEVICE.test(redirection)),
  );
  const ztcp = commands.find(({ name }) => name === 'ztcp');
  if ((!opener && !ztcp) || !commands.some(usesConnection)) return [];
  const [host, port] = ztcp ? ztcp.args.filter((word) => !word.startsWith('-')) : [];
  const leadsTo = opener
    ? endpointIn(opener.redirections.find((redirection) => DEVICE.test(redirection))!)
    : host === undefined
      ? undefined
      : { host, port: portOf(port) };
  const tool = opener ? 'bash' : 'zsh';
  return [{ tool, mode: 'reverse-shell', runsShell: true, leadsTo, text: text.slice(0, 500) }];
}

/** A shell that reads or writes it, or a loop that runs each line that comes: a port check (`: > /dev/tcp/h/p`) does neither. */
function usesConnection({ path, args, redirections }: SimpleCommand): boolean {
  if (isShell(path)) return isBareShell([path, ...args]) || redirections.some((text) => DEVICE.test(text));
  return /^\$\{?\w{1,20}\}?$/.test(path) && redirections.some((text) => /&\d$/.test(text));
}

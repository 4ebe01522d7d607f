// words of an interpreter with its program on the command line -> whether that program connects a shell to somewhere
import { decodeBase64, type Endpoint, hostOf, portOf, type ReadTool, type TunnelUse, textOf } from './use.ts';

interface Language {
  /** Flags whose value is the program. */
  readonly code: RegExp;
  /** Words of the program that open a connection, and that wait for one. */
  readonly connects: RegExp;
  readonly listens: RegExp;
  /** That give a connection to a command, or run one. */
  readonly runs: RegExp;
}

const NONE = /$^/;
const LANGUAGES: Readonly<Record<string, Language>> = {
  python: {
    code: /^-[A-Za-z]{0,4}c$/,
    connects: /\bconnect(?:_ex)?\s?\(|create_connection|open_connection/,
    listens: /\.(?:bind|listen)\s?\(/,
    runs: /dup2|subprocess|Popen|\bpty\b|os\.(?:system|popen|exec\w{1,4})|\bexec\w{1,2}\(/,
  },
  perl: {
    code: /^-[A-Za-z]{0,4}e$/i,
    connects: /\bconnect\b|IO::Socket|PeerAddr|PeerHost/,
    listens: /\bListen\s?=>|\blisten\s?\(/,
    runs: /\bexec\b|\bsystem\b|fdopen|open\s?\(?\s?STD(?:IN|OUT)|\bqx\b/,
  },
  ruby: {
    code: /^-[A-Za-z]{0,4}e$/,
    connects: /TCPSocket|Socket\.tcp\b|UNIXSocket/,
    listens: /TCPServer/,
    runs: /\bexec\b|\bspawn\b|popen|\bsystem\b|reopen/,
  },
  php: {
    code: /^-r$|^--run$/,
    connects: /p?fsockopen|stream_socket_client|socket_connect/,
    listens: /stream_socket_server|socket_listen/,
    runs: /\bexec\b|shell_exec|\bsystem\b|passthru|popen|proc_open|`/,
  },
  lua: {
    code: /^-e$/,
    connects: /:connect\s?\(|socket\.tcp|socket\.connect/,
    listens: /:listen\s?\(|socket\.bind/,
    runs: /os\.execute|io\.popen/,
  },
  node: {
    code: /^-(?:e|p|pe)$|^--(?:eval|print)$/,
    connects: /net\.(?:connect|createConnection|Socket)|\bconnect\s?\(/,
    listens: /createServer|\.listen\s?\(/,
    runs: /child_process|\bspawn\b|\bexec\w{0,8}\s?\(/,
  },
  awk: {
    code: NONE,
    connects: /\/inet[46]?\/(?:tcp|udp)\/0\//,
    listens: /\/inet[46]?\/(?:tcp|udp)\/[1-9]/,
    runs: /getline|system\s?\(|\|&/,
  },
  tclsh: { code: NONE, connects: /\bsocket\s+[\w.]/, listens: /socket\s+-server/, runs: /\bexec\b/ },
};
export const SCRIPT_TOOLS: readonly string[] = Object.keys(LANGUAGES);

/** In a program: a shell by name, or a terminal's way to one. */
const SHELL =
  /(?:^|[\s/"'`(,[])(?:ba|da|z|k|a)?sh(?:[\s"'`),;\]<&-]|$)|cmd\.exe|\$SHELL|os\.environ.{0,20}SHELL/;
const BLOB = /[A-Za-z0-9+/]{24,8000}={0,2}/;
const MAX_CODE = 8192;

export const readScript: ReadTool = (words, tool) => {
  const language = Object.hasOwn(LANGUAGES, tool) ? LANGUAGES[tool] : undefined;
  if (!language) return [];
  const written = codeOf(words, language);
  if (written === undefined) return [];
  const hidden =
    /(?:b64decode|base64_decode|decode_base64|['"]base64['"]|unpack)/.test(written) &&
    BLOB.exec(written)?.[0];
  const code = hidden ? `${written}\n${decodeBase64(hidden)}` : written;
  const connects = language.connects.test(code);
  const listens = !connects && language.listens.test(code);
  if (!connects && !listens) return [];
  const base = { tool, text: textOf(words) };
  // awk reads commands from the connection and runs each: no shell is named.
  const isLoop = tool === 'awk' && /getline/.test(code) && (/\|\s?getline/.test(code) || /system/.test(code));
  const runsShell =
    isLoop || (language.runs.test(code) && (SHELL.test(code) || isInterpreterLoop(tool, code)));
  if (!runsShell) return [];
  const at = endpointIn(code);
  const use: TunnelUse = connects
    ? { ...base, mode: 'reverse-shell', runsShell: true, leadsTo: at }
    : { ...base, mode: 'bind-shell', runsShell: true, listens: { port: at?.port ?? portIn(code) } };
  return [use];
};

/** perl -e '... while(<>){ system $_ }': what comes in is run as it is. */
const isInterpreterLoop = (tool: string, code: string) =>
  tool === 'perl' && /fdopen/.test(code) && /\bsystem\b|`|\bqx\b/.test(code);

function codeOf(words: readonly string[], language: Language): string | undefined {
  if (language.code === NONE) return words.slice(1).join('\n').slice(0, MAX_CODE);
  const parts: string[] = [];
  for (let at = 1; at < words.length; at++)
    if (language.code.test(words[at])) parts.push(words[at + 1] ?? '');
  // Modules that are loaded say what the program uses: perl -MIO::Socket, ruby -rsocket.
  const loaded = words.filter((word) => /^-[rM][\w:]{2,40}$/.test(word)).join(' ');
  return parts.length > 0 ? `${parts.join('\n')}\n${loaded}`.slice(0, MAX_CODE) : undefined;
}

const V4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/;

/** The first address with the port behind it, as programs write them: ("192.0.2.1",443), host:port, $i="..";$p=443, /inet/tcp/0/host/port. */
export function endpointIn(code: string): Endpoint | undefined {
  const inet = /\/(?:inet[46]?\/(?:tcp|udp)\/\d{1,5}|dev\/(?:tcp|udp))\/([\w.:-]{1,253})\/(\d{1,5})/.exec(
    code,
  );
  if (inet) return placed(inet[1], inet[2]);
  const literal = V4.exec(code);
  const name = /["'](?:tcp:\/\/)?([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6})(?::(\d{1,5}))?["']/.exec(
    code,
  );
  const found = literal ?? name;
  if (!found) return undefined;
  const host = literal ? literal[0] : name![1];
  const behind = code.slice(
    found.index + (literal ? host.length : 1 + host.length),
    found.index + host.length + 120,
  );
  return placed(host, portIn(behind) === undefined ? portIn(code)?.toString() : String(portIn(behind)));
}

const placed = (host: string, port: string | undefined): Endpoint | undefined =>
  hostOf(host) === undefined ? undefined : { host, port: portOf(port) };

/** The first number that can be a port and stands where one does. */
function portIn(code: string): number | undefined {
  return portOf(/[:,="'(]\s?["']?(\d{2,5})(?![\d.])/.exec(code)?.[1]);
}

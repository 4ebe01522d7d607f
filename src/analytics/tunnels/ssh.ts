// words of ssh and its relatives -> the forwards that they ask for (ssh(1), ssh_config(5), autossh(1), plink, dbclient(1), sshuttle)
import { type Endpoint, endpointOf, hostOf, portOf, type ReadTool, type TunnelUse, textOf } from './use.ts';

interface Dialect {
  /** Options of one letter that take a value, in the same word or the next. */
  readonly takes: string;
  /** Options of several letters that stand for themselves, with how many words they take. */
  readonly long?: Readonly<Record<string, number>>;
  readonly port: string;
}

const OPENSSH: Dialect = { takes: 'BbcDEeFIiJLlmOopPQRSWw', port: 'p' };
const DIALECTS: Readonly<Record<string, Dialect>> = {
  ssh: OPENSSH,
  // -M takes the port that it watches its connection by; -f is autossh's own.
  autossh: { takes: `${OPENSSH.takes}M`, port: 'p' },
  plink: {
    takes: 'DLRPliwm',
    port: 'P',
    long: {
      '-pw': 1,
      '-pwfile': 1,
      '-hostkey': 1,
      '-load': 1,
      '-nc': 1,
      '-sshlog': 1,
      '-proxycmd': 1,
      '-ssh': 0,
      '-batch': 0,
      '-agent': 0,
      '-noagent': 0,
    },
  },
  dbclient: { takes: 'bBcDiIJKLlmoOpRW', port: 'p' },
};
export const SSH_TOOLS: readonly string[] = [...Object.keys(DIALECTS), 'sshuttle'];

interface Options {
  readonly values: (readonly [flag: string, value: string])[];
  readonly operands: string[];
}

export const readSsh: ReadTool = (words, tool) => {
  if (tool === 'sshuttle') return readSshuttle(words);
  const dialect = DIALECTS[tool] ?? OPENSSH;
  const { values, operands } = optionsOf(words, dialect);
  const settings = [...values.flatMap(([flag, value]) => settingOf(flag, value))];
  const of = (name: string) => settings.find(([key]) => key === name)?.[1];
  const target = targetOf(operands[0], of('hostname'), portOf(of('port') ?? of(`-${dialect.port}`)));
  // The first value counts (ssh_config(5)); forwards add up, and ClearAllForwardings drops those of files and of -o too.
  if (/^yes$/i.test(of('clearallforwardings') ?? '')) return [];
  const base = {
    tool,
    runsShell: false,
    text: textOf(words),
    user: of('-l') ?? of('user') ?? target.user,
    via: target.at,
  };
  return settings.flatMap(([name, value]): TunnelUse[] => {
    if (name === 'localforward') return forward(base, 'local-forward', value);
    if (name === 'remoteforward') return forward(base, 'remote-forward', value);
    if (name === 'dynamicforward') return [{ ...base, mode: 'dynamic-forward', listens: listenerOf(value) }];
    if (name === '-w' || (name === 'tunnel' && /^(?:yes|point-to-point|ethernet)$/i.test(value)))
      return [{ ...base, mode: 'tun' }];
    if (name === '-W' || name === '-nc') return [{ ...base, mode: 'jump', leadsTo: endpointOf(value) }];
    if (name === 'proxyjump' && !/^none$/i.test(value))
      return [{ ...base, mode: 'jump', leadsTo: target.at, via: jumpOf(value) }];
    if (name === 'proxycommand' && !/^none$/i.test(value))
      return [{ ...base, mode: 'jump', leadsTo: target.at, via: undefined }];
    return [];
  });
};

/** The commands that an ssh runs by itself: they are read like any other. */
export function commandsWithin(words: readonly string[], tool: string): string[] {
  const dialect = DIALECTS[tool];
  if (!dialect) return [];
  return optionsOf(words, dialect)
    .values.flatMap(([flag, value]) => settingOf(flag, value))
    .flatMap(([name, value]) =>
      /^(?:proxycommand|localcommand|knownhostscommand)$/.test(name) ? [value] : [],
    );
}

/** getopt(3): flags may be bundled, a value may be glued; what follows the host is the remote command. */
function optionsOf(words: readonly string[], dialect: Dialect): Options {
  const values: (readonly [string, string])[] = [];
  const operands: string[] = [];
  let at = 1;
  while (at < words.length) {
    const word = words[at++];
    if (word === '--') {
      operands.push(...words.slice(at, at + 1));
      break;
    }
    const long = dialect.long?.[word];
    if (long !== undefined) {
      if (long > 0 && at < words.length) values.push([word, words[at]]);
      at += long;
    } else if (word.startsWith('-') && word.length > 1) {
      for (let i = 1; i < word.length; i++) {
        if (!dialect.takes.includes(word[i])) continue;
        const glued = word.slice(i + 1);
        const value = glued !== '' ? glued : words[at++];
        if (value !== undefined) values.push([`-${word[i]}`, value]);
        break;
      }
    } else if (operands.length === 0) operands.push(word);
    // OpenSSH reads options behind the host as well, up to the first word of the remote command.
    else break;
  }
  return { values, operands };
}

const SAME_AS: Readonly<Record<string, string>> = {
  '-L': 'localforward',
  '-R': 'remoteforward',
  '-D': 'dynamicforward',
  '-J': 'proxyjump',
  '-proxycmd': 'proxycommand',
};

/** "-o LocalForward=8080 h:80", "-oLocalForward 8080 h:80": the name in small letters, the value as behind -L. */
function settingOf(flag: string, value: string): [string, string][] {
  if (flag !== '-o') return [[SAME_AS[flag] ?? flag, value]];
  const match = /^\s{0,20}"?([A-Za-z]{2,60})(?:\s{0,20}=\s{0,20}|\s{1,20})"?([\s\S]{0,4000})$/.exec(value);
  if (!match) return [];
  const text = match[2].trim().replace(/"$/, '');
  return [[match[1].toLowerCase(), text]];
}

function targetOf(
  operand: string | undefined,
  hostName: string | undefined,
  given: number | undefined,
): { at?: Endpoint; user?: string } {
  if (operand === undefined) return {};
  const uri = /^ssh:\/\/([^/]{1,300})\/?$/.exec(operand)?.[1];
  const place = uri ?? operand;
  const cut = place.lastIndexOf('@');
  const end = uri ? endpointOf(place.slice(cut + 1)) : undefined;
  const host = hostOf(hostName ?? end?.host ?? place.slice(cut + 1));
  if (host === undefined) return {};
  return {
    at: { host, port: given ?? end?.port ?? 22 },
    user: cut > 0 ? place.slice(0, cut).slice(0, 64) : undefined,
  };
}

function jumpOf(value: string): Endpoint | undefined {
  const first = value.split(',')[0].replace(/^ssh:\/\//, '');
  const end = endpointOf(first.slice(first.lastIndexOf('@') + 1));
  return end && { host: end.host, port: end.port ?? 22 };
}

/** "[bind:]port:host:hostport", "port", "path:path" and ssh_config's form with a space; brackets around IPv6. */
function forward(
  base: Omit<TunnelUse, 'mode'>,
  mode: 'local-forward' | 'remote-forward',
  value: string,
): TunnelUse[] {
  const parts = partsOf(value);
  if (parts.length === 0) return [];
  // -R with nothing behind the port: the server's side gets a SOCKS proxy.
  if (
    mode === 'remote-forward' &&
    (parts.length === 1 || (parts.length === 2 && portOf(parts[1]) && !parts[0].startsWith('/')))
  )
    return [{ ...base, mode, listens: listenerOf(value) }];
  const path = (text: string) => /^[/~.%]/.test(text);
  const last = parts[parts.length - 1];
  const toPath = path(last);
  const leadsTo = toPath
    ? { host: last }
    : { host: hostOf(parts[parts.length - 2]) ?? '', port: portOf(last) };
  const rest = parts.slice(0, toPath ? -1 : -2);
  if (!toPath && (leadsTo.port === undefined || leadsTo.host === '')) return [];
  if (rest.length === 0 || rest.length > 2) return [];
  const listens = path(rest[0])
    ? { path: rest[0] }
    : { address: rest.length === 2 ? rest[0] || '*' : undefined, port: Number(rest[rest.length - 1]) };
  if (listens.port !== undefined && !/^\d{1,5}$/.test(rest[rest.length - 1])) return [];
  return [{ ...base, mode, listens, leadsTo }];
}

/** Colons and (in configuration) spaces and slashes between ports part; colons inside brackets do not. */
function partsOf(value: string): string[] {
  const parts: string[] = [];
  for (const piece of value
    .slice(0, 600)
    .trim()
    .split(/[\s=]+/)) {
    for (const match of piece.matchAll(/\[([0-9A-Fa-f:.%\w]{0,64})\]|([^:[\]]{1,300})|(?<=^|:)(?=:)/g))
      parts.push(match[1] ?? match[2] ?? '');
  }
  return parts.slice(0, 8);
}

function listenerOf(value: string): TunnelUse['listens'] {
  const parts = partsOf(value);
  const port = portOf(parts[parts.length - 1]);
  if (port === undefined) return { path: value.slice(0, 200) };
  return { address: parts.length > 1 ? parts[0] || '*' : undefined, port };
}

/** sshuttle -r user@host 10.0.0.0/8: everything toward these goes through the server. */
function readSshuttle(words: readonly string[]): TunnelUse[] {
  for (let at = 1; at < words.length; at++) {
    const glued = /^(?:-r|--remote=)(.{1,300})$/.exec(words[at])?.[1];
    const value = glued ?? (/^(?:-r|--remote)$/.test(words[at]) ? words[at + 1] : undefined);
    if (value === undefined) continue;
    const via = endpointOf(value.slice(value.lastIndexOf('@') + 1));
    const user = value.includes('@') ? value.slice(0, value.lastIndexOf('@')) : undefined;
    return [
      {
        tool: 'sshuttle',
        mode: 'tun',
        runsShell: false,
        user,
        via: via && { ...via, port: via.port ?? 22 },
        text: textOf(words),
      },
    ];
  }
  return [];
}

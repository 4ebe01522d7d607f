// words of nc in its variants, ncat, telnet and openssl s_client -> what they join (nc.traditional, nc.openbsd, ncat(1), openssl-s_client(1))
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

interface Dialect {
  /** Flags of one letter that take a value. */
  readonly takes: string;
  readonly long: ReadonlySet<string>;
}

/** Where OpenBSD's, Debian's traditional and busybox differ (-e, -c, -q), the wider reading is taken. */
const NC: Dialect = { takes: 'cegGiIMmoOpPqsTVwxX', long: new Set() };
const NCAT: Dialect = {
  takes: 'cegGidmopswx',
  long: new Set([
    '--exec',
    '--sh-exec',
    '--lua-exec',
    '--source',
    '--source-port',
    '--wait',
    '--idle-timeout',
    '--delay',
    '--output',
    '--hex-dump',
    '--max-conns',
    '--allow',
    '--allowfile',
    '--deny',
    '--denyfile',
    '--proxy',
    '--proxy-type',
    '--proxy-auth',
    '--proxy-dns',
    '--ssl-cert',
    '--ssl-key',
    '--ssl-trustfile',
    '--ssl-ciphers',
    '--ssl-servername',
    '--ssl-alpn',
  ]),
};

export const readNetcat: ReadTool = (words, tool) => {
  const { flags, values, operands } = optionsOf(words, tool === 'ncat' ? NCAT : NC);
  // A probe sends nothing and reads nothing.
  if (flags.has('z') || flags.has('h') || flags.has('--help') || flags.has('--version')) return [];
  const listening =
    flags.has('l') || flags.has('L') || flags.has('--listen') || flags.has('--broker') || flags.has('--chat');
  const program =
    values.get('e') ??
    values.get('c') ??
    values.get('--exec') ??
    values.get('--sh-exec') ??
    values.get('--lua-exec');
  const base = { tool, text: textOf(words), runsShell: program !== undefined && startsShell(program) };
  if (listening) {
    const port = portOf(values.get('p') ?? values.get('--source-port') ?? operands.at(-1));
    if (port === undefined && !flags.has('U')) return [];
    const address = values.get('s') ?? (operands.length > 1 ? operands[0] : undefined);
    const listens = flags.has('U') ? { path: operands[0] } : { address: address && hostOf(address), port };
    if (base.runsShell) return [{ ...base, mode: 'bind-shell', listens }];
    if (program !== undefined) return [relay(base, { listens, ...within(program) })];
    if (flags.has('--broker') || flags.has('--chat')) return [{ ...base, mode: 'relay', listens }];
    // As a server of HTTP: ncat passes on to anybody.
    if (values.has('--proxy-type')) return [{ ...base, mode: 'proxy-server', listens }];
    return [{ ...base, mode: 'listener', listens }];
  }
  const leadsTo = clientOf(operands);
  if (!leadsTo) return [];
  if (base.runsShell) return [{ ...base, mode: 'reverse-shell', leadsTo }];
  if (program !== undefined) return [relay(base, { leadsTo })];
  return [{ ...base, mode: 'pipe', leadsTo }];
};

const relay = (base: Omit<TunnelUse, 'mode'>, more: Partial<TunnelUse>): TunnelUse => ({
  ...base,
  ...more,
  mode: 'relay',
});

/** `ncat -l 80 --sh-exec "ncat 192.0.2.1 443"`: where the inner one leads. */
function within(program: string): Partial<TunnelUse> {
  const words = program.trim().slice(0, 1000).split(/\s+/);
  const inner = /(?:^|\/)(?:ncat|nc|netcat)(?:\.\w{1,20})?$/.test(words[0]) ? readNetcat(words, 'nc') : [];
  return inner[0]?.leadsTo ? { leadsTo: inner[0].leadsTo } : {};
}

function clientOf(operands: readonly string[]): Endpoint | undefined {
  const host = hostOf(operands[0]);
  if (host === undefined) return undefined;
  // ncat's default port is 31337; a range of ports is a scan.
  const port = portOf(operands[1]);
  return operands[1] !== undefined && port === undefined
    ? undefined
    : port === undefined
      ? undefined
      : { host, port };
}

interface Options {
  readonly flags: Set<string>;
  readonly values: Map<string, string>;
  readonly operands: string[];
}

/** Options may follow the operands; a value may be glued to its flag. */
function optionsOf(words: readonly string[], dialect: Dialect): Options {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const operands: string[] = [];
  for (let at = 1; at < words.length; at++) {
    const word = words[at];
    if (word.startsWith('--') && word.length > 2) {
      const [name, ...glued] = word.split('=');
      flags.add(name);
      if (glued.length > 0) values.set(name, glued.join('='));
      else if (dialect.long.has(name) && at + 1 < words.length) values.set(name, words[++at]);
    } else if (word.startsWith('-') && word.length > 1) {
      for (let i = 1; i < word.length; i++) {
        flags.add(word[i]);
        if (!dialect.takes.includes(word[i])) continue;
        const value = word.slice(i + 1) || words[++at];
        if (value !== undefined) values.set(word[i], value);
        break;
      }
    } else operands.push(word);
  }
  return { flags, values, operands };
}

/** Only beside a shell does it say anything. */
export const readTelnet: ReadTool = (words, tool) => {
  const { operands } = optionsOf(words, { takes: 'belnSXk', long: new Set() });
  const leadsTo = clientOf(operands);
  return leadsTo ? [{ tool, mode: 'pipe', leadsTo, runsShell: false, text: textOf(words) }] : [];
};

/** `openssl s_client -connect host:port`, also with -host and -port; s_server waits. */
export const readOpenssl: ReadTool = (words, tool) => {
  const after = (name: string) => {
    const at = words.findIndex((word) => word.replace(/^--/, '-') === name);
    return at < 0 ? undefined : words[at + 1];
  };
  const base = { tool, runsShell: false, text: textOf(words) };
  if (words[1] === 's_client') {
    const connect = after('-connect');
    const host = after('-host');
    const end =
      connect === undefined
        ? host === undefined
          ? undefined
          : { host, port: portOf(after('-port')) }
        : endpointOf(connect);
    const showsCertificate = words.some((word) =>
      /^--?(?:showcerts|brief|status|starttls|tlsextdebug|prexit)$/.test(word),
    );
    return end && !showsCertificate ? [{ ...base, mode: 'pipe', leadsTo: end }] : [];
  }
  if (words[1] !== 's_server') return [];
  const port = portOf((after('-accept') ?? after('-port') ?? '4433').split(':').at(-1));
  const serves = words.some((word) => /^--?(?:www|WWW|HTTP)$/.test(word));
  return serves ? [] : [{ ...base, mode: 'listener', listens: { port } }];
};

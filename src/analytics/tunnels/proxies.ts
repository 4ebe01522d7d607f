// words of tunnelling programs -> what they open; by name where they keep it, by the grammar of their arguments where they do not
import { type Endpoint, endpointOf, portOf, type TunnelMode, type TunnelUse, textOf } from './use.ts';

interface Proxy {
  /** Names under which it is shipped; those of a grammar that says enough alone may be anything. */
  readonly tool: string;
  readonly names: readonly string[];
  /** Undefined: the name alone never decides. */
  readonly read: (words: readonly string[]) => (Partial<TunnelUse> & { mode: TunnelMode }) | undefined;
  /** Whether the arguments are so unlike others' that the name does not matter. */
  readonly isDistinct?: true;
}

const after = (words: readonly string[], ...names: readonly string[]): string | undefined => {
  for (let at = 1; at < words.length; at++) {
    for (const name of names) {
      if (words[at] === name) return words[at + 1];
      if (words[at].startsWith(`${name}=`)) return words[at].slice(name.length + 1);
    }
  }
  return undefined;
};

/** "https://host:port/path", "host:port", ":port". */
function placeOf(text: string | undefined): Endpoint | undefined {
  if (text === undefined) return undefined;
  const match = /^(?:([a-z][a-z0-9+-]{1,20}):\/\/)?(?:[^@/\s]{1,100}@)?([^/?\s]{1,300})/i.exec(text);
  if (!match) return undefined;
  const end = endpointOf(match[2]);
  const port =
    end?.port ??
    (/^(?:https|wss|tls)$/i.test(match[1] ?? '')
      ? 443
      : /^(?:http|ws)$/i.test(match[1] ?? '')
        ? 80
        : undefined);
  return end && { host: end.host, port };
}

/** chisel's remotes: "R:socks", "R:2222:localhost:22", "8080:host:80", "socks", "R:0.0.0.0:1080:socks". */
const REMOTE = /^(?:R:|stdio:)?(?:[\w.*[\]-]{1,120}:){0,3}(?:socks|\d{1,5}|\d{1,5}\/(?:tcp|udp))$/;
const isRemote = (word: string) => REMOTE.test(word) && (word.includes(':') || word === 'socks');

const PROXIES: readonly Proxy[] = [
  {
    // chisel client [options] <server> <remote>... ; chisel server [--reverse] [--socks5] [-p port]
    tool: 'chisel',
    names: ['chisel'],
    isDistinct: true,
    read: (words) => {
      if (words[1] === 'client') {
        const remotes = words.slice(2).filter(isRemote);
        const server = words
          .slice(2)
          .find(
            (word) =>
              !isRemote(word) &&
              /^(?:(?:https?|wss?):\/\/)?[\w.-]{1,253}(?::\d{1,5})?\/?$/.test(word) &&
              /[.:]/.test(word),
          );
        const at =
          remotes.length > 0
            ? (server ?? words.slice(2).find((word) => /^[\w.-]{1,253}:\d{1,5}$/.test(word)))
            : undefined;
        if (at === undefined) return undefined;
        const reverse = remotes.some((word) => word.startsWith('R:'));
        const mode = reverse
          ? 'remote-forward'
          : remotes.some((word) => word.endsWith('socks'))
            ? 'dynamic-forward'
            : 'local-forward';
        return { mode, via: placeOf(at) };
      }
      if (words[1] !== 'server' || !words.some((word) => /^--?(?:reverse|socks5|backend)(?:=|$)/.test(word)))
        return undefined;
      return { mode: 'proxy-server', listens: { port: portOf(after(words, '-p', '--port')) ?? 8080 } };
    },
  },
  {
    // wstunnel client -L|-R spec wss://server
    tool: 'wstunnel',
    names: ['wstunnel'],
    isDistinct: true,
    read: (words) => {
      const server = words.find((word) => /^wss?:\/\//.test(word));
      if (words[1] === 'server' && server && words.length > 2)
        return { mode: 'proxy-server', listens: placeOf(server) };
      const spec = words.find(
        (word, index) =>
          /^(?:-[LR]|--(?:local-to-remote|remote-to-local))$/.test(words[index - 1] ?? '') &&
          /^(?:tcp|udp|socks5|stdio|unix):\/\//.test(word),
      );
      if (words[1] !== 'client' || !server || spec === undefined) return undefined;
      const reverse = words.some((word) => /^(?:-R|--remote-to-local)$/.test(word));
      return { mode: reverse ? 'remote-forward' : 'local-forward', via: placeOf(server) };
    },
  },
  {
    // gost -L=:1080 -F=relay+tls://server:443; with -L tcp://:2222/host:22 a forward
    tool: 'gost',
    names: ['gost'],
    isDistinct: true,
    read: (words) => {
      const glued = (flag: string) =>
        words
          .find((word) => new RegExp(`^-${flag}=?(?:[a-z0-9+]{2,30}://|:)`).test(word))
          ?.slice(2)
          .replace(/^=/, '');
      const listen = after(words, '-L') ?? glued('L');
      const forward = after(words, '-F') ?? glued('F');
      const isUrl = (text: string | undefined) => text !== undefined && /^[a-z0-9+]{2,30}:\/\//.test(text);
      // A listener's URL names no host, or one that a proxy is named for; curl's -L stands before one that does.
      const waits =
        listen !== undefined &&
        /^(?:[a-z0-9+]{2,30}:\/\/(?:[^@/\s]{1,100}@)?(?:0\.0\.0\.0|127\.0\.0\.1)?)?:\d{1,5}/.test(listen);
      if (listen === undefined || !waits || (!isUrl(listen) && !isUrl(forward))) return undefined;
      const port = portOf(/:(\d{1,5})(?:[/?]|$)/.exec(listen)?.[1]);
      return forward === undefined
        ? { mode: 'proxy-server', listens: { port } }
        : {
            mode: /^r(?:tcp|udp)/.test(listen) ? 'remote-forward' : 'dynamic-forward',
            listens: { port },
            via: placeOf(forward),
          };
    },
  },
  {
    tool: 'frp',
    names: ['frpc', 'frps'],
    read: (words) => {
      const server = after(words, '-s', '--server_addr', '--server-addr');
      const via = server === undefined ? undefined : placeOf(server);
      const port = portOf(after(words, '-P', '--server_port', '--server-port'));
      if (words.some((word) => /^(?:-v|--version|-h|--help|verify|status|reload)$/.test(word)))
        return undefined;
      return /frps/.test(words[0])
        ? { mode: 'proxy-server' }
        : { mode: 'remote-forward', via: via && { ...via, port: via.port ?? port ?? 7000 } };
    },
  },
  {
    tool: 'ngrok',
    names: ['ngrok'],
    read: (words) =>
      /^(?:tcp|http|tls|start|tunnel)$/.test(words[1] ?? '')
        ? {
            mode: 'remote-forward',
            leadsTo: placeOf(words.slice(2).find((word) => /\d/.test(word) && !word.startsWith('-'))),
          }
        : undefined,
  },
  {
    tool: 'cloudflared',
    names: ['cloudflared'],
    read: (words) => {
      const runs =
        words.includes('tunnel') &&
        (words.includes('run') ||
          words.some((word) => /^--(?:url|hello-world|unix-socket)(?:=|$)/.test(word)));
      const access = words[1] === 'access' && /^(?:tcp|rdp|smb)$/.test(words[2] ?? '');
      if (!runs && !access) return undefined;
      return access
        ? { mode: 'local-forward' }
        : { mode: 'remote-forward', leadsTo: placeOf(after(words, '--url')) };
    },
  },
  {
    // iodine [-P password] [nameserver] topdomain; iodined waits
    tool: 'iodine',
    names: ['iodine', 'iodined'],
    read: (words) => (words.length > 1 ? { mode: 'tun' } : undefined),
  },
  {
    tool: 'ptunnel',
    names: ['ptunnel', 'ptunnel-ng'],
    isDistinct: true,
    read: (words) => {
      const via = after(words, '-p');
      const target = after(words, '-da');
      if (via === undefined || target === undefined || after(words, '-lp') === undefined) return undefined;
      const port = portOf(after(words, '-dp'));
      return {
        mode: 'local-forward',
        listens: { port: portOf(after(words, '-lp')) },
        leadsTo: { host: target, port },
        via: { host: via },
      };
    },
  },
  {
    tool: 'dnscat',
    names: ['dnscat', 'dnscat2'],
    isDistinct: true,
    read: (words) => {
      const dns = after(words, '--dns');
      if (dns === undefined && !/dnscat/.test(words[0])) return undefined;
      if (dns !== undefined && !/^(?:server|domain|port|host)=/.test(dns)) return undefined;
      return {
        mode: 'proxy-client',
        runsShell: true,
        via: placeOf(/server=([^,]{1,200})/.exec(dns ?? '')?.[1]),
      };
    },
  },
  {
    // ligolo-ng's agent, revsocks, rsockstun: -connect host:port
    tool: 'ligolo-agent',
    names: ['agent', 'ligolo', 'ligolo-ng', 'ligolo-agent', 'revsocks', 'rsockstun', 'rsocks'],
    isDistinct: true,
    read: (words) => {
      const server = after(words, '-connect', '--connect');
      const extra = words.some((word) =>
        /^--?(?:ignore-cert|retry|pass|proxy|accept-fingerprint|recn|rect)(?:=|$)/.test(word),
      );
      return server !== undefined && extra && words[1] !== 's_client'
        ? { mode: 'remote-forward', via: placeOf(server) }
        : undefined;
    },
  },
  {
    tool: 'bore',
    names: ['bore'],
    isDistinct: true,
    read: (words) => {
      const to = after(words, '--to', '-t');
      return words[1] === 'local' && to !== undefined && portOf(words.slice(2).find((word) => portOf(word)))
        ? { mode: 'remote-forward', via: placeOf(to) }
        : undefined;
    },
  },
  {
    tool: 'npc',
    names: ['npc', 'nps'],
    isDistinct: true,
    read: (words) => {
      const server = after(words, '-server');
      return server !== undefined && after(words, '-vkey') !== undefined
        ? { mode: 'remote-forward', via: placeOf(server) }
        : undefined;
    },
  },
  {
    // EarthWorm: -s rssocks -d host -e port
    tool: 'earthworm',
    names: ['ew'],
    isDistinct: true,
    read: (words) => {
      const kind = after(words, '-s');
      if (!/^(?:ssocksd|rcsocks|rssocks|lcx_slave|lcx_tran|lcx_listen)$/.test(kind ?? '')) return undefined;
      const host = after(words, '-d', '-f');
      return host === undefined
        ? { mode: 'proxy-server', listens: { port: portOf(after(words, '-l')) } }
        : { mode: 'remote-forward', via: { host, port: portOf(after(words, '-e', '-g')) } };
    },
  },
  {
    tool: 'gs-netcat',
    names: ['gs-netcat', 'gs-sftp', 'gsocket'],
    read: (words) =>
      words.length > 1
        ? { mode: 'proxy-client', runsShell: words.some((word) => /^-\w{0,6}i/.test(word)) }
        : undefined,
  },
  {
    tool: 'rathole',
    names: ['rathole'],
    read: (words) => (words.some((word) => /\.toml$/.test(word)) ? { mode: 'remote-forward' } : undefined),
  },
  {
    tool: 'microsocks',
    names: ['microsocks', '3proxy', 'srelay', 'sockd'],
    read: (words) => ({ mode: 'proxy-server', listens: { port: portOf(after(words, '-p')) } }),
  },
  {
    tool: 'redir',
    names: ['redir', 'simpleproxy', 'rinetd', 'tcptunnel', 'portfwd'],
    read: (words) => {
      const host = after(words, '--caddr', '-R', '--remote-host');
      const target =
        host === undefined
          ? placeOf(
              words
                .slice(1)
                .filter((word) => /^[\w.[\]:-]{1,100}:\d{1,5}$/.test(word))
                .at(-1),
            )
          : placeOf(host);
      const port = target?.port ?? portOf(after(words, '--cport', '--remote-port'));
      return (
        target && {
          mode: 'relay',
          listens: { port: portOf(after(words, '--lport', '-L', '--local-port')) },
          leadsTo: { ...target, port },
        }
      );
    },
  },
];

const BY_NAME = new Map(PROXIES.flatMap((proxy) => proxy.names.map((name) => [name, proxy] as const)));
const DISTINCT = PROXIES.filter(({ isDistinct }) => isDistinct);
export const PROXY_TOOLS: readonly string[] = [...BY_NAME.keys()];

/** What a tool of this name was told to do. */
export function readProxy(words: readonly string[], name: string): TunnelUse[] {
  const proxy = BY_NAME.get(name);
  return proxy ? useOf(proxy, words) : [];
}

/** What the arguments are, whatever the tool is called. */
export function readProxyArguments(words: readonly string[]): TunnelUse[] {
  if (words.length < 3) return [];
  for (const proxy of DISTINCT) {
    const uses = useOf(proxy, words);
    if (uses.length > 0) return uses;
  }
  return [];
}

function useOf(proxy: Proxy, words: readonly string[]): TunnelUse[] {
  const use = proxy.read(words);
  return use ? [{ tool: proxy.tool, runsShell: false, text: textOf(words), ...use }] : [];
}

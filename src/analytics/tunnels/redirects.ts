// words of a packet filter's tool, or of a socket unit's proxy -> traffic that it sends on to another address
import { readFirewallCommands } from '../firewall-command.ts';
import { endpointOf, hostOf, portOf, type ReadTool, type TunnelUse, textOf } from './use.ts';

const FILTERS = [
  'iptables',
  'ip6tables',
  'iptables-nft',
  'iptables-legacy',
  'ip6tables-nft',
  'ip6tables-legacy',
  'nft',
  'firewall-cmd',
  'ufw',
];
export const REDIRECT_TOOLS: readonly string[] = [...FILTERS, 'systemd-socket-proxyd'];

export const readRedirect: ReadTool = (words, tool) => {
  if (tool === 'systemd-socket-proxyd') {
    const leadsTo = endpointOf(words.slice(1).find((word) => !word.startsWith('-')) ?? '');
    return leadsTo ? [{ tool, mode: 'relay', runsShell: false, leadsTo, text: textOf(words) }] : [];
  }
  return readFirewallCommands(words)
    .filter(({ effect, to }) => effect === 'redirects' && to !== undefined)
    .flatMap(({ tool: name, to, ports, text }): TunnelUse[] => {
      const port = portOf(ports?.[0]);
      const leadsTo = sentTo(to!, port);
      return leadsTo
        ? [{ tool: name, mode: 'redirect', runsShell: false, listens: { port }, leadsTo, text }]
        : [];
    });
};

/** "203.0.113.5", "203.0.113.5:8443", "203.0.113.5-203.0.113.9:1000-2000": the first of a range. A port alone stays on the host. */
function sentTo(to: string, port: number | undefined) {
  const first =
    /^(?:\[([0-9A-Fa-f:]{2,45})\]|([0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{1,40}(?=$|-))|([\d.]{7,15}))(?:-[^\s:]{2,64})?(?::(\d{1,5})(?:-\d{1,5})?)?$/.exec(
      to.replace(/\s/g, ''),
    );
  const host = hostOf(first?.[1] ?? first?.[2] ?? first?.[3]);
  return first && host !== undefined ? { host, port: portOf(first[4]) ?? port } : undefined;
}

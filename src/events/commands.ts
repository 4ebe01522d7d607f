// a command line -> what kind of event it is
import type { EventKind } from '../model/event.ts';

/** How much of a command line is looked at. */
const MAX_LENGTH = 4096;
const START = String.raw`(?:^|[\s/;&|'"(])`;

/** A tool that changes packet filters, and the arguments that change something; looking on is no change. */
interface Tool {
  readonly name: RegExp;
  /** Of what follows the name, up to the next command. */
  readonly changes: RegExp;
}

/** Two steps each (what follows may end a quoted script: sh -c "iptables -F"), because one pattern for both takes the square of the length where a name is repeated. */
const FIREWALL: readonly Tool[] = [
  {
    name: new RegExp(`${START}nft(?=\\s)`),
    changes:
      /\s(?:add|insert|replace|delete|destroy|flush|create|rename|reset|-f|--file|-[a-z]{0,20}f)(?:[\s="')]|$)/,
  },
  {
    name: new RegExp(`${START}(?:ip6?|arp|eb)tables(?:-nft|-legacy)?(?=\\s)`),
    changes:
      /\s(?:-[A-Za-z]{0,20}[ADIRFXNPE]|--(?:append|delete|insert|replace|flush|new-chain|delete-chain|policy|rename-chain))(?:[\s\d"')]|$)/,
  },
  {
    name: new RegExp(
      `${START}(?:(?:ip6?|arp|eb)tables(?:-nft|-legacy)?-(?:restore|apply)|netfilter-persistent)(?=[\\s"')]|$)`,
    ),
    changes: /^/,
  },
  {
    name: new RegExp(`${START}ufw(?=\\s)`),
    changes:
      /\s(?:allow|deny|reject|limit|delete|insert|prepend|route|default|enable|disable|reset|reload)(?:[\s"')]|$)/,
  },
  {
    name: new RegExp(`${START}firewall-(?:offline-)?cmd(?=\\s)`),
    changes:
      /--(?:add|remove|set|new|delete|change|reload|complete-reload|runtime-to-permanent|panic-o|direct|passthrough|load)/,
  },
  {
    name: new RegExp(`${START}ipset(?=\\s)`),
    changes: /\s(?:add|create|del|destroy|flush|rename|swap|restore|-[ANDXFEWR])(?:[\s"')]|$)/,
  },
  {
    // macOS and the BSDs
    name: new RegExp(`${START}pfctl(?=\\s)`),
    changes:
      /^(?![\s\S]*\s-[A-Za-z]{0,10}n)[\s\S]*\s(?:-[A-Za-z]{0,10}[edfFzXkK]|-t\s+\S+\s+-T\s+(?:add|delete|flush|kill|replace|load|expire))(?:[\sA-Za-z/"')]|$)/,
  },
  {
    name: new RegExp(`${START}socketfilterfw(?=\\s)`),
    changes: /--(?:set|add|remove|block|unblock|unload|load)/,
  },
  {
    name: new RegExp(`${START}(?:systemctl|service|rc-service|init\\.d|rcctl)(?=[\\s/])`),
    changes:
      /^(?![\s\S]*\s(?:status|is-active|is-enabled|is-failed|show|cat|list-\w{1,20})(?:\s|$))[\s\S]*(?:nftables|iptables|ip6tables|firewalld|ufw|netfilter-persistent|shorewall)/,
  },
  {
    // Without its module the filter is gone.
    name: new RegExp(`${START}(?:rmmod|modprobe\\s+(?:-[a-z]{0,5}r[a-z]{0,5}|--remove))(?=\\s)`),
    changes:
      /^(?:\s+-[a-z]+)*\s+(?:nf_tables|nft_\w+|ip6?_tables|ip6?table_\w+|x_tables|nf_conntrack)(?:[\s"')]|$)/,
  },
];
const NEXT_COMMAND = /[;&|]+/;
const ROUTES =
  /(?:^|[\s/;&|'"(])(?:ip\s(?:-\S+\s)*(?:r|ro|route|ru|rule)\s(?:add|del|delete|change|append|replace|flush|a|d)|route\s(?:-\S+\s)*(?:add|del))(?:\s|$)/;

/** firewall-changed, route-changed, or command. */
export function commandKind(command: string): EventKind {
  const text = command.slice(0, MAX_LENGTH);
  if (text.split(NEXT_COMMAND).some(changesFirewall)) return 'firewall-changed';
  return ROUTES.test(text) ? 'route-changed' : 'command';
}

function changesFirewall(command: string): boolean {
  return FIREWALL.some(({ name, changes }) => {
    const match = name.exec(command);
    return match !== null && changes.test(command.slice(match.index + match[0].length));
  });
}

// a command line -> what kind of event it is
import type { EventKind } from '../model/event.ts';

/** How much of a command line is looked at. */
const MAX_LENGTH = 4096;
const START = String.raw`(?:^|[\s/;&|'"(])`;

/** Tools that change packet filters, each with the arguments that change something; looking on is no change. */
const FIREWALL: readonly RegExp[] = [
  new RegExp(
    `${START}nft\\s(?:[^;&|]*\\s)?(?:add|insert|replace|delete|destroy|flush|create|rename|reset|-f|--file|-[a-z]*f)(?:\\s|$)`,
  ),
  new RegExp(
    `${START}ip6?tables(?:-nft|-legacy)?\\s(?:[^;&|]*\\s)?(?:-[A-Za-z]*[ADIRFXNPE]|--(?:append|delete|insert|replace|flush|new-chain|delete-chain|policy|rename-chain))(?:[\\s\\d]|$)`,
  ),
  new RegExp(`${START}(?:ip6?tables(?:-nft|-legacy)?-(?:restore|apply)|netfilter-persistent)(?:\\s|$)`),
  new RegExp(
    `${START}ufw\\s(?:[^;&|]*\\s)?(?:allow|deny|reject|limit|delete|insert|prepend|route|default|enable|disable|reset|reload)(?:\\s|$)`,
  ),
  new RegExp(
    `${START}firewall-cmd\\s[^;&|]*--(?:add|remove|set|new|delete|change|reload|complete-reload|runtime-to-permanent|panic-o|direct|passthrough|load)`,
  ),
  new RegExp(
    `${START}ipset\\s(?:[^;&|]*\\s)?(?:add|create|del|destroy|flush|rename|swap|restore|-[ANDXFEWR])(?:\\s|$)`,
  ),
  new RegExp(
    `${START}(?:systemctl|service)\\s(?![^;&|]*\\b(?:status|is-active|is-enabled|show|cat)\\b)[^;&|]*(?:nftables|iptables|ip6tables|firewalld|ufw|netfilter-persistent)`,
  ),
];
const ROUTES =
  /(?:^|[\s/;&|'"(])(?:ip\s(?:-\S+\s)*(?:r|ro|route|ru|rule)\s(?:add|del|delete|change|append|replace|flush|a|d)|route\s(?:-\S+\s)*(?:add|del))(?:\s|$)/;

/** firewall-changed, route-changed, or command. */
export function commandKind(command: string): EventKind {
  const text = command.slice(0, MAX_LENGTH);
  if (FIREWALL.some((pattern) => pattern.test(text))) return 'firewall-changed';
  return ROUTES.test(text) ? 'route-changed' : 'command';
}

// event -> whether it is about a change of configuration
import type { DeviceDefinition } from '../../devices/definition.ts';
import type { Event } from '../model/event.ts';
import { found } from './clean.ts';

/** `changes`: it is the change; `may-change`: a command whose effect is not known; `no`: everything else. */
export type Bearing = 'changes' | 'may-change' | 'no';

const FIREWALL_TOOLS =
  /(?:^|[\s/;&|'"])(?:nft|ip6?tables(?:-nft|-legacy)?|ip6?tables(?:-nft|-legacy)?-restore|xtables-[a-z-]+|ufw|firewall-cmd|ipset|netfilter-persistent|iptables-apply|ip\s+(?:-\d\s+)?(?:route|rule|tunnel|link)|wg(?:-quick)?|sysctl\b[^;&|]*=)\b/;
/** What only looks, Postern's own pulls among it. Each stands alone: what follows on the same line could do anything. */
const READS_ONLY: readonly RegExp[] = [
  /^ip6?tables(?:-nft|-legacy)?-save$/,
  /^nft\s+(?:(?:-[ajnNstTyu]+|--json|--handle|--stateless|--numeric\S*)\s+)*(?:list|monitor)\b[^;&|>$`]*$/,
  /^ip6?tables(?:-nft|-legacy)?\s+(?:-t\s+\w+\s+)?(?:-[nvxw]+\s+)*(?:-[nvx]*[LS]|--list\S*)\b[^;&|>$`]*$/,
  /^ipset\s+(?:save|list)\b[^;&|>$`]*$/,
  /^ip\s+(?:-\S+\s+)*(?:addr\S*|route|rule|link|a|r)(?:\s+(?:show|list|get)\b[^;&|>$`]*)?$/,
  /^(?:cat|ls)\b[^;&|>$`]*$/,
];
const isReading = (command: string): boolean => {
  const bare = command.slice(0, 1024).replace(/^\/\S*\//, '');
  return READS_ONLY.some((pattern) => pattern.test(bare));
};
/** IOS: `logged command:!exec: ...` is a command outside of configuration mode. */
const EXEC_LOG = /^!\s*exec\b/i;
const IOS_SHOW = /^(?:!\s*exec:\s*)?(?:show|terminal|ping|traceroute|exit|logout|end)\b/i;

export function bearing(event: Event, definition?: Pick<DeviceDefinition, 'vendor' | 'changedBy'>): Bearing {
  switch (event.kind) {
    case 'config-changed':
    case 'firewall-changed':
    case 'route-changed':
      return event.command !== undefined && isReading(event.command.trim()) ? 'no' : 'changes';
    case 'command':
      return commandBearing(event.command?.trim() ?? '', definition?.vendor ?? '');
    case 'login-accepted':
    case 'login-failed':
      return 'no';
    default: {
      const text = `${event.message}`.slice(0, 4096);
      return definition?.changedBy.some((pattern) => found(pattern, text)) ? 'changes' : 'no';
    }
  }
}

function commandBearing(command: string, vendor: string): Bearing {
  const text = command.slice(0, 1024);
  if (text === '' || isReading(text) || IOS_SHOW.test(text)) return 'no';
  if (EXEC_LOG.test(text)) return 'may-change';
  if (FIREWALL_TOOLS.test(text)) return 'changes';
  // On a network device every logged command in configuration mode is one.
  return vendor.startsWith('linux') || text.startsWith('/') ? 'may-change' : 'changes';
}

// bigip.conf and `tmsh list` of F5 BIG-IP -> rules
import type { DeviceDefinition } from './definition.ts';
import { readTmos } from './syntax/tmsh-read.ts';

export const f5Bigip: DeviceDefinition = {
  vendor: 'f5-bigip',
  title: 'F5 BIG-IP (TMOS): `tmsh list recursive`, bigip.conf',
  recognise: [
    { pattern: /^#TMSH-VERSION: /m, weight: 95 },
    {
      pattern: /^ltm (?:virtual|virtual-address|pool|node|snat|snatpool|snat-translation|nat) \S+ \{/m,
      weight: 90,
    },
    { pattern: /^(?:net self|net vlan|net route-domain|sys global-settings|auth user) ?\S* \{/m, weight: 60 },
  ],
  session: {
    // Of an account whose shell is bash ("Advanced shell"): all partitions, without the question for more than 100 items.
    channel: 'exec',
    prompt: /[#$] ?$/,
    pagers: [],
    commands: [
      {
        run: `tmsh -q -c 'cd /; list recursive' && echo '# end of configuration'`,
        endMarker: /^# end of configuration\s*$/m,
      },
    ],
  },
  volatile: [
    /^\s*(?:creation-time|last-modified-time) \S+\s*$/,
    /^\s*(?:generation|vs-index|revision) \d+\s*$/,
    /^#TMSH-VERSION: .*$/,
  ],
  secrets: [
    {
      pattern:
        /^\s*(?:encrypted-password|password|passphrase|secret|shared-secret|user-password|bind-pw|auth-password-encrypted|privacy-password-encrypted|auth-password|privacy-password|preshared-key(?:-encrypted)?|community|community-name|cookie-encryption-passphrase|key-passphrase) ("[^"]{1,4096}"|\S{1,4096})\s*$/,
      example: '    encrypted-password "$6$abc$Zm9vYmFyYmF6"',
    },
    // Whatever the unit encrypts with its master key.
    { pattern: /(\$M\$[\w$+/=.]{4,4096})/, example: '    attribute-value $M$Q7$xYs3xGCeqOx8v9KE7FvbMg==' },
  ],
  changedBy: [
    /\bAUDIT - (?:pid=\d+ )?(?:user=\S+ folder=\S+ module=\S+ )?status=\[Command OK\] cmd_data=(?:create|delete|modify|move|mv|load|install|edit|generate|run util bash)\b/,
    /\b01070417:\d: AUDIT - .{0,200}?\b(?:create|delete|modify|undelete)[ _{]/,
  ],
  // What other collectors store ends with a block.
  storedEnd: /^\}\s*(?![\s\S])/m,
  read: readTmos,
  knownGaps: [
    'iRules and local traffic policies can send traffic anywhere: a virtual server with one is conditional, the script is not read.',
    'Packet filters, `security nat`, LSN pools, port mirroring and AFM in route domains or on self addresses are listed as unread.',
    'Accounts whose shell is tmsh cannot be pulled: the account needs the advanced shell.',
    'Route domains are kept as context; addresses of two domains are not told apart.',
    'FQDN nodes, priority groups, monitors and persistence: all members count.',
    'Dynamic routing is not read: a tunnel takes only what static routes lead there.',
    'Traffic matching criteria with lists count as less specific than any single destination.',
    'Explicit proxy profiles, APM and SSL orchestration are not read.',
  ],
};

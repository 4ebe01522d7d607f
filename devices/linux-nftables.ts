// `nft -j list ruleset`, or `nft list ruleset` as others stored it -> rules
import type { DeviceDefinition } from './definition.ts';
import { readNft } from './syntax/nft-json.ts';
import { layoutNftJson } from './syntax/nft-layout.ts';

export const linuxNftables: DeviceDefinition = {
  vendor: 'linux-nftables',
  title: 'Linux with nftables: `nft -j list ruleset`',
  recognise: [
    { pattern: /^\s*\{\s*"nftables"\s*:\s*\[/, weight: 100 },
    { pattern: /^table (?:(?:ip|ip6|inet|arp|bridge|netdev) )?[\w.-]{1,128} \{/m, weight: 98 },
  ],
  session: {
    channel: 'exec',
    prompt: /[$#] ?$/,
    pagers: [],
    commands: [
      {
        // An account other than root needs the right to run this one command through sudo without a password.
        run: `$([ "$(id -u)" = 0 ] || echo sudo -n) nft -j list ruleset && echo '# end of ruleset'`,
        // Behind the JSON stands the proof that nft ended well; laid out text is JSON that closes.
        endMarker: /^# end of ruleset\s*$|^\]\}\s*$/m,
      },
    ],
  },
  volatile: [
    /"handle":\s*\d+,?\s*/,
    /"(packets|bytes|used)":\s*\d+,?\s*/,
    /"expires":\s*\d+,?\s*/,
    /^\{"metainfo":.*$/,
    / packets \d+ bytes \d+/,
    / used \d+ \w?bytes/,
    / expires [\dwdhms]+/,
    / # handle \d+$/,
  ],
  secrets: [
    {
      pattern:
        /"comment":"[^"]*?\b(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|psk)\s*[=:]\s*([^\s"\\,;]+)/i,
      example: '"comment":"jump host password=Winter-2026"',
    },
    {
      pattern:
        /\bcomment "[^"]*?\b(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|psk)\s*[=:]\s*([^\s"\\,;]+)/i,
      example: 'tcp dport 22 accept comment "jump host token=Yarrow-8"',
    },
  ],
  changedBy: [
    // Kernel and auditd: every commit of a ruleset (audit record type 1325).
    /\b(?:type=(?:NETFILTER_CFG|1325)|audit: type=1325)\b/,
    // Not the listing of rules, which is what a pull does.
    /\bsudo(?:\[\d+\])?: .*COMMAND=\S*\b(?:nft(?! (?:-\S+ )*list\b)|ip6?tables(?:-legacy|-nft)?(?:-restore|-apply)?(?! -[LS]\b)|ufw(?! status\b)|firewall-cmd(?! --(?:list|get|state)))(?![-\w])/,
    /\bsystemd\[1\]: (?:Started|Starting|Reloaded|Reloading|Stopped|Finished) (?:nftables|firewalld|ufw)\.service/,
  ],
  // JSON proves its own end, and so does the last brace of the text form.
  storedEnd: /^# end of ruleset\s*$|^\]\}\s*$|^\}\s*(?![\s\S])/m,
  layout: layoutNftJson,
  read: readNft,
  knownGaps: [
    'Rules of iptables-legacy are not among those that nft lists.',
    'Rules made by iptables-nft keep parts that nft does not print; register such a host as linux-iptables.',
    'Of the text form, variables (`define`), `include` and single commands (`add rule`) are listed as not understood.',
    "The device's own addresses, routes, `ip rule` and WireGuard peers are not pulled, so policy routing by mark is not seen.",
    'Marks, time, limits, fib, sockets, raw payloads and user space queues are conditions, not ranges.',
    'A chain of the bridge or arp family is listed and not counted as a filter of routed traffic.',
    'Input and output chains are listed; of them only destination NAT of own traffic is a policy.',
    'Packets of related connections and untracked packets are not followed.',
    'With two NAT chains on one hook, the first translation does not end the second chain.',
    'Flow tables are listed as not understood.',
    'A drop before destination NAT that depends on addresses or ports is passed over where anything is translated.',
  ],
};

// the routers' rulesets in nft's own language: how they start, and what alice does to them
import type { Addresses } from './site.ts';

/** Inside may go out; nothing else may. */
export const office = (): string => `
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    iif "lo" accept
    ct state established,related counter accept
    iifname { "lan", "mgmt" } accept
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related counter accept
    iifname "lan" oifname "wan" counter accept
  }
}
`;

/** The same rules in another order, where the order means nothing. */
export const officeReordered = (): string => `
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "lan" oifname "wan" counter accept
    ct state established,related counter accept
  }
  chain input {
    type filter hook input priority 0; policy drop;
    iifname { "mgmt", "lan" } accept
    ct state established,related counter accept
    iif "lo" accept
  }
}
`;

export const RELAY_PORT = 5000;

/** What is sent to the inside gateway goes to a host on the Internet, and looks as if the router had sent it. */
export const relay = ({ gateway, vps }: Addresses): string => `
table ip relay {
  chain prerouting {
    type nat hook prerouting priority -100;
    iifname "lan" ip daddr ${gateway} udp dport ${RELAY_PORT} counter dnat to ${vps}:443
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "wan" ip daddr ${vps} udp dport 443 counter masquerade
  }
}
`;

/** A shell script that gives a ruleset to nft. */
export const load = (rules: string): string => `nft -f - <<'RULES'\n${rules}RULES\n`;
export const replaceAll = (rules: string): string => load(`flush ruleset\n${rules}`);

// how the hosts' firewalls start, in the words of each tool: little is let in, the rest is logged and dropped; $OUT is the outer interface

export const IPTABLES = `
iptables -P INPUT DROP
iptables -P FORWARD DROP
iptables -A INPUT -i lo -j ACCEPT
iptables -A INPUT -i mgmt -j ACCEPT
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -m conntrack --ctstate INVALID -j DROP
iptables -A INPUT -p icmp --icmp-type echo-request -j ACCEPT
iptables -A INPUT -p tcp --dport 80 -j ACCEPT
iptables -A INPUT -p tcp --dport 443 -j ACCEPT
iptables -A INPUT -p udp --dport 123 -s 10.50.0.0/16 -j ACCEPT
iptables -A INPUT -p udp --dport 161 -s 172.31.255.0/24 -j ACCEPT
iptables -A INPUT -j LOG --log-prefix 'fw drop: '
`;

const nftTable = (knocked = '') => `
table inet filter {
  set friends { type ipv4_addr; flags timeout; }
  chain input {
    type filter hook input priority 0; policy drop;
    iif "lo" accept
    iifname "mgmt" accept
    ct state established,related accept
    ct state invalid drop
    icmp type echo-request accept
    tcp dport { 80, 443 } accept
    ip saddr 10.50.0.0/16 udp dport 123 accept
    ip saddr 172.31.255.0/24 udp dport 161 accept${knocked}
    log prefix "nft drop: " drop
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
  }
}
`;

export const NFT = `cat >/etc/nftables.conf <<'RULES'\nflush ruleset\n${nftTable()}RULES\nnft -f /etc/nftables.conf\n`;
export const NFT_WITH_FRIENDS = NFT.replace(
  '    log prefix',
  '    ip saddr @friends tcp dport 22 accept\n    log prefix',
);

export const UFW = `
ufw allow in on mgmt
ufw allow 80/tcp
ufw allow 443/tcp
ufw allow from 10.50.0.0/16 to any port 123 proto udp
ufw --force enable
`;

/** The policy accepts, and the last rule drops. */
export const IPTABLES_OPEN = `${IPTABLES.replace('iptables -P INPUT DROP\niptables -P FORWARD DROP\n', '')}iptables -A INPUT -j DROP\n`;

/** The real daemon on a D-Bus of its own. */
export const FIREWALLD = `
mkdir -p /run/dbus
dbus-daemon --system --fork --nopidfile
firewalld --nofork --nopid &
echo $! >/run/firewalld-lab.pid
tries=0
until firewall-cmd --state >/dev/null 2>&1; do
  tries=$((tries + 1)); [ "$tries" -lt 60 ]; sleep 0.5
done
firewall-cmd -q --set-log-denied=all
firewall-cmd -q --zone=trusted --add-interface=mgmt
firewall-cmd -q --zone=public --add-interface="$OUT"
firewall-cmd -q --zone=public --add-service=http
firewall-cmd -q --zone=public --remove-service=ssh
`;

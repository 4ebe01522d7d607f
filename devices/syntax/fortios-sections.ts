// the rule-bearing sections of FortiOS: which settings are read, and which have no bearing on where packets go

const split = (text: string): string[] => text.trim().split(/\s+/);

/** Read, or without bearing; settings that begin with one of `prefixes` have none either. */
interface Known {
  readonly settings: ReadonlySet<string>;
  readonly prefixes: readonly string[];
}

const known = (settings: string, prefixes = ''): Known => ({
  settings: new Set(split(settings)),
  prefixes: prefixes === '' ? [] : split(prefixes),
});

const POLICY = known(
  `name uuid comments comment status action srcintf dstintf srcaddr dstaddr srcaddr4 dstaddr4 srcaddr6 dstaddr6
   srcaddr-negate dstaddr-negate srcaddr4-negate dstaddr4-negate srcaddr6-negate dstaddr6-negate
   service service-negate schedule schedule-timeout users groups fsso-groups devices custom-devices
   nat ippool poolname poolname6 fixedport match-vip match-vip-only vpntunnel inbound outbound
   policy-expiry policy-expiry-date policy-expiry-date-utc tos tos-mask tos-negate
   application app-category app-group url-category reputation-minimum reputation-direction reputation-minimum6
   reputation-direction6 ztna-status ztna-ems-tag ztna-ems-tag-secondary ztna-ems-tag-negate ztna-geo-tag
   ztna-device-ownership ztna-tags-match-logic ztna-policy-redirect src-vendor-mac sgt sgt-check
   network-service-dynamic network-service-src-dynamic geoip-match geoip-anycast
   webproxy-forward-server webproxy-profile wccp decrypted-traffic-mirror
   utm-status inspection-mode profile-type profile-group profile-protocol-options av-profile webfilter-profile
   dnsfilter-profile emailfilter-profile spamfilter-profile dlp-sensor dlp-profile file-filter-profile ips-sensor
   application-list voip-profile ips-voip-filter sctp-filter-profile icap-profile waf-profile cifs-profile
   ssh-filter-profile videofilter-profile casb-profile virtual-patch-profile diameter-filter-profile mms-profile
   gtp-profile ssl-ssh-profile http-policy-redirect ssh-policy-redirect ssl-mirror ssl-mirror-intf scan-botnet-connections
   logtraffic logtraffic-app logtraffic-start log-unmatched-traffic capture-packet custom-log-fields replacemsg-override-group
   traffic-shaper traffic-shaper-reverse per-ip-shaper shaping-policy-id class-id
   session-ttl vlan-cos-fwd vlan-cos-rev vlan-filter diffserv-forward diffserv-reverse diffservcode-forward diffservcode-rev
   diffserv-copy tcp-mss-sender tcp-mss-receiver tcp-session-without-syn anti-replay auto-asic-offload np-acceleration
   permit-any-host permit-stun-host rtp-nat rtp-addr block-notification send-deny-packet timeout-send-rst
   disclaimer email-collect auth-cert auth-path auth-redirect-addr auth-on-demand ntlm ntlm-guest ntlm-enabled-browsers
   fsso fsso-agent-for-ntlm rsso wsso active-auth-method captive-portal-exempt redirect-url identity-from
   learning-mode label global-label color cgn-eif cgn-eim cgn-log-server-grp cgn-resource-quota cgn-session-quota
   dsri radius-mac-auth-bypass delay-tcp-npu-session dynamic-shaping pcp-inbound pcp-outbound pcp-poolname
   port-preserve port-random passive-wan-health-measurement enforce-default-app-port srcaddr4 dstaddr4 policy-behaviour-type
   wanopt wanopt-detection wanopt-passive-opt wanopt-peer wanopt-profile webcache webcache-https tags max-session-per-user
   max-session-per-user firewall-session-dirty outbound-fec eif-check ip-version-type policy-offload
   proxy access-proxy transparent http-tunnel-auth session-ttl ssl-ssh-profile
   srcaddr-type intf interface virtual-patch ha-mgmt-intf-only start-port end-port protocol multicast
   internet-service internet-service-src internet-service6 internet-service6-src`,
  'internet-service utm- devices- dlp-',
);

const OBJECT = known(
  `uuid type subnet subnet-name start-ip end-ip fqdn wildcard wildcard-fqdn country interface associated-interface sdn
   sdn-tag sdn-addr-type sub-type clearpass-spt obj-id obj-tag obj-type filter policy-group tag-type tag-detection-level
   hw-vendor hw-model macaddr start-mac end-mac epg-name tenant organization subnet-name node-ip-only fsso-group cache-ttl
   comment color visibility allow-routing fabric-object dirty tags tagging route-tag ip6 host host-type template
   member exclude exclude-member category passive-fqdn-learning agent-id fsso-group os sw-version hw-version`,
);

const SERVICE = known(
  `name protocol protocol-number tcp-portrange udp-portrange sctp-portrange udplite-portrange icmptype icmpcode iprange fqdn
   application app-category app-service-type helper category comment color visibility fabric-object uuid proxy member
   tcp-halfclose-timer tcp-halfopen-timer tcp-rst-timer tcp-timewait-timer udp-idle-timer session-ttl check-reset-range
   explicit-proxy`,
);

const VIP = known(
  `id uuid comment type status extip extaddr extintf mappedip mapped-addr portforward protocol extport mappedport service
   src-filter srcintf-filter src-vip-filter server-type arp-reply ndp-reply nat-source-vip portmapping-type
   gratuitous-arp-interval color ldb-method persistence monitor outlook-web-access weblogic-server websphere-server
   max-embryonic-connections dns-mapping-ttl nat44 add-nat46-route one-click-gslb-server gslb-domain-name gslb-hostname
   gslb-public-ips h2-support h3-support user-agent-detect client-cert empty-cert-action auth-virtual-host
   member interface`,
  'ssl- http- https- quic',
);

const SECTIONS: Readonly<Record<string, Known>> = {
  'firewall policy': POLICY,
  'firewall policy6': POLICY,
  'firewall consolidated policy': POLICY,
  'firewall security-policy': POLICY,
  'firewall proxy-policy': POLICY,
  'firewall explicit-proxy-policy': POLICY,
  'firewall local-in-policy': POLICY,
  'firewall local-in-policy6': POLICY,
  'firewall multicast-policy': POLICY,
  'firewall multicast-policy6': POLICY,
  'firewall acl': POLICY,
  'firewall acl6': POLICY,
  'firewall address': OBJECT,
  'firewall address6': OBJECT,
  'firewall addrgrp': OBJECT,
  'firewall addrgrp6': OBJECT,
  'firewall multicast-address': OBJECT,
  'firewall multicast-address6': OBJECT,
  'firewall service custom': SERVICE,
  'firewall service group': SERVICE,
  'firewall vip': VIP,
  'firewall vip6': VIP,
  'firewall vipgrp': VIP,
  'firewall vipgrp6': VIP,
  'firewall ippool': known(
    `type startip endip source-startip source-endip block-size num-blocks-per-user port-per-user pba-timeout pba-interim-log
     permit-any-host arp-reply arp-intf associated-interface comments startport endport exclude-ip client-prefix-length
     utilization-alarm-clear utilization-alarm-raise subnet-broadcast-in-ippool privileged-port-use-pba tcp-session-quota
     udp-session-quota icmp-session-quota add-nat64-route`,
    'cgn-',
  ),
  'firewall ippool6': known('startip endip comments'),
  'firewall central-snat-map': known(
    `uuid type status srcintf dstintf orig-addr orig-addr6 dst-addr dst-addr6 nat nat-ippool nat-ippool6 protocol orig-port
     dst-port nat-port comments port-preserve port-random`,
  ),
  'router policy': known(
    `input-device input-device-negate src srcaddr src-negate dst dstaddr dst-negate protocol start-port end-port
     start-source-port end-source-port gateway output-device action status tos tos-mask comments users groups
     internet-service-id internet-service-custom internet-service-fortiguard seq-num`,
  ),
  'router static': known(
    `dst dstaddr gateway device distance priority weight status blackhole comment dynamic-gateway sdwan sdwan-zone
     virtual-wan-link internet-service internet-service-custom internet-service-fortiguard link-monitor-exempt tag vrf bfd
     preferred-source src`,
  ),
  'system zone': known('interface intrazone description tagging'),
};
const SAME: Readonly<Record<string, string>> = {
  'router policy6': 'router policy',
  'router static6': 'router static',
};

/** Whether a setting of a section is understood; true in sections that are not listed. */
export function isKnownSetting(section: string, name: string): boolean {
  const of = SECTIONS[SAME[section] ?? section];
  return !of || of.settings.has(name) || of.prefixes.some((prefix) => name.startsWith(prefix));
}

/** Translation between families: listed as unread. */
export const UNREAD_SECTIONS = [
  'firewall policy46',
  'firewall policy64',
  'firewall vip46',
  'firewall vip64',
  'firewall ip-translation',
];

/** Sections that others are resolved by. */
const OTHERS = split(`
  system+interface system+settings system+gre-tunnel system+ipip-tunnel system+ipv6-tunnel system+sit-tunnel system+vxlan
  system+geneve system+wccp system+sdwan system+virtual-wan-link system+virtual-switch
  vpn+ipsec+phase1-interface vpn+ipsec+phase1 web-proxy+explicit web-proxy+forward-server web-proxy+forward-server-group
  ftp-proxy+explicit switch-controller+traffic-sniffer
  firewall+schedule+recurring firewall+schedule+onetime firewall+schedule+group`).map((name) =>
  name.replaceAll('+', ' '),
);

const WANTED = new Set([...Object.keys(SECTIONS), ...Object.keys(SAME), ...UNREAD_SECTIONS, ...OTHERS]);
export const isWantedSection = (name: string): boolean => WANTED.has(name);
export const isRuleBearing = (section: string): boolean => (SAME[section] ?? section) in SECTIONS;

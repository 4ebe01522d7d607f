// ICMP type and code names of nft(8) and iptables(8) -> numbers (IANA registries; RFC 792, RFC 4443, RFC 4861)

/** [type] or [type, code]. */
type Names = Readonly<Record<string, readonly [number, number?]>>;

export const ICMP_TYPES: Names = {
  'echo-reply': [0],
  pong: [0],
  'destination-unreachable': [3],
  'network-unreachable': [3, 0],
  'host-unreachable': [3, 1],
  'protocol-unreachable': [3, 2],
  'port-unreachable': [3, 3],
  'fragmentation-needed': [3, 4],
  'source-quench': [4],
  redirect: [5],
  'echo-request': [8],
  ping: [8],
  'router-advertisement': [9],
  'router-solicitation': [10],
  'time-exceeded': [11],
  'ttl-exceeded': [11],
  'parameter-problem': [12],
  'timestamp-request': [13],
  'timestamp-reply': [14],
  'info-request': [15],
  'info-reply': [16],
  'address-mask-request': [17],
  'address-mask-reply': [18],
};

export const ICMP6_TYPES: Names = {
  'destination-unreachable': [1],
  'packet-too-big': [2],
  'time-exceeded': [3],
  'parameter-problem': [4],
  'echo-request': [128],
  'echo-reply': [129],
  'mld-listener-query': [130],
  'mld-listener-report': [131],
  'mld-listener-done': [132],
  'mld-listener-reduction': [132],
  'nd-router-solicit': [133],
  'router-solicitation': [133],
  'nd-router-advert': [134],
  'router-advertisement': [134],
  'nd-neighbor-solicit': [135],
  'neighbour-solicitation': [135],
  'neighbor-solicitation': [135],
  'nd-neighbor-advert': [136],
  'neighbour-advertisement': [136],
  'neighbor-advertisement': [136],
  'nd-redirect': [137],
  redirect: [137],
  'router-renumbering': [138],
  'ind-neighbor-solicit': [141],
  'ind-neighbor-advert': [142],
  'mld2-listener-report': [143],
};

/** The (type * 256 + code) ranges of a type by name, number or number/number; undefined where it is unknown. */
export function icmpRange(written: string, table: Names): readonly [number, number] | undefined {
  const digits = /^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(written);
  const [type, code] = digits
    ? [Number(digits[1]), digits[2] === undefined ? undefined : Number(digits[2])]
    : Object.hasOwn(table, written)
      ? table[written]
      : [];
  if (type === undefined || type > 255 || (code ?? 0) > 255) return undefined;
  return code === undefined ? [type * 256, type * 256 + 255] : [type * 256 + code, type * 256 + code];
}

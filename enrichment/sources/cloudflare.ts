// Cloudflare's edge (developers.cloudflare.com/api, "IPs")
import { DAY_MS, jsonObject, listOf, MIB, objectOf, prefixRanges, type SourceDefinition } from '../source.ts';

export const cloudflare: SourceDefinition = {
  name: 'cloudflare',
  kind: 'provider',
  urlSetting: 'POSTERN_CLOUDFLARE_RANGES_URL',
  defaultUrl: 'https://api.cloudflare.com/client/v4/ips',
  maxBytes: MIB,
  refreshEveryMs: DAY_MS,
  parse: (bytes) => {
    const result = objectOf(jsonObject(bytes).result, 'result');
    return prefixRanges([...listOf(result, 'ipv4_cidrs'), ...listOf(result, 'ipv6_cidrs')], 'cdn');
  },
};

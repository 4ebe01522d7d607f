// Fastly's edge (developer.fastly.com, "public-ip-list")
import { DAY_MS, jsonObject, listOf, MIB, prefixRanges, type SourceDefinition } from '../source.ts';

export const fastly: SourceDefinition = {
  name: 'fastly',
  kind: 'provider',
  urlSetting: 'POSTERN_FASTLY_RANGES_URL',
  defaultUrl: 'https://api.fastly.com/public-ip-list',
  maxBytes: MIB,
  refreshEveryMs: DAY_MS,
  parse: (bytes) => {
    const whole = jsonObject(bytes);
    return prefixRanges([...listOf(whole, 'addresses'), ...listOf(whole, 'ipv6_addresses')], 'cdn');
  },
};

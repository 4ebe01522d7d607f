// Oracle Cloud's public ranges (docs.oracle.com, "IP Address Ranges")
import { DAY_MS, jsonObject, listOf, MIB, objectOf, prefixRanges, type SourceDefinition } from '../source.ts';

export const oracle: SourceDefinition = {
  name: 'oracle',
  kind: 'provider',
  urlSetting: 'POSTERN_ORACLE_RANGES_URL',
  defaultUrl: 'https://docs.oracle.com/en-us/iaas/tools/public_ip_ranges.json',
  maxBytes: 4 * MIB,
  refreshEveryMs: DAY_MS,
  parse: (bytes) => {
    const regions = listOf(jsonObject(bytes), 'regions').map((region) => objectOf(region, 'a region'));
    const cidrs = regions.flatMap((region) => listOf(region, 'cidrs'));
    return prefixRanges(
      cidrs.map((row) => objectOf(row, 'a CIDR').cidr),
      'cloud',
    );
  },
};

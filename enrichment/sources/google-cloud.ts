// Google Cloud's customer-usable ranges (cloud.google.com/vpc/docs, "IP address ranges")
import { DAY_MS, jsonObject, listOf, MIB, objectOf, prefixRanges, type SourceDefinition } from '../source.ts';

export const googleCloud: SourceDefinition = {
  name: 'google-cloud',
  kind: 'provider',
  urlSetting: 'POSTERN_GOOGLE_CLOUD_RANGES_URL',
  defaultUrl: 'https://www.gstatic.com/ipranges/cloud.json',
  maxBytes: 8 * MIB,
  refreshEveryMs: DAY_MS,
  parse: (bytes) => {
    const rows = listOf(jsonObject(bytes), 'prefixes').map((row) => objectOf(row, 'a prefix'));
    return prefixRanges(
      rows.map((row) => row.ipv4Prefix ?? row.ipv6Prefix),
      'cloud',
    );
  },
};

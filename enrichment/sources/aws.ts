// AWS IP address ranges (docs.aws.amazon.com, "AWS IP address ranges"): CloudFront is a CDN, the rest a cloud
import { DAY_MS, jsonObject, listOf, MIB, objectOf, prefixRanges, type SourceDefinition } from '../source.ts';

export const aws: SourceDefinition = {
  name: 'aws',
  kind: 'provider',
  urlSetting: 'POSTERN_AWS_RANGES_URL',
  defaultUrl: 'https://ip-ranges.amazonaws.com/ip-ranges.json',
  maxBytes: 16 * MIB,
  refreshEveryMs: DAY_MS,
  parse: (bytes) => {
    const whole = jsonObject(bytes);
    const rows = [...listOf(whole, 'prefixes'), ...listOf(whole, 'ipv6_prefixes')].map((row) =>
      objectOf(row, 'a prefix'),
    );
    const prefixesOf = (isCdn: boolean) =>
      rows
        .filter((row) => String(row.service).startsWith('CLOUDFRONT') === isCdn)
        .map((row) => row.ip_prefix ?? row.ipv6_prefix);
    // A CloudFront prefix is listed under AMAZON too: the later of two equal prefixes wins.
    const [cloud, cdn] = [prefixesOf(false), prefixesOf(true)];
    return [...prefixRanges(cloud, 'cloud'), ...(cdn.length > 0 ? prefixRanges(cdn, 'cdn') : [])];
  },
};

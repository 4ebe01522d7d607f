// self-published geofeeds (RFC 8805: prefix, country, region, city) of VPS providers
import {
  DAY_MS,
  linesOf,
  MIB,
  prefixRanges,
  type SourceDefinition,
  type UrlSetting,
  unreadable,
} from '../source.ts';

const geofeed = (name: string, urlSetting: UrlSetting, defaultUrl: string): SourceDefinition => ({
  name,
  kind: 'provider',
  urlSetting,
  defaultUrl,
  maxBytes: 8 * MIB,
  refreshEveryMs: DAY_MS,
  parse: (bytes) => {
    const prefixes = linesOf(bytes).map((line) => line.split(',', 1)[0]);
    if (prefixes.length === 0) throw unreadable('the list is empty');
    return prefixRanges(prefixes, 'vps');
  },
});

export const digitalocean = geofeed(
  'digitalocean',
  'POSTERN_DIGITALOCEAN_RANGES_URL',
  'https://digitalocean.com/geo/google.csv',
);
export const linode = geofeed('linode', 'POSTERN_LINODE_RANGES_URL', 'https://geoip.linode.com/');
export const vultr = geofeed('vultr', 'POSTERN_VULTR_RANGES_URL', 'https://geofeed.constant.com/?csv');

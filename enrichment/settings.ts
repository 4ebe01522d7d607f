// settings of enrichment: whose table of networks, and where published lists come from
import { type TString, Type } from 'typebox';
import type { UrlSetting } from './source.ts';
import { sources } from './sources/index.ts';

const urlSettings = Object.fromEntries(
  sources.map((source) => [
    source.urlSetting,
    Type.String({
      pattern: '^(off|https?://.+)$',
      default: source.defaultUrl === '' ? 'off' : source.defaultUrl,
      description: `Where the list ${source.name} is fetched from; off leaves it out`,
    }),
  ]),
) as Record<UrlSetting, TString>;

export const enrichmentSettings = {
  POSTERN_ASN_DATABASE: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'MMDB file of AS numbers (GeoLite2-ASN, IPinfo); default the IPtoASN table, fetched daily',
    }),
  ),
  POSTERN_CATEGORIES: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'JSON file of your own categories, {"AS64500": "vps", "198.51.100.0/24": "cdn"}; they go before all others',
    }),
  ),
  POSTERN_ENRICHMENT_FETCH: Type.Union([Type.Literal('on'), Type.Literal('off')], {
    default: 'on',
    description: 'off: fetch no list, use what the data folder has',
  }),
  ...urlSettings,
};

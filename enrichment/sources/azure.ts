// Azure service tags (Microsoft Download Center 56519); their address changes weekly, so the operator names a copy
import { DAY_MS, jsonObject, listOf, MIB, objectOf, prefixRanges, type SourceDefinition } from '../source.ts';

export const azure: SourceDefinition = {
  name: 'azure',
  kind: 'provider',
  urlSetting: 'POSTERN_AZURE_RANGES_URL',
  defaultUrl: '',
  maxBytes: 32 * MIB,
  refreshEveryMs: DAY_MS,
  parse: (bytes) => {
    const tags = listOf(jsonObject(bytes), 'values').map((tag) => objectOf(tag, 'a service tag'));
    const prefixesOf = (isCdn: boolean) =>
      tags
        .filter((tag) => String(tag.name).startsWith('AzureFrontDoor') === isCdn)
        .flatMap((tag) => listOf(objectOf(tag.properties, 'properties'), 'addressPrefixes'));
    const [cloud, cdn] = [prefixesOf(false), prefixesOf(true)];
    return [...prefixRanges(cloud, 'cloud'), ...(cdn.length > 0 ? prefixRanges(cdn, 'cdn') : [])];
  },
};

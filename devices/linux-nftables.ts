// `nft -j list ruleset` -> rules
import type { DeviceDefinition } from './definition.ts';
import { readNftJson } from './syntax/nft-json.ts';
import { layoutNftJson } from './syntax/nft-layout.ts';

export const linuxNftables: DeviceDefinition = {
  vendor: 'linux-nftables',
  title: 'Linux with nftables',
  recognise: [{ pattern: /^\s*\{\s*"nftables"\s*:\s*\[/, weight: 100 }],
  session: {
    channel: 'exec',
    prompt: /[$#] $/,
    pagers: [],
    commands: [{ run: 'nft -j list ruleset', endMarker: /\]\s*\}\s*$/ }],
  },
  volatile: [],
  secrets: [],
  changedBy: [],
  layout: layoutNftJson,
  read: readNftJson,
  knownGaps: [],
};

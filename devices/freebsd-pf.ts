// pf.conf and the loaded ruleset of FreeBSD and macOS -> rules
import type { DeviceDefinition } from './definition.ts';
import { pfChangedBy, pfCommands, pfGaps, pfSecrets, pfVolatile } from './syntax/pf-definition.ts';
import { readPf } from './syntax/pf-read.ts';

export const freebsdPf: DeviceDefinition = {
  vendor: 'freebsd-pf',
  title: 'FreeBSD and macOS pf: pf.conf, `pfctl -s nat`, `pfctl -s rules`',
  recognise: [
    { pattern: /^\s*(?:no )?(?:nat|rdr|binat)(?: pass)?(?: log)? on \S/m, weight: 70 },
    { pattern: /^\s*(?:nat|rdr|binat|scrub|dummynet)-anchor "/m, weight: 70 },
    { pattern: /^\s*scrub (?:in|out|on|all|from)\b/m, weight: 65 },
    { pattern: /^\s*pass .*\b(?:route-to|reply-to|dup-to) [({]/m, weight: 64 },
    { pattern: /^\s*(?:pass|block) .*\b(?:ridentifier \d+|dnpipe|dnqueue)\b/m, weight: 70 },
    { pattern: /^\w+: flags=.*\b(?:options|metric \d+ mtu)\b/m, weight: 61 },
  ],
  session: {
    channel: 'exec',
    prompt: /[$#%] ?$/,
    pagers: [],
    commands: pfCommands("pfctl -a '*' -s nat 2>/dev/null && pfctl -a '*' -s rules 2>/dev/null"),
  },
  volatile: pfVolatile,
  secrets: pfSecrets,
  changedBy: pfChangedBy,
  // A file has no end of its own; a text that others stored is taken as it is.
  storedEnd: /\S\s*(?![\s\S])/,
  read: readPf,
  knownGaps: [
    ...pfGaps,
    'Another file than /etc/pf.conf (pf_rules of rc.conf) is not pulled; what is loaded is.',
    'Rules for Ethernet frames (`ether`) are listed as not understood; shaping is not read.',
    'Translations are taken in the order rdr, binat; then binat, nat.',
  ],
};

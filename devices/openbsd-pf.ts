// pf.conf and the loaded ruleset of OpenBSD -> rules
import type { DeviceDefinition } from './definition.ts';
import { pfChangedBy, pfCommands, pfGaps, pfSecrets, pfVolatile } from './syntax/pf-definition.ts';
import { readPf } from './syntax/pf-read.ts';

export const openbsdPf: DeviceDefinition = {
  vendor: 'openbsd-pf',
  title: 'OpenBSD pf: pf.conf, `pfctl -s rules`',
  recognise: [
    { pattern: /^\s*(?:pass|match) .*\b(?:rdr-to|nat-to|binat-to|af-to|divert-to)\b/m, weight: 62 },
    { pattern: /^\s*match (?:in|out|on|all)\b/m, weight: 60 },
    { pattern: /^\s*(?:pass|block) .*\breceived-on\b/m, weight: 60 },
    {
      pattern:
        /^(?:pass|block)(?: (?:return|drop|log|in|out|quick|all))*(?: on [\w!${(<]| inet6? | proto [\w{$]| from [\w<!{$(]|\s*$)/m,
      weight: 32,
    },
    { pattern: /^set skip on \S/m, weight: 45 },
    { pattern: /^table <[\w.-]+>/m, weight: 40 },
  ],
  session: {
    channel: 'exec',
    prompt: /[$#] ?$/,
    pagers: [],
    commands: pfCommands("pfctl -a '*' -s rules 2>/dev/null"),
  },
  volatile: pfVolatile,
  secrets: pfSecrets,
  changedBy: pfChangedBy,
  // A file has no end of its own; a text that others stored is taken as it is.
  storedEnd: /\S\s*(?![\s\S])/,
  read: readPf,
  knownGaps: pfGaps,
};

// `show config running` of PAN-OS and Panorama -> rules; XML and set form are read as well
import type { DeviceCommand, DeviceDefinition } from './definition.ts';
import { readPanos } from './syntax/panos-read.ts';
import { panosSecrets } from './syntax/panos-secrets.ts';

/** The tree closes at the margin; `[edit]` stands behind what configuration mode shows. */
const END = /^(?:\}|<\/(?:config|response)>|\[edit\])\s*$(?![\s\S])/m;
const MANAGED: DeviceCommand['when'] = {
  command: 'show panorama-status',
  shows: /^\s*Panorama Server 1\s*:\s*\S/m,
};

/** Only operational mode is used, and nothing is set there; the pager is answered. */
export const panos: DeviceDefinition = {
  vendor: 'panos',
  title: 'Palo Alto Networks PAN-OS and Panorama',
  recognise: [
    { pattern: /^\s*<config [^>]{0,200}\b(?:urldb|detail-version)="/m, weight: 95 },
    { pattern: /<entry name="localhost\.localdomain">|^\s*localhost\.localdomain \{/m, weight: 90 },
    {
      pattern: /^\s*set (?:deviceconfig system |mgt-config |network interface ethernet ethernet\d)/m,
      weight: 85,
    },
    {
      pattern: /^\s*set (?:(?:device-group|vsys) \S{1,64} |shared )?(?:(?:pre-|post-)?rulebase) /m,
      weight: 85,
    },
    { pattern: /^\s*(?:mgt-config|deviceconfig|(?:pre-|post-)?rulebase) \{/m, weight: 75 },
  ],
  session: {
    channel: 'shell',
    prompt: /(?:^|[\r\n])[\w.+\\-]{1,64}@[\w.-]{1,64}(?:\([\w-]{1,32}\))?> ?$/,
    pagers: [
      {
        pattern: /^lines \d{1,9}-\d{1,9}(?:\/\d{1,9})?(?: (?:byte \d{1,12}\/\d{1,12} )?\d{1,3}%)?\s*$/,
        answer: ' ',
      },
      { pattern: /^(?:lines \d{1,9}-\d{1,9}\/\d{1,9} )?\(END\)\s*$/, answer: 'q' },
      { pattern: /^\s*--[Mm]ore--(?: or \(q\)uit)?\s*$/, answer: ' ' },
    ],
    commands: [
      { run: 'show panorama-status', endMarker: /^/, yields: 'nothing', optional: true },
      // What Panorama pushed is no part of the running configuration.
      { run: 'show config pushed-template', endMarker: END, when: MANAGED },
      { run: 'show config pushed-shared-policy', endMarker: END, when: MANAGED },
      { run: 'show config running', endMarker: END },
    ],
    logout: 'exit',
  },
  volatile: [
    // Marks of a candidate that is being edited.
    /\s(?:admin|dirtyId|time|src)="[^"]{0,64}"/,
    /^\[edit\]\s*$/,
  ],
  secrets: panosSecrets,
  changedBy: [
    // CONFIG log: ..., host, virtual system, command, admin, client, result, path. What failed changed nothing.
    /,CONFIG,[^,]{0,32},[^,]{0,32},[^,]{0,40},[^,]{0,255},[^,]{0,64},(?:add|clone|commit|commit-all|delete|edit|load|move|multi-clone|multi-move|override|rename|revert|set)\b[^,]{0,64},[^,]{0,128},[^,]{0,64},(?:Succeeded|Submitted)\b/,
    /,SYSTEM,general,.{0,600}?\bCommit job (?:\d{1,9} )?(?:succeeded|completed|finished)/i,
  ],
  changeHeaders: [
    /<[\w-]{1,64}(?: name="[^"]{0,128}")? admin="(?<user>[^"]{1,64})" dirtyId="\d{1,9}" time="(?<time>[^"]{1,32})"/,
  ],
  read: readPanos,
  knownGaps: [
    'Applications are known by their usual ports (devices/syntax/panos-app-table.ts): on application-default these are taken for the application, on other services it is a condition.',
    'Users, devices, URL categories, HIP profiles, schedules, FQDN objects, external lists and predefined regions are conditions, not ranges.',
    'A dynamic address group holds the tagged objects of the text; addresses that are registered with tags at run time are not seen.',
    'The zone of a destination before translation follows from routes that are not all in the text: a destination NAT rule is taken to meet the destinations it names, whatever its `to` zone.',
    'Policy-based forwarding is judged after destination NAT; `no-pbf` also keeps packets from the tunnels that routes lead into.',
    'Routes of routing protocols are not seen: with such a protocol on, all that leaves by a tunnel interface counts as tunnelled.',
    'Traffic between virtual systems (external zones, shared gateways) is not followed from one to the other.',
    'NAT64 rules are listed and have no effect; SD-WAN and packet broker rules are listed as unread.',
    'Panorama: variables of templates are not replaced, and the rules that a firewall has of its own are not in its text.',
    'Set form proves its end only by the `[edit]` that configuration mode prints behind it.',
    'GlobalProtect, explicit proxy and clientless VPN portals are not read.',
  ],
};

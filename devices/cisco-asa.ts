// configuration of ASA (8.2 and earlier, 8.3 and later) and of FTD's LINA -> rules
import type { DeviceDefinition } from './definition.ts';
import { readAsa } from './syntax/asa-read.ts';
import { asaSecrets } from './syntax/asa-secrets.ts';
import { CONTEXT_HEADING } from './syntax/asa-text.ts';

const END = /^: end\s*$(?![\s\S])/m;

/** `more system:running-config` shows keys that `show running-config` stars, so that a changed key is seen; nothing is written. */
export const ciscoAsa: DeviceDefinition = {
  vendor: 'cisco-asa',
  title: 'Cisco ASA and Firepower Threat Defense (LINA)',
  recognise: [
    { pattern: /^(?:ASA|PIX|FWSM|NGFW) Version \d/m, weight: 95 },
    { pattern: /^: (?:Saved|Written by \S+ at )/m, weight: 75 },
    { pattern: /^access-list \S+ (?:extended|advanced) (?:permit|deny) /m, weight: 75 },
    { pattern: /^ nameif \S+\s*$/m, weight: 70 },
    {
      pattern: /^nat \([^()\s]+,[^()\s]+\) (?:after-auto )?(?:\d+ )?source (?:static|dynamic) /m,
      weight: 80,
    },
    {
      pattern: /^(?:static \(\S+,\S+\)|global \(\S+\) \d+|access-group \S+ (?:in|out) interface) /m,
      weight: 70,
    },
  ],
  session: {
    channel: 'shell',
    // Name, context and role of a pair: fw/admin/pri/act#
    prompt: /(?:^|[\r\n])[\w.-]{1,64}(?:\/[\w.-]{1,64}){0,5}(?:\([\w.-]{1,64}\))?[>#] ?$/,
    pagers: [{ pattern: /^<--- More --->\s*$/, answer: ' ' }],
    enable: { neededAt: />\s*$/, command: 'enable', passwordPrompt: /[Pp]assword:\s*$/ },
    logLines: [/^%(?:ASA|FTD|PIX)-\d-\d{6}: /],
    commands: [
      {
        run: 'show mode',
        endMarker: /^(?:Security context mode: \w+|Firewall mode: \w+)/m,
        yields: 'nothing',
      },
      { run: 'more system:running-config', endMarker: END },
      {
        run: 'changeto system',
        endMarker: /^/,
        yields: 'nothing',
        when: { command: 'show mode', shows: /mode: multiple/ },
        followedBy: [
          {
            run: 'more system:running-config',
            heading: CONTEXT_HEADING.replace('{name}', 'system'),
            endMarker: END,
          },
          {
            run: 'changeto context {name}',
            endMarker: /^/,
            yields: 'nothing',
            forEach: { command: 'more system:running-config', name: /^context (\S{1,32})\s*$/ },
            followedBy: [{ run: 'more system:running-config', heading: CONTEXT_HEADING, endMarker: END }],
          },
        ],
      },
    ],
    logout: 'exit',
  },
  volatile: [
    /^: Saved\s*$/,
    /^: Serial Number: .*$/,
    /^: Hardware: .*$/,
    /^: Written by .*$/,
    /^! Configuration last modified by .*$/,
    /^Cryptochecksum:.*$/,
    /^ntp clock-period \d+\s*$/,
  ],
  secrets: asaSecrets,
  changedBy: [
    // A command that only shows, and the end of a configuration session, are none.
    /%(?:ASA|FTD|PIX)-\d-11100[89]: User '[^']{0,64}' executed the '(?!(?:show|more|enable|disable|exit|quit|end|ping|traceroute|terminal|changeto|logout|dir|pager|packet-tracer|capture|debug|undebug)\b)/,
    /%(?:ASA|FTD|PIX)-\d-111010: User '[^']{0,64}', running '[^']{0,64}' from IP \S{1,64}, executed '(?!(?:show|more|enable|disable|exit|quit|end|ping|traceroute|terminal|changeto|logout|dir|pager|packet-tracer|capture|debug|undebug)\b)/,
  ],
  changeHeaders: [
    /^: Written by (?<user>\S{1,64}) at (?<time>\d.{10,50}?)\s*$/,
    /^! Configuration last modified by (?<user>\S{1,64}) at (?<time>\d.{10,50}?)\s*$/,
  ],
  read: readAsa,
  knownGaps: [
    'An account of a single context of several cannot pull: it may not go to the system execution space.',
    'A twice NAT statement without a destination is not taken to hide destination translations that stand after it.',
    'Crypto maps are judged before the source is translated; VPN filters and remote-access pools have no policy.',
    'Dynamic crypto maps without a list are listed; what their peers propose is not followed.',
    'Policy routing is judged after translation of destinations.',
    'nat-control, `alias`, `established`, DNS rewriting, cut-through proxy (aaa authentication match) and WCCP are unread or not followed.',
    'The policy that FMC hands to Snort is not in the text of FTD: entries with an L7 rule are conditions.',
    'FQDN objects, users, security tags, network services and time ranges are conditions.',
    'Object groups of ports in twice NAT: the first service of a group decides.',
    'Transparent mode: bridge groups count as their members; EtherType lists are not read.',
    'Dynamic routing is not read: a tunnel gets a redirect from static routes and policy routing only.',
    'Before 9.0 an interface with an IPv4 list only is taken to drop IPv6.',
  ],
};

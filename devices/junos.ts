// `show configuration` of Junos, in braces or as `display set` -> rules
import type { DeviceDefinition } from './definition.ts';
import { readJunos } from './syntax/junos-read.ts';
import { junosSecrets } from './syntax/junos-secrets.ts';

/** The last brace at the margin; in configuration mode `[edit]` stands behind what is shown. */
const END = /^(?:\}|(?:\{[\w:]{1,32}\})?\[edit\])\s*(?:\{\w{1,16}(?::\w{1,16})?\}\s*)?(?![\s\S])/m;

/** Exec channels of operational mode: nothing is paged there, nothing is set. */
export const junos: DeviceDefinition = {
  vendor: 'junos',
  title: 'Juniper Junos (SRX, MX, EX, QFX)',
  recognise: [
    { pattern: /^## Last (?:commit|changed): /m, weight: 96 },
    {
      pattern: /^(?:set version "?\d{1,2}\.\d[\w.-]{1,32}"?|version "?\d{1,2}\.\d[\w.-]{1,32}"?;)\s*$/m,
      weight: 80,
    },
    { pattern: /^set security (?:nat|policies|zones|address-book|ike|ipsec|screen) /m, weight: 88 },
    {
      pattern:
        /^set (?:logical-systems|tenants|routing-instances|routing-options|policy-options|firewall family) /m,
      weight: 84,
    },
    { pattern: /^set interfaces (?:<?[a-z]{2,4}-[\d*]|lo0|irb|st0|ae\d|vlan|reth\d)\S* /m, weight: 84 },
    {
      pattern:
        /^(?:security|interfaces|firewall|routing-options|policy-options|routing-instances|forwarding-options) \{\s*$/m,
      weight: 40,
    },
    { pattern: /^ {4}(?:[a-z]{2}-\d{1,3}\/\d{1,3}\/\d{1,3}|irb|lo0|st0|reth\d{1,3}) \{\s*$/m, weight: 82 },
    { pattern: /^set applications application(?:-set)? \S+ (?:protocol|term|application) /m, weight: 60 },
    { pattern: /^set system host-name \S+\s*$/m, weight: 42 },
  ],
  session: {
    channel: 'exec',
    prompt: /(?:^|[\r\n])[\w.-]{1,64}@[\w.-]{1,64}(?::[\w.-]{1,64})?[>#] ?$/,
    pagers: [{ pattern: /^---\(more(?: \d{1,3}%)?\)---\s*$/, answer: ' ' }],
    logLines: [/^\{(?:master|backup|linecard|primary|secondary)(?::\w{1,16})?\}\s*$/],
    commands: [
      {
        run: 'show system commit | no-more',
        endMarker: /^\d{1,4} +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /m,
        yields: 'history',
        optional: true,
      },
      { run: 'show configuration | display omit | no-more', endMarker: END },
    ],
  },
  volatile: [/^## Last (?:commit|changed): .*$/, /^\[edit\]\s*$/],
  secrets: junosSecrets,
  changedBy: [/\bUI_COMMIT(?:_COMPLETED)?: (?!.{0,200}commit check)/],
  changeHeaders: [
    /^## Last (?:commit|changed): (?<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [A-Z]{1,5})?)(?: by (?<user>\S{1,64}))?$/,
  ],
  history: [
    /^\d{1,4} +(?<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w{1,5}) by (?<user>\S{1,64}) via (?<command>\S{1,32})/,
  ],
  read: readJunos,
  knownGaps: [
    'An account whose shell is not the CLI (root) cannot be pulled: its exec channels are not operational mode.',
    'A configuration in braces proves its end by the last brace at the margin, set form only by the `[edit]` behind it.',
    'Where several NAT rule sets meet a packet, those of a less specific context are asked when no rule of the first matches.',
    'dynamic-application, source-identity, URL categories, schedules, DNS names and policers are conditions, not ranges.',
    'Applications of MS-RPC and SUN-RPC by program are known by their port mapper only.',
    'Groups with `when` apply always; `$' + '{node}` stands for node0 and node1 together.',
    'Redirects of firewall filters are judged after translation of destinations, which an MX does before.',
    'Filters of family ethernet-switching, bridge, vpls and mpls are listed and not bound; so are simple and service filters.',
    'A filter on the loopback interface and policies to junos-host concern the device itself.',
    'Routes of routing protocols are not seen: a tunnel without a static route takes all that leaves by its interface.',
    'NAT64 (`static-nat inet`), persistent NAT and port-forwarding-mappings are listed without effect.',
    'Sets of `next-hop-service` are met by what routes lead to them, which is a condition here.',
    'Traffic from one logical system or tenant to another (lt- interfaces) is not followed.',
    'The SSL proxy, AppQoE and advanced policy-based routing profiles are not read.',
  ],
};

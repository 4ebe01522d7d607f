// Cisco ASA and Firepower Threat Defense ("ASA Series Syslog Messages")
import type { EventKind } from '../../model/event.ts';
import { type Groups, type Row, tableReader } from './reader.ts';
import { routeKind } from './routes.ts';

const id = (numbers: string) => new RegExp(`^(?:ASA|FTD|PIX|FWSM)(?:-\\w+)?-\\d-(?:${numbers})$`);
/** "outside:198.51.100.7/44991", with or without interface and port. */
const end = (address: string, port: string) =>
  String.raw`(?:(?![0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[A-Za-z_][^\s:/]{0,60}[:/])?(?<${address}>\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f:]{2,45})(?:[/(](?<${port}>\d{1,5})\)?)?`;
const SOURCE = end('source', 'sourcePort');
const DESTINATION = end('destination', 'destinationPort');

const byWord = (_command: string, { action }: Groups): EventKind =>
  /^(?:den|Den)/.test(action ?? '') ? 'firewall-drop' : 'firewall-accept';

const built = (direction: string, first: string, second: string): Row => ({
  program: id('302013|302015'),
  pattern: new RegExp(
    String.raw`(?<action>Built) ${direction} (?<protocol>TCP|UDP) connection \d{1,20} for ${first}(?: \([^)]{0,60}\))*(?:\([^)]{0,120}\))? to ${second}(?:\s|$)`,
  ),
  kind: 'firewall-accept',
});

export const asa = tableReader([
  // "for" names the lower security level first: the opener where the connection is inbound.
  built('inbound', SOURCE, DESTINATION),
  built('outbound', DESTINATION, SOURCE),
  {
    program: id('302014|302016|302021'),
    pattern: new RegExp(
      String.raw`(?<action>Teardown) (?<protocol>TCP|UDP|ICMP) connection (?:\d{1,20} )?for ${SOURCE}(?:\([^)]{0,120}\))? to ${DESTINATION}(?:\s|\(|$)`,
    ),
    kind: 'other',
  },
  {
    program: id('302020'),
    pattern:
      /(?<action>Built) (?:inbound|outbound) (?<protocol>ICMP) connection (?:\d{1,20} )?for faddr (?<source>[0-9A-Fa-f.:]{2,45})\/\d{1,5} gaddr \S{1,60} laddr (?<destination>[0-9A-Fa-f.:]{2,45})/,
    kind: 'firewall-accept',
  },
  {
    program: id('106001|106006|106007|106015|710003|106010|106014|106023'),
    pattern: new RegExp(
      String.raw`(?<![\w-])(?:(?<action>Den(?:y|ied)|denied|permitted) )?(?:Inbound |inbound )?(?:protocol )?(?<protocol>[\w-]{1,20})(?: \(no connection\))?(?: (?:connection|access))? ?(?:denied |permitted |by ACL )*(?:from|src) ${SOURCE}(?:\([^)]{0,120}\))? (?:to|dst) ${DESTINATION}`,
    ),
    kind: 'firewall-drop',
  },
  {
    program: id('710002'),
    pattern: new RegExp(`(?<protocol>TCP|UDP) access permitted from ${SOURCE} to ${DESTINATION}`),
    kind: 'firewall-accept',
  },
  {
    program: id('106100|106102|106103'),
    pattern: new RegExp(
      String.raw`access-list \S{1,250} (?<action>permitted|denied|est-allowed) (?<protocol>[\w-]{1,20}) (?:for user '[^']{0,200}' )?${SOURCE}(?:\([^)]{0,120}\))? -> ${DESTINATION}`,
    ),
    kind: byWord,
  },
  { program: id('503001|503101|336010|418018|418019'), pattern: /:/, kind: 'route-changed' },
  {
    // A route that is tracked, and the routing table's own
    program: id('622001|317077|317078'),
    pattern: /^%\S{1,60}: (?<action>Adding|Removing|Added|Deleted) (?<command>.{1,300})$/,
    kind: 'route-changed',
  },
  {
    program: id('111010'),
    pattern:
      /^%\S{1,60}: User '(?<user>[^']*)', running '[^']*' from IP (?<source>[0-9A-Fa-f.:]+), executed '(?<command>.*)'$/,
    kind: routeKind,
  },
  {
    program: id('111008'),
    pattern: /^%\S{1,60}: User '(?<user>[^']*)' executed the '(?<command>.*)' command/,
    kind: routeKind,
  },
  {
    program: id('605005'),
    pattern: /Login permitted from (?<source>[0-9A-Fa-f.:]+)\/\S+ to \S+ for user "(?<user>[^"]*)"/,
    kind: 'login-accepted',
  },
  {
    program: id('605004'),
    pattern: /Login denied from (?<source>[0-9A-Fa-f.:]+)\/\S+ to \S+ for user "(?<user>[^"]*)"/,
    kind: 'login-failed',
  },
]);
